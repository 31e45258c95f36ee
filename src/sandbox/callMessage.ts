/**
 * Builds the message of a demo call from what was typed: `name=value` fields of one API, header fields filled in. What
 * is not in the catalogue is answered with what may have been meant.
 */
import { APIS, apiByName } from '../catalogue/apis.ts';
import { fieldRow, isFieldName } from '../catalogue/fields.ts';
import { HEADER_NAMES } from '../catalogue/header.ts';
import type { ApiRow, Part } from '../catalogue/row.ts';
import type { WireFields, WireValue } from '../domain/message.ts';
import { dayOf, timeOf } from './calendar.ts';

/** What is wrong with what was typed, in a sentence for the person who typed it. */
export class UsageError extends Error {}

export type CallDefaults = {
  readonly participantId: string;
  /** For an API that needs a card, where none was typed. */
  readonly cardToken: string;
  readonly tranId: string;
  readonly nowMs: number;
};

/** The row of the API that was typed. */
export function typedApi(name: string): ApiRow {
  const row = apiByName(name);
  if (row) return row;
  const names = APIS.map(api => api.name);
  throw new UsageError(`There is no API ${name}. ${suggestion(name, names) ?? `There are ${names.join(', ')}.`}`);
}

/** The `name=value` words as fields of the API or of the header. */
export function typedFields(row: ApiRow, words: readonly string[]): WireFields {
  const known = [...row.request.flatMap(namesOf), ...HEADER_NAMES];
  const fields = new Map<string, WireValue>();
  for (const word of words) {
    const at = word.indexOf('=');
    if (at <= 0) throw new UsageError(`${word} is no field: fields are written name=value.`);
    const name = word.slice(0, at);
    if (!known.includes(name)) {
      const hint = suggestion(name, known) ?? `Its fields are ${known.join(', ')}.`;
      throw new UsageError(`${row.name} has no field ${name}. ${hint}`);
    }
    if (fields.has(name)) throw new UsageError(`${name} is there twice.`);
    fields.set(name, typedValue(name, word.slice(at + 1)));
  }
  return Object.fromEntries(fields);
}

/** The whole message: the nine header fields, what was typed, and the first demo card where a card is missing. */
export function callMessage(row: ApiRow, typed: WireFields, defaults: CallDefaults): WireFields {
  const header = {
    participantId: defaults.participantId,
    tranBranch: '000001',
    tranChnl: '08',
    tranCode: row.name,
    tranDate: dayOf(defaults.nowMs),
    tranTime: timeOf(defaults.nowMs),
    tranId: defaults.tranId,
    tellerNo: 'demo',
    terminalNo: 'demo',
  };
  const takesCard = row.request.flatMap(namesOf).includes('cardToken');
  const namesCard = 'cardToken' in typed || 'cardNumber' in typed;
  return { ...header, ...(takesCard && !namesCard && { cardToken: defaults.cardToken }), ...typed };
}

/** A list of records is typed in JSON, a list of words with commas between them, anything else as it is. */
function typedValue(name: string, text: string): WireValue {
  if (name === 'recordList') return typedRecords(text);
  return isFieldName(name) && fieldRow(name).type.kind === 'enums' ? text.split(',') : text;
}

const typedRecords = (text: string): WireValue => {
  try {
    const value: unknown = JSON.parse(text);
    // What is in the list is left to the gateway to judge.
    if (Array.isArray(value)) return value;
  } catch {
    // The sentence below says what is wrong.
  }
  throw new UsageError(
    `recordList is a list of records in JSON: recordList='[{"cardLimitType":"PD","limitCount":"5"}]'`,
  );
};

const namesOf = (part: Part): readonly string[] => {
  if ('field' in part) return [part.field];
  if ('list' in part) return [part.list];
  return 'oneOf' in part ? part.oneOf : [];
};

/** Names further away than this are other names, not slips. */
const SLIPS_MAX = 3;

function suggestion(typed: string, names: readonly string[]): string | undefined {
  const near = names
    .map(name => ({ name, far: distance(typed.slice(0, 40).toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.min(SLIPS_MAX, name.length / 2))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ name }) => name);
  return near.length === 0 ? undefined : `Did you mean ${near.join(' or ')}?`;
}

/** How many letters must be put in, left out or changed to make one of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, changed));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
