/**
 * Fills a journal: with what is owed one by one through its own `restore`, and with the millions of settled entries by
 * copies of a few that it has just written itself.
 */
import type { Entry } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { filledId, keyOf, type Texts } from './entries.ts';
import { insisted, type Pattern, type Store, writtenPatterns } from './patterns.ts';

/** Enough for full batches of either journal. */
const IN_FLIGHT = 256;
/** Written by the journal for each fill. */
const PATTERNS = 16;

export type Progress = (done: number) => void;
export type Range = { readonly from: number; readonly until: number };

/** What is to be copied under which numbers; `onProgress` hears of the number reached, and ends it where it throws. */
export type CopyOrder = Range & { readonly patterns: readonly Pattern[]; readonly onProgress: Progress };

export type FillableStore = Store & {
  /** Writes copies, and counts them as the journal counts its own; durable when it is done, or when the store says so. */
  readonly copy: (order: CopyOrder) => Promise<void>;
};

/** Fills a store with approved Purchases of these numbers (`filledId`). */
export async function fillSettled(
  store: FillableStore,
  { from, until }: Range,
  texts: Texts,
  onProgress: Progress = () => undefined,
): Promise<void> {
  const copiesFrom = Math.min(until, from + PATTERNS);
  const keys = Array.from({ length: copiesFrom - from }, (_, index) => keyOf(filledId(from + index)));
  const patterns = await writtenPatterns(store, keys, texts);
  if (copiesFrom < until) await store.copy({ patterns, from: copiesFrom, until, onProgress });
}

/** Has the journal write entries `from` to `until` as they are. @throws Error where the journal does not take one. */
export async function fill(
  journal: Journal,
  { from, until }: Range,
  entryOf: (index: number) => Entry,
  onProgress: Progress = () => undefined,
): Promise<void> {
  const everyTwentieth = Math.max(1, Math.floor((until - from) / 20));
  let next = from;
  const lane = async () => {
    while (next < until) {
      const index = next;
      next += 1;
      await insisted(() => journal.restore(entryOf(index)));
      if ((index - from) % everyTwentieth === 0) onProgress(index - from);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}
