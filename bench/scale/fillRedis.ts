/**
 * Copies entries within Redis: what the journal wrote once, a script writes under many keys, so that neither the entries
 * travel nor a process of ours makes each. Keys and counters are named by the journal's own code.
 */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { keysOfShard, shardOfName } from '../../src/journal/redisKeys.ts';
import { nameOf } from './entries.ts';
import type { CopyOrder } from './fill.ts';
import { type Fields, type Pattern, writtenBySettle } from './patterns.ts';

const SCRIPT = readFileSync(new URL('fill.lua', import.meta.url), 'utf8');
/** A few milliseconds of the server's one thread, so that it answers others in between. */
const KEYS_PER_CALL = 256;
/** The server always has the next one. */
const CALLS_AT_ONCE = 4;
/** A claim and a move each count as a write of the shard. */
const WRITES_PER_ENTRY = 2;

/** What Redis has under the keys of these names. */
export async function lookInRedis(client: Redis, names: readonly string[]): Promise<Fields[]> {
  const found = await Promise.all(names.map(name => client.hgetall(keysOfShard(shardOfName(name)).entry(name))));
  if (found.some(fields => Object.keys(fields).length === 0)) throw new Error('Redis has not what the journal wrote');
  return found;
}

/** @param retentionMs of the journal. */
export async function copyInRedis(client: Redis, order: CopyOrder, retentionMs: number): Promise<void> {
  const { patterns, from, until, onProgress } = order;
  const counts = new Map<string, number>();
  let next = from;
  const lane = async () => {
    while (next < until) {
      const begin = next;
      next = Math.min(until, begin + KEYS_PER_CALL);
      const keys = Array.from({ length: next - begin }, (_, index) => {
        const name = nameOf(begin + index);
        const shard = keysOfShard(shardOfName(name));
        counts.set(shard.claims, (counts.get(shard.claims) ?? 0) + WRITES_PER_ENTRY);
        return shard.entry(name);
      });
      const pattern = patterns[Math.floor(begin / KEYS_PER_CALL) % patterns.length];
      if (pattern) await client.eval(SCRIPT, keys.length, ...keys, String(retentionMs), ...argumentsOf(pattern));
      onProgress(next);
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, lane));
  await Promise.all([...counts].map(([key, count]) => client.incrby(key, count)));
}

/** As the script takes them; claimed now. */
function argumentsOf(pattern: Pattern): string[] {
  const claim = Object.entries({ ...pattern.claimed, at: Date.now() }).flat();
  return [claim.length, ...claim, ...writtenBySettle(pattern).flat()].map(String);
}
