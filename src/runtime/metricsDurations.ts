/**
 * A histogram of durations that counts in plain numbers. That of the library makes a text of the labels at each
 * observation and looks the bucket up by its bound; with three observations in every request that is most of what the
 * metrics cost. What is shown is the same.
 */
import type { Metric, Registry } from 'prom-client';

/** Seconds. Close together where callers' and issuers' deadlines lie, so that what just missed one can be told. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10];

type Series = {
  /** Observations by the first bucket that holds them; the last one holds what is longer than all. */
  readonly counts: number[];
  sum: number;
};

export type DurationsOptions = {
  readonly name: string;
  readonly help: string;
  /** The one label; absent: there is one series. */
  readonly label?: string;
  readonly registry: Registry;
};

export class Durations {
  readonly #name: string;
  readonly #label: string | undefined;
  readonly #series = new Map<string, Series>();

  constructor({ name, help, label, registry }: DurationsOptions) {
    this.#name = name;
    this.#label = label;
    if (label === undefined) this.#begin('');
    const said = { name, help, type: 'histogram', aggregator: 'sum' };
    // All that a registry asks of a metric; the types of the library want one of its own classes.
    const metric = { ...said, get: async () => ({ ...said, values: this.#values() }) };
    registry.registerMetric(metric as unknown as Metric);
  }

  /** Counts one duration, in milliseconds. `of` is the value of the label. Throws where it is no finite number. */
  took(ms: number, of = ''): void {
    if (!Number.isFinite(ms)) throw new RangeError('a duration must be a finite number');
    const seconds = ms / 1000;
    const series = this.#series.get(of) ?? this.#begin(of);
    const bucket = BUCKETS.findIndex(bound => seconds <= bound);
    const at = bucket < 0 ? BUCKETS.length : bucket;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
    series.sum += seconds;
  }

  #values() {
    return [...this.#series].flatMap(([of, series]) => this.#valuesOf(of, series));
  }

  #begin(of: string): Series {
    const series = { counts: new Array<number>(BUCKETS.length + 1).fill(0), sum: 0 };
    this.#series.set(of, series);
    return series;
  }

  #valuesOf(of: string, { counts, sum }: Series) {
    const labels = this.#label === undefined ? {} : { [this.#label]: of };
    let count = 0;
    const buckets = counts.map((each, at) => {
      count += each;
      return { metricName: `${this.#name}_bucket`, labels: { le: BUCKETS[at] ?? '+Inf', ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: count },
    ];
  }
}
