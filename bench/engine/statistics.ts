/**
 * Medians, spreads and histograms: what turns the samples of a run into figures, and the rounds into something that may or
 * may not be concluded from.
 */
import type { Figures, Histogram, Metric, Sample } from '../results.ts';

/** The middle value, or the mean of the two middle ones. @throws RangeError where there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('the median of nothing');
  return (lower + upper) / 2;
}

/** The median of each metric over the samples that have it. */
export function medianFigures(samples: readonly Sample[]): Figures {
  const metrics = new Set(samples.flatMap(({ figures }) => Object.keys(figures) as Metric[]));
  return Object.fromEntries(
    [...metrics].map(metric => [metric, median(samples.flatMap(({ figures }) => figures[metric] ?? []))]),
  );
}

/** Buckets of a histogram are so wide that a value is off by less than one percent. */
const STEPS_PER_DOUBLING = 64;

/** The value that stands for all values of the bucket of `us`. */
export function bucketOf(us: number): number {
  if (us < STEPS_PER_DOUBLING) return Math.max(0, Math.round(us));
  const step = 2 ** (Math.floor(Math.log2(us)) - Math.log2(STEPS_PER_DOUBLING));
  return Math.floor(us / step) * step + step / 2;
}

/** One histogram of many, in buckets. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const [us, count] of histograms.flat()) {
    const bucket = bucketOf(us);
    counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

export const countOf = (histogram: Histogram): number => histogram.reduce((sum, [, count]) => sum + count, 0);

/** The smallest latency that `percent` of all are not above; 0 for an empty histogram. */
export function percentileOf(histogram: Histogram, percent: number): number {
  const wanted = (countOf(histogram) * percent) / 100;
  let seen = 0;
  for (const [us, count] of histogram) {
    seen += count;
    if (seen >= wanted) return us;
  }
  return histogram.at(-1)?.[0] ?? 0;
}

/** The percentiles that the report shows. */
export const latencyFigures = (histogram: Histogram): Figures => ({
  p50Us: percentileOf(histogram, 50),
  p99Us: percentileOf(histogram, 99),
  p999Us: percentileOf(histogram, 99.9),
});
