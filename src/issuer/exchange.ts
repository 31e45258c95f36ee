/**
 * One request and its answer on the wire, as the handler that undici calls back: it knows how far the request got, keeps
 * the one deadline over connecting, headers and body, buffers the reply, and ends in exactly one outcome.
 *
 * Whether a byte may have left is decided by phase, never by error code: a reset looks the same before and after.
 */
import type { Dispatcher } from 'undici';
import type { Outcome, UnknownReason } from '../domain/outcome.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** How an exchange ended, with what an operator needs beside the outcome. */
export type Ending = {
  readonly outcome: Outcome;
  /** HTTP status, where the issuer gave one. */
  readonly status: number | undefined;
  /** Code of what went wrong underneath, such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`. */
  readonly fault: string | undefined;
};

export type ExchangeOptions = {
  readonly clock: Clock;
  readonly deadline: Deadline;
  /** What a complete reply says. Only statuses 200 and 400 are asked about. */
  readonly readReply: (status: 200 | 400, body: Uint8Array) => Outcome;
  /** Called once, when undici is done with the request, which may be after the ending. */
  readonly onReleased: () => void;
};

/** The connection that carries an exchange. */
export type Carrier = {
  /** Closes it, so that nothing else on it is ever read or sent. */
  hangUp(): void;
};

/** The issuer will not let us in: nothing was done, and somebody has to mend our credentials or its routes. */
const AT_THE_DOOR: ReadonlySet<number> = new Set([401, 403, 404]);

/** What an error means once the request may have left. Whatever is not listed is a connection that broke. */
const REASONS: Readonly<Record<string, UnknownReason>> = {
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'tooLarge',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'tooLarge',
};

/** A reply that is nobody's, or no reply at all: what else comes on that connection cannot be trusted either. */
const SUSPECT: ReadonlySet<UnknownReason> = new Set(['wrongEcho', 'garbage', 'internal']);

const connectFailed: Outcome = { kind: 'notSent', reason: 'connect' };
const unknown = (reason: UnknownReason): Outcome => ({ kind: 'unknown', reason });

export class Exchange implements Dispatcher.DispatchHandler {
  readonly ending: Promise<Ending>;
  /** Set by the connection that takes the exchange on, before anything else happens. */
  carrier: Carrier | undefined;

  readonly #options: ExchangeOptions;
  readonly #end: (ending: Ending) => void;
  readonly #cancelTimer: () => void;
  readonly #body: Uint8Array[] = [];
  #released = false;
  #over = false;
  /** True from before the first byte is written: from here on the issuer may have acted. */
  #started = false;
  #status: number | undefined;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(options: ExchangeOptions) {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ending = promise;
    this.#end = resolve;
    this.#options = options;
    this.#cancelTimer = options.clock.after(options.deadline.leftMs(), () => this.#giveUp());
  }

  /**
   * undici calls this in the same turn as it writes, right before; a second call would be a second send. Throwing makes
   * it drop the request and keep the connection, which a request that came in time can use. So a request that waited for
   * a connection until its caller was gone is never sent, and none is sent twice.
   */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over || this.#started) throw new Error('not to be sent any more');
    if (this.#options.deadline.leftMs() < 1) {
      this.#settle({ kind: 'notSent', reason: 'noBudget' });
      throw new Error('not to be sent any more');
    }
    this.#started = true;
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    // 1xx is not an answer yet (RFC 9110, 15.2).
    if (status >= 200) this.#status = status;
  }

  /** The size is bounded by the connection's `maxResponseSize`. */
  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#status === 200 || this.#status === 400) this.#body.push(chunk);
  }

  /** A late answer would arrive here if giving up left the connection open; today it is closed and nothing comes. */
  onResponseEnd(): void {
    this.#release();
    if (this.#over) return;
    const outcome = this.#outcomeByStatus() ?? this.#read();
    if (outcome.kind === 'unknown' && SUSPECT.has(outcome.reason)) this.carrier?.hangUp();
    this.#settle(outcome);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#release();
    const { code, reason } = diagnosis(error);
    this.#settle(this.#started ? (this.#outcomeByStatus() ?? unknown(reason)) : connectFailed, code);
  }

  /** At the deadline. The connection is closed, so that a late answer cannot be read as the answer to another request. */
  #giveUp(): void {
    this.#settle(this.#started ? (this.#outcomeByStatus() ?? unknown('timeout')) : connectFailed, 'DEADLINE');
    this.#controller?.abort(new Error('deadline'));
  }

  /** What the status alone decides; undefined where the body has to be read. */
  #outcomeByStatus(): Outcome | undefined {
    if (this.#status === undefined || this.#status === 200 || this.#status === 400) return undefined;
    return AT_THE_DOOR.has(this.#status) ? { kind: 'notSent', reason: 'refusedAtTheDoor' } : unknown('httpStatus');
  }

  #read(): Outcome {
    if (this.#status !== 200 && this.#status !== 400) return unknown('internal');
    try {
      return this.#options.readReply(this.#status, Buffer.concat(this.#body));
    } catch {
      return unknown('internal');
    }
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#options.onReleased();
  }

  #settle(outcome: Outcome, fault?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#end({ outcome, status: this.#status, fault });
  }
}

/** Only the code of an error goes any further: messages and causes may quote what was sent. */
function diagnosis(error: Error): { readonly code: string; readonly reason: UnknownReason } {
  const given = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const code = /^[A-Z][A-Z0-9_]{0,63}$/.test(given) ? given : 'UNNAMED';
  if (error.name === 'HTTPParserError') return { code, reason: 'garbage' };
  return { code, reason: REASONS[code] ?? 'reset' };
}
