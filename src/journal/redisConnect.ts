/**
 * Connections to Redis: one server, a primary named by sentinels, or a Cluster. The settings say, as strictly as ioredis
 * can, that nothing is sent twice, nothing waits in a queue, and nothing hangs: a call that cannot go now fails now.
 */
import type { EventEmitter } from 'node:events';
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import type { HostPort, JournalTarget } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';

export type RedisTarget = Exclude<JournalTarget, { kind: 'sqlite' }>;
export type RedisClient = Redis | Cluster;

/** A journal step is a millisecond; after this long its outcome is unknown and the caller's budget matters more. */
export const COMMAND_TIMEOUT_MS = 200;
const CONNECT_TIMEOUT_MS = 1000;
/** A server that leaves a call unanswered for this long is taken for lost, though nobody closed the connection. */
const SILENCE_TIMEOUT_MS = 1000;
/** Finds dead connections that nothing is sent on. */
const KEEP_ALIVE_MS = 10_000;
const RECONNECT_FIRST_MS = 50;
/** Redis is back within seconds or the gateway is not worth running: never wait long before the next try. */
const RECONNECT_MOST_MS = 1000;
/** How often a start looks whether Redis is there. */
const START_POLL_MS = 10;
/** A slot that is moving answers twice at most; more is a Cluster that contradicts itself. */
const REDIRECTIONS_MOST = 4;

/** ioredis types `replyMapping` in a way that exact optional properties cannot meet; it stays at its default. */
type Options = Omit<RedisOptions, 'replyMapping'>;

const reconnectDelay = (times: number): number => Math.min(times * RECONNECT_FIRST_MS, RECONNECT_MOST_MS);

const SHARED = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  socketTimeout: SILENCE_TIMEOUT_MS,
  keepAlive: KEEP_ALIVE_MS,
  // Rejects what was in flight as soon as the connection is lost; ioredis would send it again on the next one.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // One lost connection would fail a whole batch, and a batch waits for its slowest call.
  enableAutoPipelining: false,
  protocol: 2,
} as const satisfies Options;

/**
 * A client that does not connect yet. `use` names the connection for the operator (`CLIENT LIST`). Behind sentinels it
 * goes where `believed` says, once that says anything, and else where a sentinel does.
 */
