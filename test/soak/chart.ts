/**
 * Draws the curves of a soak run as one SVG, panel below panel over the same time, with a band behind them for each fault.
 * No script, no font and no file from elsewhere: it can be mailed.
 */
import type { Mark, Where } from './faults.ts';
import type { Point } from './trends.ts';

export type Line = { readonly label: string; readonly points: readonly Point[] };
export type Panel = { readonly title: string; readonly unit: string; readonly lines: readonly Line[] };

const WIDTH = 1100;
const LEFT = 70;
const RIGHT = 150;
const TOP = 40;
const PANEL = 110;
const GAP = 34;
const INK = ['#1f5fa8', '#b3541e', '#2c7a4b', '#7b4397'];
const BANDS: Readonly<Record<Where, string>> = { issuer: '#f6d7a7', store: '#c9d9f2', gateway: '#f2b8b5' };
const TICKS = 6;

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const round = (value: number): string => String(Math.round(value * 10) / 10);
const text = (x: number, y: number, content: string, more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}" ${more}>${escaped(content)}</text>`;

/** The whole drawing. `seconds`: what the time axis covers. */
export function drawSvg(panels: readonly Panel[], marks: readonly Mark[], seconds: number): string {
  const height = TOP + panels.length * (PANEL + GAP) + 20;
  const x = (at: number): number => LEFT + (at / Math.max(1, seconds)) * (WIDTH - LEFT - RIGHT);
  const bottom = height - GAP - 20;
  const bands = marks.map(({ name, where, from, to }) => {
    const width = Math.max(1, x(to) - x(from));
    const said = `${where}: ${name}, ${round(from)} s to ${round(to)} s`;
    return `<rect x="${round(x(from))}" y="${TOP}" width="${round(width)}" height="${bottom - TOP}" fill="${BANDS[where]}" opacity="0.6"><title>${escaped(said)}</title></rect>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...legend(),
    ...bands,
    ...panels.flatMap((panel, index) => drawPanel(panel, TOP + index * (PANEL + GAP), x)),
    ...Array.from({ length: TICKS + 1 }, (_, tick) => {
      const at = (seconds * tick) / TICKS;
      return text(x(at), bottom + 16, `${Math.round(at)} s`, 'text-anchor="middle"');
    }),
    '</svg>',
  ].join('\n');
}

const legend = (): string[] =>
  Object.entries(BANDS).flatMap(([where, colour], index) => [
    `<rect x="${LEFT + index * 130}" y="8" width="14" height="14" fill="${colour}"/>`,
    text(LEFT + 20 + index * 130, 19, `fault of the ${where}`),
  ]);

function drawPanel({ title, unit, lines }: Panel, top: number, x: (at: number) => number): string[] {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  const most = Math.max(1, ...values) * 1.1;
  const y = (value: number): number => top + PANEL - (value / most) * PANEL;
  return [
    text(LEFT, top - 6, unit === '' ? title : `${title}, ${unit}`, 'font-weight="bold"'),
    `<path d="M${LEFT} ${top}V${top + PANEL}H${WIDTH - RIGHT}" fill="none" stroke="#555"/>`,
    ...[0, 0.5, 1].map(part => text(LEFT - 6, y(most * part) + 4, round(most * part), 'text-anchor="end"')),
    ...lines.flatMap(({ label, points }, index) => {
      const colour = INK[index % INK.length] ?? '#000';
      const path = points.map(({ at, value }) => `${round(x(at))},${round(y(value))}`).join(' ');
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.3"/>`,
        text(WIDTH - RIGHT + 8, top + 12 + index * 15, label, `fill="${colour}"`),
      ];
    }),
  ];
}
