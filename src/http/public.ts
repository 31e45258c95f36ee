/**
 * The public port: routes from the catalogue, and the status table and the envelope for everything that can happen on
 * it, Node's own errors included. It decides nothing about a call but whether it is acceptable as HTTP and when its turn
 * is; the rest is the journey's, which a client that hangs up does not cancel once it was begun (F1).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import type { ApiRow } from '../catalogue/row.ts';
import type { ApiName } from '../domain/ids.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Shares } from '../runtime/shares.ts';
import type { Docs } from './docs.ts';
import { bodyOf, rawMessageOf, replyOf } from './envelope.ts';
import { Exchange, inboundOf } from './exchange.ts';
import { type Facts, type Journey, type RequestRecord, refusedAnswer, type Served } from './journey.ts';
import {
  createBodyShares,
  OAUTH_ROUTES,
  type OauthRoute,
  type OauthServed,
  type OauthServer,
  oauthFailure,
  serveOauth,
} from './oauth.ts';
import { headError, ROUTED_HEADERS } from './requestHead.ts';
import { SecuredConnections } from './secured.ts';
import {
  type Connections,
  exchangeTls,
  isOfTls,
  LIMITS,
  type Limits,
  limitedServer,
  listen,
  stop,
  type TlsOptions,
} from './server.ts';
import { overloaded, Turns } from './turns.ts';

export type PublicOptions = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Before the paths of the catalogue; empty, or a slash and more, without one at the end. */
  readonly basePath: string;
  readonly rows: readonly ApiRow[];
  /** Whether the API is offered now; one that is not is as if there were no route to it. */
  readonly isOffered: (row: ApiRow) => boolean;
  readonly journey: Journey;
  /** Absent: the addresses of OAuth are not there. */
  readonly oauth?: OauthServer | undefined;
  /** Absent: the description of the API is not there. */
  readonly docs?: Docs | undefined;
  /** The least that any caller's budget is now; absent: the default. */
  readonly shortestBudgetMs?: () => number;
  readonly clock: Clock;
  readonly random: Random;
  /** Told once about each finished request, the refused ones too; not about pages of the description. */
  readonly observe: (record: RequestRecord) => void;
  /** Told about each connection too many, which was closed unread. */
  readonly onDropped?: () => void;
  /** Told about what should not have happened; the caller has heard 96. */
  readonly onDefect: (error: unknown, requestId: string) => void;
  readonly tls?: TlsOptions | undefined;
  /** Replaces single limits. */
  readonly limits?: Partial<Limits>;
};

export type PublicServer = {
  readonly port: number;
  /** Requests being served now; one whose client has hung up counts until it is finished. */
  readonly inFlight: () => number;
  /** Requests that wait for their turn to be begun. */
  readonly waiting: () => number;
  /**
   * Connections made from now on use these; whether there is TLS at all is settled at the start. Of the present ones, those
   * whose callers would not be let in any more are ended, each after the answer that is on its way.
   */
  readonly exchangeTls: (tls: TlsOptions) => void;
  /** From now on every answer ends its connection, so that callers move elsewhere; all requests are still served. */
  readonly beginDrain: () => void;
  /** Accepts nothing new, lets what is in flight finish within `graceMs`, then ends every connection. */
  readonly close: (graceMs: number) => Promise<void>;
};

/** What is told of every finished request, whatever it was. */
type Seen = Pick<RequestRecord, 'requestId' | 'peer' | 'totalMs'>;

type Mode = 'plain' | 'awaitsContinue' | 'expectsOther';

