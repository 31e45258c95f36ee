/**
 * Redis that has lost what it had acknowledged: noticed inside the claim, before anything is written; no new money for a
 * while, in every process and after a restart; and what this process knows is there again.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apply, type Draft, type Entry } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { RedisJournalOptions } from '../../src/journal/redis.ts';
import { keysOfShard, SHARD_COUNT, shardOf } from '../../src/journal/redisKeys.ts';
import { Steps } from '../../src/journal/steps.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { startRedisCluster } from '../support/redisCluster.ts';
import { waitFor } from '../support/waitFor.ts';
import { claimOf, tombstoneOf } from './entries.ts';
import { claimFresh, happen, insist, LANES, presentOf, settled, unknown } from './journalSteps.ts';
import { RedisJournals } from './redisJournals.ts';
import { clusterTargetOf, targetOf } from './redisTargets.ts';

const MINUTES_MS = 600_000;
const SHARD = 5;

let redis: RedisServer;
const journals = new RedisJournals();
beforeEach(async () => {
  redis ??= await startRedis();
  await redis.flush();
});
afterEach(() => journals.close());
afterAll(() => redis?.stop());

const opened = (options: Partial<RedisJournalOptions> = {}) =>
  journals.open({ target: targetOf(redis), amnesiaMs: MINUTES_MS, ...options });

const claim = (journal: Journal, draft: Draft) => insist(id => journal.claim(draft, id));
const look = (journal: Journal) => insist(() => journal.due(LANES));
/** Drafts of one shard, named by the test. */
function* ofOneShard(prefix: string, rest: Parameters<typeof claimOf>[1] = {}) {
  for (let i = 0; ; i += 1) {
    const draft = claimOf(`${prefix}-${i}`, rest);
    if (shardOf(draft.key) === SHARD) yield draft;
  }
}
const take = <T>(from: Iterator<T>): T => from.next().value as T;
/** As an old backup has it. */
const turnBack = async (writes: number) => {
  await redis.command('SET', keysOfShard(SHARD).claims, writes);
};

describe('F76 a claim notices what is lost, and writes nothing', () => {
  it.each<[string, () => Promise<void>]>([
    ['everything', () => redis.flush()],
    ['the last write', () => turnBack(1)],
    ['the epoch', async () => void (await redis.command('DEL', keysOfShard(SHARD).epoch))],
    [
      'the epoch, for that of somebody else',
      async () => void (await redis.command('HSET', keysOfShard(SHARD).epoch, 'id', 'other')),
    ],
  ])('I12 %s', async (_, lose) => {
    const journal = await opened();
    const drafts = ofOneShard('F76');
    await claimFresh(journal, take(drafts));
    await claimFresh(journal, take(drafts));
    await lose();
    const draft = take(drafts);
    const refused = await claim(journal, draft);
    expect(refused).toMatchObject({ kind: 'amnesia' });
    if (refused.kind === 'amnesia') expect(refused.untilMs - refused.now).toBeGreaterThan(MINUTES_MS - 60_000);
    expect(await presentOf(journal, draft)).toBeNull();
    expect(journal.amnesia()).toMatchObject({ losses: 1, shards: 1 });
    await waitFor('the alarm', () =>
      journals.notices.some(({ about, level }) => about === 'lostClaims' && level === 'alarm'),
    );
  });

  it('a lost move shows as well as a lost claim', async () => {
    const journal = await opened();
    const drafts = ofOneShard('MOVE');
    const { entry, now } = await claimFresh(journal, take(drafts));
    await happen(journal, entry, settled(1, '00', now));
    await turnBack(1);
    expect(await claim(journal, take(drafts))).toMatchObject({ kind: 'amnesia' });
  });

  it('I5 undos, tombstones, commands and what is held go on', async () => {
    const journal = await opened();
    const held = take(ofOneShard('GO'));
    const { entry, now } = await claimFresh(journal, held);
    await turnBack(0);
    expect(await claim(journal, take(ofOneShard('UNDO', { policy: 'undo' })))).toMatchObject({ kind: 'fresh' });
    expect(await claim(journal, take(ofOneShard('RESEND', { policy: 'resend' })))).toMatchObject({ kind: 'fresh' });
    expect(await claim(journal, held)).toMatchObject({ kind: 'exists', entry });
    const { key } = take(ofOneShard('TOMB'));
    expect(await claim(journal, tombstoneOf('', { key }))).toMatchObject({ kind: 'fresh' });
    for (const policy of ['reverse', 'release', 'repeat'] as const) {
      expect(await claim(journal, take(ofOneShard(policy, { policy })))).toMatchObject({ kind: 'amnesia' });
    }
    await happen(journal, entry, unknown(1, now));
  });

  it('only the shards that lost something take no money', async () => {
    const journal = await opened();
    await claimFresh(journal, take(ofOneShard('ONE')));
    await turnBack(0);
    expect(await claim(journal, take(ofOneShard('TWO')))).toMatchObject({ kind: 'amnesia' });
    const elsewhere = claimOf('T1');
    expect(shardOf(elsewhere.key)).not.toBe(SHARD);
    await claimFresh(journal, elsewhere);
  });
});

