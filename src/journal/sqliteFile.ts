/**
 * The file behind the embedded journal: opened for this process alone, readable by its owner alone, and set so that what
 * a commit has written is on the disk when it returns.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A database that lives and dies with the process. */
export const IN_MEMORY = ':memory:';

/** How long a start waits for a predecessor that is still giving the file up. */
const LOCK_WAIT_MS = 1000;
const SCHEMA_VERSION = 1;

/**
 * `name` is `keyText` of the entry's key; `id` counts claims and, by AUTOINCREMENT, never goes back. A row has a lane
 * while it waits for its time, `owed_since` while something is owed, and `expires_at` only while nothing is.
 */
const SCHEMA = `
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    v INTEGER NOT NULL,
    w TEXT NOT NULL,
    at INTEGER NOT NULL,
    head TEXT NOT NULL,
    message TEXT NOT NULL,
    answer TEXT,
    lane TEXT,
    wake_at INTEGER,
    owed_since INTEGER,
    expires_at INTEGER
  ) STRICT;
  CREATE INDEX entry_wake ON entry (lane, wake_at) WHERE lane IS NOT NULL;
  CREATE INDEX entry_owed ON entry (owed_since) WHERE owed_since IS NOT NULL;
  CREATE INDEX entry_expires ON entry (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE tally (name TEXT PRIMARY KEY, amount TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Names that are taken once, what is revoked (`revokedText`), and in one row whether the site stands by. Files of before
 * have no such tables: they are added, and an older version neither knows nor harms them.
 */
const MARKS = `
  CREATE TABLE IF NOT EXISTS once (name TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS once_expires ON once (expires_at);
  CREATE TABLE IF NOT EXISTS revoked (name TEXT PRIMARY KEY, until_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS standby (
    one INTEGER PRIMARY KEY CHECK (one = 1), location TEXT, since_at INTEGER NOT NULL
  ) STRICT;
`;

const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
`;

/**
 * Opens the file, makes it where it is not there yet, and takes its lock, which the system gives back when the process
 * ends, however it ends. The process must not open the file a second time: closing that would release the lock (fcntl).
 *
 * @throws Error that says what is wrong with which file and how to mend it.
 */
export function openJournalFile(path: string): DatabaseSync {
  if (path !== IN_MEMORY) makePrivate(path);
  const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    database.exec(SETTINGS);
    // The lock is taken with the first transaction; and the version must be read under it.
    database.exec('BEGIN EXCLUSIVE');
    prepareSchema(database, path);
    database.exec(MARKS);
    database.exec('COMMIT');
    return database;
  } catch (error) {
    database.close();
    throw explained(error, path);
  }
}

/** SQLite makes its own files as open as this one. Folders that were there before keep their mode. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

function prepareSchema(database: DatabaseSync, path: string): void {
  const version = numberIn(database, 'PRAGMA user_version', 'user_version');
  if (version === SCHEMA_VERSION) return;
  if (version !== 0) throw new Error(`${path} was written by a newer version of the gateway`);
  const tables = numberIn(database, 'SELECT count(*) AS tables FROM sqlite_schema', 'tables');
  if (tables !== 0) throw new Error(`${path} is a database of something else: name another file in journal.url`);
  database.exec(SCHEMA);
}

const numberIn = (database: DatabaseSync, query: string, column: string): number =>
  Number(database.prepare(query).get()?.[column] ?? 0);

const BUSY = 5;
const NOT_A_DATABASE = 26;

function explained(error: unknown, path: string): unknown {
  switch (sqliteCode(error)) {
    case BUSY:
      return new Error(
        `${path} is in use by another process: the embedded journal serves one gateway; end the other one, or use Redis for several`,
      );
    case NOT_A_DATABASE:
      return new Error(`${path} is not a journal: name another file in journal.url`);
    case undefined:
      return error;
    default:
      return new Error(`${path} cannot be opened: ${error instanceof Error ? error.message : 'unknown error'}`);
  }
}

/** The primary result code of SQLite; undefined where the error is not SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  // Extended codes carry the primary one in their lowest byte.
  return error.errcode & 0xff;
}
