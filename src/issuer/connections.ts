/**
 * The connections to one issuer: undici's pool, with every limit set and everything off that would repeat a request,
 * follow a redirect or put two requests on one connection. Hazards of undici are written down here and in `exchange.ts`.
 */
import type { Socket } from 'node:net';
import { buildConnector, Client, Pool } from 'undici';
import type { Secret } from '../domain/secret.ts';
import { type Carrier, codeOf, Exchange } from './exchange.ts';

/** PEM texts for an issuer behind TLS. */
export type IssuerTls = {
  /** The only authorities that the issuer's certificate may come from; absent: the system's. */
  readonly ca?: string | undefined;
  /** Our own certificate with its key, where the issuer asks for one. */
  readonly cert?: string | undefined;
  readonly key?: Secret<string> | undefined;
};

export type ConnectionsOptions = {
  /** Scheme, host and port. */
  readonly origin: string;
  /** At most so many connections. */
  readonly connections: number;
  readonly tls: IssuerTls;
  /**
   * How long a connection may take to be made, TLS included, before its slot is given free. Coarse, up to half a second
   * late: the deadline of a request is kept by the exchange.
   */
  readonly connectTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxHeaderBytes: number;
};

/** An idle connection is closed before servers with the usual 5 s close it under a request of ours. */
const IDLE_MS = 4000;
/** A `Keep-Alive: timeout` of the issuer replaces ours up to this; network boxes in between forget connections sooner. */
const IDLE_HINT_MOST_MS = 30_000;
/** We close this much before the issuer said that it would. */
const IDLE_HINT_MARGIN_MS = 2000;
/** No connection is used for longer, so that traffic follows an issuer that has moved to other machines. */
const AGE_MOST_MS = 300_000;
/** Far above any deadline, which every exchange keeps itself: undici's own are per chunk, and coarse. */
const BACKSTOP_MS = 120_000;

export function openConnections(options: ConnectionsOptions): Pool {
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectTimeoutMs,
    rejectUnauthorized: true,
    // Whatever the process was started with: the contract says TLS 1.2 and above.
    minVersion: 'TLSv1.2',
    ...(options.tls.ca === undefined ? {} : { ca: options.tls.ca }),
    ...(options.tls.cert === undefined ? {} : { cert: options.tls.cert }),
    ...(options.tls.key === undefined ? {} : { key: options.tls.key.reveal() }),
  });
  return new Pool(options.origin, {
    connections: options.connections,
    clientTtl: AGE_MOST_MS,
    // One request to a connection: giving one up must not end another.
    allowH2: false,
    factory: origin => connection(origin, connect, options),
  });
}

/** One connection, which is told by each exchange that it carries when it must not be used again. */
function connection(origin: URL, connect: buildConnector.connector, options: ConnectionsOptions): Client {
  const line = new Line();
  const client = new Client(origin, {
    connect: (to, done) =>
      connect(to, (...made) => {
        line.connected(made[1]);
        done(...made);
      }),
    pipelining: 1,
    allowH2: false,
    useMilo: false,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_HINT_MOST_MS,
    keepAliveTimeoutThreshold: IDLE_HINT_MARGIN_MS,
    headersTimeout: BACKSTOP_MS,
    bodyTimeout: BACKSTOP_MS,
    maxResponseSize: options.maxResponseBytes,
    maxHeaderSize: options.maxHeaderBytes,
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request, handler) => {
    if (handler instanceof Exchange) handler.takenBy(line);
    return dispatch(request, handler);
  };
  return client;
}

/**
 * undici has no way to close a connection once a reply was read to its end, and a reply that is not ours shows only
 * then, or later still where it has to be opened first. By then another exchange may be on the connection: that one is
 * left its reply, which will be judged for itself, and no other follows it.
 */
class Line implements Carrier {
  #socket: Socket | null = null;
  #carried = 0;
  #running = 0;
  #isSuspect = false;
  #fault: string | undefined;

  connected(socket: Socket | null): void {
    this.#socket = socket;
    this.#carried = 0;
    this.#isSuspect = false;
    this.#fault = undefined;
    socket?.once('error', error => {
      if (this.#socket === socket) this.#fault = codeOf(error);
    });
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  get isNew(): boolean {
    return this.#carried === 0;
  }

  begin(): void {
    this.#running += 1;
  }

  end(): void {
    this.#running -= 1;
    this.#carried += 1;
    if (this.#isSuspect) this.hangUp();
  }

  hangUp(): void {
    if (this.#running > 0) this.#isSuspect = true;
    else this.#socket?.destroy();
  }
}
