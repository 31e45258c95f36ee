/**
 * Redis killed, frozen, cut off, read-only, full and forgetful: without a claim nothing is forwarded, nothing is told
 * that the journal does not hold, and when Redis is back the same process goes on by itself.
 */
import { describe, expect, it } from 'vitest';
import { type Answer, call, get, newTranId } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { freePort } from '../support/places.ts';
import { startRedis } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, learn, metric, PATIENT, payment, QUICK, Rig, redisUrlOf, untilNothingOwed } from './rig.ts';
import { undosOf } from './support.ts';

const refused = ({ status, body, headers }: Answer) => [status, body.responseCode, headers['retry-after']];
/** The caller may try again: nothing was claimed. */
const TRY_AGAIN = [503, '91', '1'];

/** An issuer, a Redis and a gateway, which has made its first call: Redis knows the scripts. */
async function started(rig: Rig) {
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
  const gateway = await rig.gateway(issuer, { journalUrl: redis.url });
  const first = await approved(gateway, payment('first'));
  return { issuer, redis, gateway, first };
}

/** The same with a proxy before Redis. */
async function proxied(rig: Rig) {
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
  const proxy = await rig.proxy(redis);
  const gateway = await rig.gateway(issuer, { journalUrl: redisUrlOf(proxy) });
  await approved(gateway, payment('first'));
  return { issuer, redis, proxy, gateway };
}

const readiness = async (gateway: Gateway) => (await get(`${gateway.adminUrl}/readyz`)).status;

const forwarded = (issuer: ScriptedIssuer, tranId: string) =>
  issuer.about(tranId).filter(({ api }) => api !== 'Reversal');

