/**
 * Who asks for a token: the client assertion of RFC 7523, 2.2 (`private_key_jwt`), as strictly as FAPI 2.0 wants it: ES256
 * by a registered key, our identifier as the one audience, five minutes at most. That an assertion is used once only is
 * `tokenEndpoint.ts`'s part.
 */
import type { CryptoKey } from 'jose';
import { JWSSignatureVerificationFailed } from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import type { JsonObject } from '../catalogue/shape.ts';
import { ASSERTION_LIFE_SECONDS_MAX, CLOCK_TOLERANCE_SECONDS } from '../config/limits.ts';
import type { Clock, Span } from '../runtime/clock.ts';
import { hasRefusedMember, type Jws, readJws } from './jws.ts';
import { type ClientKeySet, hasEnded, type VerificationKey } from './keys.ts';

/** Why an assertion was refused. For the log; callers see no difference. */
export type AssertionFault = 'form' | 'header' | 'claims' | 'client' | 'key' | 'signature' | 'time' | 'expiredKey';

export type AssertionReading<Client> =
  | {
      readonly kind: 'proved';
      readonly client: Client;
      readonly jti: string;
      /** When it could be used at the earliest, and from when on it is refused for its age. */
      readonly usable: Span;
    }
  | { readonly kind: 'refused'; readonly fault: AssertionFault };

export type AssertionVerifying<Client extends { readonly keys: ClientKeySet }> = {
  /** Our identifier: the only audience. */
  readonly issuer: string;
  readonly clock: Clock;
  /** The client of OAuth with this id. */
  readonly clientOf: (id: string) => Client | undefined;
  /** Any P-256 key: what claims to be from a stranger is verified with it, so that it takes as long as the rest. */
  readonly decoy: () => CryptoKey;
};

/** The only algorithm of assertions. */
export const ASSERTION_ALG = 'ES256';
/** Three times what a client library writes; the token endpoint's body is bounded as well. */
const ASSERTION_CHARS_MAX = 8192;
const JTI_CHARS_MAX = 128;
const MS = 1000;
/** Two keys while one is being replaced, and as many again. Who has more names the one that it used. */
const TRIED_WITHOUT_KID = 4;

/** What `typ` may say; without one it is a client assertion as RFC 7523 knew it (draft-ietf-oauth-rfc7523bis). */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'client-authentication+jwt']);

/** Proves an assertion. `clientId`: the parameter of that name, where the request has one. Never throws. */
export const readAssertion = async <Client extends { readonly keys: ClientKeySet }>(
  text: string,
  clientId: string | undefined,
  deps: AssertionVerifying<Client>,
): Promise<AssertionReading<Client>> => {
  const jws = readJws(text, ASSERTION_CHARS_MAX);
  if (!jws) return refused('form');
  if (!isHeader(jws.header)) return refused('header');
  const claims = claimsOf(jws, clientId, deps.issuer);
  if (!claims) return refused('claims');
  const client = deps.clientOf(claims.sub);
  const times = typeof jws.header.kid === 'string' ? 1 : TRIED_WITHOUT_KID;
  const fault = await signatureFault(text, candidates(jws, client), times, claims.sub, deps);
  if (!client) return refused('client');
  if (fault !== undefined) return refused(fault);
  const { encryption } = client.keys;
  if (encryption && hasEnded(encryption, deps.clock.wallMs())) return refused('expiredKey');
  if (claims.exp - deps.clock.wallMs() / MS > ASSERTION_LIFE_SECONDS_MAX + CLOCK_TOLERANCE_SECONDS) {
    return refused('time');
  }
  const sinceMs = Math.floor((claims.iat - CLOCK_TOLERANCE_SECONDS) * MS);
  const untilMs = Math.ceil((claims.exp + CLOCK_TOLERANCE_SECONDS) * MS);
  return { kind: 'proved', client, jti: claims.jti, usable: { sinceMs, untilMs } };
};

const refused = (fault: AssertionFault): { readonly kind: 'refused'; readonly fault: AssertionFault } => ({
  kind: 'refused',
  fault,
});

const isHeader = (header: JsonObject): boolean => {
  if (header.alg !== ASSERTION_ALG || hasRefusedMember(header)) return false;
  if (header.kid !== undefined && typeof header.kid !== 'string') return false;
  const typ = header.typ;
  return typ === undefined || (typeof typ === 'string' && TYPES.has(typ.toLowerCase().replace(/^application\//, '')));
};

type Claims = { readonly sub: string; readonly jti: string; readonly iat: number; readonly exp: number };

/** Every claim of the right type, for us, and for the client that the request names. Times are compared later. */
const claimsOf = ({ claims }: Jws, clientId: string | undefined, issuer: string): Claims | undefined => {
  const { iss, sub, aud, jti, exp, iat } = claims;
  if (typeof sub !== 'string' || iss !== sub || (clientId !== undefined && clientId !== sub)) return undefined;
  // One string, ours, byte for byte: an assertion for two servers could be used by one of them at the other.
  if (aud !== issuer) return undefined;
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARS_MAX) return undefined;
  if (!isNumericDate(exp) || !isNumericDate(iat)) return undefined;
  if (Object.hasOwn(claims, 'nbf') && !isNumericDate(claims.nbf)) return undefined;
  if (exp - iat > ASSERTION_LIFE_SECONDS_MAX + CLOCK_TOLERANCE_SECONDS) return undefined;
  return { sub, jti, iat, exp };
};

/** Seconds since 1970, fractions allowed (RFC 7519, 2), as far as numbers are exact. */
const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

/** The client's keys that may have signed: the one that is named, or, where none is, the first few. */
const candidates = (
  { header }: Jws,
  client: { readonly keys: ClientKeySet } | undefined,
): readonly VerificationKey[] => {
  if (!client) return [];
  const { verification } = client.keys;
  if (typeof header.kid !== 'string') return [...verification.values()].slice(0, TRIED_WITHOUT_KID);
  const key = verification.get(header.kid);
  return key ? [key] : [];
};

type Signature = 'good' | 'signature' | 'time';

/**
 * Verifies with each of the keys, and with the decoy as often as there are fewer of them than `times`, so that a stranger,
 * and a client with many keys, take as long as any other (S59). What the decoy verifies is refused all the same.
 */
const signatureFault = async (
  text: string,
  keys: readonly VerificationKey[],
  times: number,
  sub: string,
  deps: Pick<AssertionVerifying<never>, 'issuer' | 'clock' | 'decoy'>,
): Promise<AssertionFault | undefined> => {
  for (const key of keys) {
    const found = await verify(text, key.key, sub, deps);
    if (found === 'time') return 'time';
    if (found === 'good') return hasEnded(key, deps.clock.wallMs()) ? 'expiredKey' : undefined;
  }
  for (let more = keys.length; more < times; more += 1) await verify(text, deps.decoy(), sub, deps);
  return keys.length === 0 ? 'key' : 'signature';
};

const verify = async (
  text: string,
  key: CryptoKey,
  subject: string,
  { issuer, clock }: Pick<AssertionVerifying<never>, 'issuer' | 'clock'>,
): Promise<Signature> => {
  try {
    await jwtVerify(text, key, {
      algorithms: [ASSERTION_ALG],
      issuer: subject,
      subject,
      audience: issuer,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'],
      maxTokenAge: ASSERTION_LIFE_SECONDS_MAX,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(clock.wallMs()),
      crit: {},
    });
    return 'good';
  } catch (error) {
    return error instanceof JWSSignatureVerificationFailed ? 'signature' : 'time';
  }
};
