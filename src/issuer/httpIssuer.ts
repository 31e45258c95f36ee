/**
 * The connector to an issuer that speaks the gateway's own contract over HTTP: one POST for each send, never repeated,
 * never redirected. It puts the request together and raises alarms; `exchange.ts` decides what became of it.
 */
import { apiByName } from '../catalogue/apis.ts';
import type { ApiRow } from '../catalogue/row.ts';
import type { ApiName } from '../domain/ids.ts';
import { type Message, wireOf } from '../domain/message.ts';
import type { NotSentReason, Outcome } from '../domain/outcome.ts';
import type { Clock } from '../runtime/clock.ts';
import { Connections, type IssuerTls } from './connections.ts';
import { type Credentials, noCredentials } from './credentials.ts';
import { type Carrier, type Ending, Exchange, type LateReading } from './exchange.ts';
import type { IssuerConnector, SendOptions } from './issuer.ts';
import { LATE_READERS_MOST, LateReaders } from './lateReaders.ts';
import { type IssuerPayload, plainPayload } from './payload.ts';
import { readIssuerReply } from './reply.ts';

/** Something that somebody should look at. A closed list, without a word of what was sent or answered. */
export type IssuerAlarm =
  /** Our credentials or the address are wrong (401, 403, 404), or the issuer sends us elsewhere (3xx). */
  | { readonly kind: 'refusedAtTheDoor' | 'redirect'; readonly api: ApiName; readonly status: number }
  /** A reply that belongs to another transaction, or approves another amount. */
  | { readonly kind: 'wrongEcho'; readonly api: ApiName }
  /** No connection was made; `code` is Node's or undici's, such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`. */
  | { readonly kind: 'connect'; readonly code: string };

export type HttpIssuerOptions = {
  /** `http:` or `https:`, with the path before the paths of the APIs. */
  readonly baseUrl: string;
  readonly clock: Clock;
  /**
   * Connections at most, those on which late answers are waited for aside. More than may be in flight at once, live
   * calls, deliveries and one: then no request ever waits inside undici, where it would be sent in the queue's time.
   */
  readonly connections: number;
  /** Closed together with the connector. */
  readonly credentials?: Credentials;
  /** Absent: plain JSON. */
  readonly payload?: IssuerPayload;
  readonly tls?: IssuerTls;
  /** Gives the slot of a connection that is not made free again. */
  readonly connectTimeoutMs?: number;
  readonly maxResponseBytes?: number;
  readonly maxHeaderBytes?: number;
  /** How long an answer is waited for after its deadline, where the send wants it; absent: not at all. */
  readonly lateReadingMs?: number;
  /** Must be quick; what it throws is dropped. */
  readonly onAlarm?: (alarm: IssuerAlarm) => void;
};

/** As long as the usual budget for a send: later than that nobody waits for this connection. */
const CONNECT_TIMEOUT_MS = 2000;
/** Node's own limit for what it receives. */
const HEADER_BYTES = 16 * 1024;

/** What the contract says of a token that is missing, malformed, run out or revoked. */
const NOT_THESE_CREDENTIALS: ReadonlySet<number | undefined> = new Set([401, 403]);

/** A connector over HTTP/1.1. Opens no connection before the first send. Throws where `baseUrl` is not an HTTP URL. */
export const createHttpIssuer = (options: HttpIssuerOptions): IssuerConnector => new HttpIssuer(options);

class HttpIssuer implements IssuerConnector {
  readonly #options: HttpIssuerOptions;
  readonly #credentials: Credentials;
  readonly #payload: IssuerPayload;
  readonly #connections: Connections;
  readonly #basePath: string;
  /** Sends that have not ended; closing waits for them. */
  readonly #sending = new Set<Promise<unknown>>();
  readonly #late: LateReaders;
  #closed = false;

