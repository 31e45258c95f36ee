/**
 * What the demo issuer knows beside its books, as typed tables: customers, accounts, cards, limits, tokens and
 * authentications. The tables decide nothing; what may be done is decided by the APIs.
 */

import { text, whole } from './rows.ts';
import type { Row, Statements } from './statements.ts';
import { type RowOf, Table } from './table.ts';

const CUSTOMER = {
  participantId: 'text',
  customerId: 'text',
  idType: 'text',
  idNo: 'text',
  name: 'textOrNone',
  mobile: 'textOrNone',
  email: 'textOrNone',
  address: 'textOrNone',
  deliveryAddress: 'textOrNone',
  deliveryPostCode: 'textOrNone',
  deliveryCountry: 'textOrNone',
} as const;

const ACCOUNT = {
  accountNo: 'text',
  participantId: 'text',
  customerId: 'text',
  accountType: 'text',
  status: 'text',
  currency: 'currency',
} as const;

const CARD = {
  token: 'text',
  participantId: 'text',
  customerId: 'text',
  root: 'text',
  number: 'secret',
  expiry: 'text',
  flag: 'text',
  product: 'text',
  picture: 'textOrNone',
  embossName: 'textOrNone',
  openDate: 'text',
  account: 'textOrNone',
  currency: 'currency',
  cardStatus: 'text',
  blockStatus: 'text',
  listed: 'flag',
  place: 'count',
  pin: 'secretOrNone',
  pinTries: 'count',
  pinLocked: 'flag',
  domestic: 'flag',
  oversea: 'flag',
  ecommerce: 'flag',
  pos: 'flag',
  blacklisted: 'flag',
  whitelisted: 'flag',
  secureBy: 'textOrNone',
  secureMobile: 'textOrNone',
  secureEmail: 'textOrNone',
  dcvvCount: 'count',
  dcvvUntilMs: 'count',
} as const;

const LIMIT = { root: 'text', limitType: 'text', amount: 'minorOrNone', count: 'countOrNone' } as const;

const TOKEN = {
  tokenId: 'text',
  participantId: 'text',
  root: 'text',
  cardToken: 'text',
  cardExpiry: 'text',
  state: 'text',
  expiry: 'text',
  deviceId: 'text',
  appUserId: 'text',
  lukCount: 'count',
  lukUntilMs: 'count',
} as const;

const OTP = {
  refNo: 'text',
  participantId: 'text',
  root: 'text',
  sentBy: 'text',
  sentAtMs: 'count',
  validUntilMs: 'count',
  tries: 'count',
  used: 'flag',
} as const;

const OOB = {
  refNo: 'text',
  participantId: 'text',
  root: 'text',
  acsTransId: 'text',
  startedAtMs: 'count',
  validUntilMs: 'count',
  result: 'textOrNone',
} as const;

export type Customer = RowOf<typeof CUSTOMER>;
/** `status`: N normal, B blocked, X closed. */
export type CustomerAccount = RowOf<typeof ACCOUNT>;
/**
 * A card. `root` is the token of the first card of its line, under which books, limits and tokens are kept; `expiry` is
 * YYMM, good through the last day of that month; `account` is the one that it draws on.
 */
export type Card = RowOf<typeof CARD>;
export type CardLimit = RowOf<typeof LIMIT>;
export type NetworkToken = RowOf<typeof TOKEN>;
export type OneTimePassword = RowOf<typeof OTP>;
export type OutOfBand = RowOf<typeof OOB>;

export class Records {
  readonly customers: Table<typeof CUSTOMER>;
  readonly accounts: Table<typeof ACCOUNT>;
  readonly cards: Table<typeof CARD>;
  readonly limits: Table<typeof LIMIT>;
  readonly tokens: Table<typeof TOKEN>;
  readonly otps: Table<typeof OTP>;
  readonly oobs: Table<typeof OOB>;
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
    this.customers = new Table(sql, 'customers', ['participantId', 'customerId'], CUSTOMER);
    this.accounts = new Table(sql, 'customer_accounts', ['accountNo'], ACCOUNT);
    this.cards = new Table(sql, 'cards', ['token'], CARD);
    this.limits = new Table(sql, 'card_limits', ['root', 'limitType'], LIMIT);
    this.tokens = new Table(sql, 'tokens', ['tokenId'], TOKEN);
    this.otps = new Table(sql, 'otps', ['refNo'], OTP);
    this.oobs = new Table(sql, 'oobs', ['refNo'], OOB);
  }

  /** The issuer's own key; `made` becomes it where there is none yet. */
  key(made: () => string): string {
    const read = (): Row | undefined => this.#sql.get('SELECT key FROM issuer_key');
    if (!read()) this.#sql.run('INSERT INTO issuer_key VALUES (1, ?) ON CONFLICT DO NOTHING', made());
    const row = read();
    if (!row) throw new TypeError('the key was written just now');
    return text(row, 'key');
  }

  /** One-time passwords of a line that were sent since then. */
  otpsSince(root: string, sinceMs: number): number {
    const row = this.#sql.get('SELECT count(*) AS n FROM otps WHERE root = ? AND sent_at_ms > ?', root, sinceMs);
    return row ? Number(whole(row, 'n')) : 0;
  }

  /** One-time passwords sent for a line before are good no more. */
  endOtps(root: string): void {
    this.#sql.run('UPDATE otps SET used = 1 WHERE root = ?', root);
  }

  /** The place behind the last card's. */
  nextPlace(): number {
    const row = this.#sql.get('SELECT coalesce(max(place), -1) + 1 AS place FROM cards');
    return row ? Number(whole(row, 'place')) : 0;
  }
}
