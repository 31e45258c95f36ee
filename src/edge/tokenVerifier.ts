/**
 * The resource server's side of access tokens: every check of RFC 9068, 4 explicit, and a bounded memory of tokens whose
 * signature was found right, so that it is not verified again for each call. What can change while a token lives (the
 * client, the keys, revocation) is looked at for each call. All failures are one `Refusal('token')`.
 */
import { hash } from 'node:crypto';
import { JWSSignatureVerificationFailed } from 'jose/errors';
import { jwtVerify } from 'jose/jwt/verify';
import type { JsonObject } from '../catalogue/shape.ts';
import { CLOCK_TOLERANCE_SECONDS } from '../config/limits.ts';
import type { ApiName, ClientId } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Clock } from '../runtime/clock.ts';
import { ACCESS_TOKEN_CHARS_MAX, ACCESS_TOKEN_LIFE_SECONDS_MAX, ACCESS_TOKEN_TYP } from './accessToken.ts';
import { type Jws, readJws } from './jws.ts';
import type { SigningKey } from './keys.ts';
import { hasLowS } from './lowS.ts';
import { apisOf, scopeNames } from './scopes.ts';

/** What was taken back before its time: whole clients, single tokens by their `jti`, and tokens by their age. */
export type Revocations = {
  readonly isRevoked: (kind: 'client' | 'jti', id: string) => boolean;
  /** Tokens of the client that were issued before then, in seconds since 1970, are revoked; 0 where there are none. */
  readonly validFrom: (client: string) => number;
};

export type VerifiedToken = {
  readonly clientId: ClientId;
  readonly jti: string;
  /** What the token allows. The client's own scopes, as they are now, have to allow it as well. */
  readonly apis: ReadonlySet<ApiName>;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
};

export type TokenVerifying = {
  readonly issuer: string;
  readonly clock: Clock;
  /** The keys that verify now; asked for each call, so that a key that was taken away takes its tokens with it. */
  readonly signingKeys: () => readonly SigningKey[];
  /** The id, where the configuration has a client of OAuth with it now. */
  readonly clientId: (id: string) => ClientId | undefined;
  readonly revocations: Revocations;
};

export type TokenVerifier = {
  /**
   * Proves a token. Throws `Refusal('token')` (403) for every token that is not valid here and now, and nothing else;
   * its `detail` is a `TokenFault`.
   */
  readonly verify: (token: string) => Promise<VerifiedToken>;
};

/** Why a token was refused. For the log; callers see no difference. */
export type TokenFault = 'form' | 'header' | 'key' | 'claims' | 'signature' | 'time' | 'client' | 'revoked';

/** About 5 MB. A client needs one or two an hour, so that this is room for thousands of clients. */
const TOKENS_REMEMBERED_MAX = 10_000;
const JTI_CHARS_MAX = 128;
const HEADER_MEMBERS = ['alg', 'typ', 'kid'] as const;

type Remembered = { readonly token: VerifiedToken; readonly thumbprint: string };

/** `remembered`: how many tokens are kept at most, the ones that were not used for longest going first. */
export const createTokenVerifier = (
  deps: TokenVerifying,
  remembered: number = TOKENS_REMEMBERED_MAX,
): TokenVerifier => {
  const memory = new Map<string, Remembered>();

  const recall = (digest: string): VerifiedToken | undefined => {
    const found = memory.get(digest);
    if (!found) return undefined;
    memory.delete(digest);
    if (found.token.expiresAtMs <= deps.clock.wallMs()) return undefined;
    if (!deps.signingKeys().some(key => key.thumbprint === found.thumbprint)) return undefined;
    memory.set(digest, found);
    return found.token;
  };

  const remember = (digest: string, entry: Remembered): void => {
    memory.set(digest, entry);
    const [oldest] = memory.keys();
    if (memory.size > remembered && oldest !== undefined) memory.delete(oldest);
  };

  return {
    verify: async text => {
      if (text.length > ACCESS_TOKEN_CHARS_MAX) throw refusal('form');
      const digest = hash('sha256', text);
      const known = recall(digest);
      if (known) return checkStanding(known, deps);
      const { token, thumbprint } = await prove(text, deps);
      if (token.expiresAtMs > deps.clock.wallMs()) remember(digest, { token, thumbprint });
      return checkStanding(token, deps);
    },
  };
};

const refusal = (fault: TokenFault): Refusal => new Refusal('token', [], {}, fault);

/** What may have changed since the token was issued, or since it was last seen. */
const checkStanding = (token: VerifiedToken, { clientId, revocations }: TokenVerifying): VerifiedToken => {
  if (clientId(token.clientId) === undefined) throw refusal('client');
  const { clientId: client, jti, issuedAt } = token;
  if (revocations.isRevoked('client', client) || revocations.isRevoked('jti', jti)) throw refusal('revoked');
  if (issuedAt < revocations.validFrom(client)) throw refusal('revoked');
  return token;
};

const prove = async (text: string, deps: TokenVerifying): Promise<Remembered> => {
  const jws = readJws(text, ACCESS_TOKEN_CHARS_MAX);
  if (!jws) throw refusal('form');
  if (!isHeader(jws.header)) throw refusal('header');
  const key = deps.signingKeys().find(({ kid }) => kid === jws.header.kid);
  if (!key) throw refusal('key');
  const claims = claimsOf(jws, deps);
  if (!claims) throw refusal('claims');
  if (!hasLowS(jws.signature)) throw refusal('signature');
  await checkSignature(text, key, deps);
  return { token: claims, thumbprint: key.thumbprint };
};

/** We write these three members and no other. */
const isHeader = (header: JsonObject): boolean =>
  header.alg === 'ES256' &&
  header.typ === ACCESS_TOKEN_TYP &&
  typeof header.kid === 'string' &&
  Object.keys(header).length === HEADER_MEMBERS.length;

/** Every claim of the type and value that we write. jose looks at some of them again, with the signature. */
const claimsOf = ({ claims }: Jws, { issuer, clientId }: TokenVerifying): VerifiedToken | undefined => {
  const { iss, aud, sub, client_id: id, jti, scope, exp, iat } = claims;
  if (iss !== issuer || aud !== issuer || typeof id !== 'string' || sub !== id) return undefined;
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_CHARS_MAX) return undefined;
  if (!isSeconds(exp) || !isSeconds(iat) || exp <= iat || exp - iat > ACCESS_TOKEN_LIFE_SECONDS_MAX) return undefined;
  if (Object.hasOwn(claims, 'nbf') && !isSeconds(claims.nbf)) return undefined;
  const names = typeof scope === 'string' ? scopeNames(scope) : undefined;
  if (!names) return undefined;
  const known = clientId(id);
  if (known === undefined) throw refusal('client');
  return { clientId: known, jti, apis: apisOf(names), issuedAt: iat, expiresAtMs: exp * 1000 };
};

const isSeconds = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const checkSignature = async (text: string, key: SigningKey, { issuer, clock }: TokenVerifying): Promise<void> => {
  try {
    await jwtVerify(text, key.publicKey, {
      algorithms: ['ES256'],
      typ: ACCESS_TOKEN_TYP,
      issuer,
      audience: issuer,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope'],
      maxTokenAge: ACCESS_TOKEN_LIFE_SECONDS_MAX,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(clock.wallMs()),
      crit: {},
    });
  } catch (error) {
    throw refusal(error instanceof JWSSignatureVerificationFailed ? 'signature' : 'time');
  }
};
