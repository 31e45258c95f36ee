/**
 * An issuer that is out of order, and what it may cost: the breaker opens on failures and never on declines, closes when
 * the issuer is well again, never holds undos back, and no issuer costs another one anything.
 */
import { describe, expect, it } from 'vitest';
import { call, newTranId } from '../support/client.ts';
import { PARTICIPANT, type TestConfig } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { breakerOf, codeOf, metric, PATIENT, payment, Rig, untilNothingOwed } from './rig.ts';
import { undosOf } from './support.ts';

/** Makes purchases one after the other until the breaker is in the state; the codes that they were told. */
async function purchasesUntil(state: string, gateway: Gateway, card: string, most = 200): Promise<string[]> {
  const codes: string[] = [];
  while ((await breakerOf(gateway)) !== state && codes.length < most) {
    codes.push(await codeOf(call(gateway, 'Purchase', payment(card))));
  }
  return codes;
}

/** A busy machine may take long over the calls that open it. */
const SLOW_WINDOW = { windowMs: 60_000 };

/** The states that the breaker went through, as the log has them. */
const changesOf = (gateway: Gateway) =>
  gateway.logLines().flatMap(({ event, state }) => (event === 'breaker' ? [String(state)] : []));

describe.concurrent('the breaker', PATIENT, () => {
  it('F30: 1,000 business declines leave it closed', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
    const gateway = await rig.gateway(issuer, {
      journalUrl: redis.url,
      client: { budgetMs: 3000 },
      issuer: { timeoutMs: 2000, maxProcessingMs: 2000 },
    });
    issuer.script('Purchase', { kind: 'decline', code: '51' });
    for (let no = 0; no < 20; no += 1) {
      await Promise.all(Array.from({ length: 50 }, () => call(gateway, 'Purchase', payment('poor'))));
    }
    const declines = { api: 'Purchase', outcome: 'declined', code: '51' };
    expect(await metric(gateway, 'gateway_requests_total', declines)).toBe(1000);
    expect(await breakerOf(gateway)).toBe('closed');
    issuer.heal();
    expect((await call(gateway, 'Purchase', payment('rich'))).body.responseCode).toBe('00');
    expect(await gateway.sigterm()).toBe(0);
    expect(changesOf(gateway)).toEqual([]);
  });

  it('F13 F31: refused connections open it after 20 calls; 91 at once, nothing owed; it closes after healing', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const proxy = await rig.proxy(issuer);
    const gateway = await rig.gateway(
      { baseUrl: `http://${proxy.host}:${proxy.port}/card-api` },
      // A call that had to wait for a time limit would show.
      {
        client: { budgetMs: 6000 },
        issuer: { timeoutMs: 5000, maxProcessingMs: 5000, breaker: { ...SLOW_WINDOW, openMs: 1500 } },
      },
    );
    await proxy.mode('refuse');
    const codes = await purchasesUntil('open', gateway, 'card');
    expect(codes).toEqual(Array.from({ length: 20 }, () => '91'));

    // Open: nothing is tried, even where connecting would hang.
    await proxy.mode('blackHole');
    const accepted = proxy.accepted();
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(gateway, 'Purchase', payment('card'))));
    expect(answers.map(({ status, body }) => [status, body.responseCode])).toEqual(answers.map(() => [200, '91']));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(5000);
    expect(proxy.accepted()).toBe(accepted);
    expect(await metric(gateway, 'gateway_obligations_due')).toBe(0);
    expect(issuer.requests).toEqual([]);

    await proxy.mode('pass');
    await purchasesUntil('closed', gateway, 'card', 10_000);
    expect((await call(gateway, 'Purchase', payment('well'))).body.responseCode).toBe('00');
    await waitFor('its story in the log', () => changesOf(gateway).length === 3);
    expect(changesOf(gateway)).toEqual(['open', 'halfOpen', 'closed']);
  });

  it('F31 I19: undos go out while it refuses debits', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, { issuer: { breaker: { ...SLOW_WINDOW, openMs: 600_000 } } });
    issuer.script('Purchase', { kind: 'resetAfterEffect' });
    issuer.script('Reversal', { kind: 'code', code: '96', effect: false }, { times: 60 });
    const codes = await purchasesUntil('open', gateway, 'card');
    expect(codes).toEqual(Array.from({ length: 20 }, () => '68'));
    const refused = await call(gateway, 'Purchase', payment('card'));
    expect(refused.body.responseCode).toBe('91');
    await issuer.waitFor('all undos', () => issuer.balanceOf('card') === '1000.00');
    await untilNothingOwed(gateway);
    expect(await breakerOf(gateway)).toBe('open');
    expect(issuer.requestsOf('Purchase')).toHaveLength(20);
    expect(issuer.requestsOf('Purchase', refused.tranId)).toEqual([]);
  });

  it('F31 I19: undos alone close it again, and failing ones never open it', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, {
      issuer: { breaker: { ...SLOW_WINDOW, openMs: 300, minimumCalls: 5 } },
    });
    // Four doubts: too few to open it, and their undos fail many times more.
    issuer.script('Purchase', { kind: 'resetAfterEffect' }, { times: 4 });
    issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
    for (let no = 0; no < 4; no += 1) await call(gateway, 'Purchase', payment('card'));
    await issuer.waitFor('the undos to fail', () => issuer.requestsOf('Reversal').length >= 12);
    expect(await breakerOf(gateway)).toBe('closed');

    issuer.script('Purchase', { kind: 'resetAfterEffect' });
    await purchasesUntil('open', gateway, 'card');
    issuer.heal();
    await waitFor('the breaker to close', async () => (await breakerOf(gateway)) === 'closed');
    await untilNothingOwed(gateway);
    expect(issuer.balanceOf('card')).toBe('1000.00');
  });
});

