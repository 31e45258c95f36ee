/**
 * The Redis journal when Redis fails: every call ends soon, says for certain what it can, and may be made again with the
 * same writeId; and once Redis is back everything works without a restart.
 */

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apply, type Entry } from '../../src/domain/entry.ts';
import { RECOVERY } from '../../src/domain/filing.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { JournalNotice } from '../../src/journal/notice.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { keysOfShard, shardOf } from '../../src/journal/redisKeys.ts';
import { type ChaosProxy, startChaosProxy } from '../support/chaosProxy.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { claimOf } from './entries.ts';
import {
  certain,
  claimFresh,
  DAY_MS,
  happen,
  insist,
  LANES,
  presentOf,
  settled,
  unknown,
  usd,
  writeId,
} from './journalSteps.ts';
import { targetOf } from './redisTargets.ts';

/** A call of the journey gives up within 200 ms; far more is left for a busy machine. */
const SOON_MS = 5000;

let redis: RedisServer;
let proxy: ChaosProxy;
let journal: Journal;
let notices: JournalNotice[];

beforeEach(async () => {
  redis ??= await startRedis();
  proxy ??= await startChaosProxy(redis);
  await redis.flush();
  notices = [];
  journal = await createRedisJournal({
    target: targetOf(proxy),
    retentionMs: DAY_MS,
    onNotice: notice => notices.push(notice),
  });
});
afterEach(async () => {
  await proxy.mode('pass');
  await journal.close();
});
afterAll(async () => {
  await proxy.stop();
  await redis.stop();
});

const about = (what: JournalNotice['about']) => notices.filter(notice => notice.about === what);
const isBack = (tranId: string) =>
  waitFor('the journal to be back', async () => {
    const reply = await journal.claim(claimOf(tranId), tranId);
    return reply.kind === 'done' && journal.isUp();
  });
const keysOf = ({ key }: Pick<Entry, 'key'>) => keysOfShard(shardOf(key));
const countOf = async (command: string): Promise<number> => {
  const stats = String(await redis.command('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
};

describe('the journal with Redis down', () => {
  it('F47 is away for every call, says so once, and works again when Redis is back', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F47'));
    await proxy.mode('refuse');
    await waitFor('the journal to notice', () => !journal.isUp());
    const calls = [
      journal.claim(claimOf('F47-2'), writeId()),
      journal.read(entry.key),
      journal.move(entry, apply(entry, settled(1, '00', now)), writeId()),
      journal.due(LANES),
      journal.owed(),
    ];
    for (const reply of await Promise.all(calls)) expect(reply).toEqual({ kind: 'away' });
    expect((await journal.needs()).kind).not.toBe('done');
    expect(about('connection')).toMatchObject([{ level: 'warning' }]);
    await proxy.mode('pass');
    await isBack('F47-3');
    expect(about('connection')).toMatchObject([{ level: 'warning' }, { level: 'info' }]);
    expect(await redis.command('EXISTS', keysOf(claimOf('F47-2')).entry('F47-2/100000'))).toBe(0);
    await happen(journal, entry, settled(1, '00', now));
  });

  it('F47 a start without Redis fails with a sentence that says where', async () => {
    await proxy.mode('refuse');
    const started = createRedisJournal({
      target: targetOf(proxy),
      retentionMs: DAY_MS,
      onNotice: () => {},
      startWithinMs: 200,
    });
    await expect(started).rejects.toThrow(`Redis at 127.0.0.1:${proxy.port} does not answer: connect ECONNREFUSED`);
  });

  it('F54 survives a restart of the server, which forgets its scripts and its connections', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F54', { amount: usd(5n) }));
    const due = await happen(journal, entry, unknown(1, now));
    await redis.restart();
    await isBack('F54-2');
    expect((await insist(() => journal.read(entry.key))).entry).toEqual(due);
    expect((await insist(() => journal.owed())).money).toEqual(new Map([['840', 5n]]));
  });

  it('F54 recovers from SCRIPT FLUSH within the same call, and sends each text once', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F54-a'));
    await redis.command('SCRIPT', 'FLUSH');
    await redis.command('CONFIG', 'RESETSTAT');
    await happen(journal, entry, settled(1, '00', now));
    await claimFresh(journal, claimOf('F54-b'));
    await claimFresh(journal, claimOf('F54-c'));
    expect(await insist(() => journal.due(LANES))).toEqual([]);
    // One text for move and one for claim; the 64 shards that look for work at once may each send theirs.
    expect(await countOf('eval')).toBeLessThanOrEqual(2 + 64);
    expect(await insist(() => journal.due(LANES))).toEqual([]);
    await redis.command('CONFIG', 'RESETSTAT');
    expect(await insist(() => journal.due(LANES))).toEqual([]);
    expect(await countOf('eval')).toBe(0);
  });
});

