/**
 * The first calls after an outage. An issuer that has just come back, with cold caches and all connections to be made
 * anew, is not sent everything at once: a few calls at a time, and one more for each that it answered, so that what is
 * out doubles with every round trip. With it a breaker that closes does not begin the next outage.
 */
import { CALLS_AFTER_OUTAGE } from '../config/limits.ts';

/** Takes in how a call ended. */
export type Ended = (isGood: boolean) => void;

export class SlowStart {
  #room = Number.POSITIVE_INFINITY;
  #out = 0;
  #outage = 0;

  /** From here on few calls at a time; those that are still out are of before, and count no more. */
  restart(): void {
    this.#room = CALLS_AFTER_OUTAGE;
    this.#out = 0;
    this.#outage += 1;
  }

  /** Lets a call out, or not yet. What it gives is called once, when the call has ended. */
  tryEnter(): Ended | undefined {
    if (this.#out >= this.#room) return undefined;
    this.#out += 1;
    const outage = this.#outage;
    return isGood => {
      if (outage !== this.#outage) return;
      this.#out -= 1;
      if (isGood) this.#room += 1;
    };
  }
}
