/**
 * Money as a whole number of minor units with its currency, and its wire form "16,2": ASCII digits with at most one dot.
 * No floating point number ever holds an amount, and amounts of two currencies never meet.
 */
import { type CurrencyCode, exponentOf } from './currencies.ts';

export type { CurrencyCode } from './currencies.ts';

/** `minor` counts the currency's minor units (ISO 4217 exponent): 1050n in 840 is USD 10.50. */
export type Money = { readonly minor: bigint; readonly currency: CurrencyCode };

/** Why a text is no amount: not digits with at most one dot, too many digits, or more decimals than the currency has. */
export type MoneyFault = 'form' | 'tooLong' | 'decimals';

/** Most digits of an amount, decimals included: the "16" of the wire form. */
export const MONEY_DIGITS_MAX = 16;

/**
 * No leading zeros: a zero-padded amount is how ISO 8583 field 4 counts minor units, and taking it for whole units would
 * be wrong a hundredfold.
 */
const WIRE = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/** Reads the wire form. Nothing is trimmed, rounded or guessed. */
export const parseMoney = (text: string, currency: CurrencyCode): Money | MoneyFault => {
  const exponent = exponentOf(currency);
  const fault = moneyFault(text, exponent);
  if (fault !== undefined) return fault;
  return { minor: BigInt(text.replace('.', '') + '0'.repeat(exponent - decimalsOf(text))), currency };
};

/** How many digits of a well-formed amount stand behind its dot. */
const decimalsOf = (text: string): number => {
  const dot = text.indexOf('.');
  return dot < 0 ? 0 : text.length - dot - 1;
};

/**
 * What is wrong with the wire form of an amount that may have so many decimals; undefined where it is well formed. For
 * amounts whose currency the message does not carry.
 */
export const moneyFault = (text: string, decimalsMax: number): MoneyFault | undefined => {
  // One more than the digits, for the dot; checked first so that the pattern never runs over a long text.
  if (text.length > MONEY_DIGITS_MAX + 1) return 'tooLong';
  if (!WIRE.test(text)) return 'form';
  const decimals = decimalsOf(text);
  if (decimals > decimalsMax) return 'decimals';
  return text.length - (decimals > 0 ? 1 : 0) > MONEY_DIGITS_MAX ? 'tooLong' : undefined;
};

/**
 * The wire form with all of the currency's decimals, such as `10.50`. An amount of 15 or 16 whole digits has no room for
 * them and is written without where they are zero. A negative amount, which the wire does not know, gets a minus.
 */
export const formatMoney = (money: Money): string => {
  const exponent = exponentOf(money.currency);
  const sign = money.minor < 0n ? '-' : '';
  const digits = (money.minor < 0n ? -money.minor : money.minor).toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const decimals = digits.slice(digits.length - exponent);
  if (exponent === 0) return sign + whole;
  if (digits.length > MONEY_DIGITS_MAX && /^0+$/.test(decimals)) return sign + whole;
  return `${sign}${whole}.${decimals}`;
};

const sameCurrency = (a: Money, b: Money): CurrencyCode => {
  if (a.currency !== b.currency) throw new TypeError(`money of two currencies: ${a.currency} and ${b.currency}`);
  return a.currency;
};

/** The sum. Throws a TypeError for two currencies, which is a defect of the caller. */
export const addMoney = (a: Money, b: Money): Money => ({ currency: sameCurrency(a, b), minor: a.minor + b.minor });

/** `a` less `b`; may be negative. Throws a TypeError for two currencies. */
export const subtractMoney = (a: Money, b: Money): Money => ({
  currency: sameCurrency(a, b),
  minor: a.minor - b.minor,
});

/** Less than zero where `a` is less, zero where equal, more than zero where it is more. Throws for two currencies. */
export const compareMoney = (a: Money, b: Money): -1 | 0 | 1 => {
  sameCurrency(a, b);
  if (a.minor === b.minor) return 0;
  return a.minor < b.minor ? -1 : 1;
};

/** Whether both are the same amount in the same currency; false, never an error, for two currencies. */
export const sameMoney = (a: Money, b: Money): boolean => a.currency === b.currency && a.minor === b.minor;