/** Starts the public port. Rejects where the address cannot be had. */
export const startPublic = async (options: PublicOptions): Promise<PublicServer> => {
  const surface = new PublicSurface(options);
  const server = limitedServer(surface.limits, options.tls);
  // The sockets below TLS, which are there before a handshake and whatever comes of it.
  server.on('connection', socket => surface.onConnection(socket));
  server.on('secureConnection', socket => surface.secured.add(socket));
  server.on('request', (incoming, outgoing) => surface.take(incoming, outgoing, 'plain'));
  server.on('checkContinue', (incoming, outgoing) => surface.take(incoming, outgoing, 'awaitsContinue'));
  server.on('checkExpectation', (incoming, outgoing) => surface.take(incoming, outgoing, 'expectsOther'));
  server.on('connect', (_incoming, socket) => surface.onConnect(socket));
  server.on('drop', () => options.onDropped?.());
  server.on('clientError', (error, socket) => surface.onClientError(error, socket));
  const port = await listen(server, options.host, options.port);
  return {
    port,
    inFlight: () => surface.inFlight,
    waiting: () => surface.turns.waiting,
    exchangeTls: tls => {
      exchangeTls(server, tls);
      surface.exchangeClientCa(tls.clientCa);
    },
    beginDrain: () => surface.beginDrain(),
    close: graceMs => {
      surface.refuseNew();
      return stop(server, options.clock, graceMs, surface);
    },
  };
};

class PublicSurface implements Connections {
  readonly limits: Limits;
  readonly secured: SecuredConnections;
  readonly turns: Turns;
  readonly #options: PublicOptions;
  /** By their addresses, letter by letter: whoever asks for one needs no router. */
  readonly #rows: ReadonlyMap<string, ApiRow>;
  readonly #route: (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;
  readonly #exchanges = new WeakMap<object, Exchange>();
  /** Each open connection that has sent a request, with its newest exchange: answers leave in the order of requests. */
  readonly #newest = new Map<Duplex, Exchange>();
  readonly #sockets = new Set<Duplex>();
  readonly #bodies: Shares;
  #inFlight = 0;
  #draining = false;
  #refusing = false;

