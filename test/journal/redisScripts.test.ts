/**
 * The Lua scripts themselves: a script that fails has written nothing, no amount goes through a Lua number, entries of
 * other versions do no harm, and a transaction costs two round trips.
 */

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apply, type Entry } from '../../src/domain/entry.ts';
import { RECOVERY } from '../../src/domain/filing.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { JournalDefect, type JournalNotice } from '../../src/journal/notice.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { addSums, keysOfShard, SHARD_COUNT, shardOf, sumArguments } from '../../src/journal/redisKeys.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { claimOf, keyNamed, tombstoneOf } from './entries.ts';
import {
  attempted,
  claimFresh,
  DAY_MS,
  happen,
  insist,
  LANES,
  lease,
  presentOf,
  settled,
  unknown,
  usd,
  writeId,
} from './journalSteps.ts';
import { targetOf } from './redisTargets.ts';

let redis: RedisServer;
let journal: Journal;
let notices: JournalNotice[];

beforeEach(async () => {
  redis ??= await startRedis({ args: ['--enable-debug-command', 'yes'] });
  await anew();
});
afterEach(() => journal.close());

/** An empty server, and a journal that has seen nothing of it. */
async function anew(): Promise<void> {
  await journal?.close();
  await redis.flush();
  notices = [];
  journal = await createRedisJournal({
    target: targetOf(redis),
    retentionMs: DAY_MS,
    onNotice: notice => notices.push(notice),
  });
}
afterAll(() => redis.stop());

const keysOf = ({ key }: Pick<Entry, 'key'>) => keysOfShard(shardOf(key));
const nameOf = ({ key }: Pick<Entry, 'key'>) => `${key.tranId}/${key.participantId}`;

describe('scripts that fail', () => {
  /** A digest of every key and value, whatever their order. */
  const database = () => redis.command('DEBUG', 'DIGEST');

  /** Puts something else where a key of the journal belongs, and compares the whole database before and after. */
  const failsWithoutTrace = async (spoiled: string, call: () => Promise<unknown>) => {
    await redis.command('DEL', spoiled);
    await redis.command('SETRANGE', spoiled, 0, 'not ours');
    const before = await database();
    await expect(call()).rejects.toThrow(JournalDefect);
    expect(await database(), spoiled).toBe(before);
    expect(before).toMatch(/^[0-9a-f]{40}$/);
  };

  it('F56 a claim on keys of another kind writes nothing', async () => {
    const claim = claimOf('F56-1', { amount: usd(1n) });
    const tombstone = tombstoneOf('F56-1', { amount: usd(1n) });
    const keys = keysOf(claim);
    const cases = [
      { spoiled: keys.entry(nameOf(claim)), draft: claim },
      { spoiled: keys.claims, draft: claim },
      { spoiled: keys.lane(RECOVERY), draft: claim },
      { spoiled: keys.lane(tombstone.issuer), draft: tombstone },
      { spoiled: keys.owed, draft: tombstone },
      { spoiled: keys.sums, draft: tombstone },
      { spoiled: keys.epoch, draft: claim },
    ];
    for (const { spoiled, draft } of cases) {
      await anew();
      await failsWithoutTrace(spoiled, () => journal.claim(draft, writeId()));
    }
  });

  it('F56 a move on keys of another kind writes nothing, and tells nothing but the kind of error', async () => {
    const draft = claimOf('F56-2', { amount: usd(1n) });
    const keys = keysOf(draft);
    for (const spoiled of [
      keys.entry(nameOf(draft)),
      keys.lane(RECOVERY),
      keys.lane(draft.issuer),
      keys.owed,
      keys.sums,
    ]) {
      await anew();
      const { entry, now } = await claimFresh(journal, draft);
      const to = apply(entry, unknown(1, now));
      await failsWithoutTrace(spoiled, () => journal.move(entry, to, writeId()));
    }
    await anew();
    const { entry, now } = await claimFresh(journal, draft);
    await redis.command('SET', keys.owed, 'not ours');
    const failed = journal.move(entry, apply(entry, unknown(1, now)), writeId());
    await expect(failed).rejects.toThrow('the journal script move failed with WRONGTYPE');
  });

  it('F56 sums at their limit do not keep a tombstone from being written', async () => {
    const draft = tombstoneOf('F56-4', { amount: usd(1n) });
    await redis.command('HSET', keysOf(draft).sums, 'due', '9223372036854775807', 'money:840', 'no number');
    const { entry } = await claimFresh(journal, draft);
    expect((await insist(() => journal.due(LANES))).map(found => found.entry)).toEqual([entry]);
  });

  it('F56 sums at their limit do not keep a move from being written', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F56-3', { amount: usd(1n) }));
    await redis.command('HSET', keysOf(entry).sums, 'due', '9223372036854775807', 'money:840', 'no number');
    const due = await happen(journal, entry, unknown(1, now));
    expect(await presentOf(journal, entry)).toEqual(due);
    expect((await insist(() => journal.due(LANES))).map(found => found.entry)).toEqual([due]);
  });
});

