/**
 * The operator's side of all workers together, for the one admin port: one page of numbers, one readiness, and what is said
 * once, of revocations and standby, holding in every worker when the answer is given.
 */
import type { Config } from '../config/config.ts';
import { tokenDigest } from '../edge/accessToken.ts';
import type { AdminOptions, Readiness } from '../http/admin.ts';
import type { AdminRevocations } from '../http/adminRevocations.ts';
import type { AdminStandby } from '../http/adminStandby.ts';
import type { MetricsSum } from '../runtime/metricsSum.ts';
import type { CallName, WorkerCalls } from './calls.ts';
import type { Run } from './run.ts';
import type { Supervisor } from './supervisor.ts';

/** Probes and scrapers give up soon, too; a worker that is asked for what the journal knows waits two seconds for it. */
const ANSWER_WITHIN_MS = 3000;
/** The journal may take its time over what an operator asks for. */
const OPERATION_WITHIN_MS = 10_000;

export type TogetherDeps = {
  readonly supervisor: Supervisor;
  readonly config: Config;
  readonly metrics: MetricsSum;
  readonly alsoReady: () => boolean;
};

type Surface = Pick<AdminOptions, 'metrics' | 'readiness' | 'isAlive' | 'revocations' | 'standby'>;

export const together = (deps: TogetherDeps): Surface => {
  const { supervisor, metrics } = deps;
  return {
    metrics: { contentType: metrics.contentType, text: () => page(deps) },
    readiness: () => readinessOf(deps),
    isAlive: async () => {
      // One that has just ended is being replaced; one that does not answer is as dead as a process that does not.
      const { serving } = supervisor;
      const all = await askAll(serving, run => run.ask('readiness', undefined, ANSWER_WITHIN_MS));
      return serving.every(({ state }, at) => state === 'ended' || all[at] !== undefined);
    },
    revocations: revocationsOf(supervisor),
    standby: standbyOf(deps),
  };
};

/** One worker tells of the journal that all of them share. One that does not answer in time is there with what it last told. */
const page = async ({ supervisor, metrics }: TogetherDeps): Promise<string> => {
  const [first, ...others] = supervisor.serving;
  await Promise.all([
    first?.count('whole', ANSWER_WITHIN_MS),
    ...others.map(run => run.count('own', ANSWER_WITHIN_MS)),
  ]);
  return metrics.text(() => supervisor.serving.flatMap(({ last }) => (last ? [last] : [])));
};

const UNANSWERED: Readiness = { config: false, journal: false, draining: false, standby: false, amnesia: false };

const readinessOf = async ({ supervisor, alsoReady }: TogetherDeps): Promise<Readiness> => {
  const serving = supervisor.serving;
  const asked = serving.map(run => run.ask('readiness', undefined, ANSWER_WITHIN_MS).catch(() => ended(run)));
  const told = (await Promise.all(asked)).filter(each => each !== undefined);
  // One that drains by itself was told to by an operator, and is about to be replaced; connections go to the others.
  const all = supervisor.isEnding ? told : told.filter(({ draining }) => !draining);
  const someone = all.length > 0;
  return {
    config: supervisor.isUp && alsoReady() && someone && all.every(({ config }) => config),
    journal: someone && all.every(({ journal }) => journal),
    draining: supervisor.isEnding,
    standby: all.some(({ standby }) => standby),
    amnesia: all.some(({ amnesia }) => amnesia),
  };
};

/** One that ended over the question does not serve any more; one that does not answer serves badly. */
const ended = ({ state }: Run): Readiness | undefined => (state === 'ended' ? undefined : UNANSWERED);

const revocationsOf = (supervisor: Supervisor): AdminRevocations => {
  /** The first worker writes it to the journal; the others read it from there at once. */
  const inAll = async <End>(act: (run: Run) => Promise<End>): Promise<End> => {
    const [first, ...others] = someOf(supervisor);
    const end = await act(first);
    // The journal is away: it holds in each that is told, until it can be written.
    if (end === 'unwritten') await askAll(others, act);
    if (end === 'done') await askAll(others, run => run.ask('revoked', undefined, OPERATION_WITHIN_MS));
    return end;
  };
  return {
    revoke: asked => inAll(run => run.ask('revoke', asked, OPERATION_WITHIN_MS)),
    lift: client => inAll(run => run.ask('lift', client, OPERATION_WITHIN_MS)),
    list: async () => (await one(supervisor, 'revoked')) ?? undefined,
    digestOf: tokenDigest,
  };
};

const standbyOf = ({ supervisor, config }: TogetherDeps): AdminStandby => ({
  set: async location => {
    const told = await askAll(someOf(supervisor), run => run.ask('setStandby', location, OPERATION_WITHIN_MS));
    return told.every(isDone => isDone === true);
  },
  said: () => one(supervisor, 'standby'),
  basePath: config.server.basePath,
});

/** Asks one worker what all of them know. */
const one = <Name extends Extract<CallName, 'revoked' | 'standby'>>(
  supervisor: Supervisor,
  name: Name,
): ReturnType<WorkerCalls[Name]> =>
  someOf(supervisor)[0].ask(name, undefined, OPERATION_WITHIN_MS) as ReturnType<WorkerCalls[Name]>;

/** @throws Error where no worker serves; the operator repeats. */
const someOf = ({ serving }: Supervisor): readonly [Run, ...Run[]] => {
  const [first, ...others] = serving;
  if (!first) throw new Error('no worker serves now');
  return [first, ...others];
};

/** What each says; undefined where it does not. */
const askAll = async <T>(runs: readonly Run[], ask: (run: Run) => Promise<T>): Promise<(T | undefined)[]> =>
  Promise.all(runs.map(run => ask(run).catch(() => undefined)));
