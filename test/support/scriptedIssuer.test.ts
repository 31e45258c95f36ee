/**
 * The witness must be right: its books, its faults, and its eye for breaches of the contract. Every fault is provoked
 * once here, over the wire.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiName } from './apiPaths.ts';
import { API_PATHS } from './apiPaths.ts';
import { type Answer, type Fields, headerFields, post, rawRequest } from './client.ts';
import { type Behaviour, hasEffect } from './issuerScript.ts';
import { type ScriptedIssuer, startScriptedIssuer } from './scriptedIssuer.ts';
import { waitFor } from './waitFor.ts';

const CARD = 'card-1';
const AMOUNT = { cardToken: CARD, tranAmount: '12.50', tranCurrency: '840' };

let issuer: ScriptedIssuer;
beforeEach(async () => {
  issuer = await startScriptedIssuer({ cards: { [CARD]: '100.00' } });
});
afterEach(() => issuer.stop());

type SendOptions = {
  readonly repeat?: boolean;
  readonly timeoutMs?: number;
  readonly headers?: Record<string, string>;
};

/** Sends a message as a gateway would. */
function send(api: ApiName, tranId: string, fields: Fields, options: SendOptions = {}): Promise<Answer> {
  const headers = {
    'content-type': 'application/json',
    timestamp: String(Date.now()),
    'idempotency-key': tranId,
    'deadline-ms': '2000',
    ...(options.repeat ? { repeat: 'true' } : {}),
    ...options.headers,
  };
  const body = JSON.stringify({ ...headerFields('100000', tranId), ...fields });
  return post(`${issuer.baseUrl}${API_PATHS[api]}`, body, { headers, timeoutMs: options.timeoutMs ?? 5_000 });
}

const code = async (answer: Promise<Answer>) => (await answer).body.responseCode;

describe('books', () => {
  it('moves money once per tranId and answers as before', async () => {
    const first = await send('Purchase', 'P1', AMOUNT);
    const again = await send('Purchase', 'P1', AMOUNT, { repeat: true });
    // Between the two a second may have begun.
    expect({ ...again.body, tranTime: first.body.tranTime }).toEqual(first.body);
    expect(first.body).toMatchObject({
      tranId: 'P1',
      responseCode: '00',
      availableBalance: '87.50',
      tranAmount: '12.50',
    });
    expect([issuer.balanceOf(CARD), issuer.effectsOf('P1').length]).toEqual(['87.50', 1]);
    expect(issuer.requestsOf('Purchase').map(({ repeat }) => repeat)).toEqual([false, true]);
    expect(issuer.violations).toEqual([]);
  });

  it('does it twice when told to forget', async () => {
    await issuer.stop();
    issuer = await startScriptedIssuer({ cards: { [CARD]: '100.00' }, remembers: false });
    await send('Purchase', 'P1', AMOUNT);
    await send('Purchase', 'P1', AMOUNT, { repeat: true });
    expect([issuer.balanceOf(CARD), issuer.effectsOf('P1').length]).toEqual(['75.00', 2]);
  });

  it('declines what is not covered', async () => {
    expect(await code(send('Withdraw', 'W1', { ...AMOUNT, tranAmount: '100.01' }))).toBe('51');
    expect(issuer.effects).toEqual([]);
  });

  it('reverses once, whoever asks and however often; unknown originals are 25, and stay so under that tranId', async () => {
    const undo = { ...AMOUNT, originalTranId: 'P1' };
    expect(await code(send('Reversal', 'R0', undo))).toBe('25');
    await send('Purchase', 'P1', AMOUNT);
    expect(await code(send('Reversal', 'R0', undo, { repeat: true }))).toBe('25');
    expect(issuer.balanceOf(CARD)).toBe('87.50');
    expect(await code(send('Reversal', 'R1', undo))).toBe('00');
    expect(await code(send('Reversal', 'R2', undo))).toBe('00');
    expect(issuer.balanceOf(CARD)).toBe('100.00');
    expect(issuer.about('P1').map(({ tranId }) => tranId)).toEqual(['R0', 'P1', 'R0', 'R1', 'R2']);
  });

  it('holds, adds, releases in part, completes', async () => {
    const hold = { cardToken: CARD, originalTranId: 'B1' };
    await send('BlockFund', 'B1', AMOUNT);
    await send('BlockFund', 'B2', { ...AMOUNT, originalTranId: 'B1' });
    expect([issuer.balanceOf(CARD), issuer.heldOf(CARD)]).toEqual(['75.00', '25.00']);
    expect(await code(send('UnblockFund', 'U1', { ...hold, tranAmount: '5.00', tranCurrency: '840' }))).toBe('00');
    expect(await code(send('UnblockFund', 'U2', { ...hold, tranAmount: '20.01', tranCurrency: '840' }))).toBe('12');
    expect(await code(send('Purchase', 'P1', { ...AMOUNT, tranAmount: '18.00', originalTranId: 'B1' }))).toBe('00');
    expect([issuer.balanceOf(CARD), issuer.heldOf(CARD)]).toEqual(['82.00', '0.00']);
    expect(await code(send('UnblockFund', 'U3', hold))).toBe('00');
    expect([issuer.balanceOf(CARD), issuer.heldOf(CARD)]).toEqual(['82.00', '0.00']);
  });

  it('refunds no more than was paid, transfers between cards, reverses a transfer and a load', async () => {
    await send('Purchase', 'P1', AMOUNT);
    const refund = { ...AMOUNT, originalTranId: 'P1' };
    expect(await code(send('Refund', 'F1', { ...refund, tranAmount: '10.00' }))).toBe('00');
    expect(await code(send('Refund', 'F2', { ...refund, tranAmount: '2.51' }))).toBe('13');
    await send('TransferFund', 'T1', { ...AMOUNT, toCardToken: 'card-2' });
    expect([issuer.balanceOf(CARD), issuer.balanceOf('card-2')]).toEqual(['85.00', '1012.50']);
    await send('Reversal', 'R1', { ...AMOUNT, originalTranId: 'T1' });
    await send('LoadFund', 'L1', AMOUNT);
    await send('Reversal', 'R2', { ...AMOUNT, originalTranId: 'L1' });
    expect([issuer.balanceOf(CARD), issuer.balanceOf('card-2')]).toEqual(['97.50', '1000.00']);
  });

  it('keeps declines', async () => {
    issuer.script('Purchase', { kind: 'decline', code: '05' }, { times: 1 });
    expect(await code(send('Purchase', 'P1', AMOUNT))).toBe('05');
    expect(await code(send('Purchase', 'P1', AMOUNT, { repeat: true }))).toBe('05');
    expect(await code(send('Purchase', 'P2', AMOUNT))).toBe('00');
  });
});

