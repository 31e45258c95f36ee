/**
 * What it costs to wait for a replica (`journal.replicas`): claim and settle on a Redis alone, on one with a replica that
 * nobody waits for, and with every claim waiting for it. All of it on this machine, so that no network comes on top.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { removeDir, tempDir } from '../../test/support/places.ts';
import { usageOf } from '../engine/usage.ts';
import { startRedis } from '../peers/redis.ts';
import type { Credentials, Peer } from '../peers/types.ts';
import { sampleTexts, vaultOf } from './entries.ts';
import { measured, TIMED_HEAD, timedCells } from './journalSize.ts';
import { redisJournal } from './journals.ts';
import type { ScaleOptions } from './options.ts';
import type { Table } from './tables.ts';

const LOOK_MS = 50;
/** A first copy of an almost empty server takes well below a second. */
const LINK_MOST_MS = 30_000;

const NOTES = [
  'Primary and replica are on this machine and share its cores: a network between them adds its round trip to each claim that waits.',
  'A claim that no replica confirms within 100 ms counts with the time that it took; the server CPU is that of the primary.',
];

export async function replicaTables({ seconds }: ScaleOptions, { sealKeyFile }: Credentials): Promise<Table[]> {
  const dir = tempDir('scale');
  const texts = sampleTexts(vaultOf(sealKeyFile));
  const servers: Peer[] = [];
  const start = async () => {
    const server = await startRedis(dir, command => command);
    servers.push(server);
    return server;
  };
  try {
    const primary = await start();
    const row = async (what: string, replicas: number): Promise<string[]> => {
      const journal = await redisJournal(primary.url, dir, replicas);
      try {
        const serverCpuSeconds = () => usageOf(primary.pids).cpuSeconds;
        return [what, ...timedCells(await measured({ journal, serverCpuSeconds }, texts, seconds))];
      } finally {
        await journal.close();
      }
    };
    const rows = [await row('no replica', 0)];
    await follow(await start(), primary);
    rows.push(await row('a replica, claims do not wait', 0), await row('journal.replicas: 1', 1));
    return [{ title: 'Claim and settle with a replica', notes: NOTES, head: ['', ...TIMED_HEAD], rows }];
  } finally {
    for (const server of servers) await server.stop();
    removeDir(dir);
  }
}

/** Makes one server the replica of the other, and waits until it has all that the other has. */
async function follow(replica: Peer, primary: Peer): Promise<void> {
  const [asking, leading] = [new Redis(replica.url), new Redis(primary.url)];
  for (const client of [asking, leading]) client.on('error', () => undefined);
  try {
    // A primary waits five seconds for more replicas before the first copy.
    await leading.config('SET', 'repl-diskless-sync-delay', '0');
    const { hostname, port } = new URL(primary.url);
    await asking.replicaof(hostname, port);
    const end = performance.now() + LINK_MOST_MS;
    while (!String(await asking.role()).includes('connected')) {
      if (performance.now() > end) throw new Error('the replica does not get a copy of its primary');
      await sleep(LOOK_MS);
    }
  } finally {
    asking.disconnect();
    leading.disconnect();
  }
}
