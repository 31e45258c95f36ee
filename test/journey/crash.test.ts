/**
 * Gateways that are killed or frozen at the worst moment: whatever they left behind is ended by themselves after a
 * restart, or by another gateway on the same journal, and the money is where the caller was told that it is.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, newTranId } from '../support/client.ts';
import { newSqliteUrl } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, codeOf, learn, PATIENT, payment, Rig, redisUrlOf, untilClaimed, untilNothingOwed } from './rig.ts';
import { undosOf } from './support.ts';

/** The ids under which undos were sent, each once. */
const idsOf = (undos: readonly { readonly tranId: string }[]) => [...new Set(undos.map(({ tranId }) => tranId))];

describe.concurrent('kill -9 and restart', PATIENT, () => {
  it.for([
    ['the embedded journal', async () => newSqliteUrl()],
    ['Redis', async (rig: Rig) => (await rig.redis()).url],
  ] as const)(
    'F64 I5 I17: a purchase at the issuer is reversed without anyone asking: %s',
    async ([, journal], test) => {
      const rig = new Rig(test);
      const issuer = await rig.issuer();
      const gateway = await rig.gateway(issuer, { journalUrl: await journal(rig) });
      const tranId = newTranId();
      issuer.script('Purchase', { kind: 'hangAfterEffect' });
      const told = codeOf(call(gateway, 'Purchase', payment('card'), { tranId }));
      await issuer.waitFor('the purchase', () => issuer.balanceOf('card') === '987.50');
      await gateway.kill9();
      expect(await told).toBe('lost');

      await gateway.restart();
      const meanwhile = await call(gateway, 'Purchase', payment('card'), { tranId });
      // A slow start may take as long as the lease.
      expect(['09', '68']).toContain(meanwhile.body.responseCode);
      await issuer.waitFor('the undo', () => issuer.balanceOf('card') === '1000.00');
      const answer = await learn(gateway, 'Purchase', payment('card'), { tranId });
      expect([answer.body.responseCode, answer.headers['idempotent-replayed']]).toEqual(['68', 'true']);
      await untilNothingOwed(gateway);
      expect(issuer.requestsOf('Purchase')).toHaveLength(1);
      expect(issuer.requestsOf('Reversal')).toHaveLength(1);
    },
  );
});

