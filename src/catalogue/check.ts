/**
 * Whether one value has the form of its field: each check takes the text exactly as sent and gives the rule that it
 * breaks, never the value. Nothing is trimmed, folded or guessed.
 */
import { isPan } from '../domain/card.ts';
import { type CurrencyCode, exponentOf, isCurrencyCode } from '../domain/currencies.ts';
import { dayStartMs, isDayAndTime, isExpiry, isTimeOfDay } from '../domain/dates.ts';
import { MONEY_DIGITS_MAX, type MoneyFault, moneyFault } from '../domain/money.ts';
import type { FieldType } from './row.ts';

/** The rule that the text breaks; undefined where it is well formed. */
export type Check = (text: string) => string | undefined;

const DIGITS = /^[0-9]+$/;
const LETTERS = /^[A-Za-z]+$/;
const HEX = /^[0-9A-Fa-f]+$/;
const ID = /^[A-Za-z0-9_-]+$/;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
/** Control characters, and the controls of the Unicode bidirectional algorithm (UAX 9), which make text lie. */
const FORBIDDEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
/** The form that HTML asks of an e-mail address: linear to match, and no more is needed to hand it on. */
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/;

const when = (holds: (text: string) => boolean, reason: string): Check => {
  return text => (holds(text) ? undefined : reason);
};

/** Letters of one alphabet, from `min` to `max` of them. */
const letters = (alphabet: RegExp, what: string, max: number, min = 1): Check => {
  const size = min === max ? `${max}` : `${min} to ${max}`;
  return when(text => text.length >= min && text.length <= max && alphabet.test(text), `must be ${size} ${what}`);
};

const codePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

const freeText = (max: number): Check => {
  const size = `must be 1 to ${max} characters`;
  return text => {
    // A code point is at most two units, so that a long text is not walked through to be refused.
    if (text.length === 0 || text.length > 2 * max) return size;
    if (PRINTABLE_ASCII.test(text)) return text.length > max ? size : undefined;
    if (!text.isWellFormed()) return 'must not have a lone surrogate';
    if (FORBIDDEN.test(text)) return 'must not have control or bidirectional characters';
    return codePoints(text) > max ? size : undefined;
  };
};

type Digits = FieldType & { readonly kind: 'N' };

const digits = ({ min, max, most, luhn }: Digits): Check => {
  const form = letters(DIGITS, 'digits', max, min);
  if (luhn) return text => form(text) ?? (isPan(text) ? undefined : 'must pass the Luhn check');
  if (most !== undefined) return text => form(text) ?? (Number(text) <= most ? undefined : `must be at most ${most}`);
  return form;
};

const email = (max: number): Check =>
  when(text => text.length <= max && EMAIL.test(text), `must be an e-mail address of at most ${max} characters`);

const enumerated = (values: Readonly<Record<string, string>>): Check => {
  const texts = new Set(Object.keys(values));
  return when(text => texts.has(text), `must be one of ${[...texts].join(', ')}`);
};

const CHECKS = {
  N3: when(isCurrencyCode, 'must be the three-digit code of an ISO 4217 currency'),
  date: when(text => dayStartMs(text) !== undefined, 'must be a date YYYYMMDD'),
  time: when(isTimeOfDay, 'must be a time HHMMSS'),
  datetime: when(isDayAndTime, 'must be a date and time YYYYMMDDHHMMSS'),
  YYMM: when(isExpiry, 'must be an expiry date YYMM'),
} as const;

/** The check of a form of value. An amount is checked here by form alone: see `moneyProblem`. */
export const checkOf = (type: FieldType): Check => {
  switch (type.kind) {
    case 'AN':
      return freeText(type.max);
    case 'id':
      return letters(ID, 'of A-Z, a-z, 0-9, _ and -', type.max);
    case 'N':
      return digits(type);
    case 'A':
      return letters(LETTERS, 'letters', type.max);
    case 'hex':
      return letters(HEX, 'hexadecimal digits', type.max);
    case 'email':
      return email(type.max);
    case 'enum':
    case 'enums':
      return enumerated(type.values);
    case 'money':
      return text => moneyProblem(text, undefined, type.positive === true)?.reason;
    default:
      return CHECKS[type.kind];
  }
};

const MONEY_REASONS: Readonly<Record<MoneyFault, string>> = {
  form: 'must be an amount of digits with at most one dot',
  tooLong: `must have at most ${MONEY_DIGITS_MAX} digits`,
  decimals: 'must not have more decimals than the currency has',
};

/** The most decimals that any currency has, for amounts whose currency the message does not carry. */
const DECIMALS_MAX = 4;
const ZERO = /^[0.]*$/;

/** What is wrong with an amount. `isForm` marks what the contract calls a format error rather than an invalid amount. */
export type MoneyProblem = { readonly reason: string; readonly isForm: boolean };

/** Checks an amount in its currency, or by its form alone where the currency is not known. */
export const moneyProblem = (
  text: string,
  currency: CurrencyCode | undefined,
  positive: boolean,
): MoneyProblem | undefined => {
  const fault = moneyFault(text, currency === undefined ? DECIMALS_MAX : exponentOf(currency));
  if (fault !== undefined) return { reason: MONEY_REASONS[fault], isForm: fault === 'decimals' };
  return positive && ZERO.test(text) ? { reason: 'must be more than zero', isForm: false } : undefined;
};
