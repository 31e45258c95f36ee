/**
 * Money on the wire: what is an amount and what is not (S97, S98), exactly, in every currency; and the laws of adding.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alphaOf, CURRENCY_CODES, type CurrencyCode, exponentOf, isCurrencyCode } from '../../src/domain/currencies.ts';
import {
  addMoney,
  compareMoney,
  formatMoney,
  type Money,
  moneyFault,
  parseMoney,
  sameMoney,
  subtractMoney,
} from '../../src/domain/money.ts';

const code = (text: string): CurrencyCode => {
  if (!isCurrencyCode(text)) throw new Error(`${text} is no currency`);
  return text;
};
const [USD, JPY, KWD, CLF] = [code('840'), code('392'), code('414'), code('990')];
const anyCurrency = fc.constantFrom(...CURRENCY_CODES);
const anyMinor = fc.bigInt({ min: 0n, max: 10n ** 16n - 1n });
const anyMoney: fc.Arbitrary<Money> = fc.record({ minor: anyMinor, currency: anyCurrency });

describe('currencies', () => {
  it.each([
    ['840', 'USD', 2],
    ['978', 'EUR', 2],
    ['008', 'ALL', 2],
    ['392', 'JPY', 0],
    ['410', 'KRW', 0],
    ['414', 'KWD', 3],
    ['048', 'BHD', 3],
    ['788', 'TND', 3],
    ['990', 'CLF', 4],
    ['532', 'XCG', 2],
  ])('%s is %s with %i decimals', (text, alpha, exponent) => {
    expect(alphaOf(code(text))).toBe(alpha);
    expect(exponentOf(code(text))).toBe(exponent);
  });

  it('S98 knows no other text: alphabetic, lower case, historic, without minor unit, padded, of a prototype', () => {
    const others = [
      'USD',
      'usd',
      '84',
      '0840',
      ' 840',
      '8 40',
      '８４０',
      '',
      '000',
      '999',
      '959',
      '960',
      '975',
      'toString',
    ];
    expect(others.filter(isCurrencyCode)).toEqual([]);
  });

  it('has every code once, three digits each', () => {
    expect(new Set(CURRENCY_CODES).size).toBe(CURRENCY_CODES.length);
    expect(CURRENCY_CODES.filter(text => !/^\d{3}$/.test(text))).toEqual([]);
    expect(CURRENCY_CODES.length).toBeGreaterThan(150);
    expect(new Set(CURRENCY_CODES.map(alphaOf)).size).toBe(CURRENCY_CODES.length);
  });
});

describe('parseMoney', () => {
  it.each([
    ['100', USD, 10_000n],
    ['100.0', USD, 10_000n],
    ['100.00', USD, 10_000n],
    ['0', USD, 0n],
    ['0.05', USD, 5n],
    ['12.5', USD, 1_250n],
    ['100', JPY, 100n],
    ['1.500', KWD, 1_500n],
    ['1.5', KWD, 1_500n],
    ['1.0001', CLF, 10_001n],
    ['99999999999999.99', USD, 9_999_999_999_999_999n],
    ['9007199254740993', JPY, 9_007_199_254_740_993n],
    ['9007199254740993', USD, 900_719_925_474_099_300n],
  ])('F58 reads %s in %s exactly', (text, currency, minor) => {
    expect(parseMoney(text, currency)).toEqual({ minor, currency });
  });

  it.each([
    ['-1', 'form'],
    ['+1', 'form'],
    ['', 'form'],
    [' 1', 'form'],
    ['1 ', 'form'],
    ['1\n', 'form'],
    ['1e3', 'form'],
    ['1E3', 'form'],
    ['0x10', 'form'],
    ['1,000', 'form'],
    ['1,50', 'form'],
    ['1.', 'form'],
    ['.5', 'form'],
    ['.', 'form'],
    ['1.2.3', 'form'],
    ['007', 'form'],
    ['00.50', 'form'],
    ['000000001250', 'form'],
    ['１２', 'form'],
    ['١٢', 'form'],
    ['NaN', 'form'],
    ['Infinity', 'form'],
    ['1_000', 'form'],
    ['1.005', 'decimals'],
    ['1.000', 'decimals'],
    ['12345678901234567', 'tooLong'],
    ['9007199254740993.00', 'tooLong'],
    ['123456789012345.678', 'tooLong'],
    ['9'.repeat(60_000), 'tooLong'],
  ])('S97 refuses %j in 840: %s', (text, fault) => {
    expect(parseMoney(text, USD)).toBe(fault);
  });

  it.each([
    ['100.0', JPY],
    ['100.00', JPY],
    ['1.5000', KWD],
    ['1.00001', CLF],
  ])('S97 refuses %s in %s: more decimals than the currency has', (text, currency) => {
    expect(parseMoney(text, currency)).toBe('decimals');
  });

  it('F58 round trip: what is written is read back as the same money', () => {
    fc.assert(
      fc.property(anyMoney, money => {
        expect(parseMoney(formatMoney(money), money.currency)).toEqual(money);
      }),
    );
  });

  it('round trip of the largest amounts: 15 and 16 whole digits have no room for decimals', () => {
    const whole = fc.bigInt({ min: 10n ** 14n, max: 10n ** 16n - 1n });
    fc.assert(
      fc.property(whole, anyCurrency, (units, currency) => {
        const money = { minor: units * 10n ** BigInt(exponentOf(currency)), currency };
        expect(parseMoney(formatMoney(money), currency)).toEqual(money);
      }),
    );
  });

  it('never throws, and accepts nothing but digits and one dot', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 24 }), anyCurrency, (text, currency) => {
        const money = parseMoney(text, currency);
        if (typeof money !== 'string') expect(text).toMatch(/^[0-9]+(\.[0-9]+)?$/);
      }),
    );
  });

  it('checks the form alone where the currency is not known', () => {
    expect(moneyFault('1.2345', 4)).toBeUndefined();
    expect(moneyFault('1.23456', 4)).toBe('decimals');
  });
});

describe('formatMoney', () => {
  it.each([
    [0n, USD, '0.00'],
    [5n, USD, '0.05'],
    [1_050n, USD, '10.50'],
    [100n, JPY, '100'],
    [0n, JPY, '0'],
    [1n, KWD, '0.001'],
    [-1_050n, USD, '-10.50'],
    [-5n, KWD, '-0.005'],
  ])('%s in %s is %s', (minor, currency, text) => {
    expect(formatMoney({ minor, currency })).toBe(text);
  });
});

describe('arithmetic', () => {
  const pair = fc.tuple(anyMinor, anyMinor, anyCurrency);

  it('adds and takes away as whole numbers do (I13)', () => {
    fc.assert(
      fc.property(pair, ([x, y, currency]) => {
        const [a, b] = [
          { minor: x, currency },
          { minor: y, currency },
        ];
        expect(addMoney(a, b).minor).toBe(x + y);
        expect(subtractMoney(addMoney(a, b), b)).toEqual(a);
        expect(compareMoney(a, b)).toBe(compareMoney(b, a) * -1 || 0);
        expect(compareMoney(a, b) === 0).toBe(sameMoney(a, b));
      }),
    );
  });

  it('refuses two currencies', () => {
    const [dollars, yen] = [
      { minor: 1n, currency: USD },
      { minor: 1n, currency: JPY },
    ];
    expect(() => addMoney(dollars, yen)).toThrow(TypeError);
    expect(() => subtractMoney(dollars, yen)).toThrow(TypeError);
    expect(() => compareMoney(dollars, yen)).toThrow(TypeError);
    expect(sameMoney(dollars, yen)).toBe(false);
  });
});
