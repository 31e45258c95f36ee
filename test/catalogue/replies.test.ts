/**
 * Replies against their rows: what an issuer sends is believed only in the form that the catalogue lists (F21, F22), and
 * what may be stored of it is without sensitive authentication data.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutSad } from '../../src/catalogue/apis.ts';
import { fieldRow, isFieldName } from '../../src/catalogue/fields.ts';
import type { JsonObject } from '../../src/catalogue/shape.ts';
import { readReply } from '../../src/catalogue/validate.ts';
import { isCurrencyCode } from '../../src/domain/currencies.ts';
import type { WireFields, WireValue } from '../../src/domain/message.ts';
import { anyReply, anyRequest } from './arbitrary.ts';
import { AMOUNT, anyRow, api, PAN, PURCHASE, usd } from './rows.ts';

describe('replies', () => {
  const approved = { approved: true, currency: usd() };
  const declined = { approved: false, currency: usd() };
  const read = (name: string, wire: JsonObject, options = approved) => readReply(api(name), wire, options);

  it('takes every good reply as it is', () => {
    fc.assert(
      fc.property(
        anyRow.chain(row => fc.tuple(fc.constant(row), anyReply(row))),
        ([row, fields]) => {
          expect(readReply(row, fields, { approved: true, currency: undefined })).toEqual({ kind: 'fields', fields });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('drops what the catalogue does not list, whatever it is', () => {
    const extra = {
      authCode: 'A1',
      mystery: { deep: [1, null] },
      participantId: '100000',
      responseCode: '00',
      CVV2: '123',
    };
    expect(read('Purchase', extra)).toEqual({ kind: 'fields', fields: { authCode: 'A1' } });
    const record = { tranId: 'a', tranDate: '20260101', tranTime: '000000', tranType: 'Purchase', ...AMOUNT };
    const page = { recordNum: '1', recordList: [{ ...record, cardNumber: PAN }] };
    expect(read('TransactionHistory', page)).toEqual({
      kind: 'fields',
      fields: { recordNum: '1', recordList: [record] },
    });
  });

  it('wants required fields only with 00', () => {
    expect(read('BalanceInquiry', {})).toMatchObject({ kind: 'badField', field: 'availableBalance' });
    expect(read('BalanceInquiry', {}, declined)).toEqual({ kind: 'fields', fields: {} });
    expect(read('TransactionHistory', {})).toMatchObject({ kind: 'badField', field: 'recordNum' });
    expect(read('TransactionHistory', {}, declined)).toEqual({ kind: 'fields', fields: {} });
  });

  it.each([
    ['a number', 'Purchase', { tranAmount: 12.5 }, 'tranAmount'],
    ['null', 'Purchase', { authCode: null }, 'authCode'],
    ['a negative balance', 'Purchase', { availableBalance: '-1.00' }, 'availableBalance'],
    ['an empty amount', 'Purchase', { approvedAmount: '' }, 'approvedAmount'],
    ['an unknown currency', 'Purchase', { balanceCurrency: '000' }, 'balanceCurrency'],
    ['yen with decimals', 'Purchase', { tranAmount: '1.50', tranCurrency: '392' }, 'tranAmount'],
    ['a balance in yen with decimals', 'Purchase', { ledgerBalance: '1.50', balanceCurrency: '392' }, 'ledgerBalance'],
    ['an approved amount with too many decimals', 'Purchase', { approvedAmount: '1.505' }, 'approvedAmount'],
    ['a long code', 'Purchase', { authCode: '1234567' }, 'authCode'],
    ['a control character', 'Purchase', { authCode: 'a\nb' }, 'authCode'],
    ['too few records', 'TransactionHistory', { recordNum: '1', recordList: [] }, 'recordNum'],
    ['a count that is none', 'TransactionHistory', { recordNum: 0, recordList: [] }, 'recordNum'],
    ['a list that is none', 'TransactionHistory', { recordNum: '0', recordList: {} }, 'recordList'],
    ['an empty record', 'TransactionHistory', { recordNum: '1', recordList: [{}] }, 'recordList[0].tranId'],
  ])('F22 believes no reply with %s', (_, name, wire, field) => {
    expect(read(name, wire)).toMatchObject({ kind: 'badField', field });
  });

  it('reads amounts without their currency in that of the request', () => {
    const yen = '392';
    if (!isCurrencyCode(yen)) throw new Error('no yen');
    const inYen = { approved: true, currency: yen };
    expect(read('Purchase', { availableBalance: '5', approvedAmount: '5' }, inYen).kind).toBe('fields');
    expect(read('Purchase', { availableBalance: '5.00' }, inYen).kind).toBe('badField');
    expect(read('Purchase', { availableBalance: '5.00', balanceCurrency: '840' }, inYen).kind).toBe('fields');
    const unknown = readReply(api('UnblockFund'), { blockedAmount: '5.000' }, { approved: true, currency: undefined });
    expect(unknown.kind).toBe('fields');
  });

  it('leaves out free text that the issuer left empty', () => {
    expect(read('Purchase', { authCode: '' })).toEqual({ kind: 'fields', fields: {} });
  });

  it('F21 never throws, whatever an issuer sends', () => {
    fc.assert(
      fc.property(anyRow, fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (row, wire, isApproved) => {
        const reading = readReply(row, wire as JsonObject, { approved: isApproved, currency: undefined });
        expect(['fields', 'badField']).toContain(reading.kind);
      }),
    );
    fc.assert(
      fc.property(
        anyRow.chain(row => fc.tuple(fc.constant(row), anyReply(row))),
        fc.nat(),
        fc.jsonValue(),
        ([row, fields], pick, value) => {
          const names = Object.keys(fields);
          const wire = { ...fields, [names[pick % Math.max(1, names.length)] ?? 'x']: value };
          expect(['fields', 'badField']).toContain(readReply(row, wire as JsonObject, approved).kind);
        },
      ),
    );
  });
});

describe('withoutSad', () => {
  it('I14 drops sensitive authentication data at any depth and nothing else (PCI DSS 3.3.1)', () => {
    const fields: WireFields = {
      ...PURCHASE,
      CVV2: '123',
      pinBlock: '0a',
      recordList: [{ hceCardInfo: 'x', tokenId: 't' }, { inner: { otp: '1234', a: ['b', { DCVV: '1' }] } }],
    };
    expect(withoutSad(fields)).toEqual({
      ...PURCHASE,
      recordList: [{ tokenId: 't' }, { inner: { a: ['b', {}] } }],
    });
  });

  it('I14 leaves no sad field in any message', () => {
    const sadIn = (value: WireValue): readonly string[] => {
      if (typeof value === 'string') return [];
      return Object.entries(value).flatMap(([name, inner]) => [
        ...(isFieldName(name) && fieldRow(name).data === 'sad' ? [name] : []),
        ...sadIn(inner),
      ]);
    };
    fc.assert(
      fc.property(anyRow.chain(anyRequest), fields => {
        const kept = withoutSad(fields);
        expect(sadIn(kept)).toEqual([]);
        expect(Object.keys(fields).length - Object.keys(kept).length).toBe(sadIn(fields).length);
      }),
    );
  });
});
