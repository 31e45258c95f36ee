/**
 * Keeps the workers of one gateway: starts them, replaces one that ended, has all of them take over a configuration or none,
 * and ends them. It serves no call and needs no journal, so that there is little that could end it; what a worker leaves
 * behind is finished by the others when its leases end, as with any gateway that crashed.
 */
import { formatProblem, type Problem } from '../config/config.ts';
import { BUDGET_MS_MOST } from '../config/limits.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { isOrderly, type MetricsSum } from '../runtime/metricsSum.ts';
import type { Started } from './calls.ts';
import type { Fork } from './processes.ts';
import { Run } from './run.ts';

/** So many in a row that did not live: the next will not, either. */
const FAILURES_MOST = 5;
/** One that served this long had a good start, whatever ended it. */
const STABLE_MS = 10_000;
/** After the first failure the next is started at once, and then after this, doubling: a second and a half in all. */
const BACKOFF_FIRST_MS = 200;
/** Between two starts while the journal is away; each of them has asked it for some seconds. */
const JOURNAL_AWAY_PAUSE_MS = 1000;
/** What a worker says at once, or does not know. */
const READINESS_WITHIN_MS = 3000;
/** A worker asks the journal for ten seconds at most what is still needed. */
const PREPARE_WITHIN_MS = 15_000;
/** It takes over in one go. */
const COMMIT_WITHIN_MS = 5000;
/** The longest call, the longest try of a delivery, which run at the same time, and what follows them. */
const DRAIN_WITHIN_MS = BUDGET_MS_MOST + 30_000;

export type SupervisorDeps = {
  readonly workers: number;
  readonly fork: Fork;
  readonly snapshot: Snapshot;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricsSum;
};

type Followed = { readonly isFailure: boolean; readonly hasStarted: boolean; readonly why: string };

