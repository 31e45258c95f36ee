/**
 * Redis changes shape under traffic: a primary of a Cluster goes and comes back, slots move, a replica takes over in good
 * order, a primary behind sentinels is replaced while it sleeps and wakes up as one primary too many. Nobody is told
 * anything but the truth, and everything ends.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allShards } from '../../src/journal/redisKeys.ts';
import { approved, payment, Rig } from '../journey/rig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { RedisServer } from '../support/redis.ts';
import { addReplicas, type RedisCluster, startRedisCluster } from '../support/redisCluster.ts';
import { startSentinels } from '../support/redisSentinel.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import type { Circumstances } from './books.ts';
import { type Fault, judge, play, type Scene, SETTING, untilQuiet } from './stage.ts';
import { caughtUp, lenientIssuer, promoted } from './stores.ts';

type World = {
  readonly issuer: ScriptedIssuer;
  readonly gateways: readonly Gateway[];
  readonly cluster: RedisCluster;
  readonly first: RedisServer;
  readonly second: RedisServer;
};

/** One Cluster, and what happens to it one after the other. */
const IN_TURN = { concurrent: false, timeout: 120_000 };
const PATIENT = { timeout: 120_000 };
const nothing = async () => {};

async function gatewaysOn(rig: Rig, issuer: ScriptedIssuer, journalUrl: string): Promise<Gateway[]> {
  const start = () => rig.gateway(issuer, { journalUrl, ...SETTING });
  return Promise.all([start(), start()]);
}

async function opened(rig: Rig): Promise<World> {
  const issuer = await rig.issuer();
  // What is acknowledged is on disk: a kill loses nothing.
  const cluster = await startRedisCluster({ appendfsync: 'always' });
  rig.atEnd(() => cluster.stop());
  for (const node of cluster.nodes) await node.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
  const [first, second] = cluster.nodes;
  if (!first || !second) throw new Error('the cluster has no nodes');
  return { issuer, cluster, first, second, gateways: await gatewaysOn(rig, issuer, cluster.url) };
}

/** The slots of the journal that a node serves. */
async function slotsOf(node: RedisServer): Promise<number[]> {
  const own = String(await node.command('CLUSTER', 'MYID'));
  const nodes = String(await node.command('CLUSTER', 'NODES')).split('\n');
  const line = nodes.find(each => each.startsWith(own)) ?? '';
  const ranges = [...line.matchAll(/ (\d+)(?:-(\d+))?(?= |$)/g)]
    .slice(-8)
    .map(([, from, to = from]) => [from, to].map(Number));
  const slots = await Promise.all(allShards().map(({ claims }) => node.command('CLUSTER', 'KEYSLOT', claims)));
  return slots.map(Number).filter(slot => ranges.some(([from = 0, to = 0]) => from <= slot && slot <= to));
}

/** Moves a slot as operators' tools do, key by key, while it is written to. */
async function moveSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [fromId, toId] = await Promise.all([from, to].map(async node => String(await node.command('CLUSTER', 'MYID'))));
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  for (;;) {
    const names = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 3)) as string[];
    if (names.length === 0) break;
    await from.command('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...names);
  }
  for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
}

/** Asks for it again where there was an election, or a link, too little. */
async function takesOver(replica: RedisServer): Promise<boolean> {
  if (String(await replica.command('INFO', 'replication')).includes('role:master')) return true;
  await replica.command('CLUSTER', 'FAILOVER').catch(() => undefined);
  return false;
}

type Row = readonly [name: string, fault: (world: World, rig: Rig) => Promise<Fault>, heard: readonly string[]];

const CLUSTER_ROWS: readonly Row[] = [
  [
    'F47 F61: a primary without a replica is killed, its shards are refused, the others go on; it comes back',
    async ({ first, gateways }) => ({
      begin: () => first.kill(),
      during: () => Promise.all(gateways.map(gateway => approved(gateway, payment('elsewhere')))),
      heal: () => first.restart(),
    }),
    ['503'],
  ],
  [
    'F61: the slots of a primary move to another',
    async ({ first, second }) => {
      const slots = await slotsOf(first);
      expect(slots.length).toBeGreaterThan(5);
      const move = async () => {
        for (const slot of slots) await moveSlot(slot, first, second);
      };
      return { begin: nothing, during: move, heal: nothing };
    },
    ['00'],
  ],
  [
    'F52 F61: a replica takes over from its primary in good order',
    async ({ cluster, second }, rig) => {
      const replicas = await addReplicas(cluster);
      rig.atEnd(async () => void (await Promise.all(replicas.map(replica => replica.stop()))));
      const [, replica] = replicas;
      if (!replica) throw new Error('the cluster has no replicas');
      const takeOver = async () => {
        await waitFor('the takeover', () => takesOver(replica), { everyMs: 500 });
        await waitFor('the primary to follow', async () =>
          String(await second.command('INFO', 'replication')).includes('role:slave'),
        );
      };
      return { begin: nothing, during: takeOver, heal: nothing };
    },
    ['00'],
  ],
];

async function holds(
  scene: Scene,
  fault: Fault,
  heard: readonly string[],
  circumstances?: Circumstances,
): Promise<void> {
  const seen = await play(scene, fault, circumstances);
  expect([...seen.heard]).toEqual(expect.arrayContaining([...heard]));
  await untilQuiet(scene);
  await judge(scene, seen.traffic, circumstances);
}

describe.concurrent('I1 I2 I3 I5 I8 I9 I13 I17 I18 I19 a Cluster under traffic', () => {
  const rig = new Rig();
  let world: World | undefined;
  beforeAll(async () => {
    world = await opened(rig);
  });
  afterAll(() => rig.end());

  it.for(CLUSTER_ROWS)('%s', IN_TURN, async ([, faultOf, heard]) => {
    if (!world) throw new Error('the world did not start');
    await holds(world, await faultOf(world, rig), heard);
  });
});

describe.concurrent('I1 I2 I3 I5 I8 I9 I13 I17 I18 I19 sentinels under traffic', () => {
  it('F52 F63: the primary sleeps, is replaced, and wakes up as one primary too many', PATIENT, async test => {
    const rig = new Rig(test);
    const issuer = await lenientIssuer(rig);
    const primary = await rig.redis({ args: ['--enable-debug-command', 'yes'] });
    const replica = await rig.redis({ replicaOf: primary });
    const sentinels = await startSentinels(primary, 3);
    rig.atEnd(() => sentinels.stop());
    await sentinels.untilWatching(replica);
    await caughtUp(primary);
    const scene = { issuer, gateways: await gatewaysOn(rig, issuer, sentinels.url) };
    const sleep = async () => {
      // Asleep between two commands, so that the replica has been sent all that was acknowledged.
      const nap = primary.command('DEBUG', 'SLEEP', '0.5').catch(() => undefined);
      await waitFor('the primary to sleep', async () => {
        const answer = primary.command('PING');
        return Promise.race([answer.then(() => false), new Promise<boolean>(done => setTimeout(done, 50, true))]);
      });
      primary.pause();
      return nap;
    };
    const fault = {
      begin: async () => void sleep(),
      during: () => promoted(replica),
      heal: async () => primary.resume(),
    };
    // Until the old primary is told, a gateway may find it, and what it acknowledges goes with it.
    await holds(scene, fault, ['503'], { isLost: true });
  });
});
