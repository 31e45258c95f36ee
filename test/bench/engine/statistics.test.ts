/**
 * The arithmetic of the bench: medians, buckets and percentiles, by examples and by what must hold of any numbers.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketOf,
  countOf,
  median,
  medianFigures,
  mergeHistograms,
  percentileOf,
} from '../../../bench/engine/statistics.ts';

const latency = fc.double({ min: 0, max: 1e8, noNaN: true });

describe('the median', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  it('of nothing is refused', () => expect(() => median([])).toThrow(RangeError));

  it('has as many values above as below, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), values => {
        const middle = median(values);
        const below = values.filter(value => value < middle).length;
        const above = values.filter(value => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('is taken of each metric by the samples that have it', () => {
    const sample = (round: number, figures: object) => ({ round, figures, count: 1, failed: 0, flaws: [] });
    const samples = [
      sample(1, { perSecond: 10 }),
      sample(2, { perSecond: 30, p99Us: 7 }),
      sample(3, { perSecond: 20 }),
    ];
    expect(medianFigures(samples)).toEqual({ perSecond: 20, p99Us: 7 });
  });
});

describe('a histogram', () => {
  it('has buckets that stand for their values within one percent, and keep their order', () => {
    fc.assert(
      fc.property(latency, latency, (a, b) => {
        expect(Math.abs(bucketOf(a) - a)).toBeLessThanOrEqual(Math.max(0.5, a * 0.01));
        if (a <= b) expect(bucketOf(a)).toBeLessThanOrEqual(bucketOf(b));
      }),
    );
  });

  it('of many has every value of each, ascending', () => {
    const histogram = fc.array(fc.tuple(latency, fc.integer({ min: 1, max: 1_000 })));
    fc.assert(
      fc.property(fc.array(histogram), histograms => {
        const merged = mergeHistograms(histograms);
        expect(countOf(merged)).toBe(histograms.reduce((sum, each) => sum + countOf(each), 0));
        expect(merged.map(([us]) => us)).toEqual(merged.map(([us]) => us).toSorted((a, b) => a - b));
      }),
    );
  });

  it.each([
    [50, 10],
    [90, 10],
    [99, 20],
    [99.9, 30],
    [100, 30],
  ])('says at %d percent what so many are not above', (percent, expected) => {
    const histogram = [
      [10, 950],
      [20, 45],
      [30, 5],
    ] as const;
    expect(percentileOf(histogram, percent)).toBe(expected);
  });

  it('without values says 0', () => expect(percentileOf([], 99)).toBe(0));
});
