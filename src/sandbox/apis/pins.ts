/**
 * The PIN of a card: set, changed and verified. Wrong ones are counted over all calls that carry a PIN; three in a row end
 * the taking of any, until the PIN is set anew or unlocked.
 */
import type { WireFields } from '../../domain/message.ts';
import { hashPin, pinOf } from '../pin.ts';
import type { Card } from '../store/records.ts';
import { Decline, livingCard, mustBeItsPin, type Turn, usableCard } from '../turn.ts';

/** The institution sets a PIN, on a card that is not active yet too. A locked PIN stays locked. */
export function pinReset(turn: Turn): WireFields {
  setPin(turn, livingCard(turn));
  return {};
}

/** 55, 75: see `mustBeItsPin`. The new block is looked at first, so that a bad one costs no try. */
export function pinChange(turn: Turn): WireFields {
  const card = livingCard(turn);
  const kept = hashed(turn, card);
  mustBeItsPin(turn, card, turn.fields.pinBlock ?? '');
  turn.store.records.cards.save({ ...card, pin: kept, pinTries: 0 });
  return {};
}

/** The check is that of every API that has a PIN. */
export function pinVerify(turn: Turn): WireFields {
  usableCard(turn);
  return {};
}

function setPin(turn: Turn, card: Card): void {
  turn.store.records.cards.save({ ...card, pin: hashed(turn, card), pinTries: 0 });
}

/** What is to be kept of the new PIN: 24 where its block is none. */
function hashed(turn: Turn, card: Card): ReturnType<typeof hashPin> {
  const pin = pinOf(turn.fields.newPinBlock ?? '', card.number.reveal());
  if (pin === undefined) throw new Decline('24');
  return hashPin(pin, turn.newId());
}
