/**
 * A command in doubt whose retry meets trouble: its gateway dies, freezes or restarts, another one has it, the breaker is
 * open, or the routes lead elsewhere by now. It is sent once for each retry, by one gateway at a time.
 */
import { describe, expect, it } from 'vitest';
import { call, newTranId } from '../support/client.ts';
import { newSqliteUrl } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { ALL_SCOPES, exampleNamed } from './examples.ts';
import { breakerOf, codeOf, learn, metric, Rig, redisUrlOf } from './rig.ts';
import { said } from './support.ts';

const { api: API, fields: FIELDS } = exampleNamed('CardCancellation');
const SCOPES = { client: { scopes: ALL_SCOPES } };

/** Calls a gateway under one `tranId`, and what the issuer was sent of it. */
const command = (issuer: ScriptedIssuer, tranId = newTranId()) => ({
  tranId,
  tell: (gateway: Gateway) => call(gateway, API, FIELDS, { tranId }),
  learn: (gateway: Gateway) => learn(gateway, API, FIELDS, { tranId }),
  repeats: () => issuer.requestsOf(API, tranId).map(({ repeat }) => repeat),
  /** What the issuer does with the next one, once. */
  next: (behaviour: Parameters<ScriptedIssuer['script']>[1]) => issuer.script(API, behaviour, { tranId, times: 1 }),
});

/** A command that the issuer was sent and never answered. */
async function inDoubt(issuer: ScriptedIssuer, gateway: Gateway) {
  const doubt = command(issuer);
  doubt.next({ kind: 'resetAfterEffect' });
  expect(said(await doubt.tell(gateway))).toBe('200 09');
  return doubt;
}

/** Two gateways on one Redis, the first through a proxy. */
async function pair(rig: Rig) {
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
  const proxy = await rig.proxy(redis);
  const first = await rig.gateway(issuer, { journalUrl: redisUrlOf(proxy), ...SCOPES });
  const other = await rig.gateway(issuer, { journalUrl: redis.url, ...SCOPES });
  // A server that does not know the scripts yet asks for them first.
  const { tell } = await inDoubt(issuer, other);
  expect(said(await tell(other))).toBe('200 00');
  return { issuer, redis, proxy, first, other };
}

/** The head of the entry as it lies in Redis, which says where it stands. */
async function headOf(redis: RedisServer, tranId: string): Promise<string> {
  const [name] = [await redis.command('KEYS', `*:e:${tranId}/*`)].flat();
  return String(await redis.command('HGET', String(name), 'head'));
}

