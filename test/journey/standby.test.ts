/**
 * A site on standby, through the front door: what it holds it goes on with, so that no doubt is asked in two places; every
 * other call is sent to another site with 307. It holds for all gateways of the site, and over restarts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STANDBY } from '../../src/journal/redisKeys.ts';
import { type CallOptions, call, type Fields, get, newTranId, post } from '../support/client.ts';
import { newSqliteUrl } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { gatewayKey, Party, sealedCall, tokenOf } from '../support/oauth.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { ALL_SCOPES, exampleNamed } from './examples.ts';
import { metric, payment, Rig, untilNothingOwed } from './rig.ts';
import { said } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NO_SUCH = 'T-at-another-site';

const switchOf = ({ adminUrl }: Pick<Gateway, 'adminUrl'>) => {
  const url = `${adminUrl}/admin/standby`;
  return {
    on: async (location: string) => (await post(url, JSON.stringify({ location }), { headers: JSON_TYPE })).status,
    off: async () => (await fetch(url, { method: 'DELETE' })).status,
    shown: async () => (await get(url)).body,
  };
};
const readiness = async ({ adminUrl }: Gateway) => {
  const { status, body } = await get(`${adminUrl}/readyz`);
  return [status, (body.checks as Record<string, unknown>).standby];
};
const untilAlive = ({ adminUrl }: Gateway) =>
  waitFor('the gateway to live', async () => (await get(`${adminUrl}/healthz`)).status === 200);

describe.each(['SQLite', 'Redis'] as const)('a site on standby with its journal in %s', kind => {
  const rig = new Rig();
  const bank = new Party('bank');
  let redis: RedisServer | undefined;
  let issuer: ScriptedIssuer;
  let gateway: Gateway;
  let site: string;
  /** What was called before: approved, a command in doubt, a repeat that is still owed. */
  const before = { approved: newTranId(), command: newTranId(), repeat: newTranId() };
  const { api: COMMAND, fields: COMMAND_FIELDS } = exampleNamed('CardCancellation');
  const tell = (api: Parameters<typeof call>[1], fields: Fields, options: CallOptions = {}) =>
    call(gateway, api, fields, options);

  beforeAll(async () => {
    [issuer, redis] = [await rig.issuer(), kind === 'Redis' ? await rig.redis() : undefined];
    gateway = await rig.gateway(issuer, {
      journalUrl: redis?.url ?? newSqliteUrl(),
      client: { scopes: ALL_SCOPES, budgetMs: 8000 },
      issuer: { timeoutMs: 4000, maxProcessingMs: 4000, breaker: { minimumCalls: 10_000 } },
      change: config => void config.clients.push(bank.config()),
    });
    // Nobody listens there: the answer is all that this site owes.
    site = 'http://127.0.0.1:9';
    issuer.script(COMMAND, { kind: 'resetAfterEffect' }, { tranId: before.command, times: 1 });
    issuer.script('LoadFund', { kind: 'code', code: '96' }, { tranId: before.repeat });
    expect(said(await tell('Purchase', payment('card'), { tranId: before.approved }))).toBe('200 00');
    expect(said(await tell(COMMAND, COMMAND_FIELDS, { tranId: before.command }))).toBe('200 09');
    expect(said(await tell('LoadFund', payment('card'), { tranId: before.repeat }))).toBe('200 09');
    expect(await switchOf(gateway).on(`${site}/card-api`)).toBe(204);
  });
  afterAll(() => rig.end());

  it('sends a new call on, with the same path and the public envelope, and asks its issuer nothing', async () => {
    const asked = issuer.requests.filter(({ api }) => api !== 'LoadFund').length;
    const { status, headers, body, tranId } = await tell('Purchase', payment('card'));
    expect([status, headers.location]).toEqual([307, `${site}/card-api/tranmgr/purchase`]);
    expect(headers['content-type']).toBe('application/json');
    expect(body).toMatchObject({ participantId: gateway.participantId, tranId, responseCode: '91' });
    expect(Object.keys(body)).not.toContain('errors');
    const inquiry = await tell('BalanceInquiry', { cardToken: 'card' });
    expect([inquiry.status, inquiry.headers.location]).toEqual([307, `${site}/card-api/tranmgr/balanceInquiry`]);
    expect((await tell(COMMAND, COMMAND_FIELDS)).status).toBe(307);
    expect((await tell('Reversal', { ...payment('card'), originalTranId: NO_SUCH })).status).toBe(307);
    expect(issuer.requests.filter(({ api }) => api !== 'LoadFund')).toHaveLength(asked);
    expect(await metric(gateway, 'gateway_refusals_total', { reason: 'standingBy' })).toBeGreaterThanOrEqual(4);
  });

  it('answers a client with encrypted payloads in plain JSON, as all but 200', async () => {
    const session = { gateway, party: bank, token: await tokenOf(gateway, bank), key: await gatewayKey(gateway) };
    const answer = await sealedCall(session, 'Purchase', payment('card'));
    expect([answer.status, answer.contentType]).toEqual([307, 'application/json']);
  });

  it('I15 tells nobody where to go who is not a client, or whose message is not one', async () => {
    const stranger = await tell('Purchase', payment('card'), { token: 'of-nobody' });
    const malformed = await tell('Purchase', { cardToken: 'card' });
    expect([stranger, malformed].map(({ status }) => status)).toEqual([403, 400]);
    expect([stranger, malformed].map(({ headers }) => headers.location)).toEqual([undefined, undefined]);
  });

  it('I3 goes on with what it holds: replays, other content, Reversals and commands in doubt', async () => {
    const { approved, command, repeat } = before;
    expect(said(await tell('Purchase', payment('card'), { tranId: approved }))).toBe('200 00 replayed');
    expect(said(await tell('Purchase', payment('other'), { tranId: approved }))).toBe('400 94');
    expect(said(await tell('LoadFund', payment('card'), { tranId: repeat }))).toBe('200 09');
    expect(said(await tell(COMMAND, COMMAND_FIELDS, { tranId: command }))).toBe('200 00');
    expect(issuer.requestsOf(COMMAND, command).map(({ repeat: again }) => again)).toEqual([false, true]);
    const refund = { ...payment('card', '2.00'), originalTranId: approved };
    expect(said(await tell('Refund', refund))).toBe('200 00');
    const reversal = { ...payment('card'), originalTranId: approved };
    const { tranId, ...reversed } = await tell('Reversal', reversal);
    expect(said({ tranId, ...reversed })).toBe('200 00');
    expect(said(await tell('Reversal', reversal, { tranId }))).toBe('200 00 replayed');
  });

  it('is alive, not ready, and says so', async () => {
    expect((await get(`${gateway.adminUrl}/healthz`)).status).toBe(200);
    expect(await readiness(gateway)).toEqual([503, true]);
    expect(await metric(gateway, 'gateway_standby')).toBe(1);
    expect(await switchOf(gateway).shown()).toMatchObject({ standby: true, location: site });
    await waitFor('the line of the log', () =>
      gateway.logLines().some(({ event, state }) => event === 'standby' && state === site),
    );
  });

  it('is on standby from its first call after a restart, and delivers what it owes', async () => {
    expect(await gateway.sigterm()).toBe(0);
    await gateway.restart(false);
    await untilAlive(gateway);
    expect((await tell('Purchase', payment('card'))).status).toBe(307);
    issuer.heal();
    await untilNothingOwed(gateway);
    expect(said(await tell('LoadFund', payment('card'), { tranId: before.repeat }))).toBe('200 00 replayed');
  });

  it('takes calls again when it is back at work, that one too which it sent away', async () => {
    const { tranId, status } = await tell('Purchase', payment('card'));
    expect(status).toBe(307);
    expect(await switchOf(gateway).off()).toBe(204);
    expect(await switchOf(gateway).shown()).toMatchObject({ standby: false });
    expect(await readiness(gateway)).toEqual([200, false]);
    expect(said(await tell('Purchase', payment('card'), { tranId }))).toBe('200 00');
  });
});

