/**
 * The drawings of a load report as SVG: how latency grows towards the slowest calls, and the course of the run. Colours are
 * the page's, so that they follow light and dark.
 */
import type { Histogram } from '../results.ts';

export type Point = readonly [x: number, y: number];
export type Line = { readonly label: string; readonly points: readonly Point[] };
export type Axis = {
  readonly least: number;
  readonly most: number;
  /** Where there is a mark, and what it says. */
  readonly marks: readonly { readonly at: number; readonly label: string }[];
};
export type Chart = {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
};

const WIDTH = 720;
const HEIGHT = 260;
const EDGE = { left: 56, right: 150, top: 30, bottom: 28 };
const LABEL_GAP = 15;
/** Of the page's style sheet: `--line-0` and on. */
const COLOURS = 10;

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const short = (value: number): string => String(Math.round(value * 10) / 10);

export function drawChart({ title, x, y, lines }: Chart): string {
  const right = WIDTH - EDGE.right;
  const bottom = HEIGHT - EDGE.bottom;
  const place = (axis: Axis, from: number, to: number) => (value: number) =>
    from + ((value - axis.least) / (axis.most - axis.least || 1)) * (to - from);
  const atX = place(x, EDGE.left, right);
  const atY = place(y, bottom, EDGE.top);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<text x="${EDGE.left}" y="16" class="title">${escaped(title)}</text>`,
    ...y.marks.map(
      ({ at, label }) =>
        `<path d="M${EDGE.left} ${short(atY(at))}H${right}" class="grid"/>` +
        `<text x="${EDGE.left - 6}" y="${short(atY(at) + 4)}" text-anchor="end">${escaped(label)}</text>`,
    ),
    ...x.marks.map(
      ({ at, label }) =>
        `<path d="M${short(atX(at))} ${EDGE.top}V${bottom}" class="grid"/>` +
        `<text x="${short(atX(at))}" y="${bottom + 16}" text-anchor="middle">${escaped(label)}</text>`,
    ),
    ...lines.flatMap(({ label, points }, index) => {
      const colour = `style="--ink:var(--line-${index % COLOURS})"`;
      const path = points.map(([px, py]) => `${short(atX(px))},${short(atY(py))}`).join(' ');
      return [
        `<polyline points="${path}" class="line" ${colour}/>`,
        `<text x="${right + 10}" y="${EDGE.top + 10 + index * LABEL_GAP}" class="label" ${colour}>${escaped(label)}</text>`,
      ];
    }),
    '</svg>',
  ].join('\n');
}

/** An axis from 0 with about four marks at round numbers. */
export function evenAxis(values: readonly number[], unit = ''): Axis {
  const largest = values.reduce((most, value) => Math.max(most, value), 0) || 1;
  const rough = largest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(each => each * power >= rough) ?? 10) * power;
  const count = Math.ceil(largest / step);
  const marks = Array.from({ length: count + 1 }, (_, index) => ({
    at: index * step,
    label: `${Number((index * step).toPrecision(6))}${unit}`,
  }));
  return { least: 0, most: count * step, marks };
}

/** 90 % is as far from 99 % as that is from 99.9 %: the slow calls are what one wants to see. */
const nines = (percent: number): number => -Math.log10(1 - percent / 100);
const SHOWN_PERCENTS = [0, 50, 90, 99, 99.9, 99.99];

export const percentAxis: Axis = {
  least: nines(0),
  most: nines(99.99),
  marks: SHOWN_PERCENTS.map(percent => ({ at: nines(percent), label: `${percent} %` })),
};

/** How latency (ms) grows with the share of calls, as a curve over `percentAxis`. */
export function percentileCurve(histogram: Histogram): readonly Point[] {
  const all = histogram.reduce((sum, [, count]) => sum + count, 0);
  const points: Point[] = [];
  let before = 0;
  for (const [us, count] of histogram) {
    points.push([nines((100 * before) / all), us / 1000]);
    before += count;
  }
  return points.filter(([x]) => x <= percentAxis.most);
}
