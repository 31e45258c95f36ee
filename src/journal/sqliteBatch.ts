/**
 * Commits what is asked for at about the same time in one transaction. A commit waits for the disk, and everything else
 * waits with it: many small ones would be slow, one for all that came in meanwhile is not.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Reply } from './journal.ts';
import { sqliteCode } from './sqliteFile.ts';

/** Bounds how long one transaction keeps the process from everything else. */
const BATCH_MOST = 256;
/** SQLITE_FULL and SQLITE_BUSY from a commit: nothing of it will ever be seen. */
const NOT_COMMITTED: ReadonlySet<number | undefined> = new Set([13, 5]);

type Work = { readonly run: () => () => void; readonly failed: (kind: 'away' | 'unsure') => void };

export class CommitQueue {
  readonly #database: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  /** Told of every commit: undefined where it went well. */
  readonly #onOutcome: (error: unknown) => void;
  #waiting: Work[] = [];
  #isScheduled = false;

  constructor(database: DatabaseSync, onOutcome: (error: unknown) => void) {
    this.#database = database;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#onOutcome = onOutcome;
  }

  /**
   * Runs `work` in the next transaction and gives what it returned once that is on the disk. `work` must check before it
   * writes: an error that it throws rejects its own call and leaves the transaction as it is.
   */
  run<T>(work: () => T): Promise<Reply<T>> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          const value = work();
          return () => resolve({ kind: 'done', value });
        } catch (error) {
          if (sqliteCode(error) !== undefined) throw error;
          return () => reject(error);
        }
      };
      this.#waiting.push({ run, failed: kind => resolve({ kind }) });
      this.#schedule();
    });
  }

  /** Commits all that is waiting, now. */
  flush(): void {
    while (this.#waiting.length > 0) this.#commitBatch(this.#waiting.splice(0, BATCH_MOST));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After the input that is ready now has been read: all the calls in it share one commit.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commitBatch(this.#waiting.splice(0, BATCH_MOST));
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  #commitBatch(batch: readonly Work[]): void {
    if (batch.length === 0) return;
    let isCommitting = false;
    try {
      this.#begin.run();
      const tell = batch.map(({ run }) => run());
      isCommitting = true;
      this.#commit.run();
      this.#onOutcome(undefined);
      for (const each of tell) each();
    } catch (error) {
      this.#rollBack();
      this.#onOutcome(error);
      // A failed commit may be on the disk after all, and be found there after a crash; what was rolled back is not.
      const kind = isCommitting && !NOT_COMMITTED.has(sqliteCode(error)) ? 'unsure' : 'away';
      for (const { failed } of batch) failed(kind);
    }
  }

  #rollBack(): void {
    // SQLite has rolled back by itself after some errors.
    if (!this.#database.isTransaction) return;
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // The next BEGIN fails then, and with it every call, until the disk works again.
    }
  }
}
