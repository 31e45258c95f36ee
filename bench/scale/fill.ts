/**
 * Fills a journal through its own `restore`, which writes an entry as it is in one step: no record is made by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';

/** Enough for full batches of either journal. */
const IN_FLIGHT = 256;
/** A journal on a busy machine may be late; writing an entry again that is there already changes nothing. */
const TRIES = 50;
const PAUSE_MS = 100;

export type Progress = (done: number) => void;

/** Writes entries `from` to `until`. @throws Error where the journal does not take one. */
export async function fill(
  journal: Journal,
  range: { readonly from: number; readonly until: number },
  entryOf: (index: number) => Entry,
  onProgress: Progress = () => undefined,
): Promise<void> {
  const { from, until } = range;
  const everyTwentieth = Math.max(1, Math.floor((until - from) / 20));
  let next = from;
  const lane = async () => {
    while (next < until) {
      const index = next;
      next += 1;
      await put(journal, entryOf(index));
      if ((index - from) % everyTwentieth === 0) onProgress(index - from);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

async function put(journal: Journal, entry: Entry): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { kind } = await journal.restore(entry);
    if (kind === 'done') return;
    await sleep(PAUSE_MS);
  }
  throw new Error(`the journal did not take an entry in ${TRIES} tries`);
}
