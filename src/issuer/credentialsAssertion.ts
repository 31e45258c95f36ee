/**
 * The client assertion with which the gateway names itself at the token endpoint of an issuer (RFC 7523, 2.2): a JWT,
 * signed with ES256, that is good for one request and one minute.
 */
import { SignJWT } from 'jose/jwt/sign';
import type { SigningKey } from '../edge/keys.ts';

export type AssertionClaims = {
  /** Our name at the issuer: `iss` and `sub`. */
  readonly clientId: string;
  /** The issuer's own identifier, as one string: the only audience that no other server could pass off as its own. */
  readonly audience: string;
  /** Never the same twice. */
  readonly jti: string;
  /** Now, in milliseconds since 1970. */
  readonly wallMs: number;
};

/** Long enough for a slow request and clocks that differ a little; the assertion is used at once. */
const LIFE_SECONDS = 60;

/** Signs an assertion; the compact form, which is a credential and must not be logged. */
export const signAssertion = (
  key: SigningKey,
  { clientId, audience, jti, wallMs }: AssertionClaims,
): Promise<string> => {
  const now = Math.floor(wallMs / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: key.kid })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(jti)
    .setIssuedAt(now)
    .setExpirationTime(now + LIFE_SECONDS)
    .sign(key.key.reveal());
};
