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

export class Remembered {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #most: number;
  /** The oldest first. */
  readonly #owed = new Map<string, Kept>();
  readonly #ended = new Map<string, Kept>();

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
    for (const [oldest, kept] of into) {
      if (into.size <= this.#most && kept.atMs > atMs - this.#forMs) break;
      into.delete(oldest);
    }
  }

  /** What was written lately; first what has ended, lest it be taken for lost and undone. */
  recent(): readonly Entry[] {
    const since = this.#clock.monotonicMs() - this.#forMs;
    return [...this.#ended.values(), ...this.#owed.values()].flatMap(({ entry, atMs }) =>
      atMs > since ? [entry] : [],
    );
  }
}
