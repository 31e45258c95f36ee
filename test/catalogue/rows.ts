/**
 * Rows and messages that the tests of the catalogue start from.
 */
import fc from 'fast-check';
import { APIS, apiByName } from '../../src/catalogue/apis.ts';
import type { FieldName } from '../../src/catalogue/fields.ts';
import type { ApiRow, Condition, Part } from '../../src/catalogue/row.ts';
import { type JsonObject, namesOf } from '../../src/catalogue/shape.ts';
import { validateRequest } from '../../src/catalogue/validate.ts';
import { type CurrencyCode, isCurrencyCode } from '../../src/domain/currencies.ts';

export const api = (name: string): ApiRow => {
  const row = apiByName(name);
  if (row === undefined) throw new Error(`no API ${name}`);
  return row;
};
export const usd = (): CurrencyCode => {
  const code = '840';
  if (!isCurrencyCode(code)) throw new Error('no dollars');
  return code;
};
export const anyRow = fc.constantFrom(...APIS);
export const PAN = '4111111111111111';
export const AMOUNT = { tranAmount: '12.50', tranCurrency: '840' };
export const PURCHASE = { cardToken: 'tok', ...AMOUNT };

/** The names of the fields that are wrong, each once. */
export const wrong = (row: ApiRow, wire: JsonObject): readonly string[] => [
  ...new Set(validateRequest(row, wire).findings.map(finding => finding.field)),
];

/** Whether the condition is met in a message. */
export const holds = (fields: JsonObject, condition: Condition): boolean =>
  'present' in condition ? fields[condition.present] !== undefined : fields[condition.field] === condition.is;

/** The names of all fields of the parts, those of records among them. */
export const named = (parts: readonly Part[]): readonly FieldName[] =>
  parts.flatMap(part => ('list' in part ? named(part.of) : namesOf(part)));
