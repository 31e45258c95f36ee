/**
 * A call of the client: what it sends, what it makes of each answer, when it sends again and when it must not, and that
 * nothing secret is in what it throws, prints or reports.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ClientOptions, Try } from '../../src/client/client.ts';
import { systemRandom } from '../../src/client/system.ts';
import { answer, BASE, broken, type Meets, PURCHASE, Stage, TOKEN, withCode } from './stage.ts';

const purchase = async (meets: Meets, changes: Partial<Omit<ClientOptions, 'bearer' | 'oauth'>> = {}) => {
  const stage = new Stage(meets);
  const result = await (await stage.client(changes)).call('Purchase', PURCHASE);
  return { stage, result };
};

describe('what is sent', () => {
  it('is the whole message: header fields, the fields of the API, a fresh tranId', async () => {
    const { stage, result } = await purchase(sent => answer(sent, { headers: { 'x-request-id': 'r1' } }));
    const [sent] = stage.sent;
    expect(sent?.url).toBe(`${BASE}/tranmgr/purchase`);
    expect(sent?.redirect).toBe('manual');
    expect(Object.fromEntries(sent?.headers ?? [])).toEqual({
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      timestamp: '1800000000000',
      'idempotency-key': 'id-1',
    });
    expect(sent?.body).toEqual({
      participantId: '100000',
      tranBranch: '000001',
      tranChnl: '08',
      tranCode: 'Purchase',
      tranDate: '20270115',
      tranTime: '080000',
      tranId: 'id-1',
      ...PURCHASE,
    });
    expect(result).toMatchObject({ kind: 'approved', tranId: 'id-1', site: BASE, tries: 1, requestId: 'r1' });
  });

  it('takes the header of the message before its own, and leaves out what has no value', async () => {
    const stage = new Stage(sent => answer(sent));
    const header = { participantId: '1', tranBranch: '2', tranChnl: '07', tellerNo: 'x', terminalNo: 'y' } as const;
    const client = await stage.client({ header });
    const own = { tranId: 'mine', tranDate: '20260101', tranChnl: '06', terminalNo: 'z', participantId: '5' } as const;
    const message = { ...PURCHASE, ...own, memo: undefined };
    await client.call('Purchase', message as typeof PURCHASE);
    expect(stage.sent[0]?.body).toMatchObject({ ...own, tranBranch: '2', tellerNo: 'x' });
    expect(stage.sent[0]?.body).not.toHaveProperty('memo');
  });

  it('a fresh id is 128 bits of base64url, another each time', async () => {
    const stage = new Stage(sent => answer(sent));
    const client = await stage.client({ random: systemRandom });
    const ids = new Set<string>();
    for (let i = 0; i < 50; i += 1) ids.add((await client.call('Purchase', PURCHASE)).tranId);
    expect(ids.size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});

describe('an answer', () => {
  it.each([
    ['00', 'approved'],
    ['51', 'declined'],
    ['68', 'declined'],
    ['91', 'declined'],
  ])('%s: %s, at once', async (code, kind) => {
    const { result } = await purchase(sent => withCode(sent, code, 200, { 'idempotent-replayed': 'true' }));
    expect(result).toMatchObject({ kind, replayed: true, tries: 1, answer: { responseCode: code } });
  });

  it.each<[string, Meets]>([
    ['of another transaction', sent => answer(sent, { body: { tranId: 'other' } })],
    ['of another participant', sent => answer(sent, { body: { participantId: 'other' } })],
    ['with an unknown code', sent => withCode(sent, '77')],
    ['without a code', sent => answer(sent, { body: { responseCode: undefined } })],
    ['with a number in it', sent => answer(sent, { body: { tranAmount: 12.5 } })],
    ['that is no JSON', () => new Response('<html>')],
    ['that is a list', () => new Response('[]')],
    ['that is nothing', () => new Response(null)],
    ['that is longer than any', () => new Response('x'.repeat(1024 * 1024 + 1))],
  ])('%s is none: it is asked for again, and the outcome stays open', async (what, meets) => {
    const { result } = await purchase(meets, { tries: 2 });
    expect(result).toMatchObject({ kind: 'unreachable', at: 'answer', tries: 2, mayHaveHappened: true });
    expect('code' in result && result.code).toBe(what === 'that is longer than any' ? 'TOO_LONG' : 'BAD_ANSWER');
  });

  it('that is approved has what its API promises, in its records too', async () => {
    const meets: Meets = (sent, number) =>
      answer(sent, {
        body: number === 1 ? { availableBalance: '1' } : { availableBalance: '1', balanceCurrency: '840' },
      });
    const stage = new Stage(meets);
    expect(await (await stage.client()).call('BalanceInquiry', { cardToken: 'c' })).toMatchObject({
      kind: 'approved',
      tries: 2,
    });
    const page = { recordNum: '1', recordList: [{ dropDownCode: 'A' }] };
    const list = new Stage(sent => answer(sent, { body: page }));
    const result = await (await list.client({ tries: 1 })).call('DropDownListInquiry', { dropDownName: 'CardProd' });
    expect(result).toMatchObject({ kind: 'unreachable', code: 'BAD_ANSWER' });
  });
});

describe('a refusal', () => {
  it.each([400, 401, 403, 404, 413])('%i is told once, with what is wrong', async status => {
    const errors = [{ field: 'tranAmount', reason: 'is required' }, 'nonsense'];
    const { stage, result } = await purchase(sent =>
      answer(sent, { status, body: { responseCode: '30', responseDesc: 'format error', errors } }),
    );
    expect(stage.sent.length).toBe(1);
    expect(result).toMatchObject({
      kind: 'refused',
      status,
      responseCode: '30',
      errors: [{ field: 'tranAmount', reason: 'is required' }],
      mayHaveHappened: false,
    });
  });

  it('of something in between has no code', async () => {
    const { result } = await purchase(() => new Response('<html>', { status: 403 }));
    expect(result).toMatchObject({ kind: 'refused', status: 403, responseCode: undefined, errors: [] });
  });
});

describe('sending again', () => {
  const FIRST: readonly [string, Meets][] = [
    ['a lost connection', () => broken('ECONNRESET')],
    ['no connection', () => broken('ECONNREFUSED')],
    ['503', sent => withCode(sent, '91', 503)],
    ['429', sent => withCode(sent, '65', 429)],
    ['500', sent => withCode(sent, '96', 500)],
    ['502 of something in between', () => new Response('<html>', { status: 502 })],
    ['09', sent => withCode(sent, '09')],
  ];
  it.each(FIRST)('after %s: the same message, byte for byte, with the time of now', async (_, first) => {
    const { stage, result } = await purchase((sent, number) => (number === 1 ? first(sent, 1) : answer(sent)));
    expect(result).toMatchObject({ kind: 'approved', tries: 2, tranId: 'id-1' });
    expect(stage.sent[1]?.body).toEqual(stage.sent[0]?.body);
    expect(stage.sent.map(({ headers }) => headers.get('idempotency-key'))).toEqual(['id-1', 'id-1']);
    expect(stage.sent.map(({ headers }) => headers.get('timestamp'))).toEqual(['1800000000000', '1800000000100']);
  });

  it('waits twice as long each time, and no more than five seconds', async () => {
    const { stage, result } = await purchase(() => broken('ECONNRESET'), { tries: 8 });
    expect(stage.pauses).toEqual([100, 200, 400, 800, 1600, 2500, 2500]);
    expect(result).toMatchObject({ kind: 'unreachable', code: 'ECONNRESET', tries: 8, mayHaveHappened: true });
  });

  it('waits at least as long as Retry-After says, or not at all where that is too long', async () => {
    const wait =
      (seconds: string): Meets =>
      (sent, number) =>
        number === 1 ? withCode(sent, '91', 503, { 'retry-after': seconds }) : answer(sent);
    const soon = await purchase(wait('3'));
    expect(soon.stage.pauses).toEqual([3000]);
    expect(soon.result.kind).toBe('approved');
    const late = await purchase(wait('3600'));
    expect(late.stage.pauses).toEqual([]);
    expect(late.result).toMatchObject({
      kind: 'refused',
      status: 503,
      retryAfterMs: 3_600_000,
      mayHaveHappened: false,
    });
  });

  it('ends when the whole time is over', async () => {
    const { stage, result } = await purchase(sent => withCode(sent, '09'), { tries: 100, totalMs: 10_000 });
    expect(stage.pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000);
    expect(result).toMatchObject({ kind: 'inProgress', answer: { responseCode: '09' } });
  });

  it('what was lost once may have happened, whatever is heard later', async () => {
    const { result } = await purchase((sent, number) =>
      number === 1 ? broken('ECONNRESET') : withCode(sent, '91', 503),
    );
    expect(result).toMatchObject({ kind: 'refused', status: 503, tries: 6, mayHaveHappened: true });
    const refused = await purchase((sent, number) => (number === 1 ? broken('ECONNRESET') : withCode(sent, '10', 403)));
    expect(refused.result).toMatchObject({ kind: 'refused', status: 403, tries: 2, mayHaveHappened: true });
  });

  it('what never left has not happened', async () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'CERT_HAS_EXPIRED', 'UND_ERR_CONNECT_TIMEOUT']) {
      const { result } = await purchase(() => broken(code), { tries: 2 });
      expect(result).toMatchObject({ kind: 'unreachable', code, mayHaveHappened: false });
    }
  });

  it('I11 a PIN or CVV2 is not sent again where it may have arrived, and is where it certainly did not', async () => {
    const lost = new Stage(() => broken('ECONNRESET'));
    const verify = { cardToken: 'c', pinBlock: 'ABCD' };
    expect(await (await lost.client()).call('PINVerify', verify)).toMatchObject({ tries: 1, mayHaveHappened: true });
    const busy = new Stage((sent, number) => (number < 3 ? withCode(sent, '91', 503) : answer(sent)));
    expect(await (await busy.client()).call('PINVerify', verify)).toMatchObject({ kind: 'approved', tries: 3 });
    const mixed = new Stage((sent, number) => (number === 1 ? withCode(sent, '65', 429) : broken('ECONNRESET')));
    const cvv2 = await (await mixed.client()).call('CardCVV2Verify', { cardToken: 'c', CVV2: '123' });
    expect(cvv2).toMatchObject({ tries: 2, mayHaveHappened: true });
    const verification = new Stage((sent, number) => (number === 1 ? broken('ECONNRESET') : answer(sent)));
    const client = await verification.client();
    expect(await client.call('Verification', { cardToken: 'c' })).toMatchObject({ kind: 'approved', tries: 2 });
  });
});

describe('limits of the caller', () => {
  const never: Meets = () => new Promise<Response>(() => {});

  it('a request that is not answered in time', async () => {
    const stage = new Stage(never);
    stage.late = true;
    const result = await (await stage.client({ tries: 1 })).call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'unreachable', code: 'TIMEOUT', tries: 1, mayHaveHappened: true });
  });

  it('a caller that waits no longer: before, during and between requests', async () => {
    const before = new Stage(never);
    const client = await before.client();
    expect(await client.call('Purchase', PURCHASE, { signal: AbortSignal.abort() })).toMatchObject({
      code: 'ABORTED',
      tries: 0,
      mayHaveHappened: false,
    });
    const ending = new AbortController();
    const during = new Stage(() => {
      ending.abort();
      return new Promise<Response>(() => {});
    });
    const options = { signal: ending.signal };
    const result = await (await during.client()).call('Purchase', PURCHASE, options);
    expect(result).toMatchObject({ code: 'ABORTED', tries: 1, mayHaveHappened: true });
    const between = new AbortController();
    const busy = new Stage(sent => {
      between.abort();
      return withCode(sent, '91', 503);
    });
    const last = await (await busy.client()).call('Purchase', PURCHASE, { signal: between.signal });
    expect(last).toMatchObject({ kind: 'refused', tries: 1, mayHaveHappened: false });
  });
});

describe('what is told of a call', () => {
  it('each try, for a log; what the listener throws is dropped', async () => {
    const heard: Try[] = [];
    const { result } = await purchase(
      (sent, number) => (number === 1 ? broken('ECONNRESET') : answer(sent, { headers: { 'x-request-id': 'r2' } })),
      {
        onTry: tried => {
          heard.push(tried);
          throw new Error('the log is full');
        },
      },
    );
    expect(result.kind).toBe('approved');
    const common = { api: 'Purchase', tranId: 'id-1', site: BASE };
    expect(heard).toEqual([
      { ...common, number: 1, ms: 0, status: undefined, code: 'ECONNRESET', requestId: undefined },
      { ...common, number: 2, ms: 0, status: 200, code: '00', requestId: 'r2' },
    ]);
  });

  it('I14 no token, no detail of an error and no card data', async () => {
    const stage = new Stage(() => broken('ECONNRESET'));
    const client = await stage.client();
    const result = await client.call('Purchase', {
      cardNumber: '4220001234567893',
      ...{ tranAmount: '1', tranCurrency: '840' },
    });
    const text = inspect([client, result], { depth: 9, showHidden: true }) + JSON.stringify([client, result]);
    for (const secret of [TOKEN, 'secret detail', '4220001234567893']) expect(text).not.toContain(secret);
  });

  it('what is wrong with the program is thrown', async () => {
    const client = await new Stage(sent => answer(sent)).client();
    await expect(client.call('Purchas' as 'Purchase', PURCHASE)).rejects.toThrow('there is no such API');
    await expect(client.call('constructor' as 'Purchase', PURCHASE)).rejects.toThrow('there is no such API');
    await expect(client.call('Purchase', { ...PURCHASE, tranId: 'a b' })).rejects.toThrow('tranId must be');
    await expect(client.call('Purchase', PURCHASE, { site: 'https://x' })).rejects.toThrow('site must be');
  });
});
