/**
 * The embedded journal's file: one process at a time, nothing lost by kill -9, durable before a call returns, readable
 * by its owner alone, and three honest outcomes when the disk fails.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apply } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { JournalNotice } from '../../src/journal/notice.ts';
import { createSqliteJournal, SqliteJournal } from '../../src/journal/sqlite.ts';
import { CommitQueue } from '../../src/journal/sqliteBatch.ts';
import { openJournalFile } from '../../src/journal/sqliteFile.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { startChild } from '../support/children.ts';
import { removeDir, tempDir } from '../support/places.ts';
import { waitFor } from '../support/waitFor.ts';
import { claimOf, keyNamed } from './entries.ts';
import {
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

let folder: string;
let path: string;
let notices: JournalNotice[];
const stops: (() => Promise<unknown> | undefined)[] = [];

beforeEach(() => {
  folder = tempDir('sqlite');
  path = join(folder, 'var', 'journal.db');
  notices = [];
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  removeDir(folder);
});

const onNotice = (notice: JournalNotice) => {
  notices.push(notice);
};
const opened = async (rest: { clock?: Clock; retentionMs?: number; path?: string } = {}): Promise<Journal> => {
  const journal = await createSqliteJournal({ path, retentionMs: DAY_MS, onNotice, ...rest });
  stops.push(() => journal.close());
  return journal;
};

/** A clock that stands still until it is told to go on. */
const clockAt = (startMs: number) => {
  let [wall, monotonic] = [startMs, 1000];
  const clock: Clock = { ...systemClock, wallMs: () => wall, monotonicMs: () => monotonic };
  return {
    clock,
    pass: (ms: number) => {
      wall += ms;
      monotonic += ms;
    },
    setWall: (ms: number) => {
      wall = ms;
    },
  };
};

describe('the file', () => {
  const holding = async () => {
    const script = new URL('./sqliteHolder.ts', import.meta.url).pathname;
    const child = await startChild(process.execPath, [script, path]);
    stops.push(() => child.kill());
    await waitFor('the other process to hold the journal', () => child.stdout().includes('moved'));
    return child;
  };

  it('I17 is refused to a second process, with what to do', async () => {
    await holding();
    await expect(opened()).rejects.toThrow(
      `${path} is in use by another process: the embedded journal serves one gateway; end the other one, or use Redis for several`,
    );
  });

  it('is refused a second time in the same process, too', async () => {
    const first = await opened();
    await expect(opened()).rejects.toThrow('is in use');
    await claimFresh(first, claimOf('still'));
  });

  it('F64 I17 after kill -9 is free at once and holds everything that was told to be done', async () => {
    const child = await holding();
    await child.kill();
    const journal = await opened();
    const done = await presentOf(journal, { key: keyNamed('settled') });
    expect(done).toMatchObject({ version: 2, standing: { at: 'settled', answer: { code: '00' } } });
    const [found] = await insist(() => journal.due(LANES));
    expect(found?.entry).toMatchObject({ key: keyNamed('held'), standing: { at: 'claimed' } });
    expect((await insist(() => journal.claim(claimOf('held'), 'held'))).kind).toBe('fresh');
  });

  it('I6 is set to be on the disk when a call returns', () => {
    const database = openJournalFile(path);
    const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    expect(setting('journal_mode')).toBe('wal');
    // 2 is FULL: every commit is synced.
    expect(setting('synchronous')).toBe(2);
    expect(setting('locking_mode')).toBe('exclusive');
    expect(setting('fullfsync')).toBe(1);
    database.close();
  });

  it('I14 may be read by its owner only, and so may its folder', async () => {
    const journal = await opened();
    await claimFresh(journal, claimOf('mode'));
    const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
    expect(modeOf(path)).toBe('600');
    expect(modeOf(`${path}-wal`)).toBe('600');
    expect(modeOf(join(folder, 'var'))).toBe('700');
  });

  it('is refused where it is something else, and left as it was', async () => {
    const text = join(folder, 'notes.txt');
    writeFileSync(text, 'not a database, but long enough to look like one '.repeat(40));
    const before = readFileSync(text);
    await expect(opened({ path: text })).rejects.toThrow(`${text} is not a journal`);
    expect(readFileSync(text).equals(before)).toBe(true);

    const foreign = join(folder, 'other.db');
    const other = new DatabaseSync(foreign);
    other.exec('CREATE TABLE entry (id INTEGER)');
    other.close();
    await expect(opened({ path: foreign })).rejects.toThrow(`${foreign} is a database of something else`);
  });

  it('F73 is refused where a newer version wrote it', async () => {
    await (await opened()).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 2');
    database.close();
    await expect(opened()).rejects.toThrow('was written by a newer version of the gateway');
  });

  it('may be memory, for trying things out', async () => {
    const [one, other] = [await opened({ path: ':memory:' }), await opened({ path: ':memory:' })];
    const { entry } = await claimFresh(one, claimOf('memory'));
    expect(await presentOf(one, entry)).toEqual(entry);
    expect(await presentOf(other, entry)).toBeNull();
  });
});

