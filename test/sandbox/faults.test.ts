/**
 * The faults of the demo issuer, one by one: what the caller sees on the wire, and whether the ledger moved. Then how
 * faults are set, counted and refused.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { FAULTS } from '../../src/sandbox/faults.ts';
import { waitFor } from '../support/waitFor.ts';
import { type Fields, header, money, pathOf, type Sandbox, startSandbox } from './support.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

/** A clock whose waits end when the test says so. */
function gatedClock() {
  const waits: (() => void)[] = [];
  let aborted = 0;
  const clock: Clock = {
    ...systemClock,
    sleep: (_, signal) =>
      new Promise(resolve => {
        waits.push(resolve);
        signal?.addEventListener('abort', () => {
          aborted += 1;
          resolve();
        });
      }),
  };
  const open = (): void => {
    for (const end of waits.splice(0)) end();
  };
  return { clock, waiting: () => waits.length, aborted: () => aborted, open };
}

const set = (fault: unknown) => sandbox.control('POST', '/_sandbox/faults', fault);
const effects = async (): Promise<number> => (await sandbox.ledger()).effectsTotal;
const reply = async (): Promise<unknown> => (await sandbox.requests()).at(-1)?.reply;

/** One Purchase as raw as fetch gives it. */
async function buy(
  tranId = 'buy',
  signal: AbortSignal | null = null,
  at = sandbox,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${at.url}/card-api${pathOf('Purchase')}`, {
    method: 'POST',
    body: JSON.stringify({ ...header({ tranId }), cardToken: 'card', ...money('10.00') }),
    headers: {
      authorization: `Bearer ${at.credentials.issuerToken.reveal()}`,
      timestamp: '1767600000',
      'content-type': 'application/json',
    },
    signal,
  });
  return { status: response.status, text: await response.text() };
}

/** The same call once the fault is gone: what the ledger makes of a repeat. */
async function expectRepeatDecidedOnce(): Promise<void> {
  expect(JSON.parse((await buy()).text)).toMatchObject({
    tranId: 'buy',
    responseCode: '00',
    availableBalance: '990.00',
  });
  expect((await sandbox.ledger()).availableBalance).toBe('990.00');
}

describe('a fault', () => {
  it.each([
    ['resetBeforeEffect', 0],
    ['resetAfterEffect', 1],
    ['truncated', 1],
  ])('%s gives no whole answer and %i effect', async (fault, expected) => {
    await set({ fault, times: 1 });
    await expect(buy()).rejects.toThrow();
    expect(await effects()).toBe(expected);
    await expectRepeatDecidedOnce();
  });

  it.each([
    ['status500AfterEffect', 500, 1],
    ['status503', 503, 0],
    ['garbage', 200, 1],
  ])('%s answers %i and has %i effect', async (fault, status, expected) => {
    await set({ fault, times: 1 });
    const answer = await buy();
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('responseCode');
    expect(await reply()).toBe(status);
    expect(await effects()).toBe(expected);
    await expectRepeatDecidedOnce();
  });

  it('wrongEcho answers for another tranId, and has its effect', async () => {
    await set({ fault: 'wrongEcho', times: 1 });
    const body = JSON.parse((await buy()).text);
    expect(body).toMatchObject({ responseCode: '00', participantId: '100000' });
    expect(body.tranId).not.toBe('buy');
    await expectRepeatDecidedOnce();
  });

  it('huge answers with megabytes, and has its effect', async () => {
    await set({ fault: 'huge', times: 1 });
    const { text } = await buy();
    expect(text.length).toBeGreaterThan(8_000_000);
    expect(JSON.parse(text)).toMatchObject({ tranId: 'buy', responseCode: '00' });
    await expectRepeatDecidedOnce();
  });

  it.each([
    ['hang', 0],
    ['hangAfterEffect', 1],
  ])('%s answers never and has %i effect; the caller who leaves is let go', async (fault, expected) => {
    await set({ fault, times: 1 });
    const leave = new AbortController();
    const call = buy('buy', leave.signal).catch(() => 'left');
    await waitFor('the calls', async () => (await sandbox.requests()).length === 1);
    expect(await reply()).toBe('open');
    expect(await effects()).toBe(expected);
    leave.abort();
    expect(await call).toBe('left');
    await waitFor('the caller to be let go', async () => (await reply()) === 'gone');
    expect(await effects()).toBe(expected);
    await expectRepeatDecidedOnce();
  });

  it('hangAfterEffect with a delay is a late answer, hang with one a late reset', async () => {
    await set({ fault: 'hangAfterEffect', delayMs: 20, times: 1 });
    await expectRepeatDecidedOnce();
    await set({ fault: 'hang', delayMs: 20, times: 1 });
    await expect(buy('another')).rejects.toThrow();
    expect(await effects()).toBe(1);
  });

  it('slow decides late, also for a caller who has gone, so that an undo can come first (F34)', async () => {
    const gate = gatedClock();
    const gated = await startSandbox(gate.clock);
    const undo = { ...money('10.00'), originalTranId: 'buy' };
    const leave = new AbortController();
    try {
      await gated.control('POST', '/_sandbox/faults', { api: 'Purchase', fault: 'slow', delayMs: 5_000 });
      const call = buy('buy', leave.signal, gated).catch(() => 'left');
      await waitFor('the wait', () => gate.waiting() === 1);
      expect(await gated.code('Reversal', { ...undo, tranId: 'undo1' })).toBe('25');
      leave.abort();
      expect(await call).toBe('left');
      gate.open();
      await waitFor('the effect', async () => (await gated.ledger()).effectsTotal === 1);
      expect(await gated.code('Reversal', { ...undo, tranId: 'undo2' })).toBe('00');
      expect((await gated.ledger()).availableBalance).toBe('1000.00');
    } finally {
      await gated.close();
    }
  });

  it('ends with the server, also where nobody waits any more, and then decides nothing', async () => {
    const gate = gatedClock();
    const gated = await startSandbox(gate.clock);
    await gated.control('POST', '/_sandbox/faults', { fault: 'slow', times: 1 });
    const leave = new AbortController();
    const call = buy('buy', leave.signal, gated).catch(() => 'left');
    await waitFor('the wait', () => gate.waiting() === 1);
    leave.abort();
    expect(await call).toBe('left');
    expect(gate.aborted()).toBe(0);
    await gated.restart();
    expect(gate.aborted()).toBe(1);
    expect((await gated.ledger()).effectsTotal).toBe(0);
    await gated.close();
  });

  it('ends with the server, whoever still waits', async () => {
    await set({ fault: 'hang' });
    const calls = [buy('a'), buy('b')].map(call => call.catch(() => 'cut'));
    await waitFor('the calls', async () => (await sandbox.requests()).length === 2);
    await sandbox.restart();
    expect(await Promise.all(calls)).toEqual(['cut', 'cut']);
  });
});

describe('setting faults', () => {
  const listed = async (): Promise<unknown> => (await sandbox.control('GET', '/_sandbox/faults')).body.faults;

  it('lasts until it is deleted, or for so many calls, and the first that fits is taken', async () => {
    await set({ api: 'Withdraw', fault: 'status503' });
    await set({ fault: 'status500AfterEffect', times: 2 });
    const status = async (api: string): Promise<number> => (await sandbox.call(api, money('1.00'))).status;
    expect(await status('Withdraw')).toBe(503);
    expect(await status('Purchase')).toBe(500);
    expect(await listed()).toEqual([
      { fault: 'status503', api: 'Withdraw' },
      { fault: 'status500AfterEffect', times: 1 },
    ]);
    expect(await status('Purchase')).toBe(500);
    expect(await status('Purchase')).toBe(200);
    expect(await status('Withdraw')).toBe(503);
    expect((await sandbox.control('DELETE', '/_sandbox/faults')).body).toEqual({ faults: [] });
    expect(await status('Withdraw')).toBe(200);
  });

  it('is not spent on a message that is refused at the door', async () => {
    await set({ fault: 'status503', times: 1 });
    expect((await sandbox.post(`/card-api${pathOf('Purchase')}`, '{}')).status).toBe(400);
    expect(await listed()).toHaveLength(1);
  });

  it.each<[unknown, string]>([
    [{}, 'fault must be one of slow, hang'],
    [{ fault: 'explode' }, 'fault must be one of'],
    [{ fault: 'constructor' }, 'fault must be one of'],
    [{ fault: 'slow', api: 'purchase' }, 'api must be'],
    [{ fault: 'slow', delayMs: -1 }, 'delayMs must be'],
    [{ fault: 'slow', delayMs: 600_001 }, 'delayMs must be'],
    [{ fault: 'slow', delayMs: '5' }, 'delayMs must be'],
    [{ fault: 'slow', times: 0 }, 'times must be'],
    [{ fault: 'slow', times: 1.5 }, 'times must be'],
    [{ fault: 'slow', time: 1 }, 'and nothing else'],
    [[], 'a fault is a JSON object'],
    [null, 'a fault is a JSON object'],
  ])('refuses %j and says why', async (fault, why) => {
    const { status, body } = await set(fault);
    expect(status).toBe(400);
    expect(body.error).toContain(why);
    expect(await listed()).toEqual([]);
  });

  it('refuses what is no JSON, and more than a hundred faults', async () => {
    const raw = await fetch(`${sandbox.url}/_sandbox/faults`, { method: 'POST', body: '{' });
    expect([raw.status, await raw.json()]).toEqual([400, { error: 'the body must be JSON' }]);
    for (let at = 0; at < 100; at += 1) expect((await set({ fault: 'slow' })).status).toBe(200);
    expect((await set({ fault: 'slow' })).body.error).toContain('too many');
  });

  it('takes every fault there is', async () => {
    const faults: Fields[] = Object.keys(FAULTS).map(fault => ({ fault }));
    for (const fault of faults) await set(fault);
    expect(await listed()).toEqual(faults);
    expect(faults).toHaveLength(11);
  });
});
