/**
 * The contract of the journal, as one suite for every implementation: what the port promises, and nothing about how.
 * Whatever passes it can stand behind the gateway.
 */
import { afterEach, beforeEach, describe } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { DAY_MS } from '../journal/journalSteps.ts';
import { contractOfOnce } from './journalOnce.ts';
import { contractOfRestore } from './journalRestore.ts';
import { contractOfStandby } from './journalStandby.ts';
import { contractOfWork } from './journalWork.ts';
import { contractOfWrites } from './journalWrites.ts';

export type JournalStore = {
  /** A journal on the store, with this retention. */
  open(retentionMs: number): Promise<Journal>;
  /** Empties the store; all its journals are closed by then. */
  clear(): Promise<void>;
  /** Runs of properties that go through the store; a Cluster and a disk take their time. */
  readonly runs: number;
};

/** What the cases work with: a journal on an empty store, made anew for each of them. */
export type JournalUnderTest = {
  readonly journal: Journal;
  /** Closes it and opens another on the same store. */
  reopen(retentionMs: number): Promise<Journal>;
  runs(): number;
};

/** Runs the contract over one kind of store, which is made when it is first needed. */
export function journalContract(name: string, makeStore: () => Promise<JournalStore>): void {
  describe(`the journal contract: ${name}`, () => {
    let store: JournalStore | undefined;
    let journal: Journal | undefined;
    const made = <T>(value: T | undefined): T => {
      if (value === undefined) throw new Error('used before it was made');
      return value;
    };
    const reopen = async (retentionMs: number): Promise<Journal> => {
      await journal?.close();
      journal = await made(store).open(retentionMs);
      return journal;
    };

    beforeEach(async () => {
      store ??= await makeStore();
      await store.clear();
      await reopen(DAY_MS);
    });
    afterEach(() => journal?.close());

    const underTest: JournalUnderTest = {
      get journal() {
        return made(journal);
      },
      reopen,
      runs: () => made(store).runs,
    };
    contractOfWrites(underTest);
    contractOfWork(underTest);
    contractOfRestore(underTest);
    contractOfOnce(underTest);
    contractOfStandby(underTest);
  });
}