describe('amounts', () => {
  it('F58 go through Redis as decimal text: what no double holds comes back exactly', async () => {
    const minor = 9_007_199_254_740_993n;
    const { entry, now } = await claimFresh(journal, claimOf('F58', { amount: usd(minor) }));
    await happen(journal, entry, unknown(1, now));
    expect((await presentOf(journal, entry))?.amount).toEqual(usd(minor));
    const sums = (await redis.command('HGETALL', keysOf(entry).sums)) as string[];
    expect(sums.join(' ')).toContain('money:840 254740993 e9:money:840 9007199');
  });

  it('F58 sums in two parts are the same as in one, and cancel out', () => {
    for (const amount of [0n, 1n, -1n, 999_999_999n, 1_000_000_000n, -1_000_000_001n, 2n ** 70n, -(2n ** 70n)]) {
      const sums = new Map<string, bigint>();
      addSums(sums, sumArguments(new Map([['money:840', amount]])));
      expect(sums.get('money:840') ?? 0n).toBe(amount);
      addSums(sums, sumArguments(new Map([['money:840', -amount]])));
      expect(sums.get('money:840') ?? 0n).toBe(0n);
    }
  });
});

describe('what others left', () => {
  it('F73 an entry of a newer version is not read, and does not keep the others from being found', async () => {
    const made: Entry[] = [];
    for (const name of ['F73-new', 'F73-broken', 'F73-good']) {
      const { entry, now } = await claimFresh(journal, claimOf(name));
      made.push(await happen(journal, entry, unknown(1, now)));
    }
    const [newer, broken, good] = made;
    if (!newer || !broken || !good) throw new Error('not made');
    await redis.command('HSET', keysOf(newer).entry(nameOf(newer)), 'head', '{"f":2,"secret":"4111"}');
    await redis.command('HSET', keysOf(broken).entry(nameOf(broken)), 'head', '{"f":1,"fence":"4111"}');
    for (let i = 0; i < 3; i += 1)
      expect((await insist(() => journal.due(LANES))).map(found => found.entry)).toEqual([good]);
    expect(notices.map(({ level, text }) => ({ level, text })).sort((a, b) => (a.text < b.text ? -1 : 1))).toEqual([
      { level: 'alarm', text: "the journal's entry F73-broken/100000 has no valid head.fence" },
      {
        level: 'alarm',
        text: "the journal's entry F73-new/100000 was written by a newer version of the gateway",
      },
    ]);
    await expect(journal.read(newer.key)).rejects.toThrow('newer version');
    await expect(journal.claim(claimOf('F73-new'), writeId())).rejects.toThrow('newer version');
  });

  it('F73 an entry that a newer version wrote in other words is moved on, once, and lost to whoever was first', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F73-more'));
    const [name, head] = [keysOf(entry).entry(nameOf(entry)), 'head'];
    const text = String(await redis.command('HGET', name, head));
    await redis.command('HSET', name, head, text.replace('{', '{"more":1,'));
    const doubt = await happen(journal, entry, unknown(1, now));
    expect(await presentOf(journal, entry)).toEqual(doubt);
    const late = apply(entry, settled(1, '51', now));
    expect(await insist(id => journal.move(entry, late, id))).toMatchObject({ kind: 'lost', entry: doubt });
  });

  it('F51 I18 a version that was lost, and whose number another one has now, is not moved on from', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F51', { policy: 'repeat', amount: usd(5n) }));
    const doubt = await happen(journal, entry, unknown(1, now));
    const leased = await happen(journal, doubt, lease(now));
    const reversed = apply(doubt, { type: 'mark', now });
    await redis.command('DEL', keysOf(entry).entry(nameOf(entry)));
    expect(await insist(() => journal.restore(reversed))).toBe('restored');
    const ended = apply(leased, attempted({ kind: 'done', answer: { code: '00', sealed: null } }));
    expect(await insist(id => journal.move(leased, ended, id))).toMatchObject({ kind: 'lost', entry: reversed });
    expect(await presentOf(journal, entry)).toEqual(reversed);
  });
});

