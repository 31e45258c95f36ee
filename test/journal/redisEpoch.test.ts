/**
 * Another server holds a shard, or the same one after a restart: the next epoch begins. A loss shows by what the epoch
 * before had, however much was written since; and until everybody can have shown what he has seen, no money is begun
 * there, no claim is taken over, and no name is taken.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apply, type Draft } from '../../src/domain/entry.ts';
import type { Journal, Reply } from '../../src/journal/journal.ts';
import type { JournalNotice } from '../../src/journal/notice.ts';
import type { RedisJournalOptions } from '../../src/journal/redis.ts';
import { RedisAmnesia } from '../../src/journal/redisAmnesia.ts';
import { moveCall } from '../../src/journal/redisCalls.ts';
import { keysOfShard, shardOf, shardOfName } from '../../src/journal/redisKeys.ts';
import { SCRIPTS, type Script, type ScriptReply } from '../../src/journal/redisScripts.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startRedisCluster } from '../support/redisCluster.ts';
import { waitFor } from '../support/waitFor.ts';
import { claimOf } from './entries.ts';
import { claimFresh, happen, insist, LANES, settled, unknown } from './journalSteps.ts';
import { RedisJournals } from './redisJournals.ts';
import { clusterTargetOf, targetOf } from './redisTargets.ts';

const SHARD = 9;
const KEYS = keysOfShard(SHARD);
const LONG_AGO_MS = 60_000;

let redis: RedisServer;
const journals = new RedisJournals();
beforeEach(async () => {
  redis ??= await startRedis({ appendfsync: 'always' });
  await redis.flush();
});
afterEach(() => journals.close());
afterAll(() => redis?.stop());

const opened = (options: Partial<RedisJournalOptions> = {}) => journals.open({ target: targetOf(redis), ...options });

let names = 0;
/** The next draft of the shard. */
function next(rest: Parameters<typeof claimOf>[1] = {}, shard = SHARD): Draft {
  for (;;) {
    names += 1;
    const draft = claimOf(`EPOCH-${names}`, rest);
    if (shardOf(draft.key) === shard) return draft;
  }
}
const claim = (journal: Journal, draft: Draft) => journal.claim(draft, `write-${draft.key.tranId}`);
/** Until a busy machine lets it be told. */
const told = (journal: Journal, draft: Draft) => insist(() => claim(journal, draft));
const look = (journal: Journal) => insist(() => journal.due(LANES));
/** As if another server held the shard, with so many writes. */
const switched = async (writes?: number) => {
  await redis.command('HSET', KEYS.epoch, 'server', 'another');
  if (writes !== undefined) await redis.command('SET', KEYS.claims, writes);
};
const runIdOf = async (server: RedisServer) =>
  /run_id:(.{20})/.exec(String(await server.command('INFO', 'server')))?.[1];
const untilOver = () => redis.command('HSET', KEYS.epoch, 'calm', 1, 'held', 1);
const AWAY = { kind: 'away' };
/** Moves no money, and so is claimed whatever happened. */
const harmless = () => next({ policy: 'resend' });

