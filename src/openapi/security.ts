/**
 * The two ways in as security schemes. OpenAPI has no word for how a client of OAuth proves who it is, so that is said
 * in the description and in extensions.
 */
import { apiByName } from '../catalogue/apis.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { SCOPES } from '../catalogue/scopes.ts';
import { OAUTH_PATHS } from '../edge/metadata.ts';
import { given, type JsonMap } from './json.ts';

const BEARER: JsonMap = {
  type: 'http',
  scheme: 'bearer',
  description: 'An opaque token of at most 64 characters, given to you once. Bodies are plain JSON.',
};

const scopeText = (scope: string): string => apiByName(scope)?.meaning ?? `The APIs of the module ${scope}`;

const OAUTH: JsonMap = {
  type: 'oauth2',
  description:
    'An access token of an hour at most, for which the client proves who it is with an assertion signed with its own key (`private_key_jwt`, RFC 7523, ES256). Bodies are encrypted both ways unless it was agreed otherwise: compact JWE, `RSA-OAEP-256` and `A128GCM`, `Content-Type: application/jose`. A page cannot sign the assertion: get a token first and present it as a bearer token.',
  flows: {
    clientCredentials: {
      tokenUrl: OAUTH_PATHS.token,
      scopes: Object.fromEntries(SCOPES.map(scope => [scope, scopeText(scope)])),
    },
  },
  'x-token-endpoint-auth-method': 'private_key_jwt',
  'x-metadata-url': OAUTH_PATHS.metadata,
};

/** Without OAuth in the configuration there is nothing but bearer tokens. */
export const securitySchemes = (hasOauth: boolean): JsonMap => ({
  bearer: BEARER,
  ...given('oauth', hasOauth && OAUTH),
});

/** Any of these is enough: a bearer token, or a token of OAuth for the API or for its module. */
export const securityOf = ({ name, module, retired }: ApiRow, hasOauth: boolean): readonly JsonMap[] => {
  const scopes = retired ? [name] : [name, module];
  return [{ bearer: [] }, ...(hasOauth ? scopes.map(scope => ({ oauth: [scope] })) : [])];
};
