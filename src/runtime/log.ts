/**
 * The log: one line of JSON for each request, written when it is over, and one for each event of operation. What may be
 * in a line is a list of names with scalar values; there is no way to log a message, a header or an error's text, so
 * card data and credentials cannot get here (I14). Losing the log never stops the work (F72).
 */
import { pino } from 'pino';
import type { RefusalReason } from '../domain/refusal.ts';
import type { OauthRecord, RequestRecord } from '../http/journey.ts';
import type { Clock } from './clock.ts';
import { BatchSink, type LogSink } from './logSink.ts';

/** What happened. A closed list: searches and alarms are built on it. */
export type LogEvent =
  | 'started'
  | 'listening'
  | 'draining'
  | 'stopped'
  | 'configWarning'
  | 'configProblem'
  | 'reloaded'
  | 'reloadRefused'
  | 'breaker'
  | 'journalUp'
  | 'journalDown'
  | 'journalWarning'
  | 'takeover'
  | 'delivery'
  | 'lateAnswer'
  | 'alarm'
  | 'defect'
  | 'expiry'
  | 'revoked'
  | 'revocationLifted'
  | 'standby'
  | 'worker'
  | 'linesNotLogged'
  | 'linesDropped';

/** The names that a line may hold, and no others. */
const LOG_FIELDS = [
  'requestId',
  'clientId',
  'participantId',
  'tranId',
  'api',
  'issuer',
  'kind',
  'reason',
  'result',
  'state',
  'code',
  'count',
  'tries',
  'ms',
  'host',
  'port',
  'file',
  'line',
  'path',
  'what',
  'mend',
  'version',
  'signal',
  'worker',
  'pid',
] as const;
export type LogField = (typeof LOG_FIELDS)[number];
export type LogFields = { readonly [Name in LogField]?: string | number | boolean | undefined };

export type Log = {
  /** The line of one finished request. Refusals for one reason are sampled: their number is told, not each of them. */
  readonly request: (record: RequestRecord) => void;
  /** The line of one finished request to the authorization server; all but tokens that were issued are sampled likewise. */
  readonly oauth: (record: OauthRecord) => void;
  readonly info: (event: LogEvent, fields?: LogFields) => void;
  readonly warn: (event: LogEvent, fields?: LogFields) => void;
  readonly error: (event: LogEvent, fields?: LogFields) => void;
  /** Something that should not have happened: its type, its code and where, but not its text, which may quote input. */
  readonly defect: (error: unknown, requestId?: string) => void;
  /** Resolves when all lines are written, or half a second later. For the end; a quiet log is written anyway. */
  readonly flush: () => Promise<void>;
};

export type LogOptions = {
  readonly clock: Clock;
  /** A file descriptor, a file, or for tests a sink that is given each line; standard output by default. */
  readonly destination?: number | string | LogSink;
  /** Which process of several writes; in each of its lines. */
  readonly worker?: number;
};

/** Longer values are cut. */
const VALUE_LENGTH_MAX = 300;
/** A flood of the same says no more than this many lines of it each second. */
const LINES_PER_SECOND = 20;
const FRAMES_MAX = 8;

/** The log of this process. */
export const createLog = (options: LogOptions): Log => {
  const { clock, destination = 1, worker } = options;
  const onDropped = (count: number) => warn('linesDropped', { count });
  const sink: LogSink =
    typeof destination === 'object' ? destination : new BatchSink({ destination, clock, onDropped });
  const timeOf = createTimeText();
  const timestamp = () => `,"time":"${timeOf(clock.wallMs())}"`;
  const base = worker === undefined ? null : { worker };
  const logger = pino({ base, timestamp, formatters: { level: label => ({ level: label }) } }, sink);
  const bindings = worker === undefined ? '' : `,"worker":${worker}`;
  /** A line in the logger's form, for what there is one of in every request: the logger itself takes twice the time. */
  const often = (level: 'info' | 'error', line: object): void =>
    sink.write(`{"level":"${level}"${timestamp()}${bindings},${JSON.stringify(line).slice(1)}\n`);
  /** What happens seldom does not wait for the lines of a batch: somebody may be looking for it. */
  const seldom =
    (level: 'info' | 'warn' | 'error') =>
    (event: LogEvent, fields: LogFields = {}): void => {
      logger[level]({ event, ...permitted(fields) });
      if (sink instanceof BatchSink) sink.begin();
    };
  const warn = seldom('warn');
  const sampler = new Sampler(clock, (reason, count) => warn('linesNotLogged', { reason, count }));
  return {
    request: record => {
      if (record.outcome === 'refused' && record.refusal && !sampler.admits(record.refusal)) return;
      often(record.outcome === 'failed' ? 'error' : 'info', lineOf(record));
    },
    oauth: record => {
      // Anyone may ask for the documents, as often as they like.
      if (record.result !== 'issued' && !sampler.admits(record.result)) return;
      often(record.result === 'failed' ? 'error' : 'info', oauthLineOf(record));
    },
    info: seldom('info'),
    warn,
    error: seldom('error'),
    defect: (error, requestId) => logger.error({ event: 'defect', requestId, ...traceOf(error) }),
    flush: async () => {
      if (sink instanceof BatchSink) await sink.flush();
    },
  };
};

