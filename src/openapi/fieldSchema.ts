/**
 * Each field of the contract as a JSON Schema (2020-12), from its row. A schema says as much of the form as a pattern
 * can; what only a calculation can tell (check digits, days of a month, decimals of a currency) is said in words.
 */

import type { DataClass, FieldRow, FieldType } from '../catalogue/row.ts';
import { CURRENCY_CODES } from '../domain/currencies.ts';
import { MONEY_DIGITS_MAX } from '../domain/money.ts';
import type { JsonMap } from './json.ts';

/** What callers have to know about fields that are protected. */
const PROTECTION: Readonly<Record<Exclude<DataClass, 'public'>, string>> = {
  pan: 'Card number: shown masked (first six, last four), sealed at rest.',
  pii: 'Personal data: never logged, sealed at rest.',
  sad: 'Sensitive authentication data: never logged and never stored, so that a repeated call is answered without it.',
};

/** No control character, and none of those that change the direction of text. */
const FREE_TEXT = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+$';
/** As much of it as tells an address from a name. */
const EMAIL = '^[^@]+@[^@.]+(\\.[^@.]+)+$';
const DAY = '[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])';
const TIME = '([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]';
/** The most decimals that a currency has. */
const DECIMALS_MAX = 4;
const MONEY = `^(?=[0-9.]{1,${MONEY_DIGITS_MAX + 1}}$)(0|[1-9][0-9]*)(\\.[0-9]{1,${DECIMALS_MAX}})?$`;
const MONEY_ABOVE_ZERO = MONEY.replace('^', '^(?=.*[1-9])');

const formed = (pattern: string, words: string): { schema: JsonMap; words: string } => ({
  schema: { type: 'string', pattern: `^${pattern}$` },
  words,
});

const alphabet = (letters: string, max: number, words: string, min = 1) => ({
  schema: { type: 'string', minLength: min, maxLength: max, pattern: `^${letters}+$` },
  words,
});

type Digits = FieldType & { readonly kind: 'N' };

const digits = ({ min, max, most, luhn }: Digits) => {
  const words = luhn ? 'Digits with a good check digit (Luhn).' : most === undefined ? 'Digits.' : `At most ${most}.`;
  return alphabet('[0-9]', max, words, min);
};

const money = (type: FieldType & { readonly kind: 'money' }) => ({
  schema: { type: 'string', maxLength: MONEY_DIGITS_MAX + 1, pattern: type.positive ? MONEY_ABOVE_ZERO : MONEY },
  words: `At most ${MONEY_DIGITS_MAX} digits, with no more decimals than ${type.currency === undefined ? 'its currency' : `\`${type.currency}\``} has, without leading zeros.`,
});

/** The values with what they mean, where that is more than their names. */
const valuesIn = (values: Readonly<Record<string, string>>): string => {
  const told = Object.entries(values).filter(([value, meaning]) => value !== meaning);
  return told.map(([value, meaning]) => `\`${value}\` ${meaning}`).join(', ');
};

const enumerated = (values: Readonly<Record<string, string>>): JsonMap => ({
  type: 'string',
  // Numeric names would otherwise be put first.
  enum: Object.keys(values).toSorted(),
});

const formOf = (type: FieldType): { readonly schema: JsonMap; readonly words: string } => {
  switch (type.kind) {
    case 'AN':
      return { schema: { type: 'string', minLength: 1, maxLength: type.max, pattern: FREE_TEXT }, words: '' };
    case 'id':
      return alphabet('[A-Za-z0-9_-]', type.max, '');
    case 'N':
      return digits(type);
    case 'N3':
      return { schema: { type: 'string', enum: CURRENCY_CODES.toSorted() }, words: '' };
    case 'A':
      return alphabet('[A-Za-z]', type.max, '');
    case 'hex':
      return alphabet('[0-9A-Fa-f]', type.max, 'Hexadecimal digits.');
    case 'email':
      return { schema: { type: 'string', format: 'email', maxLength: type.max, pattern: EMAIL }, words: '' };
    case 'money':
      return money(type);
    case 'date':
      return formed(DAY, '`YYYYMMDD`');
    case 'time':
      return formed(TIME, '`HHMMSS`');
    case 'datetime':
      return formed(DAY + TIME, '`YYYYMMDDHHMMSS`');
    case 'YYMM':
      return formed('[0-9]{2}(0[1-9]|1[0-2])', '`YYMM`');
    case 'enum':
      return { schema: enumerated(type.values), words: valuesIn(type.values) };
    case 'enums':
      return {
        schema: { type: 'array', minItems: 1, uniqueItems: true, items: enumerated(type.values) },
        words: valuesIn(type.values),
      };
  }
};

const BEGINS_WITH_NAME = /^[a-z]+[A-Z]/;

/** A sentence: a capital first, unless the name of a field is there, and a full stop last. */
export const sentence = (text: string): string =>
  `${BEGINS_WITH_NAME.test(text) ? text.charAt(0) : text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** The schema of a field, whatever message it is in. */
export const fieldSchema = (row: FieldRow): JsonMap => {
  const { schema, words } = formOf(row.type);
  const protection = row.data === undefined ? '' : PROTECTION[row.data];
  return {
    ...schema,
    description: [sentence(row.meaning), words, protection].filter(text => text !== '').join(' '),
    ...(row.default === undefined ? {} : { default: row.default }),
    ...(row.data === undefined ? {} : { 'x-data-class': row.data }),
  };
};
