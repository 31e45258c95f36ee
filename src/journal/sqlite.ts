/**
 * The embedded journal: one SQLite file, one process, no server. Each transition compares and writes in one transaction
 * that is on the disk before the call returns; which transitions there are is `domain/entry`'s business.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { born, type Draft, type Entry, isLegal, isOlder } from '../domain/entry.ts';
import { filingOf } from '../domain/filing.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';
import { type Clock, type Span, systemClock } from '../runtime/clock.ts';
import {
  type Amnesia,
  type Claimed,
  type Found,
  type Journal,
  type LaneLimit,
  type Moved,
  type Needs,
  type OwedSummary,
  type Reply,
  type Revocation,
  RevocationsFull,
  type Standby,
} from './journal.ts';
import { BrokenEntries, JournalDefect, type NoticeSink } from './notice.ts';
import { answerOf, decode, headOf, keyOfName, NeedsOfRecords } from './record.ts';
import { CommitQueue } from './sqliteBatch.ts';
import { openJournalFile, sqliteCode } from './sqliteFile.ts';
import { SqliteMarks } from './sqliteMarks.ts';
import { summaryOf, tallyChange } from './tally.ts';

export type SqliteJournalOptions = {
  /** Where the file is; its folder is made where it is not there. `:memory:` keeps nothing. */
  readonly path: string;
  /** How long entries live after their last move; they never expire while something is owed. */
  readonly retentionMs: number;
  readonly onNotice: NoticeSink;
  readonly clock?: Clock;
};

/** Expired entries are removed as new ones come: every so many claims up to twice as many, so that it keeps up. */
const PURGE_EVERY = 64;
const PURGE_MOST = 2 * PURGE_EVERY;

/** Who wrote what was restored: nobody moves on from it under that id. */
const RESTORED = 'restored';
const NO_AMNESIA: Amnesia = { losses: 0, shards: 0, unconfirmed: 0 };
const AWAY = { kind: 'away' } as const;
const done = <T>(value: T): Reply<T> => ({ kind: 'done', value });

/**
 * Opens the journal in this file.
 *
 * @throws Error that says what, where and how to mend it: in use by another process, not a journal, not writable.
 */
export async function createSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  return new SqliteJournal(openJournalFile(options.path), options);
}

type Row = Record<string, SQLOutputValue>;

const RECORD = 'name, v, w, at, head, message, answer, expires_at';