describe.concurrent('the bulkhead', PATIENT, () => {
  it('F10 I10: past maxInFlight a call is 503 with nothing claimed, and its tranId works later', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, { issuer: { maxInFlight: 2 }, client: { budgetMs: 5000 } });
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { times: 2 });
    const inside = [1, 2].map(() => call(gateway, 'Purchase', payment('inside')));
    await issuer.waitFor('both purchases', () => issuer.requests.length === 2);
    const tranId = newTranId();
    const third = await call(gateway, 'Purchase', payment('outside'), { tranId });
    expect([third.status, third.body.responseCode, third.headers['retry-after']]).toEqual([503, '91', '1']);
    const inquiry = await call(gateway, 'BalanceInquiry', { cardToken: 'outside' });
    expect(inquiry.status).toBe(503);
    issuer.release();
    const codes = (await Promise.all(inside)).map(({ body }) => body.responseCode);
    // On a slow machine the time limit of the first two may be over; their places are free either way.
    for (const code of codes) expect(['00', '68']).toContain(code);
    const again = await call(gateway, 'Purchase', payment('outside'), { tranId });
    expect([again.body.responseCode, again.headers['idempotent-replayed']]).toEqual(['00', undefined]);
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    await untilNothingOwed(gateway);
  });
});

/** Cards that begin with `slow` belong to another issuer. */
const slowCardsTo = (slow: ScriptedIssuer, settings: Readonly<Record<string, unknown>>) => (config: TestConfig) => {
  config.issuers.push({ ...config.issuers[0], id: 'slow-issuer', baseUrl: slow.baseUrl, ...settings });
  config.routes.push({ participant: PARTICIPANT, cardPrefix: 'slow', issuer: 'slow-issuer' });
};

describe.concurrent('two issuers', PATIENT, () => {
  it('I10: one that hangs costs the other nothing: neither places nor its breaker', async test => {
    const rig = new Rig(test);
    const [issuer, slow] = await Promise.all([rig.issuer(), rig.issuer()]);
    const gateway = await rig.gateway(issuer, {
      client: { budgetMs: 6000 },
      issuer: { maxInFlight: 4 },
      change: slowCardsTo(slow, {
        // They still hang when a fourth call has waited for one of their places.
        ...{ maxInFlight: 3, timeoutMs: 5000, maxProcessingMs: 5000 },
        breaker: { ...SLOW_WINDOW, minimumCalls: 3, openMs: 600_000 },
      }),
    });
    slow.script('*', { kind: 'hang' });
    const hanging = Array.from({ length: 3 }, () => codeOf(call(gateway, 'Purchase', payment('slow-card'))));
    await slow.waitFor('all places to be taken', () => slow.requestsOf('Purchase').length === 3);
    expect((await call(gateway, 'Purchase', payment('slow-card'))).status).toBe(503);
    for (let no = 0; no < 10; no += 1) {
      expect((await call(gateway, 'Purchase', payment('quick-card'))).body.responseCode).toBe('00');
    }
    expect(await Promise.all(hanging)).toEqual(['68', '68', '68']);
    await waitFor('the breaker of the slow one', async () => (await breakerOf(gateway, 'slow-issuer')) === 'open');
    expect(await breakerOf(gateway)).toBe('closed');
    expect((await call(gateway, 'Purchase', payment('slow-card'))).body.responseCode).toBe('91');
    expect((await call(gateway, 'Purchase', payment('quick-card'))).body.responseCode).toBe('00');
    expect(issuer.requests.every(({ api }) => api === 'Purchase')).toBe(true);
    slow.heal();
    await untilNothingOwed(gateway);
  });

  it('F64 I10 I17: after a crash, undos to one that hangs do not hold up those to the other', async test => {
    const rig = new Rig(test);
    const [issuer, slow] = await Promise.all([rig.issuer(), rig.issuer()]);
    const limits = { timeoutMs: 4000, maxProcessingMs: 4000 };
    const gateway = await rig.gateway(issuer, {
      client: { budgetMs: 4500 },
      issuer: limits,
      change: slowCardsTo(slow, limits),
    });
    issuer.script('Purchase', { kind: 'hangAfterEffect' });
    slow.script('*', { kind: 'hang' });
    const many = Array.from({ length: 20 }, () => codeOf(call(gateway, 'Purchase', payment('slow-card'))));
    await slow.waitFor('the hanging calls', () => slow.requests.length === 20);
    const tranId = newTranId();
    const one = codeOf(call(gateway, 'Purchase', payment('card'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.effectsOf(tranId).length === 1);
    await gateway.kill9();
    await Promise.all([...many, one]);
    await gateway.restart();

    await issuer.waitFor('the undo', () => undosOf(issuer, tranId).length === 1);
    // Not one of the undos that hang had ended by then.
    expect(slow.requests.filter(({ repeat }) => repeat)).toHaveLength(0);
    slow.heal();
  });
});
