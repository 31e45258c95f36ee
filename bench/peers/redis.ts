/**
 * The Redis of a bench run: private, on its own port, with the persistence that a gateway expects of its journal. Peers
 * get a database each, emptied at their start, so that all rounds begin with the same empty journal, and at its end.
 */
import { Redis } from 'ioredis';
import { findRedisServer, redisServerPath } from '../../test/support/redisBinary.ts';
import { newPlace, ownDir, startProgram } from './process.ts';
import type { Peer, Pin, Stop } from './types.ts';

/** So many may be in use at a time: more than a run ever starts peers. */
const DATABASES = 4096;
const NOT_INSTALLED = 'redis-server is not installed (Debian or Ubuntu: apt-get install redis-server)';

export const redisIsAvailable = async (): Promise<string | undefined> =>
  findRedisServer() === undefined ? NOT_INSTALLED : undefined;

/** Starts a server; its `url` is a journal's. */
export async function startRedis(dir: string, pin: Pin): Promise<Peer> {
  const { port } = await newPlace();
  const own = ownDir(dir, 'redis');
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: own,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    databases: DATABASES,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { pid, startMs, stop } = await startProgram({
    name: 'redis',
    command: [redisServerPath(), ...options],
    pin,
    dir: own,
    port,
  });
  return { url: `redis://127.0.0.1:${port}`, pids: [pid], startMs, stop };
}

let given = 0;

/** A database of the server for one peer, empty. `release` empties it again, so that a run does not fill the machine. */
export type Database = { readonly url: string; readonly release: Stop };

export async function freshDatabase(redisUrl: string): Promise<Database> {
  const url = `${redisUrl}/${given % DATABASES}`;
  given += 1;
  await flush(url);
  return { url, release: () => flush(url) };
}

async function flush(url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  // Whoever waits for the command hears of it.
  client.on('error', () => undefined);
  try {
    await client.flushdb();
  } finally {
    client.disconnect();
  }
}
