/**
 * Replies as bytes: which are definite answers, and why all the others leave the outcome open.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiByName } from '../../src/catalogue/apis.ts';
import type { TranId } from '../../src/domain/ids.ts';
import type { Message } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { isDefinite, isResponseCode, meaningOf, RESPONSE_CODES } from '../../src/domain/responseCode.ts';
import { readIssuerReply } from '../../src/issuer/reply.ts';
import { approvalOf, messageOf, USD } from './messages.ts';

const bytes = (text: string | object): Uint8Array =>
  new TextEncoder().encode(typeof text === 'string' ? text : JSON.stringify(text));

function read(message: Message, reply: string | object | Uint8Array, status: 200 | 400 = 200): Outcome {
  const row = apiByName(message.api);
  if (!row) throw new Error(`no row of ${message.api}`);
  return readIssuerReply(status, reply instanceof Uint8Array ? reply : bytes(reply), message, row);
}

const answerOf = (outcome: Outcome) => {
  if (outcome.kind !== 'answered') throw new Error(`not answered but ${outcome.kind}: ${outcome.reason}`);
  return { status: outcome.status, ...outcome.answer, fields: outcome.answer.fields.reveal() };
};
const unknown = (reason: string) => ({ kind: 'unknown', reason });
const purchase = messageOf();

describe('answers', () => {
  it('hold the listed response fields and nothing else', () => {
    const extra = {
      availableBalance: '87.50',
      balanceCurrency: '840',
      cardToken: 'tok_1',
      internal: { a: 1 },
      x: null,
    };
    expect(answerOf(read(purchase, approvalOf(purchase, extra)))).toEqual({
      status: 200,
      code: '00',
      desc: 'approved',
      fields: { authCode: 'A1B2C3', availableBalance: '87.50', balanceCurrency: '840' },
    });
  });

  it('F29: a decline is an answer with either status, and needs no fields', () => {
    const inquiry = messageOf('BalanceInquiry', { cardToken: 'tok_1' }, null);
    for (const status of [200, 400] as const) {
      const reply = { ...inquiry.header, responseCode: '51' };
      expect(answerOf(read(inquiry, reply, status))).toEqual({
        status,
        code: '51',
        desc: 'insufficient funds',
        fields: {},
      });
    }
  });

  it('an approval needs the fields that the catalogue requires', () => {
    const inquiry = messageOf('BalanceInquiry', { cardToken: 'tok_1' }, null);
    expect(read(inquiry, { ...inquiry.header, responseCode: '00' })).toEqual(unknown('badField'));
    const reply = { ...inquiry.header, responseCode: '00', availableBalance: '1', balanceCurrency: '840' };
    expect(answerOf(read(inquiry, reply)).fields).toEqual({ availableBalance: '1', balanceCurrency: '840' });
  });

  it('hold lists of records, each by its row', () => {
    const history = messageOf('TransactionHistory', { cardToken: 'tok_1' }, null);
    const record = {
      tranId: 'T1',
      tranDate: '20260102',
      tranTime: '101112',
      tranType: 'Purchase',
      tranAmount: '99.00',
      tranCurrency: '840',
    };
    const reply = { ...history.header, responseCode: '00', recordNum: '1', recordList: [{ ...record, secret: 'x' }] };
    expect(answerOf(read(history, reply)).fields).toEqual({ recordNum: '1', recordList: [record] });
  });
});

describe('F21: bodies that are no reply', () => {
  const good = JSON.stringify(approvalOf(purchase));
  it.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['white space', '  \n'],
    ['half', good.slice(0, -10)],
    ['text', 'OK'],
    ['HTML', '<!doctype html><p>Welcome'],
    ['null', 'null'],
    ['a list', `[${good}]`],
    ['two objects', good + good],
    ['S95 trailing text', `${good};`],
    ['S93 a field twice', good.replace('{', '{"responseCode":"51",')],
    ['S93 a field twice by escape', good.replace('{', '{"response\\u0043ode":"51",')],
    ['S94 a prototype', good.replace('{', '{"__proto__":{},')],
    ['S90 not UTF-8', Buffer.from([...bytes(good).slice(0, -1), 0xff])],
    ['S90 UTF-16', Buffer.from(good, 'utf16le')],
    ['S96 too deep', good.replace('{', `{"a":${'['.repeat(50)}${']'.repeat(50)},`)],
  ])('%s', (_, body) => {
    expect(read(purchase, body)).toEqual(unknown('garbage'));
  });

  it('whatever the bytes are: never an exception, and never an answer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), body => {
        expect(read(purchase, body).kind).toBe('unknown');
      }),
    );
  });

  it('whatever the JSON is: never an exception, and an answer only with echo and a definite code', () => {
    const value = fc.oneof(fc.string(), fc.constantFrom('00', '51', '12.50', '840', 'Y'), fc.jsonValue());
    const names = [
      'responseCode',
      'tranAmount',
      'tranCurrency',
      'approvedAmount',
      'authCode',
      'participantId',
      'tranId',
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), fc.boolean(), (given, echoing) => {
        const reply = { ...given, ...(echoing ? purchase.header : {}) };
        const outcome = read(purchase, reply);
        if (outcome.kind !== 'answered') return;
        expect(reply).toMatchObject({ participantId: '100000', tranId: purchase.header.tranId });
        expect(isDefinite(outcome.answer.code)).toBe(true);
        if ('tranCurrency' in reply) expect(reply.tranCurrency).toBe('840');
        if ('tranAmount' in reply) expect(['12.5', '12.50']).toContain(reply.tranAmount);
        if (outcome.answer.code === '00' && 'approvedAmount' in reply) expect(Number(reply.approvedAmount)).toBe(12.5);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('F22: the code', () => {
  const CODES = Object.keys(RESPONSE_CODES).filter(isResponseCode);

  it.each(CODES)('%s', code => {
    const outcome = read(purchase, approvalOf(purchase, { responseCode: code }));
    if (isDefinite(code)) expect(answerOf(outcome).code).toBe(code);
    else expect(outcome).toEqual(unknown('openCode'));
  });

  it('09, 68, 91, 94, 96 and 99 leave it open', () => {
    expect(CODES.filter(code => !isDefinite(code)).sort()).toEqual(['09', '68', '91', '94', '96', '99']);
  });

  it.each(['0', '000', '77', '', ' 00', 'constructor', 'toString', 0, 51, null, undefined, ['00']])(
    '%j is none of the contract',
    responseCode => {
      expect(read(purchase, approvalOf(purchase, { responseCode }))).toEqual(unknown('garbage'));
    },
  );

  it('an approval with 400 contradicts itself', () => {
    expect(read(purchase, approvalOf(purchase), 400)).toEqual(unknown('garbage'));
  });
});

describe('F23 I20: the echo', () => {
  it.each<[string, Record<string, unknown>]>([
    ['no participantId', { participantId: undefined }],
    ['another participantId', { participantId: '100001' }],
    ['participantId as a number', { participantId: 100000 }],
    ['no tranId', { tranId: undefined }],
    ['another tranId', { tranId: 'T0' }],
    ['a tranId in other case', { tranId: purchase.header.tranId.toLowerCase() }],
    ['another amount', { tranAmount: '12.51' }],
    ['another currency', { tranCurrency: '978' }],
    ['no currency at all', { tranCurrency: null }],
    ['more than asked', { approvedAmount: '12.51' }],
  ])('%s', (_, foreign) => {
    expect(read(purchase, approvalOf(purchase, foreign))).toEqual(unknown('wrongEcho'));
  });

  it('counts for declines as well', () => {
    expect(read(purchase, approvalOf(purchase, { responseCode: '51', tranId: 'T0' }))).toEqual(unknown('wrongEcho'));
    expect(read(purchase, approvalOf(purchase, { responseCode: '51', tranAmount: '1' }))).toEqual(unknown('wrongEcho'));
  });

  it.each(['12.50', '12.5'])('compares amounts by value: %s is 12.50', tranAmount => {
    const reply = approvalOf(purchase, { tranAmount, tranCurrency: '840' });
    expect(answerOf(read(purchase, reply)).fields).toMatchObject({ tranAmount });
  });

  it('any other amount of money is another transaction', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 9_999_999_999_999_999n }), minor => {
        const text = `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`;
        const outcome = read(purchase, approvalOf(purchase, { tranAmount: text }));
        expect(outcome.kind === 'answered').toBe(minor === 1250n);
      }),
    );
  });

  it('an amount is not compared where the message has none', () => {
    const release = messageOf('UnblockFund', { cardToken: 'tok_1', originalTranId: 'T0' }, null);
    const reply = approvalOf(release, { tranAmount: '5.00', tranCurrency: '840' });
    expect(answerOf(read(release, reply)).fields).toMatchObject({ tranAmount: '5.00' });
  });
});

describe('approvals of less', () => {
  const partial = (partialAllowed?: string) =>
    messageOf('Purchase', {
      cardToken: 'tok_1',
      tranAmount: '12.50',
      tranCurrency: USD,
      ...(partialAllowed && { partialAllowed }),
    });

  it.each([
    [undefined, '10.00', 'partialApproval'],
    ['N', '10.00', 'partialApproval'],
    [undefined, '0', 'partialApproval'],
    ['Y', '12.51', 'wrongEcho'],
    ['Y', '0', 'partialApproval'],
    ['Y', '0.00', 'partialApproval'],
  ])('partialAllowed %s, approved %s: %s', (allowed, approvedAmount, reason) => {
    const message = partial(allowed);
    expect(read(message, approvalOf(message, { approvedAmount }))).toEqual(unknown(reason));
  });

  it.each([
    ['Y', '10.00'],
    ['Y', '12.50'],
    [undefined, '12.5'],
  ])('partialAllowed %s, approved %s: an answer', (allowed, approvedAmount) => {
    const message = partial(allowed);
    expect(answerOf(read(message, approvalOf(message, { approvedAmount }))).fields).toMatchObject({ approvedAmount });
  });

  it('an undo brings back what there was: of an original that was approved in part, less than asked', () => {
    const asked = messageOf('Reversal', { ...purchase.fields.reveal(), originalTranId: 'T0' });
    const undo = { ...asked, header: { ...asked.header, tranId: `RV${'A'.repeat(30)}` as TranId } };
    expect(answerOf(read(undo, approvalOf(undo, { approvedAmount: '10.00' }))).code).toBe('00');
    expect(read(undo, approvalOf(undo, { approvedAmount: '12.51' }))).toEqual(unknown('wrongEcho'));
  });

  it('a decline approves nothing, whatever it says', () => {
    const reply = approvalOf(purchase, { responseCode: '51', approvedAmount: '1.00' });
    expect(answerOf(read(purchase, reply)).code).toBe('51');
  });
});

describe('fields of the wrong form', () => {
  it.each<[string, Record<string, unknown>]>([
    ['an amount with a sign', { availableBalance: '-1.00' }],
    ['an amount as a number', { availableBalance: 1 }],
    ['too many decimals', { tranAmount: '12.500' }],
    ['no amount', { tranAmount: 'twelve' }],
    ['an amount approved with too many decimals', { approvedAmount: '12.505' }],
    ['too long', { authCode: '1234567' }],
    ['null', { authCode: null }],
    ['an object', { authCode: {} }],
    ['control characters', { authCode: 'A\u0007' }],
  ])('%s', (_, fields) => {
    expect(read(purchase, approvalOf(purchase, fields))).toEqual(unknown('badField'));
  });
});

describe('responseDesc', () => {
  const descOf = (responseDesc: unknown) => answerOf(read(purchase, approvalOf(purchase, { responseDesc }))).desc;

  it.each(['Approved, thank you', 'Одобрено', '承認', '😀'.repeat(120), 'ref 12345678901'])('%s is passed on', text => {
    expect(descOf(text)).toBe(text);
  });

  it.each([
    undefined,
    null,
    7,
    '',
    'x'.repeat(121),
    '😀'.repeat(121),
    'a\nb',
    'a\u202eb',
    'card 4111111111111111 approved',
    'card 4111 1111 1111 1111',
    'card 4111-1111-1111-1111',
  ])('I14: %j is replaced by ours', text => {
    expect(descOf(text)).toBe(meaningOf('00'));
  });
});
