/**
 * The token endpoint (RFC 6749, 3.2 and 4.4): one grant, one way to authenticate, and answers in its own form of errors.
 * An assertion is used up before a token exists, so that no two tokens ever come from one.
 */
import { hash } from 'node:crypto';
import type { ClientId } from '../domain/ids.ts';
import type { Clock, Span } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { createShares, type Shares } from '../runtime/shares.ts';
import { issueAccessToken, tokenDigest } from './accessToken.ts';
import type { Address, AllowList } from './allowList.ts';
import { type AssertionFault, readAssertion } from './assertion.ts';
import { type Form, readForm } from './form.ts';
import type { ClientKeySet, SigningKey } from './keys.ts';
import { type Assigned, grantedScope } from './scopes.ts';
import type { Revocations } from './tokenVerifier.ts';

/** Remembers names across all processes; the journal keeps them. */
export type Once = {
  /**
   * Takes the name for the first time, or tells that it was taken before. `unavailable` where that cannot be known for
   * certain: the store is away, or has lost data since the name could be taken. It may then have been taken.
   */
  readonly take: (name: string, span: Span) => Promise<'first' | 'again' | 'unavailable'>;
};

export type TokenClient = Assigned & {
  readonly id: ClientId;
  readonly keys: ClientKeySet;
  /** Where it calls from, which goes for its tokens, too; absent: anywhere. */
  readonly allowFrom?: AllowList | undefined;
};

export type TokenEndpointDeps = {
  readonly issuer: string;
  readonly accessTokenMinutes: number;
  /** The first signs. Never empty. */
  readonly signingKeys: () => readonly [SigningKey, ...SigningKey[]];
  /** The client of OAuth with this id, as the configuration is now. */
  readonly clientOf: (id: string) => TokenClient | undefined;
  readonly revocations: Revocations;
  readonly once: Once;
  readonly clock: Clock;
  readonly random: Random;
};

export type TokenRequest = {
  readonly method: string;
  /** Who asks, as far as that shows before anything is proved: an address, or the network that one caller has. */
  readonly caller: string;
  /** Where the request comes from; absent: nobody knows. */
  readonly address?: Address | undefined;
  readonly contentType: string | undefined;
  /** What follows the first `?` of the target; undefined without one. */
  readonly rawQuery: string | undefined;
  /** At most `TOKEN_REQUEST_BYTES_MAX` and one more: no need to read further. */
  readonly body: Uint8Array;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
};

export type TokenResponse = {
  readonly status: 200 | 400 | 401 | 404 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * For our own log: who asked, once that was proved, why it was refused, in words of closed lists, and the digest of the
   * token that was given.
   */
  readonly log: {
    readonly client: ClientId | undefined;
    readonly refused: TokenRefusal | undefined;
    readonly token?: string;
  };
};

export const TOKEN_REQUEST_BYTES_MAX = 16 * 1024;
/** Signatures checked at a time, for all and for one caller: nobody has proved who they are yet. */
const CHECKING = { limit: 64, limitOfKey: 8 } as const;
/** Assertions of proved clients on their way to the journal, for all and for one client: a slow journal holds these up. */
const TAKING = { limit: 64, limitOfKey: 16 } as const;
/** A burst of one caller waits its turn, and a body is at most 16 KiB: 8 MiB of them wait at most. */
const WAITING = { waiting: 512, waitingOfKey: 64, waitMs: 1000 } as const;
/** An assertion is remembered this much longer than any of our processes would accept it, however their clocks differ. */
const ONCE_MARGIN_MS = 60_000;
const RETRY_AFTER_SECONDS = '1';

const FORM_TYPE = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?[ \t]*$/i;
const GRANT_TYPE = 'client_credentials';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

type Problem = {
  readonly status: 400 | 401 | 404 | 503;
  /** RFC 6749, 5.2; `temporarily_unavailable` of 4.1.2.1 says the same here. */
  readonly error: string;
  readonly description: string;
};