describe('faults', () => {
  const answered: readonly [Behaviour, (answer: Answer) => void][] = [
    [
      { kind: 'answer', fields: { approvedAmount: '1.00', authCode: undefined } },
      ({ body }) => expect([body.approvedAmount, body.authCode]).toEqual(['1.00', undefined]),
    ],
    [{ kind: 'status', status: 500 }, ({ status }) => expect(status).toBe(500)],
    [{ kind: 'status', status: 429 }, ({ status }) => expect(status).toBe(429)],
    [
      { kind: 'redirect', location: 'http://127.0.0.1:9/' },
      ({ status, headers }) => expect([status, headers.location]).toEqual([307, 'http://127.0.0.1:9/']),
    ],
    [{ kind: 'garbage' }, ({ status, text }) => expect([status, text.startsWith('<html>')]).toEqual([200, true])],
    [{ kind: 'emptyBody' }, ({ status, text }) => expect([status, text]).toEqual([200, ''])],
    [{ kind: 'unknownCode' }, ({ body }) => expect(body.responseCode).toBe('ZZ')],
    [{ kind: 'wrongEcho' }, ({ body }) => expect([body.responseCode, body.tranId]).toEqual(['00', 'of-another'])],
    [{ kind: 'wrongEcho', field: 'participantId' }, ({ body }) => expect(body.participantId).toBe('of-another')],
    [{ kind: 'wrongAmount' }, ({ body }) => expect([body.responseCode, body.tranAmount]).toEqual(['00', '0.01'])],
    [{ kind: 'code', code: '96' }, ({ body }) => expect(body.responseCode).toBe('96')],
    [{ kind: 'huge', bytes: 1_000_000 }, ({ text }) => expect(text.length).toBeGreaterThan(1_000_000)],
    [{ kind: 'drip', bytes: 100, everyMs: 5 }, ({ body }) => expect(body.responseCode).toBe('00')],
    [{ kind: 'late', ms: 50 }, ({ body, ms }) => expect([body.responseCode, ms > 45]).toEqual(['00', true])],
  ];

  it.each(answered)('answers as told: %o', async (behaviour, look) => {
    issuer.script('Purchase', behaviour, { times: 1 });
    look(await send('Purchase', 'P1', AMOUNT));
    expect(issuer.effectsOf('P1')).toHaveLength(hasEffect(behaviour) ? 1 : 0);
    expect(await code(send('Purchase', 'P1', AMOUNT, { repeat: true }))).toBe('00');
    expect(issuer.effectsOf('P1')).toHaveLength(1);
  });

  const broken: readonly [Behaviour, RegExp][] = [
    [{ kind: 'resetBeforeEffect' }, /ECONNRESET|socket hang up/],
    [{ kind: 'resetAfterEffect' }, /ECONNRESET|socket hang up/],
    [{ kind: 'halfBody' }, /aborted|ECONNRESET/],
    [{ kind: 'hang' }, /aborted|timeout/i],
    [{ kind: 'hangAfterEffect' }, /aborted|timeout/i],
    [
      { kind: 'raw', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n{}' },
      /Parse Error|hang up/,
    ],
  ];

  it.each(broken)('gives no answer: %o', async (behaviour, error) => {
    issuer.script('Purchase', behaviour, { times: 1 });
    await expect(send('Purchase', 'P1', AMOUNT, { timeoutMs: 300 })).rejects.toThrow(error);
    expect(issuer.effectsOf('P1')).toHaveLength(hasEffect(behaviour) ? 1 : 0);
  });

  it('queues until released; a Reversal meanwhile is 25, the next one undoes it', async () => {
    issuer.script('Purchase', { kind: 'queueUntilReleased' });
    const pending = send('Purchase', 'P1', AMOUNT);
    await issuer.waitFor('the queue', () => issuer.queued() === 1);
    const undo = { ...AMOUNT, originalTranId: 'P1' };
    expect(await code(send('Reversal', 'R1', undo))).toBe('25');
    issuer.release();
    expect(await code(pending)).toBe('00');
    expect(issuer.balanceOf(CARD)).toBe('87.50');
    expect(await code(send('Reversal', 'R1', undo, { repeat: true }))).toBe('25');
    expect(await code(send('Reversal', 'R2', undo))).toBe('00');
    expect(issuer.balanceOf(CARD)).toBe('100.00');
  });

  it('follows rules by order, count, tranId and condition, and heals', async () => {
    issuer.script('Purchase', { kind: 'decline', code: '61' }, { where: ({ body }) => body.tranAmount === '61.00' });
    issuer.script('Purchase', { kind: 'decline', code: '54' }, { tranId: 'P2' });
    issuer.script('*', { kind: 'decline', code: '05' }, { times: 1 });
    expect(await code(send('Purchase', 'P0', { ...AMOUNT, tranAmount: '61.00' }))).toBe('61');
    expect(await code(send('Purchase', 'P2', AMOUNT))).toBe('54');
    expect(await code(send('Withdraw', 'W1', AMOUNT))).toBe('05');
    expect(await code(send('Withdraw', 'W2', AMOUNT))).toBe('00');
    issuer.heal();
    expect(await code(send('Purchase', 'P3', { ...AMOUNT, tranAmount: '61.00' }))).toBe('00');
  });
});

describe('breaches of the contract', () => {
  const breaches: readonly [string, () => Promise<unknown>, RegExp][] = [
    ['a repeat without its header', () => send('Purchase', 'P1', AMOUNT), /sent again without Repeat/],
    [
      'a repeat with another amount',
      () => send('Purchase', 'P1', { ...AMOUNT, tranAmount: '1.00' }, { repeat: true }),
      /tranAmount differs/,
    ],
    ['a repeat as another API', () => send('Refund', 'P1', AMOUNT, { repeat: true }), /was a Purchase/],
    [
      'another idempotency key',
      () => send('Purchase', 'P2', AMOUNT, { headers: { 'idempotency-key': 'x' } }),
      /Idempotency-Key/,
    ],
    ['no budget', () => send('Purchase', 'P2', AMOUNT, { headers: { 'deadline-ms': '0' } }), /Deadline-Ms/],
    ['no timestamp', () => send('Purchase', 'P2', AMOUNT, { headers: { timestamp: 'now' } }), /timestamp/],
    ['a call that is in no catalogue', () => post(`${issuer.baseUrl}/ping`, '{}'), /no call of the catalogue/],
  ];

  it.each(breaches)('notes %s', async (_, breach, note) => {
    await send('Purchase', 'P1', AMOUNT);
    expect(issuer.violations).toEqual([]);
    await breach();
    expect(issuer.violations.join()).toMatch(note);
  });

  it('lets inquiries be sent again', async () => {
    await send('BalanceInquiry', 'I1', { cardToken: CARD });
    const answer = await send('BalanceInquiry', 'I1', { cardToken: CARD });
    expect(answer.body).toMatchObject({ responseCode: '00', availableBalance: '100.00', balanceCurrency: '840' });
    expect(issuer.violations).toEqual([]);
  });
});

describe('waiting and raw bytes', () => {
  it('says what it saw when a wait is over', async () => {
    await send('Purchase', 'P1', AMOUNT);
    await expect(issuer.waitFor('a reversal', () => false, { timeoutMs: 30 })).rejects.toThrow(
      /a reversal.*Purchase P1/s,
    );
  });

  it('rawRequest reads one response, and sees a close', async () => {
    const whole = await rawRequest(issuer.port, 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', {
      until: 'close',
      halfClose: true,
    });
    expect([whole.status, whole.end]).toEqual([404, 'closed']);
    const bad = await rawRequest(issuer.port, 'not http\r\n\r\n', { until: 'close' });
    expect([bad.status, bad.end]).toEqual([400, 'closed']);
    await waitFor('two connections', () => issuer.connections() >= 2);
  });
});