export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #runs = new Map<number, Run>();
  readonly #ending = new AbortController();
  readonly #kept: Promise<unknown>[] = [];
  readonly #failure = Promise.withResolvers<string>();
  /** What the workers run with, and what is started from now on. */
  #snapshot: Snapshot;
  #isUp = false;
  /** Whether every worker that was asked to end did so in good order. */
  #isClean = true;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#snapshot = deps.snapshot;
  }

  /** The workers that serve now. */
  get serving(): readonly Run[] {
    return [...this.#runs.values()].filter(({ state }) => state === 'serving');
  }

  /** All have been there once. */
  get isUp(): boolean {
    return this.#isUp;
  }

  get isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Resolves with the reason where a worker cannot be kept up; then nothing more is started. */
  get failure(): Promise<string> {
    return this.#failure.promise;
  }

  /** Starts all workers. Where one does not get there, none is left, and that is what is told. */
  async start(): Promise<Started> {
    const { workers } = this.#deps;
    const first: Run[] = [];
    for (let worker = 1; worker <= workers; worker += 1) first.push(this.#begin(worker));
    const started = await firstThatFailed(first);
    if (started.kind === 'listening') {
      this.#isUp = true;
      for (const run of first) this.#kept.push(this.#keep(run));
      return started;
    }
    this.#ending.abort();
    // Those that listen already may have taken calls on.
    const serving = first.filter(({ state }) => state === 'serving');
    for (const run of first) if (!serving.includes(run)) run.kill();
    await this.#drained(serving, Promise.all(first.map(run => run.ended)));
    return started;
  }

  /**
   * Has every worker take over a configuration. Each proves first that it can; where one cannot, or does not say so, none
   * does. One that then fails to, and one that was being started meanwhile, is started anew with it.
   */
  async reload(next: Snapshot): Promise<readonly Problem[]> {
    const asked = this.serving;
    const replies = await Promise.all(asked.map(run => prepared(run, next)));
    const problems = eachOnce(replies.flat());
    if (asked.length === 0) problems.push(unprepared(next, 'no worker is there to take it over'));
    if (problems.length > 0 || this.isEnding) {
      for (const run of asked) run.ask('prepare', null, PREPARE_WITHIN_MS).catch(() => undefined);
      return problems;
    }
    this.#snapshot = next;
    for (const run of this.#runs.values()) if (!asked.includes(run)) run.replace();
    await Promise.all(asked.map(run => run.ask('commit', undefined, COMMIT_WITHIN_MS).catch(() => run.replace())));
    return [];
  }

  /** Ends all workers in good order; whether that is how they ended, all of them. */
  async drain(): Promise<boolean> {
    this.#ending.abort();
    await this.#drained([...this.#runs.values()], Promise.all(this.#kept));
    return this.#isClean;
  }

  /** Has them end in good order, and ends those that have not in time, until all is over. */
  async #drained(runs: readonly Run[], over: Promise<unknown>): Promise<void> {
    for (const run of runs) run.drain();
    const cancel = this.#deps.clock.after(DRAIN_WITHIN_MS, () => {
      for (const run of runs) run.kill();
    });
    await over;
    cancel();
  }

  #begin(worker: number): Run {
    const { workers, fork } = this.#deps;
    const run = new Run(fork(), { snapshot: this.#snapshot, share: { worker, workers } }, this.#deps);
    this.#runs.set(worker, run);
    return run;
  }

  /** One worker after the other in the same place, as long as the gateway runs. */
  async #keep(first: Run): Promise<void> {
    const { clock } = this.#deps;
    let failures = 0;
    for (let run = first; ; run = this.#begin(first.worker)) {
      const { isFailure, hasStarted, why } = await this.#follow(run);
      if (this.isEnding) return;
      const isWaiting = isFailure && !hasStarted && (await this.#isJournalAway());
      if (!isWaiting) failures = isFailure ? failures + 1 : 0;
      if (failures >= FAILURES_MOST) return this.#fail(`${why}, ${failures} times in a row`);
      if (isWaiting) await clock.sleep(JOURNAL_AWAY_PAUSE_MS, this.#ending.signal);
      else if (failures > 1) await clock.sleep(BACKOFF_FIRST_MS * 2 ** (failures - 2), this.#ending.signal);
      if (this.isEnding) return;
    }
  }

  /**
   * Whether one that serves misses the journal. Then no other can start, which is no reason to end those that serve: they
   * alone know what the journal held, should it come back with less.
   */
  async #isJournalAway(): Promise<boolean> {
    const asked = this.serving.map(run => run.ask('readiness', undefined, READINESS_WITHIN_MS).catch(() => undefined));
    return (await Promise.all(asked)).some(said => said?.journal === false);
  }

  /** One worker to its end: whether it ever served, whether it failed to live, and what there is to say about that. */
  async #follow(run: Run): Promise<Followed> {
    const { clock, log } = this.#deps;
    const { worker, pid } = run;
    const started = await run.started;
    const since = clock.monotonicMs();
    if (started.kind === 'listening') log.info('worker', { state: 'serving', worker, pid });
    const { how, code, signal } = await run.ended;
    if (this.isEnding && !isOrderly(how)) this.#isClean = false;
    const fields = { state: 'ended', worker, pid, result: how, code: code ?? undefined, signal: signal ?? undefined };
    if (isOrderly(how)) log.info('worker', fields);
    else log.error('worker', fields);
    const why = whyOf(started) ?? `worker ${worker} ended with ${signal ?? `exit code ${code}`} soon after its start`;
    const isFailure = !isOrderly(how) && clock.monotonicMs() - since < STABLE_MS;
    return { isFailure, hasStarted: started.kind === 'listening', why };
  }

  #fail(why: string): void {
    this.#isClean = false;
    this.#deps.log.error('alarm', { kind: 'worker', what: why });
    this.#failure.resolve(why);
  }
}

/** What the first one says that did not get there; where all did, what one of them says. */
const firstThatFailed = (runs: readonly Run[]): Promise<Started> =>
  new Promise(resolve => {
    const all = runs.map(async run => {
      const started = await run.started;
      if (started.kind !== 'listening') resolve(started);
      return started;
    });
    void Promise.all(all).then(([first]) => first && resolve(first));
  });

const whyOf = (started: Started): string | undefined => {
  if (started.kind === 'listening') return undefined;
  return started.kind === 'failed' ? started.why : started.problems.map(formatProblem).join('; ');
};

const prepared = async (run: Run, next: Snapshot): Promise<readonly Problem[]> => {
  try {
    return await run.ask('prepare', next, PREPARE_WITHIN_MS);
  } catch {
    return [unprepared(next, `worker ${run.worker} did not say whether it can take this over`)];
  }
};

const unprepared = ({ path }: Snapshot, what: string): Problem => ({
  ...{ file: path, line: 1, path: 'server.workers', what },
  mend: 'look for what its log says, then reload again',
});

/** All workers have the same problems. */
const eachOnce = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map(problem => [formatProblem(problem), problem])).values(),
];
