/**
 * Copies entries within a journal's file, while no journal has it open: rows as the journal wrote them, in its two steps,
 * in large transactions and without waiting for the disk. What is lost in a crash is thrown away anyway; before the file is
 * given back to a journal all of it is on the disk.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { nameOf } from './entries.ts';
import type { CopyOrder } from './fill.ts';
import { type Fields, type Pattern, writtenBySettle } from './patterns.ts';

/** As many claims as are usually under way before the first of them is settled. */
const UNDER_WAY = 64;
/** A commit writes each page that was changed once: few commits, few writes of the same page of an index. */
const COMMIT_EVERY = 1_000_000;
/** So often others have a turn. */
const TURN_EVERY = 8 * UNDER_WAY;
/** The index of the names of 10 million entries, whose pages are written in no order. */
export const CACHE_KIB = 1024 ** 2;
/** What is on the clock: it moves with the time of the claim. */
const TIMES: readonly string[] = ['at', 'wake_at', 'owed_since', 'expires_at'];

const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = OFF;
  PRAGMA synchronous = OFF;
  PRAGMA cache_size = -${CACHE_KIB};
`;

/** The rows of these names, without their number. */
export function lookInFile(path: string, names: readonly string[]): Fields[] {
  const database = new DatabaseSync(path);
  try {
    const get = database.prepare('SELECT * FROM entry WHERE name = ?');
    return names.map(name => {
      const row = get.get(name);
      if (!row) throw new Error('the file has not what the journal wrote');
      const { id: _, ...fields } = row;
      return fields as Fields;
    });
  } finally {
    database.close();
  }
}

export async function copyInFile(path: string, { patterns, from, until, onProgress }: CopyOrder): Promise<void> {
  // Defensive, SQLite would keep the journal mode that the file has.
  const database = new DatabaseSync(path, { defensive: false });
  try {
    database.exec(SETTINGS);
    expectMode(database, 'off');
    const write = writerOf(database, patterns);
    database.exec('BEGIN');
    for (let next = from, turnAt = from; next < until; ) {
      const end = Math.min(until, next + UNDER_WAY);
      write(next, end);
      if (Math.floor(end / COMMIT_EVERY) > Math.floor(next / COMMIT_EVERY)) database.exec('COMMIT; BEGIN');
      next = end;
      if (next < turnAt) continue;
      turnAt = next + TURN_EVERY;
      onProgress(next);
      await turn();
    }
  } finally {
    // Without a journal of its own SQLite can take nothing back: ended early, the file is to be whole as well.
    if (database.isTransaction) database.exec('COMMIT');
    database.close();
  }
  syncFile(path);
}

/** A pragma that is not heeded fails without an error. */
function expectMode(database: DatabaseSync, mode: string): void {
  const now = database.prepare('PRAGMA journal_mode').get()?.journal_mode;
  if (now !== mode) throw new Error(`SQLite keeps its journal mode ${now} instead of ${mode}`);
}

/** Writes entries from one number up to another: all are claimed, then all are settled. */
function writerOf(database: DatabaseSync, patterns: readonly Pattern[]): (from: number, until: number) => void {
  const [first] = patterns;
  if (!first) throw new Error('there is nothing to copy');
  const columns = Object.keys(first.claimed);
  const changed = writtenBySettle(first).map(([column]) => column);
  const insert = database.prepare(
    `INSERT INTO entry (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  const update = database.prepare(
    `UPDATE entry SET ${changed.map(column => `${column} = ?`).join(', ')} WHERE name = ?`,
  );
  const values = (fields: Fields, of: readonly string[], name: string, later: number) =>
    of.map(column => (column === 'name' ? name : moved(column, fields[column] ?? null, later)));
  return (from, until) => {
    const now = Date.now();
    const each = (work: (pattern: Pattern, name: string, later: number) => void) => {
      for (let index = from; index < until; index += 1) {
        const pattern = patterns[index % patterns.length] ?? first;
        work(pattern, nameOf(index), now - Number(pattern.claimed.at));
      }
    };
    each(({ claimed }, name, later) => insert.run(...values(claimed, columns, name, later)));
    each(({ settled }, name, later) => update.run(...values(settled, changed, name, later), name));
  };
}

const moved = (column: string, value: string | number | null, later: number): string | number | null =>
  typeof value === 'number' && TIMES.includes(column) ? value + later : value;

/** Else the system would still be writing while the journal is measured. */
function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
