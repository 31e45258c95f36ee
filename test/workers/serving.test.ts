/**
 * Several workers on one port and one Redis, from outside: they are one gateway. Its page of metrics adds up, what an
 * operator says holds in all of them, a reload is for all or for none, and one that is killed is replaced while the
 * others go on. The tests are one story, told in order.
 */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metric, payment, Rig, samplesOf, untilNothingOwed } from '../journey/rig.ts';
import { call, get, newTranId, post } from '../support/client.ts';
import { clientOf, newToken } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { atOnce, kill9, runs, STARTED, servedBy, Traffic, untilServing, workersOf } from './support.ts';

const JSON_TYPE = { headers: { 'content-type': 'application/json' } };
const WORKERS = 2;
/** Time enough for a busy machine, and leases that end within the test. */
const PACE = { client: { budgetMs: 4000 }, issuer: { timeoutMs: 3000, maxProcessingMs: 3000 } };

describe('a gateway of several workers', { timeout: 120_000 }, () => {
  const rig = new Rig();
  let issuer: ScriptedIssuer;
  let gateway: Gateway;
  /** How many calls were made so far. */
  let calls = 0;
  const purchase = (card: string, options: Parameters<typeof call>[3] = {}) => {
    calls += 1;
    return call(gateway, 'Purchase', payment(card), options);
  };
  const events = (name: string) => gateway.logLines().filter(({ event }) => event === name);
  const reload = async (outcome: 'reloaded' | 'reloadRefused') => {
    const before = events(outcome).length;
    gateway.sighup();
    await waitFor(outcome, () => events(outcome).length > before);
  };
  const operate = (path: string, body: object) =>
    post(`${gateway.adminUrl}/admin/${path}`, JSON.stringify(body), JSON_TYPE);
  const without = (path: string) => fetch(`${gateway.adminUrl}/admin/${path}`, { method: 'DELETE' });
  const statuses = async (count = 12) => [
    ...new Set((await atOnce(count, () => purchase('asked'))).map(each => each.status)),
  ];

  beforeAll(async () => {
    issuer = await rig.issuer();
    const redis = await rig.redis();
    gateway = await rig.gateway(issuer, {
      journalUrl: redis.url,
      server: { workers: WORKERS },
      waitForReady: false,
      client: PACE.client,
      issuer: { ...PACE.issuer, breaker: { minimumCalls: 100_000 } },
    });
    await gateway.untilReady(STARTED.timeoutMs);
  }, STARTED.timeoutMs);
  afterAll(() => rig.end());

  it('serves one port from several processes, none of which holds the admin port', async () => {
    await waitFor('an answer of each', async () => {
      await atOnce(6, index => purchase(`card-${index}`));
      return servedBy(gateway).size === WORKERS;
    });
    const pids = await untilServing(gateway, WORKERS);
    expect(new Set([gateway.pid, ...pids]).size).toBe(WORKERS + 1);
    expect((await get(`${gateway.adminUrl}/readyz`)).body).toEqual({
      ready: true,
      checks: { config: true, journal: true, draining: false, standby: false, amnesia: false },
    });
    expect((await get(`${gateway.adminUrl}/healthz`)).body).toEqual({ alive: true });
  });

  it('I1: one tranId, sent 50 times at once over all of them, has one effect', async () => {
    const tranId = newTranId();
    const answers = await atOnce(50, () => purchase('once', { tranId }));
    expect(new Set(answers.map(({ body }) => body.responseCode))).toEqual(new Set(['00']));
    expect(issuer.effectsOf(tranId)).toHaveLength(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
  });

  it('adds up: every call once on the page, and what is in the one journal as often as it is there', async () => {
    issuer.script('Purchase', { kind: 'resetAfterEffect' }, { times: 1 });
    issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
    expect((await purchase('doubtful')).body.responseCode).toBe('68');
    const page = await samplesOf(gateway);
    const sum = (name: string) =>
      page.filter(sample => sample.name === name).reduce((total, { value }) => total + value, 0);
    expect(sum('gateway_requests_total')).toBe(calls);
    expect(sum('gateway_request_duration_seconds_count')).toBe(calls);
    const one = ['gateway_doubts_open', 'gateway_obligations_due', 'gateway_obligations', 'gateway_journal_up'];
    expect(one.map(sum)).toEqual([1, 1, 1, 1]);
    expect(sum('gateway_money_in_doubt_minor_units')).toBe(1250);
    expect([sum('gateway_workers'), sum('gateway_in_flight'), sum('gateway_draining')]).toEqual([WORKERS, 0, 0]);
    const breakers = page.filter(({ name, value }) => name === 'gateway_breaker_state' && value === 1);
    expect(breakers.map(({ labels }) => labels.state)).toEqual(['closed']);
    // No series is there twice.
    const names = page.map(({ name, labels }) => name + JSON.stringify(labels));
    expect(new Set(names).size).toBe(names.length);
    issuer.heal();
    await untilNothingOwed(gateway);
  });

  it('S: what is revoked, and that the site stands by, holds in all when the answer is there', async () => {
    expect((await operate('revocations', { kind: 'client', id: gateway.clientId })).status).toBe(204);
    expect(await statuses()).toEqual([403]);
    const list = await get(`${gateway.adminUrl}/admin/revocations`);
    expect(list.body.revocations).toEqual([expect.objectContaining({ kind: 'client', id: gateway.clientId })]);
    expect((await without(`revocations/client/${gateway.clientId}`)).status).toBe(204);
    expect(await statuses()).toEqual([200]);

    expect((await operate('standby', { location: 'http://127.0.0.1:9' })).status).toBe(204);
    expect(await statuses()).toEqual([307]);
    expect((await get(`${gateway.adminUrl}/admin/standby`)).body).toMatchObject({ standby: true });
    expect((await get(`${gateway.adminUrl}/readyz`)).status).toBe(503);
    expect((await without('standby')).status).toBe(204);
    expect(await statuses()).toEqual([200]);
  });

  it('F77: a reload under traffic is for all of them or for none, and no call fails', async () => {
    const traffic = new Traffic(gateway, 6);
    const added = { id: 'added', token: newToken() };
    gateway.configure(config => void config.clients.push({ ...clientOf(added.id, added.token), ...PACE.client }));
    await traffic.more(10);
    expect((await purchase('early', { token: added.token })).status).toBe(403);
    await reload('reloaded');
    const now = await atOnce(12, () => purchase('new', { token: added.token }));
    expect(new Set(now.map(({ status }) => status))).toEqual(new Set([200]));

    // What only shows in a worker: it is told once, whoever finds it, and nothing of it is taken.
    gateway.configure(config => {
      config.clients.pop();
      config.server.port = 1;
    });
    await reload('reloadRefused');
    expect(events('configProblem').map(({ path }) => path)).toEqual(['server.port']);
    const still = await atOnce(12, () => purchase('new', { token: added.token }));
    expect(new Set(still.map(({ status }) => status))).toEqual(new Set([200]));
    await traffic.more(10);
    await traffic.end();
    expect([traffic.untold, traffic.wrong(issuer)]).toEqual([0, []]);
  });

  it('F66 I5: one that is killed loses no money; another takes its place with what the others run with', async () => {
    // Edited, and not asked for yet.
    writeFileSync(gateway.configFile, 'broken: [');
    const before = (await metric(gateway, 'gateway_requests_total')) ?? 0;
    const [victim] = workersOf(gateway);
    const traffic = new Traffic(gateway, 8);
    await traffic.more(20);
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { times: 4 });
    await issuer.waitFor('calls under way', () => issuer.queued() === 4);
    kill9(victim?.pid);
    issuer.release();
    await untilServing(gateway, WORKERS + 1);
    await traffic.more(20);
    await traffic.end();
    await untilNothingOwed(gateway);
    expect(traffic.wrong(issuer)).toEqual([]);
    expect(workersOf(gateway).at(-1)?.worker).toBe(victim?.worker);
    expect(runs(victim?.pid ?? 0)).toBe(false);
    expect(events('worker')).toContainEqual(
      expect.objectContaining({
        level: 'error',
        state: 'ended',
        pid: victim?.pid,
        result: 'signal',
        signal: 'SIGKILL',
      }),
    );
    // What it had counted when it was last asked stays.
    expect(await metric(gateway, 'gateway_requests_total')).toBeGreaterThan(before);
    expect(await metric(gateway, 'gateway_worker_ends_total')).toBe(1);
    expect(await metric(gateway, 'gateway_alarms_total', { kind: 'worker' })).toBe(1);
  });

  it('F65: SIGTERM answers what is in flight in each of them, and ends with 0', async () => {
    issuer.script('Purchase', { kind: 'queueUntilReleased' });
    const under = atOnce(8, index => purchase(`last-${index}`));
    await issuer.waitFor('all of them', () => issuer.queued() === 8);
    const pids = workersOf(gateway).map(({ pid }) => pid);
    const ended = gateway.sigterm();
    await waitFor('readiness to go', async () => (await get(`${gateway.adminUrl}/readyz`)).status === 503);
    issuer.release();
    expect((await under).map(({ body }) => body.responseCode)).toEqual(Array(8).fill('00'));
    expect(await ended).toBe(0);
    expect(pids.filter(runs)).toEqual([]);
    expect(gateway.logLines().at(-1)).toMatchObject({ event: 'stopped', signal: 'SIGTERM' });
  });
});
