/**
 * The messages of an API as JSON Schemas, from the parts of its row: the fields by reference, and each rule between
 * fields as the keyword that says the same.
 */
import { type FieldName, fieldRow } from '../catalogue/fields.ts';
import { HEADER_PARTS } from '../catalogue/header.ts';
import { RECORDS_MAX } from '../catalogue/read.ts';
import type { ApiRow, Condition, Part } from '../catalogue/row.ts';
import { fieldSchema, sentence } from './fieldSchema.ts';
import { given, isMap, type Json, type JsonMap, ref } from './json.ts';

const requires = (...names: readonly string[]): JsonMap => ({ required: names });

/** In `not` and beside nothing else: linters want a name to be defined where it is required. */
const together = (...names: readonly string[]): JsonMap => ({
  properties: Object.fromEntries(names.map(name => [name, true])),
  ...requires(...names),
});

/** The consequence holds wherever the condition does. Not `if` and `then`, because fewer tools read those. */
const implication = (condition: JsonMap, consequence: JsonMap): JsonMap => ({
  anyOf: [{ not: condition }, consequence],
});

/** The rule of the part between fields, if it has one. */
const ruleOf = (part: Part, parts: readonly Part[]): JsonMap | undefined => {
  if ('oneOf' in part) return { oneOf: part.oneOf.map(name => requires(name)) };
  if ('atLeastOne' in part) {
    return { anyOf: parts.flatMap(other => ('need' in other && other.need === 'optional' ? [presence(other)] : [])) };
  }
  if (!('when' in part)) return undefined;
  const { field, need, when } = part;
  if ('present' in when) {
    return need === 'required'
      ? { dependentRequired: { [when.present]: [field] } }
      : { not: together(when.present, field) };
  }
  const condition = { properties: { [when.field]: { const: when.is } }, required: [when.field] };
  return implication(condition, need === 'required' ? requires(field) : { not: together(field) });
};

const presence = (part: Part): JsonMap => {
  if ('list' in part) return { ...requires(part.list), properties: { [part.list]: { minItems: 1 } } };
  return requires(...('field' in part ? [part.field] : []));
};

const conditionText = (condition: Condition): string =>
  'present' in condition ? `with \`${condition.present}\`` : `when \`${condition.field}\` is \`${condition.is}\``;

/** What the part says about its fields beyond their rows. */
const wordsOf = (part: Part): readonly string[] => {
  const said = 'note' in part && part.note !== undefined ? [sentence(part.note)] : [];
  if ('oneOf' in part) return [`Exactly one of ${part.oneOf.map(name => `\`${name}\``).join(' and ')}.`];
  if (!('when' in part)) return said;
  return [...said, `${part.need === 'required' ? 'Required' : 'Not allowed'} ${conditionText(part.when)}.`];
};

const fieldOf = (name: FieldName, words: readonly string[] = []): JsonMap => {
  const { description } = fieldSchema(fieldRow(name));
  return {
    ...ref('schemas', name),
    ...(words.length === 0 ? {} : { description: [description, ...words].join(' ') }),
  };
};

type Side = 'request' | 'response';

const propertiesOf = (part: Part, side: Side): JsonMap => {
  if ('field' in part) return { [part.field]: fieldOf(part.field, wordsOf(part)) };
  if ('oneOf' in part) return Object.fromEntries(part.oneOf.map(name => [name, fieldOf(name, wordsOf(part))]));
  if (!('list' in part)) return {};
  const items = objectOf(part.of, side);
  return {
    ...(side === 'response' ? { recordNum: fieldOf('recordNum') } : {}),
    [part.list]: { type: 'array', maxItems: RECORDS_MAX, description: 'The records.', items },
  };
};

const requiredOf = (part: Part, side: Side): readonly string[] => {
  if (!('need' in part) || part.need !== 'required' || 'when' in part) return [];
  if ('field' in part) return [part.field];
  return side === 'response' ? ['recordNum', part.list] : [part.list];
};

const rulesOf = (parts: readonly Part[]): readonly JsonMap[] =>
  parts.map(part => ruleOf(part, parts)).filter(rule => rule !== undefined);

/** A field that two parts name, once optional and once under a condition, keeps what either says about it. */
const allProperties = (parts: readonly Part[], side: Side): JsonMap => {
  const all: { [name: string]: Json } = {};
  for (const part of parts) {
    for (const [name, schema] of Object.entries(propertiesOf(part, side))) {
      const before = all[name];
      all[name] = isMap(before) && isMap(schema) ? { ...before, ...schema } : schema;
    }
  }
  return all;
};

/** `own`: the parts among which rules hold, where that is not all. */
const objectOf = (parts: readonly Part[], side: Side, own: readonly Part[] = parts): JsonMap => {
  const required = parts.flatMap(part => requiredOf(part, side));
  const rules = rulesOf(own);
  return {
    type: 'object',
    properties: allProperties(parts, side),
    ...given('required', required.length > 0 && required),
    ...given('allOf', rules.length > 0 && rules),
    // A request with a field that is not its own is refused; an answer may get more fields one day.
    ...(side === 'request' ? { additionalProperties: false } : {}),
  };
};

const AT_LEAST_ONE = 'At least one of its optional fields has to be there.';
const asksForOne = (parts: readonly Part[]): boolean => parts.some(part => 'atLeastOne' in part);

/** The request of the API: the header fields and its own. */
export const requestSchema = (row: ApiRow): JsonMap => ({
  description: [sentence(row.meaning), ...(asksForOne(row.request) ? [AT_LEAST_ONE] : [])].join(' '),
  ...objectOf([...HEADER_PARTS, ...row.request], 'request', row.request),
});

const ENVELOPE = ['responseCode', 'responseDesc'] as const;

/** What every answer with status 200 has: the header fields of its request, and the outcome. */
const ECHO: readonly Part[] = [...HEADER_PARTS, ...ENVELOPE.map(field => ({ field, need: 'required' as const }))];

/** The answer with status 200. Fields of its own are only promised with an approval. */
export const responseSchema = (row: ApiRow): JsonMap => {
  const own = row.response.flatMap(part => requiredOf(part, 'response'));
  const approved = { properties: { responseCode: { const: '00' } } };
  const rules = rulesOf(row.response);
  const promised = { ...given('required', own.length > 0 && own), ...given('allOf', rules.length > 0 && rules) };
  return {
    description: `The outcome of ${row.name}. What else is required is so with \`responseCode\` 00 alone.`,
    ...objectOf(ECHO, 'response'),
    properties: allProperties([...ECHO, ...row.response], 'response'),
    ...given('allOf', own.length + rules.length > 0 && [implication(approved, promised)]),
  };
};
