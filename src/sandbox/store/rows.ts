/**
 * What the rows of the ledger's own tables are in TypeScript, and how a row that was read is proved to be one: SQLite gives
 * values without types, and a column that is not what it should be is an error here rather than a wrong balance later.
 */
import { type CurrencyCode, isCurrencyCode } from '../../domain/currencies.ts';
import type { Row } from './statements.ts';

/** `available` and `held` are a customer's account, by its number; `external` is the world outside, one per currency. */
export type Account = `${'available' | 'held' | 'external'}:${string}`;

/** A call that was decided before. Amounts are minor units. */
export type PastCall = {
  readonly seq: bigint;
  readonly tranId: string;
  readonly api: string;
  readonly content: string;
  /** The first card of the line that the card belongs to. */
  readonly cardToken: string | undefined;
  readonly otherCardToken: string | undefined;
  /** The account that the card drew on then. */
  readonly account: string | undefined;
  readonly otherAccount: string | undefined;
  readonly code: string;
  /** The response's own fields, as JSON. */
  readonly answer: string;
  readonly authCode: string | undefined;
  /** What was asked, in `currency`. */
  readonly amount: bigint | undefined;
  readonly currency: CurrencyCode | undefined;
  /** What was booked in the card's currency. */
  readonly booked: bigint | undefined;
  readonly originalTranId: string | undefined;
  readonly reversedBy: string | undefined;
  readonly refunded: bigint;
  readonly tranDate: string;
  readonly tranTime: string;
  readonly atMs: number;
};

export type NewCall = Omit<PastCall, 'reversedBy' | 'refunded'> & { readonly participantId: string };

/** One BlockFund of a hold. */
export type HoldPart = {
  readonly seq: bigint;
  readonly rootSeq: bigint;
  readonly tranId: string;
  readonly amount: bigint;
  readonly remaining: bigint;
  readonly releasedWhole: boolean;
  /** On the root: the Purchase that ended the hold. */
  readonly completedBy: string | undefined;
};

export const text = (row: Row, name: string): string => {
  const value = row[name];
  if (typeof value !== 'string') throw new TypeError(`the column ${name} holds no text`);
  return value;
};
const textOrNone = (row: Row, name: string): string | undefined => (row[name] === null ? undefined : text(row, name));
export const currency = (row: Row): CurrencyCode => {
  const code = text(row, 'currency');
  if (!isCurrencyCode(code)) throw new TypeError('the column currency holds no currency');
  return code;
};
export const whole = (row: Row, name: string): bigint => {
  const value = row[name];
  if (typeof value !== 'bigint') throw new TypeError(`the column ${name} holds no whole number`);
  return value;
};

/** The columns of a call that are given when it is decided; the others change afterwards. */
export const CALL_COLUMNS = [
  'seq',
  'participant_id',
  'tran_id',
  'api',
  'content',
  'card_token',
  'other_card_token',
  'account',
  'other_account',
  'code',
  'answer',
  'auth_code',
  'amount',
  'currency',
  'booked',
  'original_tran_id',
  'tran_date',
  'tran_time',
  'at_ms',
] as const;

export const toCall = (row: Row): PastCall => {
  const amount = textOrNone(row, 'amount');
  return {
    seq: whole(row, 'seq'),
    tranId: text(row, 'tran_id'),
    api: text(row, 'api'),
    content: text(row, 'content'),
    cardToken: textOrNone(row, 'card_token'),
    otherCardToken: textOrNone(row, 'other_card_token'),
    account: textOrNone(row, 'account'),
    otherAccount: textOrNone(row, 'other_account'),
    code: text(row, 'code'),
    answer: text(row, 'answer'),
    authCode: textOrNone(row, 'auth_code'),
    amount: amount === undefined ? undefined : BigInt(amount),
    currency: row.currency === null ? undefined : currency(row),
    booked: row.booked === null ? undefined : whole(row, 'booked'),
    originalTranId: textOrNone(row, 'original_tran_id'),
    reversedBy: textOrNone(row, 'reversed_by'),
    refunded: whole(row, 'refunded'),
    tranDate: text(row, 'tran_date'),
    tranTime: text(row, 'tran_time'),
    atMs: Number(whole(row, 'at_ms')),
  };
};

export const toPart = (row: Row): HoldPart => ({
  seq: whole(row, 'call_seq'),
  rootSeq: whole(row, 'root_seq'),
  tranId: text(row, 'tran_id'),
  amount: whole(row, 'amount'),
  remaining: whole(row, 'remaining'),
  releasedWhole: whole(row, 'released_whole') === 1n,
  completedBy: textOrNone(row, 'completed_by'),
});
