/**
 * Waiting in tests: until something is true, never for a length of time. Every wait has a bound and, past it, says what
 * it waited for and what it last saw.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DELIVERY_BACKOFF_MOST_MS } from '../../src/config/limits.ts';

/** The longest back-off of a delivery, and a machine that has other things to do. */
export const PATIENCE_MS = DELIVERY_BACKOFF_MOST_MS + 30_000;

export type WaitOptions = {
  /** How long to wait at most; by default `PATIENCE_MS`. */
  readonly timeoutMs?: number;
  /** How often to look; default 10 ms. */
  readonly everyMs?: number;
};

/** What a predicate gives: anything true ends the wait and is handed back. */
type Look<T> = () => T | Promise<T>;
type Truthy<T> = Exclude<T, false | null | undefined | 0 | ''>;

/**
 * Looks until `look` gives something other than false, undefined, null, 0 or '', and returns it.
 *
 * @param what what is waited for, for the message.
 * @throws Error when `timeoutMs` is over, with the last error that `look` threw, if it threw.
 */
export async function waitFor<T>(what: string, look: Look<T>, options: WaitOptions = {}): Promise<Truthy<T>> {
  const timeoutMs = options.timeoutMs ?? PATIENCE_MS;
  const end = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const seen = await look();
      if (seen) return seen as Truthy<T>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= end) {
      throw new Error(`waited ${timeoutMs} ms for ${what}`, failure === undefined ? undefined : { cause: failure });
    }
    await sleep(options.everyMs ?? 10);
  }
}

/** The value of a promise, or an error that names it when it takes longer than `timeoutMs`. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = PATIENCE_MS): Promise<T> {
  const cancel = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: cancel.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms for ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel.abort();
    late.catch(() => {});
  }
}
