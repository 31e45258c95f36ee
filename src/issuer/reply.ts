/**
 * What an issuer's reply says about one message: a definite answer, or why it is none. Everything that an issuer sends
 * is hostile input; a reply counts only if it is well formed, belongs to this very transaction and leaves nothing open.
 */
import { checkOf } from '../catalogue/check.ts';
import type { ApiRow } from '../catalogue/row.ts';
import type { JsonObject } from '../catalogue/shape.ts';
import { readReply } from '../catalogue/validate.ts';
import { looksDerived } from '../domain/ids.ts';
import type { Message, WireFields } from '../domain/message.ts';
import { compareMoney, type Money, parseMoney } from '../domain/money.ts';
import type { Outcome, UnknownReason } from '../domain/outcome.ts';
import { isDefinite, meaningOf, type ResponseCode } from '../domain/responseCode.ts';
import { Secret } from '../domain/secret.ts';
import { readStrictJson } from '../edge/strictJson.ts';
import { codeFromIssuer } from './codes.ts';

/** Reads a complete reply with status 200 or 400. Pure; never throws. */
export function readIssuerReply(status: 200 | 400, body: Uint8Array, message: Message, row: ApiRow): Outcome {
  const json = readStrictJson(body);
  if (json.kind === 'fault') return unknown('garbage');
  const wire = json.value;
  if (!isEchoOf(message, wire)) return unknown('wrongEcho');
  const code = codeFromIssuer(wire.responseCode);
  // A code that is not in the contract says nothing, and neither does an approval of what failed verification.
  if (code === undefined || (status === 400 && code === '00')) return unknown('garbage');
  if (!isDefinite(code)) return unknown('openCode');
  const reading = readReply(row, wire, { approved: code === '00', currency: message.amount?.currency });
  if (reading.kind === 'badField') return unknown('badField');
  const doubt = code === '00' ? doubtAboutAmount(message, reading.fields) : undefined;
  if (doubt !== undefined) return unknown(doubt);
  const answer = { code, desc: descOf(wire.responseDesc, code), fields: new Secret(reading.fields) };
  return { kind: 'answered', status, answer };
}

const unknown = (reason: UnknownReason): Outcome => ({ kind: 'unknown', reason });

/** Whether the reply names this transaction and, where it names an amount or a currency, this transaction's. */
function isEchoOf(message: Message, wire: JsonObject): boolean {
  if (wire.participantId !== message.header.participantId || wire.tranId !== message.header.tranId) return false;
  if (message.amount === undefined) return true;
  const { tranAmount, tranCurrency } = wire;
  if (tranCurrency !== undefined && tranCurrency !== message.amount.currency) return false;
  // As it was sent, which nearly every reply repeats.
  if (tranAmount === message.fields.reveal().tranAmount) return true;
  const echoed = typeof tranAmount === 'string' ? parseMoney(tranAmount, message.amount.currency) : undefined;
  // One that is no amount at all is a bad field, which is found where the fields are read.
  return !isMoney(echoed) || compareMoney(echoed, message.amount) === 0;
}

const isMoney = (parsed: ReturnType<typeof parseMoney> | undefined): parsed is Money => typeof parsed === 'object';

/** What is doubtful about an approval that names the amount it approves. */
function doubtAboutAmount(message: Message, fields: WireFields): UnknownReason | undefined {
  const { approvedAmount } = fields;
  if (message.amount === undefined || typeof approvedAmount !== 'string') return undefined;
  const approved = parseMoney(approvedAmount, message.amount.currency);
  if (!isMoney(approved)) return 'badField';
  const compared = compareMoney(approved, message.amount);
  if (compared > 0) return 'wrongEcho';
  // An undo brings back what there was, which is less than asked where the original was approved in part.
  if (looksDerived(message.header.tranId)) return undefined;
  // An approval of nothing is no approval, whatever the caller allowed.
  const allowed = message.fields.reveal().partialAllowed === 'Y' && approved.minor > 0n;
  return compared < 0 && !allowed ? 'partialApproval' : undefined;
}

const descCheck = checkOf({ kind: 'AN', max: 120 });
/** Twelve digits or more, grouped or not: perhaps a card number, and the text is neither sealed nor masked. */
const PERHAPS_A_CARD = /\d(?:[ -]?\d){11}/;

/** The issuer's text where it is clean, otherwise ours. */
const descOf = (given: unknown, code: ResponseCode): string =>
  typeof given === 'string' && descCheck(given) === undefined && !PERHAPS_A_CARD.test(given) ? given : meaningOf(code);
