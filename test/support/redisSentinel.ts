/**
 * Sentinels that watch one primary and its replicas, each a process of its own, as a gateway finds its journal through
 * them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from './children.ts';
import { freePort, tempDir } from './places.ts';
import { type RedisServer, type Reply, withClient } from './redis.ts';
import { redisServerPath } from './redisBinary.ts';
import { type WaitOptions, waitFor } from './waitFor.ts';

export type Sentinels = {
  readonly master: string;
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** As `journal.url` takes it. */
  readonly url: string;
  /** Asks the first of them: `SENTINEL name ...`. */
  ask(...args: readonly string[]): Promise<Reply>;
  /** Until they know this replica, and each other: from then on they can replace the primary by it. */
  untilWatching(replica: RedisServer): Promise<void>;
  stop(): Promise<void>;
};

const HOST = '127.0.0.1';
const MASTER = 'cards';
/** They find each other through the primary, every two seconds. */
const WATCHING: WaitOptions = { everyMs: 50 };

/** Starts `count` sentinels, a majority of which replaces the primary once it has been away for a second. */
export async function startSentinels(primary: RedisServer, count: number): Promise<Sentinels> {
  const quorum = Math.floor(count / 2) + 1;
  const started = await Promise.all(Array.from({ length: count }, () => startSentinel(primary, quorum)));
  const nodes = started.map(({ port }) => ({ host: HOST, port }));
  const ask = (...args: readonly string[]): Promise<Reply> =>
    withClient(nodes[0]?.port ?? 0, undefined, async client => (await client.call('SENTINEL', ...args)) as Reply);
  return {
    master: MASTER,
    nodes,
    url: `redis+sentinel://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}/${MASTER}`,
    ask,
    untilWatching: async replica => {
      const knows = async () => String(await ask('REPLICAS', MASTER)).includes(String(replica.port));
      await waitFor('the sentinels to know the replica', knows, WATCHING);
      const agree = async () => String(await ask('CKQUORUM', MASTER)).startsWith('OK');
      await waitFor('the sentinels to know each other', agree, WATCHING);
    },
    stop: async () => {
      await Promise.all(started.map(({ child }) => child.kill()));
    },
  };
}

async function startSentinel(primary: RedisServer, quorum: number) {
  const port = await freePort();
  const file = join(tempDir('sentinel'), 'sentinel.conf');
  const lines = [
    `port ${port}`,
    `bind ${HOST}`,
    `sentinel monitor ${MASTER} ${HOST} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 3000`,
  ];
  // They write down there what they learn.
  writeFileSync(file, `${lines.join('\n')}\n`);
  return { port, child: await startChild(redisServerPath(), [file, '--sentinel']) };
}
