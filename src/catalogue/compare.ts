/**
 * What makes a repeated `tranId` the same call or another one: the API's own fields, compared by meaning. Amounts count
 * by value, lists of values in any order, absent fields by their default, and sensitive authentication data not at all,
 * since it is never stored.
 */
import type { WireFields, WireValue } from '../domain/message.ts';
import { fieldRow } from './fields.ts';
import type { ApiRow, FieldRow, Part } from './row.ts';
import { namesOf } from './shape.ts';

/** The digits of a proved amount without the zeros that say nothing: 10, 10.0 and 10.00 are one value. */
const plainAmount = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

const meaningOf = (row: FieldRow, value: WireValue | undefined): string | undefined => {
  const given = value ?? row.default;
  if (given === undefined) return undefined;
  if (typeof given === 'string') return row.type.kind === 'money' ? plainAmount(given) : given;
  return JSON.stringify(Array.isArray(given) ? [...given].sort() : given);
};

const ownValue = (fields: WireFields, name: string): WireValue | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

const isRecord = (value: WireValue): value is WireFields => typeof value === 'object' && !Array.isArray(value);

const sameRecords = (parts: readonly Part[], a: WireValue | undefined, b: WireValue | undefined): boolean => {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  const [left, right]: readonly [readonly WireValue[], readonly WireValue[]] = [a, b];
  return (
    left.length === right.length &&
    left.every((record, index) => {
      const other = right[index];
      return other !== undefined && isRecord(record) && isRecord(other) && differing(parts, record, other).length === 0;
    })
  );
};

const differing = (parts: readonly Part[], a: WireFields, b: WireFields): string[] =>
  parts.flatMap(part => {
    if ('list' in part) return sameRecords(part.of, ownValue(a, part.list), ownValue(b, part.list)) ? [] : [part.list];
    return namesOf(part).filter(name => {
      const row = fieldRow(name);
      return row.data !== 'sad' && meaningOf(row, ownValue(a, name)) !== meaningOf(row, ownValue(b, name));
    });
  });

/** The catalogue names of the own fields in which two proved messages of one API differ, in the catalogue's order. */
export const differingFields = (row: ApiRow, a: WireFields, b: WireFields): string[] => differing(row.request, a, b);
