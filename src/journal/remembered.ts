/**
 * What this process has written to the journal lately, or read there and told, so that it can be written again where the
 * store loses it. What is owed is remembered apart: however much is settled, it does not push out an obligation that
 * nobody else may know of.
 */
import type { Entry } from '../domain/entry.ts';
import { filingOf } from '../domain/filing.ts';
import { keyText } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';

/** At about a kilobyte each; a failover loses seconds, and this is the better part of a minute at full load. */
export const REMEMBERED_MOST = 10_000;

/**
 * Sets until the walk begins anew: while an iterator stands still, V8 keeps each table that the map has outgrown since. As
 * many as fill the map, so that passing over dropped places once more costs next to nothing for each.
 */
const SETS_OF_A_WALK = REMEMBERED_MOST;

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
  #sets = 0;

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
    this.#sets += 1;
    if (this.#sets >= SETS_OF_A_WALK) this.#walkAnew();
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
      if (step.done) {
        this.#walkAnew();
        return undefined;
      }
      this.#oldest = step.value;
    }
    return this.#oldest;
  }

  #walkAnew(): void {
    this.#walk = this.#kept.entries();
    this.#oldest = undefined;
    this.#sets = 0;
  }
}

export class Remembered {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #most: number;
  readonly #owed = new Latest();
  readonly #ended = new Latest();
  /** Milliseconds in which the store was away, and until when they were counted. */
  #awayMs = 0;
  #countedAt: number;

  /** Remembers entries for `forMs`, none where that is 0, and at most `most` of each kind. */
  constructor(clock: Clock, forMs: number, most = REMEMBERED_MOST) {
    this.#clock = clock;
    this.#forMs = forMs;
    this.#most = most;
    this.#countedAt = clock.monotonicMs();
  }

  /**
   * Says, several times a second, whether the store is there. While it is away nothing gets older: what it may have lost
   * when it comes back is what was written last, however long ago that is by then.
   */
  tick(isUp: boolean): void {
    const now = this.#clock.monotonicMs();
    if (!isUp) this.#awayMs += now - this.#countedAt;
    this.#countedAt = now;
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
    if (this.#forMs === 0) return;
    const name = keyText(entry.key);
    this.#owed.delete(name);
    this.#ended.delete(name);
    if (entry.standing.at === 'claimed') return;
    const into = filingOf(entry).owedSince === null ? this.#ended : this.#owed;
    const atMs = this.#nowMs();
    into.set(name, { entry, atMs });
    into.dropWhile(kept => into.size > this.#most || kept.atMs <= atMs - this.#forMs);
  }

  /** What was written lately; first what has ended, lest it be taken for lost and undone. */
  recent(): readonly Entry[] {
    const since = this.#nowMs() - this.#forMs;
    return [...this.#ended.values(), ...this.#owed.values()].flatMap(({ entry, atMs }) =>
      atMs > since ? [entry] : [],
    );
  }

  #nowMs(): number {
    return this.#clock.monotonicMs() - this.#awayMs;
  }
}
