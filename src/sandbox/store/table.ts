/**
 * A table of the demo issuer's records whose columns are told once, by property and kind: the TypeScript type of a row,
 * its reading with proof and its writing follow from them. The tables themselves are in `schema.ts`.
 */
import type { SQLInputValue } from 'node:sqlite';
import { type CurrencyCode, isCurrencyCode } from '../../domain/currencies.ts';
import { Secret } from '../../domain/secret.ts';
import { text, whole } from './rows.ts';
import type { Row, Statements } from './statements.ts';

/** What a column holds. `none` marks what may be absent. */
type Kinds = {
  text: string;
  textOrNone: string | undefined;
  secret: Secret<string>;
  secretOrNone: Secret<string> | undefined;
  count: number;
  countOrNone: number | undefined;
  /** Minor units. */
  minorOrNone: bigint | undefined;
  flag: boolean;
  currency: CurrencyCode;
};
type Value = Kinds[keyof Kinds];

/** Properties with the kinds of their columns; a column is named like its property, in snake case. */
export type Columns = Readonly<Record<string, keyof Kinds>>;
export type RowOf<C extends Columns> = { readonly [P in keyof C]: Kinds[C[P]] };

const columnOf = (property: string): string => property.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

const READERS: Readonly<Record<keyof Kinds, (row: Row, column: string) => Value>> = {
  text,
  textOrNone: (row, column) => (row[column] === null ? undefined : text(row, column)),
  secret: (row, column) => new Secret(text(row, column)),
  secretOrNone: (row, column) => (row[column] === null ? undefined : new Secret(text(row, column))),
  count: (row, column) => Number(whole(row, column)),
  countOrNone: (row, column) => (row[column] === null ? undefined : Number(whole(row, column))),
  minorOrNone: (row, column) => (row[column] === null ? undefined : whole(row, column)),
  flag: (row, column) => whole(row, column) === 1n,
  currency: (row, column) => {
    const code = text(row, column);
    if (!isCurrencyCode(code)) throw new TypeError(`the column ${column} holds no currency`);
    return code;
  },
};

const written = (value: Value): SQLInputValue => {
  if (value === undefined) return null;
  if (value instanceof Secret) return value.reveal();
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'number' ? BigInt(Math.trunc(value)) : value;
};

export class Table<C extends Columns> {
  readonly #statements: Statements;
  readonly #name: string;
  readonly #columns: C;
  readonly #save: string;

  /** @param key the properties that name a row */
  constructor(statements: Statements, name: string, key: readonly (keyof C & string)[], columns: C) {
    this.#statements = statements;
    this.#name = name;
    this.#columns = columns;
    const names = Object.keys(columns).map(columnOf);
    const changes = names.map(column => `${column} = excluded.${column}`);
    this.#save = `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
      ON CONFLICT (${key.map(columnOf).join(', ')}) DO UPDATE SET ${changes.join(', ')}`;
  }

  /** The row that has these values, if there is one. */
  find(where: Partial<RowOf<C>>): RowOf<C> | undefined {
    return this.list(where, { order: 'rowid', limit: 1 })[0];
  }

  /** The rows that have these values, at most `limit`, in the order of a column. */
  list(where: Partial<RowOf<C>>, { order, limit }: { order: string; limit: number }): readonly RowOf<C>[] {
    const entries = Object.entries<Value>(where);
    const condition = entries.map(([property]) => `${columnOf(property)} = ?`).join(' AND ');
    return this.#statements
      .all(
        `SELECT * FROM ${this.#name} ${condition && `WHERE ${condition}`} ORDER BY ${order} LIMIT ?`,
        ...entries.map(([, value]) => written(value)),
        limit,
      )
      .map(row => this.#read(row));
  }

  /** Adds the row, or puts it in the place of the one with its key. */
  save(row: RowOf<C>): void {
    this.#statements.run(this.#save, ...Object.keys(this.#columns).map(property => written(row[property])));
  }

  #read(row: Row): RowOf<C> {
    const entries = Object.entries(this.#columns).map(([property, kind]) => [
      property,
      READERS[kind](row, columnOf(property)),
    ]);
    // Each value was read by the kind of its own column.
    return Object.fromEntries(entries);
  }
}
