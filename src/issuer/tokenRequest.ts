/**
 * One request for an access token at the token endpoint of an issuer (RFC 6749, 4.4, with RFC 7523 for who we are), and
 * what its answer says. The answer is hostile input: it is bounded in size and time, redirects are not followed, and
 * nothing of it but a known error code goes any further than the token itself.
 */
import { Secret } from '../domain/secret.ts';
import type { SigningKey } from '../edge/keys.ts';
import { readStrictJson } from '../edge/strictJson.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { type IssuerTls, openClient } from './connections.ts';
import { isBearerToken } from './credentials.ts';
import { signAssertion } from './credentialsAssertion.ts';
import { codeOf } from './exchange.ts';

export type TokenRequestOptions = {
  /** `http:` or `https:`. */
  readonly tokenEndpoint: string;
  /** The issuer's identifier as an authorization server: the audience of our assertions. */
  readonly issuer: string;
  readonly clientId: string;
  readonly signingKey: SigningKey;
  /** Absent: what the issuer gives us without being asked. */
  readonly scope?: string | undefined;
  readonly tls?: IssuerTls;
  readonly clock: Clock;
  readonly random: Random;
};

export type TokenReply =
  /** `lifeMs` counts from before the request. */
  | { readonly kind: 'token'; readonly token: Secret<string>; readonly lifeMs: number }
  /** `code` is of a closed form without anything secret; `again` says whether the same request may succeed soon. */
  | { readonly kind: 'failed'; readonly code: string; readonly again: boolean };

/** A token endpoint answers in a fraction of this; the sends that wait for it have deadlines of their own. */
const REQUEST_MS = 2000;
/** An answer holds one token, of at most 4 KiB, and a few words. */
const RESPONSE_BYTES = 16 * 1024;
const HEADER_BYTES = 16 * 1024;

/** An issuer that does not say how long a token lives (it should, RFC 6749, 5.1) is asked again soon. */
const LIFE_SECONDS_DEFAULT = 60;
/** Nobody should trust a token for longer, whatever it says. */
const LIFE_SECONDS_MAX = 86_400;

/** RFC 6749, 5.2. Any other word could be anything, a token too. */
const ERROR_CODES: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);

const failed = (code: string, again: boolean): TokenReply => ({ kind: 'failed', code, again });

/** Asks once, over a connection of its own. Ends at the latest after 2 s, or when `signal` says so. Never rejects. */
export const requestToken = async (options: TokenRequestOptions, signal: AbortSignal): Promise<TokenReply> => {
  const url = new URL(options.tokenEndpoint);
  const client = openClient({
    origin: url.origin,
    tls: options.tls ?? {},
    connectTimeoutMs: REQUEST_MS,
    maxResponseBytes: RESPONSE_BYTES,
    maxHeaderBytes: HEADER_BYTES,
  });
  // Destroying is what ends a request in every state: undici looks at signals only once it is connected.
  const giveUp = () => void client.destroy();
  const cancel = options.clock.after(REQUEST_MS, giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        'accept-encoding': 'identity',
      },
      body: await formOf(options),
    });
    return readTokenReply(statusCode, new Uint8Array(await body.arrayBuffer()));
  } catch (error) {
    return failed(codeOf(error), true);
  } finally {
    cancel();
    signal.removeEventListener('abort', giveUp);
    giveUp();
  }
};

const formOf = async ({ signingKey, clientId, issuer, scope, clock, random }: TokenRequestOptions): Promise<string> => {
  const claims = { clientId, audience: issuer, jti: random.id(), wallMs: clock.wallMs() };
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signAssertion(signingKey, claims),
  });
  if (scope !== undefined) form.set('scope', scope);
  return form.toString();
};

/** What the answer of a token endpoint says. Pure; never throws. */
export const readTokenReply = (status: number, body: Uint8Array): TokenReply => {
  const json = readStrictJson(body);
  const fields = json.kind === 'object' ? json.value : {};
  if (status !== 200) return refusalOf(status, fields.error);
  const { access_token: token, token_type: type, expires_in: lifeSeconds = LIFE_SECONDS_DEFAULT } = fields;
  if (typeof token !== 'string' || !isBearerToken(token)) return failed('NO_TOKEN', true);
  // Another kind, such as a token bound to a key of ours, would be refused wherever it is sent.
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') return failed('TOKEN_TYPE', false);
  if (typeof lifeSeconds !== 'number' || !(lifeSeconds > 0)) return failed('EXPIRES_IN', true);
  return { kind: 'token', token: new Secret(token), lifeMs: Math.min(lifeSeconds, LIFE_SECONDS_MAX) * 1000 };
};

const TOO_MANY_REQUESTS = 429;

const refusalOf = (status: number, error: unknown): TokenReply => {
  const again = status >= 500 || status === TOO_MANY_REQUESTS;
  return failed(typeof error === 'string' && ERROR_CODES.has(error) ? error : `HTTP_${status}`, again);
};
