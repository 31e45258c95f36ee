/** What the configuration would make of the servers that tests start. */
import type { RedisTarget } from '../../src/journal/redisConnect.ts';
import type { RedisCluster } from '../support/redisCluster.ts';

/** A server, or a proxy in front of one. */
export const targetOf = ({ host, port }: { host: string; port: number }): RedisTarget => ({
  kind: 'redis',
  host,
  port,
  db: 0,
  tls: false,
  username: undefined,
  password: undefined,
});

export const clusterTargetOf = ({ nodes }: RedisCluster): RedisTarget => ({
  kind: 'cluster',
  nodes: nodes.map(({ host, port }) => ({ host, port })),
  tls: false,
  username: undefined,
  password: undefined,
});