describe('F76 F61 a Cluster', () => {
  it('I12 I19 of which one server was flushed takes money in the shards of the others', async () => {
    const cluster = await startRedisCluster();
    try {
      const journal = await opened({ target: clusterTargetOf(cluster) });
      const drafts = Array.from({ length: 1000 }, (_, i) => claimOf(`CLUSTER-${i}`));
      const byShard = new Map(drafts.map(draft => [shardOf(draft.key), draft]));
      for (const draft of byShard.values()) await claimFresh(journal, draft);
      const [first] = cluster.nodes;
      const epochs = (await first?.command('KEYS', '*:epoch')) as string[];
      await first?.flush();
      const lost = new Set(epochs.map(name => Number(/\{(\d+)\}/.exec(name)?.[1])));
      for (const shard of byShard.keys()) {
        const { kind } = await claim(journal, nextIn(shard));
        expect([shard, kind]).toEqual([shard, lost.has(shard) ? 'amnesia' : 'fresh']);
      }
      expect(journal.amnesia()).toMatchObject({ losses: lost.size, shards: lost.size });
      expect([lost.size > 0, lost.size < 64]).toEqual([true, true]);
      await journal.close();
    } finally {
      await cluster.stop();
    }
  });

  function nextIn(shard: number): Draft {
    for (let i = 0; ; i += 1) {
      const draft = claimOf(`NEXT-${i}`);
      if (shardOf(draft.key) === shard) return draft;
    }
  }
});