describe.concurrent('kill -9 of one gateway of several on one Redis', PATIENT, () => {
  const rig = new Rig();
  let issuer: ScriptedIssuer;
  let redis: RedisServer;
  /** The one that nothing happens to. */
  let survivor: Gateway;
  beforeAll(async () => {
    [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
    survivor = await rig.gateway(issuer, { journalUrl: redis.url });
    await approved(survivor, payment('first'));
  });
  afterAll(() => rig.end());

  /** One that dies with the test at the latest; all of them are on one journal and have one issuer. */
  const victim = async (test: ConstructorParameters<typeof Rig>[0], journalUrl = redis.url) =>
    new Rig(test).gateway(issuer, { journalUrl });

  it('F64 I5: another one reverses its purchase; a retry meanwhile hears 09, later 68', async test => {
    const dying = await victim(test);
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'hangAfterEffect' }, { tranId });
    const told = codeOf(call(dying, 'Purchase', payment('purchase'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.effectsOf(tranId).length === 1);
    await dying.kill9();
    expect(await told).toBe('lost');

    const meanwhile = await call(survivor, 'Purchase', payment('purchase'), { tranId });
    expect([meanwhile.body.responseCode, meanwhile.headers['idempotent-replayed']]).toEqual(['09', undefined]);
    await issuer.waitFor('the undo', () => issuer.balanceOf('purchase') === '1000.00');
    const answer = await call(survivor, 'Purchase', payment('purchase'), { tranId });
    expect([answer.body.responseCode, answer.headers['idempotent-replayed']]).toEqual(['68', 'true']);
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    expect(undosOf(issuer, tranId)).toHaveLength(1);
  });

  it('F64 I1: another one repeats its refund under the same tranId until answered, and a retry learns it', async test => {
    const dying = await victim(test);
    const bought = await approved(survivor, payment('refund'));
    const tranId = newTranId();
    const fields = { ...payment('refund', '5.00'), originalTranId: bought.tranId };
    issuer.script('Refund', { kind: 'hangAfterEffect' }, { tranId, times: 1 });
    issuer.script('Refund', { kind: 'code', code: '96' }, { tranId, times: 2 });
    const told = codeOf(call(dying, 'Refund', fields, { tranId }));
    await issuer.waitFor('the refund', () => issuer.effectsOf(tranId).length === 1);
    await dying.kill9();
    expect(await told).toBe('lost');

    const answer = await learn(survivor, 'Refund', fields, { tranId });
    expect([answer.body.responseCode, answer.headers['idempotent-replayed']]).toEqual(['00', 'true']);
    expect(issuer.requestsOf('Refund', tranId).map(({ repeat }) => repeat)).toEqual([false, true, true, true]);
    expect(issuer.effectsOf(tranId)).toHaveLength(1);
    expect(issuer.balanceOf('refund')).toBe('992.50');
  });

  it('F64 F74 I8: an undo that was under way is sent again by another one, as the same message', async test => {
    const dying = await victim(test);
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'hangAfterEffect' }, { tranId });
    issuer.script('Reversal', { kind: 'hang' }, { times: 1, where: ({ originalTranId }) => originalTranId === tranId });
    expect(await codeOf(call(dying, 'Purchase', payment('delivery'), { tranId }))).toBe('68');
    await issuer.waitFor('the undo', () => undosOf(issuer, tranId).length === 1);
    await dying.kill9();

    await issuer.waitFor('the undo again', () => issuer.balanceOf('delivery') === '1000.00');
    const undos = undosOf(issuer, tranId);
    expect(undos.map(({ repeat }) => repeat)).toEqual([false, true]);
    expect(idsOf(undos)).toHaveLength(1);
  });

  it('F64 F35: a Reversal whose claim was written and not answered still reaches its original', async test => {
    const proxy = await new Rig(test).proxy(redis);
    const dying = await victim(test, redisUrlOf(proxy));
    const bought = await approved(survivor, payment('claimed'));
    const tranId = newTranId();
    const fields = { ...payment('claimed'), originalTranId: bought.tranId };
    // Slow enough to stop the claim's own reply, after those of the look-ups before it.
    await proxy.mode({ kind: 'delay', ms: 120 });
    const told = codeOf(call(dying, 'Reversal', fields, { tranId }));
    await untilClaimed(redis, tranId);
    await proxy.mode('holdReplies');
    await dying.kill9();
    expect(await told).toBe('lost');

    await issuer.waitFor('the undo', () => issuer.balanceOf('claimed') === '1000.00');
    const answer = await learn(survivor, 'Reversal', fields, { tranId });
    expect(answer.body.responseCode).toBe('00');
    expect(undosOf(issuer, bought.tranId)).toHaveLength(1);
    // The caller's own id is never sent on: the undo belongs to the original.
    expect(issuer.requestsOf('Reversal', tranId)).toEqual([]);
  });

  it('F64 F36: a Reversal whose undo is at the issuer is delivered by another one', async test => {
    const dying = await victim(test);
    const bought = await approved(survivor, payment('reversal'));
    const tranId = newTranId();
    const fields = { ...payment('reversal'), originalTranId: bought.tranId };
    const ofOriginal = ({ originalTranId }: { readonly originalTranId: string | undefined }) =>
      originalTranId === bought.tranId;
    issuer.script('Reversal', { kind: 'hang' }, { times: 1, where: ofOriginal });
    const told = codeOf(call(dying, 'Reversal', fields, { tranId }));
    await issuer.waitFor('the undo', () => undosOf(issuer, bought.tranId).length === 1);
    await dying.kill9();
    expect(await told).toBe('lost');

    await issuer.waitFor('the undo again', () => issuer.balanceOf('reversal') === '1000.00');
    expect((await learn(survivor, 'Reversal', fields, { tranId })).body.responseCode).toBe('00');
    expect(idsOf(undosOf(issuer, bought.tranId))).toHaveLength(1);
  });

  it('F64 I6 I12: killed after the claim and before the send, nothing is sent, and the retry hears 68', async test => {
    const proxy = await new Rig(test).proxy(redis);
    const dying = await victim(test, redisUrlOf(proxy));
    const tranId = newTranId();
    await proxy.mode('holdReplies');
    const told = codeOf(call(dying, 'Purchase', payment('unsent'), { tranId }));
    await untilClaimed(redis, tranId);
    await dying.kill9();
    expect(await told).toBe('lost');

    const answer = await learn(survivor, 'Purchase', payment('unsent'), { tranId });
    expect(answer.body.responseCode).toBe('68');
    expect(issuer.requestsOf('Purchase', tranId)).toEqual([]);
    expect(issuer.effectsOf(tranId)).toEqual([]);
  });

  it('F64 I6: killed with the answer in hand and not stored, the purchase is reversed', async test => {
    const proxy = await new Rig(test).proxy(redis);
    const dying = await victim(test, redisUrlOf(proxy));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'late', ms: 150 }, { tranId });
    const told = codeOf(call(dying, 'Purchase', payment('unstored'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.effectsOf(tranId).length === 1);
    await proxy.mode('blackHole');
    await waitFor('the settle', () => proxy.held('requests') > 0);
    await dying.kill9();
    proxy.drop();
    expect(await told).toBe('lost');

    const answer = await learn(survivor, 'Purchase', payment('unstored'), { tranId });
    expect(answer.body.responseCode).toBe('68');
    await issuer.waitFor('the undo', () => issuer.balanceOf('unstored') === '1000.00');
  });

  it('F64 I3: killed with the answer stored and not told, the retry hears it and nothing is undone', async test => {
    const proxy = await new Rig(test).proxy(redis);
    const dying = await victim(test, redisUrlOf(proxy));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'late', ms: 150 }, { tranId });
    const told = codeOf(call(dying, 'Purchase', payment('untold'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.effectsOf(tranId).length === 1);
    await proxy.mode('holdReplies');
    const answer = await learn(survivor, 'Purchase', payment('untold'), { tranId });
    await dying.kill9();
    expect(['lost', '09']).toContain(await told);
    expect([answer.body.responseCode, answer.headers['idempotent-replayed']]).toEqual(['00', 'true']);
    expect(issuer.balanceOf('untold')).toBe('987.50');
    expect(undosOf(issuer, tranId)).toEqual([]);
  });
});

