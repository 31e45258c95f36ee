/**
 * Security codes: the CVV2 of a card, told and verified, and the dynamic one that is good for some minutes. None is kept;
 * each is derived from the issuer's key when it is asked for.
 */
import type { WireFields } from '../../domain/message.ts';
import { type Fields, livingCard, type Turn, usableCard } from '../turn.ts';

/** How long a dynamic CVV is good: long enough to type it in, short enough to be of no use to who finds it. */
const DCVV_VALID_MS = 5 * 60 * 1_000;

/** The card need not be active yet: this is how the holder of a virtual card gets to see it. */
export function cardCvv2Inquiry(turn: Turn): WireFields {
  const card = livingCard(turn);
  const number = card.number.reveal();
  return { cardNumber: number, expiryDate: card.expiry, CVV2: turn.key.cvv2(number, card.expiry) };
}

/** The checks are those of every API that has a CVV2; 82: wrong. */
export function cardCvv2Verify(turn: Turn): WireFields {
  usableCard(turn);
  return {};
}

/**
 * Makes the next dynamic CVV of the card, which ends the one before. Asked again under its `tranId` it tells the one that
 * is good now, and makes one only where none is.
 */
export function generateDcvv(turn: Turn): WireFields {
  const card = usableCard(turn);
  if (turn.repeated && turn.nowMs < card.dcvvUntilMs) return {};
  const next = { ...card, dcvvCount: card.dcvvCount + 1, dcvvUntilMs: turn.nowMs + DCVV_VALID_MS };
  turn.store.records.cards.save(next);
  return {};
}

export function dcvvSecrets(turn: Turn): Fields {
  const card = turn.card && turn.store.cardByToken(turn.card.token);
  if (!card) throw new TypeError('an approved GenerateDCVV without its card');
  return { DCVV: turn.key.dcvv(card), validTime: String(card.dcvvUntilMs - turn.nowMs) };
}

/** The CVV2 of the card that an application issued, as it was then. */
export function issuedSecrets(turn: Turn, told: WireFields): Fields {
  const { cardNumber, expiryDate } = told;
  if (typeof cardNumber !== 'string' || typeof expiryDate !== 'string') throw new TypeError('a card was not told');
  return { CVV2: turn.key.cvv2(cardNumber, expiryDate) };
}
