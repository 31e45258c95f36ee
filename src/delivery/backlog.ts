/**
 * What was found for each lane and is not begun yet. More is found at once than a lane has places, because a poll asks all
 * shards of the journal; each place takes the next one when it is free.
 */
import type { Lane } from '../domain/filing.ts';
import type { LaneLimit } from '../journal/journal.ts';

/**
 * Found for a lane at once: several rounds of its places, and few enough to be begun soon, since nobody has them until
 * then.
 */
const BATCH = 64;

export type Places = {
  /** Every lane that there is now. */
  lanes(): Iterable<Lane>;
  /** How much more can be begun in it now. */
  free(lane: Lane): number;
  /** Whether one at a time is all that it takes, as with the probes of a breaker. */
  isProbing(lane: Lane): boolean;
};

export class Backlog<T> {
  readonly #places: Places;
  readonly #work: (found: T) => Promise<unknown>;
  readonly #waiting = new Map<Lane, T[]>();

  /** `work` never rejects, and takes its place before it first waits. */
  constructor(places: Places, work: (found: T) => Promise<unknown>) {
    this.#places = places;
    this.#work = work;
  }

  get isEmpty(): boolean {
    return this.#waiting.values().every(waiting => waiting.length === 0);
  }

  /** Which lanes the journal is to be asked for, and how much of each: those with a place, and nothing waiting for it. */
  wanted(): LaneLimit[] {
    const { free, isProbing } = this.#places;
    const lanes = [...this.#places.lanes()];
    // An issuer that is not configured any more has nobody to ask.
    for (const lane of this.#waiting.keys()) if (!lanes.includes(lane)) this.#waiting.delete(lane);
    return lanes
      .filter(lane => free(lane) > 0 && !this.#waiting.get(lane)?.length)
      .map(lane => ({ lane, limit: isProbing(lane) ? 1 : BATCH }));
  }

  put(lane: Lane, found: T[]): void {
    this.#waiting.set(lane, found);
  }

  /** What was found is not to be relied on any more. */
  drop(): void {
    for (const waiting of this.#waiting.values()) waiting.length = 0;
  }

  /** Fills all free places; each promise is one that goes on until nothing waits, or somebody else has taken the place. */
  begin(): Promise<void>[] {
    return [...this.#waiting].flatMap(([lane, waiting]) =>
      Array.from({ length: Math.min(this.#places.free(lane), waiting.length) }, () => this.#share(lane, waiting)),
    );
  }

  async #share(lane: Lane, waiting: T[]): Promise<void> {
    const { free, isProbing } = this.#places;
    while (free(lane) > 0) {
      const next = waiting.shift();
      if (!next) return;
      await this.#work(next);
      // How the probe ended decides about the others, at the next look.
      if (isProbing(lane)) return;
    }
  }
}
