/**
 * A filled journal holds what it would have written itself: the copies are compared, byte for byte, with an entry that went
 * through claim and settle, and the journal finds, counts and refuses them as its own.
 */
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvedBy, draftOf, filledId, ISSUER, keyOf, nameOf, sampleTexts } from '../../../bench/scale/entries.ts';
import { type CopyOrder, fillSettled } from '../../../bench/scale/fill.ts';
import { copyInRedis, lookInRedis } from '../../../bench/scale/fillRedis.ts';
import { type OpenJournal, openJournal, RETENTION_MS, redisJournal } from '../../../bench/scale/journals.ts';
import { type Fields, insisted } from '../../../bench/scale/patterns.ts';
import { apply } from '../../../src/domain/entry.ts';
import { RECOVERY } from '../../../src/domain/filing.ts';
import type { IssuerId } from '../../../src/domain/ids.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { allShards, keysOfShard, shardOf } from '../../../src/journal/redisKeys.ts';
import { createVault } from '../../../src/journal/vault.ts';
import { removeDir, tempDir } from '../../support/places.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

const ENTRIES = 600;
/** Past the first ones, which the journal itself wrote. */
const COPY = 555;
/** None of the filled ones. */
const OTHER = 1_000;
const texts = sampleTexts(createVault([new Secret(new Uint8Array(32).fill(7))]));

/** An entry that went the usual way, right now. */
async function writeOther(journal: Journal): Promise<void> {
  const draft = draftOf(keyOf(filledId(OTHER)), texts.message, ISSUER);
  const claimed = await insisted(() => journal.claim(draft, 'a-write-id-of-a-claim-1'));
  if (claimed.kind !== 'fresh') throw new Error(claimed.kind);
  const settled = apply(claimed.entry, approvedBy(claimed.entry, texts, claimed.now));
  await insisted(() => journal.move(claimed.entry, settled, 'a-write-id-of-a-settle'));
}

/** What may differ between two entries of the same history: names, who wrote them and when. */
const alike = ({ name: _name, w, at, expires_at, ...rest }: Fields) => ({
  ...rest,
  w: typeof w,
  at: [typeof at, String(at).length],
  expires: expires_at === undefined ? undefined : Number(expires_at) - Number(at) - RETENTION_MS < 60_000,
});

/** What the journal says of the copies, the same for both. */
async function expectOwn(journal: Journal): Promise<void> {
  const [copy, other] = await Promise.all(
    [COPY, OTHER].map(index => insisted(() => journal.read(keyOf(filledId(index))))),
  );
  const { key: _key, claimedAt, sentUntil, ...rest } = copy?.entry ?? expect.fail('a copy is not found');
  expect(sentUntil - claimedAt).toBe(5_000);
  expect(other?.entry).toMatchObject(rest);
  expect(Math.abs(claimedAt - Number(other?.entry?.claimedAt))).toBeLessThan(60_000);
  const again = await insisted(() => journal.claim(draftOf(keyOf(filledId(COPY)), texts.message, ISSUER), 'another'));
  expect(again).toMatchObject({ kind: 'exists', entry: { version: 2, standing: { at: 'settled' } } });
  const { doubts, due, parked } = await insisted(() => journal.owed());
  expect([doubts, due, parked]).toEqual([0, 0, 0]);
  const lanes = [RECOVERY, ISSUER as IssuerId] as const;
  expect(await insisted(() => journal.due(lanes.map(lane => ({ lane, limit: 10 }))))).toEqual([]);
  expect(journal.amnesia().losses).toBe(0);
}

describe('SQLite, filled', () => {
  const dir = tempDir('scale');
  let open: OpenJournal;
  beforeAll(async () => {
    open = await openJournal('sqlite', dir);
    await fillSettled(open, { from: 0, until: ENTRIES / 2 }, texts);
    await fillSettled(open, { from: ENTRIES / 2, until: ENTRIES }, texts);
    await writeOther(open.journal);
  });
  afterAll(async () => {
    await open.close();
    removeDir(dir);
  });

  it('has rows as the journal writes them', async () => {
    const [copy, other] = await open.look([COPY, OTHER].map(nameOf));
    expect(alike(copy ?? {})).toEqual(alike(other ?? {}));
    expect(Object.keys(copy ?? {})).toEqual(Object.keys(other ?? {}));
  });

  it('is the journal’s own, entries and count', async () => {
    await expectOwn(open.journal);
    const next = await open.journal.claim(draftOf(keyOf(filledId(OTHER + 1)), texts.message, ISSUER), 'next');
    expect(next).toMatchObject({ value: { kind: 'fresh', claims: ENTRIES + 2 } });
  });

  it('is whole, and durable again', async () => {
    await open.close();
    const file = new DatabaseSync(`${dir}/journal.db`);
    expect(file.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(file.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(file.prepare('SELECT count(*) AS n FROM entry').get()).toEqual({ n: ENTRIES + 2 });
    file.close();
  });
});

describe('Redis, filled', () => {
  let server: RedisServer;
  let client: Redis;
  let journal: Journal;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.url);
    journal = await redisJournal(server.url, server.dir);
    const look = (names: readonly string[]) => lookInRedis(client, names);
    const store = { journal, look, copy: (order: CopyOrder) => copyInRedis(client, order, RETENTION_MS) };
    await fillSettled(store, { from: 0, until: ENTRIES }, texts);
    await writeOther(journal);
  });
  afterAll(async () => {
    await journal.close();
    client.disconnect();
    await server.stop();
  });

  it('has hashes as the journal writes them, under its keys', async () => {
    const [copy, other] = await lookInRedis(client, [COPY, OTHER].map(nameOf));
    expect(alike(copy ?? {})).toEqual(alike(other ?? {}));
    const keys = [COPY, OTHER].map(index => {
      const key = keyOf(filledId(index));
      return keysOfShard(shardOf(key)).entry(nameOf(index));
    });
    const told = await Promise.all(
      keys.map(async key => ({
        encoding: await client.object('ENCODING', key),
        // Of all fields: by itself the server looks at five and guesses.
        bytes: await client.memory('USAGE', key, 'SAMPLES', 0),
        hours: Math.ceil((await client.pttl(key)) / 3_600_000),
      })),
    );
    expect(told[0]).toEqual(told[1]);
    expect(told[0]?.hours).toBe(RETENTION_MS / 3_600_000);
  });

  it('is the journal’s own, entries and counts', async () => {
    await expectOwn(journal);
    const counts = await client.mget(allShards().map(({ claims }) => claims));
    expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(2 * (ENTRIES + 1));
    const epochs = allShards().map(({ epoch }) => epoch);
    const kinds = new Set((await client.keys('*')).filter(key => !epochs.includes(key)).map(key => key.split(':')[2]));
    expect(kinds).toEqual(new Set(['e', 'claims']));
  });
});
