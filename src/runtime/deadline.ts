/**
 * One deadline for each request: the caller's budget, counted on the monotonic clock from arrival. It is handed down
 * and only ever shrinks, so that no part of the journey waits longer than the caller does.
 */
import type { Clock } from './clock.ts';

export class Deadline {
  readonly #clock: Clock;
  readonly #at: number;

  private constructor(clock: Clock, at: number) {
    this.#clock = clock;
    this.#at = at;
  }

  /** The deadline `ms` from now. */
  static in(clock: Clock, ms: number): Deadline {
    return new Deadline(clock, clock.monotonicMs() + ms);
  }

  /** The deadline at a moment of the monotonic clock. */
  static at(clock: Clock, monotonicMs: number): Deadline {
    return new Deadline(clock, monotonicMs);
  }

  /** Milliseconds left, never negative. */
  leftMs(): number {
    return Math.max(0, this.#at - this.#clock.monotonicMs());
  }

  /** The earlier of this deadline less `reserveMs`, and `ms` from now. */
  within(ms: number, reserveMs: number): Deadline {
    return new Deadline(this.#clock, Math.min(this.#at - reserveMs, this.#clock.monotonicMs() + ms));
  }
}
