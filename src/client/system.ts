/**
 * Time and chance as the client takes them: ports, so that tests can hold the clock and draw the lots. The client's own,
 * because it is used where nothing else of the gateway is.
 */

export interface Clock {
  /** Milliseconds since 1970, UTC. May jump. */
  wallMs(): number;
  /** Milliseconds of a clock that only goes forward. */
  monotonicMs(): number;
  /** Calls back once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface Random {
  /** A fresh id of 128 bits, 22 characters of base64url. */
  id(): string;
  /** Uniform in [0, 1). For jitter, not for secrets. */
  fraction(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

const ID_BYTES = 16;

export const systemRandom: Random = {
  id: () => base64url(crypto.getRandomValues(new Uint8Array(ID_BYTES))),
  fraction: () => Math.random(),
};

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** Resolves after `ms`, or when the signal is aborted; it never rejects. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise(resolve => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal?.addEventListener('abort', end, { once: true });
  });

/** What the promise gives; undefined when `ms` are over or the signal is aborted before. */
export async function within<Value>(
  clock: Clock,
  promise: Promise<Value>,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal | undefined },
): Promise<Value | undefined> {
  const over = new AbortController();
  const late = pause(clock, ms, signal ? AbortSignal.any([signal, over.signal]) : over.signal);
  try {
    return await Promise.race([promise, late.then(() => undefined)]);
  } finally {
    over.abort();
  }
}
