/**
 * The authorization server's three addresses on the public port: the token endpoint and the two documents that say how
 * to use it. They are not part of the card API: errors are RFC 6749's, and no header of ours is asked for.
 */
import { Refusal } from '../domain/refusal.ts';
import { OAUTH_PATHS } from '../edge/metadata.ts';
import type { TokenRequest, TokenResponse } from '../edge/tokenEndpoint.ts';
import type { Clock } from '../runtime/clock.ts';
import { createShares, type Shares } from '../runtime/shares.ts';
import type { Reply } from './envelope.ts';
import type { Exchange } from './exchange.ts';
import type { OauthRecord } from './journey.ts';
import { forwardedHops } from './requestHead.ts';

export type OauthEndpoint = OauthRecord['endpoint'];
export type OauthRoute = { readonly endpoint: OauthEndpoint; readonly method: 'GET' | 'POST'; readonly path: string };

/** At the root of the port, whatever is before the paths of the card API. */
export const OAUTH_ROUTES: readonly OauthRoute[] = [
  { endpoint: 'token', method: 'POST', path: OAUTH_PATHS.token },
  { endpoint: 'metadata', method: 'GET', path: OAUTH_PATHS.metadata },
  { endpoint: 'jwks', method: 'GET', path: OAUTH_PATHS.jwks },
];

export type OauthServer = {
  /** Who asks, and from where. `forwardedFor`: the hops of `X-Forwarded-For`, in the order sent. */
  readonly callerOf: (peer: string, forwardedFor: readonly string[]) => Pick<TokenRequest, 'caller' | 'address'>;
  readonly token: (request: TokenRequest) => Promise<TokenResponse>;
  /** The documents as they are now. */
  readonly metadata: () => object;
  readonly jwks: () => object;
  /** Told once about each finished request. */
  readonly observe: (record: OauthRecord) => void;
};

/**
 * Bodies of token requests that are under way, for all and for one caller. They are read before anybody has proved who they
 * are, and one may take as long as the server allows; without a share of their own, a caller that never ends its bodies would
 * take up all that the process has in flight. A body comes with its head, so that nobody who means it needs many.
 */
const READING = { limit: 1024, limitOfKey: 128, waiting: 0, waitingOfKey: 0, waitMs: 0 } as const;

export const createBodyShares = (clock: Clock): Shares => createShares({ ...READING, clock });

export type OauthServed = { readonly reply: Reply } & Pick<OauthRecord, 'clientId' | 'result' | 'token'>;

/** Serves one request to its end. Rejects only for a defect of ours. */
export const serveOauth = async (
  server: OauthServer,
  endpoint: OauthEndpoint,
  exchange: Exchange,
  bodies: Shares,
): Promise<OauthServed> => {
  if (endpoint !== 'token') return { reply: json(200, server[endpoint]()), clientId: undefined, result: 'served' };
  const from = server.callerOf(exchange.peer, forwardedHops(exchange.head));
  const leave = await bodies.enter(from.caller);
  if (!leave) return busy;
  const body = await bodyOf(exchange).finally(leave);
  if (body instanceof Refusal) return unreadable(body);
  const { status, headers, body: text, log } = await server.token(requestOf(from, exchange, body));
  const { client: clientId, refused, token } = log;
  return { reply: { status, headers, body: text }, clientId, result: refused ?? 'issued', token };
};

/** What is answered where we have failed ourselves. */
export const oauthFailure: OauthServed = {
  reply: { status: 500, headers: { 'Content-Type': 'application/json' }, body: '{"error":"server_error"}' },
  clientId: undefined,
  result: 'failed',
};

/** Nothing of the assertion was read: it is as good as before. */
const busy: OauthServed = {
  reply: {
    status: 503,
    headers: { 'Content-Type': 'application/json', 'Retry-After': '1' },
    body: '{"error":"temporarily_unavailable","error_description":"too many requests of yours are under way"}',
  },
  clientId: undefined,
  result: 'busy',
};

const json = (status: number, document: object): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(document),
});

const bodyOf = async (exchange: Exchange): Promise<Uint8Array | Refusal> => {
  try {
    return await exchange.body.read('tokenRequest');
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};

const unreadable = ({ errors }: Refusal): OauthServed => {
  const description = errors.map(({ field, reason }) => `${field} ${reason}`).join('; ');
  const reply = json(400, { error: 'invalid_request', error_description: description });
  return { reply, clientId: undefined, result: 'http' };
};

const requestOf = (
  from: Pick<TokenRequest, 'caller' | 'address'>,
  { incoming, head }: Exchange,
  body: Uint8Array,
): TokenRequest => {
  const url = incoming.url ?? '';
  const queryAt = url.indexOf('?');
  return {
    method: incoming.method ?? '',
    ...from,
    contentType: head['content-type'],
    rawQuery: queryAt < 0 ? undefined : url.slice(queryAt + 1),
    body,
    headers: head,
  };
};
