/**
 * The books as typed reads and writes: accounts, postings, holds, and the calls that were decided. It decides nothing: what
 * may be done is decided by the APIs, and `ledger` runs each call in one transaction around them.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { CurrencyCode } from '../../domain/currencies.ts';
import { Secret } from '../../domain/secret.ts';
import { type Card, Records } from './records.ts';
import {
  type Account,
  CALL_COLUMNS,
  currency,
  type HoldPart,
  type NewCall,
  type PastCall,
  text,
  toCall,
  toPart,
  whole,
} from './rows.ts';
import { Statements } from './statements.ts';

const PART_SELECT = 'SELECT p.*, c.tran_id FROM hold_parts p JOIN calls c ON c.seq = p.call_seq';

/** A bound on what one view lists; a sandbox with more cards than this is not looked at by eye. */
const CARDS_SHOWN_MAX = 100_000;

export class Store {
  /** Customers, accounts, cards and what belongs to them. */
  readonly records: Records;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = new Statements(db);
    this.records = new Records(this.#sql);
  }

  /** Runs `work` in one transaction, durable when it returns; a throw rolls all of it back. */
  inTransaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  /** The card of this participant, by token or by number; another participant's card is not there. */
  cardOf(participantId: string, by: { readonly token: string } | { readonly number: string }): Card | undefined {
    const name = 'token' in by ? by : { number: new Secret(by.number) };
    return this.records.cards.find({ participantId, ...name });
  }

  /** Any participant's card; for the sandbox's own views. */
  cardByToken(token: string): Card | undefined {
    return this.records.cards.find({ token });
  }

  /** The cards in the order in which they were made. */
  cards(): readonly Card[] {
    return this.records.cards.list({}, { order: 'place', limit: CARDS_SHOWN_MAX });
  }

  /** The balance in minor units; zero for an account that nothing was ever booked on. */
  balance(account: Account): bigint {
    const row = this.#sql.get('SELECT balance FROM accounts WHERE name = ?', account);
    return row ? whole(row, 'balance') : 0n;
  }

