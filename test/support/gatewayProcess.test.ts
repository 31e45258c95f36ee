/**
 * The gateway process as tests hold it: it runs on the Node that the project brings, one call goes through, and every
 * way of ending it ends it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findCanaries } from './canary.ts';
import { startChild } from './children.ts';
import { call, get, newTranId } from './client.ts';
import { newSqliteUrl, testKeys } from './gatewayConfig.ts';
import { type Gateway, startGateway, startGateways } from './gatewayProcess.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { type ScriptedIssuer, startScriptedIssuer } from './scriptedIssuer.ts';

const NODE = /^v26\./;
const PURCHASE = { cardToken: 'card-1', tranAmount: '12.50', tranCurrency: '840' };

it('tests and their children run on Node 26, whatever the machine has', async () => {
  expect(process.version).toMatch(NODE);
  const child = await startChild(process.execPath, ['--version']);
  expect(await child.exited).toBe(0);
  expect(child.stdout()).toMatch(NODE);
});

describe('startGateway', () => {
  let issuer: ScriptedIssuer;
  let gateway: Gateway;
  beforeAll(async () => {
    issuer = await startScriptedIssuer();
  });
  afterEach(() => gateway.kill9());
  afterAll(() => issuer.stop());

  it('makes a call that reaches the issuer, and ends by SIGTERM with 0', async () => {
    gateway = await startGateway({ issuerUrl: issuer.baseUrl });
    const answer = await call(gateway, 'Purchase', PURCHASE);
    expect([answer.status, answer.body.responseCode, answer.body.tranId]).toEqual([200, '00', answer.tranId]);
    expect(issuer.requestsOf('Purchase', answer.tranId)).toHaveLength(1);
    expect(issuer.violations).toEqual([]);
    expect(await gateway.metrics()).toContain('# TYPE');
    expect(await gateway.sigterm()).toBe(0);
    expect(findCanaries(gateway.log(), [{ name: 'token', value: testKeys().token }])).toEqual([]);
  });

  it('keeps its journal and its ports over kill -9 and restart', async () => {
    gateway = await startGateway({ issuerUrl: issuer.baseUrl, journalUrl: newSqliteUrl() });
    const tranId = newTranId();
    const first = await call(gateway, 'Purchase', PURCHASE, { tranId });
    await gateway.kill9();
    expect(gateway.alive()).toBe(false);
    await gateway.restart();
    const again = await call(gateway, 'Purchase', PURCHASE, { tranId });
    expect(again.body.responseCode).toBe(first.body.responseCode);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
  });

  it('freezes and goes on', async () => {
    gateway = await startGateway({ issuerUrl: issuer.baseUrl });
    gateway.sigstop();
    await expect(get(`${gateway.adminUrl}/healthz`, { timeoutMs: 300 })).rejects.toThrow(/aborted|timeout/i);
    gateway.sigcont();
    expect((await get(`${gateway.adminUrl}/healthz`)).status).toBe(200);
  });

  it('says what a gateway that does not start has printed', async () => {
    const start = startGateway({ issuerUrl: issuer.baseUrl, issuer: { baseUrl: 'not a url' } });
    await expect(start).rejects.toThrow(/the gateway ended.*baseUrl/s);
  });
});

describe('several gateways', () => {
  let issuer: ScriptedIssuer;
  let redis: RedisServer;
  let gateways: Gateway[] = [];
  beforeAll(async () => {
    [issuer, redis] = await Promise.all([startScriptedIssuer(), startRedis()]);
    gateways = await startGateways(2, { issuerUrl: issuer.baseUrl, journalUrl: redis.url });
  });
  afterAll(async () => {
    await Promise.all(gateways.map(gateway => gateway.kill9()));
    await Promise.all([redis.stop(), issuer.stop()]);
  });

  it('work on one Redis', async () => {
    const tranId = newTranId();
    const answers = await Promise.all(gateways.map(gateway => call(gateway, 'Purchase', PURCHASE, { tranId })));
    expect(answers.map(({ body }) => body.responseCode)).toEqual(['00', '00']);
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    expect(issuer.violations).toEqual([]);
  });
});
