/**
 * A gateway under one load, for the tables about growth: started anew with an empty journal in Redis, loaded in a closed
 * loop, and looked at by the CPU time of each call.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { removeDir } from '../../test/support/places.ts';
import { putLoad } from '../engine/loaders.ts';
import { latencyFigures } from '../engine/statistics.ts';
import type { Surroundings } from '../engine/surroundings.ts';
import { usageOf } from '../engine/usage.ts';
import { checkLoad } from '../peers/check.ts';
import { startGateway } from '../peers/gateway.ts';
import { LOADS } from '../peers/loads.ts';
import type { Credentials, Load, Peer, World } from '../peers/types.ts';
import { grouped, inMs } from './tables.ts';

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 3;
/** Prepared messages are made for so many a second: more than a core does. */
const PREPARED_PER_SECOND = 12_000;
const US = 1e6;
/** Ids of one stretch of load. */
const STRETCH = 1e9;

export const TRAFFIC_HEAD = [
  'calls per CPU-s',
  'CPU µs/call',
  'calls/s',
  'p50 ms',
  'p99 ms',
  'memory MiB',
  'failed',
] as const;

export type Traffic = {
  readonly credentials: Credentials;
  /** `requestsMost`: how many messages will be asked for. */
  readonly load: (world: World, peer: Peer, requestsMost: number) => Promise<Load>;
};

/** The cells of a row, as `TRAFFIC_HEAD` names them. @throws Error where the first answer is not an approval. */
export async function trafficRow(around: Surroundings, traffic: Traffic, seconds: number): Promise<string[]> {
  const dir = mkdtempSync(join(around.dir, 'scale-'));
  const redis = await around.redis(dir);
  const issuerUrl = await around.issuerUrl('steady');
  const { credentials } = traffic;
  const world = { issuerUrl, redisUrl: redis.url, dir, pin: around.cores.measured, credentials };
  try {
    const peer = await startGateway(world, { journal: 'redis' });
    try {
      return await loaded(around, world, peer, traffic, seconds);
    } finally {
      await peer.stop();
    }
  } finally {
    await redis.stop();
    removeDir(dir);
  }
}

/** A message of a pool is taken for an encrypted one: of a plain load the usual Purchase is looked at. */
async function checkedOf(load: Load, world: World): Promise<Load> {
  const isPlain = load.headers['Content-Type'] === 'application/json';
  return isPlain ? { ...load, body: (await LOADS.bearer.build(world)).body } : load;
}

async function loaded(around: Surroundings, world: World, peer: Peer, traffic: Traffic, seconds: number) {
  const requestsMost = (WARM_UP_SECONDS + seconds) * PREPARED_PER_SECOND;
  const load = await traffic.load(world, peer, requestsMost + 1);
  const problem = await checkLoad(peer, await checkedOf(load, world), traffic.credentials);
  if (problem !== undefined) throw new Error(`the first answer: ${problem}`);
  const slice = { from: 0, count: load.body.kind === 'pool' ? load.body.count - 1 : STRETCH };
  const order = { url: peer.url, load, slice, connections: CONNECTIONS, ratePerSecond: 0 };
  let [before, after] = [usageOf(peer.pids), usageOf(peer.pids)];
  const report = await putLoad(
    { ...order, warmUpSeconds: WARM_UP_SECONDS, seconds },
    { pin: around.cores.around, dir: world.dir },
    {
      onBegin: () => {
        before = usageOf(peer.pids);
      },
      onEnd: () => {
        after = usageOf(peer.pids);
      },
    },
  );
  const failed = report.bad + report.lost + report.usedUp;
  const perCpuSecond = report.answered / (after.cpuSeconds - before.cpuSeconds);
  const { p50Us = 0, p99Us = 0 } = latencyFigures(report.histogram);
  return [
    grouped(perCpuSecond),
    (US / perCpuSecond).toFixed(0),
    grouped(report.answered / report.seconds),
    inMs(p50Us),
    inMs(p99Us),
    grouped(after.rssMiB),
    grouped(failed),
  ];
}