/** Everything that the endpoint answers but a token. All that is wrong with an assertion is one row, on purpose. */
const PROBLEMS = {
  method: { status: 404, error: 'invalid_request', description: 'use POST' },
  query: { status: 400, error: 'invalid_request', description: 'send parameters in the body, not in the query' },
  mediaType: { status: 400, error: 'invalid_request', description: 'send application/x-www-form-urlencoded' },
  size: { status: 400, error: 'invalid_request', description: 'the body is too long' },
  form: { status: 400, error: 'invalid_request', description: 'the body is malformed, or has a parameter twice' },
  authentication: {
    status: 400,
    error: 'invalid_request',
    description: 'authenticate with client_assertion (private_key_jwt) and nothing else',
  },
  assertionType: { status: 400, error: 'invalid_request', description: 'client_assertion_type must be jwt-bearer' },
  grantMissing: { status: 400, error: 'invalid_request', description: 'grant_type is required' },
  grant: { status: 400, error: 'unsupported_grant_type', description: 'grant_type must be client_credentials' },
  client: { status: 401, error: 'invalid_client', description: 'client authentication failed' },
  scope: { status: 400, error: 'invalid_scope', description: 'the scope is unknown or more than was assigned' },
  busy: { status: 503, error: 'temporarily_unavailable', description: 'try again with a new assertion' },
  store: { status: 503, error: 'temporarily_unavailable', description: 'try again with a new assertion' },
} as const satisfies Record<string, Problem>;

type ProblemName = keyof typeof PROBLEMS;

type Unauthenticated = AssertionFault | 'missing' | 'revoked' | 'address' | 'again';

/** Why there is no token: a row of the table, or what was wrong with the assertion. */
export type TokenRefusal = ProblemName | `assertion.${Unauthenticated}`;

type Outcome =
  | { readonly kind: 'token'; readonly client: ClientId; readonly digest: string; readonly body: string }
  | Problematic;
type Problematic = {
  readonly kind: 'problem';
  readonly problem: ProblemName;
  readonly refused: TokenRefusal;
  readonly client?: ClientId;
};
/** Whose assertion it was, and what has to be remembered of it. */
type Proved = { readonly client: TokenClient; readonly jti: string; readonly usable: Span };

/** The handler of the endpoint. It answers every request and throws for none, bugs aside. */
export const createTokenEndpoint = (deps: TokenEndpointDeps): ((request: TokenRequest) => Promise<TokenResponse>) => {
  const { clock } = deps;
  const checking = createShares({ ...CHECKING, ...WAITING, clock });
  const taking = createShares({ ...TAKING, ...WAITING, clock });
  return async request => {
    const form = formOf(request);
    if (typeof form === 'string') return responseOf(problem(form));
    const proved = await within(checking, request.caller, () => authenticate(form, request, deps));
    if ('kind' in proved) return responseOf(proved);
    const used = await within(taking, proved.client.id, () => useUp(proved, deps));
    return responseOf(used ?? (await grant(form, proved.client, deps)));
  };
};

/** Does the work in its turn; a problem where there is no turn soon. */
const within = async <T>(shares: Shares, key: string, work: () => Promise<T>): Promise<T | Problematic> => {
  const leave = await shares.enter(key);
  if (!leave) return problem('busy');
  try {
    return await work();
  } finally {
    leave();
  }
};

const problem = (name: ProblemName, refused: TokenRefusal = name, client?: ClientId): Problematic => ({
  kind: 'problem',
  problem: name,
  refused,
  ...(client === undefined ? {} : { client }),
});

const unauthenticated = (why: Unauthenticated, client?: ClientId): Problematic =>
  problem('client', `assertion.${why}`, client);