/** ISO 8601 texts of moments. What it made of a second serves for the rest of it: a call has its line in each of them. */
const createTimeText = (): ((wallMs: number) => string) => {
  let second = Number.NaN;
  let begin = '';
  return wallMs => {
    const ms = Math.floor(wallMs);
    const present = Math.floor(ms / 1000);
    if (present !== second) {
      second = present;
      begin = new Date(present * 1000).toISOString().slice(0, -'000Z'.length);
    }
    return `${begin}${String(ms - present * 1000).padStart(3, '0')}Z`;
  };
};

/** Only what is named here is taken, whatever else the record may carry. */
const lineOf = (record: RequestRecord) => ({
  event: 'request',
  requestId: record.requestId,
  clientId: record.clientId,
  peer: clean(record.peer),
  api: record.api,
  issuer: record.issuer,
  status: record.status,
  code: record.code,
  outcome: record.outcome,
  refusal: record.refusal,
  detail: record.detail,
  kid: record.kid,
  replayed: record.replayed,
  card: record.maskedCard,
  ms: rounded(record.totalMs),
  issuerMs: rounded(record.issuerMs),
  journalMs: rounded(record.journalMs),
});

const oauthLineOf = (record: OauthRecord) => ({
  event: 'oauth',
  requestId: record.requestId,
  clientId: record.clientId,
  peer: clean(record.peer),
  endpoint: record.endpoint,
  status: record.status,
  result: record.result,
  token: record.token,
  ms: rounded(record.totalMs),
});

const rounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 100) / 100;

const permitted = (fields: LogFields): Record<string, string | number | boolean> => {
  const line: Record<string, string | number | boolean> = {};
  for (const name of LOG_FIELDS) {
    const value: unknown = fields[name];
    if (typeof value === 'string') line[name] = clean(value);
    else if (typeof value === 'number' || typeof value === 'boolean') line[name] = value;
  }
  return line;
};

/**
 * Characters that JSON leaves as they are but that make a terminal or a viewer show something else than the log says:
 * C1 controls, zero-width and bidirectional ones, line separators.
 */
const DECEPTIVE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const clean = (text: string): string =>
  text
    .slice(0, VALUE_LENGTH_MAX)
    .replace(DECEPTIVE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

const NAME = /^\w{1,60}$/;

const traceOf = (error: unknown): { kind: string; code?: string; at?: readonly string[] } => {
  if (!(error instanceof Error)) return { kind: typeof error };
  const code = 'code' in error && typeof error.code === 'string' && NAME.test(error.code) ? { code: error.code } : {};
  // The stack begins with the message, which may quote what a caller sent; only what follows it is ours.
  const stack = error.stack ?? '';
  const frames = stack.slice(stack.lastIndexOf(error.message) + error.message.length).split('\n');
  const at = frames.map(frame => clean(frame.trim())).filter(frame => frame.startsWith('at '));
  return { kind: NAME.test(error.name) ? error.name : 'Error', ...code, at: at.slice(0, FRAMES_MAX) };
};

/** A reason of either list. */
type SampledReason = RefusalReason | OauthRecord['result'];

type Window = { readonly startedAt: number; seen: number; dropped: number };

/** Lets the first lines of each reason through each second, and tells how many more there were (F87). */
class Sampler {
  readonly #clock: Clock;
  readonly #report: (reason: SampledReason, count: number) => void;
  readonly #windows = new Map<SampledReason, Window>();

  constructor(clock: Clock, report: (reason: SampledReason, count: number) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  admits(reason: SampledReason): boolean {
    const window = this.#windowOf(reason);
    window.seen += 1;
    if (window.seen <= LINES_PER_SECOND) return true;
    window.dropped += 1;
    if (window.dropped === 1) this.#clock.after(1000, () => this.#close(reason, window));
    return false;
  }

  #windowOf(reason: SampledReason): Window {
    const now = this.#clock.monotonicMs();
    const present = this.#windows.get(reason);
    if (present && now - present.startedAt < 1000) return present;
    const fresh: Window = { startedAt: now, seen: 0, dropped: 0 };
    this.#windows.set(reason, fresh);
    return fresh;
  }

  #close(reason: SampledReason, window: Window): void {
    if (this.#windows.get(reason) === window) this.#windows.delete(reason);
    this.#report(reason, window.dropped);
  }
}
