/**
 * The journal while Redis changes shape: a failover by sentinels, a slot that moves between primaries, a primary of a
 * Cluster that is gone.
 */
import type { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { apply } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { clientOf, connected, primariesOf, type RedisTarget } from '../../src/journal/redisConnect.ts';
import { keysOfShard, SHARD_COUNT, shardOf } from '../../src/journal/redisKeys.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redisCluster.ts';
import { startSentinels } from '../support/redisSentinel.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { claimOf, keyNamed, tombstoneOf } from './entries.ts';
import {
  claimFresh,
  DAY_MS,
  happen,
  ISSUER_A,
  insist,
  LANES,
  presentOf,
  settled,
  unknown,
  usd,
  writeId,
} from './journalSteps.ts';
import { clusterTargetOf, targetOf } from './redisTargets.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const opened = async (target: RedisTarget, clock: Clock = systemClock): Promise<Journal> => {
  const journal = await createRedisJournal({ target, retentionMs: DAY_MS, onNotice: () => {}, clock });
  stops.push(() => journal.close());
  return journal;
};

/** One draft in each shard. */
const oneInEachShard = () => {
  const found = new Map<number, ReturnType<typeof claimOf>>();
  for (let i = 0; found.size < 64; i += 1) {
    const draft = claimOf(`T${i}`, { amount: usd(BigInt(i) + 1n) });
    if (!found.has(shardOf(draft.key))) found.set(shardOf(draft.key), draft);
  }
  return [...found.values()];
};

/** All that is found until it is back: the connection that looks may be there before the other one. */
async function foundOnReturn(journal: Journal, found: () => Promise<string[]>): Promise<string[]> {
  const seen = new Set<string>();
  await waitFor('it to be back', async () => {
    for (const tranId of await found()) seen.add(tranId);
    return seen.size > 0 && journal.isUp();
  });
  return [...seen];
}

describe('a server that was away', () => {
  it('F52 I8 no claim is taken over there at once, however long its lease is over; what it owes is found', async () => {
    const redis = await startRedis({ appendfsync: 'always' });
    stops.push(() => redis.stop());
    const journal = await opened(targetOf(redis));
    await claimFresh(journal, claimOf('F52-claim', { leaseMs: 1 }));
    const { entry } = await claimFresh(journal, claimOf('F52-doubt'));
    const doubt = await happen(journal, entry, unknown(1, 0));
    const found = async () => (await insist(() => journal.due(LANES))).map(each => each.entry.key.tranId).sort();
    await waitFor('both', async () => (await found()).length === 2);
    await redis.kill();
    await waitFor('it to be missed', async () => !journal.isUp());
    await redis.restart();
    expect(await foundOnReturn(journal, found)).toEqual([doubt.key.tranId]);
    await waitFor('every shard to tell', async () => (await found()) && journal.amnesia().losses === SHARD_COUNT);
    expect(journal.amnesia().shards).toBe(0);
    await waitFor('the takeover', async () => (await found()).length === 2);
  });
});

describe('sentinels', () => {
  it('F52 F50 I1 the journal follows a failover, finds what it had written, and begins nothing new there at once', async () => {
    const primary = await startRedis();
    stops.push(() => primary.stop());
    const replica = await startRedis({ replicaOf: primary });
    stops.push(() => replica.stop());
    const sentinels = await startSentinels(primary, 1);
    stops.push(() => sentinels.stop());
    await sentinels.untilWatching(replica);
    const { nodes, master: name } = sentinels;
    const target = { kind: 'sentinel', name, nodes, tls: false, username: undefined, password: undefined } as const;
    const journal = await opened(target);
    const { entry, now } = await claimFresh(journal, claimOf('F52'));
    const done = await happen(journal, entry, settled(1, '00', now));
    await waitFor('the replica to have it', async () => Number(await primary.command('WAIT', 1, 100)) === 1);

    await waitFor('the failover to begin', async () => (await sentinels.ask('FAILOVER', name)) === 'OK');
    await waitFor('the replica to be promoted', async () => String(await replica.command('ROLE')).startsWith('master'));
    const isThere = (tranId: string) =>
      replica.command('EXISTS', keysOfShard(shardOf(keyNamed(tranId))).entry(`${tranId}/100000`));
    let tries = 0;
    await waitFor(
      'the journal on the new primary',
      async () => {
        tries += 1;
        const name = `F52-tombstone-${tries}`;
        const reply = await journal.claim(tombstoneOf(name), name);
        return reply.kind === 'done' && (await isThere(name)) === 1;
      },
      { everyMs: 50 },
    );
    // I1: the old primary may still be believed elsewhere, so that nothing new is begun here yet but what undoes.
    // What went to the old one meanwhile is lost, and noticed: another shard than those.
    const used = new Set(Array.from({ length: tries }, (_, i) => shardOf(keyNamed(`F52-tombstone-${i + 1}`))));
    const after = oneInEachShard().find(({ key }) => !used.has(shardOf(key)));
    if (!after) throw new Error('every shard was written to');
    expect(await journal.claim(after, 'after')).toEqual({ kind: 'away' });
    expect(await insist(id => journal.claim(claimOf('F52'), id))).toMatchObject({ kind: 'exists', entry: done });
    await waitFor('the first new one', async () => (await journal.claim(after, 'after')).kind === 'done');
    await waitFor('the entry', async () => (await presentOf(journal, entry))?.version === done.version);
    expect(await isThere(after.key.tranId)).toBe(1);
  }, 60_000);
});

