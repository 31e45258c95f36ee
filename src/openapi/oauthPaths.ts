/**
 * The authorization server's three addresses as operations: the token endpoint, whose errors are RFC 6749's, and the two
 * public documents. They are at the root of the port, not below the base path.
 */
import { OAUTH_PATHS } from '../edge/metadata.ts';
import { type JsonMap, ref } from './json.ts';

const AT_ROOT: JsonMap = { servers: [{ url: '/', description: 'The root of this gateway.' }] };
export const OAUTH_TAG = 'OAuth';

const TOKEN_REQUEST: JsonMap = {
  type: 'object',
  required: ['grant_type', 'client_assertion_type', 'client_assertion'],
  properties: {
    grant_type: { type: 'string', const: 'client_credentials' },
    client_assertion_type: { type: 'string', const: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
    client_assertion: {
      type: 'string',
      description:
        'A JWT signed with your key (ES256, its `kid` in the header): `iss` and `sub` are your client id, `aud` is the `issuer` of the metadata as one string, `exp` at most five minutes ahead, and a `jti` that you never used before.',
    },
    client_id: {
      type: 'string',
      description: 'Your client id. Not needed; if it is sent, it must be that of the assertion.',
    },
    scope: {
      type: 'string',
      description: 'Modules or APIs, with single spaces between them. Absent: all that you were given.',
      example: 'Transaction CardInfoInquiry',
    },
  },
};

const TOKEN: JsonMap = {
  type: 'object',
  required: ['access_token', 'token_type', 'expires_in', 'scope'],
  properties: {
    access_token: { type: 'string', description: 'A JWT (RFC 9068), to be sent as `Authorization: Bearer`.' },
    token_type: { type: 'string', const: 'Bearer' },
    expires_in: { type: 'integer', description: 'Seconds that it is good for.', minimum: 1, maximum: 3600 },
    scope: { type: 'string', description: 'What was granted.' },
  },
};

const TOKEN_ERROR: JsonMap = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'string',
      enum: [
        'invalid_request',
        'invalid_client',
        'invalid_scope',
        'unsupported_grant_type',
        'temporarily_unavailable',
        'server_error',
      ],
      description: 'The code of RFC 6749, 5.2.',
    },
    error_description: { type: 'string', description: 'For people.' },
  },
};

const JWK: JsonMap = {
  type: 'object',
  description: 'A public key (RFC 7517).',
  required: ['kty', 'kid', 'use', 'alg'],
  properties: {
    kty: { type: 'string', enum: ['EC', 'RSA'] },
    kid: { type: 'string' },
    use: {
      type: 'string',
      enum: ['sig', 'enc'],
      description: '`sig` signs tokens, `enc` is what you seal payloads for.',
    },
    alg: { type: 'string', enum: ['ES256', 'RSA-OAEP-256'] },
  },
};

const METADATA: JsonMap = {
  type: 'object',
  description: 'The metadata of RFC 8414.',
  required: ['issuer', 'token_endpoint', 'jwks_uri', 'grant_types_supported', 'response_types_supported'],
  properties: {
    issuer: { type: 'string', format: 'uri', description: 'Our identifier: the `aud` of assertions.' },
    token_endpoint: { type: 'string', format: 'uri' },
    jwks_uri: { type: 'string', format: 'uri' },
    grant_types_supported: { type: 'array', items: { type: 'string' } },
    response_types_supported: { type: 'array', items: { type: 'string' }, description: 'Empty: there are none.' },
  },
  additionalProperties: true,
};

/** The schemas of the three. */
export const OAUTH_SCHEMAS: JsonMap = {
  TokenRequest: TOKEN_REQUEST,
  TokenResponse: TOKEN,
  TokenError: TOKEN_ERROR,
  JwkSet: { type: 'object', required: ['keys'], properties: { keys: { type: 'array', items: JWK } } },
  ServerMetadata: METADATA,
};

const REQUEST_ID = { 'X-Request-Id': ref('headers', 'requestId') };
const json = (schema: string, example: JsonMap): JsonMap => ({
  'application/json': { schema: ref('schemas', schema), example },
});
const refused = (description: string, error: string, headers: JsonMap = {}): JsonMap => ({
  description,
  headers: { ...REQUEST_ID, ...headers },
  content: json('TokenError', { error, error_description: description }),
});

const FORM_EXAMPLE: JsonMap = {
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: 'header.claims.signature',
  scope: 'Transaction',
};

const tokenOperation = (): JsonMap => ({
  operationId: 'getAccessToken',
  tags: [OAUTH_TAG],
  summary: 'Access token',
  description:
    'An access token by client credentials (RFC 6749, 4.4), for a client that proves who it is with `private_key_jwt`.',
  security: [],
  requestBody: {
    required: true,
    content: {
      'application/x-www-form-urlencoded': { schema: ref('schemas', 'TokenRequest'), example: FORM_EXAMPLE },
    },
  },
  responses: {
    '200': {
      description: 'A token.',
      headers: REQUEST_ID,
      content: json('TokenResponse', {
        access_token: 'header.claims.signature',
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'Transaction',
      }),
    },
    '400': refused('The request is malformed, or asks for more than was given.', 'invalid_scope'),
    '401': refused('The client could not be authenticated.', 'invalid_client'),
    '500': refused('A defect of the gateway.', 'server_error'),
    '503': refused('Try again with a new assertion.', 'temporarily_unavailable', {
      'Retry-After': ref('headers', 'retryAfter'),
    }),
  },
});

const documentOperation = (operationId: string, summary: string, schema: string, example: JsonMap): JsonMap => ({
  operationId,
  tags: [OAUTH_TAG],
  summary,
  description: `${summary}, for everybody.`,
  security: [],
  responses: {
    '200': { description: 'The document.', headers: REQUEST_ID, content: json(schema, example) },
    '404': ref('responses', 'NoSuchApi'),
  },
});

const ORIGIN = 'https://cards.example';

/** The paths of the three. */
export const oauthPaths = (): JsonMap => ({
  [OAUTH_PATHS.token]: { ...AT_ROOT, post: tokenOperation() },
  [OAUTH_PATHS.metadata]: {
    ...AT_ROOT,
    get: documentOperation('getServerMetadata', 'Metadata of the authorization server', 'ServerMetadata', {
      issuer: ORIGIN,
      token_endpoint: ORIGIN + OAUTH_PATHS.token,
      jwks_uri: ORIGIN + OAUTH_PATHS.jwks,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
    }),
  },
  [OAUTH_PATHS.jwks]: {
    ...AT_ROOT,
    get: documentOperation('getJwkSet', 'Public keys of the gateway', 'JwkSet', { keys: [] }),
  },
});
