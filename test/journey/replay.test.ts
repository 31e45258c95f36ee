/**
 * The same `tranId` again: the same message hears the same answer and is never sent twice, however it is written and
 * however many copies come at once; another message under it is refused without a word about the first.
 */
import { describe, expect, it } from 'vitest';
import { API_PATHS, type ApiName } from '../support/apiPaths.ts';
import { CANARY_PAN } from '../support/canary.ts';
import { type Answer, bodyOf, type Fields, newTranId } from '../support/client.ts';
import {
  AS_OTHER,
  blamed,
  JOURNALS,
  messagesInASecond,
  money,
  NOTHING_OWED,
  newCard,
  OTHER_PARTICIPANT,
  owed,
  type Stage,
  said,
  stages,
  untilNothingDue,
} from './support.ts';

const on = stages();

const sendsOf = ({ issuer }: Stage, tranId: string) => issuer.requests.filter(request => request.tranId === tranId);

const HEADER = [
  'participantId',
  'tranBranch',
  'tranChnl',
  'tranCode',
  'tranDate',
  'tranTime',
  'tellerNo',
  'terminalNo',
];
/** What an answer says apart from the header fields of its own request. */
const businessOf = ({ body }: Answer): Fields =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !HEADER.includes(name)));

/** Every money API that needs no original, with a field that only it has. */
const CALLS: readonly (readonly [ApiName, Fields])[] = [
  ['Purchase', { merchantName: 'Corner Shop' }],
  ['Withdraw', { merchantId: 'ATM 7' }],
  ['LoadFund', { memo: 'salary' }],
  ['TransferFund', { toCardToken: 'card-of-a-friend' }],
  ['BlockFund', { expiryDate: '3012' }],
  ['ServiceCharge', { reasonCode: '1' }],
  ['DebitAdjustment', { memo: 'correction' }],
  ['CreditAdjustment', { memo: 'correction' }],
];

