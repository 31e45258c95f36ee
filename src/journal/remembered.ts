/**
 * What this process has written to the journal lately, or read there and told, so that it can be written again where the store loses it. What is
 * owed is remembered apart: however much is settled, it does not push out an obligation that nobody else may know of.
 */
import type { Entry } from '../domain/entry.ts';
import { filingOf } from '../domain/filing.ts';
import { keyText } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';

/** At about a kilobyte each; a failover loses seconds, and this is the better part of a minute at full load. */
export const REMEMBERED_MOST = 10_000;

type Kept = { readonly entry: Entry; readonly atMs: number };

/** What was kept last under each name, the oldest first. */
class Latest {
  readonly #kept = new Map<string, Kept>();
  /**
   * Goes on where it stopped. A new iterator would first pass over the place of each entry that was dropped since the map
   * last grew: with thousands of them that costs three times as much as all the rest of a note.
   */
  #walk = this.#kept.entries();
  #oldest: readonly [string, Kept] | undefined;

  get size(): number {
    return this.#kept.size;
  }

  get(name: string): Kept | undefined {
    return this.#kept.get(name);
  }

  values(): Iterable<Kept> {
    return this.#kept.values();
  }

  set(name: string, kept: Kept): void {
    this.#kept.set(name, kept);
  }

  delete(name: string): void {
    this.#kept.delete(name);
  }

  /** Drops from the oldest on, for as long as that is asked. */
  dropWhile(isToGo: (kept: Kept) => boolean): void {
    for (let oldest = this.#next(); oldest && isToGo(oldest[1]); oldest = this.#next()) this.#kept.delete(oldest[0]);
  }

  #next(): readonly [string, Kept] | undefined {
    // The one that was the oldest may have been dropped since, or kept anew, and then it is further on.
    while (!this.#oldest || this.#kept.get(this.#oldest[0]) !== this.#oldest[1]) {
      const step = this.#walk.next();
      this.#oldest = step.done ? undefined : step.value;
      if (step.done) {
        this.#walk = this.#kept.entries();
        return undefined;
      }
    }
    return this.#oldest;
  }
}

export class Remembered {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #most: number;
  readonly #owed = new Latest();
  readonly #ended = new Latest();

  /** Remembers entries for `forMs`, and at most `most` of each kind. */
  constructor(clock: Clock, forMs: number, most = REMEMBERED_MOST) {
    this.#clock = clock;
    this.#forMs = forMs;
    this.#most = most;
  }

  /**
   * Takes note of an entry as it was read: callers are told what it says. What is known is not forgotten over it: a store
   * that has lost data shows what was before.
   */
  learn(entry: Entry): void {
    const name = keyText(entry.key);
    const known = (this.#owed.get(name) ?? this.#ended.get(name))?.entry;
    if (!known || (known.claimedAt === entry.claimedAt && known.version < entry.version)) this.note(entry);
  }

  /** Takes note of an entry as it was just written. A claim that has not ended ends by its lease, or by its owner. */
  note(entry: Entry): void {
    const name = keyText(entry.key);
    this.#owed.delete(name);
    this.#ended.delete(name);
    if (entry.standing.at === 'claimed') return;
    const into = filingOf(entry).owedSince === null ? this.#ended : this.#owed;
    const atMs = this.#clock.monotonicMs();
    into.set(name, { entry, atMs });
    into.dropWhile(kept => into.size > this.#most || kept.atMs <= atMs - this.#forMs);
  }

  /** What was written lately; first what has ended, lest it be taken for lost and undone. */
  recent(): readonly Entry[] {
    const since = this.#clock.monotonicMs() - this.#forMs;
    return [...this.#ended.values(), ...this.#owed.values()].flatMap(({ entry, atMs }) =>
      atMs > since ? [entry] : [],
    );
  }
}