describe('two sites', () => {
  it('hand a call over: whoever follows shows its own token there, and the transaction is done once', async test => {
    const rig = new Rig(test);
    const [here, there] = [await rig.issuer(), await rig.issuer()];
    const [first, second] = [await rig.gateway(here), await rig.gateway(there)];
    await switchOf(first).on(new URL(second.url).origin);
    const { status, headers, tranId } = await call(first, 'Purchase', payment('card'));
    expect([status, headers.location]).toEqual([307, `${second.url}/tranmgr/purchase`]);
    expect(said(await call(second, 'Purchase', payment('card'), { tranId }))).toBe('200 00');
    expect([here.effects.length, there.effects.length]).toEqual([0, 1]);
  });

  it('F66 all gateways of a site stand by within moments of one of them being told, also when Redis forgets it', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = [await rig.issuer(), await rig.redis()];
    const settings = { journalUrl: redis.url };
    const [one, other] = [await rig.gateway(issuer, settings), await rig.gateway(issuer, settings)];
    const isSentOn = async () => (await call(other, 'Purchase', payment('card'))).status === 307;
    expect(await isSentOn()).toBe(false);
    await switchOf(one).on('https://other.example');
    await waitFor('the other one to stand by', isSentOn);
    // A failover may lose it; nothing else is lost here.
    await redis.command('DEL', STANDBY);
    await waitFor('it to be written back', async () => (await redis.content()).includes('other.example'));
    expect([await isSentOn(), (await call(one, 'Purchase', payment('card'))).status]).toEqual([true, 307]);
    expect(await switchOf(other).off()).toBe(204);
    expect(await isSentOn()).toBe(false);
    await waitFor('the first one to work', async () => (await readiness(one))[0] === 200);
  });

  it('F47 say so where the journal is away: nothing changes, and a call that may be held is 503', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = [await rig.issuer(), await rig.redis()];
    const proxy = await rig.proxy(redis);
    const gateway = await rig.gateway(issuer, { journalUrl: `redis://${proxy.host}:${proxy.port}` });
    await switchOf(gateway).on('https://other.example');
    await proxy.mode('refuse');
    await waitFor('the journal to be away', async () => (await metric(gateway, 'gateway_journal_up')) === 0);
    expect(await switchOf(gateway).off()).toBe(503);
    expect((await call(gateway, 'Purchase', payment('card'))).status).toBe(503);
    // In no journal anywhere.
    expect((await call(gateway, 'BalanceInquiry', { cardToken: 'card' })).status).toBe(307);
    await proxy.mode('pass');
    await waitFor(
      'a call to be sent on',
      async () => (await call(gateway, 'Purchase', payment('card'))).status === 307,
    );
  });
});
