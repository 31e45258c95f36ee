/**
 * The pictures made of lines: how latencies are distributed, out to the slowest, and what they become as the rate rises.
 */
import { percentileOf } from '../engine/statistics.ts';
import type { SubjectResult } from '../results.ts';
import { latency, short } from './numbers.ts';
import { apart, at, colourOf, isOurs, line, logTicks, type Point, path, svg, text, ticksTo, WIDTH } from './svg.ts';

const LEFT = 70;
const RIGHT = 240;
const TOP = 12;
const HEIGHT = 300;
const BOTTOM = TOP + HEIGHT;
const LABEL_HEIGHT = 16;

/** Percentiles in the order of the axis, which gives each further nine the same room. */
const PERCENTS = [10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9];
const NAMED = new Set([10, 50, 90, 99, 99.9]);
const nines = (percent: number): number => -Math.log10(1 - percent / 100);

type Curve = { readonly subject: SubjectResult; readonly points: readonly Point[] };

/** Latency in microseconds by percentile, one curve for each subject. */
export function drawDistribution(subjects: readonly SubjectResult[], title: string): string {
  const curves = subjects.flatMap(subject => {
    const { histogram } = subject;
    return histogram ? [{ subject, values: PERCENTS.map(percent => percentileOf(histogram, percent)) }] : [];
  });
  const y = verticalScale(curves.flatMap(({ values }) => values));
  const least = nines(PERCENTS[0] ?? 0);
  const most = nines(PERCENTS.at(-1) ?? 0);
  const x = (percent: number) => LEFT + ((nines(percent) - least) / (most - least)) * (WIDTH - LEFT - RIGHT);
  const axis = PERCENTS.filter(percent => NAMED.has(percent)).flatMap(percent => [
    line(x(percent), TOP, x(percent), BOTTOM, 'class="grid"'),
    text(x(percent), BOTTOM + 18, `${percent} %`, 'class="soft" text-anchor="middle"'),
  ]);
  const drawn = curves.map(
    ({ subject, values }): Curve => ({
      subject,
      points: values.map((value, index) => [x(PERCENTS[index] ?? 0), y.of(value)] as const),
    }),
  );
  const note = text(LEFT, BOTTOM + 38, 'share of requests that took no longer', 'class="soft"');
  return svg(BOTTOM + 44, title, [...axis, ...y.axis, ...drawCurves(drawn, true), note]);
}

/** Latency against what was answered a second: p99 as a line, p50 dashed. */
export function drawRates(subjects: readonly SubjectResult[], title: string): string {
  const measured = subjects.flatMap(subject => (subject.rates ? [{ subject, rates: subject.rates }] : []));
  const all = measured.flatMap(({ rates }) => rates);
  const ticks = ticksTo(Math.max(1, ...all.map(({ perSecond }) => perSecond)));
  const most = ticks.at(-1) ?? 1;
  const x = (rate: number) => LEFT + (rate / most) * (WIDTH - LEFT - RIGHT);
  const y = verticalScale(all.flatMap(({ p50Us, p99Us }) => [p50Us, p99Us]));
  const axis = ticks.flatMap(tick => [
    line(x(tick), TOP, x(tick), BOTTOM, 'class="grid"'),
    text(x(tick), BOTTOM + 18, tick === 0 ? '0' : short(tick), 'class="soft" text-anchor="middle"'),
  ]);
  const curve = (metric: 'p50Us' | 'p99Us'): Curve[] =>
    measured.map(({ subject, rates }) => ({
      subject,
      points: rates.map(point => [x(point.perSecond), y.of(point[metric])] as const),
    }));
  const note = text(LEFT, BOTTOM + 38, 'requests answered a second; line p99, dashes p50', 'class="soft"');
  const parts = [...axis, ...y.axis, ...drawCurves(curve('p50Us'), false), ...drawCurves(curve('p99Us'), true), note];
  return svg(BOTTOM + 44, title, parts);
}

/** A logarithmic axis of microseconds, upwards. */
function verticalScale(values: readonly number[]): { readonly of: (us: number) => number; readonly axis: string[] } {
  const seen = values.filter(value => value > 0);
  const ticks = logTicks(Math.min(...seen, 1e6), Math.max(...seen, 1));
  const [low, high] = [Math.log10(ticks[0] ?? 1), Math.log10(ticks.at(-1) ?? 10)];
  const of = (us: number) => BOTTOM - ((Math.log10(Math.max(us, 1)) - low) / Math.max(high - low, 0.1)) * HEIGHT;
  const axis = ticks.flatMap(tick => [
    line(LEFT, of(tick), WIDTH - RIGHT, of(tick), 'class="grid"'),
    text(LEFT - 10, of(tick) + 4, latency(tick), 'class="soft" text-anchor="end"'),
  ]);
  return { of, axis };
}

/** Ours last, on top. With names, each curve has its own at its end; without, it is dashed and quiet. */
function drawCurves(curves: readonly Curve[], named: boolean): string[] {
  const ordered = curves.toSorted((a, b) => Number(isOurs(a.subject.name)) - Number(isOurs(b.subject.name)));
  const places = apart(
    ordered.map(({ points }) => points.at(-1)?.[1] ?? BOTTOM),
    LABEL_HEIGHT,
  );
  return ordered.flatMap(({ subject, points }, index) => {
    const colour = colourOf(subject.name);
    if (!named) return [path(points, colour, 'stroke-dasharray="4 5" opacity="0.75"')];
    const [endX = LEFT] = points.at(-1) ?? [];
    const dots = points.map(([x, y]) => `<circle cx="${at(x)}" cy="${at(y)}" r="3" fill="${colour}"/>`);
    const label = text(endX + 10, (places[index] ?? 0) + 4, subject.what, `style="fill:${colour}" font-weight="600"`);
    return [path(points, colour), ...dots, label];
  });
}
