/**
 * A process of its own that takes names on a Redis as soon as it is told to (SIGUSR2), all at once, and prints what it
 * was told. Run by tests.
 */
import { createRedisJournal } from '../../src/journal/redis.ts';
import { spanTo } from './journalSteps.ts';
import { targetOf } from './redisTargets.ts';

const [port = '', count = ''] = process.argv.slice(2);
const target = targetOf({ host: '127.0.0.1', port: Number(port) });
const journal = await createRedisJournal({ target, retentionMs: 86_400_000, onNotice: () => {} });
const names = Array.from({ length: Number(count) }, (_, i) => `test/${i}`);
// Keeps the process until it is told.
const waiting = setInterval(() => {}, 60_000);
process.once('SIGUSR2', async () => {
  clearInterval(waiting);
  const replies = await Promise.all(names.map(name => journal.once(name, spanTo(Date.now() + 60_000))));
  console.log(JSON.stringify(replies.map(reply => (reply.kind === 'done' ? reply.value : reply.kind))));
  await journal.close();
});
console.log('ready');
