/**
 * What we publish about ourselves for OAuth: the authorization server's metadata (RFC 8414) and our public keys as a JWK
 * Set (RFC 7517). Pure documents; who serves them adds the headers.
 */
import { ASSERTION_ALG } from './assertion.ts';
import type { PublicJwk } from './jwk.ts';
import type { OpeningKey, SigningKey } from './keys.ts';
import { SCOPES_SUPPORTED } from './scopes.ts';

/** Where the three documents and endpoints are, below our identifier. */
export const OAUTH_PATHS = {
  token: '/oauth2/token',
  jwks: '/oauth2/jwks',
  metadata: '/.well-known/oauth-authorization-server',
} as const;

export type ServerMetadata = { readonly [name: string]: string | readonly string[] };

/** RFC 8414, 2. `issuer`: our identifier, as it is configured. */
export const serverMetadata = (issuer: string): ServerMetadata => {
  const base = issuer.replace(/\/+$/, '');
  return {
    issuer,
    token_endpoint: base + OAUTH_PATHS.token,
    jwks_uri: base + OAUTH_PATHS.jwks,
    grant_types_supported: ['client_credentials'],
    // Required by RFC 8414, and empty: there is no authorization endpoint.
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: [ASSERTION_ALG],
    scopes_supported: SCOPES_SUPPORTED,
  };
};

/**
 * Our public keys: every EC key that verifies tokens, and of the RSA keys the first alone, for payloads are to be sealed
 * with that one. A key that is added behind it is opened everywhere before it is published, and one that was moved
 * behind it for as long as it is there.
 */
export const jwksDocument = (
  signingKeys: readonly SigningKey[],
  openingKeys: readonly OpeningKey[],
): { readonly keys: readonly PublicJwk[] } => ({
  keys: [...signingKeys, ...openingKeys.slice(0, 1)].map(key => key.publicJwk),
});
