/**
 * Redis has lost data under running gateways, through the front door (F76): new money is refused with 503, everywhere and
 * after a restart, while replays, Reversals, undos and inquiries go on; what was owed is owed again, and is delivered.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Answer, call, get, newTranId } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, metric, PATIENT, payment, QUICK, Rig, untilNothingOwed } from './rig.ts';
import { LEASE_MARGIN_MS, NOTHING_DONE, netOf, undosOf } from './support.ts';

const said = ({ status, body, headers }: Answer) => [status, body.responseCode, headers['retry-after']];
const REFUSED = [503, '91', '1'];

const checks = async (gateway: Gateway) => {
  const { status, body } = await get(`${gateway.adminUrl}/readyz`);
  return { status, amnesia: (body.checks as { amnesia?: boolean }).amnesia };
};
const noticed = (gateway: Gateway) => waitFor('the gateway to notice', async () => (await checks(gateway)).amnesia);

async function twoGateways(rig: Rig) {
  const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
  const options = { journalUrl: redis.url };
  const gateways = [await rig.gateway(issuer, options), await rig.gateway(issuer, options)] as const;
  for (const gateway of gateways) await approved(gateway, payment('first'));
  return { issuer, redis, gateways };
}

/** Every shard has been written to, and all gateways have looked at it since. */
async function everyShard(redis: RedisServer): Promise<void> {
  const script = `for i = 0, 63 do
    local shard = string.format('gw:{%02d}:', i)
    redis.call('HSETNX', shard .. 'epoch', 'id', 'of-the-test')
    redis.call('INCRBY', shard .. 'claims', 10)
  end`;
  await redis.command('EVAL', script, 0);
  const looks = async () => {
    const stats = String(await redis.command('INFO', 'commandstats'));
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const before = await looks();
  // A look is one call for each shard; four of them are at least one of either gateway.
  await waitFor('all gateways to look', async () => (await looks()) > before + 4 * 64);
}

describe.concurrent('F76 I12: Redis was flushed', PATIENT, () => {
  it('both gateways refuse new money, also after a restart, and say so; all else goes on', async test => {
    const { issuer, redis, gateways } = await twoGateways(new Rig(test));
    const [first, second] = gateways;
    await everyShard(redis);
    const kept = await approved(first, payment('kept'));
    await redis.flush();
    await Promise.all(gateways.map(noticed));
    const before = issuer.requests.length;
    for (const gateway of gateways) {
      expect(await checks(gateway)).toEqual({ status: 503, amnesia: true });
      const answers = await Promise.all(
        (['Purchase', 'LoadFund', 'BlockFund', 'UnblockFund'] as const).map(api => {
          const original = api === 'UnblockFund' ? { originalTranId: newTranId() } : {};
          return call(gateway, api, { ...payment('new'), ...original });
        }),
      );
      expect(answers.map(said)).toEqual(answers.map(() => REFUSED));
      expect(await metric(gateway, 'gateway_journal_amnesia_shards')).toBe(64);
      await waitFor('the alarm', () => gateway.logLines().some(({ kind }) => kind === 'lostClaims'));
    }
    expect(issuer.requests).toHaveLength(before);
    expect(await metric(first, 'gateway_refusals_total', { reason: 'amnesia' })).toBe(4);

    // What this gateway wrote lately is there again, and told again.
    const replay = await call(second, 'Purchase', payment('kept'), { tranId: kept.tranId });
    expect([replay.body.responseCode, replay.headers['idempotent-replayed']]).toEqual(['00', 'true']);
    expect(said(await call(second, 'BalanceInquiry', { cardToken: 'kept' }))).toEqual([200, '00', undefined]);
    const reversal = await call(first, 'Reversal', { ...payment('kept'), originalTranId: kept.tranId });
    expect(reversal.body.responseCode).toBe('00');
    await waitFor('the undo', () => undosOf(issuer, kept.tranId).length > 0);

    await first.restart(false);
    await waitFor('a refusal after the restart', async () => {
      const answer = await call(first, 'Purchase', payment('new'));
      return answer.status === 503 && (await checks(first)).amnesia;
    });
    expect(issuer.requestsOf('Purchase').filter(({ body }) => body.cardToken === 'new')).toEqual([]);
  });

  it('I5 I17: doubts that were open are written again, and end', async test => {
    const { issuer, redis, gateways } = await twoGateways(new Rig(test));
    const [gateway] = gateways;
    issuer.script('Purchase', { kind: 'resetAfterEffect' }, { where: ({ body }) => body.cardToken === 'doubt' });
    issuer.script('Reversal', { kind: 'status', status: 503, effect: false });
    const doubts = await Promise.all(Array.from({ length: 8 }, () => call(gateway, 'Purchase', payment('doubt'))));
    expect(doubts.map(({ body }) => body.responseCode)).toEqual(doubts.map(() => '68'));
    await redis.flush();
    await noticed(gateway);
    issuer.heal();
    const isUndone = ({ tranId }: Answer) => netOf(issuer, tranId).available === 0n;
    await waitFor('every undo', () => doubts.every(isUndone));
    await untilNothingOwed(gateway);
    for (const { tranId } of doubts) {
      const replay = await call(gateway, 'Purchase', payment('doubt'), { tranId });
      expect([replay.body.responseCode, netOf(issuer, tranId)]).toEqual(['68', NOTHING_DONE]);
    }
  });

  it('I5: what was at the issuer meanwhile is told, or undone', async test => {
    const { issuer, redis, gateways } = await twoGateways(new Rig(test));
    const [gateway] = gateways;
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId, times: 1 });
    const asked = call(gateway, 'Purchase', payment('flight'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.requestsOf('Purchase', tranId).length === 1);
    await redis.flush();
    issuer.release();
    const { body } = await asked;
    await untilNothingOwed(gateway);
    expect(['00', '68']).toContain(body.responseCode);
    expect(issuer.balanceOf('flight')).toBe(body.responseCode === '00' ? '987.50' : '1000.00');
    expect((await call(gateway, 'Purchase', payment('flight'), { tranId })).body.responseCode).toBe(body.responseCode);
  });
});

