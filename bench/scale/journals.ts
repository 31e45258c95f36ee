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
import type { CopyOrder, FillableStore } from './fill.ts';
import { copyInRedis, lookInRedis } from './fillRedis.ts';
import { copyInFile, lookInFile } from './fillSqlite.ts';
import type { JournalName } from './options.ts';

const HOUR_MS = 3_600_000;
export const RETENTION_MS = 168 * HOUR_MS;
const common = { retentionMs: RETENTION_MS, onNotice: () => undefined, clock: systemClock };
const LOOK_MS = 200;
/** Bytes of changes that do not matter. */
const CHANGES_MOST = 1024 ** 2;
/** A rewrite of some ten gigabytes on a slow disk. */
const QUIET_MOST_MS = 3_600_000;

/** `memoryBytes`: undefined where the journal is in the gateway's own process, which keeps no entries in memory. */
export type Taken = { readonly memoryBytes: number | undefined; readonly diskBytes: number };

export type OpenJournal = FillableStore & {
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
  const copy = async (order: CopyOrder) => {
    await asking.config('SET', 'appendonly', 'no');
    await copyInRedis(asking, order, RETENTION_MS);
    // The server now writes what it has into a new file, as it does from time to time anyway.
    await asking.config('SET', 'appendonly', 'yes');
    await untilQuiet(asking);
  };
  const taken = async () => {
    await rewritten(asking);
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
  const look = (names: readonly string[]) => lookInRedis(asking, names);
  return { journal, look, copy, serverCpuSeconds: () => usageOf(server.pids).cpuSeconds, taken, close };
}

async function openSqlite(dir: string): Promise<OpenJournal> {
  const path = join(dir, 'journal.db');
  const open = () => createSqliteJournal({ ...common, path });
  let journal = await open();
  /** The file is one process's, and within it one journal's. */
  const meanwhile = async <T>(work: () => T | Promise<T>): Promise<T> => {
    await journal.close();
    try {
      return await work();
    } finally {
      journal = await open();
    }
  };
  return {
    get journal() {
      return journal;
    },
    look: names => meanwhile(() => lookInFile(path, names)),
    copy: order => meanwhile(() => copyInFile(path, order)),
    serverCpuSeconds: () => 0,
    taken: async () => ({ memoryBytes: undefined, diskBytes: bytesUnder(dir) }),
    close: () => journal.close(),
  };
}

/** Has the server write its file anew, where changes lie in it behind each other: only then its length says something. */
async function rewritten(asking: Redis): Promise<void> {
  await untilQuiet(asking);
  const info = await asking.info('persistence');
  if (numberIn(info, 'aof_current_size') - numberIn(info, 'aof_base_size') < CHANGES_MOST) return;
  await asking.bgrewriteaof();
  await untilQuiet(asking);
}

const REWRITING = ['aof_rewrite_in_progress', 'aof_rewrite_scheduled'];

/** Redis rewrites its file in a process of its own while it grows, and when it is told to keep one. */
async function untilQuiet(asking: Redis): Promise<void> {
  const end = performance.now() + QUIET_MOST_MS;
  for (;;) {
    const info = await asking.info('persistence');
    if (!info.includes('aof_last_bgrewrite_status:ok')) throw new Error('Redis cannot write its file anew');
    if (REWRITING.every(name => numberIn(info, name) === 0)) return;
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