describe('a Cluster', () => {
  const startCluster = async (): Promise<RedisCluster> => {
    const cluster = await startRedisCluster({ appendfsync: 'always' });
    stops.push(() => cluster.stop());
    // Only now: without it the cluster counts as formed before every node knows every other.
    for (const node of cluster.nodes) await node.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    return cluster;
  };
  const slotOf = async (node: RedisServer, key: string) => Number(await node.command('CLUSTER', 'KEYSLOT', key));
  const ownerOf = async (cluster: RedisCluster, slot: number): Promise<RedisServer> => {
    const [first] = cluster.nodes;
    const ranges = (await first?.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
    const owner = cluster.nodes.find(node => node.port === port);
    if (!owner) throw new Error(`nobody owns slot ${slot}`);
    return owner;
  };

  it('is connected to at the first try, unless the machine stands still', async () => {
    const cluster = await startCluster();
    let retries = 0;
    for (let i = 0; i < 10; i += 1) {
      const client = clientOf(clusterTargetOf(cluster), 'test');
      const events: EventEmitter = client;
      events.on('reconnecting', () => {
        retries += 1;
      });
      await connected(client, 'the cluster', systemClock, 10_000);
      expect(primariesOf(client).map(({ status }) => status)).toEqual(['ready', 'ready', 'ready']);
      client.disconnect();
    }
    expect(retries).toBeLessThan(5);
  });

  it('F47 is found again after all of it was gone', async () => {
    const cluster = await startCluster();
    const journal = await opened(clusterTargetOf(cluster));
    const { entry } = await claimFresh(journal, claimOf('F47'));
    for (const node of cluster.nodes) await node.kill();
    await waitFor('the journal to notice', async () => (await journal.read(entry.key)).kind === 'away');
    for (const node of cluster.nodes) await node.restart();
    await waitFor('the journal to be back', async () => (await journal.read(entry.key)).kind === 'done');
    expect(await presentOf(journal, entry)).toEqual(entry);
  });

  it('F61 makes every transition in every shard, wherever it is', async () => {
    const cluster = await startCluster();
    const journal = await opened(clusterTargetOf(cluster));
    const drafts = oneInEachShard();
    const made = await Promise.all(
      drafts.map(async draft => {
        const { entry, now } = await claimFresh(journal, draft);
        return happen(journal, entry, unknown(1, now));
      }),
    );
    const sum = drafts.reduce((total, { amount }) => total + (amount?.minor ?? 0n), 0n);
    expect(await insist(() => journal.owed())).toMatchObject({ due: 64, money: new Map([['840', sum]]) });
    const lanes = [{ lane: ISSUER_A, limit: 100 }];
    await waitFor('all that is due', async () => (await insist(() => journal.due(lanes))).length === 64);
    const sizes = await Promise.all(cluster.nodes.map(node => node.command('DBSIZE')));
    for (const size of sizes) expect(size).toBeGreaterThan(0);
    for (const entry of made) expect(await presentOf(journal, entry)).toEqual(entry);
  });

  it('F61 loses and doubles nothing while a slot moves', async () => {
    const cluster = await startCluster();
    const journal = await opened(clusterTargetOf(cluster));
    const { entry, now } = await claimFresh(journal, claimOf('F61', { amount: usd(5n) }));
    const keys = keysOfShard(shardOf(entry.key));
    const [any] = cluster.nodes;
    if (!any) throw new Error('no nodes');
    const slot = await slotOf(any, keys.claims);
    const from = await ownerOf(cluster, slot);
    const to = cluster.nodes.find(node => node !== from);
    if (!to) throw new Error('nowhere to move to');
    const [fromId, toId] = await Promise.all(
      [from, to].map(async node => String(await node.command('CLUSTER', 'MYID'))),
    );
    if (!fromId || !toId) throw new Error('no ids');
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const name = 'F61/100000';
    // Half of the shard's keys are there, half are here.
    await from.command('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', keys.entry(name));

    const moved = apply(entry, unknown(1, now));
    const id = writeId();
    const during = await within('the move', journal.move(entry, moved, id), 5000);
    expect(during.kind).not.toBe('done');
    const rest = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    await from.command('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...rest);
    for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);

    const after = await waitFor('the move to be told', async () => {
      const reply = await journal.move(entry, moved, id);
      return reply.kind === 'done' ? reply.value : undefined;
    });
    expect(after).toEqual({ kind: 'moved' });
    expect(await presentOf(journal, entry)).toEqual(moved);
    expect(await insist(() => journal.owed())).toMatchObject({ due: 1, money: new Map([['840', 5n]]) });
    expect(await to.command('EXISTS', keys.entry(name))).toBe(1);
  });

  it('F62 is unsure of a call that a primary took with it', async () => {
    const cluster = await startCluster();
    const journal = await opened(clusterTargetOf(cluster));
    const draft = claimOf('F62');
    const [any] = cluster.nodes;
    if (!any) throw new Error('no nodes');
    const owner = await ownerOf(cluster, await slotOf(any, keysOfShard(shardOf(draft.key)).claims));
    owner.pause();
    const reply = journal.claim(draft, writeId());
    await owner.kill();
    expect(await within('the claim', reply, 5000)).toEqual({ kind: 'unsure' });
  });

  it('F52 I5 I8 one primary that was away is a server that was away: no takeovers at once, and all is written again', async () => {
    const cluster = await startCluster();
    const journal = await opened(clusterTargetOf(cluster));
    const { entry } = await claimFresh(journal, claimOf('F52-claim', { leaseMs: 1 }));
    const beside = Array.from({ length: 1000 }, (_, i) => claimOf(`D${i}`)).find(
      ({ key }) => shardOf(key) === shardOf(entry.key),
    );
    if (!beside) throw new Error('nothing beside it');
    const doubt = await happen(journal, (await claimFresh(journal, beside)).entry, unknown(1, 0));
    const found = async () => (await insist(() => journal.due(LANES))).map(each => each.entry.key.tranId).sort();
    const both = [doubt.key.tranId, 'F52-claim'];
    await waitFor('both', async () => (await found()).length === 2);
    const [any] = cluster.nodes;
    if (!any) throw new Error('no nodes');
    const owner = await ownerOf(cluster, await slotOf(any, keysOfShard(shardOf(entry.key)).claims));
    const before = journal.amnesia().losses;
    await owner.kill();
    await waitFor('it to be missed', async () => (await found()).length === 0);
    await owner.restart();
    expect(await foundOnReturn(journal, found)).toEqual([doubt.key.tranId]);
    expect(await found()).toEqual([doubt.key.tranId]);
    expect(journal.amnesia().losses).toBeGreaterThan(before);
    await waitFor('the takeover', async () => (await found()).length === 2);
    expect(await found()).toEqual(both);
  });

  it('F47 goes on with the shards of the primaries that are there, and says away for the others', async () => {
    const cluster = await startCluster();
    const journal = await opened(clusterTargetOf(cluster));
    const drafts = oneInEachShard();
    for (const draft of drafts) {
      const { entry, now } = await claimFresh(journal, draft);
      await happen(journal, entry, unknown(1, now));
    }
    const [gone] = cluster.nodes;
    await gone?.kill();
    const kinds = await waitFor('the others to go on', async () => {
      const replies = await Promise.all(drafts.map(({ key }) => journal.read(key)));
      const found = replies.map(({ kind }) => kind);
      const hasSettled = found.filter(kind => kind === 'done').length > 30 && !found.includes('unsure');
      return hasSettled ? found : undefined;
    });
    expect(kinds).toContain('away');
    const there = kinds.filter(kind => kind === 'done').length;
    const lanes = LANES.map(({ lane }) => ({ lane, limit: 64 }));
    await waitFor('the due work of the others', async () => (await insist(() => journal.due(lanes))).length === there);
    // A sum without one shard would look like good news.
    expect((await journal.owed()).kind).not.toBe('done');
  });
});
