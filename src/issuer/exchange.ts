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
  /** What a complete reply says; a promise where it has to be opened first. Only 200 and 400 are asked about. */
  readonly readReply: (status: 200 | 400, body: Uint8Array) => Outcome | Promise<Outcome>;
  /** The connection that carries it and nothing else. */
  readonly carrier: Carrier;
  /** Present where an answer that comes after the deadline is wanted, too. */
  readonly late?: LateReading | undefined;
};

export type LateReading = {
  /** Begins to wait beyond the deadline; `stop` gives the answer up. Returns what is to be called when it is over. */
  readonly begin: (stop: () => void) => () => void;
  /** Hears what the complete reply says, if one comes. */
  readonly came: (outcome: Outcome) => void;
};

/** The connection that carries an exchange, from before the exchange is made. */
export type Carrier = {
  /** No exchange has ended on it yet. */
  readonly isNew: boolean;
  /** A reply to somebody else was found on it while this exchange was: the next one may be, too. */
  readonly isSuspect: boolean;
  /** Code of the first error of its socket, which undici replaces by the closing that follows. */
  readonly fault: string | undefined;
  /** undici is done with the request, which may be after the exchange's ending. Called once. */
  end(): void;
  /** Closes it, after the exchange that may be on it by now: nothing else on it is ever sent. */
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

/**
 * What the issuer's TLS says where it does not take our certificate, or misses one. In TLS 1.3 that comes after our
 * first bytes have left, but before it hands them to anybody: with a code that only the handshake has (RFC 8446, 6.2;
 * we do not offer to authenticate later), and nobody in between can forge it.
 */
const REFUSED_BY_TLS: ReadonlySet<string> = new Set([
  'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
  // OpenSSL says `sslv3 alert` up to 3.4 and `ssl/tls alert` from 3.5 on.
  ...[
    'BAD_CERTIFICATE',
    'UNSUPPORTED_CERTIFICATE',
    'CERTIFICATE_REVOKED',
    'CERTIFICATE_EXPIRED',
    'CERTIFICATE_UNKNOWN',
  ].flatMap(alert => [`ERR_SSL_SSLV3_ALERT_${alert}`, `ERR_SSL_SSL/TLS_ALERT_${alert}`]),
]);

/** A reply that is nobody's, or no reply at all: what else comes on that connection cannot be trusted either. */
const SUSPECT: ReadonlySet<UnknownReason> = new Set(['wrongEcho', 'garbage', 'internal']);

const connectFailed: Outcome = { kind: 'notSent', reason: 'connect' };
const unknown = (reason: UnknownReason): Outcome => ({ kind: 'unknown', reason });

export class Exchange implements Dispatcher.DispatchHandler {
  readonly ending: Promise<Ending>;

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
  /** Set while the deadline is over and the answer is still waited for. */
  #endLateReading: (() => void) | undefined;

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

  onResponseEnd(): void {
    const isLate = this.#endLateReading !== undefined;
    this.#release();
    // From here on the connection may carry another exchange, which giving this one up must not end.
    this.#controller = undefined;
    if (this.#over && !isLate) return;
    const outcome = this.#outcomeByStatus() ?? this.#read();
    if (outcome instanceof Promise) {
      outcome.then(
        opened => this.#conclude(opened),
        () => this.#conclude(unknown('internal')),
      );
    } else this.#conclude(outcome);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const refusal = this.#started ? this.#refusalByTls() : undefined;
    this.#release();
    if (this.#started && refusal === undefined) {
      const { code, reason } = diagnosis(error);
      this.#settle(this.#outcomeByStatus() ?? unknown(reason), code);
    } else this.#settle(connectFailed, refusal ?? codeOf(error));
  }

  /**
   * At the deadline. Where a late answer is wanted the connection stays this exchange's own; else it is closed, so that
   * the answer cannot be read as the answer to another request.
   */
  #giveUp(): void {
    const decided = this.#started ? this.#outcomeByStatus() : connectFailed;
    this.#settle(decided ?? unknown('timeout'), 'DEADLINE');
    const abort = () => this.#controller?.abort(new Error('deadline'));
    const { late } = this.#options;
    if (decided || !late) abort();
    // One that is there and still being opened needs no connection any more.
    else if (!this.#released) this.#endLateReading = late.begin(abort);
  }

  /** What the status alone decides; undefined where the body has to be read. */
  #outcomeByStatus(): Outcome | undefined {
    if (this.#status === undefined || this.#status === 200 || this.#status === 400) return undefined;
    // A refusal of another request says nothing of this one.
    const isRefused = AT_THE_DOOR.has(this.#status) && !this.#options.carrier.isSuspect;
    return isRefused ? { kind: 'notSent', reason: 'refusedAtTheDoor' } : unknown('httpStatus');
  }

  /** What the issuer's TLS said, where that proves that nobody has seen the request. */
  #refusalByTls(): string | undefined {
    const { isNew, fault } = this.#options.carrier;
    const isFirstWord = isNew && this.#status === undefined;
    return isFirstWord && fault !== undefined && REFUSED_BY_TLS.has(fault) ? fault : undefined;
  }

  #read(): Outcome | Promise<Outcome> {
    if (this.#status !== 200 && this.#status !== 400) return unknown('internal');
    const [first] = this.#body;
    const body = first && this.#body.length === 1 ? first : Buffer.concat(this.#body);
    try {
      return this.#options.readReply(this.#status, body);
    } catch {
      return unknown('internal');
    }
  }

  #conclude(outcome: Outcome): void {
    if (outcome.kind === 'unknown' && SUSPECT.has(outcome.reason)) this.#options.carrier.hangUp();
    if (this.#over) this.#options.late?.came(outcome);
    else this.#settle(outcome);
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#endLateReading?.();
    this.#endLateReading = undefined;
    this.#options.carrier.end();
  }

  #settle(outcome: Outcome, fault?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTimer();
    this.#end({ outcome, status: this.#status, fault });
  }
}

/** Only the code of an error goes any further: messages and causes may quote what was sent. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_/]{0,63}$/.test(code) ? code : 'UNNAMED';
}

function diagnosis(error: Error): { readonly code: string; readonly reason: UnknownReason } {
  const code = codeOf(error);
  if (error.name === 'HTTPParserError') return { code, reason: 'garbage' };
  return { code, reason: REASONS[code] ?? 'reset' };
}
