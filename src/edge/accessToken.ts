/**
 * Access tokens as they are issued: JWTs of RFC 9068, signed with ES256, in exactly one spelling. What is written here
 * is what `tokenVerifier.ts` demands, claim by claim.
 */
import { hash } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import type { ClientId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { SigningKey } from './keys.ts';
import { withLowS } from './lowS.ts';

/** `typ` of an access token (RFC 9068, 2.1): nothing else that we or a client sign can pass for one. */
export const ACCESS_TOKEN_TYP = 'at+jwt';
/** Twice what a token with every name of the catalogue needs; a header that Node accepts is longer. */
export const ACCESS_TOKEN_CHARS_MAX = 4096;

/** The published lifetime; the configuration may shorten it. */
export const ACCESS_TOKEN_LIFE_SECONDS_MAX = 3600;

/** 132 bits: no two tokens are ever taken for each other. */
const DIGEST_CHARS = 22;

export type TokenIssuing = {
  /** Our identifier: `iss`, and `aud` too, since the gateway is the resource. */
  readonly issuer: string;
  readonly signingKey: SigningKey;
  readonly lifeSeconds: number;
  /** Tokens of the client that say they were issued before then, in seconds since 1970, are not believed. */
  readonly validFrom: number;
  readonly clock: Clock;
  readonly random: Random;
};

export type IssuedToken = { readonly token: string; readonly jti: string; readonly lifeSeconds: number };

/** Signs a token for the client with these scope names. The caller has authenticated the client. */
export const issueAccessToken = async (
  { issuer, signingKey, lifeSeconds, validFrom, clock, random }: TokenIssuing,
  clientId: ClientId,
  scope: readonly string[],
): Promise<IssuedToken> => {
  // What was revoked a moment ago took this whole second with it.
  const iat = Math.max(Math.floor(clock.wallMs() / 1000), validFrom);
  const jti = random.id();
  const claims = { client_id: clientId, scope: scope.join(' ') };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: ACCESS_TOKEN_TYP, kid: signingKey.kid })
    .setIssuer(issuer)
    .setSubject(clientId)
    .setAudience(issuer)
    .setIssuedAt(iat)
    .setExpirationTime(iat + lifeSeconds)
    .setJti(jti)
    .sign(signingKey.key.reveal());
  return { token: withLowS(token), jti, lifeSeconds };
};

/** How the log names a token: whoever reads it can compare, and learns no `jti`. */
export const tokenDigest = (jti: string): string => hash('sha256', jti, 'base64url').slice(0, DIGEST_CHARS);
