/**
 * Proves a request: from the caller's bytes to a `Message` behind which nothing is looked at twice. Everything that is
 * wrong is told at once, by field and rule, never by value; the refusal's code says what kind of thing is wrong.
 */
import type { FieldName } from '../catalogue/fields.ts';
import type { Finding } from '../catalogue/finding.ts';
import { BODY } from '../catalogue/finding.ts';
import { messageOf } from '../catalogue/message.ts';
import type { ApiRow } from '../catalogue/row.ts';
import type { JsonObject } from '../catalogue/shape.ts';
import { validateHeader, validateRequest } from '../catalogue/validate.ts';
import { BODY_BYTES_MAX, HOUR_MS, TRAN_DATE_MARGIN_HOURS } from '../config/limits.ts';
import { dayStartMs } from '../domain/dates.ts';
import { looksDerived } from '../domain/ids.ts';
import type { Message, WireFields, WireValue } from '../domain/message.ts';
import { type FieldError, Refusal, type RefusalReason } from '../domain/refusal.ts';
import { readStrictJson } from './strictJson.ts';

/** Most errors of one answer: as many as a message may have names. */
const ERRORS_MAX = 200;

export type ParseContext = {
  /** The participants that the client may speak for. */
  readonly participants: ReadonlySet<string>;
  /** Now, in milliseconds since 1970, UTC. */
  readonly wallMs: number;
  /** How long the journal keeps an entry. */
  readonly retentionHours: number;
};

/** The message, or a thrown `Refusal` with every error and the header fields that could be read. */
export function parseMessage(row: ApiRow, body: Uint8Array, context: ParseContext): Message {
  const wire = readBody(body);
  const header = validateHeader(wire);
  const own = validateRequest(row, wire);
  const { tranId } = header.fields;
  const { originalTranId } = own.fields;
  const findings = [
    participantFinding(header.fields, context.participants),
    ...header.findings,
    dateFinding(row, header.fields, context),
    derivedFinding('tranId', tranId),
    derivedFinding('originalTranId', originalTranId),
    selfFinding(tranId, originalTranId),
    ...own.findings,
  ].filter(one => one !== undefined);
  if (findings.length > 0) throw new Refusal(reasonOf(findings), errorsOf(findings), header.fields);
  return messageOf(row, header.fields, own.fields);
}

/** The header fields of a body that could be read, for the answer to a call that is refused before it is parsed. */
export function readHeaderFields(body: Uint8Array): WireFields {
  if (body.byteLength > BODY_BYTES_MAX) return {};
  const reading = readStrictJson(body);
  return reading.kind === 'object' ? validateHeader(reading.value).fields : {};
}

const readBody = (body: Uint8Array): JsonObject => {
  if (body.byteLength > BODY_BYTES_MAX) {
    throw new Refusal('http', [{ field: BODY, reason: `must be at most ${BODY_BYTES_MAX} bytes` }]);
  }
  const reading = readStrictJson(body);
  if (reading.kind === 'fault') throw new Refusal('format', [reading.error]);
  return reading.value;
};

const participantFinding = (header: WireFields, participants: ReadonlySet<string>): Finding | undefined => {
  const { participantId } = header;
  if (typeof participantId !== 'string' || participants.has(participantId)) return undefined;
  return { field: 'participantId', reason: 'is not a participant of this client', refusal: 'invalidParticipant' };
};

const dateFinding = (row: ApiRow, header: WireFields, context: ParseContext): Finding | undefined => {
  const { tranDate } = header;
  const startMs = typeof tranDate === 'string' ? dayStartMs(tranDate) : undefined;
  if (startMs === undefined) return undefined;
  const ageMs = context.wallMs - startMs;
  if (ageMs < -TRAN_DATE_MARGIN_HOURS * HOUR_MS) {
    return { field: 'tranDate', reason: `must not be more than ${TRAN_DATE_MARGIN_HOURS} hours ahead` };
  }
  const hours = context.retentionHours - TRAN_DATE_MARGIN_HOURS;
  // A Reversal undoes at most once however often it runs, and must still be possible when its original is old.
  if (row.class === 'reversal' || ageMs < hours * HOUR_MS) return undefined;
  return { field: 'tranDate', reason: `must be less than ${hours} hours ago` };
};

const DERIVED = 'must not be RV and 30 characters of base32, which the gateway derives';

const derivedFinding = (field: FieldName, id: WireValue | undefined): Finding | undefined =>
  typeof id === 'string' && looksDerived(id) ? { field, reason: DERIVED } : undefined;

const selfFinding = (tranId: WireValue | undefined, original: WireValue | undefined): Finding | undefined => {
  if (original === undefined || original !== tranId) return undefined;
  return { field: 'originalTranId', reason: 'must not be the tranId of this message' };
};

/**
 * A participant of somebody else is told before anything; a card, token or amount has its own code only where nothing
 * else is wrong; all the rest is a format error.
 */
const reasonOf = (findings: readonly Finding[]): RefusalReason => {
  if (findings.some(finding => finding.refusal === 'invalidParticipant')) return 'invalidParticipant';
  const reasons = new Set(findings.map(finding => finding.refusal ?? 'format'));
  const [reason = 'format'] = reasons;
  return reasons.size === 1 ? reason : 'format';
};

/** Without the refusals, each error once: names that are not repeated all read `body`. */
const errorsOf = (findings: readonly Finding[]): readonly FieldError[] => {
  const distinct = new Map(findings.map(({ field, reason }) => [`${field} ${reason}`, { field, reason }]));
  return [...distinct.values()].slice(0, ERRORS_MAX);
};