describe.concurrent('Redis goes away and comes back', PATIENT, () => {
  it('F47 F54 I12: killed: 503 and nothing forwarded, inquiries too; back: works without a restart', async test => {
    const { issuer, redis, gateway, first } = await started(new Rig(test));
    const before = issuer.requests.length;
    await redis.kill();
    await waitFor('the gateway to notice', async () => (await readiness(gateway)) === 503);
    const tranId = newTranId();
    expect(refused(await call(gateway, 'Purchase', payment('card'), { tranId }))).toEqual(TRY_AGAIN);
    const refund = { ...payment('card'), originalTranId: newTranId() };
    expect(refused(await call(gateway, 'Refund', refund))).toEqual(TRY_AGAIN);
    expect(refused(await call(gateway, 'BalanceInquiry', { cardToken: 'card' }))).toEqual(TRY_AGAIN);
    expect(issuer.requests).toHaveLength(before);
    expect(await metric(gateway, 'gateway_journal_up')).toBe(0);
    // What is not known is not told as zero.
    expect(await metric(gateway, 'gateway_doubts_open')).toBeUndefined();

    const { pid } = gateway;
    await redis.restart();
    await gateway.untilReady();
    expect(gateway.pid).toBe(pid);
    // Nothing had been claimed, so that the same tranId now goes through. The server has lost its scripts.
    expect((await learn(gateway, 'Purchase', payment('card'), { tranId })).body.responseCode).toBe('00');
    expect(forwarded(issuer, tranId)).toHaveLength(1);
    const old = await call(gateway, 'Purchase', payment('first'), { tranId: first.tranId });
    expect(old.headers['idempotent-replayed']).toBe('true');
    expect(await metric(gateway, 'gateway_journal_up')).toBe(1);
  });

  it('F49 I9 I12: frozen: 503 or 09 within the budget, never a forward without a claim; back: works', async test => {
    const { issuer, redis, gateway } = await started(new Rig(test));
    redis.pause();
    const calls: { readonly tranId: string; readonly answer: Answer }[] = [];
    // Over more than a second, until the connection itself is given up.
    for (let no = 0; no < 4; no += 1) {
      const batch = Array.from({ length: 3 }, async () => {
        const tranId = newTranId();
        return { tranId, answer: await call(gateway, 'Purchase', payment('card'), { tranId }) };
      });
      calls.push(...(await Promise.all(batch)));
    }
    for (const { answer } of calls) {
      const told = `${answer.status} ${String(answer.body.responseCode)}`;
      expect(['503 91', '200 09']).toContain(told);
      // The rest is for a machine with other things to do.
      expect(answer.ms).toBeLessThan(QUICK.client.budgetMs + 2000);
    }
    for (const { tranId } of calls) expect(forwarded(issuer, tranId)).toEqual([]);

    redis.resume();
    await approved(gateway, payment('back'));
    // Claims that arrived after all were never sent: they end by themselves, without a debit.
    for (const { tranId } of calls) {
      const { body } = await learn(gateway, 'Purchase', payment('card'), { tranId });
      expect(['00', '68']).toContain(body.responseCode);
      expect(forwarded(issuer, tranId)).toHaveLength(body.responseCode === '00' ? 1 : 0);
    }
    await untilNothingOwed(gateway);
    const made = calls.filter(({ tranId }) => forwarded(issuer, tranId).length === 1).length;
    expect(issuer.balanceOf('card')).toBe((1000 - 12.5 * made).toFixed(2));
  });

  it('F52 I12: demoted to a replica: 503 and nothing forwarded; promoted again: works', async test => {
    const { issuer, redis, gateway } = await started(new Rig(test));
    const before = issuer.requests.length;
    // Nobody listens there: it refuses writes and keeps its data.
    await redis.command('REPLICAOF', '127.0.0.1', await freePort());
    for (let no = 0; no < 5; no += 1) {
      expect(refused(await call(gateway, 'Purchase', payment('card')))).toEqual(TRY_AGAIN);
    }
    expect(issuer.requests).toHaveLength(before);
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await approved(gateway, payment('back'));
  });

  it('F53 I6: full: new calls are refused, and a call that was begun still ends as it should', async test => {
    const { issuer, redis, gateway } = await started(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const begun = call(gateway, 'Purchase', payment('card'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    expect(refused(await call(gateway, 'Purchase', payment('other')))).toEqual(TRY_AGAIN);
    issuer.release();
    expect((await begun).body.responseCode).toBe('00');
    expect(issuer.balanceOf('other')).toBe('1000.00');
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await approved(gateway, payment('back'));
    expect(undosOf(issuer, tranId)).toEqual([]);
  });

  it('F54: SCRIPT FLUSH between two calls, and while one is at the issuer, changes nothing', async test => {
    const { issuer, redis, gateway } = await started(new Rig(test));
    await redis.command('SCRIPT', 'FLUSH');
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const first = call(gateway, 'Purchase', payment('card'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    await redis.command('SCRIPT', 'FLUSH');
    issuer.release();
    expect((await first).body.responseCode).toBe('00');
    await redis.command('SCRIPT', 'FLUSH');
    const again = await call(gateway, 'Purchase', payment('card'), { tranId });
    expect([again.body.responseCode, again.headers['idempotent-replayed']]).toEqual(['00', 'true']);
  });

  it('F57 F76: a Redis that forgot what it had counted raises an alarm', async test => {
    const { redis, gateway } = await started(new Rig(test));
    const purchases = (count: number) =>
      Promise.all(Array.from({ length: count }, () => call(gateway, 'Purchase', payment('card', '1.00'))));
    // They are spread over 64 shards: enough for several in most of them.
    for (const count of [70, 70, 70]) await purchases(count);
    expect(await metric(gateway, 'gateway_alarms_total', { kind: 'amnesia' })).toBeUndefined();
    await redis.flush();
    await purchases(40);
    await waitFor('the alarm', () => metric(gateway, 'gateway_alarms_total', { kind: 'amnesia' }));
    const alarm = () =>
      gateway.logLines().some(({ event, kind }) => event === 'journalWarning' && kind === 'lostClaims');
    await waitFor('the alarm in the log', alarm);
  });
});

describe.concurrent('the end of a call is not stored at once', PATIENT, () => {
  it('F62 I1 I6: its reply is lost, Redis is back within the budget: the caller hears the truth', async test => {
    const { issuer, proxy, gateway } = await proxied(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const told = call(gateway, 'Purchase', payment('card'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    await proxy.mode('loseReplies');
    const before = proxy.accepted();
    issuer.release();
    await waitFor('the lost connection to come back', () => proxy.accepted() > before);
    await proxy.mode('pass');
    const answer = await told;
    // 09 where the machine was too slow to be back in time.
    expect(['00', '09']).toContain(answer.body.responseCode);
    const again = await learn(gateway, 'Purchase', payment('card'), { tranId });
    expect([again.body.responseCode, again.headers['idempotent-replayed']]).toEqual(['00', 'true']);
    expect(forwarded(issuer, tranId)).toHaveLength(1);
    expect(undosOf(issuer, tranId)).toEqual([]);
    expect(issuer.balanceOf('card')).toBe('987.50');
  });

  it('F48 I5 I6: it cannot be stored within the budget: 09, and journal and issuer agree in the end', async test => {
    const { issuer, proxy, gateway } = await proxied(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const told = call(gateway, 'Purchase', payment('card'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    await proxy.mode('refuse');
    issuer.release();
    expect((await told).body.responseCode).toBe('09');
    await proxy.mode('pass');

    const answer = await learn(gateway, 'Purchase', payment('card'), { tranId });
    await untilNothingOwed(gateway);
    expect(['00', '68']).toContain(answer.body.responseCode);
    expect(issuer.balanceOf('card')).toBe(answer.body.responseCode === '00' ? '987.50' : '1000.00');
    const again = await call(gateway, 'Purchase', payment('card'), { tranId });
    expect(again.body.responseCode).toBe(answer.body.responseCode);
    expect(forwarded(issuer, tranId)).toHaveLength(1);
  });

  it('F49 F62 I1 I18: a black hole takes the settle, and gives it back later: one outcome stands', async test => {
    const { issuer, proxy, gateway } = await proxied(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const told = call(gateway, 'Purchase', payment('card'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    await proxy.mode('blackHole');
    issuer.release();
    expect((await told).body.responseCode).toBe('09');
    // What was sent arrives now, on connections that have long been given up.
    await proxy.mode('pass');
    const answer = await learn(gateway, 'Purchase', payment('card'), { tranId });
    await untilNothingOwed(gateway);
    expect(issuer.balanceOf('card')).toBe(answer.body.responseCode === '00' ? '987.50' : '1000.00');
    expect(forwarded(issuer, tranId)).toHaveLength(1);
  });

  it('F62 I1: the reply to the claim is lost: tried again under the same owner, and forwarded once', async test => {
    const { issuer, proxy, gateway } = await proxied(new Rig(test));
    const tranId = newTranId();
    await proxy.mode('loseReplies');
    const before = proxy.accepted();
    const told = call(gateway, 'Purchase', payment('card'), { tranId });
    await waitFor('the lost connection to come back', () => proxy.accepted() > before + 1);
    await proxy.mode('pass');
    expect(['00', '09']).toContain((await told).body.responseCode);
    const answer = await learn(gateway, 'Purchase', payment('card'), { tranId });
    await untilNothingOwed(gateway);
    expect(forwarded(issuer, tranId).length).toBeLessThanOrEqual(1);
    expect(issuer.balanceOf('card')).toBe(answer.body.responseCode === '00' ? '987.50' : '1000.00');
  });
});

describe.concurrent('a Redis that is not fit for a journal', PATIENT, () => {
  it.for([
    [
      'allkeys-lru',
      { maxmemoryPolicy: 'allkeys-lru' },
      /maxmemory-policy allkeys-lru.*set maxmemory-policy noeviction/,
    ],
    ['volatile-ttl', { maxmemoryPolicy: 'volatile-ttl' }, /maxmemory-policy volatile-ttl.*noeviction/],
  ] as const)(
    'F53: %s deletes entries: the gateway does not start, and says why',
    async ([, options, reason], test) => {
      const rig = new Rig(test);
      const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis(options)]);
      await expect(rig.gateway(issuer, { journalUrl: redis.url })).rejects.toThrow(reason);
    },
  );

  it('F52: a replica: the gateway does not start, and says why', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
    const replica = await startRedis({ replicaOf: redis });
    rig.atEnd(() => replica.stop());
    await expect(rig.gateway(issuer, { journalUrl: replica.url })).rejects.toThrow(/is a replica: name the primary/);
  });

  it('F57: without persistence it starts, and warns', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis({ appendonly: 'no' })]);
    const gateway = await rig.gateway(issuer, { journalUrl: redis.url });
    const warning = await waitFor('the warning', () =>
      gateway.logLines().find(({ event, kind }) => event === 'journalWarning' && kind === 'persistence'),
    );
    expect(warning).toMatchObject({
      level: 'warn',
      what: expect.stringMatching(/does not persist.*set appendonly yes/),
    });
  });
});
