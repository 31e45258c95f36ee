/**
 * How long a delivery waits before its next try: doubling, with full jitter, so that many gateways that failed together
 * do not come back together.
 */
import { DELIVERY_BACKOFF_FIRST_MS, DELIVERY_BACKOFF_MOST_MS } from '../config/limits.ts';

const DOUBLINGS_MOST = 30;

/** Milliseconds to wait after the `tries`-th try (from 1), uniform between 0 and the doubling bound. */
export function backoffMs(tries: number, fraction: number): number {
  const bound = DELIVERY_BACKOFF_FIRST_MS * 2 ** Math.min(Math.max(tries - 1, 0), DOUBLINGS_MOST);
  return Math.ceil(Math.min(bound, DELIVERY_BACKOFF_MOST_MS) * fraction);
}
