/**
 * Whether a curve climbs. Heaps are saws, connections come and go, caches fill once: so it is not single values that are
 * compared but what a curve comes down to in the first, second and last third of the time it was watched.
 */

export type Point = { readonly at: number; readonly value: number };

/** Fewer than this in the window say nothing. */
const POINTS_LEAST = 12;

export type Trend = {
  /** What the curve came down to, early and late. */
  readonly from: number;
  readonly to: number;
  readonly seconds: number;
  readonly points: number;
  /** How much more would have been no leak: what is always allowed, and what the curve scatters by itself. */
  readonly allowed: number;
  readonly climbs: boolean;
};

/** The trend of a curve; undefined where there are too few points. */
export function trendOf(points: readonly Point[], allowance: number): Trend | undefined {
  if (points.length < POINTS_LEAST) return undefined;
  const size = Math.floor(points.length / 3);
  const thirds = [points.slice(0, size), points.slice(size, -size), points.slice(-size)].map(third =>
    third.map(({ value }) => value),
  );
  const [from = 0, middle = 0, to = 0] = thirds.map(third => quantile(third, 0.25));
  const scatter = Math.max(...thirds.map(third => quantile(third, 0.75) - quantile(third, 0.25)));
  const allowed = allowance + scatter;
  const growth = to - from;
  const seconds = (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0);
  // What was filled once, early, stays as it is; what leaks goes on.
  const climbs = growth > allowed && to - middle > growth / 4;
  return { from, to, seconds, points: points.length, allowed, climbs };
}

const quantile = (values: readonly number[], part: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
};