describe('the journal with a Redis that does not answer', () => {
  it('F49 is unsure soon, and the same writeId tells when Redis goes on', async () => {
    redis.pause();
    const id = writeId();
    try {
      const stuck = await within('the claim', journal.claim(claimOf('F49'), id), SOON_MS);
      expect(stuck).toEqual({ kind: 'unsure' });
      // The call has given up, long before the connection does.
      expect(journal.isUp()).toBe(true);
    } finally {
      redis.resume();
    }
    const again = await waitFor('an answer', async () => {
      const reply = await journal.claim(claimOf('F49'), id);
      return reply.kind === 'done' ? reply.value : undefined;
    });
    expect(again.kind).toBe('fresh');
    expect((await insist(id => journal.claim(claimOf('F49'), id))).kind).toBe('exists');
  });

  it('F49 gives a black hole up for lost, so that calls fail at once, and comes back', async () => {
    await proxy.mode('blackHole');
    const reply = await within('the claim', journal.claim(claimOf('F49-1'), writeId()), SOON_MS);
    expect(reply).toEqual({ kind: 'unsure' });
    await waitFor('the connection to be given up', () => !journal.isUp());
    expect(await journal.claim(claimOf('F49-2'), writeId())).toEqual({ kind: 'away' });
    // What was under way in the black hole is lost with it.
    proxy.drop();
    await proxy.mode('pass');
    await isBack('F49-3');
    expect(await presentOf(journal, claimOf('F49-2'))).toBeNull();
  });

  it('F49 due work and sums end soon, too', async () => {
    redis.pause();
    try {
      const replies = await within('the calls', Promise.all([journal.due(LANES), journal.owed()]), SOON_MS);
      expect(replies).toEqual([{ kind: 'unsure' }, { kind: 'unsure' }]);
    } finally {
      redis.resume();
    }
    await isBack('F49-4');
  });
});

describe('lost replies', () => {
  /** Makes the call, lets the server carry it out, and breaks the connection before the reply comes. */
  const withReplyLost = async <T>(call: () => Promise<T>): Promise<T> => {
    await proxy.mode('holdReplies');
    const reply = call();
    await proxy.waitForHeldReply();
    proxy.drop();
    await proxy.mode('pass');
    return within('the call', reply, SOON_MS);
  };

  it('F62 a claim whose reply is lost is unsure, was written once, and is fresh again', async () => {
    const id = writeId();
    expect(await withReplyLost(() => journal.claim(claimOf('F62-1'), id))).toEqual({ kind: 'unsure' });
    const again = await waitFor('an answer', async () => {
      const reply = await journal.claim(claimOf('F62-1'), id);
      return reply.kind === 'done' && reply.value.kind === 'fresh' ? reply.value : undefined;
    });
    expect(again).toMatchObject({ kind: 'fresh', claims: 1 });
    expect(await presentOf(journal, claimOf('F62-1'))).toEqual(again.entry);
  });

  it('F62 a move whose reply is lost is unsure, was written once, and is moved again', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F62-2', { amount: usd(1050n) }));
    const to = apply(entry, unknown(1, now));
    const id = writeId();
    expect(await withReplyLost(() => journal.move(entry, to, id))).toEqual({ kind: 'unsure' });
    const again = await waitFor('an answer', async () => {
      const reply = await journal.move(entry, to, id);
      return reply.kind === 'done' ? reply.value : undefined;
    });
    expect(again).toEqual({ kind: 'moved' });
    expect(await insist(() => journal.owed())).toMatchObject({ doubts: 1, due: 1, money: new Map([['840', 1050n]]) });
  });

  it('F62 nothing is sent a second time behind our back', async () => {
    await redis.command('CONFIG', 'RESETSTAT');
    await withReplyLost(() => journal.claim(claimOf('F62-3'), writeId()));
    await waitFor('the connection', () => journal.isUp());
    await presentOf(journal, claimOf('F62-3'));
    expect((await countOf('evalsha')) + (await countOf('eval'))).toBeLessThanOrEqual(3);
    expect(await redis.command('GET', keysOf(claimOf('F62-3')).claims)).toBe('1');
  });

  it('F62 a request that was cut off half-way is unsure, and was not carried out', async () => {
    await proxy.mode({ kind: 'cutRequests', bytes: 40 });
    expect(await within('the claim', journal.claim(claimOf('F62-4'), writeId()), SOON_MS)).toEqual({ kind: 'unsure' });
    await proxy.mode('pass');
    await waitFor('the connection', () => journal.isUp());
    expect(await presentOf(journal, claimOf('F62-4'))).toBeNull();
  });
});

