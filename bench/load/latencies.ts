/**
 * Latencies as they are counted while a load runs: in buckets, so that a run of hours needs no more memory than one of
 * seconds, and read as percentiles at its end.
 */
import { bucketOf, percentileOf } from '../engine/statistics.ts';
import type { Histogram } from '../results.ts';

/** Milliseconds. A percentile is exact to one percent, the largest value to the microsecond. */
export type Percentiles = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
};

const US = 1000;

export class Latencies {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  /** A latency below zero, which a clock's last digit can make, counts as zero. */
  add(ms: number): void {
    const bucket = bucketOf(Math.max(0, ms) * US);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  histogram(): Histogram {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }

  /** Zeros where nothing was counted. */
  percentiles(): Percentiles {
    const histogram = this.histogram();
    // The middle of the last bucket may lie above the largest value.
    const at = (percent: number): number => Math.min(percentileOf(histogram, percent) / US, this.#maxMs);
    return {
      count: this.#count,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: this.#maxMs,
    };
  }
}
