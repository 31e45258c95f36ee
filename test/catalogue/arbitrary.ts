/**
 * Random good messages, generated from the rows of the catalogue themselves: a new row is covered without a line here.
 */

import fc from 'fast-check';
import { fieldRow, isFieldName } from '../../src/catalogue/fields.ts';
import { HEADER_PARTS } from '../../src/catalogue/header.ts';
import type { ApiRow, FieldType, Part } from '../../src/catalogue/row.ts';
import { namesOf } from '../../src/catalogue/shape.ts';
import { CURRENCY_CODES } from '../../src/domain/currencies.ts';
import type { WireFields, WireValue } from '../../src/domain/message.ts';
import { formatMoney } from '../../src/domain/money.ts';
import { holds } from './rows.ts';

/** The day that all generated messages are of, and its noon. */
export const TODAY = '20260615';
export const NOON_MS = Date.UTC(2026, 5, 15, 12);

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const textOf = (alphabet: string, min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });

const freeText = (max: number): fc.Arbitrary<string> =>
  fc.string({ unit: 'binary', minLength: 1, maxLength: Math.min(max, 40) }).filter(text => {
    const size = [...text].length;
    return size >= 1 && size <= max && text.isWellFormed() && !FORBIDDEN.test(text);
  });

const withCheckDigit = (body: string): string => {
  const sum = [...body]
    .reverse()
    .map((text, index) => (index % 2 === 0 ? Number(text) * 2 : Number(text)))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return body + String((10 - (sum % 10)) % 10);
};

const digitsOf = (type: FieldType & { kind: 'N' }): fc.Arbitrary<string> => {
  if (type.luhn) return textOf(DIGITS, (type.min ?? 1) - 1, type.max - 1).map(withCheckDigit);
  if (type.most !== undefined) return fc.integer({ min: 1, max: type.most }).map(String);
  return textOf(DIGITS, type.min ?? 1, type.max);
};

const dayOf = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map(date => date.toISOString().slice(0, 10).replaceAll('-', ''));
const timeOf = fc
  .integer({ min: 0, max: 86_399 })
  .map(second => new Date(second * 1_000).toISOString().slice(11, 19).replaceAll(':', ''));

/** A good value of the form; amounts are made afterwards, by `settleMoney`, when the currency is known. */
const goodValue = (type: FieldType): fc.Arbitrary<WireValue> => {
  switch (type.kind) {
    case 'AN':
      return freeText(type.max);
    case 'id':
      return textOf(`${LETTERS}${DIGITS}_-`, 1, type.max).filter(text => !text.startsWith('RV'));
    case 'N':
      return digitsOf(type);
    case 'N3':
      return fc.constantFrom(...CURRENCY_CODES);
    case 'A':
      return textOf(LETTERS, 1, type.max);
    case 'hex':
      return textOf('0123456789abcdefABCDEF', 1, Math.min(type.max, 64));
    case 'email':
      return textOf(LETTERS, 1, 20).map(name => `${name}@example.com`);
    case 'money':
      return fc.bigInt({ min: 1n, max: 10n ** 14n }).map(String);
    case 'date':
      return dayOf;
    case 'time':
      return timeOf;
    case 'datetime':
      return fc.tuple(dayOf, timeOf).map(parts => parts.join(''));
    case 'YYMM':
      return fc
        .tuple(textOf(DIGITS, 2, 2), fc.integer({ min: 1, max: 12 }))
        .map(([year, month]) => year + String(month).padStart(2, '0'));
    case 'enum':
      return fc.constantFrom(...Object.keys(type.values));
    case 'enums':
      return fc.subarray(Object.keys(type.values), { minLength: 1 });
  }
};

/** A value of every field of the parts, whether or not it may stand there together with the others. */
const everything = (parts: readonly Part[]): fc.Arbitrary<WireFields> => {
  const model: { [name: string]: fc.Arbitrary<WireValue> } = {};
  for (const part of parts) {
    for (const name of namesOf(part)) model[name] = goodValue(fieldRow(name).type);
    if ('list' in part) {
      // An optional list is there to say something.
      const minLength = part.need === 'required' ? 0 : 1;
      model[part.list] = fc.array(messageBy(part.of), { minLength, maxLength: 3 });
    }
  }
  return fc.record(model);
};

/** Which of the fields stay: all that are required, one of each choice, some of the others. */
const choose = (parts: readonly Part[], all: WireFields, dice: readonly number[]): WireFields => {
  const kept: { [name: string]: WireValue } = {};
  const keep = (name: string): void => {
    const value = all[name];
    if (value !== undefined) kept[name] = value;
  };
  parts.forEach((part, index) => {
    const roll = dice[index % dice.length] ?? 0;
    if ('oneOf' in part) keep(part.oneOf[roll % part.oneOf.length] ?? '');
    else if ('need' in part && (part.need === 'required' ? !('when' in part) : true)) {
      if (part.need === 'required' || roll % 2 === 0) keep('list' in part ? part.list : part.field);
    }
  });
  const optional = parts.flatMap(part =>
    'need' in part && part.need === 'optional' ? ['list' in part ? part.list : part.field] : [],
  );
  const asksForOne = parts.some(part => 'atLeastOne' in part);
  if (asksForOne && !optional.some(name => name in kept)) keep(optional[(dice[0] ?? 0) % optional.length] ?? '');
  for (const part of parts) {
    if (!('when' in part) || !holds(kept, part.when)) continue;
    if (part.need === 'required') keep(part.field);
    else delete kept[part.field];
  }
  return kept;
};

/** Writes the minor units of every amount in the message's currency for it, or in dollars where it has none. */
const settleMoney = (fields: WireFields): WireFields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (!isFieldName(name) || typeof value !== 'string') return [name, value];
      const { type } = fieldRow(name);
      if (type.kind !== 'money') return [name, value];
      const named = type.currency === undefined ? undefined : fields[type.currency];
      const currency = CURRENCY_CODES.find(code => code === (named ?? '840'));
      if (currency === undefined) throw new Error('no such currency');
      return [name, formatMoney({ minor: BigInt(value), currency })];
    }),
  );

const messageBy = (parts: readonly Part[]): fc.Arbitrary<WireFields> =>
  fc
    .tuple(everything(parts), fc.array(fc.nat(), { minLength: 40, maxLength: 40 }))
    .map(([all, dice]) => ({ all, chosen: choose(parts, all, dice) }))
    .map(({ chosen }) => settleMoney(chosen));

/** The own fields of a good request. */
export const anyRequest = (row: ApiRow): fc.Arbitrary<WireFields> => messageBy(row.request);

/** The own fields of a good reply, `recordNum` among them. */
export const anyReply = (row: ApiRow): fc.Arbitrary<WireFields> =>
  messageBy(row.response).map(fields =>
    Array.isArray(fields.recordList) ? { recordNum: String(fields.recordList.length), ...fields } : fields,
  );

/** A good header of today, of participant 100000. */
export const anyHeader: fc.Arbitrary<WireFields> = messageBy(HEADER_PARTS).map(header => ({
  ...header,
  participantId: '100000',
  tranDate: TODAY,
}));