describe.each(JOURNALS)('the same message again, on %s', journal => {
  it.each(CALLS)('F5 I3 %s: the first answer, with the header fields of the retry', async (api, extra) => {
    const stage = on(journal);
    const tranId = newTranId();
    const fields = { ...money(newCard()), ...extra };
    const first = await stage.call(api, fields, { tranId });
    expect([said(first), first.body.authCode, first.body.balanceCurrency]).toEqual(['200 00', 'A00001', '840']);
    const present = { tranTime: '235959', tranBranch: '000009', tranChnl: '07', terminalNo: 'POS9', tellerNo: 'T9' };
    const again = await stage.call(api, { ...fields, ...present, tranCode: 'AGAIN' }, { tranId });
    expect(said(again)).toBe('200 00 replayed');
    expect(again.body).toEqual({ ...first.body, ...present, tranCode: 'AGAIN' });
    expect(sendsOf(stage, tranId)).toHaveLength(1);
  });

  it('F5 I17 also after kill -9 and restart', async () => {
    const stage = on(journal);
    const fields = money(newCard());
    const first = await stage.call('Purchase', fields);
    await stage.gateway.restart();
    const again = await stage.call('Purchase', fields, { tranId: first.tranId });
    expect([said(again), businessOf(again)]).toEqual(['200 00 replayed', businessOf(first)]);
    expect(sendsOf(stage, first.tranId)).toHaveLength(1);
  });

  it('F29 I3 a decline stays one, although there is money now; another tranId is another try', async () => {
    const { call } = on(journal);
    const card = newCard();
    const declined = await call('Purchase', money(card, '1500.00'));
    expect(said(declined)).toBe('200 51');
    expect(said(await call('LoadFund', money(card, '1000.00')))).toBe('200 00');
    const again = await call('Purchase', money(card, '1500.00'), { tranId: declined.tranId });
    expect([said(again), again.body.responseDesc]).toEqual(['200 51 replayed', declined.body.responseDesc]);
    expect(said(await call('Purchase', money(card, '1500.00')))).toBe('200 00');
  });

  it('F13 I3 a 91 stays one, although the issuer is back; another tranId is another try', async () => {
    const stage = on(journal);
    const fields = money(newCard());
    await stage.proxy.mode('refuse');
    const unsent = await stage.call('Purchase', fields);
    await stage.proxy.mode('pass');
    expect(said(unsent)).toBe('200 91');
    expect(said(await stage.call('Purchase', fields, { tranId: unsent.tranId }))).toBe('200 91 replayed');
    expect(sendsOf(stage, unsent.tranId)).toEqual([]);
    expect(said(await stage.call('Purchase', fields))).toBe('200 00');
  });

  it('F1 a client that hung up finds the answer when it comes back', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const tranId = newTranId();
    const fields = money(newCard());
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const hangUp = new AbortController();
    const first = call('Purchase', fields, { tranId, signal: hangUp.signal });
    await issuer.waitFor('the purchase', () => sendsOf(stage, tranId).length === 1);
    hangUp.abort();
    await expect(first).rejects.toThrow(/abort/i);
    const retry = call('Purchase', fields, { tranId });
    issuer.release();
    expect(said(await retry)).toBe('200 00 replayed');
    expect(sendsOf(stage, tranId)).toHaveLength(1);
  });

  it('F6 I3 however it is written: order, white space, escapes, 10 or 10.00, a default left out', async () => {
    const stage = on(journal);
    const { gateway, call } = stage;
    const card = newCard();
    const purchase = await call('Purchase', money(card, '10.00'));
    const tranId = newTranId();
    const fields = { ...money(card, '10'), originalTranId: purchase.tranId };
    const first = await call('Refund', fields, { tranId });
    expect(said(first)).toBe('200 00');
    const plain = bodyOf(gateway, { ...fields, tranAmount: '10.0', refundType: 'R' }, tranId);
    const spread = JSON.stringify(Object.fromEntries(Object.entries(plain).reverse()), null, '\t');
    const escaped = JSON.stringify(bodyOf(gateway, fields, tranId)).replace('"840"', '"\\u0038\\u0034\\u0030"');
    for (const rawBody of [spread, escaped]) {
      const again = await call('Refund', {}, { rawBody });
      expect([said(again), businessOf(again)]).toEqual(['200 00 replayed', businessOf(first)]);
    }
    expect(sendsOf(stage, tranId)).toHaveLength(1);
  });

  it.each([
    ['BlockFund', { CVV2: '123' }, { CVV2: '456' }],
    ['BlockFund', {}, { CVV2: '789' }],
    ['Withdraw', { pinBlock: '0123456789ABCDEF' }, { pinBlock: 'FEDCBA9876543210' }],
    ['Withdraw', { pinBlock: '0123456789ABCDEF' }, {}],
  ] as const)('I14 %s: what may not be stored is not compared: %j, %j', async (api, first, second) => {
    const stage = on(journal);
    const tranId = newTranId();
    const card = newCard();
    expect(said(await stage.call(api, { ...money(card), ...first }, { tranId }))).toBe('200 00');
    expect(said(await stage.call(api, { ...money(card), ...second }, { tranId }))).toBe('200 00 replayed');
    expect(sendsOf(stage, tranId).map(({ body }) => body)).toEqual([expect.objectContaining(first)]);
  });

  it.each([
    ['00', { kind: 'answer' }, '990.00'],
    ['51', { kind: 'decline', code: '51' }, '1000.00'],
    ['91', { kind: 'status', status: 403 }, '1000.00'],
    ['68', { kind: 'resetAfterEffect' }, '1000.00'],
  ] as const)('F4 I1 I3 fifty copies at once: one send, fifty times %s', async (code, behaviour, balance) => {
    const stage = on(journal);
    const tranId = newTranId();
    const card = newCard();
    stage.issuer.script('Purchase', behaviour, { tranId });
    const copies = Array.from({ length: 50 }, () => stage.call('Purchase', money(card), { tranId }));
    const answers = await Promise.all(copies);
    const replay = `200 ${code} replayed`;
    expect(answers.map(said).filter(text => text !== replay)).toEqual([`200 ${code}`]);
    expect(new Set(answers.map(answer => JSON.stringify(businessOf(answer)))).size).toBe(1);
    await untilNothingDue(stage);
    expect(sendsOf(stage, tranId)).toHaveLength(1);
    expect(stage.issuer.balanceOf(card)).toBe(balance);
  });

  it('F4 I4 copies wait for the first, and one with another amount is refused at once', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const tranId = newTranId();
    const card = newCard();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const copies = Array.from({ length: 5 }, () => call('Purchase', money(card), { tranId }));
    await issuer.waitFor('one of them', () => sendsOf(stage, tranId).length === 1);
    expect(said(await call('Purchase', money(card, '11.00'), { tranId }))).toBe('400 94');
    issuer.release();
    const told = (await Promise.all(copies)).map(said).sort();
    expect(told).toEqual(['200 00', ...Array(4).fill('200 00 replayed')]);
    expect(sendsOf(stage, tranId)).toHaveLength(1);
  });
});