describe.concurrent('the retry of a command', { timeout: 120_000 }, () => {
  it.for([
    ['the embedded journal', async () => newSqliteUrl()],
    ['Redis', async (rig: Rig) => (await rig.redis()).url],
  ] as const)('F64 goes out over a restart, and after a kill -9 in the middle of it: %s', async ([, journal], test) => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, { journalUrl: await journal(rig), ...SCOPES });
    const { tell, learn: untilLearned, repeats, next } = await inDoubt(issuer, gateway);
    expect(await gateway.sigterm()).toBe(0);
    await gateway.restart();
    next({ kind: 'hangAfterEffect' });
    const told = codeOf(tell(gateway));
    await issuer.waitFor('the retry', () => repeats().length === 2);
    await gateway.kill9();
    expect(await told).toBe('lost');

    await gateway.restart();
    // Until the lease is over it hears 09; then it is in doubt again, and the next retry goes out.
    expect(said(await untilLearned(gateway))).toBe('200 00');
    expect(said(await tell(gateway))).toBe('200 00 replayed');
    expect(repeats()).toEqual([false, true, true]);
  });

  it('I1 I11 goes out from one of two gateways, and the other waits for its answer', async test => {
    const { issuer, first, other } = await pair(new Rig(test));
    const { tell, repeats, next } = await inDoubt(issuer, first);
    next({ kind: 'late', ms: 300 });
    const told = await Promise.all([tell(first), tell(other), tell(first), tell(other)]);
    expect(told.map(said).sort()).toEqual(['200 00', '200 00 replayed', '200 00 replayed', '200 00 replayed']);
    expect(repeats()).toEqual([false, true]);
  });

  it('F68 I18 is not sent late by a gateway that was frozen over it: another one had it meanwhile', async test => {
    const { issuer, redis, proxy, first, other } = await pair(new Rig(test));
    const { tranId, tell, learn: untilLearned, repeats } = await inDoubt(issuer, other);
    // Slow enough to stop the reply to its claim, after that of the look at the entry before it.
    await proxy.mode({ kind: 'delay', ms: 120 });
    const told = codeOf(tell(first));
    await waitFor('its claim', async () => (await headOf(redis, tranId)).includes('"at":"claimed"'));
    await proxy.mode('holdReplies');
    first.sigstop();
    expect(said(await untilLearned(other))).toMatch(/^200 00/);
    const sent = repeats().length;
    await proxy.mode('pass');
    first.sigcont();
    expect(['00', '09']).toContain(await told);
    expect(said(await tell(first))).toBe('200 00 replayed');
    expect(repeats()).toHaveLength(sent);
  });

  it('F68 I3 is settled by its new owner: an old one that comes back with another answer changes nothing', async test => {
    const { issuer, first, other } = await pair(new Rig(test));
    const { tell, learn: untilLearned, repeats, next } = await inDoubt(issuer, first);
    next({ kind: 'queueUntilReleased' });
    const told = codeOf(tell(first));
    await issuer.waitFor('the retry', () => repeats().length === 2);
    first.sigstop();
    next({ kind: 'decline', code: '57' });
    const learned = await untilLearned(other);
    issuer.release();
    first.sigcont();
    const replayed = String(learned.body.responseCode);
    expect([replayed, '09']).toContain(await told);
    for (const gateway of [first, other]) expect((await tell(gateway)).body.responseCode).toBe(replayed);
    expect(repeats()).toEqual([false, true, true]);
  });

  it('F31 is held back by an open breaker, and stays in doubt until it closes', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const breaker = { minimumCalls: 2, windowMs: 60_000, openMs: 1500 };
    const gateway = await rig.gateway(issuer, { ...SCOPES, issuer: { breaker } });
    const { tell, learn: untilLearned, repeats } = await inDoubt(issuer, gateway);
    while ((await breakerOf(gateway)) !== 'open') await inDoubt(issuer, gateway);
    const [before, state] = [repeats().length, await breakerOf(gateway)];
    const told = said(await tell(gateway));
    // Where the machine was slow it may have closed by now.
    if (state === 'open' && repeats().length === before) expect(told).toBe('200 09');
    expect(said(await untilLearned(gateway))).toBe('200 00');
    expect(repeats()).toEqual([false, true]);
  });

  it('holds a place at its issuer only while it is there', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, { ...SCOPES, issuer: { maxInFlight: 1 } });
    const tranId = newTranId();
    issuer.script('GenerateDCVV', { kind: 'answer', fields: { DCVV: '123' } });
    for (let no = 0; no < 4; no += 1) {
      expect(said(await call(gateway, 'GenerateDCVV', { cardToken: 'card' }, { tranId }))).toBe('200 00');
    }
    expect(issuer.requests).toHaveLength(4);
  });

  it('goes to the issuer of the first time, wherever the routes lead by now', async test => {
    const rig = new Rig(test);
    const [old, next] = [await rig.issuer(), await rig.issuer()];
    const gateway = await rig.gateway(old, SCOPES);
    const { tell, repeats } = await inDoubt(old, gateway);
    gateway.configure(config => {
      config.issuers.push({ ...config.issuers[0], id: 'next-issuer', baseUrl: next.baseUrl });
      for (const route of config.routes) route.issuer = 'next-issuer';
    });
    gateway.sighup();
    await waitFor('the reload', () => gateway.logLines().some(({ event }) => event === 'reloaded'));
    expect(said(await tell(gateway))).toBe('200 00');
    expect(repeats()).toEqual([false, true]);
    expect(said(await call(gateway, API, FIELDS))).toBe('200 00');
    expect([old.requests.length, next.requests.length]).toEqual([2, 1]);
    expect(await metric(gateway, 'gateway_requests_total', { api: API, code: '00' })).toBe(2);
  });
});
