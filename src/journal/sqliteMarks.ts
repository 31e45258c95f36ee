/**
 * Names that are taken once, what is revoked, and whether the site stands by, in the embedded journal's file. Its methods
 * run inside the transaction of their caller, and take the journal's time from it.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../runtime/clock.ts';
import { REVOCATIONS_MOST, type Revocation, type Standby } from './journal.ts';
import { type Keeping, keepingOf, revocationOf, revokedText } from './marks.ts';
import { JournalDefect } from './notice.ts';

/** Every new name removes up to two that have expired, so that it keeps up. */
const PURGE_MOST = 2;

const SQL = {
  take: `INSERT INTO once (name, expires_at) VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at WHERE once.expires_at <= ?`,
  purge: 'DELETE FROM once WHERE name IN (SELECT name FROM once WHERE expires_at <= ? ORDER BY expires_at LIMIT ? + 0)',
  revoke: `INSERT INTO revoked (name, until_at) VALUES (?, ?)
           ON CONFLICT (name) DO UPDATE SET until_at = max(until_at, excluded.until_at)`,
  forget: 'DELETE FROM revoked WHERE until_at <= ?',
  fits: 'SELECT count(*) < ? OR EXISTS (SELECT 1 FROM revoked WHERE name = ?) AS fits FROM revoked',
  revoked: 'SELECT name, until_at FROM revoked WHERE until_at > ?',
  setStandby: 'INSERT OR REPLACE INTO standby (one, location, since_at) VALUES (1, ?, ?)',
  setUnsaid: 'INSERT OR IGNORE INTO standby (one, location, since_at) VALUES (1, ?, ?)',
  standby: 'SELECT location, since_at FROM standby',
} as const;

export class SqliteMarks {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #clock: Clock;

  /** `clock` is the one by which callers say until when. */
  constructor(database: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#statements = {
      take: database.prepare(SQL.take),
      purge: database.prepare(SQL.purge),
      revoke: database.prepare(SQL.revoke),
      forget: database.prepare(SQL.forget),
      fits: database.prepare(SQL.fits),
      revoked: database.prepare(SQL.revoked),
      setStandby: database.prepare(SQL.setStandby),
      setUnsaid: database.prepare(SQL.setUnsaid),
      standby: database.prepare(SQL.standby),
    };
  }

  once(name: string, keeping: Keeping, now: number): 'first' | 'again' {
    const { changes } = this.#statements.take.run(name, keptUntil(keeping, now), now);
    if (Number(changes) === 0) return 'again';
    this.#statements.purge.run(now, PURGE_MOST);
    return 'first';
  }

  /** False where there are too many. */
  revoke(kind: Revocation['kind'], id: string, keeping: Keeping, now: number): boolean {
    const name = revokedText(kind, id);
    this.#statements.forget.run(now);
    if (this.#statements.fits.get(REVOCATIONS_MOST, name)?.fits !== 1) return false;
    this.#statements.revoke.run(name, keptUntil(keeping, now));
    return true;
  }

  revoked(now: number): readonly Revocation[] {
    const ahead = this.#clock.wallMs() - now;
    return this.#statements.revoked.all(now).map(({ name, until_at: until }) => {
      if (typeof name !== 'string' || typeof until !== 'number') throw otherType();
      return revocationOf(name, until + ahead);
    });
  }

  setStandby(location: string | null, ifUnsaid: boolean, now: number): void {
    const { setUnsaid, setStandby } = this.#statements;
    (ifUnsaid ? setUnsaid : setStandby).run(location, now);
  }

  standby(): Standby | null {
    const row = this.#statements.standby.get();
    if (!row) return null;
    const { location, since_at: sinceMs } = row;
    if ((location !== null && typeof location !== 'string') || typeof sinceMs !== 'number') throw otherType();
    return { location, sinceMs };
  }

  /** Asked when the call is made: what waits for a commit must not keep longer for it. */
  keeping(untilMs: number): Keeping {
    return keepingOf(untilMs, this.#clock.wallMs());
  }
}

const otherType = () => new JournalDefect('the journal file has a column of another type');

const keptUntil = ({ untilMs, leastMs }: Keeping, now: number): number => Math.max(untilMs, now + leastMs);
