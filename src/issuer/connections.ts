/**
 * The connections to one issuer: clients of undici with one connection each, every limit set, and everything off that would
 * repeat a request, follow a redirect or put two requests on one connection. Hazards of undici are written down here and in
 * `exchange.ts`. Its own pool is not used: it looks through all connections at every request, to find what is at hand here.
 */
import type { Socket } from 'node:net';
import type { buildConnector, Client, Dispatcher } from 'undici';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Carrier, codeOf, type Exchange } from './exchange.ts';
import * as undici from './undici.ts';

/** PEM texts for an issuer behind TLS. */
export type IssuerTls = {
  /** The only authorities that the issuer's certificate may come from; absent: the system's. */
  readonly ca?: string | undefined;
  /** Our own certificate with its key, where the issuer asks for one. */
  readonly cert?: string | undefined;
  readonly key?: Secret<string> | undefined;
};

export type ClientOptions = {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly tls: IssuerTls;
  /**
   * How long a connection may take to be made, TLS included, before its slot is given free. Coarse, up to half a second
   * late: the deadline of a request is kept by the exchange.
   */
  readonly connectTimeoutMs: number;
  readonly maxResponseBytes: number;
  readonly maxHeaderBytes: number;
};

export type ConnectionsOptions = ClientOptions & {
  readonly clock: Clock;
  /** At most so many connections. */
  readonly connections: number;
};

/** An idle connection is closed before servers with the usual 5 s close it under a request of ours. */
const IDLE_MS = 4000;
/** A `Keep-Alive: timeout` of the issuer replaces ours up to this; network boxes in between forget connections sooner. */
const IDLE_HINT_MOST_MS = 30_000;
/** We close this much before the issuer said that it would. */
const IDLE_HINT_MARGIN_MS = 2000;
/** No connection is used for longer, so that traffic follows an issuer that has moved to other machines. */
const AGE_MOST_MS = 300_000;

const connectorOf = ({ tls: { ca, cert, key }, connectTimeoutMs }: ClientOptions): buildConnector.connector =>
  undici.buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    rejectUnauthorized: true,
    // Whatever the process was started with: the contract says TLS 1.2 and above.
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: key.reveal() }),
  });

/** A client for one connection, which it makes at the first request, and anew where there is none at a later one. */
export const openClient = (options: ClientOptions, connect = connectorOf(options)): Client =>
  new undici.Client(options.origin, {
    connect,
    // One request to a connection: giving one up must not end another.
    pipelining: 1,
    allowH2: false,
    useMilo: false,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_HINT_MOST_MS,
    keepAliveTimeoutThreshold: IDLE_HINT_MARGIN_MS,
    // None: they are per chunk, and coarse. Whoever asks keeps the deadline, and closes the connection with it.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: options.maxResponseBytes,
    maxHeaderSize: options.maxHeaderBytes,
  });

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connect: buildConnector.connector;
  readonly #lines: Line[] = [];
  /** Those that carry nothing; the one that was used last is the last, and the next to be used. */
  readonly #free: Line[] = [];
  /**
   * Those whose exchange has ended in this turn of the event loop. They are left alone for the rest of it: that the issuer
   * has closed one, or sent more on it than a reply, may have arrived and is not read yet.
   */
  readonly #resting: Line[] = [];

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#connect = connectorOf(options);
  }

  /** Sends the request, for the exchange that is made for its connection; undefined where each carries one already. */
  send(request: Dispatcher.DispatchOptions, exchangeOn: (line: Carrier) => Exchange): Exchange | undefined {
    const rested = this.#free.pop() ?? this.#another();
    const line = rested ?? this.#resting.pop();
    if (!line) return undefined;
    const exchange = exchangeOn(line);
    if (rested) line.send(request, exchange);
    else setImmediate(() => line.send(request, exchange));
    return exchange;
  }

  /** Ends all of them, with what they carry. */
  async destroy(): Promise<void> {
    await Promise.all(this.#lines.map(line => line.destroy()));
  }

  #another(): Line | undefined {
    if (this.#lines.length >= this.#options.connections) return undefined;
    const line = new Line(this.#options, this.#connect, () => this.#rest(line));
    this.#lines.push(line);
    return line;
  }

  #rest(line: Line): void {
    if (this.#resting.length === 0) setImmediate(() => this.#free.push(...this.#resting.splice(0)));
    this.#resting.push(line);
  }
}

/**
 * One connection, or what makes it anew. It is told by each exchange that it carries when it must not be used again: undici
 * has no way to close a connection once a reply was read to its end, and a reply that is not ours shows only then, or later
 * still where it has to be opened first. By then another exchange may be on the connection: that one is left its reply,
 * which will be judged for itself, and no other follows it.
 */
class Line implements Carrier {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  #socket: Socket | null = null;
  #since = 0;
  #carried = 0;
  #isBusy = false;
  #isSuspect = false;
  #fault: string | undefined;

  constructor(options: ConnectionsOptions, connect: buildConnector.connector, onEnd: () => void) {
    this.#clock = options.clock;
    this.#onEnd = onEnd;
    this.#client = openClient(options, (to, done) =>
      connect(to, (...made) => {
        this.#connected(made[1]);
        done(...made);
      }),
    );
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  get isSuspect(): boolean {
    return this.#isSuspect;
  }

  get isNew(): boolean {
    return this.#carried === 0;
  }

  /** The exchange is called back, also where nothing can be sent. */
  send(request: Dispatcher.DispatchOptions, exchange: Exchange): void {
    if (this.#clock.monotonicMs() - this.#since > AGE_MOST_MS) this.#socket?.destroy();
    this.#isBusy = true;
    this.#client.dispatch(request, exchange);
  }

  end(): void {
    this.#isBusy = false;
    this.#carried += 1;
    if (this.#isSuspect) this.hangUp();
    this.#onEnd();
  }

  hangUp(): void {
    if (this.#isBusy) this.#isSuspect = true;
    else this.#socket?.destroy();
  }

  destroy(): Promise<void> {
    return this.#client.destroy();
  }

  #connected(socket: Socket | null): void {
    this.#socket = socket;
    this.#since = this.#clock.monotonicMs();
    this.#carried = 0;
    this.#isSuspect = false;
    this.#fault = undefined;
    socket?.once('error', error => {
      if (this.#socket === socket) this.#fault = codeOf(error);
    });
  }
}
