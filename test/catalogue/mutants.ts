/**
 * Bad messages made of a good one, from the rows of the catalogue themselves: a field left out, a value of another kind
 * or too long, a rule between fields broken. Each says which field has to be named.
 */

import { EXAMPLE_VALUES } from '../../src/catalogue/exampleValues.ts';
import { fieldRow } from '../../src/catalogue/fields.ts';
import type { ApiRow, FieldType, Part } from '../../src/catalogue/row.ts';
import type { JsonObject } from '../../src/catalogue/shape.ts';
import { namesOf } from '../../src/catalogue/shape.ts';
import { holds } from './rows.ts';

export type Mutant = {
  /** What was done, for the message of a failed test. */
  readonly what: string;
  /** As the answer has to name it, such as `recordList[0].limitAmount`. */
  readonly field: string;
  readonly wire: JsonObject;
};

/** What is changed of a message, or of one of its records. */
type Place = { readonly parts: readonly Part[]; readonly fields: JsonObject; readonly prefix: string };
type Change = { readonly what: string; readonly name: string; readonly fields: JsonObject };

const without = (fields: JsonObject, ...names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));

const isRequired = (part: Part, fields: JsonObject): boolean =>
  'need' in part && part.need === 'required' && (!('when' in part) || holds(fields, part.when));

const leftOut = ({ parts, fields }: Place): readonly Change[] =>
  parts.flatMap(part => {
    const leave = (name: string, ...gone: readonly string[]): Change[] => [
      { what: `without ${gone.join(' and ')}`, name, fields: without(fields, ...gone) },
    ];
    if ('oneOf' in part) return leave(part.oneOf[0] ?? '', ...part.oneOf);
    if ('field' in part) return isRequired(part, fields) ? leave(part.field, part.field) : [];
    if (!('atLeastOne' in part)) return [];
    const optional = parts.flatMap(other =>
      'need' in other && other.need === 'optional' ? ['list' in other ? other.list : other.field] : [],
    );
    return leave(optional[0] ?? '', ...optional);
  });

/** A value that has one character more than the field may have; undefined where its form has no longest one. */
const tooLong = (type: FieldType): string | undefined => {
  switch (type.kind) {
    case 'money':
      return '1'.repeat(17);
    case 'email':
      return `${'a'.repeat(type.max)}@example.com`;
    case 'AN':
    case 'id':
    case 'A':
      return 'A'.repeat(type.max + 1);
    case 'N':
    case 'hex':
      return '1'.repeat(type.max + 1);
    default:
      return undefined;
  }
};

/** Values of the right kind in a form that is wrong. */
const malformed = (type: FieldType): readonly unknown[] => {
  switch (type.kind) {
    case 'AN':
      return ['a\nb', 'a\u202eb'];
    case 'id':
      return ['a b', 'é', '../x'];
    case 'N':
      return ['1a', '１２３４', ' 123', ...(type.luhn ? ['4111111111111112'] : [])].concat(
        type.most === undefined ? [] : [String(type.most + 1)],
      );
    case 'N3':
      return ['84', '8400', '000', 'USD'];
    case 'A':
      return ['U1', ' US'];
    case 'hex':
      return ['0g', '0x1f'];
    case 'email':
      return ['a.example.com', 'a@b', 'a@b@c.example'];
    case 'money':
      return ['-1.00', '1e3', '1,00', ' 1', '1.00001', ...(type.positive ? ['0', '0.00'] : [])];
    case 'date':
      return ['20260230', '2026061', '2026-06-15'];
    case 'time':
      return ['240000', '12000', '12:00:00'];
    case 'datetime':
      return ['20300131', '20300231000000'];
    case 'YYMM':
      return ['2613', '2600', '12/30'];
    case 'enum':
      return ['?', 'toString', '__proto__'];
    case 'enums':
      return [...enumsMalformed(Object.keys(type.values)[0] ?? ''), ['?'], ['toString']];
  }
};

const enumsMalformed = (value: string): readonly unknown[] => [value, [], [value, value], [value, 1]];

/** Values of another kind than a string, or than a list of strings. */
const otherKind = (type: FieldType): readonly unknown[] => [
  ...[null, 12.5, 0, true, {}, ''],
  ...(type.kind === 'enums' ? [] : [[], ['a']]),
];

type BadValues = (type: FieldType) => readonly unknown[];

const badly =
  (values: BadValues) =>
  ({ parts, fields }: Place): readonly Change[] =>
    parts
      .flatMap(namesOf)
      .filter(name => fields[name] !== undefined)
      .flatMap(name =>
        values(fieldRow(name).type).map(value => ({
          what: `${name}: ${JSON.stringify(value)}`.slice(0, 60),
          name,
          fields: { ...fields, [name]: value },
        })),
      );

const brokenRules = ({ parts, fields }: Place): readonly Change[] => [
  { what: 'a field that there is not', name: 'notAField', fields: { ...fields, notAField: '1' } },
  ...parts.flatMap(part => {
    if ('oneOf' in part) {
      const all = Object.fromEntries(part.oneOf.map(name => [name, EXAMPLE_VALUES[name]]));
      return [{ what: `all of ${part.oneOf.join(', ')}`, name: part.oneOf[0] ?? '', fields: { ...fields, ...all } }];
    }
    if (!('when' in part) || part.need !== 'forbidden' || !holds(fields, part.when)) return [];
    const { field } = part;
    return [{ what: `${field} not allowed`, name: field, fields: { ...fields, [field]: EXAMPLE_VALUES[field] } }];
  }),
];

/** The message and each of its records. */
const placesOf = (row: ApiRow, wire: JsonObject): readonly Place[] => [
  { parts: row.request, fields: wire, prefix: '' },
  ...row.request.flatMap(part => {
    const records = 'list' in part ? wire[part.list] : undefined;
    if (!('list' in part) || !Array.isArray(records)) return [];
    return records.map((fields: JsonObject, index): Place => {
      const prefix = `${part.list}[${index}].`;
      return { parts: part.of, fields, prefix };
    });
  }),
];

const replaced = (wire: JsonObject, { prefix }: Place, fields: JsonObject): JsonObject => {
  const index = /\[(\d+)\]/.exec(prefix)?.[1];
  if (index === undefined || !Array.isArray(wire.recordList)) return fields;
  return { ...wire, recordList: wire.recordList.with(Number(index), fields) };
};

const mutantsBy =
  (change: (place: Place) => readonly Change[]) =>
  (row: ApiRow, good: JsonObject): readonly Mutant[] =>
    placesOf(row, good).flatMap(place =>
      change(place).map(({ what, name, fields }) => ({
        what: place.prefix + what,
        field: place.prefix + name,
        wire: replaced(good, place, fields),
      })),
    );

/** Without one of the fields that this message has to have. */
export const mutantsWithout = mutantsBy(leftOut);
/** With one value too long. */
export const mutantsTooLong = mutantsBy(badly(type => [tooLong(type)].filter(text => text !== undefined)));
/** With this for one of the values. */
export const mutantsWith = (value: unknown) => mutantsBy(badly(() => [value]));
const mutantsOfOtherKind = mutantsBy(badly(otherKind));
/** With one value in another form, or a rule between fields broken. */
const mutantsMalformed = mutantsBy(place => [...badly(malformed)(place), ...brokenRules(place)]);

export const allMutants = (row: ApiRow, good: JsonObject): readonly Mutant[] =>
  [mutantsWithout, mutantsTooLong, mutantsOfOtherKind, mutantsMalformed].flatMap(make => make(row, good));
