/**
 * What ends soon is told at once and again after a day; what has ended is an alarm, at that moment and as long as it is
 * there; the numbers are of the moment.
 */
import { describe, expect, it } from 'vitest';
import type { Config } from '../src/config/config.ts';
import type { Expiry } from '../src/config/expiry.ts';
import { ExpiryWatch } from '../src/expiryWatch.ts';
import { StandingClock } from './edge/oauthKit.ts';

const DAY_MS = 86_400_000;

/** Keeps what is to happen later, for the test to let it happen. */
class DayClock extends StandingClock {
  readonly later = new Map<() => void, number>();
  override after(ms?: number, run?: () => void): () => void {
    if (!run || ms === undefined) return () => {};
    this.later.set(run, ms);
    return () => this.later.delete(run);
  }
  next(): void {
    const [[run, ms] = []] = this.later;
    if (!run || ms === undefined) throw new Error('nothing is to come');
    this.later.delete(run);
    this.nowMs += ms;
    run();
  }
}

const watchOf = (...expiries: readonly Expiry[]) => {
  const clock = new DayClock();
  const told: unknown[] = [];
  const state = { expiries };
  const alarms: string[] = [];
  const watch = new ExpiryWatch({
    clock,
    log: { warn: (event: string, fields: object = {}) => told.push({ event, ...fields }) },
    metrics: { alarm: kind => alarms.push(kind) },
    config: () => state as Partial<Config> as Config,
  });
  return { clock, told, alarms, watch, state };
};

const expiryIn = (clock: number, days: number, what = 'certificate'): Expiry => ({
  what,
  path: 'server.tls.certFile',
  atMs: clock + days * DAY_MS,
});
const START = new StandingClock().nowMs;

describe('the watch over what ends', () => {
  it('tells what ends within a month, once a day', () => {
    const { clock, told, alarms, watch } = watchOf(expiryIn(START, 31, 'late'), expiryIn(START, 12.5, 'soon'));
    watch.tell();
    expect(told).toEqual([{ event: 'expiry', what: 'soon', path: 'server.tls.certFile', count: 12 }]);
    clock.next();
    clock.next();
    expect(told.slice(1)).toMatchObject([
      { what: 'soon', count: 11 },
      { what: 'soon', count: 10 },
      { what: 'late', count: 29 },
    ]);
    expect(alarms).toEqual([]);
  });

  it('F79: raises the alarm about what ends, when it ends, and then once a day', () => {
    const { clock, told, alarms, watch } = watchOf(expiryIn(START, 1.5, 'client'), expiryIn(START, 90));
    watch.tell();
    clock.next();
    expect(told.splice(0)).toMatchObject([
      { what: 'client', count: 1 },
      { what: 'client', count: 0 },
    ]);
    clock.next();
    expect(clock.nowMs).toBe(START + 1.5 * DAY_MS);
    clock.next();
    const line = { event: 'alarm', kind: 'expired', what: 'client', path: 'server.tls.certFile' };
    expect(told).toEqual([line, line]);
    expect(alarms).toEqual(['expired', 'expired']);
  });

  it('follows the configuration, and is wound up once whoever asks it to tell', () => {
    const { clock, told, watch, state } = watchOf(expiryIn(START, 2));
    watch.tell();
    state.expiries = [];
    watch.tell();
    expect(clock.later.size).toBe(1);
    clock.next();
    expect(told).toHaveLength(1);
    watch.stop();
    expect(clock.later.size).toBe(0);
  });

  it('has numbers for all of it: of two with the same words the one that ends first', () => {
    const { clock, watch } = watchOf(expiryIn(START, 9), expiryIn(START, 4), expiryIn(START, 400, 'other'));
    clock.nowMs += DAY_MS;
    expect(Object.fromEntries(watch.left())).toEqual({ certificate: 3 * DAY_MS, other: 399 * DAY_MS });
  });
});
