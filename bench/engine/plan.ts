/**
 * How long everything takes: a full run, and a quick one, which must end in two minutes. Times are whole seconds, since wrk
 * takes no others.
 */
import type { ClosedRow, SubjectName, SubjectRow } from '../subjects.ts';

type Row = readonly [SubjectName, SubjectRow];

export type Plan = {
  readonly quick: boolean;
  readonly rounds: number;
  readonly rows: readonly Row[];
  /** What such a run leaves out, where nobody said what is to be measured. */
  readonly leftOut: readonly Row[];
  /** Of each measurement, and of the warm-up before it. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly operationSeconds: number;
  /** Of the rate at which an open loop stands. */
  readonly rateSeconds: number;
  /** Requests a second, ascending. */
  readonly rates: readonly number[];
  readonly profileSeconds: number;
  /** After a start, before memory is read. */
  readonly idleSeconds: number;
};

const FULL = {
  rounds: 3,
  seconds: 4,
  warmUpSeconds: 3,
  operationSeconds: 2,
  rateSeconds: 3,
  rates: [500, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000],
  profileSeconds: 4,
  idleSeconds: 2,
};
const QUICK = {
  rounds: 3,
  seconds: 1,
  warmUpSeconds: 1,
  operationSeconds: 0.4,
  rateSeconds: 1,
  rates: [500, 2_000, 4_000, 8_000],
  profileSeconds: 2,
  idleSeconds: 1,
};

export type PlanOptions = {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  /** Names of subjects; none: all of this kind of run. */
  readonly only: readonly SubjectName[];
};

export function planOf({ quick, rounds, only }: PlanOptions, all: Plan['rows']): Plan {
  const times = quick ? QUICK : FULL;
  const isIn = ([name, row]: Row) => (only.length > 0 ? only.includes(name) : !(quick && row.slow));
  const leftOut = only.length > 0 ? [] : all.filter(row => !isIn(row));
  return { ...times, quick, rows: all.filter(isIn), leftOut, rounds: rounds ?? times.rounds };
}

/** The rows of a round: every other one backwards, so that what changes slowly hits all alike. */
export const inOrder = <T>(rows: readonly T[], round: number): readonly T[] =>
  round % 2 === 0 ? rows.toReversed() : rows;

const hasPicture = (row: SubjectRow, quick: boolean): boolean =>
  row.kind === 'rates' || (row.kind === 'closed' && (row.profile === 'always' || (row.profile === 'full' && !quick)));

/**
 * What gets a picture of its own after the rounds; in a full run also the loads and starts that missed their targets, since
 * a miss comes with its profile.
 */
export const picturesOf = ({ rows, quick }: Plan, missed: ReadonlySet<string>): readonly Row[] =>
  rows.filter(([name, row]) => hasPicture(row, quick) || (!quick && row.kind !== 'operation' && missed.has(name)));

/** Warm-up before a rate of an open loop, once the peer has been through some. */
export const RATE_WARM_UP_SECONDS = 1;

/**
 * Seconds that pass beside what is measured, each as seen on a machine of two slow cores: everything around a run, the start and end of
 * a peer, of an operation's process with its own warm-up, writing and reading a profile, and sealing the messages of one
 * second of load.
 */
const BESIDE = { run: 3, peer: 1, operation: 1.5, profile: 2, sealing: 0.6 };

/** About how long a run takes where nothing has to wait for anything else and each row is there to be measured. */
export function plannedSeconds(plan: Plan): number {
  const { rows, rounds, rates, rateSeconds, operationSeconds, idleSeconds } = plan;
  const secondsOf = (row: SubjectRow): number => {
    if (row.kind === 'operation') return rounds * (BESIDE.operation + operationSeconds);
    if (row.kind === 'start') return rounds * (BESIDE.peer + idleSeconds);
    if (row.kind === 'rates') return BESIDE.peer + rates.length * (rateSeconds + RATE_WARM_UP_SECONDS);
    return closedSeconds(plan, row);
  };
  return BESIDE.run + rows.reduce((sum, [, row]) => sum + secondsOf(row), 0);
}

function closedSeconds(plan: Plan, row: ClosedRow): number {
  const { quick, rounds, seconds, profileSeconds } = plan;
  const warmUp = warmUpOf(plan, row);
  const [starts, life] = quick ? [1, warmUp + rounds * seconds] : [rounds, warmUp + seconds];
  // Made once, and used by all starts of a peer.
  const sealing = row.load === 'jwe' ? BESIDE.sealing * life : 0;
  const profile = hasPicture(row, quick) ? BESIDE.peer + BESIDE.profile + plan.warmUpSeconds + profileSeconds : 0;
  return starts * (BESIDE.peer + life) + sealing + profile;
}

/** A quick run has no time for longer ones. */
export const warmUpOf = ({ quick, warmUpSeconds }: Plan, row: ClosedRow): number =>
  quick ? warmUpSeconds : Math.max(warmUpSeconds, row.warmUpSeconds ?? 0);
