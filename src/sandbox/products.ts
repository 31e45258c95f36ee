/**
 * The demo issuer's own parameters: its card products, statuses, reasons and limits. They decide what its APIs accept, and
 * DropDownListInquiry tells them, so that the two cannot differ.
 */
import type { CurrencyCode } from '../domain/currencies.ts';
import { isCurrencyCode } from '../domain/currencies.ts';

export type Product = {
  readonly name: string;
  /** `cardProdType`. */
  readonly type: 'P' | 'D' | 'G';
  readonly currency: CurrencyCode;
};

const currencyCode = (code: string): CurrencyCode => {
  if (!isCurrencyCode(code)) throw new TypeError('a product has a currency that is none');
  return code;
};

/** The card products by their `cardProdCode`. */
export const PRODUCTS: ReadonlyMap<string, Product> = new Map<string, Product>([
  ['PREPAID01', { name: 'Prepaid card, US dollar', type: 'P', currency: currencyCode('840') }],
  ['PREPAID02', { name: 'Prepaid card, yen', type: 'P', currency: currencyCode('392') }],
  ['PREPAID03', { name: 'Prepaid card, Kuwaiti dinar', type: 'P', currency: currencyCode('414') }],
  ['DEBIT01', { name: 'Debit card, US dollar', type: 'D', currency: currencyCode('840') }],
  ['GIFT01', { name: 'Gift card, US dollar', type: 'G', currency: currencyCode('840') }],
]);

/** The values of `cardStatus`. Only N pays. */
export const CARD_STATUSES: ReadonlyMap<string, string> = new Map([
  ['N', 'normal'],
  ['U', 'issued, not activated'],
  ['O', 'blocked'],
  ['L', 'lost, replaced'],
  ['P', 'stolen, replaced'],
  ['D', 'damaged, replaced'],
  ['X', 'closed'],
]);

/** Why a card is replaced, and what the old one is then. */
export const REPLACE_REASONS: ReadonlyMap<string, { readonly name: string; readonly leaves: string }> = new Map([
  ['001', { name: 'lost', leaves: 'L' }],
  ['002', { name: 'stolen', leaves: 'P' }],
  ['003', { name: 'damaged', leaves: 'D' }],
  ['004', { name: 'expiring', leaves: 'X' }],
  ['005', { name: "holder's wish", leaves: 'X' }],
]);

export const CLOSE_REASONS: ReadonlyMap<string, string> = new Map([
  ['001', "holder's wish"],
  ['002', 'lost'],
  ['003', 'stolen'],
  ['004', 'fraud'],
  ['005', 'no longer used'],
]);

/** What a limit is about: the APIs that it counts together. */
export type Spending = 'purchase' | 'withdraw' | 'transfer';

export const SPENDING_APIS: Readonly<Record<Spending, readonly string[]>> = {
  purchase: ['Purchase', 'BlockFund'],
  withdraw: ['Withdraw'],
  transfer: ['TransferFund'],
};

export type LimitType = {
  readonly name: string;
  readonly of: Spending;
  readonly per: 'transaction' | 'day' | 'month';
};

/** The limits by their `cardLimitType`. Days and months are of UTC. */
export const LIMIT_TYPES: ReadonlyMap<string, LimitType> = new Map<string, LimitType>([
  ['PT', { name: 'Purchases, each', of: 'purchase', per: 'transaction' }],
  ['PD', { name: 'Purchases in a day', of: 'purchase', per: 'day' }],
  ['PM', { name: 'Purchases in a month', of: 'purchase', per: 'month' }],
  ['WT', { name: 'Withdrawals, each', of: 'withdraw', per: 'transaction' }],
  ['WD', { name: 'Withdrawals in a day', of: 'withdraw', per: 'day' }],
  ['WM', { name: 'Withdrawals in a month', of: 'withdraw', per: 'month' }],
  ['TT', { name: 'Transfers, each', of: 'transfer', per: 'transaction' }],
  ['TD', { name: 'Transfers in a day', of: 'transfer', per: 'day' }],
  ['TM', { name: 'Transfers in a month', of: 'transfer', per: 'month' }],
]);