/** The parameters of a request whose outside is right, or what is wrong with it. */
const formOf = ({ method, rawQuery, contentType, headers, body }: TokenRequest): Form | ProblemName => {
  if (method !== 'POST') return 'method';
  if (rawQuery) return 'query';
  if (!FORM_TYPE.test(contentType ?? '')) return 'mediaType';
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return 'mediaType';
  if (headers.authorization !== undefined) return 'authentication';
  if (body.byteLength > TOKEN_REQUEST_BYTES_MAX) return 'size';
  const form = readForm(body);
  if (!form) return 'form';
  if (!form.has('grant_type')) return 'grantMissing';
  return form.get('grant_type') === GRANT_TYPE ? form : 'grant';
};

const grant = async (form: Form, client: TokenClient, deps: TokenEndpointDeps): Promise<Outcome> => {
  const scope = grantedScope(client, form.get('scope'));
  if (!scope || scope.length === 0) return problem('scope', 'scope', client.id);
  const [signingKey] = deps.signingKeys();
  const validFrom = deps.revocations.validFrom(client.id);
  const issuing = { ...deps, signingKey, validFrom, lifeSeconds: deps.accessTokenMinutes * 60 };
  const { token, jti, lifeSeconds } = await issueAccessToken(issuing, client.id, scope);
  const answer = { access_token: token, token_type: 'Bearer', expires_in: lifeSeconds, scope: scope.join(' ') };
  return { kind: 'token', client: client.id, digest: tokenDigest(jti), body: JSON.stringify(answer) };
};

/** The client that the assertion proves, or the problem. Nothing is told to whoever has not proved who they are. */
const authenticate = async (
  form: Form,
  { address }: Pick<TokenRequest, 'address'>,
  deps: TokenEndpointDeps,
): Promise<Proved | Problematic> => {
  const type = form.get('client_assertion_type');
  const assertion = form.get('client_assertion');
  if (type !== undefined && type !== ASSERTION_TYPE) return problem('assertionType');
  if (assertion === undefined) return unauthenticated('missing');
  if (type === undefined) return problem('assertionType');
  if (form.has('client_secret')) return problem('authentication');
  const decoy = () => deps.signingKeys()[0].publicKey;
  const reading = await readAssertion(assertion, form.get('client_id'), { ...deps, decoy });
  if (reading.kind === 'refused') return unauthenticated(reading.fault);
  const { client, jti, usable } = reading;
  if (deps.revocations.isRevoked('client', client.id)) return unauthenticated('revoked', client.id);
  if (client.allowFrom && !(address && client.allowFrom.holds(address))) return unauthenticated('address', client.id);
  return { client, jti, usable };
};

/** Takes the assertion for the first and only time; the problem where that cannot be said for certain. */
const useUp = async ({ client: { id }, jti, usable }: Proved, { once }: TokenEndpointDeps) => {
  const taken = await take(once, onceName(id, jti), { ...usable, untilMs: usable.untilMs + ONCE_MARGIN_MS });
  if (taken === 'unavailable') return problem('store', 'store', id);
  return taken === 'first' ? undefined : unauthenticated('again', id);
};

/** A client's own names: an id has no slash in it. The hash is as long for every `jti`, and says nothing about it. */
const onceName = (client: ClientId, jti: string): string => `assertion/${client}/${hash('sha256', jti, 'base64url')}`;

const take = async (once: Once, name: string, span: Span): Promise<'first' | 'again' | 'unavailable'> => {
  try {
    return await once.take(name, span);
  } catch {
    return 'unavailable';
  }
};

const responseOf = (outcome: Outcome): TokenResponse => {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Pragma: 'no-cache' };
  if (outcome.kind === 'token') {
    return {
      status: 200,
      headers,
      body: outcome.body,
      log: { client: outcome.client, refused: undefined, token: outcome.digest },
    };
  }
  const { status, error, description } = PROBLEMS[outcome.problem];
  return {
    status,
    headers: status === 503 ? { ...headers, 'Retry-After': RETRY_AFTER_SECONDS } : headers,
    body: JSON.stringify({ error, error_description: description }),
    log: { client: outcome.client, refused: outcome.refused },
  };
};
