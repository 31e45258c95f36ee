/**
 * The demo issuer's SQL statements, each prepared once. The keys of the cache are the texts that this folder's own code
 * builds, so it is as large as the folder is long.
 */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

/** A row as SQLite gives it; whole numbers are bigints. */
export type Row = Record<string, SQLOutputValue>;

export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** The first row, if there is one. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const fresh = this.#db.prepare(sql);
    this.#prepared.set(sql, fresh);
    return fresh;
  }
}
