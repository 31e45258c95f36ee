/**
 * The public envelope: the one form of every answer, errors included, and the headers that go with it. Nothing here
 * depends on the request beyond what the answer holds, so that refusals of one class are the same bytes.
 */
import type { Answer } from './journey.ts';

/** Seconds after which a caller may try again where we were the obstacle; our own trouble rarely passes sooner. */
const RETRY_AFTER_SECONDS = '1';

/** The body of an answer as JSON. It may hold card data: it goes to the socket and nowhere else. */
export const bodyOf = (answer: Answer): string =>
  JSON.stringify({
    ...answer.header,
    responseCode: answer.code,
    responseDesc: answer.desc,
    ...answer.fields.reveal(),
    ...(answer.status === 400 ? { errors: answer.errors } : {}),
  });

/** What only the server knows about an answer. */
export type Envelope = { readonly requestId: string; readonly wallMs: number; readonly close: boolean };

/** The headers of an answer whose body is `bytes` long. */
export const headersOf = (answer: Answer, envelope: Envelope, bytes: number): Record<string, string> => {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Length': String(bytes),
    'Cache-Control': 'no-store',
    timestamp: String(envelope.wallMs),
    'X-Request-Id': envelope.requestId,
  };
  if (answer.replayed) headers['Idempotent-Replayed'] = 'true';
  if (answer.status === 503 || answer.status === 429) headers['Retry-After'] = RETRY_AFTER_SECONDS;
  if (envelope.close) headers.Connection = 'close';
  return headers;
};

/**
 * A whole answer as the text of an HTTP/1.1 message, for a socket on which Node could not parse a request and so has
 * no response object for us. It always closes the connection.
 */
export const rawMessageOf = (answer: Answer, requestId: string, wallMs: number): string => {
  const body = bodyOf(answer);
  const headers = {
    ...headersOf(answer, { requestId, wallMs, close: true }, Buffer.byteLength(body)),
    Date: new Date(wallMs).toUTCString(),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${answer.status} Bad Request\r\n${lines.join('')}\r\n${body}`;
};