describe('F76 every process', () => {
  it('sees it when it looks for work, and after a restart, until the time is over', async () => {
    const [first, second] = [await opened(), await opened()];
    const drafts = ofOneShard('ALL');
    await claimFresh(first, take(drafts));
    await look(second);
    await redis.flush();
    await look(second);
    // Each shard had an epoch from the start, also where nothing was ever written.
    expect(second.amnesia()).toMatchObject({ losses: SHARD_COUNT, shards: SHARD_COUNT });
    expect(await claim(first, take(drafts))).toMatchObject({ kind: 'amnesia' });
    const restarted = await opened();
    expect(await claim(restarted, take(drafts))).toMatchObject({ kind: 'amnesia' });
    await look(restarted);
    expect(restarted.amnesia()).toMatchObject({ losses: 0, shards: SHARD_COUNT });
    await redis.command('HSET', keysOfShard(SHARD).epoch, 'until', 1);
    for (const journal of [first, second, restarted]) await claimFresh(journal, take(drafts));
  });

  it('counts one loss once, however late it is seen by who was away', async () => {
    const [first, second] = [await opened(), await opened()];
    const drafts = ofOneShard('LATE');
    for (const journal of [first, second]) await claimFresh(journal, take(drafts));
    await redis.flush();
    expect(await claim(first, take(drafts))).toMatchObject({ kind: 'amnesia' });
    // The time is over, and money moves again, before the second one looks.
    await redis.command('HSET', keysOfShard(SHARD).epoch, 'until', 1);
    await claimFresh(first, take(drafts));
    await claimFresh(second, take(drafts));
    await claimFresh(first, take(drafts));
    expect([first.amnesia().losses, second.amnesia().losses]).toEqual([1, 1]);
    const told = () => journals.notices.filter(({ about }) => about === 'lostClaims');
    await waitFor('both to be told', () => told().length === 2);
    expect(told().map(({ level }) => level)).toEqual(['alarm', 'warning']);
  });

  it('I19 a new, empty server refuses nothing to who has seen nothing', async () => {
    const journals = [await opened(), await opened(), await opened()];
    await Promise.all(journals.flatMap(journal => [look(journal), look(journal)]));
    const drafts = ofOneShard('NEW');
    await Promise.all(journals.map(journal => claimFresh(journal, take(drafts))));
    await Promise.all(journals.map(look));
    await Promise.all(Array.from({ length: 60 }, (_, i) => claimFresh(journals[i % 3] as Journal, take(drafts))));
    expect(journals.map(journal => journal.amnesia().losses)).toEqual([0, 0, 0]);
  });

  it('F73 a store that an older version wrote, without an epoch, is not a loss', async () => {
    await turnBack(700);
    const journal = await opened();
    const drafts = ofOneShard('OLD');
    await look(journal);
    await claimFresh(journal, take(drafts));
    expect(journal.amnesia().losses).toBe(0);
    await turnBack(700);
    expect(await claim(journal, take(drafts))).toMatchObject({ kind: 'amnesia' });
  });
});

describe('F51 what this process knows', () => {
  const deadline = () => Deadline.in(systemClock, 5000);

  it('I5 is written again: doubts, and what has ended before it can be taken for lost', async () => {
    const journal = await opened();
    const steps = new Steps(journal, systemClock, systemRandom);
    const drafts = ofOneShard('KNOWN', { leaseMs: 60_000 });
    const [ended, doubted] = [take(drafts), take(drafts)];
    for (const [draft, outcome] of [
      [ended, { kind: 'answered', answer: { code: '00', sealed: null } }],
      [doubted, { kind: 'unknown' }],
    ] as const) {
      const claimed = await steps.claim(draft, deadline());
      if (claimed.kind !== 'fresh') throw new Error('not claimed');
      const settle = (entry: Entry, now: number) => apply(entry, { type: 'settle', fence: 1, outcome, now });
      await steps.move(claimed.held, settle, deadline());
    }
    const before = await Promise.all([ended, doubted].map(draft => presentOf(journal, draft)));
    const nothingElse = async () => true;
    expect(await steps.restoreLost(nothingElse)).toBe('nothing');
    await redis.flush();
    await look(journal);
    expect(await steps.restoreLost(nothingElse)).toBe('restored');
    expect(await Promise.all([ended, doubted].map(draft => presentOf(journal, draft)))).toEqual(before);
    expect(await insist(() => journal.owed())).toMatchObject({ doubts: 1, due: 1 });
    expect(await steps.restoreLost(nothingElse)).toBe('nothing');
  });

  it('I5 the end of a claim that is gone is written all the same', async () => {
    const journal = await opened();
    const steps = new Steps(journal, systemClock, systemRandom);
    const claimed = await steps.claim(take(ofOneShard('GONE')), deadline());
    if (claimed.kind !== 'fresh') throw new Error('not claimed');
    await redis.flush();
    const moved = await steps.move(claimed.held, entry => apply(entry, unknown(1, claimed.held.now)), deadline());
    expect(moved).toMatchObject({ kind: 'done', moved: true, held: { entry: { standing: { at: 'doubt' } } } });
    expect(await insist(() => journal.owed())).toMatchObject({ doubts: 1, due: 1 });
  });
});
