/**
 * How long everything takes: a full run, and a quick one, which must end in two minutes. Times are whole seconds, since wrk
 * takes no others.
 */
import type { SubjectName, SubjectRow } from '../subjects.ts';

export type Plan = {
  readonly quick: boolean;
  readonly rounds: number;
  readonly rows: readonly (readonly [SubjectName, SubjectRow])[];
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
  const rows = all.filter(([name, row]) => (only.length > 0 ? only.includes(name) : !(quick && row.slow)));
  return { ...times, quick, rows, rounds: rounds ?? times.rounds };
}

/** The rows of a round: every other one backwards, so that what changes slowly hits all alike. */
export const inOrder = <T>(rows: readonly T[], round: number): readonly T[] =>
  round % 2 === 0 ? rows.toReversed() : rows;

/** What gets a picture of its own after the rounds. */
export const hasPicture = (row: SubjectRow, quick: boolean): boolean =>
  row.kind === 'rates' || (row.kind === 'closed' && (row.profile === 'always' || (row.profile === 'full' && !quick)));
