/**
 * Reads a JSON object by a compiled shape: every value proved, every rule between fields checked, everything that is
 * wrong found in one pass. It never throws, whatever the object holds.
 */
import { type CurrencyCode, isCurrencyCode } from '../domain/currencies.ts';
import type { WireFields, WireValue } from '../domain/message.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import { type Check, moneyProblem } from './check.ts';
import { type Finding, nameable } from './finding.ts';
import type { MoneyCurrency } from './row.ts';
import { type Field, has, type JsonObject, type List, type Shape } from './shape.ts';

/** How an object is read. What is not listed is wrong in a request and left out of a reply. */
export type Mode = {
  readonly of: 'request' | 'reply';
  /** Whether required fields must be there. */
  readonly complete: boolean;
  /** The currency of amounts whose own currency field is absent. */
  readonly currency: CurrencyCode | undefined;
};

/** The fields whose values are well formed, and everything that is wrong. */
export type Reading = { readonly fields: WireFields; readonly findings: readonly Finding[] };

type Problem = { readonly reason: string; readonly refusal?: RefusalReason | undefined };
/** What became of a list: its value, what is wrong with it, or undefined where it is absent. */
type One = { readonly value: WireValue } | Problem | undefined;

/** Collects what is wrong; `prefix` is the path of a record, such as `recordList[0].`. */
type Place = { readonly mode: Mode; readonly findings: Finding[]; readonly prefix: string };

type Fields = { [name: string]: WireValue };

/** Most records of one list: twice what a page may hold. */
export const RECORDS_MAX = 200;

const blame = (place: Place, name: string, { reason, refusal }: Problem): void => {
  place.findings.push({ field: place.prefix + name, reason, ...(refusal === undefined ? {} : { refusal }) });
};

const currencyOf = (name: MoneyCurrency | undefined, wire: JsonObject, mode: Mode): CurrencyCode | undefined => {
  if (name === undefined) return undefined;
  if (!has(wire, name)) return mode.currency;
  const code = wire[name];
  return typeof code === 'string' && isCurrencyCode(code) ? code : undefined;
};

const textsProblem = (check: Check, value: unknown): Problem | undefined => {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const texts = items.filter(item => typeof item === 'string');
  if (texts.length === 0 || texts.length < items.length) return { reason: 'must be a list of strings' };
  if (new Set(texts).size < texts.length) return { reason: 'must not name a value twice' };
  const reason = texts.map(check).find(broken => broken !== undefined);
  return reason === undefined ? undefined : { reason };
};

/** What is wrong with a value that is there. */
const problemOf = (field: Field, value: unknown, wire: JsonObject, mode: Mode): Problem | undefined => {
  const { check, money, refusal } = field;
  if (field.kind === 'enums') return textsProblem(check, value);
  if (typeof value !== 'string') return { reason: 'must be a string' };
  if (money) {
    const problem = moneyProblem(value, currencyOf(money.currency, wire, mode), money.positive === true);
    return problem && { reason: problem.reason, refusal: problem.isForm ? undefined : refusal };
  }
  const reason = check(value);
  return reason === undefined ? undefined : { reason, refusal };
};

/** Issuers leave free text empty where they have none, and the contract sets no least length for it. */
const isLeftEmpty = ({ kind }: Field, value: unknown, mode: Mode): boolean =>
  value === '' && kind === 'AN' && mode.of === 'reply';

/** Reads one field into `fields`. */
const readField = (field: Field, wire: JsonObject, place: Place, fields: Fields): void => {
  const { name } = field;
  const { mode } = place;
  const value = wire[name];
  if (value === undefined || !has(wire, name) || isLeftEmpty(field, value, mode)) {
    if (field.required && mode.complete) blame(place, name, { reason: 'is required' });
    return;
  }
  const problem = problemOf(field, value, wire, mode);
  if (problem) blame(place, name, problem);
  // A value without a problem is a string, or a list of strings.
  else fields[name] = value as WireValue;
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const readRecords = (list: List, wire: JsonObject, place: Place): One => {
  const value = has(wire, 'recordList') ? wire.recordList : undefined;
  if (value === undefined) return list.required && place.mode.complete ? { reason: 'is required' } : undefined;
  if (!Array.isArray(value)) return { reason: 'must be a list of records' };
  const records: readonly unknown[] = value;
  if (records.length > RECORDS_MAX) return { reason: `must have at most ${RECORDS_MAX} records` };
  return {
    value: records.map((record, index) => readRecord(list, record, `${place.prefix}recordList[${index}]`, place)),
  };
};

const readRecord = (list: List, record: unknown, path: string, place: Place): WireFields => {
  if (isObject(record)) return readInto(list.shape, record, { ...place, prefix: `${path}.` }, list.shape.names);
  place.findings.push({ field: path, reason: 'must be a record' });
  return {};
};

/** `recordNum` of a reply says how many records the page has. */
const readCount = (list: List, wire: JsonObject, mode: Mode): One => {
  const count = has(wire, 'recordNum') ? wire.recordNum : undefined;
  if (count === undefined) return list.required && mode.complete ? { reason: 'is required' } : undefined;
  const records = wire.recordList;
  const right = typeof count === 'string' && count === String(Array.isArray(records) ? records.length : 0);
  return right ? { value: count } : { reason: 'must be the number of records in recordList' };
};

const take = (name: string, one: One, place: Place, fields: Fields): void => {
  if (one === undefined) return;
  if ('value' in one) fields[name] = one.value;
  else blame(place, name, one);
};

const readInto = (shape: Shape, wire: JsonObject, place: Place, known: ReadonlySet<string> | undefined): WireFields => {
  const fields: Fields = {};
  for (const field of shape.fields) readField(field, wire, place, fields);
  if (shape.list !== undefined) {
    if (place.mode.of === 'reply') take('recordNum', readCount(shape.list, wire, place.mode), place, fields);
    take('recordList', readRecords(shape.list, wire, place), place, fields);
  }
  if (place.mode.of === 'request') checkWhole(shape, wire, place, known);
  return fields;
};

const checkWhole = (shape: Shape, wire: JsonObject, place: Place, known: ReadonlySet<string> | undefined): void => {
  for (const rule of shape.rules) {
    const finding = rule(wire);
    if (finding !== undefined) blame(place, finding.field, finding);
  }
  if (known === undefined) return;
  for (const name in wire) {
    if (!known.has(name)) blame(place, nameable(name), { reason: 'is not a field of this message' });
  }
};

/**
 * Reads the object by the shape. `known` are all the names that a request may have at its top, the shape's own among
 * them; without it anything may stand beside the shape's fields.
 */
export const readShape = (shape: Shape, wire: JsonObject, mode: Mode, known?: ReadonlySet<string>): Reading => {
  const findings: Finding[] = [];
  const fields = readInto(shape, wire, { mode, findings, prefix: '' }, known);
  return { fields, findings };
};