const FIRST = {
  cardToken: 'card-first',
  tranAmount: '7.17',
  tranCurrency: '840',
  merchantName: 'Corner Shop',
  partialAllowed: 'N',
};
type Change = readonly [title: string, change: Fields, fields: readonly string[]];
const CHANGES: readonly Change[] = [
  ['amount', { tranAmount: '7.18' }, ['tranAmount']],
  ['currency', { tranCurrency: '978' }, ['tranCurrency']],
  ['card', { cardToken: 'card-second' }, ['cardToken']],
  ['kind of card', { cardToken: undefined, cardNumber: CANARY_PAN }, ['cardToken', 'cardNumber']],
  ['merchant', { merchantName: 'Korner Shop' }, ['merchantName']],
  ['consent', { partialAllowed: 'Y' }, ['partialAllowed']],
  ['one field more', { feeAmount: '1.00' }, ['feeAmount']],
  ['one field less', { merchantName: undefined }, ['merchantName']],
  ['original', { originalTranId: 'seen-nowhere' }, ['originalTranId']],
  [
    'all of it',
    { cardToken: 'card-3', tranAmount: '1.00', merchantName: 'X' },
    ['cardToken', 'tranAmount', 'merchantName'],
  ],
];

describe.each(JOURNALS)('another message under the same tranId, on %s', journal => {
  it.each(CHANGES)('F6 I4 other %s: 400 94 that names the fields and no values', async (_, change, fields) => {
    const stage = on(journal);
    const { call } = stage;
    const tranId = newTranId();
    expect(said(await call('Purchase', FIRST, { tranId }))).toBe('200 00');
    const other = await call('Purchase', { ...FIRST, ...change }, { tranId });
    expect([said(other), other.body.tranId, blamed(other)]).toEqual(['400 94', tranId, fields]);
    const told = JSON.stringify(other.body.errors) + String(other.body.responseDesc);
    const values = [...Object.values(FIRST), ...Object.values(change)].map(String).filter(text => text.length > 2);
    expect(values.filter(value => told.includes(value))).toEqual([]);
    expect(Object.keys(other.body)).not.toContain('authCode');
    expect(said(await call('Purchase', FIRST, { tranId }))).toBe('200 00 replayed');
    expect(sendsOf(stage, tranId)).toHaveLength(1);
  });

  it.each(['Withdraw', 'BlockFund', 'LoadFund'] as const)('F6 I4 the same fields as a %s: 400 94', async api => {
    const stage = on(journal);
    const fields = money(newCard());
    const { tranId } = await stage.call('Purchase', fields);
    const other = await stage.call(api, fields, { tranId });
    expect([said(other), blamed(other), sendsOf(stage, tranId).length]).toEqual(['400 94', ['tranId'], 1]);
  });

  it('F6 I4 as a Reversal of something else, or as what it reverses: 400 94', async () => {
    const stage = on(journal);
    const { issuer, call } = stage;
    const card = newCard();
    const [one, two] = [await call('Purchase', money(card)), await call('Purchase', money(card))];
    const undo = (of: Answer, tranId: string) =>
      call('Reversal', { ...money(card), originalTranId: of.tranId }, { tranId });
    expect(said(await undo(one, two.tranId))).toBe('400 94');
    const reversalId = newTranId();
    expect(said(await undo(one, reversalId))).toBe('200 00');
    const other = await undo(two, reversalId);
    expect([said(other), blamed(other)]).toEqual(['400 94', ['originalTranId']]);
    // What this tranId was first used for decides, before what the Reversal says of its original.
    const less = await call('Reversal', { ...money(card, '9.00'), originalTranId: one.tranId }, { tranId: reversalId });
    expect([said(less), blamed(less)]).toEqual(['400 94', ['tranAmount']]);
    expect(issuer.about(two.tranId)).toHaveLength(1);
    expect(issuer.balanceOf(card)).toBe('990.00');
  });

  it('F9 I16 from another client: 400 94 without a word, whether it is the same message or not', async () => {
    const stage = on(journal);
    const { call } = stage;
    const fields = money(newCard());
    const [approved, declined] = [
      await call('Purchase', fields),
      await call('Purchase', { ...fields, tranAmount: '5000.00' }),
    ];
    const asOther = async (api: ApiName, { tranId }: Answer, change: Fields = {}) => {
      const answer = await call(api, { ...fields, ...change }, { ...AS_OTHER, tranId });
      return { ...answer.body, tranId: '', tranTime: '', said: said(answer) };
    };
    const answers = [
      await asOther('Purchase', approved),
      await asOther('Purchase', declined, { tranAmount: '5000.00' }),
      await asOther('Purchase', approved, { tranAmount: '1.00' }),
      await asOther('Withdraw', declined),
    ];
    expect(answers).toEqual(answers.map(() => answers[0]));
    expect([answers[0]?.said, Reflect.get(answers[0] ?? {}, 'errors')]).toEqual(['400 94', []]);
    expect([...sendsOf(stage, approved.tranId), ...sendsOf(stage, declined.tranId)]).toHaveLength(2);
    expect(said(await call('Purchase', fields, { tranId: approved.tranId }))).toBe('200 00 replayed');
  });

  it('S101 F9 another participant and another spelling of the tranId are other transactions', async () => {
    const stage = on(journal);
    const tranId = newTranId();
    const fields = money(newCard());
    const calls = [
      await stage.call('Purchase', fields, { tranId: `${tranId}a` }),
      await stage.call('Purchase', fields, { tranId: `${tranId}A` }),
      await stage.call('Purchase', { ...fields, participantId: OTHER_PARTICIPANT }, { tranId: `${tranId}a` }),
      await stage.call('Withdraw', { ...fields, participantId: OTHER_PARTICIPANT }, { tranId: `${tranId}A` }),
    ];
    expect(calls.map(said)).toEqual(calls.map(() => '200 00'));
    expect(stage.issuer.requests.filter(request => request.tranId.startsWith(tranId))).toHaveLength(4);
  });
});

