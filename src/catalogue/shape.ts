/**
 * Compiles the parts of a message into a shape: the fields with their checks, the rules between fields, and the list of
 * records. It is done once when the process starts, so that no call pays for it.
 */
import type { RefusalReason } from '../domain/refusal.ts';
import { type Check, checkOf } from './check.ts';
import { type FieldName, fieldRow } from './fields.ts';
import type { Finding } from './finding.ts';
import type { Condition, FieldType, Part } from './row.ts';

/** A JSON object as parsed, with nothing proved about its values. */
export type JsonObject = { readonly [name: string]: unknown };

/** One field of a message, with what its row says in one flat form. */
export type Field = {
  readonly name: FieldName;
  readonly kind: FieldType['kind'];
  readonly check: Check;
  /** Set where the value is an amount. */
  readonly money: (FieldType & { readonly kind: 'money' }) | undefined;
  readonly refusal: RefusalReason | undefined;
  readonly required: boolean;
};
/** A rule between fields: what is wrong where it does not hold. */
export type Rule = (wire: JsonObject) => Finding | undefined;
export type List = { readonly required: boolean; readonly shape: Shape };

export type Shape = {
  readonly fields: readonly Field[];
  readonly rules: readonly Rule[];
  readonly list: List | undefined;
  /** The names that a request may have; a reply with records has `recordNum` as well. */
  readonly names: ReadonlySet<string>;
};

/** Whether the object has the field, whatever its value. */
export const has = (wire: JsonObject, name: string): boolean => Object.hasOwn(wire, name);

/** Whether the object says anything by this name: a list without an item does not. */
const says = (wire: JsonObject, name: string): boolean => {
  const value = has(wire, name) ? wire[name] : undefined;
  return value !== undefined && !(Array.isArray(value) && value.length === 0);
};

const holdsOf = (condition: Condition): ((wire: JsonObject) => boolean) => {
  if ('present' in condition) return wire => has(wire, condition.present);
  return wire => has(wire, condition.field) && wire[condition.field] === condition.is;
};

const conditionText = (condition: Condition): string =>
  'present' in condition ? `with ${condition.present}` : `when ${condition.field} is ${condition.is}`;

/** The fields that the part itself names; those of records are the list's. */
export const namesOf = (part: Part): readonly FieldName[] => {
  if ('field' in part) return [part.field];
  return 'oneOf' in part ? part.oneOf : [];
};

const isPlain = (part: Part): boolean => 'field' in part && !('when' in part);

const ruleOf = (part: Part, parts: readonly Part[]): Rule | undefined => {
  if ('oneOf' in part) {
    const [field = ''] = part.oneOf;
    const finding = { field, reason: `exactly one of ${part.oneOf.join(', ')} is required` };
    return wire => (countOf(part.oneOf, wire) === 1 ? undefined : finding);
  }
  if ('atLeastOne' in part) {
    const optional = parts.flatMap(other => ('need' in other && other.need === 'optional' ? optionalNames(other) : []));
    const finding = { field: optional[0] ?? '', reason: `at least one of ${optional.join(', ')} is required` };
    return wire => (optional.some(name => says(wire, name)) ? undefined : finding);
  }
  if (!('when' in part)) return undefined;
  const forbidden = part.need === 'forbidden';
  const text = `${forbidden ? 'is not allowed' : 'is required'} ${conditionText(part.when)}`;
  const finding = { field: part.field, reason: text };
  const holds = holdsOf(part.when);
  return wire => (holds(wire) && has(wire, part.field) === forbidden ? finding : undefined);
};

const countOf = (names: readonly string[], wire: JsonObject): number => {
  let count = 0;
  for (const name of names) if (has(wire, name)) count += 1;
  return count;
};

const optionalNames = (part: Part): readonly string[] => ('list' in part ? [part.list] : namesOf(part));

const compileList = (part: Part | undefined): List | undefined =>
  part !== undefined && 'list' in part
    ? { required: part.need === 'required', shape: compileShape(part.of) }
    : undefined;

/** Compiles the parts. Lists nest as deep as the catalogue writes them, which is one level. */
export const compileShape = (parts: readonly Part[]): Shape => {
  const list = compileList(parts.find(part => 'list' in part));
  const fields = parts.flatMap(part =>
    namesOf(part).map((name): Field => {
      const { type, refusal } = fieldRow(name);
      const money = type.kind === 'money' ? type : undefined;
      const required = isPlain(part) && 'need' in part && part.need === 'required';
      return { name, kind: type.kind, check: checkOf(type), money, refusal, required };
    }),
  );
  return {
    fields,
    rules: parts.map(part => ruleOf(part, parts)).filter(rule => rule !== undefined),
    list,
    names: new Set([...fields.map(field => field.name), ...(list === undefined ? [] : ['recordList'])]),
  };
};
