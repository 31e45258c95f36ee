/**
 * The tables at the end of a run, for the console: what was measured, and what may be said about the targets.
 */
import { noiseOf } from '../engine/verdicts.ts';
import type { BenchResult, Metric, SubjectResult, Verdict } from '../results.ts';
import { asked, CONCLUSIONS, figure, inUnit, latency } from './numbers.ts';

const COLUMNS: readonly (readonly [title: string, metric: Metric])[] = [
  ['per CPU-s', 'perCpuSecond'],
  ['per second', 'perSecond'],
  ['p50', 'p50Us'],
  ['p99', 'p99Us'],
  ['memory', 'rssMiB'],
];

/** Both tables, and what should be known about the run. */
export function textOf(result: BenchResult): string {
  return [
    subjectTable(result.subjects),
    '',
    verdictTable(result.verdicts),
    ...missedLines(result).map(line => `  ${line}`),
    '',
    ...result.warnings.map(warning => `! ${warning}`),
  ].join('\n');
}

function subjectTable(subjects: readonly SubjectResult[]): string {
  const measured = subjects.filter(({ samples }) => samples.length > 0);
  const head = ['', ...COLUMNS.map(([title]) => title), '±'];
  const rows = measured.map(subject => [
    subject.what,
    ...COLUMNS.map(([, metric]) => figure(subject.median, metric)),
    spreadOf(subject),
  ]);
  const skipped = subjects
    .filter(({ skipped: why }) => why !== undefined)
    .map(({ what, skipped: why }) => `  ${what}: ${why}`);
  const flawed = measured.flatMap(({ what, samples }) => {
    const bad = samples.filter(({ flaws }) => flaws.length > 0);
    return bad.length === 0 ? [] : [`  ${what}: ${bad.length} of ${samples.length} rounds, ${bad[0]?.flaws[0] ?? ''}`];
  });
  const notes = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines]);
  return [
    aligned([head, ...rows], [0]),
    ...notes('Not measured:', skipped),
    ...notes('Not to be believed:', flawed),
  ].join('\n');
}

/** How far the rounds lie apart, in percent of their median, by the first of the figures that there is. */
export function spreadOf({ samples, median }: SubjectResult): string {
  const metric = (['perCpuSecond', 'perSecond', 'startMs'] as const).find(each => median[each] !== undefined);
  const middle = metric === undefined ? undefined : median[metric];
  if (metric === undefined || middle === undefined || samples.length < 2) return '';
  return `${Math.round((noiseOf(samples.flatMap(({ figures }) => figures[metric] ?? [])) / middle) * 100)} %`;
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const head = ['target', 'measured', 'at least', 'aim', '', ''];
  const rows = verdicts.map(verdict => [
    verdict.target,
    measuredText(verdict),
    asked(verdict.atLeast, verdict),
    asked(verdict.aim, verdict),
    CONCLUSIONS[verdict.conclusion],
    noteOf(verdict),
  ]);
  return aligned([head, ...rows], [0, 4, 5]);
}

/** What to know about a number; of one that another command has measured, when that was, and how busy the machine. */
export function noteOf({ note, measured }: Verdict): string {
  const when = measured && `${measured.startedAt.slice(0, 10)}, load before ${measured.machine.loadBefore}`;
  return [note, when ?? ''].filter(text => text !== '').join('; ');
}

/** More parts than these explain nothing. */
const PARTS_SHOWN = 6;

/** Where the CPU time of one request, or of a start, goes, the largest parts first; undefined where nobody has looked. */
export function profileText({ subject: name }: Verdict, subjects: readonly SubjectResult[]): string | undefined {
  const subject = subjects.find(each => each.name === name);
  const parts = subject?.cpuParts?.slice(0, PARTS_SHOWN).map(part => `${part.name} ${latency(part.usPerRequest)}`);
  return subject && parts && `CPU of ${subject.what} by part: ${parts.join(', ')}`;
}

/** The targets that are missed, with their numbers, and once for each subject the profile that says why. */
export function missedLines({ verdicts, subjects }: Pick<BenchResult, 'verdicts' | 'subjects'>): string[] {
  const missed = verdicts.filter(({ conclusion }) => conclusion === 'missed');
  return [...Map.groupBy(missed, ({ subject }) => subject).values()].flatMap(([first, ...rest]) => {
    if (!first) return [];
    const why = profileText(first, subjects) ?? 'No profile was made of it';
    return `Missed: ${[first, ...rest].map(missText).join('; ')}. ${why}.`;
  });
}

const missText = (verdict: Verdict): string =>
  `${verdict.target}, ${measuredText(verdict)} where ${asked(verdict.atLeast, verdict)} is asked`;

/** The median and, where there are several rounds, what stands behind its ±. */
export function measuredText({ value, rounds, unit }: Verdict): string {
  if (value === undefined) return '–';
  return rounds.length < 2 ? inUnit(value, unit) : `${inUnit(value, unit)} ± ${inUnit(noiseOf(rounds), unit)}`;
}

/** Columns one beside the other: those of text to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[], textColumns: readonly number[]): string {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map(row => (row[column] ?? '').length)),
  );
  const isText = (column: number) => textColumns.includes(column);
  return rows
    .map(row =>
      row
        .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