describe('F50 F57 a server that took over, or was restarted', () => {
  it('I1 I12 begins no money for moments, whoever asks; what is held and what undoes goes on', async () => {
    const [first, second] = [await opened(), await opened()];
    const held = next();
    const { entry } = await claimFresh(first, held);
    await redis.kill();
    await redis.restart();
    await waitFor('both to be back', () => first.isUp() && second.isUp());
    for (const journal of [second, first, await opened()]) {
      const fresh = next();
      expect(await claim(journal, fresh)).toEqual(AWAY);
      expect(await redis.command('EXISTS', KEYS.entry(`${fresh.key.tranId}/${fresh.key.participantId}`))).toBe(0);
      expect(await told(journal, held)).toMatchObject({ kind: 'exists', entry });
      expect(await told(journal, next({ policy: 'undo' }))).toMatchObject({ kind: 'fresh' });
      expect(await told(journal, harmless())).toMatchObject({ kind: 'fresh' });
    }
    for (const journal of [first, second]) expect(journal.amnesia().shards).toBe(0);
    await waitFor('the operator to be told', () =>
      journals.notices.some(({ text }) => text.includes('no money for 5 s')),
    );
    await waitFor('it to be over', async () => (await claim(second, next())).kind === 'done');
    await claimFresh(first, next());
  });

  it('I1 is calm from its first answer on, however long it was there and refused', async () => {
    const journal = await opened();
    await claimFresh(journal, next());
    await redis.kill();
    await redis.restart();
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 1);
    await waitFor('it to be back', () => journal.isUp());
    const isRefused = async () => (await journal.due(LANES)).kind !== 'done';
    await waitFor('it to have refused for long', isRefused);
    expect(await redis.command('HEXISTS', KEYS.epoch, 'calm')).toBe(0);
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', 0);
    expect(await claim(journal, next())).toEqual(AWAY);
  });

  it('I13 gives no name that may have been taken', async () => {
    const journal = await opened();
    const name = 'assertion';
    await redis.command('HSET', keysOfShard(shardOfName(name)).epoch, 'server', 'another');
    const span = { sinceMs: Date.now(), untilMs: Date.now() + LONG_AGO_MS };
    expect(await journal.once(name, span)).toEqual({ kind: 'unsure' });
    await redis.command('HSET', keysOfShard(shardOfName(name)).epoch, 'calm', 1);
    expect(await insist(() => journal.once(name, span))).toBe('first');
  });

  it('I8 a claim that was found left alone before is not taken over after it', async () => {
    const journal = await opened();
    const { entry } = await claimFresh(journal, next({ leaseMs: 1 }));
    const found = async () => (await look(journal)).map(each => each.entry.key.tranId);
    await waitFor('it to be found', async () => (await found()).length === 1);
    await switched();
    const taken = apply(entry, { type: 'takeOver', now: Date.now() + LONG_AGO_MS });
    expect(await journal.move(entry, taken, 'takeover')).toEqual(AWAY);
    // Seen by now, and calm.
    expect(await found()).toEqual([]);
    expect(await journal.move(entry, taken, 'takeover')).toEqual(AWAY);
    await untilOver();
    expect(await found()).toEqual([entry.key.tranId]);
    expect(await insist(id => journal.move(entry, taken, id))).toMatchObject({ kind: 'moved' });
  });

  it('I5 the owner of a claim ends it all the same', async () => {
    const journal = await opened();
    const { entry, now } = await claimFresh(journal, next());
    await switched();
    await happen(journal, entry, settled(1, '00', now));
    const other = await claimFresh(journal, harmless());
    await happen(journal, other.entry, unknown(1, now));
  });
});

