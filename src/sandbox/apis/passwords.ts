/**
 * One-time passwords. The sandbox sends no message: who rehearses reads the password at the demo issuer's own endpoint,
 * `GET /_sandbox/otp/{otpRefNo}`. It is derived from its reference and kept nowhere.
 */
import { timingSafeEqual } from 'node:crypto';
import type { WireFields } from '../../domain/message.ts';
import type { Card } from '../store/records.ts';
import { Decline, livingCard, type Turn } from '../turn.ts';

const VALID_MS = 5 * 60 * 1_000;
const TRIES = 3;
/** So many passwords for one card in so long, past it 65: whoever can have a message sent can flood a telephone. */
const SENT_MAX = 10;
const SENT_WITHIN_MS = 10 * 60 * 1_000;

/** The card, registered for 3-D Secure and not blocked: 57 where it is not registered. */
export function securedCard(turn: Turn): Card {
  const card = livingCard(turn);
  if (card.cardStatus !== 'N' || card.blockStatus !== 'N') throw new Decline('03');
  if (card.secureBy === undefined) throw new Decline('57');
  return card;
}

/** Ends the passwords that were sent for the card before. 57: there is no number or address to send it to. */
export function sendOtp(turn: Turn): WireFields {
  const card = securedCard(turn);
  const { participantId, nowMs, store } = turn;
  const sentBy = turn.fields.otpType ?? 'S';
  if (!isReachable(turn, card, sentBy)) throw new Decline('57');
  if (store.records.otpsSince(card.root, nowMs - SENT_WITHIN_MS) >= SENT_MAX) throw new Decline('65');
  store.records.endOtps(card.root);
  const refNo = turn.newId();
  const { root } = card;
  const validUntilMs = nowMs + VALID_MS;
  store.records.otps.save({ refNo, participantId, root, sentBy, sentAtMs: nowMs, validUntilMs, tries: 0, used: false });
  return { otpRefNo: refNo, validTime: String(VALID_MS) };
}

function isReachable(turn: Turn, card: Card, sentBy: string): boolean {
  const { participantId, customerId } = card;
  const customer = turn.store.records.customers.find({ participantId, customerId });
  const where = sentBy === 'E' ? (card.secureEmail ?? customer?.email) : (card.secureMobile ?? customer?.mobile);
  return where !== undefined;
}

/**
 * Verifies a password, once. 25: the card has none under this reference; 12: it was verified before, is past its time, or
 * another one was sent since; 55: wrong; 75: three wrong ones, after which the right one does not help.
 */
export function verifyOtp(turn: Turn): WireFields {
  const card = livingCard(turn);
  const { otpRefNo = '', otp = '' } = turn.fields;
  const { otps } = turn.store.records;
  const sent = otps.find({ refNo: otpRefNo, participantId: turn.participantId });
  if (sent?.root !== card.root) throw new Decline('25');
  if (sent.used || turn.nowMs >= sent.validUntilMs) throw new Decline('12');
  if (sent.tries >= TRIES) throw new Decline('75');
  const right = isSameText(otp, turn.key.otp(sent.refNo));
  otps.save({ ...sent, used: right, tries: right ? sent.tries : sent.tries + 1 });
  if (!right) throw new Decline('55');
  return {};
}

function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
