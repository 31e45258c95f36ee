/**
 * Out-of-band authentication: the cardholder is asked on another device. In the sandbox nobody is asked; who rehearses
 * answers in the cardholder's place at `POST /_sandbox/oob/{oobRefNo}`.
 */
import type { WireFields } from '../../domain/message.ts';
import type { OutOfBand } from '../store/records.ts';
import { Decline, type Turn } from '../turn.ts';
import { securedCard } from './passwords.ts';

const VALID_MS = 5 * 60 * 1_000;
/** No cardholder stands at a checkout for longer; a `validTime` beyond it means this. */
const VALID_MAX_MS = 15 * 60 * 1_000;

/** 57: the card is not registered for 3-D Secure. */
export function startOobAuthen(turn: Turn): WireFields {
  const { root } = securedCard(turn);
  const { participantId, nowMs, fields } = turn;
  const refNo = turn.newId();
  const validMs = Math.min(Number(fields.validTime ?? VALID_MS), VALID_MAX_MS);
  turn.store.records.oobs.save({
    refNo,
    participantId,
    root,
    acsTransId: fields.acsTransId ?? '',
    startedAtMs: nowMs,
    validUntilMs: nowMs + validMs,
    result: undefined,
  });
  return { oobRefNo: refNo };
}

/** 25: the participant has none under this reference. */
export function oobResultInquiry(turn: Turn): WireFields {
  const { oobRefNo = '' } = turn.fields;
  const asked = turn.store.records.oobs.find({ refNo: oobRefNo, participantId: turn.participantId });
  if (!asked) throw new Decline('25');
  return { oobResult: resultOf(asked, turn.nowMs) };
}

export type OobResult = 'Y' | 'N' | 'P' | 'E';

/** What the cardholder answered; expired where none came in time, else pending. */
export function resultOf({ result, validUntilMs }: OutOfBand, nowMs: number): OobResult {
  if (result === 'Y' || result === 'N') return result;
  return nowMs < validUntilMs ? 'P' : 'E';
}
