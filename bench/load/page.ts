/**
 * The report of a load run as one HTML page: verdict, figures, curves, and the money card by card. It asks for nothing from
 * elsewhere and can be mailed.
 */
import { drawChart, escaped, evenAxis, percentAxis, percentileCurve } from './curves.ts';
import {
  CARD_COLUMNS,
  cells,
  DIFFERENCES_SHOWN,
  differenceLines,
  LATENCY_COLUMNS,
  type LoadReport,
  summaryOf,
} from './report.ts';
import { ms } from './words.ts';

/** Twice light and dark: the page follows the reader's setting. */
const STYLE = `
:root{color-scheme:light dark;--page:#fbfbfa;--text:#1d1f21;--quiet:#6a6f75;--rule:#dcdedf;--good:#1c6b3c;--bad:#a8201a;
--line-0:#1f5fa8;--line-1:#b3541e;--line-2:#2c7a4b;--line-3:#7b4397;--line-4:#8a6d00;--line-5:#00747c;--line-6:#a3195b;--line-7:#555;--line-8:#4a4fd0;--line-9:#7a5230}
@media (prefers-color-scheme:dark){:root{--page:#16181a;--text:#e6e7e8;--quiet:#9aa0a6;--rule:#33373b;--good:#6fcf97;--bad:#ff8a80;
--line-0:#7fb2f0;--line-1:#f0a070;--line-2:#7fd0a0;--line-3:#c9a0e0;--line-4:#e0c860;--line-5:#70d0d8;--line-6:#f090c0;--line-7:#bbb;--line-8:#a0a4ff;--line-9:#c8a078}}
body{background:var(--page);color:var(--text);font:15px/1.5 system-ui,sans-serif;margin:2.5rem auto;max-width:62rem;padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
.verdict{font-size:1.05rem;font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}.quiet{color:var(--quiet)}
div.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}
th,td:first-child{white-space:nowrap}th{font-weight:normal;color:var(--quiet);text-align:left}th,td{padding:.2rem .9rem .2rem 0;border-bottom:1px solid var(--rule);vertical-align:top}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
svg{width:100%;max-width:45rem;display:block;margin:.6rem 0}svg text{fill:var(--quiet);font:11px system-ui,sans-serif}
svg .title{fill:var(--text);font-weight:600}svg .grid{stroke:var(--rule);fill:none}
svg .line{stroke:var(--ink);fill:none;stroke-width:1.6}svg .label{fill:var(--ink)}`;

export function pageOf(report: LoadReport): string {
  const { kinds, answers, money, verdict, startedAt, stillOpen } = report;
  const isGood = verdict.exitCode === 0;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Load run</title><style>${STYLE}</style></head><body>`,
    `<h1>Load run</h1><p class="quiet">${escaped(startedAt)}</p>`,
    `<p class="verdict ${isGood ? 'good' : 'bad'}">${escaped(verdict.money)}</p>`,
    ...verdict.wrong.map(each => `<p class="verdict bad">Not accepted: ${escaped(each)}</p>`),
    ...verdict.notes.map(each => `<p class="quiet">Note: ${escaped(each)}.</p>`),
    '<h2>What was done</h2>',
    tableOf([], summaryOf(report), 99),
    '<h2>Latency</h2>',
    '<p class="quiet">Milliseconds from when a call was due until it was told its outcome, repeats included; calls of the ramp left out.</p>',
    tableOf(
      ['', ...LATENCY_COLUMNS, 'outcomes'],
      kinds.map(({ label, told, outcomes }) => [
        label,
        ...cells(told),
        outcomes.map(({ what, count }) => `${what} ${count}`).join(', '),
      ]),
      LATENCY_COLUMNS.length,
    ),
    ...curvesOf(report),
    '<h2>HTTP answers</h2>',
    tableOf(
      ['', 'requests', 'status', 'code'],
      answers.map(({ api, count, status, code }) => [api, String(count), status, code]),
      1,
    ),
    '<h2>Money</h2>',
    ...[...differenceLines(money), ...stillOpen.slice(0, DIFFERENCES_SHOWN).map(name => `open: ${name}`)].map(
      line => `<p class="bad">${escaped(line)}</p>`,
    ),
    ...money.differences.slice(0, DIFFERENCES_SHOWN).map(({ what }) => `<p class="quiet">${escaped(what)}</p>`),
    tableOf(
      CARD_COLUMNS.map(([title]) => title),
      money.cards.map(line => CARD_COLUMNS.map(([, name]) => line[name])),
      99,
    ),
    '</body></html>',
    '',
  ].join('\n');
}

/** A table whose columns 1 to `numbers` are numbers. */
function tableOf(titles: readonly string[], rows: readonly (readonly string[])[], numbers: number): string {
  if (rows.length === 0) return '<p class="quiet">none</p>';
  const classOf = (at: number): string => (at > 0 && at <= numbers && titles.length > 0 ? ' class="number"' : '');
  const row = (cell: 'th' | 'td', texts: readonly string[]): string =>
    `<tr>${texts.map((text, at) => `<${cell}${classOf(at)}>${escaped(text)}</${cell}>`).join('')}</tr>`;
  const head = titles.length === 0 ? '' : row('th', titles);
  return `<div class="wide"><table>${head}${rows.map(texts => row('td', texts)).join('')}</table></div>`;
}

function curvesOf({ kinds, slots, asked }: LoadReport): readonly string[] {
  const shown = kinds.filter(({ told }) => told.count > 0);
  const slowest = Math.max(0, ...shown.map(({ told }) => told.maxMs));
  const seconds = evenAxis([(asked.rampMs + asked.durationMs) / 1000, ...slots.map(({ at }) => at)], ' s');
  const line = (label: string, heightOf: (slot: (typeof slots)[number]) => number) => ({
    label,
    points: slots.map(slot => [slot.at, heightOf(slot)] as const),
  });
  const rates = [line('told', slot => slot.perSecond), line('no final answer', slot => slot.failedPerSecond)];
  const times = [line('p50', slot => slot.p50Ms), line('p99', slot => slot.p99Ms)];
  const heights = (lines: typeof rates) => lines.flatMap(({ points }) => points.map(([, value]) => value));
  return [
    drawChart({
      title: 'Latency (ms) by share of calls; beside the names the p99',
      x: percentAxis,
      y: evenAxis([slowest]),
      lines: shown.map(({ label, histogram, told }) => ({
        label: `${label}, ${ms(told.p99Ms)}`,
        points: percentileCurve(histogram),
      })),
    }),
    drawChart({ title: 'Calls a second', x: seconds, y: evenAxis(heights(rates)), lines: rates }),
    drawChart({ title: 'Latency (ms) over time', x: seconds, y: evenAxis(heights(times)), lines: times }),
  ];
}
