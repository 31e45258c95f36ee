/**
 * One call while the ledger decides it: what was asked, what the store knows, and the checks that several APIs share.
 * A check that fails throws `Decline`; every API makes all its checks before its first change. Only the counting of wrong
 * PINs and one-time passwords is a change that a decline leaves behind.
 */
import { isCurrencyCode } from '../domain/currencies.ts';
import type { WireFields } from '../domain/message.ts';
import { type Money, parseMoney } from '../domain/money.ts';
import type { ResponseCode } from '../domain/responseCode.ts';
import { hasEnded } from './calendar.ts';
import type { IssuerKey } from './issuerKey.ts';
import { isPin, pinOf } from './pin.ts';
import type { Card } from './store/records.ts';
import type { Account, PastCall } from './store/rows.ts';
import type { Store } from './store/store.ts';

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
  readonly key: IssuerKey;
  /** A fresh id of 22 characters. */
  readonly newId: () => string;
  /** So many random digits. */
  readonly newDigits: (count: number) => string;
  /** Whether the call is asked again under its `tranId` and decided anew: see `askAgain` in the catalogue. */
  readonly repeated: boolean;
  /** The number that this call has on the books. */
  readonly seq: bigint;
  readonly nowMs: number;
  readonly participantId: string;
  readonly tranId: string;
  /** The API's own fields, but for lists. They may hold card data. */
  readonly fields: Fields;
  /** The same with the lists. */
  readonly whole: WireFields;
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

/** The account that the card draws on: 57 where it is linked to none. */
function accountOf(card: Card): string {
  if (card.account === undefined) throw new Decline('57');
  return card.account;
}

export const availableOf = (card: Card): Account => `available:${accountOf(card)}`;
export const heldOf = (card: Card): Account => `held:${accountOf(card)}`;
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

/**
 * The card, which must also be the original's or have replaced it. It draws on the account of the original, wherever it is
 * linked now.
 */
export function cardOf(turn: Turn, original: PastCall): Card {
  const card = knownCard(turn);
  if (card.root !== original.cardToken) throw wrongCard(pick(turn, 'cardToken', 'cardNumber'));
  return original.account === undefined ? card : { ...card, account: original.account };
}

/** The card that a call names, whatever its state, unless it is closed or was replaced: 03. */
export function livingCard(turn: Turn): Card {
  const card = knownCard(turn);
  if (!LIVING.has(card.cardStatus)) throw new Decline('03');
  return card;
}

/** Normal, issued and blocked: the others never come back. */
const LIVING: ReadonlySet<string> = new Set(['N', 'U', 'O']);

/** The card, normal and in date; where the call gives an expiry date, a CVV2 or a PIN they must be the card's. */
export function usableCard(turn: Turn): Card {
  const card = knownCard(turn);
  mustBeUsable(card, turn.nowMs);
  mustBeItsExpiry(turn, card);
  mustBeItsCvv2(turn, card);
  if (turn.fields.pinBlock === undefined) return card;
  mustBeItsPin(turn, card, turn.fields.pinBlock);
  // As it is now: a right PIN ends the counting of wrong ones.
  return knownCard({ ...turn, card: turn.store.records.cards.find({ token: card.token }) });
}

/** The usable card, whose account pays too: 57 where that is blocked or closed. */
export function payingCard(turn: Turn): Card {
  const card = usableCard(turn);
  mustBeOpen(turn, card);
  return card;
}

function mustBeOpen(turn: Turn, card: Card): void {
  const account = turn.store.records.accounts.find({ accountNo: accountOf(card) });
  if (account?.status !== 'N') throw new Decline('57');
}

/** The card that a transfer goes to. */
export function receivingCard(turn: Turn): Card {
  const name = pick(turn, 'toCardToken', 'toCardNumber');
  const card = name && turn.store.cardOf(turn.participantId, name);
  if (!card) throw wrongCard(name);
  mustBeUsable(card, turn.nowMs);
  mustBeOpen(turn, card);
  return card;
}

/** The card pays: normal and not frozen (03), in date (54), not blacklisted (05). */
export function mustBeUsable(card: Card, nowMs: number): void {
  if (card.cardStatus !== 'N' || card.blockStatus !== 'N') throw new Decline('03');
  if (hasEnded(card.expiry, nowMs)) throw new Decline('54');
  if (card.blacklisted) throw new Decline('05');
}

/** The call's expiry date, where it gives one, is the card's: else 54. */
export function mustBeItsExpiry(turn: Turn, card: Card): void {
  const { expiryDate } = turn.fields;
  if (expiryDate !== undefined && expiryDate !== card.expiry) throw new Decline('54');
}

/** The call's CVV2, where it gives one, is the card's, or its dynamic one while that is good: else 82. */
export function mustBeItsCvv2(turn: Turn, card: Card): void {
  const { CVV2 } = turn.fields;
  if (CVV2 === undefined || CVV2 === turn.key.cvv2(card.number.reveal(), card.expiry)) return;
  if (turn.nowMs >= card.dcvvUntilMs || CVV2 !== turn.key.dcvv(card)) throw new Decline('82');
}

/** Wrong PINs in a row after which no PIN is taken any more, the right one neither. */
const PIN_TRIES = 3;

/**
 * The block holds the card's PIN: 24 where it is no block, 55 where the PIN is wrong or the card has none, and 75 after
 * three wrong ones in a row or while the PIN is locked.
 */
export function mustBeItsPin(turn: Turn, card: Card, block: string): void {
  const pin = pinOf(block, card.number.reveal());
  if (pin === undefined) throw new Decline('24');
  if (card.pinLocked || card.pinTries >= PIN_TRIES) throw new Decline('75');
  if (card.pin === undefined) throw new Decline('55');
  const right = isPin(pin, card.pin);
  turn.store.records.cards.save({ ...card, pinTries: right ? 0 : card.pinTries + 1 });
  if (!right) throw new Decline('55');
}

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
