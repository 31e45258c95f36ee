/**
 * The histogram of durations shows what that of the library would show of the same durations, on the page and to a sum
 * over processes.
 */
import fc from 'fast-check';
import { AggregatorRegistry, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { Durations } from '../../src/runtime/metricsDurations.ts';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10];
const named = { name: 'took_seconds', help: 'How long it took.' };

const pairOf = (label: string | undefined) => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const durations = new Durations({ ...named, registry: ours, ...(label && { label }) });
  const labelNames = label === undefined ? [] : [label];
  const histogram = new Histogram({ ...named, registers: [theirs], labelNames, buckets: BUCKETS });
  const took = (ms: number, of: string): void => {
    durations.took(ms, label && of);
    histogram.observe(label === undefined ? {} : { [label]: of }, ms / 1000);
  };
  return { ours, theirs, durations, took };
};

const observations = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom(...BUCKETS.map(bound => bound * 1000)), fc.double({ min: 0, max: 12_000, noNaN: true })),
    fc.constantFrom('Purchase', 'Reversal', 'none'),
  ),
  { maxLength: 60 },
);

describe.each([undefined, 'api'])('durations (label %s)', label => {
  it('are shown as the library shows them', async () => {
    await fc.assert(
      fc.asyncProperty(observations, async given => {
        const { ours, theirs, took } = pairOf(label);
        for (const [ms, of] of given) took(ms, of);
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
    );
  });

  it('are added up over processes as the library adds them up', async () => {
    const { ours, theirs, took } = pairOf(label);
    for (const ms of [0.4, 1, 30, 2999, 20_000]) took(ms, 'Purchase');
    const twice = async (registry: Registry): Promise<string> => {
      const part = await registry.getMetricsAsJSON();
      return AggregatorRegistry.aggregate([part, structuredClone(part)]).metrics();
    };
    expect(await twice(ours)).toBe(await twice(theirs));
    expect(await twice(ours)).toMatch(/took_seconds_count(\{api="Purchase"\})? 10/);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuse %s, and count nothing', async ms => {
    const { ours, durations } = pairOf(label);
    const before = await ours.metrics();
    expect(() => durations.took(ms, 'Purchase')).toThrow(RangeError);
    expect(await ours.metrics()).toBe(before);
  });
});