describe('the clock', () => {
  it('F69 does not follow a wall clock that is set back or forth', async () => {
    const time = clockAt(1_700_000_000_000);
    const journal = await opened({ clock: time.clock });
    const { entry } = await claimFresh(journal, claimOf('T1', { leaseMs: 5000 }));
    time.setWall(1_900_000_000_000);
    expect(await insist(() => journal.due(LANES))).toEqual([]);
    time.setWall(1_500_000_000_000);
    const later = await claimFresh(journal, claimOf('T2'));
    expect(later.now).toBe(entry.claimedAt);
    time.pass(4999);
    expect(await insist(() => journal.due(LANES))).toEqual([]);
    time.pass(1);
    expect((await insist(() => journal.due(LANES))).map(found => found.entry)).toEqual([entry]);
  });

  it('F69 F59 goes on from where the file is after a restart with a wall clock that was set back', async () => {
    const time = clockAt(1_700_000_000_000);
    const first = await opened({ clock: time.clock });
    const { entry } = await claimFresh(first, claimOf('T3', { leaseMs: 5000 }));
    await first.close();
    time.setWall(1_600_000_000_000);
    const next = await opened({ clock: time.clock });
    expect(await insist(() => next.due(LANES))).toEqual([]);
    time.pass(5000);
    expect((await insist(() => next.due(LANES))).map(found => found.entry)).toEqual([entry]);
  });
});

describe('what has expired', () => {
  it('F70 is removed as new entries come, and nothing else', async () => {
    const time = clockAt(1_700_000_000_000);
    const database = openJournalFile(path);
    const journal = new SqliteJournal(database, { path, retentionMs: 1000, onNotice, clock: time.clock });
    const rows = () => database.prepare('SELECT count(*) AS rows FROM entry').get()?.rows;
    for (let i = 0; i < 40; i += 1) {
      const { entry, now } = await claimFresh(journal, claimOf(`old-${i}`));
      await happen(journal, entry, i % 4 === 0 ? unknown(1, now) : settled(1, '00', now));
    }
    expect(rows()).toBe(40);
    time.pass(1000);
    for (let i = 0; i < 64; i += 1) await claimFresh(journal, claimOf(`new-${i}`));
    // Ten of the old ones are owed.
    expect(rows()).toBe(10 + 64);
    expect(await insist(() => journal.owed())).toMatchObject({ due: 10 });
    await journal.close();
  });

  it('F7 is not found before it is removed', async () => {
    const time = clockAt(1_700_000_000_000);
    const journal = await opened({ clock: time.clock, retentionMs: 1000 });
    const { entry, now } = await claimFresh(journal, claimOf('X1'));
    const done = await happen(journal, entry, settled(1, '00', now));
    time.pass(999);
    expect(await presentOf(journal, entry)).toEqual(done);
    time.pass(1);
    expect(await presentOf(journal, entry)).toBeNull();
    const late = apply(done, { type: 'mark', now });
    expect(await insist(id => journal.move(done, late, id))).toMatchObject({ kind: 'lost', entry: null });
    expect((await insist(id => journal.claim(claimOf('X1'), id))).kind).toBe('fresh');
  });
});

describe('a disk that fails', () => {
  /** A journal on a file that may not grow past so many pages. */
  const cramped = () => {
    const database = openJournalFile(path);
    const journal = new SqliteJournal(database, { path, retentionMs: DAY_MS, onNotice });
    stops.push(() => journal.close());
    const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
    const limit = (count: number) => database.exec(`PRAGMA max_page_count = ${count}`);
    return { journal, pages, limit };
  };
  const LARGE = `v1.keyA.${'x'.repeat(20_000)}` as ReturnType<typeof claimOf>['message'];

  it('F72 full is away, with nothing written, told once; and what fits still goes on', async () => {
    const { journal, pages, limit } = cramped();
    const { entry, now } = await claimFresh(journal, claimOf('F72', { amount: usd(5n) }));
    limit(pages + 1);
    for (const name of ['F72-1', 'F72-2']) {
      expect(await journal.claim(claimOf(name, { message: LARGE }), writeId())).toEqual({ kind: 'away' });
      expect(await presentOf(journal, claimOf(name))).toBeNull();
    }
    expect(notices).toMatchObject([{ level: 'alarm', about: 'storage', text: expect.stringContaining('full') }]);
    await happen(journal, entry, settled(1, '00', now));
    limit(100_000);
    await claimFresh(journal, claimOf('F72-1', { message: LARGE }));
    expect(notices.map(({ level }) => level)).toEqual(['alarm', 'info']);
  });

  it('F72 full takes all calls of one commit with it, and says so to each', async () => {
    const { journal, pages, limit } = cramped();
    limit(pages + 1);
    const replies = await Promise.all([
      journal.claim(claimOf('small'), writeId()),
      journal.claim(claimOf('large', { message: LARGE }), writeId()),
      journal.claim(claimOf('later'), writeId()),
    ]);
    expect(replies).toEqual([{ kind: 'away' }, { kind: 'away' }, { kind: 'away' }]);
    limit(100_000);
    for (const name of ['small', 'large', 'later']) expect(await presentOf(journal, claimOf(name))).toBeNull();
  });
});