describe('a server that may not be written to', () => {
  it('F52 READONLY is away, for reads too, and a primary again works', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F52'));
    const connections = proxy.accepted();
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    expect(await certain(id => journal.claim(claimOf('F52-2'), id))).toEqual({ kind: 'away' });
    await waitFor('a new connection, which may find another primary', () => proxy.accepted() > connections);
    const to = apply(entry, settled(1, '00', now));
    expect(await certain(id => journal.move(entry, to, id))).toEqual({ kind: 'away' });
    expect(await certain(() => journal.read(entry.key))).toEqual({ kind: 'away' });
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await isBack('F52-3');
    expect(await presentOf(journal, entry)).toEqual(entry);
    expect(await presentOf(journal, claimOf('F52-2'))).toBeNull();
  });

  it('F52 a replica is not believed, though it could be read', async () => {
    const { entry } = await claimFresh(journal, claimOf('F52-4'));
    for (const ask of [() => journal.read(entry.key), () => journal.due(LANES), () => journal.owed()]) {
      await redis.command('REPLICAOF', '127.0.0.1', '1');
      expect(await certain<unknown>(ask)).toEqual({ kind: 'away' });
      await redis.command('REPLICAOF', 'NO', 'ONE');
      await waitFor('the answer of a primary', async () => (await ask()).kind === 'done');
    }
  });

  it('F50 too few replicas is away, with nothing written', async () => {
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 1);
    expect(await certain(id => journal.claim(claimOf('F50'), id))).toEqual({ kind: 'away' });
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    expect(await presentOf(journal, claimOf('F50'))).toBeNull();
  });

  it('F53 out of memory refuses claims, and lets what was begun end', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F53', { amount: usd(9n) }));
    await redis.command('CONFIG', 'SET', 'maxmemory', '100kb');
    expect(await certain(id => journal.claim(claimOf('F53-2'), id))).toEqual({ kind: 'away' });
    const due = await happen(journal, entry, unknown(1, now));
    expect(await presentOf(journal, entry)).toEqual(due);
    expect((await insist(() => journal.due(LANES))).map(found => found.entry)).toEqual([due]);
    await redis.command('CONFIG', 'SET', 'maxmemory', 0);
    expect(await presentOf(journal, claimOf('F53-2'))).toBeNull();
    await claimFresh(journal, claimOf('F53-2'));
  });

  it('F53 a policy that throws entries away, set while we run, stops claims until it is mended', async () => {
    const reconnect = async () => {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {});
    };
    const { entry, now } = await claimFresh(journal, claimOf('F53-3'));
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await reconnect();
    await waitFor('the alarm', () => about('eviction').length > 0);
    expect(journal.isUp()).toBe(false);
    expect(await certain(id => journal.claim(claimOf('F53-4'), id))).toEqual({ kind: 'away' });
    expect(about('eviction')).toMatchObject([
      { level: 'alarm', text: expect.stringContaining('has maxmemory-policy allkeys-lru') },
    ]);
    await waitFor('the connection', async () => (await journal.read(entry.key)).kind === 'done');
    await happen(journal, entry, settled(1, '00', now));
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await reconnect();
    await isBack('F53-5');
  });
});

describe('lost data', () => {
  it('F51 a name in a lane where its entry does not belong is not given', async () => {
    const { entry } = await claimFresh(journal, claimOf('F51-2'));
    const keys = keysOf(entry);
    await redis.command('ZADD', keys.lane(entry.issuer), 1, 'F51-2/100000');
    await redis.command('ZADD', keys.lane(RECOVERY), 1, 'F51-2/100000');
    expect(await insist(() => journal.due(LANES))).toEqual([]);
  });

  it('F51 a name whose entry is gone is forgotten', async () => {
    const { entry, now } = await claimFresh(journal, claimOf('F51'));
    await happen(journal, entry, unknown(1, now));
    const keys = keysOf(entry);
    await redis.command('DEL', keys.entry('F51/100000'));
    expect(await insist(() => journal.due(LANES))).toEqual([]);
    expect(await redis.command('EXISTS', keys.lane(entry.issuer), keys.owed)).toBe(0);
  });
});
