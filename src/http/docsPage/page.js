/**
 * Runs in the browser: shows the OpenAPI document of this very gateway. Examples get today's date and a `tranId` of
 * their own before they are shown, and a call that is tried out gets its `timestamp` when it is sent, because the gateway
 * refuses old ones. Nothing is asked of any other host, and no token outlives the page.
 */
/* global SwaggerUIBundle */

const API = '/openapi.json';

const stamp = () => new Date().toISOString().replaceAll(/[-:T]/g, '');
const newId = () => crypto.getRandomValues(new Uint32Array(4)).reduce((text, part) => text + part.toString(36), 'try-');

/** The example as one of today. */
function refresh(message) {
  message.tranDate = stamp().slice(0, 8);
  message.tranTime = stamp().slice(8, 14);
  message.tranId = newId();
}

function refreshExamples(paths) {
  for (const { post } of Object.values(paths)) {
    const examples = post?.requestBody?.content['application/json']?.examples ?? {};
    for (const { value } of Object.values(examples)) refresh(value);
  }
}

function withTimestamp(request) {
  if (request.headers?.timestamp !== undefined) request.headers.timestamp = String(Date.now());
  return request;
}

async function show() {
  const response = await fetch(API);
  if (!response.ok) throw new Error(`${API} answered ${response.status}`);
  const spec = await response.json();
  refreshExamples(spec.paths);
  spec.components.parameters.timestamp.example = String(Date.now());
  SwaggerUIBundle({
    spec,
    dom_id: '#docs',
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: -1,
    filter: true,
    persistAuthorization: false,
    presets: [SwaggerUIBundle.presets.apis],
    requestInterceptor: withTimestamp,
    // Otherwise the document would be sent to a service of the package's makers.
    validatorUrl: null,
  });
}

show().catch(error => {
  document.querySelector('#docs').textContent = `The reference could not be shown: ${error.message}`;
});
