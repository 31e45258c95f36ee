/**
 * The whole of parsing: good messages come through unchanged, every bad one is a refusal with the right code, every
 * error in it and no value (S90 to S103, F6, F7, F58, F84, F86).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS, apiByName } from '../../src/catalogue/apis.ts';
import { differingFields } from '../../src/catalogue/compare.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import type { ApiRow } from '../../src/catalogue/row.ts';
import type { JsonObject } from '../../src/catalogue/shape.ts';
import { BODY_BYTES_MAX } from '../../src/config/limits.ts';
import { type Message, wireOf } from '../../src/domain/message.ts';
import { REFUSALS, Refusal } from '../../src/domain/refusal.ts';
import { type ParseContext, parseMessage, readHeaderFields } from '../../src/edge/parse.ts';
import { anyHeader, anyRequest, NOON_MS, TODAY } from '../catalogue/arbitrary.ts';

const CONTEXT: ParseContext = { participants: new Set(['100000', '200000']), wallMs: NOON_MS, retentionHours: 168 };
const HOUR_MS = 3_600_000;
const PAN = '4111111111111111';

const api = (name: string): ApiRow => {
  const row = apiByName(name);
  if (row === undefined) throw new Error(`no API ${name}`);
  return row;
};

const HEADER = {
  participantId: '100000',
  tranBranch: '100000001',
  tranChnl: '07',
  tranDate: TODAY,
  tranTime: '120000',
  tranId: 'pay-1',
};
const GOOD = { ...HEADER, cardToken: 'tok', tranAmount: '12.50', tranCurrency: '840' };

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const attempt = (body: Uint8Array, name = 'Purchase', context = CONTEXT): Message | Refusal => {
  try {
    return parseMessage(api(name), body, context);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};

const parsed = (wire: unknown, name = 'Purchase', context = CONTEXT): Message => {
  const result = attempt(bytes(wire), name, context);
  if (result instanceof Refusal) throw new Error(JSON.stringify(result.errors));
  return result;
};

const refused = (wire: unknown, name = 'Purchase', context = CONTEXT): Refusal => {
  const result = attempt(bytes(wire), name, context);
  if (!(result instanceof Refusal)) throw new Error('it was not refused');
  return result;
};

const codeOf = (refusal: Refusal) => REFUSALS[refusal.reason].code;
const fieldsOf = (refusal: Refusal) => refusal.errors.map(error => error.field);
const without = (name: string): JsonObject => Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name));

describe('a good message', () => {
  it('comes through as it was sent, whatever its API, order and white space', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...APIS).chain(row => fc.tuple(fc.constant(row), anyHeader, anyRequest(row))),
        fc.constantFrom(0, 2),
        ([row, header, own], space) => {
          fc.pre(own.originalTranId !== header.tranId);
          const wire = Object.fromEntries(Object.entries({ ...own, ...header }).reverse());
          const message = parsed(JSON.stringify(wire, null, space), row.name);
          expect(wireOf(message).reveal()).toEqual(wire);
          expect(message.api).toBe(row.name);
          expect(message.originalTranId).toBe(own.originalTranId);
          expect(message.amount?.currency).toBe(own.tranAmount === undefined ? undefined : own.tranCurrency);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('F58 carries the amount as minor units, also past 2^53', () => {
    expect(parsed(GOOD).amount).toEqual({ minor: 1_250n, currency: '840' });
    expect(parsed({ ...GOOD, tranAmount: '9007199254740993', tranCurrency: '392' }).amount?.minor).toBe(
      9_007_199_254_740_993n,
    );
    const release = { ...HEADER, cardToken: 'tok', originalTranId: 'hold-1' };
    expect(parsed(release, 'UnblockFund').amount).toBeUndefined();
  });

  it('I14 prints nothing of its own fields', () => {
    const message = parsed({ ...GOOD, CVV2: '987' });
    expect(JSON.stringify({ ...message, amount: undefined })).not.toMatch(/987|tok"/);
  });

  it('is the same when it is put together again from what was stored', () => {
    const message = parsed({ ...GOOD, tellerNo: 'T1', tranCode: 'C', terminalNo: 'X', originalTranId: 'hold-1' });
    const again = messageOf(api('Purchase'), message.header, message.fields.reveal());
    expect(again).toEqual(message);
    expect(again.fields.reveal()).toEqual(message.fields.reveal());
  });
});

describe('the code of a refusal', () => {
  it.each([
    ['a participant of somebody else', { participantId: '999999' }, '01', ['participantId']],
    ['that, and more', { participantId: '999999', tranAmount: '0' }, '01', ['participantId', 'tranAmount']],
    ['a participant of wrong form', { participantId: 'x'.repeat(16) }, '30', ['participantId']],
    ['S99 a card number', { cardToken: undefined, cardNumber: '4111111111111112' }, '02', ['cardNumber']],
    ['S99 a card number as a number', { cardToken: undefined, cardNumber: 4111111111111111 }, '30', ['cardNumber']],
    ['a card token', { cardToken: 'a b' }, '04', ['cardToken']],
    ['no card', { cardToken: undefined }, '30', ['cardToken']],
    ['two cards', { cardNumber: PAN }, '30', ['cardToken']],
    ['S97 zero', { tranAmount: '0.00' }, '13', ['tranAmount']],
    ['S97 negative', { tranAmount: '-5.00' }, '13', ['tranAmount']],
    ['S97 above the cap', { tranAmount: '99999999999999999' }, '13', ['tranAmount']],
    ['S97 decimals that the currency has not', { tranAmount: '1.005' }, '30', ['tranAmount']],
    ['S97 a number', { tranAmount: 12.5 }, '30', ['tranAmount']],
    ['S97 two amounts', { tranAmount: '0', feeAmount: '-1' }, '13', ['tranAmount', 'feeAmount']],
    ['an amount and a card', { tranAmount: '0', cardToken: 'a b' }, '30', ['cardToken', 'tranAmount']],
    ['an amount and a form', { tranAmount: '0', msgChannel: '' }, '30', ['tranAmount', 'msgChannel']],
    ['S98 a currency', { tranCurrency: 'USD' }, '30', ['tranCurrency']],
    ['S100 an unknown field', { surprise: 'x' }, '30', ['surprise']],
    ['S100 null', { merchantName: null }, '30', ['merchantName']],
  ])('%s', (_, change, code, fields) => {
    const refusal = refused({ ...GOOD, ...change });
    expect([codeOf(refusal), fieldsOf(refusal)]).toEqual([code, fields]);
  });

  it('S99 is that of the receiving card as well', () => {
    const transfer = { ...GOOD, toCardNumber: '4111111111111112' };
    expect(codeOf(refused(transfer, 'TransferFund'))).toBe('02');
  });
});

describe('the header', () => {
  it.each(['participantId', 'tranBranch', 'tranChnl', 'tranDate', 'tranTime', 'tranId'])('S100 wants %s', name => {
    const refusal = refused(without(name));
    expect([codeOf(refusal), fieldsOf(refusal)]).toEqual(['30', [name]]);
    expect(refusal.header).toEqual(Object.fromEntries(Object.entries(HEADER).filter(([key]) => key !== name)));
  });

  it.each([
    ['S100 an unknown channel', { tranChnl: '11' }, 'tranChnl'],
    ['S94 a channel of a prototype', { tranChnl: 'toString' }, 'tranChnl'],
    ['S101 an empty id', { tranId: '' }, 'tranId'],
    ['S101 33 characters', { tranId: 'x'.repeat(33) }, 'tranId'],
    ['S101 a blank', { tranId: 'a b' }, 'tranId'],
    ['S101 a line break', { tranId: 'a\r\n' }, 'tranId'],
    ['S101 NUL', { tranId: 'a\0' }, 'tranId'],
    ['S101 a homoglyph', { tranId: 'pаy-1' }, 'tranId'],
    ['S101 a slash', { tranId: 'a/b' }, 'tranId'],
    ['an id that we derive', { tranId: `RV${'A'.repeat(30)}` }, 'tranId'],
    ['an original that we derive', { originalTranId: `RV${'2'.repeat(30)}` }, 'originalTranId'],
    ['an original that is itself', { originalTranId: 'pay-1' }, 'originalTranId'],
    ['S102 no such day', { tranDate: '20260230' }, 'tranDate'],
    ['S102 no such time', { tranTime: '240000' }, 'tranTime'],
    ['S102 far past', { tranDate: '19700101' }, 'tranDate'],
    ['S102 far future', { tranDate: '20991231' }, 'tranDate'],
    ['S101 a bidirectional control', { tellerNo: 'a\u202eb' }, 'tellerNo'],
    ['S96 too long', { tranBranch: '1234567890' }, 'tranBranch'],
  ])('%s', (_, change, field) => {
    const refusal = refused({ ...GOOD, ...change });
    expect([codeOf(refusal), fieldsOf(refusal)]).toEqual(['30', [field]]);
  });

  it('S101 takes ids that only look a little like derived ones, and tells apart those that differ by case', () => {
    for (const tranId of [
      `RV${'A'.repeat(29)}`,
      `RV${'a'.repeat(30)}`,
      `RV${'1'.repeat(30)}`,
      'RV',
      'pay-1',
      'PAY-1',
    ]) {
      expect(parsed({ ...GOOD, tranId }).header.tranId).toBe(tranId);
    }
  });

  const at = (hoursAfterMidnight: number): ParseContext => ({
    ...CONTEXT,
    wallMs: Date.UTC(2026, 5, 15) + hoursAfterMidnight * HOUR_MS,
  });

  it('F7 S102 takes a tranDate from 48 hours ahead until the retention less 48 hours, to the millisecond', () => {
    expect(fieldsOf(refused(GOOD, 'Purchase', { ...at(-48), wallMs: at(-48).wallMs - 1 }))).toEqual(['tranDate']);
    expect(parsed(GOOD, 'Purchase', at(-48)).header.tranDate).toBe(TODAY);
    expect(parsed(GOOD, 'Purchase', { ...at(120), wallMs: at(120).wallMs - 1 }).header.tranDate).toBe(TODAY);
    expect(fieldsOf(refused(GOOD, 'Purchase', at(120)))).toEqual(['tranDate']);
    expect(fieldsOf(refused(GOOD, 'BalanceInquiry', at(120)))).toContain('tranDate');
  });

  it('F7 can never take a tranId again that was taken once and forgotten since', () => {
    const hours = fc.integer({ min: -2_000_000, max: 2_000_000 });
    fc.assert(
      fc.property(
        hours,
        fc.integer({ min: 96, max: 2_000 }),
        fc.nat({ max: 1_000_000 }),
        (first, retentionHours, later) => {
          const run = (hour: number) => attempt(bytes(GOOD), 'Purchase', { ...at(hour / 1_000), retentionHours });
          fc.pre(!(run(first) instanceof Refusal));
          expect(run(first + retentionHours * 1_000 + later)).toBeInstanceOf(Refusal);
        },
      ),
    );
  });

  it('F7 lets a Reversal be as late as it must, but not early', () => {
    const reversal = { ...GOOD, originalTranId: 'pay-0' };
    expect(parsed(reversal, 'Reversal', at(10_000)).originalTranId).toBe('pay-0');
    expect(fieldsOf(refused(reversal, 'Reversal', at(-49)))).toEqual(['tranDate']);
  });

  it('is echoed in a refusal as far as it is good', () => {
    const refusal = refused({ ...GOOD, tranChnl: '99', tranTime: 5, tellerNo: 'T1', memo: 'x' });
    expect(refusal.header).toEqual({
      participantId: '100000',
      tranBranch: '100000001',
      tranDate: TODAY,
      tranId: 'pay-1',
      tellerNo: 'T1',
    });
    expect(fieldsOf(refusal)).toEqual(['tranChnl', 'tranTime', 'memo']);
  });
});

describe('the body', () => {
  it.each([
    ['S103 empty', ''],
    ['S95 trailing text', `${JSON.stringify(GOOD)}x`],
    ['S93 a field twice', `{"tranAmount":"1","tranAmount":"2"}`],
    ['S94 __proto__', `{"__proto__":{"tranAmount":"1"}}`],
    ['S96 too deep', '[['.repeat(10)],
    ['a list', '[]'],
    ['no JSON', 'tranAmount=1'],
  ])('%s is a format error', (_, text) => {
    const refusal = refused(text);
    expect(codeOf(refusal)).toBe('30');
    expect(refusal.errors).toHaveLength(1);
    expect(refusal.header).toEqual({});
  });

  it('F84 is at most 64 KiB, and not read beyond', () => {
    const padded = (size: number) => {
      const text = JSON.stringify(GOOD);
      return text + ' '.repeat(size - text.length);
    };
    expect(parsed(padded(BODY_BYTES_MAX)).header.tranId).toBe('pay-1');
    expect(refused(padded(BODY_BYTES_MAX + 1)).reason).toBe('http');
    expect(readHeaderFields(bytes(padded(BODY_BYTES_MAX + 1)))).toEqual({});
  });

  it('S96 gives no more errors than a message may have names, each once', () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`${PAN}${index}`, '1']));
    const refusal = refused({ ...GOOD, ...many });
    expect(refusal.errors).toEqual([{ field: 'body', reason: 'is not a field of this message' }]);
  });

  it('I14 leaves no value and no card number in a refusal', () => {
    const canary = {
      cardNumber: '4111111111111112',
      CVV2: '98x',
      pinBlock: 'cafe!',
      [`k${PAN}`]: PAN,
      memo: 'canary-text',
    };
    const refusal = refused({ ...GOOD, ...canary, cardToken: undefined });
    expect(JSON.stringify([refusal.message, refusal.errors, refusal.header])).not.toMatch(/4111|98x|cafe|canary/);
    expect(fieldsOf(refusal)).toEqual(['cardNumber', 'pinBlock', 'CVV2', 'body', 'memo']);
  });
});

describe('readHeaderFields', () => {
  it('gives what is good of the header, and nothing for what it cannot read', () => {
    expect(readHeaderFields(bytes({ ...GOOD, tranTime: 'x', cardNumber: PAN }))).toEqual(
      Object.fromEntries(Object.entries(HEADER).filter(([name]) => name !== 'tranTime')),
    );
    expect(readHeaderFields(bytes('{'))).toEqual({});
    expect(readHeaderFields(new Uint8Array([0xff]))).toEqual({});
    expect(readHeaderFields(bytes('{"tranId":"a","tranId":"b"}'))).toEqual({});
  });
});

describe('any input', () => {
  it('ends in a message or a refusal, and in nothing else', () => {
    const anyName = fc.constantFrom(...APIS.map(row => row.name));
    fc.assert(
      fc.property(anyName, fc.uint8Array({ maxLength: 300 }), (name, list) => {
        expect(attempt(list, name)).toBeInstanceOf(Refusal);
      }),
    );
    const anyKey = fc.constantFrom(...Object.keys(GOOD), 'recordList', 'originalTranId', 'CVV2');
    fc.assert(
      fc.property(anyName, fc.dictionary(anyKey, fc.oneof(fc.jsonValue(), fc.string())), (name, value) => {
        attempt(bytes(value), name);
      }),
    );
  });

  it('F6 a byte changed is refused, or read as exactly what it now says and told apart from the first', () => {
    const text = JSON.stringify({ ...GOOD, merchantName: 'Café 😀', CVV2: '123' });
    const original = bytes(text);
    const first = parsed(text);
    fc.assert(
      fc.property(fc.nat({ max: original.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const body = Uint8Array.from(original);
        body[at] = value;
        const second = attempt(body);
        if (second instanceof Refusal) return;
        const wire = wireOf(second).reveal();
        expect(wire).toEqual(JSON.parse(new TextDecoder().decode(body)));
        const changes = Object.keys(wire).filter(name => wire[name] !== wireOf(first).reveal()[name]);
        const own = changes.filter(name => !Object.hasOwn(first.header, name) && name !== 'CVV2');
        expect(differingFields(api('Purchase'), first.fields.reveal(), second.fields.reveal())).toEqual(own);
      }),
      { numRuns: 2_000 },
    );
  });
});
