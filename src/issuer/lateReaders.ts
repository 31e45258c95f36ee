/**
 * Answers that come after the deadline are still read, because they end a doubt that would otherwise be guessed at. Each
 * keeps its connection for as long as it is waited for, so that there are few of them and none waits for long.
 */
import type { Clock } from '../runtime/clock.ts';

/** Each holds one connection beyond those of the calls in flight; a hanging issuer is not worth more of them. */
export const LATE_READERS_MOST = 64;
/** An issuer that may still process a message after this will be undone or asked again, not listened to. */
export const LATE_READING_MOST_MS = 60_000;

export class LateReaders {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #most: number;
  /** What ends each, the oldest first. */
  readonly #stops = new Set<() => void>();

  /** `forMs` is how long an answer is waited for after its deadline, 0 for not at all. */
  constructor(clock: Clock, forMs: number, most = LATE_READERS_MOST) {
    this.#clock = clock;
    this.#forMs = Math.min(forMs, LATE_READING_MOST_MS);
    this.#most = most;
  }

  /**
   * Goes on reading until the returned function is called. `stop` ends the reading from here: when its time is up, or
   * when younger ones need the place, since what has not come for long is the least likely to come.
   */
  begin(stop: () => void): () => void {
    if (this.#forMs <= 0) {
      stop();
      return () => undefined;
    }
    const [oldest] = this.#stops;
    if (this.#stops.size >= this.#most) oldest?.();
    const end = () => {
      this.#stops.delete(end);
      cancel();
      stop();
    };
    const cancel = this.#clock.after(this.#forMs, end);
    this.#stops.add(end);
    return () => {
      this.#stops.delete(end);
      cancel();
    };
  }

  stopAll(): void {
    for (const stop of this.#stops) stop();
  }
}