  constructor(options: PublicOptions) {
    this.#options = options;
    this.limits = { ...LIMITS, ...options.limits };
    this.#bodies = createBodyShares(options.clock);
    this.turns = new Turns({
      ...options,
      begin: exchange => this.#begin(exchange),
      refuse: (exchange, refusal) => this.#refuse(exchange, refusal),
    });
    this.#rows = new Map(options.rows.map(row => [options.basePath + row.path, row]));
    this.secured = new SecuredConnections(options.tls?.clientCa);
    this.#route = this.#router();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Nothing is being served, and every answer has left. */
  isIdle(): boolean {
    return this.#inFlight === 0 && this.#newest.values().every(exchange => exchange.isOver());
  }

  endIdle(): void {
    for (const [socket, exchange] of this.#newest) if (exchange.isOver()) socket.destroy();
  }

  endAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  onConnection(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  exchangeClientCa(clientCa: string | undefined): void {
    for (const socket of this.secured.exchange(clientCa)) {
      const newest = this.#newest.get(socket);
      if (newest && !newest.isOver()) newest.closeAfter();
      else socket.destroy();
    }
  }

  beginDrain(): void {
    this.#draining = true;
  }

  refuseNew(): void {
    this.#draining = true;
    this.#refusing = true;
  }

  /** Takes one request in: from its head alone it is refused, or routed. */
  take(incoming: IncomingMessage, outgoing: ServerResponse, mode: Mode): void {
    const { clock, random } = this.#options;
    const awaitsContinue = mode !== 'plain';
    const row = incoming.method === 'POST' ? this.#rows.get(incoming.url ?? '') : undefined;
    const exchange = new Exchange(incoming, outgoing, { clock, requestId: random.id(), awaitsContinue, row });
    const followsLast = this.#newest.get(incoming.socket)?.isLast === true;
    this.#remember(incoming.socket, exchange);
    const refusal = this.#headRefusal(exchange, mode, followsLast);
    if (refusal) this.#refuse(exchange, refusal);
    else this.turns.take(exchange);
  }

  #begin(exchange: Exchange): void {
    const { incoming, outgoing, row } = exchange;
    if (this.#isFull()) this.#refuse(exchange, overloaded('inFlight'));
    else if (row) void this.#serve(exchange, row);
    else {
      this.#exchanges.set(incoming, exchange);
      incoming.headers = ROUTED_HEADERS;
      void this.#route(incoming, outgoing);
    }
  }

  #remember(socket: Duplex, exchange: Exchange): void {
    if (!this.#newest.has(socket)) socket.once('close', () => this.#newest.delete(socket));
    this.#newest.set(socket, exchange);
  }

  #headRefusal(exchange: Exchange, mode: Mode, followsLast: boolean): Refusal | undefined {
    if (this.#refusing) return new Refusal('draining');
    // What follows the last request of a connection is not served (RFC 9112, 9.6): perhaps it is the inside of another.
    if (followsLast || !this.secured.isWelcome(exchange.incoming.socket)) {
      exchange.closeAfter();
      return new Refusal('draining');
    }
    if (this.#isFull()) return overloaded('inFlight');
    if (mode === 'expectsOther') return new Refusal('http', [{ field: 'expect', reason: 'must be 100-continue' }]);
    const error = headError(exchange.incoming, exchange.head);
    if (!error) return undefined;
    // Where such a request ends, others may see otherwise.
    exchange.closeAfter();
    return new Refusal('http', [error]);
  }

  #isFull(): boolean {
    return this.#inFlight >= this.limits.inFlight;
  }

  #router() {
    const app = new Hono<{ Bindings: { exchange: Exchange } }>();
    for (const row of this.#options.rows) {
      app.post(`${this.#options.basePath}${row.path}`, async context => {
        await this.#serve(context.env.exchange, row);
        return RESPONSE_ALREADY_SENT;
      });
    }
    const { oauth, docs } = this.#options;
    if (oauth) {
      for (const route of OAUTH_ROUTES) {
        app.on(route.method, route.path, async context => {
          await this.#serveOauth(context.env.exchange, route, oauth);
          return RESPONSE_ALREADY_SENT;
        });
      }
    }
    if (docs) {
      // Hono takes HEAD for GET, and here that is right: Node leaves the body out.
      app.on('GET', [...docs.paths], async context => {
        await this.#servePage(context.env.exchange, context.req.path, docs);
        return RESPONSE_ALREADY_SENT;
      });
    }
    app.notFound(context => {
      this.#refuse(context.env.exchange, new Refusal('noSuchApi'));
      return RESPONSE_ALREADY_SENT;
    });
    const fetch = (request: Request, env: { readonly incoming: object }) =>
      app.fetch(request, { exchange: this.#exchanges.get(env.incoming) });
    return getRequestListener(fetch, { autoCleanupIncoming: false, overrideGlobalObjects: false });
  }

  async #serve(exchange: Exchange, row: ApiRow): Promise<void> {
    if (!this.#options.isOffered(row)) return this.#refuse(exchange, new Refusal('noSuchApi'));
    this.#inFlight += 1;
    let served: Served;
    let sealed: string | undefined;
    try {
      served = await this.#options.journey(inboundOf(exchange, row));
      if (served.seal && served.answer.status === 200) sealed = await served.seal(bodyOf(served.answer));
    } catch (error) {
      served = this.#failed(error, exchange.requestId);
    } finally {
      this.#inFlight -= 1;
    }
    this.#finish(exchange, served, row, sealed);
  }

  #refuse(exchange: Exchange, refusal: Refusal): void {
    this.#finish(exchange, refused(refusal), undefined);
  }

  #finish(exchange: Exchange, served: Served, row: ApiRow | undefined, sealed?: string): void {
    if (this.#draining) exchange.closeAfter();
    const wallMs = this.#options.clock.wallMs();
    let told = served;
    try {
      exchange.reply(replyOf(served.answer, wallMs, sealed));
    } catch (error) {
      told = this.#failed(error, exchange.requestId);
      exchange.reply(replyOf(told.answer, wallMs));
    }
    this.#observe(told, this.#seenOf(exchange), row?.name);
  }

  #seenOf({ requestId, peer, arrivedMonotonicMs }: Exchange): Seen {
    return { requestId, peer, totalMs: this.#options.clock.monotonicMs() - arrivedMonotonicMs };
  }

  async #serveOauth(exchange: Exchange, { endpoint, method }: OauthRoute, oauth: OauthServer): Promise<void> {
    // Hono takes HEAD for GET.
    if (exchange.incoming.method !== method) return this.#refuse(exchange, new Refusal('noSuchApi'));
    this.#inFlight += 1;
    let served: OauthServed;
    try {
      served = await serveOauth(oauth, endpoint, exchange, this.#bodies);
    } catch (error) {
      this.#options.onDefect(error, exchange.requestId);
      served = oauthFailure;
    } finally {
      this.#inFlight -= 1;
    }
    if (this.#draining) exchange.closeAfter();
    const { reply, ...told } = served;
    exchange.reply(reply);
    try {
      oauth.observe({ ...this.#seenOf(exchange), ...told, endpoint, status: reply.status });
    } catch (error) {
      this.#options.onDefect(error, exchange.requestId);
    }
  }

  async #servePage(exchange: Exchange, path: string, docs: Docs): Promise<void> {
    const { 'accept-encoding': acceptEncoding, 'if-none-match': ifNoneMatch } = exchange.head;
    try {
      const reply = await docs.serve(path, { acceptEncoding, ifNoneMatch });
      if (!reply) return this.#refuse(exchange, new Refusal('noSuchApi'));
      if (this.#draining) exchange.closeAfter();
      exchange.reply(reply);
    } catch (error) {
      this.#finish(exchange, this.#failed(error, exchange.requestId), undefined);
    }
  }

  #failed(error: unknown, requestId: string): Served {
    this.#options.onDefect(error, requestId);
    const { answer } = refused(new Refusal('internal'));
    return { answer, facts: { outcome: 'failed', refusal: 'internal' } };
  }

  #observe({ answer, facts }: Served, { requestId, peer, totalMs }: Seen, api: ApiName | undefined): void {
    const { status, code, replayed } = answer;
    try {
      this.#options.observe({ ...facts, requestId, peer, api, totalMs, status, code, replayed });
    } catch (error) {
      this.#options.onDefect(error, requestId);
    }
  }

  /** CONNECT is dropped; not so the answer to what came before it on its connection, as Node alone would do. */
  onConnect(socket: Duplex): void {
    // Node listens to this socket no more, and an error that nobody listens to would end the process.
    socket.on('error', () => socket.destroy());
    const newest = this.#newest.get(socket);
    if (newest && !newest.isOver()) newest.endConnection(socket);
    else socket.destroy();
  }

  /** What Node could not parse, or waited for too long. An answer to an earlier request must not be mistaken for it. */
  onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const newest = this.#newest.get(socket);
    if (!socket.writable || error.code === 'ECONNRESET' || isOfTls(error)) socket.destroy();
    else if (newest && !newest.isOver()) newest.endConnection(socket);
    // A connection on which nothing is asked, or the rest of a body that was answered already, just ends.
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' || newest?.incoming.complete === false) socket.destroy();
    else this.#refuseUnparsed(socket);
  }

  #refuseUnparsed(socket: Duplex): void {
    const requestId = this.#options.random.id();
    const served = refused(new Refusal('http', [{ field: 'request', reason: 'not valid HTTP' }]));
    socket.end(rawMessageOf(served.answer, requestId, this.#options.clock.wallMs()), () => socket.destroy());
    const peer = 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
    this.#observe(served, { requestId, peer, totalMs: 0 }, undefined);
  }
}

const refused = (refusal: Refusal): Served => {
  const facts: Facts = { outcome: 'refused', refusal: refusal.reason, detail: refusal.detail };
  return { answer: refusedAnswer(refusal), facts };
};
