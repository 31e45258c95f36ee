/**
 * A token endpoint with all that it depends on in the hands of a test, two clients, and requests to it.
 */
import type { ClientKeySet } from '../../src/edge/keys.ts';
import {
  createTokenEndpoint,
  type TokenClient,
  type TokenEndpointDeps,
  type TokenRequest,
  type TokenResponse,
} from '../../src/edge/tokenEndpoint.ts';
import {
  clientOf,
  countingRandom,
  ecPair,
  ISSUER,
  type Json,
  jwk,
  jwsOf,
  keySet,
  memoryOnce,
  NOW_S,
  StandingClock,
  signingKeyOf,
} from './oauthKit.ts';

export const BANK_PAIR = ecPair();
export const SHOP_PAIR = ecPair();
export const AS_PAIR = ecPair();
export const BANK: ClientKeySet = await keySet(jwk(BANK_PAIR.publicKey, { kid: 'b1' }));
export const SHOP: ClientKeySet = await keySet(jwk(SHOP_PAIR.publicKey, { kid: 's1' }));
export const KEY = await signingKeyOf(AS_PAIR, { kid: 'as' });

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const FORM = 'application/x-www-form-urlencoded';

let serial = 0;

/** A fresh assertion of `bank`, unless told otherwise. */
export const assertion = (claims: Json = {}, header: Json = {}, pair = BANK_PAIR): string =>
  jwsOf(
    { alg: 'ES256', kid: 'b1', ...header },
    { iss: 'bank', sub: 'bank', aud: ISSUER, jti: `a-${serial++}`, iat: NOW_S, exp: NOW_S + 60, ...claims },
    pair.privateKey,
  );
export const shopAssertion = (claims: Json = {}): string =>
  assertion({ iss: 'shop', sub: 'shop', ...claims }, { kid: 's1' }, SHOP_PAIR);

export const parameters = (more: Record<string, string> = {}): Record<string, string> => ({
  grant_type: 'client_credentials',
  client_assertion_type: JWT_BEARER,
  client_assertion: assertion(),
  ...more,
});
export const without = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(parameters()).filter(([key]) => key !== name));
export const encoded = (fields: Record<string, string>): string => new URLSearchParams(fields).toString();

export const request = (body: string | Uint8Array, changes: Partial<TokenRequest> = {}): TokenRequest => ({
  method: 'POST',
  caller: 'peer',
  contentType: FORM,
  rawQuery: undefined,
  body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  headers: {},
  ...changes,
});

type Answer = { readonly access_token?: string; readonly error?: string; readonly scope?: string };
export const bodyOf = (response: TokenResponse): Answer => JSON.parse(response.body);
/** Status, error and our own word for it, in one line; for a good answer the scope. */
export const brief = (response: TokenResponse): string => {
  const { error, scope } = bodyOf(response);
  return `${response.status} ${error ?? scope} ${response.log.refused ?? ''}`.trim();
};

export class EndpointStage {
  readonly clock = new StandingClock();
  readonly once = memoryOnce();
  /** `client bank`. */
  readonly revoked = new Set<string>();
  readonly validFrom = new Map<string, number>();
  readonly clients = new Map<string, TokenClient>([
    ['bank', clientOf('bank', BANK, ['Purchase', 'Refund'])],
    ['shop', clientOf('shop', SHOP)],
  ]);

  deps(changes: Partial<TokenEndpointDeps> = {}): TokenEndpointDeps {
    return {
      issuer: ISSUER,
      accessTokenMinutes: 60,
      signingKeys: () => [KEY],
      clientOf: id => this.clients.get(id),
      revocations: {
        isRevoked: (kind, id) => this.revoked.has(`${kind} ${id}`),
        validFrom: id => this.validFrom.get(id) ?? 0,
      },
      once: this.once,
      clock: this.clock,
      random: countingRandom,
      ...changes,
    };
  }

  post(fields: Record<string, string>, changes: Partial<TokenRequest> = {}): Promise<TokenResponse> {
    return createTokenEndpoint(this.deps())(request(encoded(fields), changes));
  }

  postText(text: string | Uint8Array): Promise<TokenResponse> {
    return createTokenEndpoint(this.deps())(request(text));
  }
}