  /** Every account, for the books' own check. */
  accounts(): readonly { readonly name: string; readonly currency: CurrencyCode; readonly balance: bigint }[] {
    return this.#sql.all('SELECT * FROM accounts ORDER BY name').map(row => ({
      name: text(row, 'name'),
      currency: currency(row),
      balance: whole(row, 'balance'),
    }));
  }

  /** Makes an account with nothing on it, if it is not there yet. */
  openAccount(name: Account, currency: CurrencyCode): void {
    this.#sql.run('INSERT INTO accounts VALUES (?, ?, 0) ON CONFLICT DO NOTHING', name, currency);
  }

  /**
   * Double entry: takes `amount`, more than zero, from one account and gives it to another of the same currency, on the
   * books of a call. Throws when an account is not there or a hold would become negative: both are defects.
   */
  move(callSeq: bigint, from: Account, to: Account, amount: bigint): void {
    if (amount <= 0n) throw new RangeError('only a positive amount can be moved');
    if (this.#currencyOf(from) !== this.#currencyOf(to)) throw new TypeError('money of two currencies');
    const legs = [
      [from, -amount],
      [to, amount],
    ] as const;
    for (const [account, change] of legs) {
      this.#sql.run('UPDATE accounts SET balance = balance + ? WHERE name = ?', change, account);
      this.#sql.run('INSERT INTO postings VALUES (?, ?, ?)', callSeq, account, change);
    }
  }

  /** The number that the next call gets. Only meaningful inside the transaction that adds that call. */
  nextSeq(): bigint {
    const row = this.#sql.get('SELECT coalesce(max(seq), 0) + 1 AS seq FROM calls');
    return row ? whole(row, 'seq') : 1n;
  }

  pastCall(participantId: string, tranId: string): PastCall | undefined {
    const row = this.#sql.get('SELECT * FROM calls WHERE participant_id = ? AND tran_id = ?', participantId, tranId);
    return row && toCall(row);
  }

  addCall(call: NewCall): void {
    this.#sql.run(
      `INSERT INTO calls (${CALL_COLUMNS.join(', ')}) VALUES (${CALL_COLUMNS.map(() => '?').join(', ')})`,
      call.seq,
      call.participantId,
      call.tranId,
      call.api,
      call.content,
      call.cardToken ?? null,
      call.otherCardToken ?? null,
      call.account ?? null,
      call.otherAccount ?? null,
      call.code,
      call.answer,
      call.authCode ?? null,
      call.amount?.toString() ?? null,
      call.currency ?? null,
      call.booked ?? null,
      call.originalTranId ?? null,
      call.tranDate,
      call.tranTime,
      BigInt(Math.trunc(call.atMs)),
    );
  }

  markReversed(seq: bigint, byTranId: string): void {
    this.#sql.run('UPDATE calls SET reversed_by = ? WHERE seq = ?', byTranId, seq);
  }

  addRefund(seq: bigint, amount: bigint): void {
    this.#sql.run('UPDATE calls SET refunded = refunded + ? WHERE seq = ?', amount, seq);
  }

  addHoldPart(callSeq: bigint, rootSeq: bigint, amount: bigint): void {
    this.#sql.run(
      'INSERT INTO hold_parts (call_seq, root_seq, amount, remaining) VALUES (?, ?, ?, ?)',
      callSeq,
      rootSeq,
      amount,
      amount,
    );
  }

  holdPart(callSeq: bigint): HoldPart | undefined {
    const row = this.#sql.get(`${PART_SELECT} WHERE p.call_seq = ?`, callSeq);
    return row && toPart(row);
  }

  /** The parts of a hold, the root first. */
  holdParts(rootSeq: bigint): readonly HoldPart[] {
    return this.#sql.all(`${PART_SELECT} WHERE p.root_seq = ? ORDER BY p.call_seq`, rootSeq).map(toPart);
  }

  /** Every part of every hold of a card, oldest first, at most `limit` of the newest. */
  holdPartsOfCard(cardToken: string, limit: number): readonly HoldPart[] {
    return this.#sql
      .all(`${PART_SELECT} WHERE c.card_token = ? ORDER BY p.call_seq DESC LIMIT ?`, cardToken, limit)
      .map(toPart)
      .reverse();
  }

  reduceHoldPart(seq: bigint, by: bigint, releasedWhole: boolean): void {
    this.#sql.run(
      'UPDATE hold_parts SET remaining = remaining - ?, released_whole = max(released_whole, ?) WHERE call_seq = ?',
      by,
      releasedWhole ? 1n : 0n,
      seq,
    );
  }

  completeHold(rootSeq: bigint, byTranId: string): void {
    this.#sql.run('UPDATE hold_parts SET completed_by = ? WHERE call_seq = ?', byTranId, rootSeq);
  }

  /**
   * What a line of cards has spent since a moment by these APIs, in minor units, and how often. What was reversed or
   * released whole is not counted, a completion neither: its BlockFund was.
   */
  spent(root: string, apis: readonly string[], sinceMs: number): { readonly amount: bigint; readonly count: number } {
    const row = this.#sql.get(
      `SELECT coalesce(sum(c.booked), 0) AS amount, count(*) AS n
       FROM calls c LEFT JOIN hold_parts h ON h.call_seq = c.seq
       WHERE c.card_token = ? AND c.at_ms >= ? AND c.booked IS NOT NULL AND c.reversed_by IS NULL
         AND c.api IN (SELECT value FROM json_each(?))
         AND NOT (c.api = 'Purchase' AND c.original_tran_id IS NOT NULL) AND coalesce(h.released_whole, 0) = 0`,
      root,
      BigInt(Math.trunc(sinceMs)),
      JSON.stringify(apis),
    );
    return row ? { amount: whole(row, 'amount'), count: Number(whole(row, 'n')) } : { amount: 0n, count: 0 };
  }

  /** Calls that name a card of the line, newest first. `booked` leaves only what moved its money for good, incoming transfers too. */
  history(
    cardToken: string,
    page: { readonly from: string; readonly to: string; readonly limit: number; readonly offset: number },
    kind: 'booked' | 'authorized',
  ): readonly PastCall[] {
    const which =
      kind === 'booked'
        ? `(card_token = ? OR other_card_token = ?) AND booked IS NOT NULL
           AND api NOT IN ('BlockFund', 'UnblockFund', 'Opening')`
        : `card_token = ? AND card_token = ? AND coalesce(amount, booked) IS NOT NULL AND api <> 'Opening'`;
    return this.#sql
      .all(
        `SELECT * FROM calls WHERE ${which} AND tran_date BETWEEN ? AND ? ORDER BY seq DESC LIMIT ? OFFSET ?`,
        cardToken,
        cardToken,
        page.from,
        page.to,
        page.limit,
        page.offset,
      )
      .map(toCall);
  }

  /**
   * What each call changed on the card of a line, oldest first: at most `limit` of the newest, or of those that come after
   * the first `after`.
   */
  effects(
    cardToken: string,
    limit: number,
    after?: number,
  ): readonly (PastCall & { available: bigint; held: bigint })[] {
    const direction = after === undefined ? 'DESC' : 'ASC';
    return this.#sql
      .all(
        `SELECT c.*,
         coalesce(sum(p.amount) FILTER (WHERE p.account = 'available:' || iif(c.card_token = ?, c.account, c.other_account)), 0)
           AS available_change,
         coalesce(sum(p.amount) FILTER (WHERE p.account = 'held:' || iif(c.card_token = ?, c.account, c.other_account)), 0)
           AS held_change
       FROM calls c JOIN postings p ON p.call_seq = c.seq
       WHERE c.seq IN (SELECT seq FROM calls
         WHERE (card_token = ? OR other_card_token = ?) AND booked IS NOT NULL AND api <> 'Opening'
         ORDER BY seq ${direction} LIMIT ? OFFSET ?)
       GROUP BY c.seq ORDER BY c.seq`,
        cardToken,
        cardToken,
        cardToken,
        cardToken,
        limit,
        after ?? 0,
      )
      .map(row => ({ ...toCall(row), available: whole(row, 'available_change'), held: whole(row, 'held_change') }));
  }

  countEffects(cardToken: string): number {
    const row = this.#sql.get(
      `SELECT count(*) AS n FROM calls
       WHERE (card_token = ? OR other_card_token = ?) AND booked IS NOT NULL AND api <> 'Opening'`,
      cardToken,
      cardToken,
    );
    return row ? Number(whole(row, 'n')) : 0;
  }

  #currencyOf(account: Account): CurrencyCode {
    const row = this.#sql.get('SELECT currency FROM accounts WHERE name = ?', account);
    if (!row) throw new RangeError('an account that was never opened');
    return currency(row);
  }
}