describe.each(JOURNALS)('what is not kept, on %s', journal => {
  it.each([
    ['of another call', newTranId()],
    ['in other case', 'other-CASE'],
    ['empty', ''],
  ])('S105 F6 an Idempotency-Key %s: 400 30, and nothing is claimed; the right one is fine', async (_, key) => {
    const stage = on(journal);
    const fields = money(newCard());
    const tranId = key === 'other-CASE' ? `other-case-${journal}` : newTranId();
    const wrong = key === 'other-CASE' ? tranId.toUpperCase() : key;
    const refused = await stage.call('Purchase', fields, { tranId, headers: { 'Idempotency-Key': wrong } });
    expect([said(refused), blamed(refused), sendsOf(stage, tranId)]).toEqual(['400 30', ['idempotency-key'], []]);
    const right = { tranId, headers: { 'Idempotency-Key': tranId } };
    expect(said(await stage.call('Purchase', fields, right))).toBe('200 00');
    expect(said(await stage.call('Purchase', fields, right))).toBe('200 00 replayed');
  });

  it('I15 what fails verification is not kept: the same tranId is free for the right message', async () => {
    const stage = on(journal);
    const tranId = newTranId();
    const fields = money(newCard());
    const wrong = [{ tranAmount: '-1' }, { tranAmount: '10.001' }, { cardToken: undefined }, { surprise: 'x' }];
    for (const change of wrong) {
      const refused = await stage.call('Purchase', { ...fields, ...change }, { tranId });
      expect([refused.status, refused.headers['idempotent-replayed']]).toEqual([400, undefined]);
    }
    expect(said(await stage.call('Purchase', fields, { tranId, token: 'x'.repeat(43) }))).toBe('403 10');
    expect(sendsOf(stage, tranId)).toEqual([]);
    expect(said(await stage.call('Purchase', fields, { tranId }))).toBe('200 00');
  });

  it.each(['BalanceInquiry', 'Verification', 'TransactionHistory', 'AuthorizationHistory'] as const)(
    '%s is asked anew, every time',
    async api => {
      const stage = on(journal);
      const tranId = newTranId();
      const ask = () => stage.call(api, { cardToken: newCard() }, { tranId });
      expect([said(await ask()), said(await ask())]).toEqual(['200 00', '200 00']);
      expect(sendsOf(stage, tranId).map(({ api: sent, repeat }) => [sent in API_PATHS, repeat])).toEqual([
        [true, false],
        [true, false],
      ]);
    },
  );

  it('nothing of all this is owed, was sent later, or broke the contract with the issuer', async () => {
    const stage = on(journal);
    expect(await owed(stage.gateway)).toEqual(NOTHING_OWED);
    expect(await messagesInASecond(stage)).toBe(0);
    expect(stage.issuer.violations).toEqual([]);
  });
});
