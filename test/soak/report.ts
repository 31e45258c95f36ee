/**
 * What a soak run found, as sentences, as a table for the terminal, and as one page with the curves.
 */
import { drawSvg, escaped, type Line, type Panel } from './chart.ts';
import type { Mark } from './faults.ts';
import { growthsOf, growthText } from './growth.ts';
import type { SoakOptions } from './options.ts';
import { CURVES, type Curve, type Sample } from './samples.ts';
import { type Point, type Trend, trendOf } from './trends.ts';

/** Answers in all, up to a moment. */
export type Count = { readonly at: number; readonly final: number; readonly open: number; readonly lost: number };

export type Run = {
  readonly options: SoakOptions;
  readonly gateways: number;
  readonly samples: readonly Sample[];
  readonly counts: readonly Count[];
  readonly marks: readonly Mark[];
  /** When faults and load ended, and when nothing was owed any more; seconds since the start. */
  readonly loadEnd: number;
  readonly end: number;
  readonly told: ReadonlyMap<string, number>;
  readonly effects: number;
  /** What the books and the logs say is wrong. */
  readonly wrong: readonly string[];
};

/** What may grow by so much without being called a leak: caches, pools and label values that come up late. */
const ALLOWED = { heap: 24, fds: 40, handles: 40, series: 60 } as const satisfies { readonly [Name in Curve]?: number };
export type Judged = keyof typeof ALLOWED;
const JUDGED = Object.keys(ALLOWED) as Judged[];

export type Verdict = { readonly gateway: number; readonly curve: Judged; readonly trend: Trend | undefined };

/** The curves of the second half, in which no gateway is ended: a life that began later than that is not judged. */
export function verdictsOf({ samples, gateways, loadEnd }: Pick<Run, 'samples' | 'gateways' | 'loadEnd'>): Verdict[] {
  return Array.from({ length: gateways }, (_, gateway) => gateway).flatMap(gateway => {
    const own = samples.filter(
      sample => sample.gateway === gateway && sample.at >= loadEnd / 2 && sample.at <= loadEnd,
    );
    const lastLife = own.filter(({ pid }) => pid === own.at(-1)?.pid);
    return JUDGED.map(curve => ({ gateway, curve, trend: trendOf(pointsOf(lastLife, curve), ALLOWED[curve]) }));
  });
}

const pointsOf = (samples: readonly Sample[], curve: Curve): Point[] =>
  samples.flatMap(({ at, values }) => {
    const value = values[curve];
    return value === undefined ? [] : [{ at, value }];
  });

const rounded = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
const withUnit = (value: number, curve: Curve): string => `${rounded(value)} ${CURVES[curve].unit}`.trim();

/** Everything that makes a run fail, one clear sentence each. */
export const violationsOf = (run: Run): string[] => [
  ...run.wrong,
  ...verdictsOf(run).flatMap(({ gateway, curve, trend }) =>
    trend?.climbs
      ? [
          `${curve} of gateway ${gateway + 1} climbed from ${withUnit(trend.from, curve)} to ${withUnit(trend.to, curve)} ` +
            `in ${rounded(trend.seconds)} s and went on; ${withUnit(trend.allowed, curve)} more would be no leak`,
        ]
      : [],
  ),
];

