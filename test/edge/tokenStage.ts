/**
 * A verifier of access tokens with all that it depends on in the hands of a test, and tokens written by hand for it.
 */
import type { ClientId } from '../../src/domain/ids.ts';
import { type IssuedToken, issueAccessToken } from '../../src/edge/accessToken.ts';
import type { SigningKey } from '../../src/edge/keys.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/edge/tokenVerifier.ts';
import {
  countingRandom,
  ecPair,
  ISSUER,
  type Json,
  jwsOf,
  NOW_S,
  refusalOf,
  respelled,
  StandingClock,
  signingKeyOf,
} from './oauthKit.ts';

export const PAIR = ecPair();
export const OLD_PAIR = ecPair();
export const KEY = await signingKeyOf(PAIR, { kid: 'as-2' });
export const OLD_KEY = await signingKeyOf(OLD_PAIR, { kid: 'as-1' });

export const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'as-2' };
export const CLAIMS = {
  iss: ISSUER,
  sub: 'bank',
  aud: ISSUER,
  client_id: 'bank',
  iat: NOW_S,
  exp: NOW_S + 3600,
  jti: 'token-1',
  scope: 'Transaction CardInfoInquiry',
};

/** A token by hand, with the lower s, as we write it. */
export const token = (header: unknown, claims: unknown, pair = PAIR): string =>
  respelled(jwsOf(header, claims, pair.privateKey), true);
export const claimed = (changes: Json): string => token(HEADER, { ...CLAIMS, ...changes });
export const without = (name: string): string =>
  token(HEADER, Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name)));

export class TokenStage {
  readonly clock = new StandingClock();
  readonly clients = new Set(['bank', 'shop']);
  /** `client bank`, `jti token-1`. */
  readonly revoked = new Set<string>();
  readonly validFrom = new Map<string, number>();
  keys: readonly SigningKey[] = [KEY, OLD_KEY];
  verifier: TokenVerifier = this.makeVerifier();

  makeVerifier(remembered?: number): TokenVerifier {
    const deps = {
      issuer: ISSUER,
      clock: this.clock,
      signingKeys: () => this.keys,
      clientId: (id: string) => (this.clients.has(id) ? (id as ClientId) : undefined),
      revocations: {
        isRevoked: (kind: string, id: string) => this.revoked.has(`${kind} ${id}`),
        validFrom: (id: string) => this.validFrom.get(id) ?? 0,
      },
    };
    return createTokenVerifier(deps, remembered);
  }

  issue(scope: readonly string[] = ['Purchase'], signingKey = KEY): Promise<IssuedToken> {
    const { clock } = this;
    const issuing = {
      issuer: ISSUER,
      signingKey,
      lifeSeconds: 3600,
      validFrom: this.validFrom.get('bank') ?? 0,
      clock,
      random: countingRandom,
    };
    return issueAccessToken(issuing, 'bank' as ClientId, scope);
  }

  /** The refusal as `reason detail`; undefined where the token is good. */
  async verdict(text: string): Promise<string | undefined> {
    const refusal = await refusalOf(this.verifier.verify(text));
    if (refusal && refusal.errors.length > 0) throw new Error('a refused token says more than that it was refused');
    return refusal && `${refusal.reason} ${refusal.detail}`;
  }
}
