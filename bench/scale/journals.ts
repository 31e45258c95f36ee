/**
 * The two journals for a run about growth: opened as a gateway opens them, with what they take up in memory and on disk.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { parseJournalUrl } from '../../src/config/journalUrl.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { usageOf } from '../engine/usage.ts';
import { startRedis } from '../peers/redis.ts';
import type { JournalName } from './options.ts';

const HOUR_MS = 3_600_000;
const common = { retentionMs: 168 * HOUR_MS, onNotice: () => undefined, clock: systemClock };
const LOOK_MS = 200;
/** A rewrite of some gigabytes. */
const QUIET_MOST_MS = 600_000;

/** `memoryBytes`: undefined where the journal is in the gateway's own process, which keeps no entries in memory. */
export type Taken = { readonly memoryBytes: number | undefined; readonly diskBytes: number };

export type OpenJournal = {
  readonly journal: Journal;
  /** CPU of its server so far; 0 where it has none. */
  readonly serverCpuSeconds: () => number;
  /** Waits until nothing goes on in the background, too. */
  readonly taken: () => Promise<Taken>;
  readonly close: () => Promise<void>;
};

export const openJournal = (name: JournalName, dir: string): Promise<OpenJournal> =>
  name === 'redis' ? openRedis(dir) : openSqlite(dir);

export async function redisJournal(url: string, dir: string, replicas = 0): Promise<Journal> {
  const target = parseJournalUrl(url, dir);
  if (!('kind' in target) || target.kind === 'sqlite') throw new Error('the bench has no Redis');
  return createRedisJournal({ ...common, target, replicas });
}

async function openRedis(dir: string): Promise<OpenJournal> {
  const server = await startRedis(dir, command => command);
  const journal = await redisJournal(server.url, dir);
  const asking = new Redis(server.url);
  asking.on('error', () => undefined);
  const taken = async () => {
    await untilQuiet(asking);
    return {
      memoryBytes: numberIn(await asking.info('memory'), 'used_memory'),
      diskBytes: bytesUnder(dir),
    };
  };
  const close = async () => {
    asking.disconnect();
    await journal.close();
    await server.stop();
  };
  return { journal, serverCpuSeconds: () => usageOf(server.pids).cpuSeconds, taken, close };
}

async function openSqlite(dir: string): Promise<OpenJournal> {
  const journal = await createSqliteJournal({ ...common, path: join(dir, 'journal.db') });
  const taken = async () => ({ memoryBytes: undefined, diskBytes: bytesUnder(dir) });
  return { journal, serverCpuSeconds: () => 0, taken, close: () => journal.close() };
}

/** Redis rewrites its file in a process of its own while it grows. */
async function untilQuiet(asking: Redis): Promise<void> {
  const end = performance.now() + QUIET_MOST_MS;
  while (numberIn(await asking.info('persistence'), 'aof_rewrite_in_progress') !== 0) {
    if (performance.now() > end) throw new Error('Redis does not come to an end with rewriting its file');
    await sleep(LOOK_MS);
  }
}

/** A number of what INFO says. @throws Error where it does not say it. */
export function numberIn(info: string, name: string): number {
  const line = info.split(/\r?\n/).find(each => each.startsWith(`${name}:`));
  const value = Number(line?.slice(name.length + 1));
  if (line === undefined || Number.isNaN(value)) throw new Error(`Redis does not say ${name}`);
  return value;
}

const bytesUnder = (dir: string): number =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map(name => statSync(join(dir, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
