/**
 * Names that are taken once and revocations in the embedded journal's file: clocks that disagree, what has expired, files
 * of before, and a disk that is full.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { SqliteJournal } from '../../src/journal/sqlite.ts';
import { openJournalFile } from '../../src/journal/sqliteFile.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { removeDir, tempDir } from '../support/places.ts';
import { claimOf } from './entries.ts';
import { claimFresh, DAY_MS, insist, spanTo } from './journalSteps.ts';

const START_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

let folder: string;
let path: string;
let journal: Journal | undefined;
let [wall, monotonic] = [START_MS, 1000];

beforeEach(() => {
  [wall, monotonic] = [START_MS, 1000];
  folder = tempDir('sqlite-marks');
  path = join(folder, 'journal.db');
});
afterEach(async () => {
  await journal?.close();
  removeDir(folder);
});

const pass = (ms: number) => {
  wall += ms;
  monotonic += ms;
};
const opened = async () => {
  await journal?.close();
  const database = openJournalFile(path);
  const clock = { ...systemClock, wallMs: () => wall, monotonicMs: () => monotonic };
  const made = new SqliteJournal(database, { path, retentionMs: DAY_MS, onNotice: () => {}, clock });
  journal = made;
  const rows = (table: string) => Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows);
  return { made, database, rows };
};
const take = (from: Journal, name: string, untilMs: number) => insist(() => from.once(name, spanTo(untilMs)));

it('F69 a name is remembered for its time, though the journal is ahead of the wall clock', async () => {
  const first = await opened();
  await claimFresh(first.made, claimOf('T'));
  wall -= HOUR_MS;
  const { made } = await opened();
  const untilMs = wall + 60_000;
  expect(await take(made, 'test/a', untilMs)).toBe('first');
  await insist(() => made.revoke('jti', 'a', untilMs));
  expect(await insist(() => made.revoked())).toEqual([{ kind: 'jti', id: 'a', untilMs }]);
  pass(59_999);
  expect(await take(made, 'test/a', untilMs)).toBe('again');
  expect(await insist(() => made.revoked())).toHaveLength(1);
  pass(1);
  expect(await insist(() => made.revoked())).toEqual([]);
  expect(await take(made, 'test/a', untilMs + 60_000)).toBe('first');
});

it('F69 a name is remembered for its time by the wall clock, though that was set back meanwhile', async () => {
  const { made } = await opened();
  const untilMs = wall + 60_000;
  expect(await take(made, 'test/a', untilMs)).toBe('first');
  wall -= HOUR_MS;
  const next = await opened();
  pass(HOUR_MS);
  expect(await take(next.made, 'test/a', untilMs)).toBe('again');
});

it('F70 what has expired is removed as new names come, a little each time, and nothing else', async () => {
  const { made, rows } = await opened();
  for (let i = 0; i < 20; i += 1) await take(made, `old/${i}`, wall + 1000);
  await take(made, 'kept', wall + HOUR_MS);
  pass(1000);
  expect(rows('once')).toBe(21);
  await take(made, 'new/0', wall + HOUR_MS);
  expect(rows('once')).toBe(20);
  for (let i = 1; i < 10; i += 1) await take(made, `new/${i}`, wall + HOUR_MS);
  expect(rows('once')).toBe(11);
  expect(await take(made, 'kept', wall + HOUR_MS)).toBe('again');
  await insist(() => made.revoke('jti', 'old', wall + 1000));
  pass(1000);
  await insist(() => made.revoke('jti', 'new', wall + 1000));
  expect(rows('revoked')).toBe(1);
});

it('F73 a file of before gets what it lacks, and keeps what it has', async () => {
  const before = await opened();
  const { entry } = await claimFresh(before.made, claimOf('F73'));
  before.database.exec('DROP TABLE once; DROP TABLE revoked');
  const { made } = await opened();
  expect((await insist(() => made.read(entry.key))).entry).toEqual(entry);
  expect(await take(made, 'test/a', wall + 1000)).toBe('first');
  await insist(() => made.revoke('client', 'wallet', wall + 1000));
});

it('F72 a name on a full disk, or after the end, is away and not taken', async () => {
  const { made, database } = await opened();
  const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
  database.exec(`PRAGMA max_page_count = ${pages}`);
  const long = `test/${'x'.repeat(20_000)}`;
  expect(await made.once(long, spanTo(wall + 1000))).toEqual({ kind: 'away' });
  expect(await made.revoke('jti', long, wall + 1000)).toEqual({ kind: 'away' });
  database.exec('PRAGMA max_page_count = 100000');
  expect(await take(made, long, wall + 1000)).toBe('first');
  await made.close();
  expect(await made.once('test/closed', spanTo(wall + 1000))).toEqual({ kind: 'away' });
  expect(await made.revoked()).toEqual({ kind: 'away' });
});
