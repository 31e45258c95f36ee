/**
 * One worker from its start to its end, as its supervisor sees it: what it said of its start, whether it still answers, what
 * it last counted, and how it ended.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Extent } from '../runtime/metrics.ts';
import type { MetricsPart, MetricsSum, WorkerEnd } from '../runtime/metricsSum.ts';
import { Caller, NoAnswer } from './caller.ts';
import type { Answered, Asked, CallName, Given, Started } from './calls.ts';
import type { Ended, WorkerProcess } from './processes.ts';

/** A start asks the journal for ten seconds at most, and a busy machine takes its time for the rest. */
const START_WITHIN_MS = 60_000;
/** How often a worker is asked what it has counted: so much is lost where it is killed. */
const BEAT_MS = 5000;
/** Nothing in a worker takes this long; by now all its callers have given up. */
const HUNG_MS = 20_000;

export type RunEnd = { readonly how: WorkerEnd; readonly code: number | null; readonly signal: string | null };

export type RunDeps = { readonly clock: Clock; readonly metrics: MetricsSum };

export class Run {
  readonly worker: number;
  readonly pid: number;
  /** Never rejects. */
  readonly started: Promise<Started>;
  readonly ended: Promise<RunEnd>;
  readonly given: Given;
  /** What it last told of itself. */
  last: MetricsPart | undefined;
  state: 'starting' | 'serving' | 'ended' = 'starting';
  readonly #process: WorkerProcess;
  readonly #caller: Caller;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #metrics: MetricsSum;
  /** Why we killed it. */
  #killed: 'hung' | 'replaced' | undefined;

  constructor(process: WorkerProcess, given: Given, { clock, metrics }: RunDeps) {
    this.worker = given.share.worker;
    this.pid = process.pid;
    this.given = given;
    this.#process = process;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#caller = new Caller(message => process.send(message), clock);
    process.onTold(told => {
      if ('last' in told) this.last = told.last;
      else this.#caller.take(told);
    });
    this.ended = process.ended.then(ended => this.#end(ended));
    this.started = this.#start(given);
  }

  /** @throws NoAnswer */
  ask<Name extends CallName>(call: Name, asked: Asked<Name>, withinMs: number): Promise<Answered<Name>> {
    return this.#caller.ask(call, asked, withinMs);
  }

  /** Has it tell what it has counted; false where it does not within that time. */
  async count(extent: Extent, withinMs: number): Promise<boolean> {
    try {
      this.last = await this.ask('metrics', extent, withinMs);
      return true;
    } catch {
      return false;
    }
  }

  /** Asks for the orderly end; `ended` tells when. */
  drain(): void {
    this.ask('drain', undefined, HUNG_MS).catch(() => undefined);
  }

  kill(): void {
    this.#process.kill();
  }

  /** Ends it at once, for another one in its place. */
  replace(): void {
    this.#killed = 'replaced';
    this.kill();
  }

  async #start(given: Given): Promise<Started> {
    let started: Started;
    try {
      started = await this.ask('start', given, START_WITHIN_MS);
    } catch (error) {
      const isLate = error instanceof NoAnswer && error.why === 'late';
      this.kill();
      const { code, signal } = await this.ended;
      const ending = signal === null ? `exit code ${code}` : signal;
      const why = isLate ? `did not start within ${START_WITHIN_MS / 1000} s` : `ended with ${ending} as it started`;
      started = { kind: 'failed', why: `worker ${this.worker} ${why}` };
    }
    if (started.kind === 'listening' && this.state === 'starting') {
      this.state = 'serving';
      void this.#watch();
    }
    return started;
  }

  async #watch(): Promise<void> {
    for (;;) {
      await this.#clock.sleep(BEAT_MS, this.#over.signal);
      if (this.state === 'ended') return;
      if ((await this.count('counts', HUNG_MS)) || this.#over.signal.aborted) continue;
      this.#killed = 'hung';
      this.kill();
      return;
    }
  }

  #end({ code, signal }: Ended): RunEnd {
    this.state = 'ended';
    this.#over.abort();
    this.#caller.end();
    // It ends with 0 where it was asked to, by us or by an operator's SIGTERM, and in no other case.
    const how = this.#killed ?? (code === 0 ? 'drained' : signal === null ? 'exit' : 'signal');
    // In the same step in which it serves no more: what it counted is always in the sum, and once.
    if (this.last) this.#metrics.keep(this.last);
    this.#metrics.ended(how);
    return { how, code, signal };
  }
}
