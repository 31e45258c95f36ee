/**
 * Names that are taken once and revocations in Redis: over several processes, with clocks that disagree, and when Redis
 * fails.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { JournalDefect } from '../../src/journal/notice.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { keysOfShard, REVOKED, shardOfName } from '../../src/journal/redisKeys.ts';
import { onceOf } from '../../src/journal/revocations.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type ChaosProxy, startChaosProxy } from '../support/chaosProxy.ts';
import { startChild } from '../support/children.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { certain, DAY_MS, insist, spanTo } from './journalSteps.ts';
import { targetOf } from './redisTargets.ts';

/** A call gives up within 200 ms; far more is left for a busy machine. */
const SOON_MS = 5000;
const HOUR_MS = 3_600_000;

let redis: RedisServer;
let proxy: ChaosProxy;
let journal: Journal;
const stops: (() => Promise<unknown>)[] = [];

const opened = async (wallOffsetMs = 0): Promise<Journal> => {
  const clock = { ...systemClock, wallMs: () => Date.now() + wallOffsetMs };
  const made = await createRedisJournal({ target: targetOf(proxy), retentionMs: DAY_MS, onNotice: () => {}, clock });
  stops.push(() => made.close());
  return made;
};

beforeEach(async () => {
  redis ??= await startRedis();
  proxy ??= await startChaosProxy(redis);
  await redis.flush();
  journal = await opened();
});
afterEach(async () => {
  await proxy.mode('pass');
  for (const stop of stops.splice(0)) await stop();
});
afterAll(async () => {
  await proxy.stop();
  await redis.stop();
});

const keyOf = (name: string) => keysOfShard(shardOfName(name)).once(name);
const soon = () => Date.now() + 60_000;

