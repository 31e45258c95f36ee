/**
 * Requests against their rows: everything good passes unchanged, everything wrong is named (S97 to S102).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS, apiByName, isJournalled, policyOf, rowOf } from '../../src/catalogue/apis.ts';
import type { ApiRow, Part } from '../../src/catalogue/row.ts';
import type { JsonObject } from '../../src/catalogue/shape.ts';
import { validateHeader, validateRequest } from '../../src/catalogue/validate.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import { anyHeader, anyRequest } from './arbitrary.ts';
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
    expect(inquiries).toEqual(['BalanceInquiry', 'Verification', 'TransactionHistory', 'AuthorizationHistory']);
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

  it('S100 finds every single change of a good message that makes it another kind of value', () => {
    const notText = fc.constantFrom<unknown>(null, 12.5, 0, true, {}, [], ['a'], '');
    fc.assert(
      fc.property(
        anyRow
          .chain(row => fc.tuple(fc.constant(row), anyRequest(row)))
          .filter(([, own]) => Object.keys(own).length > 0),
        notText,
        fc.nat(),
        ([row, own], value, pick) => {
          const names = Object.keys(own);
          const name = names[pick % names.length] ?? '';
          expect(wrong(row, { ...own, [name]: value })).toContain(name);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('S100 finds a good message without one of its required fields', () => {
    const required = APIS.flatMap(row =>
      row.request.flatMap(part =>
        'field' in part && part.need === 'required' && !('when' in part) ? [{ row, name: part.field }] : [],
      ),
    );
    for (const { row, name } of required) {
      fc.assert(
        fc.property(anyRequest(row), own => {
          const { [name]: _, ...rest } = own;
          expect(wrong(row, rest)).toContain(name);
        }),
        { numRuns: 5 },
      );
    }
  });

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

  it('gives a value that is wrong the refusal of its field, and a kind that is wrong none', () => {
    const first = (change: JsonObject) => validateRequest(api('Purchase'), { ...PURCHASE, ...change }).findings[0];
    expect(first({ tranAmount: '0' })?.refusal).toBe('invalidAmount');
    expect(first({ tranAmount: '1.005' })?.refusal).toBeUndefined();
    expect(first({ tranAmount: 1 })?.refusal).toBeUndefined();
    expect(first({ cardToken: 'a b' })?.refusal).toBe('invalidCardToken');
  });
});

/** A row as later APIs have them: rules by value, lists of values, records in a request. */
const LATER: ApiRow = {
  ...api('LoadFund'),
  request: [
    { field: 'cardFlag', need: 'required' },
    { field: 'cardEmbossName', need: 'required', when: { field: 'cardFlag', is: 'P' } },
    { field: 'custEmail', need: 'optional' },
    { field: 'useCaseIndicator', need: 'optional' },
    {
      list: 'recordList',
      need: 'optional',
      of: [
        { field: 'cardLimitType', need: 'required' },
        { field: 'limitAmount', need: 'optional' },
      ],
    },
    { field: 'cardTokenExpiryDate', need: 'optional' },
    { atLeastOne: true },
  ] satisfies readonly Part[],
};

describe('rows of other modules', () => {
  it.each([
    ['at least one', { cardFlag: 'V' }, ['custEmail']],
    ['required by a value', { cardFlag: 'P', custEmail: 'a@b.example' }, ['cardEmbossName']],
    ['a list as one of the optional fields', { cardFlag: 'V', recordList: [{ cardLimitType: '1' }] }, []],
    [
      'a bad record field',
      { cardFlag: 'V', recordList: [{ cardLimitType: '1', limitAmount: '-1' }] },
      ['recordList[0].limitAmount'],
    ],
    [
      'a missing record field',
      { cardFlag: 'V', recordList: [{ cardLimitType: '1' }, {}] },
      ['recordList[1].cardLimitType'],
    ],
    ['an unknown record field', { cardFlag: 'V', recordList: [{ cardLimitType: '1', x: '1' }] }, ['recordList[0].x']],
    ['a record that is none', { cardFlag: 'V', recordList: ['x'] }, ['recordList[0]']],
    ['a list that is none', { cardFlag: 'V', recordList: 'x' }, ['recordList']],
    ['S96 too many records', { cardFlag: 'V', recordList: Array(201).fill({ cardLimitType: '1' }) }, ['recordList']],
    ['recordNum in a request', { cardFlag: 'V', recordNum: '1', recordList: [{ cardLimitType: '1' }] }, ['recordNum']],
    ['a list of values', { cardFlag: 'V', useCaseIndicator: ['QRC', 'COF'] }, []],
    ['a value not in the list', { cardFlag: 'V', useCaseIndicator: ['QRC', 'X'] }, ['useCaseIndicator']],
    ['a value twice', { cardFlag: 'V', useCaseIndicator: ['QRC', 'QRC'] }, ['useCaseIndicator']],
    ['no value at all', { cardFlag: 'V', useCaseIndicator: [] }, ['useCaseIndicator']],
    ['a text for a list', { cardFlag: 'V', useCaseIndicator: 'QRC' }, ['useCaseIndicator']],
    ['no e-mail address', { cardFlag: 'V', custEmail: 'a@b' }, ['custEmail']],
    ['two at signs', { cardFlag: 'V', custEmail: 'a@b@c.example' }, ['custEmail']],
    ['too long an e-mail address', { cardFlag: 'V', custEmail: `${'a'.repeat(80)}@b.example` }, ['custEmail']],
    ['a day and a time', { cardFlag: 'V', cardTokenExpiryDate: '20300131235959' }, []],
    ['a day alone', { cardFlag: 'V', cardTokenExpiryDate: '20300131' }, ['cardTokenExpiryDate']],
  ])('%s', (_, wire, fields) => {
    expect(wrong(LATER, wire)).toEqual(fields);
  });
});
