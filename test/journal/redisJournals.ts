/**
 * Journals in Redis as a test opens them: closed with it, and what they told is its own.
 */
import type { Journal } from '../../src/journal/journal.ts';
import type { JournalNotice } from '../../src/journal/notice.ts';
import { createRedisJournal, type RedisJournalOptions } from '../../src/journal/redis.ts';
import { DAY_MS } from './journalSteps.ts';

export class RedisJournals {
  readonly #opened: Journal[] = [];
  /** Of this test alone: what is told somewhat later belongs to the one before. */
  #notices: JournalNotice[] = [];

  get notices(): readonly JournalNotice[] {
    return this.#notices;
  }

  async open(options: Pick<RedisJournalOptions, 'target'> & Partial<RedisJournalOptions>): Promise<Journal> {
    const told = this.#notices;
    const onNotice = (notice: JournalNotice) => void told.push(notice);
    const journal = await createRedisJournal({ retentionMs: DAY_MS, onNotice, ...options });
    this.#opened.push(journal);
    return journal;
  }

  async close(): Promise<void> {
    for (const journal of this.#opened.splice(0)) await journal.close();
    this.#notices = [];
  }
}