describe('names that are taken once', () => {
  it('I13 go to one process, whichever of three asks at the same time', async () => {
    const count = 200;
    const script = new URL('./onceTaker.ts', import.meta.url).pathname;
    const children = await Promise.all(
      [1, 2, 3].map(() => startChild(process.execPath, [script, String(redis.port), String(count)])),
    );
    for (const child of children) stops.push(() => child.kill());
    for (const child of children) await waitFor('a process to be ready', () => child.stdout().includes('ready'));
    for (const child of children) child.signal('SIGUSR2');
    await within('the processes', Promise.all(children.map(({ exited }) => exited)));
    const told = children.map(child => JSON.parse(child.stdout().replace('ready', '')) as string[]);
    for (let i = 0; i < count; i += 1) {
      const answers = told.map(each => each[i]);
      const firsts = answers.filter(answer => answer === 'first').length;
      // On a machine that stood still the one who was first may not have been told; two never are.
      expect(firsts).toBeLessThanOrEqual(1);
      if (!answers.includes('unsure')) expect(firsts).toBe(1);
    }
  });

  it('F69 are remembered for as long as the slower of two clocks says', async () => {
    for (const [name, offset] of [
      ['test/behind', -HOUR_MS],
      ['test/ahead', HOUR_MS],
    ] as const) {
      const other = await opened(offset);
      const untilMs = Date.now() + offset + 60_000;
      await certain(() => other.once(name, spanTo(untilMs)));
      expect(await insist(() => other.once(name, spanTo(untilMs)))).toBe('again');
      expect(await redis.command('PTTL', keyOf(name))).toBeGreaterThan(Math.max(0, offset) + 30_000);
    }
    const behind = await opened(-HOUR_MS);
    await insist(() => behind.revoke('jti', 'a', Date.now() - HOUR_MS + 60_000));
    const [line] = await insist(() => behind.revoked());
    expect(line).toMatchObject({ kind: 'jti', id: 'a' });
    // By the clock of who asks: what is left of it is the same for everybody.
    expect(line?.untilMs).toBeLessThan(Date.now() - HOUR_MS + 61_000);
  });

  it('F47 are away with Redis down, and revocations as well', async () => {
    await proxy.mode('refuse');
    await waitFor('the journal to notice', () => !journal.isUp());
    expect(await journal.once('test/down', spanTo(soon()))).toEqual({ kind: 'away' });
    expect(await journal.revoke('jti', 'a', soon())).toEqual({ kind: 'away' });
    expect(await journal.revoked()).toEqual({ kind: 'away' });
    expect(await onceOf(journal).take('test/down', spanTo(soon()))).toBe('unavailable');
    expect([await redis.command('KEYS', '*:once:*'), await redis.command('EXISTS', REVOKED)]).toEqual([[], 0]);
  });

  it('F62 are unavailable where the reply was lost, and taken', async () => {
    await proxy.mode('holdReplies');
    const reply = onceOf(journal).take('test/lost', spanTo(soon()));
    await proxy.waitForHeldReply();
    proxy.drop();
    await proxy.mode('pass');
    expect(await within('the call', reply, SOON_MS)).toBe('unavailable');
    expect(await insist(() => journal.once('test/lost', spanTo(soon())))).toBe('again');
  });

  it('F49 are unsure where Redis does not answer', async () => {
    redis.pause();
    try {
      const calls = [journal.once('test/stuck', spanTo(soon())), journal.revoke('jti', 'a', soon()), journal.revoked()];
      for (const reply of await within('the calls', Promise.all(calls), SOON_MS)) {
        expect(reply).toEqual({ kind: 'unsure' });
      }
    } finally {
      redis.resume();
    }
  });

  it('F52 are away on a replica, and so are revocations', async () => {
    for (const call of [
      () => journal.once('test/replica', spanTo(soon())),
      () => journal.revoke('jti', 'a', soon()),
      () => journal.revoked(),
    ]) {
      await redis.command('REPLICAOF', '127.0.0.1', '1');
      expect(await certain<unknown>(call)).toEqual({ kind: 'away' });
      await redis.command('REPLICAOF', 'NO', 'ONE');
      await waitFor('the answer of a primary', async () => (await call()).kind === 'done');
    }
  });

  it('F53 are refused when memory is short, while revoking still works', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '100kb');
    try {
      expect(await certain(() => journal.once('test/full', spanTo(soon())))).toEqual({ kind: 'away' });
      await insist(() => journal.revoke('client', 'wallet', soon()));
      expect(await insist(() => journal.revoked())).toHaveLength(1);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', 0);
    }
    expect(await redis.command('EXISTS', keyOf('test/full'))).toBe(0);
  });

  it('F53 are away under a policy that throws keys away, and so is revoking', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {});
      // Not up for want of a connection at first; then for good.
      await waitFor('the journal to notice', async () => !journal.isUp() && (await journal.revoked()).kind === 'done');
      expect(await journal.once('test/evicted', spanTo(soon()))).toEqual({ kind: 'away' });
      expect(await journal.revoke('jti', 'a', soon())).toEqual({ kind: 'away' });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });
});

describe('what is left in Redis', () => {
  it('F56 is what was there, where a key of another kind is in the way', async () => {
    await redis.command('SET', REVOKED, 'not ours');
    await expect(insist(() => journal.revoke('jti', 'a', soon()))).rejects.toThrow(JournalDefect);
    await expect(insist(() => journal.revoked())).rejects.toThrow('the journal script revoked failed with WRONGTYPE');
    expect(await redis.command('GET', REVOKED)).toBe('not ours');
    await redis.command('HSET', keyOf('test/spoiled'), 'a', 'b');
    expect(await insist(() => journal.once('test/spoiled', spanTo(soon())))).toBe('again');
  });

  it('F70 is nothing for good: expired revocations go with the next one, and all with the last', async () => {
    await redis.command('ZADD', REVOKED, Date.now() - 1, 'jti/old');
    expect(await insist(() => journal.revoked())).toEqual([]);
    await insist(() => journal.revoke('jti', 'late', soon() + HOUR_MS));
    await insist(() => journal.revoke('jti', 'early', soon()));
    expect(await redis.command('ZRANGE', REVOKED, 0, -1)).toEqual(['jti/early', 'jti/late']);
    const left = Number(await redis.command('PTTL', REVOKED));
    expect(left).toBeGreaterThan(HOUR_MS);
    expect(left).toBeLessThan(2 * HOUR_MS);
  });

  it('F73 is reported where nobody of this version wrote it', async () => {
    await redis.command('ZADD', REVOKED, soon(), 'certificate/a');
    await expect(insist(() => journal.revoked())).rejects.toThrow('a revocation of unknown kind');
  });
});
