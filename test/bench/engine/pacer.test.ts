/**
 * The open loop: requests are due by the clock alone, and whatever keeps one from being sent counts as its latency.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../../bench/engine/pacer.ts';

/** A connection that notes when what it sends was due. */
const lineInto = (sent: number[]) => ({ send: (dueAt: number) => void sent.push(dueAt) });

describe('an open loop', () => {
  it('sends as many as the rate says, however seldom the clock is looked at', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.array(fc.integer({ min: 1, max: 50 })), (rate, steps) => {
        const sent: number[] = [];
        const pacer = new Pacer(rate, 0);
        let now = 0;
        for (const step of steps) {
          now += step;
          for (let index = 0; index < rate; index += 1) pacer.free(lineInto(sent));
          pacer.tick(now);
        }
        expect(Math.abs(sent.length + pacer.waiting.length - (steps.length && (now * rate) / 1000 + 1))).toBeLessThan(
          1.01,
        );
        expect(pacer.waiting).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('goes on counting while no connection is free, and then sends in order what was due first', () => {
    const sent: number[] = [];
    const pacer = new Pacer(100, 1000);
    pacer.free(lineInto(sent));
    for (let now = 1000; now <= 1030; now += 1) pacer.tick(now);
    expect(sent).toEqual([1000]);
    expect(pacer.waiting).toEqual([1010, 1020, 1030]);
    pacer.free(lineInto(sent));
    expect(sent).toEqual([1000, 1010]);
    expect(pacer.waiting).toEqual([1020, 1030]);
  });

  it('excuses the grain of a timer, and nothing more: a loader that was held up was late', () => {
    const sent: number[] = [];
    const pacer = new Pacer(1000, 0);
    for (let index = 0; index < 20; index += 1) pacer.free(lineInto(sent));
    pacer.tick(0);
    pacer.tick(10);
    // What was due at 1 to 7 has been late since; what was due in the last 2 ms counts from now.
    expect(sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 10, 10, 10]);
  });
});
