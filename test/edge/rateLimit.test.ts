/**
 * The rate limit of a client on a clock of its own.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientConfig } from '../../src/config/config.ts';
import type { ClientId } from '../../src/domain/ids.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { createRateLimiter } from '../../src/edge/rateLimit.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { clientWith } from './clients.ts';

const limited = (id: string, ratePerSecond: number): ClientConfig => clientWith({ id: id as ClientId, ratePerSecond });

/** A clock that stands until it is set. */
const handClock = () => {
  let now = 1000;
  const clock: Clock = { ...systemClock, monotonicMs: () => now };
  return {
    clock,
    forward: (ms: number) => {
      now += ms;
    },
  };
};

const passes = (take: () => void): boolean => {
  try {
    take();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).reason).toBe('rate');
    return false;
  }
};

const passing = (count: number, take: () => void): number =>
  Array.from({ length: count }, () => passes(take)).filter(Boolean).length;

describe('the rate limit of a client', () => {
  it('lets a second’s worth through at once, and then the rate', () => {
    const { clock, forward } = handClock();
    const client = limited('a', 10);
    const limiter = createRateLimiter([client], clock);
    expect(passing(50, () => limiter.take(client))).toBe(10);
    forward(100);
    expect(passing(50, () => limiter.take(client))).toBe(1);
    forward(99);
    expect(passing(50, () => limiter.take(client))).toBe(0);
    forward(10_000);
    expect(passing(50, () => limiter.take(client))).toBe(10);
  });

  it('0 is no limit, and neither has a client that it was not made for', () => {
    const { clock } = handClock();
    const free = limited('free', 0);
    const limiter = createRateLimiter([free], clock);
    expect(passing(1000, () => limiter.take(free))).toBe(1000);
    expect(passing(1000, () => limiter.take(limited('new', 1)))).toBe(1000);
  });

  it('I9: one client’s flood takes nothing from another', () => {
    const { clock } = handClock();
    const [noisy, quiet] = [limited('noisy', 5), limited('quiet', 5)];
    const limiter = createRateLimiter([noisy, quiet], clock);
    expect(passing(100, () => limiter.take(noisy))).toBe(5);
    expect(passing(5, () => limiter.take(quiet))).toBe(5);
  });

  it('a rate below one still passes a call now and then', () => {
    const { clock, forward } = handClock();
    const client = limited('slow', 0.5);
    const limiter = createRateLimiter([client], clock);
    expect(passing(3, () => limiter.take(client))).toBe(1);
    forward(1999);
    expect(passing(3, () => limiter.take(client))).toBe(0);
    forward(1);
    expect(passing(3, () => limiter.take(client))).toBe(1);
  });

  it('never lets more through than the rate and one burst, however the calls come', () => {
    const steps = fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 1, max: 20 })), { minLength: 1 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), steps, (rate, calls) => {
        const { clock, forward } = handClock();
        const client = limited('a', rate);
        const limiter = createRateLimiter([client], clock);
        let passed = 0;
        let elapsed = 0;
        for (const [wait, count] of calls) {
          forward(wait);
          elapsed += wait;
          passed += passing(count, () => limiter.take(client));
          expect(passed).toBeLessThanOrEqual(rate + (elapsed / 1000) * rate + 1e-6);
        }
      }),
    );
  });
});
