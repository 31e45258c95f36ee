/**
 * The little of SVG that the pictures need: texts, scales and axes, in the colours of the page's style sheet. No script and
 * nothing from elsewhere, so that the page can be mailed.
 */
import { escaped } from '../../test/soak/chart.ts';

export const WIDTH = 1000;

/** A number as SVG wants it: two decimals do. */
export const at = (value: number): string => String(Math.round(value * 100) / 100);

export const svg = (height: number, title: string, parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${at(height)}" role="img" aria-label="${escaped(title)}">\n${parts.join('\n')}\n</svg>`;

export const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${at(x)}" y="${at(y)}" ${more}>${escaped(content)}</text>`;

/** `said` is shown where the pointer rests on it. */
export const bar = (x: number, y: number, width: number, height: number, colour: string, said: string): string =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(Math.max(width, 0.5))}" height="${at(height)}" rx="2" fill="${colour}"><title>${escaped(said)}</title></rect>`;

export const line = (x1: number, y1: number, x2: number, y2: number, more: string): string =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" ${more}/>`;

export type Point = readonly [x: number, y: number];

export const path = (points: readonly Point[], colour: string, more = ''): string =>
  `<polyline points="${points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2.2" stroke-linejoin="round" ${more}/>`;

/** Numbers from 0 to at least `most`, few and round. */
export function ticksTo(most: number, wanted = 5): number[] {
  const rough = Math.max(most, Number.EPSILON) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(each => each * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

/** 1, 2, 5, 10, 20 ... that lie around what is from `least` to `most`. */
export function logTicks(least: number, most: number): number[] {
  const from = Math.floor(Math.log10(least));
  const to = Math.ceil(Math.log10(most));
  const all = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)).flatMap(power => [
    power,
    2 * power,
    5 * power,
  ]);
  const first = all.findLastIndex(tick => tick <= least);
  const last = all.findIndex(tick => tick >= most);
  return all.slice(Math.max(0, first), last < 0 ? all.length : last + 1);
}

/** Colours of subjects: what is ours, in strong ones; peers, in quiet ones. */
const COLOURS: Readonly<Record<string, string>> = {
  bearer: '--ours',
  jwt: '--ours-2',
  jwe: '--ours-3',
  sqlite: '--ours-4',
  replay: '--ours-2',
  direct: '--peer',
  bareNode: '--peer-2',
  bareHono: '--peer-2',
  nginx: '--peer-3',
  fastifyProxy: '--peer-4',
};

/** The same for a subject in all pictures, however it was measured. */
export const colourOf = (name: string): string =>
  `var(${COLOURS[name.replace(/(Delayed|Rates|Sqlite)$/, '')] ?? (isOurs(name) ? '--ours' : '--peer')})`;

const PEERS = ['direct', 'bareNode', 'bareHono', 'fastifyProxy', 'nginx'];

/** Whether it is the gateway that was measured. */
export const isOurs = (name: string): boolean => !PEERS.includes(name.replace(/(Delayed|Rates)$/, ''));

/** Pushes labels apart that would lie on each other. Gives the place of each, in the order given. */
export function apart(places: readonly number[], distance: number): number[] {
  const order = places.map((y, index) => ({ y, index })).sort((a, b) => a.y - b.y);
  let last = Number.NEGATIVE_INFINITY;
  const placed = new Map<number, number>();
  for (const { y, index } of order) {
    last = Math.max(y, last + distance);
    placed.set(index, last);
  }
  return places.map((y, index) => placed.get(index) ?? y);
}
