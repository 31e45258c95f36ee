/**
 * The APIs that move money between a card and the world or another card, and the two that give it back: refunds and
 * reversals. Each makes its checks first and its changes last.
 */
import { mustBeAllowedHere, mustKeepLimits } from '../limits.ts';
import type { Card } from '../store/records.ts';
import type { PastCall } from '../store/rows.ts';
import {
  askedOf,
  availableOf,
  cardOf,
  Decline,
  type Done,
  knownCard,
  mustCover,
  mustHaveRoom,
  originalOf,
  outside,
  payingCard,
  receivingCard,
  type Turn,
} from '../turn.ts';
import { completeHold } from './holds.ts';

/** A void gives back the whole before settlement; this issuer settles a day after it booked. */
const SETTLED_AFTER_MS = 24 * 60 * 60 * 1_000;

const REFUNDABLE: ReadonlySet<string> = new Set(['Purchase', 'Withdraw']);
const REVERSIBLE: ReadonlySet<string> = new Set(['Purchase', 'Withdraw', 'TransferFund', 'LoadFund']);

export function loadFund(turn: Turn): Done {
  return credit(turn, payingCard(turn));
}

/** The institution's own credit: it reaches a frozen or expired card too. */
export function creditAdjustment(turn: Turn): Done {
  return credit(turn, knownCard(turn));
}

function credit(turn: Turn, card: Card): Done {
  const amount = askedOf(turn, card);
  mustHaveRoom(turn, card, amount);
  turn.store.move(turn.seq, outside(card), availableOf(card), amount);
  return { card, booked: amount };
}

export function withdraw(turn: Turn): Done {
  const card = payingCard(turn);
  mustBeAllowedHere(turn, card);
  mustKeepLimits(turn, card, 'withdraw', askedOf(turn, card));
  return debit(turn, card);
}

/** ServiceCharge and DebitAdjustment are the institution's own: they reach a frozen or expired card too. */
export function institutionDebit(turn: Turn): Done {
  return debit(turn, knownCard(turn));
}

function debit(turn: Turn, card: Card): Done {
  const amount = askedOf(turn, card);
  mustCover(turn, card, amount);
  turn.store.move(turn.seq, availableOf(card), outside(card), amount);
  return { card, booked: amount };
}

export function transferFund(turn: Turn): Done {
  const card = payingCard(turn);
  const otherCard = receivingCard(turn);
  if (otherCard.account === card.account) throw new Decline('12');
  if (otherCard.currency !== card.currency) throw new Decline('57');
  const amount = askedOf(turn, card);
  mustKeepLimits(turn, card, 'transfer', amount);
  mustCover(turn, card, amount);
  mustHaveRoom(turn, otherCard, amount);
  turn.store.move(turn.seq, availableOf(card), availableOf(otherCard), amount);
  return { card, otherCard, booked: amount };
}

/** With `originalTranId` it completes a hold; with `partialAllowed` Y it takes what there is. */
export function purchase(turn: Turn): Done {
  if (turn.fields.originalTranId !== undefined) return completeHold(turn);
  const card = payingCard(turn);
  mustBeAllowedHere(turn, card);
  const asked = askedOf(turn, card);
  const available = turn.store.balance(availableOf(card));
  const partly = available < asked;
  // A part of a billed amount could not be told in the transaction's currency.
  const mayBePart = turn.fields.partialAllowed === 'Y' && turn.sent?.currency === card.currency;
  if (partly && (!mayBePart || available <= 0n)) throw new Decline('51');
  const booked = partly ? available : asked;
  mustKeepLimits(turn, card, 'purchase', booked);
  turn.store.move(turn.seq, availableOf(card), outside(card), booked);
  return { card, booked, partly };
}

/** Never more, over all refunds of one original, than was approved. `refundType` V is the whole, once, before settlement. */
export function refund(turn: Turn): Done {
  const original = originalOf(turn);
  if (!REFUNDABLE.has(original.api) || original.booked === undefined || original.reversedBy !== undefined) {
    throw new Decline('12');
  }
  const card = cardOf(turn, original);
  const amount = askedOf(turn, card);
  if (turn.fields.refundType === 'V') mustBeWholeAndFresh(turn, original, amount);
  else if (original.refunded + amount > original.booked) throw new Decline('61');
  mustHaveRoom(turn, card, amount);
  turn.store.move(turn.seq, outside(card), availableOf(card), amount);
  turn.store.addRefund(original.seq, amount);
  return { card, booked: amount };
}

function mustBeWholeAndFresh(turn: Turn, original: PastCall, amount: bigint): void {
  if (original.refunded > 0n || turn.nowMs - original.atMs >= SETTLED_AFTER_MS) throw new Decline('12');
  if (amount !== original.booked) throw new Decline('13');
}

/**
 * Undoes the whole of an original, once. It is approved without an effect where there is nothing to undo: the original
 * was declined, or another Reversal undid it already, so that whoever must undo can stop. A LoadFund or TransferFund
 * whose money was spent leaves a negative balance behind: the debt stays visible, where a refusal would lose it.
 */
export function reversal(turn: Turn): Done {
  const original = originalOf(turn);
  if (!REVERSIBLE.has(original.api)) throw new Decline('12');
  // Before the card: an original that was declined because its card is unknown is undone by saying so.
  if (original.booked === undefined) return { card: turn.card };
  const card = cardOf(turn, original);
  mustBeItsAmount(turn, original, card.currency);
  if (original.reversedBy !== undefined) return { card };
  if (original.refunded > 0n) throw new Decline('12');
  const otherCard = otherOf(turn, original);
  const away = otherCard ? availableOf(otherCard) : outside(card);
  const [from, to] = original.api === 'LoadFund' ? [availableOf(card), away] : [away, availableOf(card)];
  turn.store.move(turn.seq, from, to, original.booked);
  turn.store.markReversed(original.seq, turn.tranId);
  return { card, ...(otherCard && { otherCard }), booked: original.booked };
}

/** The other card of a transfer, drawing on the account that the money went to. */
function otherOf(turn: Turn, { otherCardToken, otherAccount }: PastCall): Card | undefined {
  const card = otherCardToken === undefined ? undefined : turn.store.cardByToken(otherCardToken);
  return card && { ...card, account: otherAccount };
}

/** The amount that was asked for, or the one that was approved where that was less: 13 for any other. */
function mustBeItsAmount(turn: Turn, original: PastCall, cardCurrency: string): void {
  const { sent } = turn;
  const asked = sent && sent.minor === original.amount && sent.currency === original.currency;
  const approved = sent && sent.minor === original.booked && sent.currency === cardCurrency;
  if (!asked && !approved) throw new Decline('13');
}
