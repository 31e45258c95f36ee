/**
 * When calls are made and from when their latency counts: on a clock that the test holds, so that a stalled target shows
 * in the figures exactly as it would to the cardholders who had to wait.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Latencies } from '../../../bench/load/latencies.ts';
import { type LoopReport, OpenLoop } from '../../../bench/load/openLoop.ts';
import { callsOf, dueMs, endMs } from '../../../bench/load/schedule.ts';
import type { Clock } from '../../../src/runtime/clock.ts';

type Event = { readonly atMs: number; readonly happen: () => void };

/** Time that passes only from one event to the next. */
class SteppedClock implements Clock {
  #nowMs = 0;
  #events: Event[] = [];

  wallMs = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      this.after(ms, resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  after(ms: number, happen: () => void): () => void {
    const event = { atMs: this.#nowMs + ms, happen };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter(each => each !== event);
    };
  }

  /** Lets time pass until the promise is settled. */
  async until<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    for (;;) {
      await new Promise(resolve => setImmediate(resolve));
      if (isSettled) return settled;
      this.#events.sort((a, b) => a.atMs - b.atMs);
      const next = this.#events.shift();
      if (!next) throw new Error('nothing is left that could happen');
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.happen();
    }
  }
}

type Target = {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly maxOutstanding: number;
  /** How long a call takes that begins at this moment. */
  readonly takesMs: (atMs: number) => number;
};

/** A run against a target, with latencies from when calls were due, and from when they were made. */
async function runAgainst({ takesMs, maxOutstanding, ...rate }: Target): Promise<{
  readonly report: LoopReport;
  readonly fromDue: Latencies;
  readonly fromMade: Latencies;
  readonly mostAtOnce: number;
}> {
  const clock = new SteppedClock();
  const [fromDue, fromMade] = [new Latencies(), new Latencies()];
  let atOnce = 0;
  let mostAtOnce = 0;
  const call = async (dueAtMs: number): Promise<void> => {
    const madeMs = clock.monotonicMs();
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    await clock.sleep(takesMs(madeMs));
    atOnce -= 1;
    fromDue.add(clock.monotonicMs() - dueAtMs);
    fromMade.add(clock.monotonicMs() - madeMs);
  };
  const loop = new OpenLoop({ schedule: { rampMs: 0, ...rate }, maxOutstanding, clock, call });
  return { report: await clock.until(loop.run()), fromDue, fromMade, mostAtOnce };
}

/** A target that answers at once, but stands still from 200 to 700 ms. */
const stalling = (atMs: number): number => (atMs >= 200 && atMs < 700 ? 700 - atMs : 1);

describe('an open loop', () => {
  it('makes calls when they are due, however long the others take', async () => {
    const { report, fromDue, mostAtOnce } = await runAgainst({
      ratePerSecond: 100,
      durationMs: 1000,
      maxOutstanding: 1000,
      takesMs: stalling,
    });
    expect(report).toMatchObject({ due: 100, made: 100, heldBack: 0 });
    expect(mostAtOnce).toBe(50);
    expect(fromDue.percentiles().maxMs).toBe(500);
  });

  it('counts latency from when a call was due, so that a stall cannot hide in calls that were not made', async () => {
    const { report, fromDue, fromMade, mostAtOnce } = await runAgainst({
      ratePerSecond: 100,
      durationMs: 1000,
      maxOutstanding: 1,
      takesMs: stalling,
    });
    expect(mostAtOnce).toBe(1);
    expect(report.made).toBe(100);
    expect(report.heldBack).toBeGreaterThanOrEqual(49);
    // One call was slow by the one count; by the other half of all cardholders waited.
    expect(fromMade.percentiles().p90Ms).toBeLessThan(2);
    expect(fromDue.percentiles().p90Ms).toBeGreaterThan(390);
    expect(fromDue.percentiles().p50Ms).toBeGreaterThan(1);
  });

  it('ends, with calls that were never made, where the target does not come back', async () => {
    const { report } = await runAgainst({
      ratePerSecond: 100,
      durationMs: 1000,
      maxOutstanding: 4,
      takesMs: () => 60_000,
    });
    expect(report).toMatchObject({ due: 100, made: 4 });
  });

  it('is ended by its signal, and waits for the calls that are out', async () => {
    const clock = new SteppedClock();
    const ending = new AbortController();
    let ended = 0;
    const call = async (): Promise<void> => {
      await clock.sleep(300);
      ended += 1;
    };
    const schedule = { ratePerSecond: 10, rampMs: 0, durationMs: 60_000 };
    const loop = new OpenLoop({ schedule, maxOutstanding: 10, clock, call, signal: ending.signal });
    clock.after(1050, () => ending.abort());
    const { made } = await clock.until(loop.run());
    expect([made, ended]).toEqual([11, 11]);
  });
});

describe('a schedule', () => {
  it('climbs evenly and then keeps its rate', () => {
    const schedule = { ratePerSecond: 100, rampMs: 10_000, durationMs: 5000 };
    expect(callsOf(schedule)).toBe(1000);
    const inSecond = (second: number): number =>
      Array.from({ length: 1000 }, (_, call) => dueMs(schedule, call)).filter(
        due => due >= second * 1000 && due < (second + 1) * 1000,
      ).length;
    expect([0, 4, 9, 12].map(inSecond)).toEqual([5, 45, 95, 100].map(count => expect.closeTo(count, -0.5)));
  });

  it('never goes back, and stays within its time', () => {
    const any = fc.record({
      ratePerSecond: fc.integer({ min: 1, max: 5000 }),
      rampMs: fc.integer({ min: 0, max: 60_000 }),
      durationMs: fc.integer({ min: 1, max: 60_000 }),
    });
    fc.assert(
      fc.property(any, fc.nat(100_000), (schedule, some) => {
        const call = some % callsOf(schedule);
        const due = dueMs(schedule, call);
        expect(due).toBeGreaterThanOrEqual(0);
        expect(due).toBeLessThanOrEqual(endMs(schedule) + 1e-6);
        if (call > 0) expect(due).toBeGreaterThan(dueMs(schedule, call - 1));
      }),
    );
  });
});

describe('latencies', () => {
  it('give percentiles that are right to one percent, and the largest value itself', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        all => {
          const latencies = new Latencies();
          for (const each of all) latencies.add(each);
          const sorted = all.toSorted((a, b) => a - b);
          const { p50Ms, p90Ms, p99Ms, p999Ms, maxMs, count } = latencies.percentiles();
          expect([count, maxMs]).toEqual([all.length, sorted.at(-1)]);
          const right = (percent: number): number => sorted[Math.ceil((percent * sorted.length) / 100) - 1] ?? 0;
          const found = [[50, p50Ms] as const, [90, p90Ms] as const, [99, p99Ms] as const, [99.9, p999Ms] as const];
          // A microsecond is the smallest step there is.
          for (const [percent, ms] of found)
            expect(Math.abs(ms - right(percent))).toBeLessThan(right(percent) / 50 + 0.002);
        },
      ),
    );
  });

  it('are zeros while there are none', () => {
    expect(new Latencies().percentiles()).toMatchObject({ count: 0, p50Ms: 0, p999Ms: 0, maxMs: 0 });
  });
});
