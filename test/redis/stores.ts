/**
 * Stores that lose what they had acknowledged, each in its own way: the end of the append-only file, a flush, a primary
 * whose replica had fallen behind, behind sentinels or in a Cluster.
 */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from '../journey/rig.ts';
import type { RedisServer } from '../support/redis.ts';
import { addReplicas, startRedisCluster } from '../support/redisCluster.ts';
import { startSentinels } from '../support/redisSentinel.ts';
import { type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';
import { type WaitOptions, waitFor } from '../support/waitFor.ts';

export type LossyStore = {
  /** As `journal.url` takes it. */
  readonly url: string;
  /** From now on what is acknowledged will be lost. */
  begin(): Promise<unknown>;
  /** It is lost, and the store serves again without it. */
  lose(): Promise<unknown>;
};

/** Elections on a machine that has other things to do. */
const ELECTED: WaitOptions = { everyMs: 50 };
/** Written by the rest of a command that was cut. */
const RAGGED_BYTES = 7;

/** An issuer whose complaints are judged in `books.ts`: after a loss the number of a try is forgotten, and it is sent as new. */
export async function lenientIssuer(rig: Rig): Promise<ScriptedIssuer> {
  const issuer = await startScriptedIssuer();
  rig.atEnd(() => issuer.stop());
  return issuer;
}

/** F57: the file ends earlier than it did, in the midst of a command. */
export async function cutAof(rig: Rig): Promise<LossyStore> {
  // On disk before it is acknowledged, so that the file as it is now holds all that was acknowledged until now.
  const redis = await rig.redis({ appendfsync: 'always' });
  const folder = join(redis.dir, 'appendonlydir');
  const tail = () => join(folder, readdirSync(folder).find(name => name.endsWith('.incr.aof')) ?? '');
  let kept = 0;
  return {
    url: redis.url,
    begin: async () => {
      kept = statSync(tail()).size;
    },
    lose: async () => {
      await redis.kill();
      truncateSync(tail(), kept + RAGGED_BYTES);
      await redis.restart();
    },
  };
}

/** F76: all of it is gone at once. */
export async function flushed(rig: Rig): Promise<LossyStore> {
  const redis = await rig.redis();
  return { url: redis.url, begin: async () => {}, lose: () => redis.flush() };
}

/** F50: the primary dies, the sentinels promote a replica that had fallen behind, and the old one comes back to it. */
export async function failedOver(rig: Rig): Promise<LossyStore> {
  const primary = await rig.redis();
  const replica = await rig.redis({ replicaOf: primary });
  const sentinels = await startSentinels(primary, 3);
  rig.atEnd(() => sentinels.stop());
  await sentinels.untilWatching(replica);
  await caughtUp(primary);
  return {
    url: sentinels.url,
    begin: () => cutOff(primary, replica),
    lose: async () => {
      await primary.kill();
      await promoted(replica);
      await primary.restart();
    },
  };
}

/** F50 F61: the same with one of three primaries of a Cluster. */
export async function clusterFailedOver(rig: Rig): Promise<LossyStore> {
  const cluster = await startRedisCluster();
  rig.atEnd(() => cluster.stop());
  const replicas = await addReplicas(cluster);
  rig.atEnd(async () => void (await Promise.all(replicas.map(replica => replica.stop()))));
  const [primary] = cluster.nodes;
  const [replica] = replicas;
  if (!primary || !replica) throw new Error('the cluster has no nodes');
  return {
    url: cluster.url,
    begin: () => cutOff(primary, replica),
    lose: async () => {
      await primary.kill();
      await promoted(replica);
      await primary.restart();
    },
  };
}

const replicationOf = async (server: RedisServer) => String(await server.command('INFO', 'replication'));

export const caughtUp = (primary: RedisServer) =>
  waitFor('the replica to have all', async () => Number(await primary.command('WAIT', 1, 100)) === 1, ELECTED);

/** The replica hears nothing from now on: it logs in with a password that nobody asked for, and is refused. */
async function cutOff(primary: RedisServer, replica: RedisServer): Promise<void> {
  await replica.command('CONFIG', 'SET', 'masterauth', 'nobody');
  await primary.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await waitFor('the replica to be gone', async () => (await replicationOf(primary)).includes('connected_slaves:0'));
}

/** Until it is the primary. */
export async function promoted(replica: RedisServer): Promise<void> {
  await waitFor(
    'the replica to be promoted',
    async () => (await replicationOf(replica)).includes('role:master'),
    ELECTED,
  );
  // The old primary is to be heard again, where it is told to follow this one.
  await replica.command('CONFIG', 'SET', 'masterauth', '');
}
