/**
 * A process of its own that holds an embedded journal open: it claims, says so, and waits to be killed. Run by tests.
 */
import { apply } from '../../src/domain/entry.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { claimOf } from './entries.ts';

const [path = ''] = process.argv.slice(2);
const journal = await createSqliteJournal({ path, retentionMs: 86_400_000, onNotice: () => {} });
const claimed = await journal.claim(claimOf('held', { leaseMs: 1 }), 'held');
const second = await journal.claim(claimOf('settled'), 'settled');
if (claimed.kind !== 'done' || second.kind !== 'done' || second.value.kind !== 'fresh') throw new Error('not claimed');
const { entry, now } = second.value;
const answer = { code: '00', sealed: null } as const;
const moved = await journal.move(
  entry,
  apply(entry, { type: 'settle', fence: 1, outcome: { kind: 'answered', answer }, now }),
  'moved',
);
console.log(JSON.stringify({ claimed: claimed.kind, moved: moved.kind }));
// Keeps the process, and with it the lock, until it is killed.
setInterval(() => {}, 60_000);
