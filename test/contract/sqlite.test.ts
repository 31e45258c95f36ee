/** The journal contract over the embedded journal. */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { tempDir } from '../support/places.ts';
import { journalContract } from './journal.ts';

journalContract('sqlite', async () => {
  const path = join(tempDir('journal'), 'deep', 'journal.db');
  return {
    open: retentionMs => createSqliteJournal({ path, retentionMs, onNotice: () => {} }),
    clear: async () => rmSync(dirname(path), { recursive: true, force: true }),
    runs: 60,
  };
});
