/** F61 The journal contract over a Redis Cluster of three primaries: every transition is of one slot. */
import { afterAll } from 'vitest';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { clusterTargetOf } from '../journal/redisTargets.ts';
import { type RedisCluster, startRedisCluster } from '../support/redisCluster.ts';
import { journalContract } from './journal.ts';

let cluster: RedisCluster | undefined;
afterAll(() => cluster?.stop());

journalContract('redis cluster', async () => {
  const started = await startRedisCluster();
  cluster = started;
  return {
    open: retentionMs => createRedisJournal({ target: clusterTargetOf(started), retentionMs, onNotice: () => {} }),
    clear: () => started.flush(),
    runs: 60,
  };
});
