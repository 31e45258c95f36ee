/**
 * What came in, as the issuer saw it: a bounded list of the last calls, with card numbers masked and CVV2, PIN blocks
 * and the like left out. It is the independent witness of what a gateway really sent, and how often.
 */
import { fieldRow, isFieldName } from '../catalogue/fields.ts';
import { maskPan } from '../domain/card.ts';
import type { WireFields, WireValue } from '../domain/message.ts';
import type { FaultName } from './faults.ts';

/** A few megabytes; a test of a thousand calls sees all of its own. */
export const REQUESTS_KEPT = 10_000;

/** One call. It is written when the call arrives and completed as it goes on. */
export type SeenRequest = {
  readonly no: number;
  readonly at: string;
  readonly api: string;
  readonly participantId?: string;
  readonly tranId?: string;
  readonly originalTranId?: string;
  /** The header `Repeat: true` was there. */
  readonly repeat: boolean;
  readonly deadlineMs?: string;
  readonly idempotencyKey?: string;
  /** The API's own fields, masked. */
  readonly fields: WireFields;
  fault?: FaultName;
  /** Whether the ledger decided it for the first time, said a decision again, or never saw it. */
  ledger: 'decided' | 'replayed' | 'none';
  responseCode?: string;
  /** What was sent back: `open` while nothing was, `gone` where the caller had left before. */
  reply: 'open' | 'reset' | 'gone' | number;
};

export class RequestLog {
  #seen: SeenRequest[] = [];
  #count = 0;

  /** Notes a call and gives its record, which the caller completes. */
  add(request: Omit<SeenRequest, 'no' | 'ledger' | 'reply'>): SeenRequest {
    this.#count += 1;
    const seen: SeenRequest = { no: this.#count, ...request, ledger: 'none', reply: 'open' };
    this.#seen.push(seen);
    // Dropped by the half, so that a full list does not cost a copy for each call.
    if (this.#seen.length >= 2 * REQUESTS_KEPT) this.#seen = this.#seen.slice(-REQUESTS_KEPT);
    return seen;
  }

  /** The last calls, newest last. */
  list(): readonly SeenRequest[] {
    return this.#seen.slice(-REQUESTS_KEPT);
  }
}

/**
 * The fields as they may be shown, at any depth: card numbers masked, sensitive authentication data and unknown names left
 * out.
 */
export function masked(fields: WireFields): WireFields {
  const shown = Object.entries(fields).flatMap(([name, value]) => {
    if (name === LIST) return [[name, shownItems(value)]];
    if (!isFieldName(name)) return [];
    const { data } = fieldRow(name);
    if (data === 'sad') return [];
    return [[name, typeof value === 'string' && data === 'pan' ? maskPan(value) : value]];
  });
  return Object.fromEntries(shown);
}

/** The one name of the contract that is no field: the list of records. */
const LIST = 'recordList';

const shownItems = (list: WireValue): readonly WireFields[] =>
  (Array.isArray(list) ? list : []).flatMap(record => (isRecord(record) ? [masked(record)] : []));

const isRecord = (value: WireValue): value is WireFields => typeof value === 'object' && !Array.isArray(value);
