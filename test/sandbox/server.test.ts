/**
 * The demo issuer's side of the contract over HTTP: who may call, what is a well-formed message, what a reply looks like,
 * and that a `tranId` is decided once, also across a restart.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fields, freshId, header, money, NUMBER, pathOf, type Sandbox, startSandbox } from './support.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const PURCHASE = `/card-api${pathOf('Purchase')}`;
const purchase = (more: Fields = {}): Fields => ({ ...header(), cardToken: 'card', ...money('10.00'), ...more });

describe('at the door', () => {
  it.each(['', 'Bearer', 'Bearer wrong', 'Basic abc', 'Bearer a b', 'Bearer '])(
    'answers 401 to "%s"',
    async authorization => {
      const { status, body } = await sandbox.post(PURCHASE, JSON.stringify(purchase()), { authorization });
      expect(status).toBe(401);
      expect(body).toEqual({ responseCode: '10', responseDesc: 'restricted access' });
      expect(await sandbox.requests()).toEqual([]);
      expect((await sandbox.ledger()).effectsTotal).toBe(0);
    },
  );

  it.each([
    ['GET', PURCHASE],
    ['POST', '/card-api/tranmgr/nothing'],
    ['POST', pathOf('Purchase')],
    ['POST', '/_sandbox/nothing'],
    ['DELETE', '/_sandbox/requests'],
    ['GET', '/_sandbox/ledger/nobody'],
  ])('answers 404 to %s %s', async (method, path) => {
    expect((await sandbox.control(method, path)).status).toBe(404);
  });
});

describe('a message', () => {
  const bad = (body: string | Uint8Array, headers: Fields = {}) => sandbox.post(PURCHASE, body, headers);

  it.each<[string, string | Uint8Array, string]>([
    ['no body', '', 'body'],
    ['no JSON', '{', 'body'],
    ['no object', '[]', 'body'],
    ['not UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'body'],
    ['too long', `{"memo":"${'x'.repeat(70_000)}"}`, 'body'],
  ])('is refused with 30 when it is %s', async (_, body, field) => {
    const answer = await bad(body);
    expect([answer.status, answer.body.responseCode]).toEqual([400, '30']);
    expect(answer.body.errors).toMatchObject([{ field }]);
  });

  it.each<[Fields, string, string]>([
    [{ tranDate: '20260231' }, 'tranDate', '30'],
    [{ tranId: 'a b' }, 'tranId', '30'],
    [{ madeUp: '1' }, 'madeUp', '30'],
    [{ memo: 'not of a Purchase' }, 'memo', '30'],
    [{ cardNumber: NUMBER }, 'cardToken', '30'],
    [{ tranAmount: '1.005' }, 'tranAmount', '30'],
    [{ tranAmount: '0.00' }, 'tranAmount', '13'],
    [{ tranAmount: '-1' }, 'tranAmount', '13'],
  ])('is refused when it has %j', async (fields, field, code) => {
    const answer = await bad(JSON.stringify(purchase(fields)));
    expect([answer.status, answer.body.responseCode]).toEqual([400, code]);
    expect(answer.body.errors).toMatchObject([{ field }]);
    expect((await sandbox.ledger()).effectsTotal).toBe(0);
  });

  it.each<[Fields, string]>([
    [{ timestamp: 'now' }, 'timestamp'],
    [{ timestamp: '1234567890123456' }, 'timestamp'],
    [{ 'idempotency-key': 'another' }, 'idempotency-key'],
    [{ 'content-type': 'text/plain' }, 'content-type'],
  ])('is refused with the header %j', async (headers, field) => {
    const answer = await bad(JSON.stringify(purchase()), headers);
    expect([answer.status, answer.body.responseCode]).toEqual([400, '30']);
    expect(answer.body.errors).toMatchObject([{ field }]);
  });

  it('is answered with its header fields and ours, and does not exist before it is well formed', async () => {
    const tranId = freshId();
    const full: Fields = { ...purchase({ tranId }), tranCode: 'code', tellerNo: 'teller', terminalNo: 'terminal' };
    const wrong = await bad(JSON.stringify({ ...full, tranAmount: '1.005' }));
    expect(wrong.body).toMatchObject({ tranId, tellerNo: 'teller' });
    const { status, headers, body } = await sandbox.post(PURCHASE, JSON.stringify(full));
    expect([status, body.responseCode]).toEqual([200, '00']);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('timestamp')).toMatch(/^\d{13}$/);
    const { cardToken: _, tranAmount, tranCurrency, ...echoed } = full;
    expect(body).toMatchObject({ ...echoed, tranAmount, tranCurrency });
  });
});

describe('a repeated tranId', () => {
  it('gets the first answer again, with this call’s header fields, and no second effect (F5, I1, I3)', async () => {
    const sent = { ...money('10.00'), tranId: 'once' };
    const first = await sandbox.call('Purchase', sent);
    await sandbox.call('Purchase', money('5.00'));
    const again = await sandbox.call('Purchase', { ...sent, tranTime: '111111' });
    expect(again.body).toEqual({ ...first.body, tranTime: '111111' });
    const equal = await sandbox.call('Purchase', { ...sent, tranAmount: '10' });
    expect(equal.body).toEqual(first.body);
    expect((await sandbox.ledger()).availableBalance).toBe('985.00');
  });

  it('is decided once when 20 copies come at once (F4)', async () => {
    const copies = Array.from({ length: 20 }, () => sandbox.call('Withdraw', { ...money('10.00'), tranId: 'once' }));
    const bodies = (await Promise.all(copies)).map(({ body }) => JSON.stringify(body));
    expect(new Set(bodies).size).toBe(1);
    expect((await sandbox.ledger()).availableBalance).toBe('990.00');
  });

  it.each(['51', '04', '25', '54'])('stays declined with %s though it would be approved now (F29)', async expected => {
    const asks: Record<string, [string, Fields]> = {
      '51': ['Purchase', money('1500.00')],
      '04': ['Purchase', { ...money('1.00'), cardToken: 'nobody' }],
      '25': ['Reversal', { ...money('1.00'), originalTranId: 'later' }],
      '54': ['Purchase', { ...money('1.00'), expiryDate: '2512' }],
    };
    const [api, fields] = asks[expected] ?? ['', {}];
    const sent = { ...fields, tranId: 'sticky' };
    expect(await sandbox.code(api, sent)).toBe(expected);
    await sandbox.call('LoadFund', money('5000.00'));
    await sandbox.call('Purchase', { ...money('1.00'), tranId: 'later' });
    expect(await sandbox.code(api, sent)).toBe(expected);
    expect((await sandbox.ledger()).availableBalance).toBe('5999.00');
  });

  it.each<[string, string, Fields]>([
    ['another amount', 'Purchase', { tranAmount: '10.01' }],
    ['another card', 'Purchase', { cardToken: 'other' }],
    ['one field more', 'Purchase', { merchantName: 'Shop' }],
    ['another API', 'Withdraw', {}],
  ])('with %s is 94 and has no effect (F6, I4)', async (_, api, fields) => {
    const sent = { ...money('10.00'), tranId: 'once' };
    await sandbox.call('Purchase', sent);
    const { status, body } = await sandbox.call(api, { ...sent, ...fields });
    expect([status, body.responseCode]).toEqual([400, '94']);
    expect((await sandbox.ledger()).availableBalance).toBe('990.00');
    expect((await sandbox.ledger('other')).effectsTotal).toBe(0);
  });

  it('is another call for another participant (F9)', async () => {
    const sent = { ...money('10.00'), tranId: 'once' };
    expect(await sandbox.code('Purchase', sent)).toBe('00');
    const theirs = { ...sent, participantId: '200000', cardToken: 'stranger' };
    expect(await sandbox.code('Purchase', theirs)).toBe('00');
    const undo = { ...money('10.00'), originalTranId: 'once', participantId: '300000' };
    expect(await sandbox.code('Reversal', undo)).toBe('25');
  });

  it('is known after a restart, with balances and holds as they were (I6)', async () => {
    const sent = { ...money('10.00'), tranId: 'once' };
    const first = await sandbox.call('BlockFund', sent);
    await sandbox.call('Purchase', { ...money('9999.00'), tranId: 'poor' });
    await sandbox.restart();
    expect((await sandbox.call('BlockFund', sent)).body).toEqual(first.body);
    expect(await sandbox.code('Purchase', { ...money('9999.00'), tranId: 'poor' })).toBe('51');
    const ledger = await sandbox.ledger();
    expect([ledger.availableBalance, ledger.blockedAmount]).toEqual(['990.00', '10.00']);
  });
});

describe('what the issuer saw', () => {
  it('lists the calls, newest last, with what the gateway said about each', async () => {
    const headers = { 'idempotency-key': 'a', 'deadline-ms': '1999', repeat: 'true' };
    await sandbox.call('Purchase', { ...money('10.00'), tranId: 'a' });
    await sandbox.call('Purchase', { ...money('10.00'), tranId: 'a' }, { headers });
    await sandbox.call('Reversal', { ...money('1.00'), tranId: 'b', originalTranId: 'c' });
    await sandbox.post(PURCHASE, '{}');
    expect(await sandbox.requests()).toMatchObject([
      { no: 1, api: 'Purchase', tranId: 'a', repeat: false, ledger: 'decided', responseCode: '00', reply: 200 },
      { no: 2, tranId: 'a', repeat: true, deadlineMs: '1999', idempotencyKey: 'a', ledger: 'replayed', reply: 200 },
      { no: 3, api: 'Reversal', tranId: 'b', originalTranId: 'c', ledger: 'decided', responseCode: '25' },
      { no: 4, ledger: 'none', responseCode: '30', reply: 400 },
    ]);
  });

  it('shows no whole card number, CVV2 or PIN block, nor what it does not know (I14)', async () => {
    const pinBlock = '0123456789ABCDEF';
    const CVV2 = sandbox.cvv2;
    const sent = { cardNumber: NUMBER, ...money('1.00'), CVV2, pinBlock };
    await sandbox.call('Purchase', sent);
    await sandbox.call('Purchase', { ...sent, pan: NUMBER, tranAmount: 'x' });
    const seen = JSON.stringify(await sandbox.requests());
    expect(seen).toContain('422000******7893');
    for (const secret of [NUMBER, `"${CVV2}"`, pinBlock]) expect(seen).not.toContain(secret);
    expect(JSON.stringify(await sandbox.ledger())).not.toContain(NUMBER);
  });

  it('shows books that add up to zero in every currency (I13)', async () => {
    await sandbox.call('Purchase', money('10.00'));
    await sandbox.call('BlockFund', money('20.00'));
    await sandbox.call('TransferFund', { ...money('30.00'), toCardToken: 'other' });
    const { body } = await sandbox.control('GET', '/_sandbox/ledger');
    const currencies = body.currencies as Fields[];
    expect(currencies.map(({ currency }) => currency)).toEqual(expect.arrayContaining(['840', '392', '414']));
    for (const { sum } of currencies) expect(Number(sum)).toBe(0);
    expect(currencies.find(({ currency }) => currency === '840')).toMatchObject({ held: '20.00' });
  });
});
