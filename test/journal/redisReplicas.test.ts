/**
 * Replicas: a claim that was to wait for them says whether they have it, a doubt waits for one where there is one, and
 * one that does not answer holds nobody else up.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { keysOfShard, shardOf } from '../../src/journal/redisKeys.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startRedisCluster } from '../support/redisCluster.ts';
import { waitFor } from '../support/waitFor.ts';
import { claimOf } from './entries.ts';
import { claimFresh, DAY_MS, happen, settled, unknown } from './journalSteps.ts';
import { clusterTargetOf, targetOf } from './redisTargets.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const server = async (replicaOf?: RedisServer): Promise<RedisServer> => {
  const redis = await startRedis(replicaOf ? { replicaOf } : {});
  stops.push(() => redis.stop());
  return redis;
};

async function withReplica(replicas: number) {
  const primary = await server();
  const replica = await server(primary);
  await waitFor('the replica', async () => Number(await primary.command('WAIT', 1, 100)) === 1);
  return { primary, replica, journal: await opened(primary, replicas) };
}

async function opened(primary: RedisServer, replicas: number): Promise<Journal> {
  const options = { target: targetOf(primary), retentionMs: DAY_MS, replicas, onNotice: () => {} };
  const journal = await createRedisJournal(options);
  stops.push(() => journal.close());
  return journal;
}

const entryName = ({ key }: ReturnType<typeof claimOf>) => `${key.tranId}/${key.participantId}`;
const nameIn = (draft: ReturnType<typeof claimOf>) => keysOfShard(shardOf(draft.key)).entry(entryName(draft));

describe('F50 a claim that waits for a replica', () => {
  it('is there when it is given, for many at once', async () => {
    const { replica, journal } = await withReplica(1);
    let no = 0;
    const claimed = async () => {
      no += 1;
      const draft = claimOf(`REPL-${no}`);
      const { isReplicated } = await claimFresh(journal, draft);
      // A busy machine may be late with the word of it, never with the entry where it gave its word.
      if (isReplicated) expect(await replica.command('EXISTS', nameIn(draft))).toBe(1);
      return isReplicated;
    };
    await waitFor('the word of the replica', async () =>
      (await Promise.all(Array.from({ length: 20 }, claimed))).includes(true),
    );
  });

  it('says that it is not where the replica does not answer, and holds up nothing else', async () => {
    const { replica, journal } = await withReplica(1);
    replica.pause();
    stops.push(async () => replica.resume());
    const waiting = claimFresh(journal, claimOf('PAUSED'));
    const first = await Promise.race([
      waiting.then(() => 'claim'),
      journal.read(claimOf('OTHER').key).then(() => 'read'),
    ]);
    expect(first).toBe('read');
    expect(await waiting).toMatchObject({ isReplicated: false });
    expect(journal.amnesia().unconfirmed).toBe(1);
    replica.resume();
    await waitFor('the replica', async () => {
      const { isReplicated } = await claimFresh(journal, claimOf(`BACK-${performance.now()}`));
      return isReplicated;
    });
  });

  it('says so where there are fewer than it was to wait for, and not for what is never forwarded', async () => {
    const { journal } = await withReplica(2);
    expect(await claimFresh(journal, claimOf('TWO'))).toMatchObject({ isReplicated: false });
    expect(await claimFresh(journal, claimOf('UNDO', { policy: 'undo' }))).toMatchObject({ isReplicated: true });
  });

  it('F61 finds the server of its shard in a Cluster', async () => {
    const cluster = await startRedisCluster();
    stops.push(() => cluster.stop());
    const target = clusterTargetOf(cluster);
    const journal = await createRedisJournal({ target, retentionMs: DAY_MS, replicas: 1, onNotice: () => {} });
    stops.push(() => journal.close());
    for (let i = 0; i < 8; i += 1) await claimFresh(journal, claimOf(`CLUSTER-${i}`));
    const marks = await Promise.all(cluster.nodes.map(node => node.command('KEYS', '*:waited')));
    expect(marks.flat().length).toBeGreaterThan(3);
    expect(journal.amnesia().unconfirmed).toBe(8);
  });
});

describe('F51 a doubt', () => {
  const waits = async (primary: RedisServer) =>
    String(await primary.command('INFO', 'commandstats')).includes('cmdstat_wait:');

  it('is at a replica when its settle returns; what has ended does not wait', async () => {
    const { primary, replica, journal } = await withReplica(0);
    await primary.command('CONFIG', 'RESETSTAT');
    const [ended, doubted] = [claimOf('ENDED'), claimOf('DOUBTED')];
    const first = await claimFresh(journal, ended);
    await happen(journal, first.entry, settled(1, '00', first.now));
    expect(await waits(primary)).toBe(false);
    const { entry, now } = await claimFresh(journal, doubted);
    await happen(journal, entry, unknown(1, now));
    // A machine that is too busy for the tenth of a second says that nothing was confirmed.
    const isThere = (await replica.command('HGET', nameIn(doubted), 'v')) === '2';
    expect(isThere || journal.amnesia().unconfirmed > 0).toBe(true);
    expect(await waits(primary)).toBe(true);
  });

  it('does not wait where there is no replica', async () => {
    const primary = await server();
    const journal = await opened(primary, 0);
    await primary.command('CONFIG', 'RESETSTAT');
    const { entry, now } = await claimFresh(journal, claimOf('ALONE'));
    await happen(journal, entry, unknown(1, now));
    expect(await waits(primary)).toBe(false);
  });
});
