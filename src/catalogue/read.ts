/**
 * Reads a JSON object by a compiled shape: every value proved, every rule between fields checked, everything that is
 * wrong found in one pass. It never throws, whatever the object holds.
 */
import { type CurrencyCode, isCurrencyCode } from '../domain/currencies.ts';
import type { WireFields, WireValue } from '../domain/message.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import { moneyProblem } from './check.ts';
import { type Finding, nameable } from './finding.ts';
import type { FieldType } from './row.ts';
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

/** What became of one field: its value, what is wrong with it, or undefined where it is absent. */
type One = { readonly value: WireValue } | Problem | undefined;
type Problem = { readonly reason: string; readonly refusal?: RefusalReason | undefined };

/** Collects what is wrong; `prefix` is the path of a record, such as `recordList[0].`. */
type Place = { readonly mode: Mode; readonly findings: Finding[]; readonly prefix: string };

type MoneyType = FieldType & { readonly kind: 'money' };

/** Most records of one list: twice what a page may hold. */
export const RECORDS_MAX = 200;

const blame = (place: Place, name: string, { reason, refusal }: Problem): void => {
  place.findings.push({ field: place.prefix + name, reason, ...(refusal === undefined ? {} : { refusal }) });
};

const currencyOf = (type: MoneyType, wire: JsonObject, mode: Mode): CurrencyCode | undefined => {
  if (type.currency === undefined) return undefined;
  if (!has(wire, type.currency)) return mode.currency;
  const code = wire[type.currency];
  return typeof code === 'string' && isCurrencyCode(code) ? code : undefined;
};

const readMoney = (field: Field, type: MoneyType, text: string, wire: JsonObject, mode: Mode): One => {
  const problem = moneyProblem(text, currencyOf(type, wire, mode), type.positive === true);
  if (problem === undefined) return { value: text };
  return { reason: problem.reason, refusal: problem.isForm ? undefined : field.row.refusal };
};

const readText = (field: Field, text: string): One => {
  const reason = field.check(text);
  return reason === undefined ? { value: text } : { reason, refusal: field.row.refusal };
};

const readTexts = (field: Field, value: unknown): One => {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const texts = items.filter(item => typeof item === 'string');
  if (texts.length === 0 || texts.length < items.length) return { reason: 'must be a list of strings' };
  if (new Set(texts).size < texts.length) return { reason: 'must not name a value twice' };
  const reason = texts.map(field.check).find(broken => broken !== undefined);
  return reason === undefined ? { value: texts } : { reason };
};

/** Issuers leave free text empty where they have none, and the contract sets no least length for it. */
const isLeftEmpty = (field: Field, value: unknown, mode: Mode): boolean =>
  mode.of === 'reply' && value === '' && field.row.type.kind === 'AN';

const readField = (field: Field, wire: JsonObject, mode: Mode): One => {
  const { type } = field.row;
  const value = has(wire, field.name) ? wire[field.name] : undefined;
  if (value === undefined || isLeftEmpty(field, value, mode)) {
    return field.required && mode.complete ? { reason: 'is required' } : undefined;
  }
  if (type.kind === 'enums') return readTexts(field, value);
  if (typeof value !== 'string') return { reason: 'must be a string' };
  return type.kind === 'money' ? readMoney(field, type, value, wire, mode) : readText(field, value);
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

const readInto = (shape: Shape, wire: JsonObject, place: Place, known: ReadonlySet<string> | undefined): WireFields => {
  const fields: { [name: string]: WireValue } = {};
  const take = (name: string, one: One): void => {
    if (one === undefined) return;
    if ('value' in one) fields[name] = one.value;
    else blame(place, name, one);
  };
  for (const field of shape.fields) take(field.name, readField(field, wire, place.mode));
  if (shape.list !== undefined) {
    if (place.mode.of === 'reply') take('recordNum', readCount(shape.list, wire, place.mode));
    take('recordList', readRecords(shape.list, wire, place));
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
  for (const name of Object.keys(wire)) {
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