describe('F51 I12 a loss shows', () => {
  it.each<[string, (journal: Journal) => Promise<unknown>]>([
    ['claims', journal => claimFresh(journal, harmless())],
    [
      'moves',
      async journal => {
        const { entry, now } = await claimFresh(journal, harmless());
        await happen(journal, entry, settled(1, '00', now));
      },
    ],
  ])('however many %s of others came after it', async (_, write) => {
    const [first, second] = [await opened(), await opened()];
    for (let i = 0; i < 3; i += 1) await claimFresh(first, next());
    // The second one has looked last when there were two.
    await switched(2);
    for (let i = 0; i < 5; i += 1) await write(second);
    expect(second.amnesia().shards).toBe(0);
    await untilOver();
    expect(await told(first, next())).toMatchObject({ kind: 'amnesia' });
    expect(first.amnesia().shards).toBe(1);
  });

  it('over more than one switch, and not where all was kept over all of them', async () => {
    const [first, second] = [await opened(), await opened()];
    for (let i = 0; i < 3; i += 1) await claimFresh(first, next());
    await switched(3);
    await claimFresh(second, harmless());
    await switched();
    await claimFresh(second, harmless());
    await untilOver();
    await claimFresh(first, next());
    const seen = Number(await redis.command('GET', KEYS.claims));
    await switched(seen - 1);
    await look(second);
    await switched();
    await look(second);
    for (const journal of [first, second]) await look(journal);
    expect([first.amnesia().shards, second.amnesia().shards]).toEqual([1, 1]);
  });

  it('by answers that come late from the server before, asked about once more where that is not answered', async () => {
    const asked: string[] = [];
    let answers: Reply<ScriptReply> = { kind: 'done', value: ['kept', '1', '4', 'new', ''] };
    const run = async (_: unknown, __: unknown, [writes, epoch]: readonly string[]): Promise<Reply<ScriptReply>> => {
      asked.push(`${writes} ${epoch}`);
      return answers;
    };
    const onNotice = () => {};
    const amnesia = new RedisAmnesia({ run, clock: systemClock, random: systemRandom, forMs: 1, place: '', onNotice });
    await amnesia.ask(SHARD);
    const known = { writes: 4, epoch: 'new' };
    expect(amnesia.seen(SHARD)).toEqual(known);
    answers = { kind: 'away' };
    asked.splice(0);
    for (const writes of [5, 6, 7]) amnesia.noteWritten(SHARD, writes, 'old');
    amnesia.noteMoved(SHARD, { writes: 5, epoch: 'old' }, 8, 'old');
    expect(asked).toEqual(['5 old']);
    await amnesia.noteState(SHARD, known, ['1', '4', 'new', '']);
    answers = { kind: 'done', value: ['lost', '1', '4', 'newer', '600001'] };
    await amnesia.noteState(SHARD, known, ['1', '4', 'new', '']);
    // The last is of the answer that was taken before the loss was known.
    expect(asked).toEqual(['5 old', '8 old', '8 old', '4 new']);
    expect(amnesia.state.losses).toBeGreaterThan(0);
    asked.splice(0);
    await amnesia.noteState(SHARD, amnesia.seen(SHARD), ['1', '4', 'newer', '']);
    expect(asked).toEqual([]);
  });

  it('and a question that the store cannot answer at all ends nothing', async () => {
    const run = () => Promise.reject(new Error('a broken script'));
    const onNotice = () => {};
    const amnesia = new RedisAmnesia({ run, clock: systemClock, random: systemRandom, forMs: 1, place: '', onNotice });
    amnesia.noteWritten(SHARD, 1, 'a');
    amnesia.noteWritten(SHARD, 2, 'b');
    amnesia.noteMoved(SHARD, { writes: 3, epoch: 'a' }, 2, 'a');
    await new Promise(setImmediate);
    expect(amnesia.seen(SHARD)).toEqual({ writes: 1, epoch: 'a' });
  });

  it('I8 and no claim is taken over there for moments: its end may be written again', async () => {
    const journal = await opened();
    const { entry } = await claimFresh(journal, next({ leaseMs: 1 }));
    await claimFresh(journal, next());
    const found = async () => (await look(journal)).map(each => each.entry.key.tranId);
    await waitFor('it to be found', async () => (await found()).length === 1);
    await redis.command('SET', KEYS.claims, 1);
    await waitFor('the loss to be noticed', async () => (await found()) && journal.amnesia().shards === 1);
    expect(await found()).toEqual([]);
    const taken = apply(entry, { type: 'takeOver', now: Date.now() + LONG_AGO_MS });
    expect(await journal.move(entry, taken, 'takeover')).toEqual(AWAY);
    await untilOver();
    expect(await found()).toEqual([entry.key.tranId]);
  });

  it('F73 once, however many an older version beside this one notices', async () => {
    const journal = await opened();
    await claimFresh(journal, next());
    await switched();
    await look(journal);
    const id = String(await redis.command('HGET', KEYS.epoch, 'id'));
    await redis.command('SET', KEYS.claims, 0);
    await look(journal);
    // By this the older one knows that it was noticed.
    expect(String(await redis.command('HGET', KEYS.epoch, 'lost')).split(' ')).toContain(id);
    const { losses } = journal.amnesia();
    // And by this it has another one begin.
    await redis.command(
      'HSET',
      KEYS.epoch,
      'id',
      'of-the-older',
      'lost',
      ` ${id} ${await redis.command('HGET', KEYS.epoch, 'id')}`,
    );
    for (let i = 0; i < 3; i += 1) await look(journal);
    expect(journal.amnesia().losses).toBe(losses + 1);
    const levels = () => journals.notices.filter(({ about }) => about === 'lostClaims').map(({ level }) => level);
    await waitFor('both to be told', () => levels().length === 2);
    expect(levels()).toEqual(['alarm', 'warning']);
  });

  it('F56 not where the count is none: that is an error, and nothing is written', async () => {
    const journal = await opened();
    await claimFresh(journal, next());
    const before = await redis.command('HGETALL', KEYS.epoch);
    await redis.command('SET', KEYS.claims, 'none');
    const words = [KEYS.epoch, KEYS.claims, '1', 'seen', 'to-begin', '1', (await runIdOf(redis)) ?? '', '0'];
    await expect(redis.command('EVAL', SCRIPTS.amnesia.text, 2, ...words)).rejects.toThrow('arithmetic');
    expect(await redis.command('HGETALL', KEYS.epoch)).toEqual(before);
  });
});

