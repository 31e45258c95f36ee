/**
 * A Redis Cluster of three primaries without replicas, formed command by command, so that what the journal promises can
 * be tested where keys live on different servers.
 */
import { type RedisOptions, type RedisServer, type Reply, startRedis } from './redis.ts';
import { waitFor } from './waitFor.ts';

const SLOTS = 16_384;
const PRIMARIES = 3;

export type RedisCluster = {
  readonly nodes: readonly RedisServer[];
  /** As `journal.url` takes it. */
  readonly url: string;
  /** Removes every key of every node. */
  flush(): Promise<void>;
  content(): Promise<Buffer>;
  stop(): Promise<void>;
};

/** Starts the nodes, forms the cluster and waits until every node serves. */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', ...(options.args ?? [])];
  const nodes = await Promise.all(Array.from({ length: PRIMARIES }, () => startRedis({ ...options, args })));
  try {
    await form(nodes);
  } catch (error) {
    await Promise.all(nodes.map(node => node.kill()));
    throw error;
  }
  return {
    nodes,
    url: `redis+cluster://${nodes.map(node => `${node.host}:${node.port}`).join(',')}`,
    flush: async () => {
      await Promise.all(nodes.map(node => node.flush()));
    },
    content: async () => Buffer.concat(await Promise.all(nodes.map(node => node.content()))),
    stop: async () => {
      await Promise.all(nodes.map(node => node.stop()));
    },
  };
}

async function form(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(nodes.map(takeSlots));
  const [first, ...others] = nodes;
  for (const node of others) await first?.command('CLUSTER', 'MEET', node.host, node.port);
  await waitFor('the cluster', async () => (await Promise.all(nodes.map(isServing))).every(Boolean), {
    timeoutMs: 20_000,
    everyMs: 50,
  });
}

async function takeSlots(node: RedisServer, index: number): Promise<void> {
  // Nodes with the same epoch would quarrel about who is newer when they meet.
  await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  const from = Math.floor((SLOTS * index) / PRIMARIES);
  const to = Math.floor((SLOTS * (index + 1)) / PRIMARIES);
  const slots = Array.from({ length: to - from }, (_, i) => from + i);
  await node.command('CLUSTER', 'ADDSLOTS', ...slots);
}

async function isServing(node: RedisServer): Promise<boolean> {
  const info = text(await node.command('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${PRIMARIES}`);
}

const text = (reply: Reply): string => String(reply);
