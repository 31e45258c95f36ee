/**
 * Requests against their rows: everything good passes unchanged, everything wrong is named (S97 to S102).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS, apiByName, isJournalled, policyOf, rowOf } from '../../src/catalogue/apis.ts';
import type { JsonObject } from '../../src/catalogue/shape.ts';
import { validateHeader, validateRequest } from '../../src/catalogue/validate.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import { INQUIRIES } from '../support/apiPaths.ts';
import { anyHeader, anyRequest } from './arbitrary.ts';
import { allMutants } from './mutants.ts';
import { AMOUNT, anyRow, api, PAN, PURCHASE, wrong } from './rows.ts';

describe('apiByName', () => {
  it('finds all rows and nothing else, S94 not by way of a prototype', () => {
    expect(APIS.map(row => apiByName(row.name))).toEqual(APIS);
    for (const name of ['__proto__', 'constructor', 'toString', 'purchase', 'Purchase ', '']) {
      expect(apiByName(name)).toBeUndefined();
    }
    expect(() => rowOf('__proto__' as ApiName)).toThrow(TypeError);
  });

  it('tells what is owed and what is journalled', () => {
    expect(policyOf(api('Purchase'), false)).toBe('reverse');
    expect(policyOf(api('Purchase'), true)).toBe('repeat');
    expect(policyOf(api('BlockFund'), true)).toBe('release');
    const inquiries = APIS.filter(row => !isJournalled(row)).map(row => row.name);
    expect(new Set<string>(inquiries)).toEqual(INQUIRIES);
  });
});

describe('requests', () => {
  it('accepts every good message, and its values are untouched', () => {
    fc.assert(
      fc.property(
        anyRow.chain(row => fc.tuple(fc.constant(row), anyRequest(row), anyHeader)),
        ([row, own, header]) => {
          const wire = { ...own, ...header };
          expect(validateRequest(row, wire)).toEqual({ fields: own, findings: [] });
          expect(validateHeader(wire)).toEqual({ fields: header, findings: [] });
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(APIS.map(row => [row.name, row] as const))(
    'S96 to S102 name the field in every %s that is bad in one place',
    (_, row) => {
      fc.assert(
        fc.property(anyRequest(row), own => {
          for (const { wire, field, what } of allMutants(row, own)) expect(wrong(row, wire), what).toContain(field);
        }),
        { numRuns: 10 },
      );
    },
  );

  it('S100 refuses unknown fields by name, and names nothing that could carry a value', () => {
    expect(wrong(api('Purchase'), { ...PURCHASE, tranamount: '1' })).toEqual(['tranamount']);
    expect(wrong(api('Purchase'), { ...PURCHASE, balanceCurrency: '840' })).toEqual(['balanceCurrency']);
    expect(wrong(api('Purchase'), { ...PURCHASE, recordList: [] })).toEqual(['recordList']);
    for (const name of [PAN, `x${PAN}`, 'a b', 'a\r\nb', '__proto__x1234', '\u202eabc', 'é', 'x'.repeat(50), '']) {
      expect(wrong(api('Purchase'), { ...PURCHASE, [name]: '1' })).toEqual(['body']);
    }
  });

  it.each([
    ['S97 zero', { tranAmount: '0' }, 'tranAmount'],
    ['S97 zero with decimals', { tranAmount: '0.00' }, 'tranAmount'],
    ['S97 negative', { tranAmount: '-1.00' }, 'tranAmount'],
    ['S97 too many decimals', { tranAmount: '1.005' }, 'tranAmount'],
    ['S97 a number', { tranAmount: 12.5 }, 'tranAmount'],
    ['S97 yen with decimals', { tranAmount: '100.00', tranCurrency: '392' }, 'tranAmount'],
    ['S97 the fee in the currency of the transaction', { feeAmount: '1.001' }, 'feeAmount'],
    ['S97 the billing amount in its own currency', { billAmount: '1.5', billCurrency: '392' }, 'billAmount'],
    ['S98 unknown currency', { tranCurrency: '000' }, 'tranCurrency'],
    ['S98 alphabetic currency', { tranCurrency: 'USD' }, 'tranCurrency'],
    ['S98 lower-case currency', { tranCurrency: 'usd' }, 'tranCurrency'],
    ['S99 Luhn', { cardToken: undefined, cardNumber: '4111111111111112' }, 'cardNumber'],
    ['S99 a token for a PAN', { cardToken: undefined, cardNumber: 'tok_1' }, 'cardNumber'],
    ['S99 spaces in a PAN', { cardToken: undefined, cardNumber: '4111 1111 1111 1111' }, 'cardNumber'],
    ['S99 too long a token', { cardToken: 'x'.repeat(28) }, 'cardToken'],
    ['S101 a line break', { memo: undefined, merchantName: 'a\r\nb' }, 'merchantName'],
    ['S101 NUL', { merchantName: 'a\0b' }, 'merchantName'],
    ['S101 right-to-left override', { merchantName: 'a\u202eb' }, 'merchantName'],
    ['S101 isolate', { merchantName: 'a\u2066b' }, 'merchantName'],
    ['S101 Arabic letter mark', { merchantName: 'a\u061cb' }, 'merchantName'],
    ['S101 a lone surrogate', { merchantName: 'a\ud800b' }, 'merchantName'],
    ['S101 C1 control', { merchantName: 'a\u0085b' }, 'merchantName'],
    ['S96 too long', { merchantName: 'x'.repeat(41) }, 'merchantName'],
    ['S96 too many code points', { merchantName: '😀'.repeat(41) }, 'merchantName'],
    ['S100 a letter among digits', { merchantCategoryCode: '54a1' }, 'merchantCategoryCode'],
    ['S100 a digit among letters', { merchantCountry: 'US1' }, 'merchantCountry'],
    ['S100 not in the list', { partialAllowed: 'y' }, 'partialAllowed'],
    ['S94 of a prototype', { partialAllowed: 'toString' }, 'partialAllowed'],
    ['S100 not hexadecimal', { pinBlock: 'xyz' }, 'pinBlock'],
    ['S100 a space before', { merchantId: 'a', pinBlock: ' 0a' }, 'pinBlock'],
    ['S102 month 13', { expiryDate: '2613' }, 'expiryDate'],
    ['S102 month 00', { expiryDate: '2600' }, 'expiryDate'],
    ['S100 a CVV2 of two digits', { CVV2: '12' }, 'CVV2'],
    ['S101 an id with a homoglyph', { originalTranId: 'Аbc' }, 'originalTranId'],
  ])('%s', (_, change, field) => {
    const wire = Object.fromEntries(
      Object.entries({ ...PURCHASE, ...change }).filter(([, value]) => value !== undefined),
    );
    expect(wrong(api('Purchase'), wire)).toEqual([field]);
  });

  it('counts length in code points and keeps blanks and composition as they are', () => {
    for (const merchantName of ['😀'.repeat(40), ' a ', 'e\u0301', '\u200dzero width', 'نص']) {
      expect(validateRequest(api('Purchase'), { ...PURCHASE, merchantName })).toEqual({
        fields: { ...PURCHASE, merchantName },
        findings: [],
      });
    }
  });

  it('S100 wants exactly one of token and number', () => {
    expect(wrong(api('Purchase'), AMOUNT)).toEqual(['cardToken']);
    expect(wrong(api('Purchase'), { ...PURCHASE, cardNumber: PAN })).toEqual(['cardToken']);
    expect(wrong(api('TransferFund'), PURCHASE)).toEqual(['toCardToken']);
    expect(wrong(api('TransferFund'), { ...PURCHASE, toCardNumber: PAN })).toEqual([]);
  });

  it('S100 allows no PIN block and no CVV2 in the completion of a hold, so that it may be repeated', () => {
    const completion = { ...PURCHASE, originalTranId: 'hold-1' };
    expect(wrong(api('Purchase'), completion)).toEqual([]);
    expect(wrong(api('Purchase'), { ...completion, CVV2: '123' })).toEqual(['CVV2']);
    expect(wrong(api('Purchase'), { ...completion, pinBlock: '0a' })).toEqual(['pinBlock']);
    expect(wrong(api('Purchase'), { ...PURCHASE, CVV2: '123', pinBlock: '0a' })).toEqual([]);
  });

  it('S100 releases an amount only together with its currency', () => {
    const release = { cardToken: 'tok', originalTranId: 'hold-1' };
    expect(wrong(api('UnblockFund'), release)).toEqual([]);
    expect(wrong(api('UnblockFund'), { ...release, ...AMOUNT })).toEqual([]);
    expect(wrong(api('UnblockFund'), { ...release, tranAmount: '1' })).toEqual(['tranCurrency']);
    expect(wrong(api('UnblockFund'), { ...release, tranCurrency: '840' })).toEqual(['tranAmount']);
    expect(wrong(api('UnblockFund'), { ...release, ...AMOUNT, tranAmount: '0.00' })).toEqual(['tranAmount']);
  });

  it('S100 wants the currency of a billing amount', () => {
    expect(wrong(api('Purchase'), { ...PURCHASE, billAmount: '1.00' })).toEqual(['billCurrency']);
    expect(wrong(api('Purchase'), { ...PURCHASE, billAmount: '1.00', billCurrency: '978' })).toEqual([]);
  });

  it('S96 wants a page of at most 100 records, and S102 real days', () => {
    const history = { cardToken: 'tok' };
    expect(wrong(api('TransactionHistory'), { ...history, pageSize: '100' })).toEqual([]);
    expect(wrong(api('TransactionHistory'), { ...history, pageSize: '101' })).toEqual(['pageSize']);
    expect(wrong(api('TransactionHistory'), { ...history, startDate: '20260230' })).toEqual(['startDate']);
    expect(wrong(api('TransactionHistory'), { ...history, cardNumber: PAN })).toEqual(['cardNumber']);
  });

  it('tells everything that is wrong at once, and no value of it', () => {
    const bad = {
      cardNumber: '4111111111111112',
      tranAmount: '-987654',
      tranCurrency: 'XSECRETX',
      CVV2: '98765',
      memo: 'x',
    };
    const { findings } = validateRequest(api('Purchase'), bad);
    expect(findings.map(finding => finding.field)).toEqual([
      'cardNumber',
      'tranAmount',
      'tranCurrency',
      'CVV2',
      'memo',
    ]);
    expect(JSON.stringify(findings)).not.toMatch(/4111|987654|XSECRETX|98765/);
  });

  it('takes no field that is not the message’s own', () => {
    const { cardToken, ...rest } = PURCHASE;
    const heir: JsonObject = Object.assign(Object.create({ cardToken, merchantId: 'M1' }), rest);
    expect(validateRequest(api('Purchase'), heir).fields).toEqual(rest);
  });

  it('gives a value that is wrong the refusal of its field, and a kind that is wrong none', () => {
    const first = (change: JsonObject) => validateRequest(api('Purchase'), { ...PURCHASE, ...change }).findings[0];
    expect(first({ tranAmount: '0' })?.refusal).toBe('invalidAmount');
    expect(first({ tranAmount: '1.005' })?.refusal).toBeUndefined();
    expect(first({ tranAmount: 1 })?.refusal).toBeUndefined();
    expect(first({ cardToken: 'a b' })?.refusal).toBe('invalidCardToken');
  });
});

const CUSTOMER = { customerId: 'C1' };
const LIMITS = { cardToken: 'tok' };
const limit = { cardLimitType: 'POS' };
const TOKEN = { cardToken: 'tok', expiryDate: '3012', CVV2: '123', useCaseIndicator: ['QRC'], cvm: ['otp'] };
const PHYSICAL = {
  ...{ cardFlag: 'P', cardProdCode: 'P1', customerId: 'C1', custIdType: 'P', custIdNo: 'X1' },
  ...{ cardEmbossName: 'A EXAMPLE', deliveryAddress: '1 Example Street' },
};
const REPLACEMENT = { cardToken: 'tok', replaceType: 'N', reasonCode: '001', newCardNumber: PAN };

describe('rules of single rows', () => {
  it.each<[string, string, JsonObject, readonly string[]]>([
    ['nothing to change', 'CustomerInfoUpdate', CUSTOMER, ['custName']],
    ['something to change', 'CustomerInfoUpdate', { ...CUSTOMER, deliveryCountry: 'USA' }, []],
    ['no e-mail address', 'CustomerInfoUpdate', { ...CUSTOMER, custEmail: 'a@b' }, ['custEmail']],
    ['no limit', 'CardLimitSetting', LIMITS, ['recordList']],
    ['an empty list for a limit', 'CardLimitSetting', { ...LIMITS, recordList: [] }, ['recordList']],
    ['an empty list beside a flag', 'CardLimitSetting', { ...LIMITS, recordList: [], posFlag: 'Y' }, []],
    ['a flag alone', 'CardLimitSetting', { ...LIMITS, posFlag: 'N' }, []],
    ['a list alone', 'CardLimitSetting', { ...LIMITS, recordList: [{ ...limit, limitCount: '3' }] }, []],
    ['a list that is none', 'CardLimitSetting', { ...LIMITS, recordList: 'x' }, ['recordList']],
    ['a record that is none', 'CardLimitSetting', { ...LIMITS, recordList: ['x'] }, ['recordList[0]']],
    ['S96 too many records', 'CardLimitSetting', { ...LIMITS, recordList: Array(201).fill(limit) }, ['recordList']],
    ['recordNum in a request', 'CardLimitSetting', { ...LIMITS, recordNum: '1', recordList: [limit] }, ['recordNum']],
    [
      'a second record without its type',
      'CardLimitSetting',
      { ...LIMITS, recordList: [limit, {}] },
      ['recordList[1].cardLimitType'],
    ],
    [
      'a bad limit',
      'CardLimitSetting',
      { ...LIMITS, recordList: [{ ...limit, limitAmount: '-1' }] },
      ['recordList[0].limitAmount'],
    ],
    [
      'an unknown field of a record',
      'CardLimitSetting',
      { ...LIMITS, recordList: [{ ...limit, x: '1' }] },
      ['recordList[0].x'],
    ],
    ['several uses', 'TokenRequest', { ...TOKEN, useCaseIndicator: ['QRC', 'COF'] }, []],
    ['a use that there is not', 'TokenRequest', { ...TOKEN, useCaseIndicator: ['QRC', 'X'] }, ['useCaseIndicator']],
    ['a use twice', 'TokenRequest', { ...TOKEN, useCaseIndicator: ['QRC', 'QRC'] }, ['useCaseIndicator']],
    ['no use at all', 'TokenRequest', { ...TOKEN, useCaseIndicator: [] }, ['useCaseIndicator']],
    ['a text for a list', 'TokenRequest', { ...TOKEN, cvm: 'otp' }, ['cvm']],
    ['a physical card', 'CardApplication', PHYSICAL, []],
    [
      'a physical card sent nowhere',
      'CardApplication',
      { ...PHYSICAL, deliveryAddress: undefined },
      ['deliveryAddress'],
    ],
    ['a physical card of nobody', 'CardApplication', { ...PHYSICAL, cardEmbossName: undefined }, ['cardEmbossName']],
    [
      'a virtual card',
      'CardApplication',
      {
        ...{ ...PHYSICAL, cardFlag: 'V' },
        ...{ cardEmbossName: undefined, deliveryAddress: undefined },
      },
      [],
    ],
    ['a named number', 'CardReplacement', REPLACEMENT, []],
    ['a named number not named', 'CardReplacement', { ...REPLACEMENT, newCardNumber: undefined }, ['newCardNumber']],
    [
      'a physical replacement sent nowhere',
      'CardReplacement',
      { ...REPLACEMENT, replaceType: 'P' },
      ['deliveryAddress'],
    ],
    [
      'an amount without its currency',
      'SendOTP',
      { cardToken: 'tok', otpType: 'S', tranAmount: '1.00' },
      ['tranCurrency'],
    ],
    [
      'a day for a day and a time',
      'TokenMetadataUpdate',
      {
        ...{ tokenId: 'T1', expiryDate: '3012', cardTokenExpiryDate: '20300131' },
      },
      ['cardTokenExpiryDate'],
    ],
  ])('%s (%s)', (_, name, wire, fields) => {
    const given = Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined));
    expect(wrong(api(name), given)).toEqual(fields);
  });
});
