/**
 * A Redis Cluster of three primaries without replicas, formed command by command, so that what the journal promises can
 * be tested where keys live on different servers.
 */
import { type RedisOptions, type RedisServer, type Reply, startRedis } from './redis.ts';
import { type WaitOptions, waitFor } from './waitFor.ts';

const SLOTS = 16_384;
const PRIMARIES = 3;
const CLUSTER_ARGS = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
const FORMED: WaitOptions = { everyMs: 50 };

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
  const args = [...CLUSTER_ARGS, ...(options.args ?? [])];
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

/** Adds a replica to each primary, in their order, and waits until it has all that its primary has. */
export async function addReplicas(cluster: RedisCluster): Promise<RedisServer[]> {
  const [first] = cluster.nodes;
  const ids = await Promise.all(cluster.nodes.map(async node => String(await node.command('CLUSTER', 'MYID'))));
  const replicas = await Promise.all(ids.map(() => startRedis({ args: CLUSTER_ARGS })));
  for (const replica of replicas) await first?.command('CLUSTER', 'MEET', replica.host, replica.port);
  const knows = async (replica: RedisServer, id: string) => {
    const known = text(await replica.command('CLUSTER', 'NODES'));
    return known.includes(id) && !known.includes('handshake');
  };
  await Promise.all(
    replicas.map(async (replica, no) => {
      const id = ids[no] ?? '';
      await waitFor('the replica to know its primary', () => knows(replica, id), FORMED);
      await replica.command('CLUSTER', 'REPLICATE', id);
      const isLinked = async () => text(await replica.command('INFO', 'replication')).includes('master_link_status:up');
      await waitFor('the replica to have its primary', isLinked, FORMED);
    }),
  );
  return replicas;
}

async function form(nodes: readonly RedisServer[]): Promise<void> {
  await Promise.all(nodes.map(takeSlots));
  const [first, ...others] = nodes;
  for (const node of others) await first?.command('CLUSTER', 'MEET', node.host, node.port);
  await waitFor('the cluster', async () => (await Promise.all(nodes.map(isServing))).every(Boolean), FORMED);
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
