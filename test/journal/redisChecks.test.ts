/**
 * What a Redis server must be before the journal trusts it, and what the operator is told of it.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { JournalNotice } from '../../src/journal/notice.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import type { RedisTarget } from '../../src/journal/redisConnect.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../support/redis.ts';
import { startRedisCluster } from '../support/redisCluster.ts';
import { PATIENCE_MS } from '../support/waitFor.ts';
import { claimOf } from './entries.ts';
import { claimFresh, DAY_MS } from './journalSteps.ts';
import { clusterTargetOf, targetOf } from './redisTargets.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const started = async (options: RedisOptions): Promise<RedisServer> => {
  const redis = await startRedis(options);
  stops.push(() => redis.stop());
  return redis;
};

type Opened = { readonly journal: Journal; readonly notices: readonly JournalNotice[] };

const opened = async (target: RedisTarget): Promise<Opened> => {
  const notices: JournalNotice[] = [];
  const onNotice = (notice: JournalNotice) => notices.push(notice);
  const journal = await createRedisJournal({ target, retentionMs: DAY_MS, onNotice, startWithinMs: 3000 });
  stops.push(() => journal.close());
  return { journal, notices };
};

const noticesOf = async (options: RedisOptions): Promise<readonly JournalNotice[]> => {
  const { notices } = await opened(targetOf(await started(options)));
  return notices;
};

describe('a start is refused', () => {
  it('F53 by every policy that throws entries away, with what to set instead', async () => {
    const redis = await started({});
    for (const policy of ['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl']) {
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', policy);
      await expect(opened(targetOf(redis))).rejects.toThrow(
        `Redis at 127.0.0.1:${redis.port} has maxmemory-policy ${policy}, which deletes journal entries when memory is short: set maxmemory-policy noeviction`,
      );
    }
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    expect((await opened(targetOf(redis))).notices).toEqual([]);
  });

  it('F52 by a replica', async () => {
    const primary = await started({});
    const replica = await started({ replicaOf: primary });
    await expect(opened(targetOf(replica))).rejects.toThrow('is a replica: name the primary, or the sentinels');
  });

  it('F53 by one primary of a Cluster that evicts', async () => {
    const cluster = await startRedisCluster();
    stops.push(() => cluster.stop());
    const last = cluster.nodes.at(-1);
    await last?.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(opened(clusterTargetOf(cluster))).rejects.toThrow(`127.0.0.1:${last?.port} has maxmemory-policy`);
  });

  it('I14 by a wrong password, which no message repeats', async () => {
    const redis = await started({ password: 'right' });
    const target = { ...targetOf(redis), password: new Secret('wrong-password-7Q') } as RedisTarget;
    const failure = await opened(target).then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect(failure).toContain('WRONGPASS');
    expect(failure).not.toContain('wrong-password-7Q');
  });
});

describe('the operator is warned', () => {
  it('of nothing where all is as it should be', async () => {
    expect(await noticesOf({})).toEqual([]);
    expect(await noticesOf({ appendfsync: 'always' })).toEqual([]);
  });

  it('F57 of a server that does not persist', async () => {
    expect(await noticesOf({ appendonly: 'no' })).toMatchObject([
      { level: 'warning', about: 'persistence', text: expect.stringContaining('does not persist') },
    ]);
  });

  it('F57 of a server that keeps only snapshots', async () => {
    expect(await noticesOf({ appendonly: 'no', args: ['--save', '60 1000'] })).toMatchObject([
      { level: 'warning', about: 'persistence', text: expect.stringContaining('keeps only snapshots') },
    ]);
  });

  it('F57 of a server that leaves writing to the system', async () => {
    expect(await noticesOf({ appendfsync: 'no' })).toMatchObject([
      { level: 'warning', about: 'persistence', text: expect.stringContaining('appendfsync no') },
    ]);
  });

  it('F50 of replicas that no write waits for', async () => {
    const primary = await started({});
    await started({ replicaOf: primary });
    await expect
      .poll(async () => String(await primary.command('INFO', 'replication')), { timeout: PATIENCE_MS })
      .toContain('connected_slaves:1');
    expect((await opened(targetOf(primary))).notices).toMatchObject([
      { level: 'warning', about: 'persistence', text: expect.stringContaining('min-replicas-to-write 0') },
    ]);
  });

  it('of settings that may not be read, and works all the same', async () => {
    const redis = await started({});
    await redis.command('ACL', 'SETUSER', 'gateway', 'on', '>secret', '~gw:*', '+@all', '-config');
    const target = { ...targetOf(redis), username: 'gateway', password: new Secret('secret') } as RedisTarget;
    const { journal, notices } = await opened(target);
    expect(notices).toMatchObject([{ about: 'unchecked', text: expect.stringContaining('CONFIG GET') }]);
    await claimFresh(journal, claimOf('ACL'));
  });

  it('of a policy that may not be read at all', async () => {
    const redis = await started({});
    await redis.command('ACL', 'SETUSER', 'gateway', 'on', '>secret', '~gw:*', '+@all', '-config', '-info');
    const target = { ...targetOf(redis), username: 'gateway', password: new Secret('secret') } as RedisTarget;
    const { journal, notices } = await opened(target);
    expect(notices.map(({ about }) => about)).toEqual(['unchecked', 'unchecked', 'unchecked']);
    expect(notices.map(({ text }) => text).join()).toContain('run_id');
    await claimFresh(journal, claimOf('ACL'));
  });
});

describe('access', () => {
  it('works with a password, another database, and no more rights than it needs', async () => {
    const redis = await started({ password: 'right' });
    const target = { ...targetOf(redis), password: new Secret('right'), db: 3 } as RedisTarget;
    await claimFresh((await opened(target)).journal, claimOf('DB3'));
    expect(String(await redis.command('INFO', 'keyspace'))).toMatch(/^db3:keys=/m);
  });

  it('I12 a right that is missing is away or an error, never a half-written entry', async () => {
    const redis = await started({});
    await redis.command('ACL', 'SETUSER', 'gateway', 'on', 'nopass', '~gw:*', '+@all', '-evalsha', '-eval');
    const target = { ...targetOf(redis), username: 'gateway', password: new Secret('any') } as RedisTarget;
    const { journal } = await opened(target);
    expect(await journal.claim(claimOf('ACL-2'), 'w')).toEqual({ kind: 'away' });
    expect(await redis.command('DBSIZE')).toBe(0);
  });
});