/** The summary as rows of name and value. */
export function summaryOf(run: Run): [string, string][] {
  const { options, told, samples, marks, counts } = run;
  const last = counts.at(-1);
  const most = (curve: Curve) => rounded(Math.max(0, ...pointsOf(samples, curve).map(({ value }) => value)));
  return [
    ['journal, seed', `${options.journal}, ${options.seed}`],
    [options.calm ? 'load' : 'load and faults', `${rounded(run.loadEnd)} s`],
    ['healed and drained', `${rounded(run.end - run.loadEnd)} s later`],
    ['faults', `${marks.length}, of ${new Set(marks.map(({ where, name }) => `${where} ${name}`)).size} kinds`],
    ['answers', `${last?.final ?? 0} final, ${last?.open ?? 0} in progress, ${last?.lost ?? 0} lost or refused`],
    [
      'told in the end',
      [...told]
        .sort(([, a], [, b]) => b - a)
        .map(([code, count]) => `${code}: ${count}`)
        .join(', '),
    ],
    ['done at the issuer', `${run.effects} effects`],
    ['most doubts, due, parked', `${most('doubts')}, ${most('due')}, ${most('parked')}`],
    ...verdictsOf(run).map(({ gateway, curve, trend }): [string, string] => [
      `gateway ${gateway + 1}, ${curve}`,
      trend
        ? `${withUnit(trend.from, curve)} to ${withUnit(trend.to, curve)} in ${rounded(trend.seconds)} s, ${trend.climbs ? 'CLIMBS' : 'steady'}`
        : 'watched too briefly to say',
    ]),
    ...(options.calm ? growthRows(run) : []),
  ];
}

function growthRows({ samples, gateways }: Run): [string, string][] {
  const growths = growthsOf(samples, gateways);
  return Array.from({ length: gateways }, (_, gateway) => {
    const growth = growths.find(each => each.gateway === gateway);
    const said = growth ? growthText(growth) : 'not one life that was watched at minute 2 and at minute 12';
    return [`gateway ${gateway + 1}, resident memory`, said];
  });
}

/** The table for the terminal, and the verdict below it. */
export function textOf(run: Run): string {
  const rows = summaryOf(run);
  const width = Math.max(...rows.map(([name]) => name.length));
  const wrong = violationsOf(run);
  const verdict =
    wrong.length === 0 ? 'nothing doubled, lost or made up; nothing climbs' : wrong.map(each => `VIOLATION ${each}`);
  return [...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ...[verdict].flat()].join('\n');
}

/** The page: verdict, table, curves. */
export function pageOf(run: Run): string {
  const wrong = violationsOf(run);
  const rows = summaryOf(run).map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><title>Soak run</title>',
    '<style>body{font:14px sans-serif;margin:2em}th{text-align:left;padding-right:2em;font-weight:normal;color:#555}.bad{color:#b00020}</style>',
    '</head><body>',
    `<h1>Soak run: ${wrong.length === 0 ? 'in order' : `${wrong.length} violations`}</h1>`,
    ...wrong.map(each => `<p class="bad">${escaped(each)}</p>`),
    `<table>${rows.join('')}</table>`,
    drawSvg(panelsOf(run), run.marks, run.end),
    '</body></html>',
    '',
  ].join('\n');
}

function panelsOf({ samples, gateways, counts, loadEnd }: Run): Panel[] {
  const ofEach = (...curves: readonly Curve[]): Line[] =>
    Array.from({ length: gateways }, (_, gateway) => gateway).flatMap(gateway =>
      curves.map(curve => ({
        label: gateways > 1 ? `${curve}, gateway ${gateway + 1}` : curve,
        points: pointsOf(
          samples.filter(sample => sample.gateway === gateway),
          curve,
        ),
      })),
    );
  // What is owed is told by the journal, which all gateways share.
  const owed = (['doubts', 'due', 'parked'] as const).map(curve => ({
    label: curve,
    points: pointsOf(samples, curve),
  }));
  return [
    { title: 'Memory', unit: 'MiB', lines: ofEach('heap', 'rss') },
    { title: 'Open files and handles', unit: '', lines: ofEach('fds', 'handles') },
    { title: 'Series of metrics', unit: '', lines: ofEach('series') },
    { title: 'In doubt and owed', unit: '', lines: owed },
    { title: 'Answers', unit: 'per second', lines: rates(counts.filter(({ at }) => at <= loadEnd)) },
  ];
}

const rates = (counts: readonly Count[]): Line[] =>
  (['final', 'open', 'lost'] as const).map(name => ({
    label: { final: 'final', open: 'in progress', lost: 'lost or refused' }[name],
    points: counts.slice(1).map((count, index) => {
      const before = counts[index] ?? count;
      return { at: count.at, value: (count[name] - before[name]) / Math.max(0.001, count.at - before.at) };
    }),
  }));
