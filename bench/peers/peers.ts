/**
 * Everything that the bench measures side by side, one row each: what it is, whether this machine has it, and how it is
 * started. Rows whose names begin with `gateway` are ours.
 */
import { type GatewayKind, startGateway, WITHOUT_BREAKER } from './gateway.ts';
import { nginxIsAvailable, startNginx } from './nginx.ts';
import { newPlace, ownDir, startProgram } from './process.ts';
import { redisIsAvailable } from './redis.ts';
import type { Peer, PeerRow, World } from './types.ts';

const always = async (): Promise<undefined> => undefined;
const noProcess: Pick<Peer, 'pids' | 'startMs' | 'stop'> = {
  pids: [],
  startMs: undefined,
  stop: async () => undefined,
};

/** A program of ours that takes `--port` and `--to`. */
async function startProxy(file: string, { dir, pin, issuerUrl }: World): Promise<Peer> {
  const { port, url } = await newPlace();
  const { pid, startMs, stop } = await startProgram({
    name: 'proxy',
    command: [process.execPath, `bench/peers/${file}`, '--port', String(port), '--to', issuerUrl],
    pin,
    dir: ownDir(dir, 'proxy'),
    port,
  });
  return { url, pids: [pid], startMs, stop };
}

const proxy = (file: string): Pick<PeerRow, 'isAvailable' | 'start'> => ({
  isAvailable: always,
  start: world => startProxy(file, world),
});

const gateway = (kind: GatewayKind): Pick<PeerRow, 'isAvailable' | 'start'> => ({
  isAvailable: kind.journal === 'redis' ? redisIsAvailable : always,
  start: world => startGateway(world, kind),
});

export const PEERS = {
  direct: {
    what: 'the load straight to the issuer, with nothing in between',
    isAvailable: always,
    start: async ({ issuerUrl }) => ({ url: issuerUrl, ...noProcess }),
  },
  bareNode: { what: 'a bare proxy of node:http and undici: forwards, and nothing else', ...proxy('bareNode.ts') },
  bareHono: { what: 'a bare proxy of Hono and undici', ...proxy('bareHono.ts') },
  fastifyProxy: { what: 'a bare @fastify/http-proxy', ...proxy('fastifyProxy.ts') },
  nginx: {
    what: 'nginx with Lua: token check, JSON check, claim and complete in Redis, forward, access log',
    isAvailable: async () => (await redisIsAvailable()) ?? (await nginxIsAvailable()),
    start: startNginx,
  },
  gatewayRedis: { what: 'the gateway, its journal in Redis', ...gateway({ journal: 'redis' }) },
  gatewaySqlite: { what: 'the gateway, its journal in SQLite, every entry on disk', ...gateway({ journal: 'sqlite' }) },
  gatewayWithoutBreaker: {
    what: 'the gateway on Redis with its breaker taken out, for comparison only',
    ...gateway({ journal: 'redis', nodeOptions: WITHOUT_BREAKER }),
  },
} as const satisfies Record<string, Omit<PeerRow, 'name'>>;

export type PeerName = keyof typeof PEERS;

/** The row with its name, as the engine takes it. */
export const peerRow = (name: PeerName): PeerRow => ({ name, ...PEERS[name] });
