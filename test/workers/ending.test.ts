/**
 * Several workers without their supervisor, and a supervisor that cannot keep its workers: nothing is left behind, and the
 * reason is told. Over TLS, which the workers end themselves.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authority } from '../issuer/certificate.ts';
import { Rig, UNHURRIED } from '../journey/rig.ts';
import { call, rawRequest } from '../support/client.ts';
import type { StartOptions } from '../support/gatewayProcess.ts';
import { tempDir } from '../support/places.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { purchaseOverTls } from '../support/tlsCall.ts';
import { waitFor } from '../support/waitFor.ts';
import { atOnce, kill9, runs, STARTED, untilServing } from './support.ts';

describe('the end of a gateway of several workers', { timeout: 120_000 }, () => {
  const rig = new Rig();
  let issuer: ScriptedIssuer;
  let redis: RedisServer;
  const start = async (options: Omit<StartOptions, 'issuerUrl'>) => {
    const { server, ...rest } = options;
    const all = {
      ...UNHURRIED,
      journalUrl: redis.url,
      waitForReady: false,
      server: { workers: 2, ...server },
      ...rest,
    };
    const gateway = await rig.gateway(issuer, all);
    await gateway.untilReady(STARTED.timeoutMs);
    return gateway;
  };

  beforeAll(async () => {
    [issuer, redis] = [await rig.issuer(), await rig.redis()];
  });
  afterAll(() => rig.end());

  it('kill -9 of the supervisor leaves nobody: what is in flight is answered, then the workers end', async () => {
    const dir = tempDir('workers-tls');
    const ca = authority({ untilDays: 30 }, 'workers');
    const own = ca.issue('127.0.0.1', { untilDays: 30 });
    writeFileSync(join(dir, 'own.pem'), own.cert);
    writeFileSync(join(dir, 'own.key'), own.key, { mode: 0o600 });
    const gateway = await start({ server: { tls: { certFile: join(dir, 'own.pem'), keyFile: join(dir, 'own.key') } } });
    const pids = await untilServing(gateway, 2);
    issuer.script('Purchase', { kind: 'queueUntilReleased' });
    const answers = atOnce(6, () => purchaseOverTls(gateway, { ca: ca.cert }));
    await issuer.waitFor('all of them', () => issuer.queued() === 6);
    kill9(gateway.pid);
    await waitFor('the port to be free', async () => (await rawRequest(gateway.port, 'x')).end === 'reset');
    issuer.release();
    expect((await answers).map(({ status }) => status)).toEqual(Array(6).fill(200));
    await waitFor('the workers to end', () => !pids.some(runs));
    issuer.heal();
  });

  it('a worker that fails again and again at its start ends all of it with 1, and the reason', async () => {
    const marker = join(tempDir('workers-fail'), 'fail');
    const gateway = await start({ program: 'test/workers/failing.ts', env: { WORKER_FAILS: marker } });
    const pids = await untilServing(gateway, 2);
    expect((await call(gateway, 'Purchase', { cardToken: 'c', tranAmount: '1.00', tranCurrency: '840' })).status).toBe(
      200,
    );
    writeFileSync(marker, '');
    kill9(pids[0]);
    await waitFor('its end', () => !gateway.alive(), STARTED);
    expect(gateway.stderr()).toMatch(
      /^the gateway ended: worker 1 ended with exit code 3 as it started, 5 times in a row$/m,
    );
    expect(gateway.logLines()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        event: 'alarm',
        kind: 'worker',
        what: expect.stringMatching(/exit code 3/),
      }),
    );
    expect(await gateway.sigterm()).toBe(1);
    expect(pids.filter(runs)).toEqual([]);
  });

  it('what keeps a worker from starting is told once, like of a gateway alone', async () => {
    const { port } = redis;
    const gateway = await rig.gateway(issuer, {
      ...{ ...UNHURRIED, journalUrl: redis.url, waitForReady: false },
      server: { workers: 2, port },
    });
    await waitFor('its end', () => !gateway.alive(), STARTED);
    expect(gateway.stderr().match(/the gateway did not start: .*EADDRINUSE/g)).toHaveLength(1);
    expect(await gateway.sigterm()).toBe(1);
  });
});