  constructor(options: HttpIssuerOptions) {
    const url = new URL(options.baseUrl);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('an issuer is reached by http or https');
    this.#options = options;
    this.#credentials = options.credentials ?? noCredentials;
    this.#payload = options.payload ?? plainPayload;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    const { lateReadingMs = 0 } = options;
    this.#late = new LateReaders(options.clock, lateReadingMs);
    this.#connections = new Connections({
      clock: options.clock,
      origin: url.origin,
      connections: options.connections + (lateReadingMs > 0 ? LATE_READERS_MOST : 0),
      tls: options.tls ?? {},
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      maxResponseBytes: options.maxResponseBytes ?? this.#payload.responseBytesMost,
      maxHeaderBytes: options.maxHeaderBytes ?? HEADER_BYTES,
    });
  }

  async send(message: Message, options: SendOptions): Promise<Outcome> {
    const row = apiByName(message.api);
    if (this.#closed || !row) return notSent('connect');
    const sending = this.#exchange(row, message, options);
    this.#sending.add(sending);
    try {
      const { outcome, status, fault } = await sending;
      this.#alarm(message.api, outcome, status, fault);
      return outcome;
    } finally {
      this.#sending.delete(sending);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#late.stopAll();
    await Promise.allSettled(this.#sending);
    this.#credentials.close?.();
    await this.#connections.destroy();
  }

  async #exchange(row: ApiRow, message: Message, options: SendOptions): Promise<Ending> {
    const login = await this.#credentials.headers(options.deadline);
    if (!login) return withoutAnswer('connect', 'CREDENTIALS');
    const body = await this.#sealed(message);
    if (body === undefined) return withoutAnswer('connect', 'SEALING');
    const leftMs = Math.floor(options.deadline.leftMs());
    if (leftMs < 1) return withoutAnswer('noBudget');
    const headers = this.#headersOf(message, options, leftMs);
    for (const part of login.reveal()) headers.push(part);
    const request = { method: 'POST' as const, path: this.#basePath + row.path, headers, body };
    const exchange = this.#connections.send(request, line => this.#exchangeOn(line, row, message, options));
    // Connections that are never made may hold every place; what would queue behind them would be sent late.
    if (!exchange) return withoutAnswer('connect', 'NO_CONNECTION_FREE');
    const ending = await exchange.ending;
    if (NOT_THESE_CREDENTIALS.has(ending.status)) this.#credentials.refused?.(login);
    return ending;
  }

  #exchangeOn(carrier: Carrier, row: ApiRow, message: Message, { deadline, onLate }: SendOptions): Exchange {
    return new Exchange({
      clock: this.#options.clock,
      deadline,
      readReply: (status, reply) => this.#read(status, reply, message, row),
      carrier,
      late: this.#lateReading(onLate),
    });
  }

  /**
   * The headers of a send, by name and value in turn. `Deadline-Ms` counts from here: the time that connecting takes, if
   * anything has to be connected, is not taken off.
   */
  #headersOf(message: Message, { repeat }: SendOptions, leftMs: number): string[] {
    const headers = [
      'content-type',
      this.#payload.contentType,
      // A compressed reply of 64 KiB could be gigabytes.
      'accept-encoding',
      'identity',
      'timestamp',
      String(Math.floor(this.#options.clock.wallMs())),
      'Idempotency-Key',
      message.header.tranId,
      'Deadline-Ms',
      String(leftMs),
    ];
    if (repeat) headers.push('Repeat', 'true');
    return headers;
  }

  #lateReading(onLate: SendOptions['onLate']): LateReading | undefined {
    if (!onLate) return undefined;
    return {
      begin: stop => this.#late.begin(stop),
      came: outcome => {
        // With 400 it says what is wrong with the message, not what became of it where it was sent again meanwhile.
        if (outcome.kind === 'answered' && outcome.status === 200) onLate(outcome.answer);
      },
    };
  }

  async #sealed(message: Message): Promise<string | undefined> {
    try {
      return await this.#payload.seal(JSON.stringify(wireOf(message).reveal()));
    } catch {
      return undefined;
    }
  }

  /** At once where nothing has to be opened: then a connection with somebody else's reply on it is never used again. */
  #read(status: 200 | 400, reply: Uint8Array, message: Message, row: ApiRow): Outcome | Promise<Outcome> {
    const opened = this.#payload.open(status, reply);
    if (opened instanceof Uint8Array) return readIssuerReply(status, opened, message, row);
    return opened.then(
      plain => readIssuerReply(status, plain, message, row),
      () => ({ kind: 'unknown', reason: 'garbage' }),
    );
  }

  #alarm(api: ApiName, outcome: Outcome, status: number | undefined, fault: string | undefined): void {
    const alarm = alarmOf(api, outcome, status, fault);
    if (!alarm) return;
    try {
      this.#options.onAlarm?.(alarm);
    } catch {
      // The outcome stands, whatever becomes of the alarm.
    }
  }
}

const notSent = (reason: NotSentReason): Outcome => ({ kind: 'notSent', reason });

const withoutAnswer = (reason: NotSentReason, fault?: string): Ending => ({
  outcome: notSent(reason),
  status: undefined,
  fault,
});

function alarmOf(
  api: ApiName,
  outcome: Outcome,
  status: number | undefined,
  fault: string | undefined,
): IssuerAlarm | undefined {
  if (outcome.kind === 'answered') return undefined;
  switch (outcome.reason) {
    case 'refusedAtTheDoor':
      return status === undefined ? undefined : { kind: 'refusedAtTheDoor', api, status };
    case 'connect':
      return { kind: 'connect', code: fault ?? 'UNNAMED' };
    case 'wrongEcho':
      return { kind: 'wrongEcho', api };
    case 'httpStatus':
      return status !== undefined && status >= 300 && status < 400 ? { kind: 'redirect', api, status } : undefined;
    default:
      return undefined;
  }
}