/** Exported for tests, which bring a database that they can break; everything else uses `createSqliteJournal`. */
export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #options: SqliteJournalOptions;
  readonly #queue: CommitQueue;
  readonly #broken: BrokenEntries;
  readonly #statements: Statements;
  readonly #marks: SqliteMarks;
  readonly #nowMs: () => number;
  #isFailing = false;
  #isClosed = false;

  constructor(database: DatabaseSync, options: SqliteJournalOptions) {
    this.#database = database;
    this.#options = options;
    this.#statements = prepare(database);
    this.#queue = new CommitQueue(database, error => this.#note(error));
    this.#broken = new BrokenEntries(options.onNotice);
    const { clock = systemClock } = options;
    this.#marks = new SqliteMarks(database, clock);
    this.#nowMs = clockFrom(clock, numberOf(this.#statements.latest.get()?.at ?? 0));
  }

  claim(draft: Draft, writeId: string): Promise<Reply<Claimed>> {
    return this.#write(() => this.#claim(draft, writeId));
  }

  async read(key: EntryKey): Promise<Reply<{ readonly entry: Entry | null; readonly now: number }>> {
    return this.#ask(now => {
      const row = this.#present(keyText(key), now);
      return { entry: row ? entryOf(row) : null, now };
    });
  }

  async move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>> {
    if (!isLegal(from, to)) throw new JournalDefect(`no such move of entry ${keyText(from.key)}`);
    return this.#write(() => this.#move(from, to, writeId));
  }

  restore(entry: Entry): Promise<Reply<'restored' | 'there'>> {
    return this.#write(() => this.#restore(entry));
  }

  /** The file is this process's own: nobody else can take anything out of it while it is open. */
  amnesia(): Amnesia {
    return NO_AMNESIA;
  }

  async due(lanes: readonly LaneLimit[]): Promise<Reply<readonly Found[]>> {
    return this.#ask(now => {
      const rows = lanes.flatMap(({ lane, limit }) => this.#statements.due.all(lane, now, limit));
      rows.sort((a, b) => numberOf(a.wake_at) - numberOf(b.wake_at));
      const entries = rows.flatMap(row => this.#broken.skip(textOf(row.name), () => entryOf(row)) ?? []);
      return entries.map(entry => ({ entry, now }));
    });
  }

  async owed(): Promise<Reply<OwedSummary>> {
    return this.#ask(now => {
      const sums = this.#statements.sums.all().map(row => [textOf(row.name), BigInt(textOf(row.amount))] as const);
      const since = this.#statements.oldest.get()?.owed_since;
      return summaryOf(new Map(sums), typeof since === 'number' ? now - since : 0);
    });
  }

  async needs(): Promise<Reply<Needs>> {
    return this.#ask(() => {
      const needs = new NeedsOfRecords();
      for (const row of this.#statements.open.iterate()) needs.add(row.head, row.message, row.answer);
      return needs;
    });
  }

  async once(name: string, { untilMs }: Span): Promise<Reply<'first' | 'again'>> {
    const keeping = this.#marks.keeping(untilMs);
    return this.#write(() => this.#marks.once(name, keeping, this.#nowMs()));
  }

  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    const keeping = this.#marks.keeping(untilMs);
    return this.#write(() => {
      if (!this.#marks.revoke(kind, id, keeping, this.#nowMs())) throw new RevocationsFull();
    });
  }

  async revoked(): Promise<Reply<readonly Revocation[]>> {
    return this.#ask(now => this.#marks.revoked(now));
  }

  async setStandby(location: string | null, ifUnsaid = false): Promise<Reply<void>> {
    return this.#write(() => this.#marks.setStandby(location, ifUnsaid, this.#nowMs()));
  }

  async standby(): Promise<Reply<Standby | null>> {
    return this.#ask(() => this.#marks.standby());
  }

  isUp(): boolean {
    return !this.#isClosed;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.flush();
    this.#database.close();
  }

  #write<T>(work: () => T): Promise<Reply<T>> {
    return this.#isClosed ? Promise.resolve(AWAY) : this.#queue.run(work);
  }

  #ask<T>(question: (now: number) => T): Reply<T> {
    if (this.#isClosed) return AWAY;
    try {
      return done(question(this.#nowMs()));
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
      this.#note(error);
      return AWAY;
    }
  }

  #claim(draft: Draft, writeId: string): Claimed {
    const now = this.#nowMs();
    const name = keyText(draft.key);
    const row = this.#present(name, now);
    if (row) {
      const entry = entryOf(row);
      const isOurs = entry.version === 1 && row.w === writeId;
      return isOurs ? { kind: 'fresh', entry, now, claims: this.#claims() } : { kind: 'exists', entry, now };
    }
    const entry = born(draft, now);
    this.#insert(entry, writeId, now);
    const claims = this.#claims();
    if (claims % PURGE_EVERY === 0) this.#statements.purge.run(now, PURGE_MOST);
    return { kind: 'fresh', entry, now, claims };
  }

  #move(from: Entry, to: Entry, writeId: string): Moved {
    const now = this.#nowMs();
    const name = keyText(from.key);
    const row = this.#present(name, now);
    if (row?.v === to.version && row.w === writeId) return { kind: 'moved' };
    // The same version of an entry that was forgotten and claimed anew is another.
    if (row?.v !== from.version || row.at !== from.claimedAt)
      return { kind: 'lost', entry: row ? entryOf(row) : null, now };
    this.#update(from, to, writeId, now);
    return { kind: 'moved' };
  }

  #restore(entry: Entry): 'restored' | 'there' {
    const now = this.#nowMs();
    const row = this.#present(keyText(entry.key), now);
    if (!row) {
      this.#insert(entry, RESTORED, now);
      return 'restored';
    }
    const present = entryOf(row);
    if (!isOlder(present, entry)) return 'there';
    this.#update(present, entry, RESTORED, now);
    return 'restored';
  }

  #insert(entry: Entry, writeId: string, now: number): void {
    const name = keyText(entry.key);
    this.#statements.remove.run(name);
    this.#statements.insert.run(
      name,
      entry.version,
      writeId,
      entry.claimedAt,
      headOf(entry),
      entry.message,
      answerOf(entry),
      ...this.#filed(entry, now),
    );
    this.#addSums(tallyChange(null, entry));
  }

  #update(from: Entry, to: Entry, writeId: string, now: number): void {
    const filed = this.#filed(to, now);
    this.#statements.update.run(to.version, writeId, headOf(to), answerOf(to), ...filed, keyText(to.key));
    this.#addSums(tallyChange(from, to));
  }

  /** The row of that name, unless it has expired. */
  #present(name: string, now: number): Row | undefined {
    const row = this.#statements.get.get(name);
    const expiresAt = row?.expires_at;
    return typeof expiresAt === 'number' && expiresAt <= now ? undefined : row;
  }

  /** Lane, wake_at, owed_since and expires_at of the entry. */
  #filed(entry: Entry, now: number): [string | null, number | null, number | null, number | null] {
    const { wake, owedSince, expires } = filingOf(entry);
    return [wake?.lane ?? null, wake?.at ?? null, owedSince, expires ? now + this.#options.retentionMs : null];
  }

  #claims(): number {
    return numberOf(this.#statements.claims.get()?.seq);
  }

  #addSums(change: ReadonlyMap<string, bigint>): void {
    for (const [name, amount] of change) {
      const before = this.#statements.sum.get(name)?.amount;
      // As text: SQLite's own sums would turn into floating point numbers past 64 bits.
      const after = (typeof before === 'string' ? BigInt(before) : 0n) + amount;
      this.#statements.setSum.run(name, after.toString());
    }
  }

  /** Tells the operator once when the file cannot be used, and once when it can again. */
  #note(error: unknown): void {
    if ((error !== undefined) === this.#isFailing) return;
    this.#isFailing = error !== undefined;
    const { onNotice, path } = this.#options;
    if (this.#isFailing) {
      // SQLite's own words name no content.
      const why = error instanceof Error ? error.message : 'unknown error';
      onNotice({ level: 'alarm', about: 'storage', text: `${path} cannot be used: ${why}; calls are refused` });
    } else {
      onNotice({ level: 'info', about: 'storage', text: `${path} can be written again` });
    }
  }
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** `LIMIT ? + 0`: SQLite plans by a bare limit, and so compiles the statement anew each time that it is bound. */
const SQL = {
  get: `SELECT ${RECORD} FROM entry WHERE name = ?`,
  insert: `INSERT INTO entry (name, v, w, at, head, message, answer, lane, wake_at, owed_since, expires_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  update: `UPDATE entry SET v = ?, w = ?, head = ?, answer = ?, lane = ?, wake_at = ?, owed_since = ?, expires_at = ?
           WHERE name = ?`,
  remove: 'DELETE FROM entry WHERE name = ?',
  purge: 'DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE expires_at <= ? LIMIT ? + 0)',
  due: `SELECT ${RECORD}, wake_at FROM entry WHERE lane = ? AND wake_at <= ? ORDER BY wake_at LIMIT ? + 0`,
  oldest: 'SELECT owed_since FROM entry WHERE owed_since IS NOT NULL ORDER BY owed_since LIMIT 1',
  open: `SELECT head, message, answer FROM entry WHERE lane IS NOT NULL OR owed_since IS NOT NULL`,
  claims: `SELECT seq FROM sqlite_sequence WHERE name = 'entry'`,
  latest: 'SELECT at FROM entry ORDER BY id DESC LIMIT 1',
  sum: 'SELECT amount FROM tally WHERE name = ?',
  sums: 'SELECT name, amount FROM tally',
  setSum: `INSERT INTO tally (name, amount) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET amount = excluded.amount`,
} as const;

/** Compiled once: compiling costs more than running. */
const prepare = (database: DatabaseSync): Statements => {
  const names = Object.keys(SQL) as (keyof typeof SQL)[];
  return Object.fromEntries(names.map(name => [name, database.prepare(SQL[name])])) as Statements;
};

/**
 * The journal's clock: it starts at the wall clock, or where the file's own time already is, and then only runs forward.
 * A wall clock that is set while the process runs, or between two runs, ends no lease early and none late.
 */
function clockFrom(clock: Clock, latestMs: number): () => number {
  const offset = Math.max(clock.wallMs(), latestMs) - clock.monotonicMs();
  return () => Math.floor(offset + clock.monotonicMs());
}

const entryOf = (row: Row): Entry =>
  decode(keyOfName(textOf(row.name)), {
    version: numberOf(row.v),
    at: numberOf(row.at),
    head: textOf(row.head),
    message: textOf(row.message),
    answer: row.answer === null ? null : textOf(row.answer),
  });

function textOf(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new JournalDefect('the journal file has a column of another type');
  return value;
}

function numberOf(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw new JournalDefect('the journal file has a column of another type');
  return value;
}
