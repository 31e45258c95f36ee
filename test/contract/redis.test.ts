/** The journal contract over one Redis server. */
import { afterAll } from 'vitest';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { targetOf } from '../journal/redisTargets.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { journalContract } from './journal.ts';

let server: RedisServer | undefined;
afterAll(() => server?.stop());

journalContract('redis', async () => {
  const redis = await startRedis();
  server = redis;
  return {
    open: retentionMs => createRedisJournal({ target: targetOf(redis), retentionMs, onNotice: () => {} }),
    clear: () => redis.flush(),
    runs: 100,
  };
});
