/**
 * The report of a load run: its form as it is written to `load.json`, and as a table for the terminal. Amounts are text,
 * latencies milliseconds; there is no credential in it.
 */
import type { Percentiles } from './latencies.ts';
import { KINDS_OF_DIFFERENCE } from './money.ts';
import type { LoopReport } from './openLoop.ts';
import type { AnswerReport, KindReport, Slot } from './tally.ts';
import type { Verdict } from './verdict.ts';
import type { MoneyReport } from './witness.ts';
import { many, ms } from './words.ts';

export type LoadReport = {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly target: string;
  readonly caller: string;
  readonly cards: number;
  readonly asked: {
    readonly ratePerSecond: number;
    readonly rampMs: number;
    readonly durationMs: number;
    readonly mix: string;
    readonly maxOutstanding: number;
    readonly tries: number;
    readonly timeoutMs: number;
  };
  readonly loop: LoopReport;
  readonly totals: { readonly done: number; readonly failed: number; readonly repeats: number };
  /** From when calls were due until they were told, by kind. */
  readonly kinds: readonly KindReport[];
  readonly answers: readonly AnswerReport[];
  /** From sending each request to its answer, of all kinds: not corrected for what had to wait. */
  readonly requests: Percentiles;
  readonly slots: readonly Slot[];
  /** Transactions that the money check looked at. */
  readonly calls: number;
  /** Asked again after the load, because their outcome was open. */
  readonly askedAgain: number;
  readonly stillOpen: readonly string[];
  readonly replays: { readonly made: number; readonly unmarked: number };
  readonly money: MoneyReport;
  readonly verdict: Verdict;
};

/** So many differences are shown; the file has them all. */
export const DIFFERENCES_SHOWN = 20;

const COLUMNS = ['calls', 'p50', 'p90', 'p99', 'p99.9', 'max'] as const;

/** The figures of a row, under `COLUMNS`. */
export const cells = ({ count, p50Ms, p90Ms, p99Ms, p999Ms, maxMs }: Percentiles): readonly string[] => [
  String(count),
  ...[p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map(ms),
];
export const LATENCY_COLUMNS: readonly string[] = COLUMNS;

/** What happened in all, as rows of name and value. */
export function summaryOf(report: LoadReport): readonly (readonly [string, string])[] {
  const { loop, totals, asked, replays } = report;
  const seconds = loop.tookMs / 1000;
  return [
    ['target', report.target],
    ['caller', `${report.caller}, ${many(report.cards, 'card')}`],
    ['asked', `${asked.ratePerSecond}/s for ${asked.durationMs / 1000} s after a ramp of ${asked.rampMs / 1000} s`],
    ['mix', asked.mix],
    ['made', `${loop.made} of ${loop.due} calls in ${seconds.toFixed(1)} s, ${loop.heldBack} of them held back`],
    ['repeats', `${totals.repeats} requests beyond the first, after 09, 429, 503 or no answer`],
    [
      'without final answer',
      `${totals.failed} when their tries were used up; ${report.askedAgain} asked again afterwards`,
    ],
    ['replays', `${replays.made}${replays.unmarked > 0 ? `, ${replays.unmarked} NOT MARKED as replayed` : ''}`],
    ['request to answer', `p50 ${ms(report.requests.p50Ms)} ms, p99 ${ms(report.requests.p99Ms)} ms (uncorrected)`],
  ];
}

/** Differences of one kind in words, with how many there are. */
export const differenceLines = ({ differences }: MoneyReport): readonly string[] =>
  [...Map.groupBy(differences, ({ kind }) => kind)].map(
    ([kind, all]) => `${all.length} x ${kind}: ${KINDS_OF_DIFFERENCE[kind]}`,
  );

/** The report for the terminal. */
export function textOf(report: LoadReport): string {
  const { kinds, answers, money, verdict, stillOpen } = report;
  const rows = kinds.map(({ label, told, outcomes }) => [
    label,
    ...cells(told),
    outcomes.map(({ what, count }) => `${what} ${count}`).join(', '),
  ]);
  return [
    ...table(summaryOf(report)),
    '',
    'Latency in ms from when a call was due until it was told, repeats included:',
    ...table([['', ...LATENCY_COLUMNS, 'outcomes'], ...rows], { numbersFrom: 1, numbersTo: LATENCY_COLUMNS.length }),
    '',
    'HTTP answers:',
    ...table(answers.map(({ api, status, code, count }) => [`  ${count}`, api, status, code])),
    '',
    ...moneyText(money),
    verdict.money,
    ...differenceLines(money).map(line => `  ${line}`),
    ...money.differences.slice(0, DIFFERENCES_SHOWN).map(({ kind, what }) => `  ${kind}: ${what}`),
    ...stillOpen.slice(0, DIFFERENCES_SHOWN).map(name => `  open: ${name}`),
    ...verdict.wrong.map(each => `NOT ACCEPTED: ${each}`),
    ...verdict.notes.map(each => `Note: ${each}.`),
  ].join('\n');
}

function moneyText({ cards }: MoneyReport): readonly string[] {
  if (cards.length === 0) return [];
  const shown = cards.slice(0, DIFFERENCES_SHOWN);
  const more = cards.length > shown.length ? [`  and ${many(cards.length - shown.length, 'more card')}`] : [];
  const rows = shown.map(line => CARD_COLUMNS.map(([, name]) => line[name]));
  return [...table([CARD_COLUMNS.map(([title]) => title), ...rows], { numbersFrom: 2, numbersTo: 6 }), ...more, ''];
}

/** What is told of each card. */
export const CARD_COLUMNS = [
  ['card', 'cardToken'],
  ['currency', 'currency'],
  ['before', 'before'],
  ['told', 'told'],
  ['should be', 'expected'],
  ['is', 'after'],
  ['difference', 'difference'],
] as const;

/** Rows in columns, the numbers to the right. */
function table(
  rows: readonly (readonly string[])[],
  { numbersFrom = 99, numbersTo = 99 }: { readonly numbersFrom?: number; readonly numbersTo?: number } = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows.map(row =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return at >= numbersFrom && at <= numbersTo ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
