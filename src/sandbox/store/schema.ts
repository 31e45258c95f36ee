/**
 * The database of the demo issuer: its tables, and how it is opened. SQLite in WAL mode with full synchronisation, so
 * that an answer which was given survives a crash; the tables themselves forbid what must never be, such as a negative hold.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { RECORD_TABLES } from './recordTables.ts';

const SCHEMA_VERSION = 2n;

/** How long a second process (an operator's `sqlite3`) may hold the lock before a call fails. */
const LOCK_WAIT_MS = 2_000;

const TABLES = `
-- Every posting moves money between two of these: available:ACCOUNT, held:ACCOUNT, external:CURRENCY. The balances of one
-- currency always add up to zero. Available may be negative: a LoadFund that was spent can still be reversed.
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  currency TEXT NOT NULL,
  balance INTEGER NOT NULL,
  CHECK (name NOT LIKE 'held:%' OR balance >= 0)
) STRICT, WITHOUT ROWID;

-- One row for each call that was decided, declines too: what it asked, what it did and what it was told.
CREATE TABLE calls (
  seq INTEGER PRIMARY KEY,
  participant_id TEXT NOT NULL,
  tran_id TEXT NOT NULL,
  api TEXT NOT NULL,
  content TEXT NOT NULL,
  -- the first card of the line that the card belongs to, so that a replaced card keeps its history
  card_token TEXT,
  other_card_token TEXT,
  -- the accounts that the cards drew on then
  account TEXT,
  other_account TEXT,
  code TEXT NOT NULL,
  answer TEXT NOT NULL,
  auth_code TEXT,
  -- what was asked, in minor units: text, for an absurd amount that is declined may need more than 64 bits
  amount TEXT,
  currency TEXT,
  -- what was booked in the card's currency; null where nothing was
  booked INTEGER,
  original_tran_id TEXT,
  reversed_by TEXT,
  refunded INTEGER NOT NULL DEFAULT 0,
  tran_date TEXT NOT NULL,
  tran_time TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE (participant_id, tran_id),
  CHECK (refunded BETWEEN 0 AND coalesce(booked, 0))
) STRICT;
CREATE INDEX calls_of_card ON calls (card_token, seq);
CREATE INDEX calls_to_card ON calls (other_card_token, seq);

-- A hold is its first BlockFund (the root) and those that were added to it, one part each.
CREATE TABLE hold_parts (
  call_seq INTEGER PRIMARY KEY REFERENCES calls (seq) DEFERRABLE INITIALLY DEFERRED,
  root_seq INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  remaining INTEGER NOT NULL,
  -- 1 once a single release took the whole part
  released_whole INTEGER NOT NULL DEFAULT 0,
  -- on the root: the tranId of the Purchase that ended the hold
  completed_by TEXT,
  CHECK (remaining BETWEEN 0 AND amount)
) STRICT;
CREATE INDEX parts_of_hold ON hold_parts (root_seq, call_seq);

CREATE TABLE postings (
  call_seq INTEGER NOT NULL REFERENCES calls (seq) DEFERRABLE INITIALLY DEFERRED,
  account TEXT NOT NULL REFERENCES accounts (name),
  amount INTEGER NOT NULL
) STRICT;
CREATE INDEX postings_of_call ON postings (call_seq);
`;

/**
 * Opens the ledger's database and makes the tables on the first opening.
 *
 * @param file path, or `:memory:`. A new file is readable by its owner only: it holds card data.
 * @throws Error when the file was written by another version of the sandbox, or is no database.
 */
export function openDatabase(file: string): DatabaseSync {
  // SQLite gives its -wal and -shm files the permissions of the database, so this one mode protects all three.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS, readBigInts: true });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    // Under the lock, so that of two processes which open a new file at once only one makes the tables.
    db.exec('BEGIN IMMEDIATE');
    const version = db.prepare('PRAGMA user_version').get()?.user_version;
    if (version === 0n) db.exec(`${RECORD_TABLES} ${TABLES} PRAGMA user_version = ${SCHEMA_VERSION};`);
    else if (version !== SCHEMA_VERSION) {
      throw new Error(`${file} was made by another version of the sandbox; delete it to start with a new ledger`);
    }
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
