/**
 * One call while the ledger decides it: what was asked, what the store knows, and the checks that several APIs share.
 * A check that fails throws `Decline`; every API makes all its checks before its first change.
 */
import { isCurrencyCode } from '../domain/currencies.ts';
import { type Money, parseMoney } from '../domain/money.ts';
import type { ResponseCode } from '../domain/responseCode.ts';
import type { Account, Card, PastCall } from './rows.ts';
import type { Store } from './store.ts';

/** Why the issuer says no: stored under the call's `tranId` like an approval. */
export class Decline extends Error {
  readonly code: ResponseCode;

  constructor(code: ResponseCode) {
    super(code);
    this.name = 'Decline';
    this.code = code;
  }
}

export type Fields = Readonly<Record<string, string>>;

export type Turn = {
  readonly store: Store;
  /** The number that this call has on the books. */
  readonly seq: bigint;
  readonly nowMs: number;
  readonly participantId: string;
  readonly tranId: string;
  /** The API's own fields. They may hold card data. */
  readonly fields: Fields;
  /** `tranAmount` in `tranCurrency`, where the call has them. */
  readonly sent: Money | undefined;
  /** The card that the call names, if the participant has it. */
  readonly card: Card | undefined;
};

/** What an approved call did. Amounts are minor units of the card's currency. */
export type Done = {
  /** The card whose balances are told; absent where the call had nothing to do and names no card of ours. */
  readonly card: Card | undefined;
  /** The other card of a transfer. */
  readonly otherCard?: Card;
  /** What was booked; absent where nothing was left to do. */
  readonly booked?: bigint;
  /** Whether less than asked was approved. */
  readonly partly?: boolean;
  /** What the hold still has, for calls about holds. */
  readonly blocked?: bigint;
};

/**
 * No card takes a credit beyond this, so that every balance fits both the wire's 16 digits and SQLite's 64 bits, with
 * room for undos, which are never refused.
 */
export const BALANCE_MAX = 10n ** 14n;

export const availableOf = (card: Card): Account => `available:${card.token}`;
export const heldOf = (card: Card): Account => `held:${card.token}`;
export const outside = (card: Card): Account => `external:${card.currency}`;

const pick = (turn: Turn, token: string, number: string): { token: string } | { number: string } | undefined => {
  const { [token]: byToken, [number]: byNumber } = turn.fields;
  if (byToken !== undefined) return { token: byToken };
  return byNumber === undefined ? undefined : { number: byNumber };
};

/** 04 or 02, by how the card was named. */
const wrongCard = (name: { token: string } | { number: string } | undefined): Decline =>
  new Decline(name && 'number' in name ? '02' : '04');

/** The card that the call names, whatever its state. */
export function knownCard(turn: Turn): Card {
  if (!turn.card) throw wrongCard(pick(turn, 'cardToken', 'cardNumber'));
  return turn.card;
}

/** The card, which must also be the original's. */
export function cardOf(turn: Turn, original: PastCall): Card {
  const card = knownCard(turn);
  if (card.token !== original.cardToken) throw wrongCard(pick(turn, 'cardToken', 'cardNumber'));
  return card;
}

/** The card, normal and in date; where the call gives an expiry date or a CVV2 they must be the card's. */
export function usableCard(turn: Turn): Card {
  const card = knownCard(turn);
  mustBeUsable(card, turn.nowMs);
  const { expiryDate, CVV2 } = turn.fields;
  if (expiryDate !== undefined && expiryDate !== card.expiry) throw new Decline('54');
  if (CVV2 !== undefined && CVV2 !== card.cvv2.reveal()) throw new Decline('82');
  return card;
}

/** The card that a transfer goes to. */
export function receivingCard(turn: Turn): Card {
  const name = pick(turn, 'toCardToken', 'toCardNumber');
  const card = name && turn.store.card(turn.participantId, name);
  if (!card) throw wrongCard(name);
  mustBeUsable(card, turn.nowMs);
  return card;
}

function mustBeUsable(card: Card, nowMs: number): void {
  if (card.cardStatus !== 'N' || card.blockStatus !== 'N') throw new Decline('03');
  if (isExpired(card.expiry, nowMs)) throw new Decline('54');
}

/** A card is good through the last day of its month, UTC. */
const isExpired = (expiry: string, nowMs: number): boolean =>
  // The month counts from 0 in Date.UTC, so the number of this month is the beginning of the next.
  nowMs >= Date.UTC(2000 + Number(expiry.slice(0, 2)), Number(expiry.slice(2)), 1);

/** `billAmount` in `billCurrency`, where the call has them; their form was proved at the door. */
function billedMoney(turn: Turn): Money | undefined {
  const { billAmount, billCurrency } = turn.fields;
  if (billAmount === undefined || billCurrency === undefined) return undefined;
  const money = isCurrencyCode(billCurrency) ? parseMoney(billAmount, billCurrency) : 'form';
  if (typeof money === 'string') throw new TypeError('billAmount was not proved');
  return money;
}

/**
 * What the call asks to book on the card, in minor units: `tranAmount` where it is in the card's currency, else
 * `billAmount` where that is. `feeAmount` is part of the amount (as field 28 is of field 4 in ISO 8583), not added to it.
 */
export function askedOf(turn: Turn, card: Card): bigint {
  const asked = [turn.sent, billedMoney(turn)].find(money => money?.currency === card.currency);
  if (!asked) throw new Decline('57');
  if (asked.minor <= 0n) throw new Decline('13');
  return asked.minor;
}

/** The transaction that the call names as its original: 25 where this participant has none. */
export function originalOf(turn: Turn): PastCall {
  const { originalTranId } = turn.fields;
  const original = originalTranId === undefined ? undefined : turn.store.pastCall(turn.participantId, originalTranId);
  if (!original) throw new Decline('25');
  return original;
}

/** Whether the money can be taken from what is available: 51 where not. */
export function mustCover(turn: Turn, card: Card, amount: bigint): void {
  if (turn.store.balance(availableOf(card)) < amount) throw new Decline('51');
}

/** Whether a credit leaves the balance within its limit: 61 where not. */
export function mustHaveRoom(turn: Turn, card: Card, amount: bigint): void {
  const ledger = turn.store.balance(availableOf(card)) + turn.store.balance(heldOf(card));
  if (ledger + amount > BALANCE_MAX) throw new Decline('61');
}
