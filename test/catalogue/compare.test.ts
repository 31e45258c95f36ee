/**
 * When a repeated tranId is the same call (F5) and when it is another one (F6).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS, apiByName, withoutSad } from '../../src/catalogue/apis.ts';
import { differingFields } from '../../src/catalogue/compare.ts';
import type { ApiRow } from '../../src/catalogue/row.ts';
import { CURRENCY_CODES, exponentOf } from '../../src/domain/currencies.ts';
import type { WireFields } from '../../src/domain/message.ts';
import { formatMoney } from '../../src/domain/money.ts';
import { anyRequest } from './arbitrary.ts';

const api = (name: string): ApiRow => {
  const row = apiByName(name);
  if (row === undefined) throw new Error(`no API ${name}`);
  return row;
};
const PURCHASE: WireFields = { cardToken: 'tok', tranAmount: '10.00', tranCurrency: '840' };
const changed = (change: WireFields, row = api('Purchase')) =>
  differingFields(row, PURCHASE, { ...PURCHASE, ...change });

describe('differingFields', () => {
  it.each([
    ['F6 another amount', { tranAmount: '10.01' }, ['tranAmount']],
    ['F6 another currency', { tranCurrency: '978' }, ['tranCurrency']],
    ['F6 another currency in which the same text means more', { tranCurrency: '414' }, ['tranCurrency']],
    ['F6 ten is not one hundred', { tranAmount: '100' }, ['tranAmount']],
    ['F6 another card', { cardToken: 'Tok' }, ['cardToken']],
    ['F6 an original', { originalTranId: 'x' }, ['originalTranId']],
    ['F6 a field more', { merchantName: 'x' }, ['merchantName']],
    ['F6 several', { tranAmount: '1', merchantId: 'm' }, ['tranAmount', 'merchantId']],
    ['F6 a fee of zero where there was none', { feeAmount: '0' }, ['feeAmount']],
    ['10', { tranAmount: '10' }, []],
    ['10.0', { tranAmount: '10.0' }, []],
    ['sensitive authentication data', { CVV2: '123', pinBlock: '0a' }, []],
  ])('%s', (_, change, names) => {
    expect(changed(change)).toEqual(names);
  });

  it('F6 tells a number from a token, and one composition of a letter from another (S101)', () => {
    const { cardToken: _, ...rest } = PURCHASE;
    expect(differingFields(api('Purchase'), PURCHASE, { ...rest, cardNumber: '4111111111111111' })).toEqual([
      'cardToken',
      'cardNumber',
    ]);
    const named = (merchantName: string) => ({ ...PURCHASE, merchantName });
    expect(differingFields(api('Purchase'), named('\u00e9'), named('e\u0301'))).toEqual(['merchantName']);
  });

  it('fills defaults in', () => {
    const refund = { ...PURCHASE, originalTranId: 'x' };
    expect(differingFields(api('Refund'), refund, { ...refund, refundType: 'R' })).toEqual([]);
    expect(differingFields(api('Refund'), refund, { ...refund, refundType: 'V' })).toEqual(['refundType']);
    const page = { cardToken: 'tok' };
    expect(differingFields(api('TransactionHistory'), page, { ...page, pageNum: '1', pageSize: '20' })).toEqual([]);
    expect(differingFields(api('TransactionHistory'), page, { ...page, pageNum: '2' })).toEqual(['pageNum']);
  });

  it('compares lists of values in any order, and a retry without the sad field that it needs', () => {
    const request = {
      cardToken: 'tok',
      expiryDate: '3012',
      CVV2: '123',
      useCaseIndicator: ['HCE', 'QRC'],
      cvm: ['otp'],
    };
    const differ = (change: WireFields) => differingFields(api('TokenRequest'), request, { ...request, ...change });
    expect(differ({ useCaseIndicator: ['QRC', 'HCE'], CVV2: '999' })).toEqual([]);
    expect(differ({ useCaseIndicator: ['QRC', 'SE'] })).toEqual(['useCaseIndicator']);
    expect(differ({ cvm: ['otp', 'name'] })).toEqual(['cvm']);
  });

  it('compares records one by one, amounts in them by value', () => {
    const row: ApiRow = {
      ...api('Purchase'),
      request: [{ list: 'recordList', need: 'optional', of: [{ field: 'limitAmount', need: 'optional' }] }],
    };
    const list = (...amounts: readonly string[]) => ({ recordList: amounts.map(limitAmount => ({ limitAmount })) });
    expect(differingFields(row, list('1', '2'), list('1.00', '2'))).toEqual([]);
    expect(differingFields(row, list('1', '2'), list('2', '1'))).toEqual(['recordList']);
    expect(differingFields(row, list('1'), list('1', '1'))).toEqual(['recordList']);
    expect(differingFields(row, list('1'), {})).toEqual(['recordList']);
    expect(differingFields(row, {}, {})).toEqual([]);
  });

  it('F5 finds no difference between a message and itself, stored without sad and in any order of names', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...APIS).chain(row => fc.tuple(fc.constant(row), anyRequest(row))),
        ([row, fields]) => {
          const shuffled = Object.fromEntries(Object.entries(fields).reverse());
          expect(differingFields(row, withoutSad(fields), shuffled)).toEqual([]);
        },
      ),
    );
  });

  it('F58 takes two amounts of one currency for the same exactly when their minor units are', () => {
    const minor = fc.bigInt({ min: 0n, max: 10n ** 6n });
    fc.assert(
      fc.property(minor, minor, fc.constantFrom(...CURRENCY_CODES), fc.boolean(), (x, y, currency, same) => {
        const short = (value: bigint) => {
          const text = formatMoney({ minor: value, currency });
          return exponentOf(currency) === 0 ? text : text.replace(/\.?0+$/, '');
        };
        const [a, b] = [{ tranAmount: short(x) }, { tranAmount: formatMoney({ minor: same ? x : y, currency }) }];
        const names = differingFields(api('Purchase'), { ...PURCHASE, ...a }, { ...PURCHASE, ...b });
        expect(names).toEqual(same || x === y ? [] : ['tranAmount']);
      }),
    );
  });
});
