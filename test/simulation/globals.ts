/**
 * The timers that libraries take without asking: opossum's wait before its half-open state, and the turn in which the
 * embedded journal commits. While a run lasts they are the run's own; nothing real runs meanwhile.
 */
import type { Scheduler } from './scheduler.ts';
import { EPOCH_MS } from './world.ts';

/** Runs `work` with the timers and clocks of the process replaced by simulated ones. */
export async function onSimulatedTime<T>(time: Scheduler, work: () => Promise<T>): Promise<T> {
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  const { now } = Date;
  const later = (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const cancel = time.after(ms, () => run(...args), time.host);
    return { cancel, unref() {}, ref() {} };
  };
  Object.assign(globalThis, {
    setTimeout: later,
    clearTimeout: (timer?: { cancel?: () => void }) => timer?.cancel?.(),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => later(run, 0, ...args),
  });
  Date.now = () => Math.floor(EPOCH_MS + time.now);
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate });
    Date.now = now;
  }
}
