/**
 * Names that were taken once, and then lost by Redis: none of them is given a second time, by whichever process and
 * however little it has seen, while names that nobody can have taken before are given at once.
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { createRedisJournal } from '../../src/journal/redis.ts';
import { keysOfShard, SHARD_COUNT, shardOfName } from '../../src/journal/redisKeys.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/waitFor.ts';
import { DAY_MS, insist, LANES } from './journalSteps.ts';
import { targetOf } from './redisTargets.ts';

const HOUR_MS = 3_600_000;
const TRIES_MOST = 5;
const NAME = 'test/used';
const { claims, epoch } = keysOfShard(shardOfName(NAME));

let redis: RedisServer;
const journals: Journal[] = [];
beforeEach(async () => {
  redis ??= await startRedis();
  await redis.flush();
});
afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
});
afterAll(() => redis?.stop());

const opened = async (wallOffsetMs = 0): Promise<Journal> => {
  const clock = { ...systemClock, wallMs: () => Date.now() + wallOffsetMs };
  const journal = await createRedisJournal({ target: targetOf(redis), retentionMs: DAY_MS, onNotice: () => {}, clock });
  journals.push(journal);
  return journal;
};
const span = (sinceMs: number) => ({ sinceMs, untilMs: sinceMs + HOUR_MS });
class Unsure extends Error {}
const take = async (journal: Journal, name: string, sinceMs: number) => {
  const reply = await journal.once(name, span(sinceMs));
  if (reply.kind !== 'done') throw new Unsure(`the journal answered ${reply.kind}`);
  return reply.value;
};
/** Tells a story on an empty server, and once more from the start where a busy machine left a call without an answer. */
const retold = (story: () => Promise<void>) => async () => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await story();
    } catch (error) {
      if (!(error instanceof Unsure) || tries === TRIES_MOST) throw error;
      await redis.flush();
    }
  }
};
/** What is not told for certain, and not done. */
const refused = async (journal: Journal, name: string, sinceMs: number): Promise<void> => {
  expect(await journal.once(name, span(sinceMs))).toEqual({ kind: 'unsure' });
  expect(await redis.command('EXISTS', keysOfShard(shardOfName(name)).once(name))).toBe(0);
};
/** The journal's clock has gone on, so that what begins now begins after whatever was lost. */
const later = async (): Promise<number> => {
  const from = Date.now();
  await waitFor('the next moment', () => Date.now() > from + 50);
  return Date.now();
};

describe('S54 F76 a name that Redis has lost', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['with everything', () => redis.flush()],
    ['with the last write', () => redis.command('SET', claims, 0)],
    ['with the epoch', () => redis.command('DEL', epoch)],
    ['with the epoch, for that of somebody else', () => redis.command('HSET', epoch, 'id', 'other')],
  ])('is not given again %s; new ones are, at once', (_, lose) =>
    retold(async () => {
      const journal = await opened();
      const before = Date.now();
      expect(await take(journal, NAME, before)).toBe('first');
      await redis.command('DEL', keysOfShard(shardOfName(NAME)).once(NAME));
      await lose();
      for (let tries = 0; tries < 2; tries += 1) await refused(journal, NAME, before);
      const after = await later();
      expect(await take(journal, NAME, after)).toBe('first');
      expect(await take(journal, NAME, after)).toBe('again');
    })(),
  );

  it(
    'is refused by a process that has never taken one nor looked, and by one that starts afterwards',
    retold(async () => {
      const [first, second] = [await opened(), await opened()];
      const before = Date.now();
      expect(await take(first, NAME, before)).toBe('first');
      await redis.flush();
      await refused(second, NAME, before);
      await refused(first, NAME, before);
      await refused(await opened(), NAME, before);
      const after = await later();
      expect([await take(first, NAME, after), await take(second, NAME, after)]).toEqual(['first', 'again']);
    }),
  );

  it(
    'is refused as soon as anybody looks for work, in every shard',
    retold(async () => {
      const [first, second] = [await opened(), await opened()];
      const names = Array.from({ length: SHARD_COUNT }, (_, i) => `test/${i}`);
      const before = Date.now();
      for (const name of names) expect(await take(first, name, before)).toBe('first');
      await redis.flush();
      await insist(() => second.due(LANES));
      const newcomer = await opened();
      for (const name of names) await refused(newcomer, name, before);
    }),
  );

  it(
    'F69 is refused by the age that its taker knows, whatever its clock says',
    retold(async () => {
      for (const offset of [-HOUR_MS, HOUR_MS]) {
        await redis.flush();
        const journal = await opened(offset);
        const before = Date.now() + offset;
        expect(await take(journal, NAME, before)).toBe('first');
        await redis.flush();
        await refused(journal, NAME, before);
        expect(await take(journal, NAME, (await later()) + offset)).toBe('first');
      }
    }),
  );
});

describe('S54 nothing was lost', () => {
  it(
    'I19 by an empty server that is new: the first names are given, however old',
    retold(async () => {
      const three = await Promise.all([opened(), opened(), opened()]);
      const names = Array.from({ length: SHARD_COUNT }, (_, i) => `test/${i}`);
      const old = Date.now() - HOUR_MS;
      for (const [i, name] of names.entries()) expect(await take(three[i % 3] as Journal, name, old)).toBe('first');
      for (const journal of three) await insist(() => journal.due(LANES));
      expect(three.map(journal => journal.amnesia().losses)).toEqual([0, 0, 0]);
    }),
  );

  it(
    'F76 in the other shards',
    retold(async () => {
      const journal = await opened();
      const other = Array.from({ length: 100 }, (_, i) => `test/${i}`).find(
        name => shardOfName(name) !== shardOfName(NAME),
      );
      const before = Date.now();
      await redis.command('DEL', epoch);
      await refused(journal, NAME, before);
      expect(await take(journal, String(other), before)).toBe('first');
    }),
  );

  it(
    'F73 where an older version wrote names and claims without an epoch',
    retold(async () => {
      await redis.command('SET', claims, 700);
      await redis.command('SET', keysOfShard(shardOfName(NAME)).once(NAME), '1');
      const journal = await opened();
      expect(await take(journal, NAME, Date.now() - HOUR_MS)).toBe('again');
      const same = Array.from({ length: 1000 }, (_, i) => `test/${i}`).find(
        name => shardOfName(name) === shardOfName(NAME),
      );
      expect(await take(journal, String(same), Date.now() - HOUR_MS)).toBe('first');
      expect(journal.amnesia().losses).toBe(0);
    }),
  );
});
