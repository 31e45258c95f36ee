/**
 * A value that is fetched when it is first needed, used by all calls at once, renewed in passing before it ends, and never
 * fetched twice at a time.
 */
import type { Clock } from './system.ts';

/** Why there is no value: a code of a closed form, and whether it may be there soon. */
export type Missing = { readonly kind: 'missing'; readonly code: string; readonly again: boolean };

export type Fetched<Value> =
  | {
      readonly kind: 'fetched';
      readonly value: Value;
      /** From before the request: when it is renewed in passing, and when it is not used any more. */
      readonly renewAfterMs: number;
      readonly validMs: number;
    }
  | Missing;

type Held<Value> = {
  readonly value: Value;
  readonly since: number;
  readonly renewAt: number;
  readonly validUntil: number;
};

/** A value younger than this was refused for another reason than its age; a new one would be, too. */
const REFUSED_AGE_MS = 5000;

export class Cached<Value> {
  readonly #clock: Clock;
  #held: Held<Value> | undefined;
  /** The one fetch that is under way. */
  #fetching: Promise<Missing | undefined> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The value, or why there is none. `fetchValue` never rejects; it is not called where another fetch is under way. */
  async get(
    fetchValue: () => Promise<Fetched<Value>>,
  ): Promise<{ readonly kind: 'held'; readonly value: Value } | Missing> {
    const now = this.#clock.monotonicMs();
    if (this.#held && now < this.#held.validUntil) {
      if (now >= this.#held.renewAt) void this.#fetch(fetchValue);
      return { kind: 'held', value: this.#held.value };
    }
    const missing = await this.#fetch(fetchValue);
    if (missing || !this.#held) return missing ?? { kind: 'missing', code: 'FAILED', again: true };
    return { kind: 'held', value: this.#held.value };
  }

  /** Tells that the value was refused. True: it has been dropped, and the next one may fare better. */
  refused(value: Value): boolean {
    if (this.#held?.value !== value) return true;
    if (this.#clock.monotonicMs() - this.#held.since < REFUSED_AGE_MS) return false;
    this.#held = undefined;
    return true;
  }

  #fetch(fetchValue: () => Promise<Fetched<Value>>): Promise<Missing | undefined> {
    this.#fetching ??= this.#fetchOnce(fetchValue).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(fetchValue: () => Promise<Fetched<Value>>): Promise<Missing | undefined> {
    const since = this.#clock.monotonicMs();
    const fetched = await fetchValue();
    if (fetched.kind === 'missing') return fetched;
    const { value, renewAfterMs, validMs } = fetched;
    this.#held = { value, since, renewAt: since + renewAfterMs, validUntil: since + validMs };
    return undefined;
  }
}