describe('a commit that fails', () => {
  /** A database of which only the commit matters. */
  const failingWith = (errcode: number) => {
    const statement = (sql: string) => ({
      run: () => {
        if (sql === 'COMMIT') throw Object.assign(new Error('the disk failed'), { errcode });
      },
    });
    return { prepare: statement, exec: () => {}, isTransaction: true } as unknown as DatabaseSync;
  };

  it.each([
    ['full', 13, 'away'],
    ['busy', 5, 'away'],
    ['an input or output error', 10, 'unsure'],
    ['an error while syncing (extended code)', 1034, 'unsure'],
  ])('F72 %s: what was not written is away, what may be on the disk is unsure', async (_, code, kind) => {
    const errors: unknown[] = [];
    const queue = new CommitQueue(failingWith(code), error => errors.push(error));
    expect(await queue.run(() => 'written')).toEqual({ kind });
    expect(errors).toHaveLength(1);
  });
});

describe('commits', () => {
  it('I18 are rolled back as a whole where one statement fails, and the next one works', async () => {
    const database = openJournalFile(path);
    const journal = new SqliteJournal(database, { path, retentionMs: DAY_MS, onNotice });
    stops.push(() => journal.close());
    database.exec(`CREATE TEMP TRIGGER refuse BEFORE INSERT ON entry WHEN NEW.name LIKE 'bad%'
                   BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const names = ['good', 'bad', 'good-2'];
    const replies = await Promise.all(names.map(name => journal.claim(claimOf(name), writeId())));
    expect(replies).toEqual(names.map(() => ({ kind: 'away' })));
    for (const name of names) expect(await presentOf(journal, claimOf(name))).toBeNull();
    await claimFresh(journal, claimOf('good'));
  });

  it('are shared by the calls that come at about the same time', async () => {
    const database = openJournalFile(path);
    const journal = new SqliteJournal(database, { path, retentionMs: DAY_MS, onNotice });
    stops.push(() => journal.close());
    await claimFresh(journal, claimOf('first'));
    const sizeBefore = statSync(`${path}-wal`).size;
    await Promise.all(Array.from({ length: 100 }, (_, i) => claimFresh(journal, claimOf(`many-${i}`))));
    const perClaim = (statSync(`${path}-wal`).size - sizeBefore) / 100;
    // A commit of its own would write several whole pages of 4 KiB for each.
    expect(perClaim).toBeLessThan(4096);
  });

  it('I18 a call that is refused does not take the others of its commit with it', async () => {
    const journal = await opened();
    const { entry, now } = await claimFresh(journal, claimOf('good'));
    const [moved, claimed] = await Promise.all([
      journal.move(entry, apply(entry, settled(1, '00', now)), writeId()),
      journal.claim(claimOf('good-2'), writeId()),
      expect(journal.move(entry, { ...entry, version: 7 }, writeId())).rejects.toThrow('no such move'),
    ]);
    expect(moved).toEqual({ kind: 'done', value: { kind: 'moved' } });
    expect(claimed).toMatchObject({ kind: 'done', value: { kind: 'fresh' } });
  });

  it('F73 a broken entry is reported once, and does not keep the others from being found', async () => {
    const database = openJournalFile(path);
    const journal = new SqliteJournal(database, { path, retentionMs: DAY_MS, onNotice });
    stops.push(() => journal.close());
    for (const name of ['broken', 'whole']) {
      const { entry, now } = await claimFresh(journal, claimOf(name));
      await happen(journal, entry, unknown(1, now));
    }
    database.prepare(`UPDATE entry SET head = '{"f":1,"secret":"4111"}' WHERE name LIKE 'broken%'`).run();
    for (let i = 0; i < 3; i += 1) {
      expect((await insist(() => journal.due(LANES))).map(({ entry }) => entry.key.tranId)).toEqual(['whole']);
    }
    expect(notices).toMatchObject([{ level: 'alarm', about: 'storage' }]);
    expect(notices[0]?.text).not.toContain('4111');
    const [, claimed] = await Promise.allSettled([
      journal.claim(claimOf('broken'), writeId()),
      journal.claim(claimOf('beside'), writeId()),
    ]);
    expect(claimed).toMatchObject({ status: 'fulfilled', value: { kind: 'done' } });
  });
});
