/**
 * Entries that a journal has written itself, as they lie in its store: after the claim, and after the settle. A journal is
 * filled with copies of them, so that the bench has no form of its own that could differ from the journal's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { apply, type Entry } from '../../src/domain/entry.ts';
import { type EntryKey, keyText } from '../../src/domain/ids.ts';
import type { Journal, Reply } from '../../src/journal/journal.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { approvedBy, draftOf, ISSUER, type Texts } from './entries.ts';

/** What the store has of one entry: fields of a hash, or columns of a row. */
export type Fields = Readonly<Record<string, string | number | null>>;

export type Pattern = { readonly claimed: Fields; readonly settled: Fields };

export type Store = {
  /** The present one: looking into a file, or filling it, ends a journal and opens the next. */
  readonly journal: Journal;
  /** What is stored under these names (`keyText`), in their order. @throws Error where one is not there. */
  readonly look: (names: readonly string[]) => Promise<readonly Fields[]>;
};

/** A journal on a busy machine may be late; with the same `writeId` a write that was done is not done again. */
const TRIES = 50;
const PAUSE_MS = 100;

/** What the journal says in the end. @throws Error where it does not answer. */
export async function insisted<T>(ask: () => Promise<Reply<T>>): Promise<T> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const reply = await ask();
    if (reply.kind === 'done') return reply.value;
    await sleep(PAUSE_MS);
  }
  throw new Error(`the journal did not take an entry in ${TRIES} tries`);
}

/** Has the journal write these entries, a claim and then a settle each, and looks at what it stored. */
export async function writtenPatterns(store: Store, keys: readonly EntryKey[], texts: Texts): Promise<Pattern[]> {
  const names = keys.map(keyText);
  const entries = await Promise.all(keys.map(key => claimed(store.journal, key, texts)));
  const before = await store.look(names);
  await Promise.all(entries.map(entry => settle(store.journal, entry, texts)));
  const after = await store.look(names);
  return before.flatMap((fields, index) => {
    const settled = after[index];
    return settled ? [{ claimed: fields, settled }] : [];
  });
}

async function claimed(journal: Journal, key: EntryKey, { message }: Texts): Promise<Entry> {
  const writeId = systemRandom.id();
  const found = await insisted(() => journal.claim(draftOf(key, message, ISSUER), writeId));
  if (found.kind !== 'fresh') throw new Error(`the journal did not take a claim: ${found.kind}`);
  return found.entry;
}

async function settle(journal: Journal, entry: Entry, texts: Texts): Promise<void> {
  const writeId = systemRandom.id();
  const settled = apply(entry, approvedBy(entry, texts, entry.claimedAt + 1));
  const { kind } = await insisted(() => journal.move(entry, settled, writeId));
  if (kind !== 'moved') throw new Error('the journal did not take a settle');
}

/** The fields that the settle wrote, with what it wrote. */
export const writtenBySettle = ({ claimed, settled }: Pattern): [string, string | number | null][] =>
  Object.entries(settled).filter(([name, value]) => claimed[name] !== value);
