/**
 * Holds: BlockFund sets money aside or adds to what was set aside, UnblockFund frees it in full or in part, and a
 * Purchase that names the hold takes it. A hold is made of parts, one for each BlockFund, so that any of them can be freed by its own `tranId`.
 */
import { mustBeAllowedHere, mustKeepLimits } from '../limits.ts';
import type { Card } from '../store/records.ts';
import type { HoldPart, PastCall } from '../store/rows.ts';
import {
  askedOf,
  availableOf,
  cardOf,
  Decline,
  type Done,
  heldOf,
  mustCover,
  originalOf,
  outside,
  payingCard,
  type Turn,
} from '../turn.ts';

type Hold = {
  /** The BlockFund that was named, and its part. */
  readonly named: HoldPart;
  readonly call: PastCall;
  readonly root: HoldPart;
  /** All parts, the root first. */
  readonly parts: readonly HoldPart[];
};

const leftIn = (parts: readonly HoldPart[]): bigint => parts.reduce((sum, part) => sum + part.remaining, 0n);

export function blockFund(turn: Turn): Done {
  const card = payingCard(turn);
  mustBeAllowedHere(turn, card);
  const hold = turn.fields.originalTranId === undefined ? undefined : liveHold(turn, originalOf(turn));
  // A hold is one account's: the card may have been linked to another one since.
  if (hold && hold.call.account !== card.account) throw new Decline('12');
  const amount = askedOf(turn, card);
  mustKeepLimits(turn, card, 'purchase', amount);
  mustCover(turn, card, amount);
  turn.store.move(turn.seq, availableOf(card), heldOf(card), amount);
  turn.store.addHoldPart(turn.seq, hold?.root.seq ?? turn.seq, amount);
  return { card, booked: amount, blocked: amount + (hold ? leftIn(hold.parts) : 0n) };
}

/**
 * Frees what is asked for, or all that is left. Naming the first BlockFund means the whole hold, naming one that was
 * added means that part alone. A BlockFund that was declined holds nothing, so freeing it is done already; freeing
 * the whole amount of a part that was freed whole before is done already too. Whoever undoes a hold can then stop.
 */
export function unblockFund(turn: Turn): Done {
  const original = originalOf(turn);
  if (original.api !== 'BlockFund') throw new Decline('12');
  if (original.booked === undefined) return { card: turn.card, blocked: 0n };
  const card = cardOf(turn, original);
  const hold = holdOf(turn, original);
  const scope = hold.named.seq === hold.root.seq ? hold.parts : [hold.named];
  if (hold.root.completedBy !== undefined) throw new Decline('12');
  const left = leftIn(scope);
  const amount = releaseAsked(turn, card, hold) ?? left;
  const total = leftIn(hold.parts);
  if (amount > left) {
    if (amount === hold.named.amount && hold.named.releasedWhole) return { card, blocked: total };
    throw new Decline('61');
  }
  if (amount === 0n) throw new Decline('12');
  turn.store.move(turn.seq, heldOf(card), availableOf(card), amount);
  take(turn, scope, amount);
  return { card, booked: amount, blocked: total - amount };
}

/** The amount to free in the card's currency; undefined: all. What was billed can only be named as it was blocked. */
function releaseAsked(turn: Turn, card: Card, hold: Hold): bigint | undefined {
  const { sent } = turn;
  if (!sent) return undefined;
  if (sent.minor === hold.call.amount && sent.currency === hold.call.currency) return hold.named.amount;
  if (sent.currency !== card.currency) throw new Decline('57');
  return sent.minor;
}

/** Takes from the parts in their order, so that the first BlockFund's own money goes first. */
function take(turn: Turn, parts: readonly HoldPart[], amount: bigint): void {
  let open = amount;
  for (const part of parts) {
    const enough = part.remaining >= open;
    const taken = enough ? open : part.remaining;
    if (taken > 0n) turn.store.reduceHoldPart(part.seq, taken, taken === part.amount);
    open -= taken;
  }
}

/**
 * A Purchase that completes a hold: at most what is held, and the hold ends; what was not taken is free again. The
 * card's state is not asked: the money was promised while it was good.
 */
export function completeHold(turn: Turn): Done {
  const original = originalOf(turn);
  const hold = liveHold(turn, original);
  const card = cardOf(turn, original);
  const amount = askedOf(turn, card);
  const held = leftIn(hold.parts);
  if (amount > held) throw new Decline('61');
  turn.store.move(turn.seq, heldOf(card), availableOf(card), held);
  turn.store.move(turn.seq, availableOf(card), outside(card), amount);
  for (const part of hold.parts) turn.store.reduceHoldPart(part.seq, part.remaining, false);
  turn.store.completeHold(hold.root.seq, turn.tranId);
  return { card, booked: amount };
}

/** The hold of an approved BlockFund on the call's own card, which still holds something: 12 where it does not. */
function liveHold(turn: Turn, original: PastCall): Hold {
  if (original.api !== 'BlockFund' || original.booked === undefined) throw new Decline('12');
  cardOf(turn, original);
  const hold = holdOf(turn, original);
  if (hold.root.completedBy !== undefined || leftIn(hold.parts) === 0n) throw new Decline('12');
  return hold;
}

function holdOf(turn: Turn, call: PastCall): Hold {
  const named = turn.store.holdPart(call.seq);
  const parts = named ? turn.store.holdParts(named.rootSeq) : [];
  const [root] = parts;
  if (!named || !root) throw new TypeError('an approved BlockFund without its hold');
  return { named, call, root, parts };
}