export function clientOf(
  target: RedisTarget,
  use: string,
  believed: () => HostPort | undefined = () => undefined,
): RedisClient {
  const { username, password } = target;
  const named = { ...SHARED, connectionName: `gateway-${use}`, username, password: password?.reveal() };
  switch (target.kind) {
    case 'redis':
      return primaryClient({
        ...named,
        host: target.host,
        port: target.port,
        db: target.db,
        ...(target.tls && { tls: {} }),
      });
    case 'sentinel':
      return primaryClient({
        ...named,
        name: target.name,
        sentinels: [...target.nodes],
        sentinelRetryStrategy: reconnectDelay,
        sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
        // Asked about sentinels too, where those are to be found out.
        updateSentinels: false,
        natMap: () => believed() ?? null,
        ...(target.tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
      });
    case 'cluster':
      return new Cluster([...target.nodes], clusterOptions({ ...named, ...(target.tls && { tls: {} }) }));
  }
}

/** A connection to each of the sentinels, which does not connect yet. */
export const sentinelsOf = ({ nodes, tls }: Extract<RedisTarget, { kind: 'sentinel' }>, use: string): Redis[] =>
  nodes.map(
    ({ host, port }) =>
      new Redis({
        ...{ host, port, connectionName: `gateway-${use}`, ...(tls && { tls: {} }) },
        commandTimeout: CONNECT_TIMEOUT_MS,
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_TIMEOUT_MS,
        keepAlive: KEEP_ALIVE_MS,
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        // A sentinel has no data to load.
        enableReadyCheck: false,
        // Done at each connection by whoever wants it.
        autoResubscribe: false,
        lazyConnect: true,
        retryStrategy: reconnectDelay,
        protocol: 2,
      }),
  );

/** A primary that was demoted refuses writes: a new connection finds the new one. */
function primaryClient(options: Options): Redis {
  let isLeaving = false;
  // Once for each connection: the other calls on it are refused as well, and would each ask again.
  const reconnectOnError = (error: Error): boolean => {
    const leaves = !isLeaving && error.message.startsWith('READONLY');
    isLeaving ||= leaves;
    return leaves;
  };
  const client = new Redis({
    ...options,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy: reconnectDelay,
    reconnectOnError,
  });
  client.on('close', () => {
    isLeaving = false;
  });
  // The library ends a client for good that is told to leave while it still looks for the primary. Nobody wants that here.
  client.on('end', () => {
    if (!closed.has(client)) client.connect().catch(() => {});
  });
  return client;
}

/** Clients that are not wanted any more. */
const closed = new WeakSet<RedisClient>();

/** Ends a client for good; what is in flight is unknown. */
export function close(client: RedisClient): void {
  closed.add(client);
  client.disconnect();
}

const clusterOptions = (redisOptions: Options): Omit<ClusterOptions, 'redisOptions'> & { redisOptions: Options } => ({
  redisOptions,
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRedirections: REDIRECTIONS_MOST,
  // After "Connection is closed" a call may have been carried out: only its caller may send it again.
  retryDelayOnFailover: 0,
  clusterRetryStrategy: reconnectDelay,
  slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
});

/** The primaries behind a client, each by itself. */
export const primariesOf = (client: RedisClient): Redis[] =>
  client instanceof Cluster ? client.nodes('master') : [client];

const list = (nodes: readonly HostPort[]): string => nodes.map(({ host, port }) => `${host}:${port}`).join(', ');

/** Where the journal is, for people. */
export function placeOf(target: RedisTarget): string {
  switch (target.kind) {
    case 'redis':
      return `Redis at ${target.host}:${target.port}`;
    case 'sentinel':
      return `Redis ${target.name} behind the sentinels at ${list(target.nodes)}`;
    case 'cluster':
      return `Redis Cluster at ${list(target.nodes)}`;
  }
}

/**
 * Connects, and waits until every primary answers.
 *
 * @throws Error that says where and why not, when that takes longer than `withinMs`.
 */
export async function connected(client: RedisClient, place: string, clock: Clock, withinMs: number): Promise<void> {
  const events: EventEmitter = client;
  let last = `nothing heard for ${withinMs} ms`;
  events.on('error', error => {
    last = reasonOf(error);
  });
  if (client instanceof Cluster) connectEveryNode(client);
  // Failing at first is not the end: it goes on by itself.
  client.connect().catch(() => {});
  const deadline = Deadline.in(clock, withinMs);
  while (!isReady(client) || !primariesOf(client).every(isReady)) {
    if (deadline.leftMs() === 0) throw new Error(`${place} does not answer: ${last}`);
    await clock.sleep(START_POLL_MS);
  }
}

const isReady = ({ status }: { readonly status: string }): boolean => status === 'ready';

/**
 * Connects to every node of the Cluster by itself. The library waits for the first call to a node, and refuses the
 * second one while it connects. Not before the Cluster is ready: its own first question is refused in the same way.
 */
function connectEveryNode(cluster: Cluster): void {
  const connect = (node: Redis) => {
    if (cluster.status === 'ready' && node.status === 'wait') node.connect().catch(() => {});
  };
  cluster.on('ready', () => cluster.nodes().forEach(connect));
  // After the call for which the node was looked up: that one still waits for the connection.
  cluster.on('+node', (node: Redis) => queueMicrotask(() => connect(node)));
}

/** The library's own words for a failed connection; they name hosts and error codes, never what was sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const last = 'lastNodeError' in error ? error.lastNodeError : undefined;
  return last instanceof Error ? last.message : error.message;
}