describe.concurrent('F76: a backup was put back', PATIENT, () => {
  /** Ends the server, and starts one on the same port with the snapshot of before. */
  async function putBack(redis: RedisServer, dir: string, backup: string): Promise<void> {
    await redis.kill();
    copyFileSync(backup, join(dir, 'dump.rdb'));
    await redis.restart();
  }

  it('I2 I12: what was approved since is still approved, and new money waits', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis({ appendonly: 'no' })]);
    const gateway = await rig.gateway(issuer, { journalUrl: redis.url });
    await everyShard(redis);
    const [, dir] = (await redis.command('CONFIG', 'GET', 'dir')) as [string, string];
    // A claim that the backup holds, and whose end it does not.
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId, times: 1 });
    const asked = call(gateway, 'Purchase', payment('across'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.requestsOf('Purchase', tranId).length === 1);
    await redis.command('SAVE');
    const backup = join(dir, 'backup.rdb');
    copyFileSync(join(dir, 'dump.rdb'), backup);
    expect(existsSync(backup)).toBe(true);
    issuer.release();
    expect((await asked).body.responseCode).toBe('00');
    await everyShard(redis);
    const over = performance.now() + QUICK.client.budgetMs + LEASE_MARGIN_MS + 1000;
    await putBack(redis, dir, backup);
    await noticed(gateway);
    expect(said(await call(gateway, 'Purchase', payment('new')))).toEqual(REFUSED);
    // Longer than the lease of the claim that came back.
    await waitFor('the lease to be over', async () => performance.now() > over, { everyMs: 100 });
    await untilNothingOwed(gateway);
    expect(undosOf(issuer, tranId)).toEqual([]);
    expect(issuer.balanceOf('across')).toBe('987.50');
    expect((await call(gateway, 'Purchase', payment('across'), { tranId })).body.responseCode).toBe('00');
  });
});

describe.concurrent('F50: journal.replicas', PATIENT, () => {
  it('I12: a claim that no replica has is never forwarded: 91, and nothing is owed', async test => {
    const rig = new Rig(test);
    const [issuer, primary] = await Promise.all([rig.issuer(), rig.redis()]);
    const replica = await startRedis({ replicaOf: primary });
    rig.atEnd(() => replica.stop());
    const gateway = await rig.gateway(issuer, { journalUrl: primary.url, journal: { replicas: 1 } });
    await approved(gateway, payment('with'));
    replica.pause();
    rig.atEnd(async () => replica.resume());
    const tranId = newTranId();
    const refused = await call(gateway, 'Purchase', payment('without'), { tranId });
    expect([refused.status, refused.body.responseCode]).toEqual([200, '91']);
    expect(issuer.about(tranId)).toEqual([]);
    expect(await metric(gateway, 'gateway_journal_unconfirmed_writes')).toBeGreaterThan(0);
    replica.resume();
    await approved(gateway, payment('again'));
    expect((await call(gateway, 'Purchase', payment('without'), { tranId })).body.responseCode).toBe('91');
    await untilNothingOwed(gateway);
  });
});
