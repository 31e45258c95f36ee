/**
 * What may be concluded about the targets. Each round gives a value of its own, made of what was measured side by side in
 * that round; where the rounds differ by more than the distance to the target, nothing is concluded, and that is said.
 */
import type { Conclusion, Metric, Occasion, SubjectResult, Verdict } from '../results.ts';
import { type CommandRow, type TargetRow, targetRows } from '../targets.ts';
import { median } from './statistics.ts';

/** Fewer tell nothing about how much they differ. */
export const ROUNDS_LEAST = 3;

/** What another command has left behind for a target. */
export type OtherMeasurement = Occasion & {
  readonly target: string;
  readonly rounds: readonly number[];
  /** How, and whatever else should be known. */
  readonly note: string;
};

type Values = {
  readonly rounds: readonly number[];
  readonly missing?: string;
  readonly note?: string;
  /** No round was sound: the numbers are shown, and nothing is concluded. */
  readonly unsound?: boolean;
  readonly measured?: Occasion;
};

export function verdictOf(
  [name, row]: readonly [string, TargetRow],
  subjects: readonly SubjectResult[],
  others: readonly OtherMeasurement[],
): Verdict {
  const { rounds, missing, note, unsound, measured } = valuesOf(name, row, subjects, others);
  const common = {
    target: row.what,
    ...(row.kind === 'command' ? {} : { subject: row.of[0] }),
    ...(measured === undefined ? {} : { measured }),
    how: howOf(row),
    unit: 'unit' in row ? row.unit : ('ratio' as const),
    smallerIsBetter: row.smallerIsBetter === true,
    atLeast: row.atLeast,
    aim: row.aim,
    rounds,
  };
  if (rounds.length === 0) return { ...common, conclusion: 'unmeasured', note: missing ?? 'not measured' };
  if (unsound) return { ...common, value: median(rounds), conclusion: 'noise', note: note ?? '' };
  const least = row.kind === 'command' ? 1 : ROUNDS_LEAST;
  return { ...common, value: median(rounds), ...conclude(rounds, row, least, note ?? '') };
}

/** The verdicts of an earlier run, with what other commands have measured since then in the place of what it knew. */
export const renewed = (verdicts: readonly Verdict[], others: readonly OtherMeasurement[]): Verdict[] =>
  verdicts.map(verdict => {
    const row = targetRows().find(([, { kind, what }]) => kind === 'command' && what === verdict.target);
    const other = others.find(({ target }) => target === row?.[0]);
    const isNewer = other && !(verdict.measured && verdict.measured.startedAt >= other.startedAt);
    return row && isNewer ? verdictOf(row, [], others) : verdict;
  });

/** The subjects of all targets that are missed: where their time goes is worth a look. */
export const missedSubjects = (subjects: readonly SubjectResult[]): ReadonlySet<string> =>
  new Set(
    targetRows()
      .map(row => verdictOf(row, subjects, []))
      .flatMap(({ conclusion, subject }) => (conclusion === 'missed' && subject !== undefined ? [subject] : [])),
  );

/** Half of the distance between the best round and the worst: what stands behind the ± of a value. */
export const noiseOf = (rounds: readonly number[]): number => (Math.max(...rounds) - Math.min(...rounds)) / 2;

type Asked = Pick<TargetRow, 'atLeast' | 'aim' | 'smallerIsBetter'>;

export function conclude(
  rounds: readonly number[],
  { atLeast, aim, smallerIsBetter }: Asked,
  roundsLeast: number,
  note: string,
): { readonly conclusion: Conclusion; readonly note: string } {
  const value = median(rounds);
  const noise = noiseOf(rounds);
  const isBeyond = (line: number) => (smallerIsBetter ? value <= line : value >= line);
  const isClear = (line: number) => noise <= Math.abs(value - line);
  if (rounds.length < roundsLeast) {
    return { conclusion: 'noise', note: `${rounds.length} of the ${roundsLeast} rounds that a conclusion needs` };
  }
  if (!isClear(atLeast)) {
    return {
      conclusion: 'noise',
      note: `the rounds differ by ± ${short(noise)}, the target is ${short(Math.abs(value - atLeast))} away`,
    };
  }
  if (!isBeyond(atLeast)) return { conclusion: 'missed', note };
  return { conclusion: isBeyond(aim) && isClear(aim) ? 'aim' : 'met', note };
}

const short = (value: number): string => String(Number(value.toPrecision(2)));

function howOf(row: TargetRow): string {
  if (row.kind === 'command') return row.command;
  const name = ([subject, metric]: readonly [string, Metric]) => `${subject}.${metric}`;
  return row.kind === 'figure' ? name(row.of) : `${name(row.of)} / ${name(row.to)}`;
}

function valuesOf(
  name: string,
  row: TargetRow,
  subjects: readonly SubjectResult[],
  others: readonly OtherMeasurement[],
): Values {
  if (row.kind === 'command') return valuesOfCommand(name, row, others);
  const of = figuresOf(row.of, subjects);
  if (of.missing !== undefined) return { rounds: [], missing: of.missing };
  if (row.kind === 'figure') return { rounds: [...of.byRound.values()], note: of.note, unsound: of.unsound };
  const to = figuresOf(row.to, subjects);
  if (to.missing !== undefined) return { rounds: [], missing: to.missing };
  const rounds = [...of.byRound].flatMap(([round, value]) => {
    const base = to.byRound.get(round);
    return base === undefined || base === 0 ? [] : [value / base];
  });
  const note = [of.note, to.note].filter(text => text !== '').join('; ');
  return { rounds, note, unsound: of.unsound || to.unsound };
}

function valuesOfCommand(name: string, { command }: CommandRow, others: readonly OtherMeasurement[]): Values {
  const found = others.find(({ target }) => target === name);
  if (!found) return { rounds: [], missing: `run ${command}` };
  const { rounds, note, startedAt, machine } = found;
  return { rounds, note, measured: { startedAt, machine } };
}

type ByRound = {
  readonly byRound: ReadonlyMap<number, number>;
  readonly missing?: string;
  readonly note: string;
  readonly unsound: boolean;
};

/** A metric of a subject by round, of the sound samples; of all, and unsound, where there is no other. */
function figuresOf([name, metric]: readonly [string, Metric], subjects: readonly SubjectResult[]): ByRound {
  const subject = subjects.find(each => each.name === name);
  const nothing = (missing: string): ByRound => ({ byRound: new Map(), missing, note: '', unsound: false });
  if (!subject) return nothing(`${name} is not part of this run`);
  if (subject.skipped !== undefined) return nothing(`${name}: ${subject.skipped}`);
  const having = subject.samples.filter(({ figures }) => figures[metric] !== undefined);
  if (having.length === 0) return nothing(`${name}: has no ${metric}`);
  const sound = having.filter(({ flaws }) => flaws.length === 0);
  const unsound = sound.length === 0;
  const flawed = having.filter(({ flaws }) => flaws.length > 0);
  const flaw = flawed[0]?.flaws[0];
  const byRound = new Map((unsound ? having : sound).map(({ round, figures }) => [round, figures[metric] ?? 0]));
  const note = flaw === undefined ? '' : `${name}: ${flaw}${unsound ? '' : ` (${flawed.length} rounds left out)`}`;
  return { byRound, note, unsound };
}