describe('F76 whoever notices a loss first', () => {
  it('F62 raises the alarm, also where the first answer is lost', async () => {
    const journal = await opened();
    await claimFresh(journal, next());
    await redis.command('SET', KEYS.claims, 0);
    let isLost = true;
    const run = async (
      script: Script,
      keys: readonly string[],
      args: readonly string[],
    ): Promise<Reply<ScriptReply>> => {
      const words = [...keys, ...args, '', '0'];
      const reply = await redis.command('EVAL', script.text, keys.length, ...words);
      const isFirst = isLost;
      isLost = false;
      return isFirst ? { kind: 'unsure' } : { kind: 'done', value: reply as ScriptReply };
    };
    const levels: string[] = [];
    const onNotice = ({ level }: JournalNotice) => void levels.push(level);
    const amnesia = new RedisAmnesia({ run, clock: systemClock, random: systemRandom, forMs: 1, place: '', onNotice });
    const seen = { writes: 1, epoch: String(await redis.command('HGET', KEYS.epoch, 'id')) };
    expect(await amnesia.ask(SHARD, seen)).toBe(false);
    expect(await amnesia.ask(SHARD, seen)).toBe(true);
    expect(amnesia.state.losses).toBe(1);
    await waitFor('it to be told', () => levels.length > 0);
    expect(levels).toEqual(['alarm']);
  });
});

describe('I8 who has seen no epoch of a shard', () => {
  it('takes over nothing there', async () => {
    const journal = await opened();
    const { entry } = await claimFresh(journal, next({ leaseMs: 1 }));
    const { key } = entry;
    const taken = apply(entry, { type: 'takeOver', now: Date.now() + LONG_AGO_MS });
    const [keys, args] = moveCall(SHARD, { from: entry, to: taken, writeId: 'w', retention: '1', takenOverIn: '' });
    const words = [...keys, ...args, (await runIdOf(redis)) ?? '', '0'];
    expect(await redis.command('EVAL', SCRIPTS.move.text, keys.length, ...words)).toEqual(['held']);
    expect(await insist(() => journal.read(key))).toMatchObject({ entry: { standing: { at: 'claimed' } } });
  });
});

describe('I19 nothing is refused', () => {
  it('F73 where an older version began the epoch, which names no server, nor by one that is still there', async () => {
    const journal = await opened();
    await claimFresh(journal, next());
    await redis.command('HDEL', KEYS.epoch, 'server');
    await claimFresh(journal, next());
    expect(await redis.command('HGET', KEYS.epoch, 'server')).toMatch(/^[0-9a-f]{20}$/);
    expect(journal.amnesia().losses).toBe(0);
    // And an older version beside this one, which knows the id and the count, misses nothing after a switch.
    const id = await redis.command('HGET', KEYS.epoch, 'id');
    await switched();
    await look(journal);
    expect(await redis.command('HGET', KEYS.epoch, 'id')).toBe(id);
    expect(await redis.command('HEXISTS', KEYS.epoch, 'life')).toBe(1);
  });

  it('F61 by a shard that moved to another server of its Cluster, but for the time of the calm', async () => {
    const cluster = await startRedisCluster();
    try {
      const journal = await opened({ target: clusterTargetOf(cluster) });
      await claimFresh(journal, next());
      const [any] = cluster.nodes;
      const slot = Number(await any?.command('CLUSTER', 'KEYSLOT', KEYS.claims));
      const isHere = async (node: RedisServer) => (await node.command('CLUSTER', 'COUNTKEYSINSLOT', slot)) !== 0;
      const holders = await Promise.all(cluster.nodes.map(isHere));
      const from = cluster.nodes[holders.indexOf(true)];
      const to = cluster.nodes[holders.indexOf(false)];
      if (!from || !to) throw new Error('the shard is nowhere');
      const [fromId, toId] = await Promise.all(
        [from, to].map(async node => String(await node.command('CLUSTER', 'MYID'))),
      );
      await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
      await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
      const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      await from.command('MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...keys);
      for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
      await waitFor('the next epoch', async () => {
        await journal.due(LANES);
        return (await to.command('HGET', KEYS.epoch, 'server')) === (await runIdOf(to));
      });
      expect(await claim(journal, next())).toEqual(AWAY);
      await to.command('HSET', KEYS.epoch, 'calm', 1, 'held', 1);
      await claimFresh(journal, next());
      expect(journal.amnesia()).toMatchObject({ losses: 1, shards: 0 });
      await journal.close();
    } finally {
      await cluster.stop();
    }
  });

  it('F60 by an epoch that grew over many switches', async () => {
    const journal = await opened();
    await claimFresh(journal, next());
    for (let i = 0; i < 60; i += 1) {
      await switched();
      await look(journal);
    }
    expect(Number(await redis.command('HSTRLEN', KEYS.epoch, 'past'))).toBeLessThan(1100);
    expect(journal.amnesia().shards).toBe(0);
    await untilOver();
    await claimFresh(journal, next());
  });
});
