/**
 * When each call of a load is due: a rate that climbs evenly from nothing and then stays. The times are fixed before the
 * first call is made, so that a slow answer cannot put off the calls after it, and with them the measurement.
 */
export type Schedule = {
  /** Calls a second, once the ramp is over. */
  readonly ratePerSecond: number;
  /** How long the rate climbs; 0: not at all. */
  readonly rampMs: number;
  /** How long the full rate lasts. */
  readonly durationMs: number;
};

const SECOND = 1000;

/** How many calls the ramp has; half of what the full rate would make, and not always a whole number. */
const rampCalls = ({ ratePerSecond, rampMs }: Schedule): number => (ratePerSecond * rampMs) / SECOND / 2;

/** How many calls are due in all; at least one. */
export const callsOf = (schedule: Schedule): number =>
  Math.max(1, Math.floor(rampCalls(schedule) + (schedule.ratePerSecond * schedule.durationMs) / SECOND));

/** When a call is due, in milliseconds after the start; calls are counted from 0. */
export function dueMs(schedule: Schedule, call: number): number {
  const { ratePerSecond, rampMs } = schedule;
  const before = rampCalls(schedule);
  // Below the full rate the calls made so far grow with the square of the time.
  if (call < before) return Math.sqrt((2 * rampMs * call * SECOND) / ratePerSecond);
  return rampMs + ((call - before) * SECOND) / ratePerSecond;
}

/** When the last call is due, and the load ends. */
export const endMs = ({ rampMs, durationMs }: Schedule): number => rampMs + durationMs;