describe.concurrent('a process that is frozen for longer than its lease, and goes on', PATIENT, () => {
  const pair = async (rig: Rig) => {
    const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
    const proxy = await rig.proxy(redis);
    const [frozen, other] = await Promise.all([
      rig.gateway(issuer, { journalUrl: redisUrlOf(proxy) }),
      rig.gateway(issuer, { journalUrl: redis.url }),
    ]);
    // A server that does not know the scripts yet asks for them first.
    await approved(other, payment('first'));
    return { issuer, redis, proxy, frozen, other };
  };

  it('F68 I11 I18: between claim and send: nothing is sent late, and the buyer is not told approved', async test => {
    const { issuer, redis, proxy, frozen, other } = await pair(new Rig(test));
    const tranId = newTranId();
    await proxy.mode('holdReplies');
    const told = codeOf(call(frozen, 'Purchase', payment('card'), { tranId }));
    await untilClaimed(redis, tranId);
    frozen.sigstop();
    // It finds the reply to its claim as soon as it goes on.
    await proxy.mode('pass');
    await issuer.waitFor('the takeover', () => undosOf(issuer, tranId).length > 0);
    await untilNothingOwed(other);
    frozen.sigcont();

    // Whether the reply or the time limit of the claim is looked at first is chance.
    expect(['68', '09']).toContain(await told);
    expect((await learn(frozen, 'Purchase', payment('card'), { tranId })).body.responseCode).toBe('68');
    await untilNothingOwed(frozen);
    expect(issuer.requestsOf('Purchase', tranId)).toEqual([]);
    expect(issuer.balanceOf('card')).toBe('1000.00');
  });

  it('F68 F34 I5 I18: after the bytes left, the issuer acting after the undo was over: it is undone again', async test => {
    const { issuer, frozen, other } = await pair(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const told = codeOf(call(frozen, 'Purchase', payment('card'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    frozen.sigstop();
    await issuer.waitFor('the takeover', () => undosOf(issuer, tranId).length > 0);
    // 25 twice, the second time after all that the issuer had promised.
    await untilNothingOwed(other);
    const before = idsOf(undosOf(issuer, tranId));
    issuer.release();
    await issuer.waitFor('the late debit', () => issuer.balanceOf('card') === '987.50');
    frozen.sigcont();

    // Long past its time, the settle is written behind the answer.
    expect(await told).toBe('09');
    await issuer.waitFor('the undo of the late debit', () => issuer.balanceOf('card') === '1000.00');
    await Promise.all([untilNothingOwed(frozen), untilNothingOwed(other)]);
    const last = undosOf(issuer, tranId).at(-1);
    expect(before).not.toContain(last?.tranId);
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    expect(await codeOf(call(other, 'Purchase', payment('card'), { tranId }))).toBe('68');
  });

  it('F68 F48 I5: the same, and its connections to the journal are gone when it goes on', async test => {
    const { issuer, proxy, frozen, other } = await pair(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const told = codeOf(call(frozen, 'Purchase', payment('card'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);
    frozen.sigstop();
    await issuer.waitFor('the takeover', () => undosOf(issuer, tranId).length > 0);
    await untilNothingOwed(other);
    await proxy.mode('refuse');
    issuer.release();
    await issuer.waitFor('the late debit', () => issuer.balanceOf('card') === '987.50');
    frozen.sigcont();
    // It cannot tell the journal what it knows, and keeps it until it can.
    expect(await told).toBe('09');
    await proxy.mode('pass');
    await issuer.waitFor('the undo of the late debit', () => issuer.balanceOf('card') === '1000.00');
    await Promise.all([untilNothingOwed(frozen), untilNothingOwed(other)]);
    expect(await codeOf(call(other, 'Purchase', payment('card'), { tranId }))).toBe('68');
  });

  it('F68 F25 I3 I5: the answer arrives after takeover and undo: undone again at no cost, and 68 is learnt', async test => {
    const { issuer, frozen, other } = await pair(new Rig(test));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'late', ms: 100 }, { tranId });
    const told = codeOf(call(frozen, 'Purchase', payment('card'), { tranId }));
    await issuer.waitFor('the purchase', () => issuer.effectsOf(tranId).length === 1);
    frozen.sigstop();
    await issuer.waitFor('the undo', () => issuer.balanceOf('card') === '1000.00');
    await untilNothingOwed(other);
    frozen.sigcont();

    // Long past its time, the settle is written behind the answer.
    expect(await told).toBe('09');
    await issuer.waitFor('the second undo', () => idsOf(undosOf(issuer, tranId)).length === 2);
    await Promise.all([untilNothingOwed(frozen), untilNothingOwed(other)]);
    expect(issuer.balanceOf('card')).toBe('1000.00');
    expect(issuer.effectsOf(tranId)).toHaveLength(1);
    expect(await codeOf(call(other, 'Purchase', payment('card'), { tranId }))).toBe('68');
  });
});