describe('round trips', () => {
  const callsOf = (stats: string): Map<string, number> =>
    new Map([...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name = '', calls]) => [name, Number(calls)]));

  it('a transaction costs two calls of Redis, and nothing else is sent', async () => {
    const warm = await claimFresh(journal, claimOf('R0'));
    await happen(journal, warm.entry, settled(1, '00', warm.now));
    await redis.command('CONFIG', 'RESETSTAT');
    const { entry, now } = await claimFresh(journal, claimOf('R1', { amount: usd(1050n) }));
    await happen(journal, entry, settled(1, '00', now));
    const calls = callsOf(String(await redis.command('INFO', 'commandstats')));
    expect(calls.get('evalsha')).toBe(2);
    // The commands of the two scripts, and what the test itself asks.
    const inside = ['hmget', 'get', 'time', 'zcard', 'incr', 'hset', 'zadd', 'zrem', 'pexpire'];
    const ours = ['evalsha', 'config|resetstat', 'info', 'hello', 'client|setinfo', 'client'];
    for (const name of calls.keys()) expect([...inside, ...ours]).toContain(name);
  });

  it('what is settled leaves nothing behind but its entry and the count, beside the epochs of all shards', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('R2'));
    await happen(journal, entry, settled(1, '00', now));
    const keys = keysOf(entry);
    expect(await redis.command('KEYS', '*')).toHaveLength(SHARD_COUNT + 2);
    expect(await redis.command('TTL', keys.epoch)).toBe(-1);
    expect(await redis.command('PTTL', keys.entry(nameOf(entry)))).toBeGreaterThan(DAY_MS - 60_000);
    expect(await redis.command('TTL', keys.claims)).toBe(-1);
  });
});

describe('shards', () => {
  it('give up to the limit from one of them, the oldest first', async () => {
    const drafts = Array.from({ length: 1000 }, (_, i) => claimOf(`same-${i}`)).filter(({ key }) => shardOf(key) === 5);
    const made: Entry[] = [];
    for (const [i, draft] of drafts.slice(0, 6).entries()) {
      const { entry, now } = await claimFresh(journal, draft);
      made.push(await happen(journal, entry, unknown(1, now - i * 10_000)));
    }
    expect(made).toHaveLength(6);
    const [{ issuer } = claimOf('none')] = drafts;
    const found = await insist(() => journal.due([{ lane: issuer, limit: 4 }]));
    expect(found.map(({ entry }) => entry)).toEqual(made.reverse().slice(0, 4));
  });

  it('stay where they are: an entry is looked for where an older version put it', () => {
    const known = [keyNamed('T1'), keyNamed('0000000000000000'), keyNamed('T1', '200000')].map(shardOf);
    expect(known).toEqual([13, 11, 47]);
  });

  it('F61 spread entries evenly, and carry one hash tag in every key', () => {
    const counts = new Map<number, number>();
    for (let i = 0; i < 6400; i += 1) {
      const shard = shardOf(keyNamed(`tran-${i}`));
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    expect(counts.size).toBe(SHARD_COUNT);
    expect(Math.max(...counts.values())).toBeLessThan(200);
    const keys = keysOfShard(7);
    const all = [
      keys.claims,
      keys.epoch,
      keys.waited,
      keys.owed,
      keys.sums,
      keys.lane(RECOVERY),
      keys.entry('a{b}c/{9}'),
    ];
    for (const key of all) expect(/\{(.*?)\}/.exec(key)?.[1]).toBe('07');
  });
});
