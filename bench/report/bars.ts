/**
 * The pictures made of bars: what each subject does with one second of CPU, and where the CPU time of a request goes.
 */
import type { CpuPart, Metric, SubjectResult } from '../results.ts';
import { figure, short } from './numbers.ts';
import { at, bar, colourOf, line, svg, text, ticksTo, WIDTH } from './svg.ts';

const LABELS = 250;
const ROW = 30;
const BAR = 18;
const RIGHT = 110;

/** Bars of a metric, the longest as wide as the picture, with the rounds as dots on them. */
export function drawBars(subjects: readonly SubjectResult[], metric: Metric, title: string): string {
  const rows = subjects.flatMap(subject => {
    const value = subject.median[metric];
    return value === undefined ? [] : [{ subject, value }];
  });
  const all = rows.flatMap(({ subject }) => subject.samples.flatMap(({ figures }) => figures[metric] ?? []));
  const ticks = ticksTo(Math.max(1, ...all));
  const most = ticks.at(-1) ?? 1;
  const x = (value: number) => LABELS + (value / most) * (WIDTH - LABELS - RIGHT);
  const bottom = rows.length * ROW + 8;
  const grid = ticks.flatMap(tick => [
    line(x(tick), 4, x(tick), bottom, 'class="grid"'),
    text(x(tick), bottom + 16, tick === 0 ? '0' : short(tick), 'class="soft" text-anchor="middle"'),
  ]);
  const bars = rows.flatMap(({ subject, value }, index) => {
    const y = 8 + index * ROW;
    const dots = subject.samples.flatMap(({ figures, round }) => {
      const seen = figures[metric];
      const said = `round ${round}: ${figure(figures, metric)}`;
      return seen === undefined
        ? []
        : [
            `<circle cx="${at(x(seen))}" cy="${at(y + BAR / 2)}" r="3" fill="var(--ink)" opacity="0.55"><title>${said}</title></circle>`,
          ];
    });
    return [
      text(LABELS - 12, y + 13, subject.what, 'text-anchor="end"'),
      bar(x(0), y, x(value) - x(0), BAR, colourOf(subject.name), `${subject.what}: ${figure(subject.median, metric)}`),
      ...dots,
      text(
        x(Math.max(value, ...subject.samples.map(({ figures }) => figures[metric] ?? 0))) + 10,
        y + 13,
        figure(subject.median, metric),
        'font-weight="600"',
      ),
    ];
  });
  return svg(bottom + 24, title, [...grid, ...bars]);
}

/** Hues around the circle for parts, in the order of their weight; all legible on light and on dark. */
const HUES = [174, 231, 322, 34, 262, 96, 205, 12, 288, 58, 145, 350];
const partColour = (index: number): string =>
  `hsl(${HUES[index % HUES.length] ?? 0} 46% ${index < HUES.length ? 52 : 66}%)`;
const NARROW = 0.055;

/** All parts of several profiles, the heaviest first. */
export function partNames(profiles: readonly (readonly CpuPart[])[]): string[] {
  const weights = new Map<string, number>();
  for (const { name, share } of profiles.flat()) weights.set(name, (weights.get(name) ?? 0) + share);
  return [...weights].sort(([, a], [, b]) => b - a).map(([name]) => name);
}

/** One bar for each subject that was profiled, as wide as the picture: shares, with what it costs in all at its end. */
export function drawParts(subjects: readonly SubjectResult[], title: string): string {
  const rows = subjects.flatMap(({ name, what, cpuParts }) => (cpuParts ? [{ name, what, cpuParts }] : []));
  const names = partNames(rows.map(({ cpuParts }) => cpuParts));
  const height = 46;
  const bars = rows.flatMap(({ what, cpuParts }, index) => [
    text(0, index * height + 14, what, 'font-weight="600"'),
    text(WIDTH, index * height + 14, `${totalOf(cpuParts)} µs of CPU`, 'text-anchor="end"'),
    ...partBars(cpuParts, names, index * height + 20),
  ]);
  const top = rows.length * height + 14;
  const legend = names.flatMap((name, index) => {
    const [x, y] = [(index % 4) * (WIDTH / 4), top + Math.floor(index / 4) * 22];
    return [bar(x, y, 12, 12, partColour(index), name), text(x + 18, y + 10.5, name)];
  });
  return svg(top + Math.ceil(names.length / 4) * 22, title, [...bars, ...legend]);
}

const totalOf = (parts: readonly CpuPart[]): string => short(parts.reduce((sum, part) => sum + part.usPerRequest, 0));

function partBars(parts: readonly CpuPart[], names: readonly string[], y: number): string[] {
  let share = 0;
  return parts.flatMap(part => {
    const x = share * WIDTH;
    share += part.share;
    const width = part.share * WIDTH;
    const said = `${part.name}: ${short(part.usPerRequest)} µs, ${Math.round(part.share * 100)} %`;
    const label =
      part.share < NARROW
        ? []
        : [text(x + width / 2, y + 13.5, short(part.usPerRequest), 'text-anchor="middle" style="fill:#fff"')];
    return [bar(x, y, width - 1, 18, partColour(names.indexOf(part.name)), said), ...label];
  });
}
