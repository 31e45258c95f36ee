/**
 * The end of a gateway and its reloads: SIGTERM answers what is in flight and holds on to nothing, SIGHUP takes a new
 * configuration as a whole or not at all, and neither loses what is owed.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, get, newTranId, rawRequest } from '../support/client.ts';
import { clientOf, newToken, sha256Hex } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { freePort, tempDir } from '../support/places.ts';
import { waitFor } from '../support/waitFor.ts';
import { codeOf, learn, metric, PATIENT, payment, Rig, redisUrlOf, untilNothingOwed } from './rig.ts';

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket));
    socket.on('error', reject);
  });

/** A connection that has had one answer and is kept alive. */
async function openIdle(port: number): Promise<Socket> {
  const socket = await open(port);
  const answered = new Promise(resolve => socket.once('data', resolve));
  socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
  await answered;
  return socket;
}

const readiness = async (gateway: Gateway) => {
  const { status, body } = await get(`${gateway.adminUrl}/readyz`);
  return [status, body.checks];
};

describe.concurrent('SIGTERM', PATIENT, () => {
  it('F65 I9: not ready any more, all in flight answered, exit code 0 within the budget and a second', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const budgetMs = 3000;
    const gateway = await rig.gateway(issuer, {
      client: { budgetMs },
      issuer: { timeoutMs: 2000, maxProcessingMs: 2000 },
    });
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'hangAfterEffect' }, { tranId });
    issuer.script('Purchase', { kind: 'queueUntilReleased' });
    const doubtful = call(gateway, 'Purchase', payment('doubtful'), { tranId });
    const approved = [1, 2, 3].map(() => call(gateway, 'Purchase', payment('approved')));
    await issuer.waitFor('all purchases', () => issuer.requests.length === 4);
    const began = performance.now();
    const ended = gateway.sigterm();
    await waitFor('readiness to go', async () => (await readiness(gateway))[0] === 503);
    expect(await readiness(gateway)).toEqual([503, expect.objectContaining({ draining: true, journal: true })]);
    expect((await rawRequest(gateway.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).end).toBe('reset');
    issuer.release();
    for (const answer of await Promise.all(approved)) {
      expect([answer.body.responseCode, answer.headers.connection]).toEqual(['00', 'close']);
    }
    const inDoubt = await doubtful;
    expect([inDoubt.body.responseCode, inDoubt.headers.connection]).toEqual(['68', 'close']);
    expect(await ended).toBe(0);
    expect(performance.now() - began).toBeLessThan(budgetMs + 1000);
    const events = gateway.logLines().map(({ event }) => event);
    expect(events.filter(event => event === 'request')).toHaveLength(4);
    expect(events.slice(events.indexOf('draining')).at(-1)).toBe('stopped');

    // What it still owed is in the journal.
    await gateway.restart();
    await issuer.waitFor('the undo', () => issuer.balanceOf('doubtful') === '1000.00');
    await untilNothingOwed(gateway);
  });

  it('F65: idle connections, silent ones and half a request do not hold it', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    // It would wait for so long if it waited for them.
    const gateway = await rig.gateway(issuer, { client: { budgetMs: 30_000 } });
    const { port } = gateway;
    const sockets = await Promise.all([open(port), open(port), openIdle(port), openIdle(port), open(port)]);
    sockets.at(-1)?.write('POST /card-api/tranmgr/purchase HTTP/1.1\r\nHost: x\r\nContent-Le');
    const closed = sockets.map(
      socket => new Promise<void>(resolve => socket.on('error', () => {}).on('close', () => resolve())),
    );
    for (const socket of sockets) socket.resume();
    expect(await gateway.sigterm(15_000)).toBe(0);
    await Promise.all(closed);
  });

  it('F65 F49: a journal that does not answer and an undo under way do not hold it', async test => {
    const rig = new Rig(test);
    const [issuer, redis] = await Promise.all([rig.issuer(), rig.redis()]);
    const gateway = await rig.gateway(issuer, { journalUrl: redis.url });
    issuer.script('Purchase', { kind: 'resetAfterEffect' });
    issuer.script('Reversal', { kind: 'hang' });
    await call(gateway, 'Purchase', payment('card'));
    await issuer.waitFor('the undo', () => issuer.requestsOf('Reversal').length > 0);
    redis.pause();
    expect(await gateway.sigterm(10_000)).toBe(0);
    redis.resume();
    issuer.heal();
    await gateway.restart();
    await issuer.waitFor('the undo again', () => issuer.balanceOf('card') === '1000.00');
    expect(new Set(issuer.requestsOf('Reversal').map(({ tranId }) => tranId)).size).toBe(1);
  });
});

const reloads = (gateway: Gateway) =>
  gateway.logLines().flatMap(({ event }) => (event === 'reloaded' || event === 'reloadRefused' ? [event] : []));

/** Sends SIGHUP, and what came of it: `reloaded` or `reloadRefused`. */
async function reload(gateway: Gateway): Promise<unknown> {
  const before = reloads(gateway).length;
  gateway.sighup();
  await waitFor('the end of the reload', () => reloads(gateway).length > before);
  return reloads(gateway).at(-1);
}

const problems = (gateway: Gateway) =>
  gateway
    .logLines()
    .flatMap(({ event, path, line, mend }) => (event === 'configProblem' ? [{ path, line, mend }] : []));

const purchase = async (gateway: Gateway, token: string) =>
  (await call(gateway, 'Purchase', payment('card', '1.00'), { token })).status;

describe.concurrent('SIGHUP', PATIENT, () => {
  it('S12 S10: a new token works and the old one does not; a broken file changes nothing and is explained', async test => {
    const rig = new Rig(test);
    const gateway = await rig.gateway(await rig.issuer());
    const [next, third] = [newToken(), newToken()];
    const both = [sha256Hex(gateway.token), sha256Hex(next)];
    gateway.configure(({ clients: [client] }) => Object.assign(client ?? {}, { bearer: { tokenSha256: both } }));
    expect(await reload(gateway)).toBe('reloaded');
    expect([await purchase(gateway, gateway.token), await purchase(gateway, next)]).toEqual([200, 200]);
    gateway.configure(({ clients: [client] }) =>
      Object.assign(client ?? {}, { bearer: { tokenSha256: [sha256Hex(next)] } }),
    );
    expect(await reload(gateway)).toBe('reloaded');
    expect([await purchase(gateway, gateway.token), await purchase(gateway, next)]).toEqual([403, 200]);

    gateway.configure(config => {
      config.clients.push(clientOf('third', third));
      Object.assign(config.clients[0] ?? {}, { budgetMs: -1 });
      Object.assign(config.issuers[0] ?? {}, { baseUrl: 'not a url' });
    });
    expect(await reload(gateway)).toBe('reloadRefused');
    expect(problems(gateway).map(({ path }) => path)).toEqual(
      expect.arrayContaining(['clients[0].budgetMs', 'issuers[0].baseUrl']),
    );
    for (const { line, mend } of problems(gateway)) expect([typeof line, typeof mend]).toEqual(['number', 'string']);
    expect([await purchase(gateway, next), await purchase(gateway, third)]).toEqual([200, 403]);

    writeFileSync(gateway.configFile, '{ not yaml: [');
    expect(await reload(gateway)).toBe('reloadRefused');
    expect([await purchase(gateway, next), await purchase(gateway, third)]).toEqual([200, 403]);
  });

  it('takes nothing of a file that changes what needs a restart', async test => {
    const rig = new Rig(test);
    const gateway = await rig.gateway(await rig.issuer());
    const other = newToken();
    const port = await freePort();
    gateway.configure(config => {
      config.server.port = port;
      config.clients.push(clientOf('other', other));
    });
    expect(await reload(gateway)).toBe('reloadRefused');
    expect(problems(gateway)).toEqual([
      { path: 'server.port', line: expect.any(Number), mend: expect.stringContaining('restart') },
    ]);
    expect([await purchase(gateway, gateway.token), await purchase(gateway, other)]).toEqual([200, 403]);
    expect((await rawRequest(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).end).toBe('reset');
  });

  it('F65 I3: another address of an issuer: what is in flight ends at the old one, new calls go to the new one', async test => {
    const rig = new Rig(test);
    const [old, next] = await Promise.all([rig.issuer(), rig.issuer()]);
    const gateway = await rig.gateway(old, {
      client: { budgetMs: 10_000 },
      issuer: { timeoutMs: 8000, maxProcessingMs: 8000 },
    });
    old.script('Purchase', { kind: 'queueUntilReleased' });
    const before = call(gateway, 'Purchase', payment('card'));
    await old.waitFor('the purchase', () => old.queued() === 1);
    gateway.configure(({ issuers: [issuer] }) => Object.assign(issuer ?? {}, { baseUrl: next.baseUrl }));
    expect(await reload(gateway)).toBe('reloaded');
    expect((await call(gateway, 'Purchase', payment('card'))).body.responseCode).toBe('00');
    expect(next.requests).toHaveLength(1);
    old.release();
    expect((await before).body.responseCode).toBe('00');
    expect(old.requests).toHaveLength(1);
  });

  it('I3 I9: a reload under traffic costs no call', async test => {
    const rig = new Rig(test);
    const [one, two, redis] = await Promise.all([rig.issuer(), rig.issuer(), rig.redis()]);
    const proxy = await rig.proxy(redis);
    // Slow enough that at any moment some calls have chosen their issuer and wait for their claim.
    await proxy.mode({ kind: 'delay', ms: 3 });
    const gateway = await rig.gateway(one, {
      journalUrl: redisUrlOf(proxy),
      client: { budgetMs: 6000 },
      issuer: { timeoutMs: 5000, maxProcessingMs: 5000 },
    });
    const codes = new Map<string, number>();
    let going = true;
    const caller = async () => {
      while (going) {
        const code = await codeOf(call(gateway, 'Purchase', payment('card', '0.01')));
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    const callers = Array.from({ length: 10 }, caller);
    for (const { baseUrl } of [two, one]) {
      gateway.configure(({ issuers: [issuer] }) => Object.assign(issuer ?? {}, { baseUrl }));
      // A reload asks the journal what is still needed, and is refused where a busy machine lets it wait too long.
      await waitFor('the reload', async () => (await reload(gateway)) === 'reloaded');
    }
    going = false;
    await Promise.all(callers);
    expect([...codes.keys()]).toEqual(['00']);
    for (const { requests } of [one, two]) expect(requests.length).toBeGreaterThan(0);
  });

  it('I17: an issuer that something is owed to cannot be dropped', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer);
    issuer.script('Purchase', { kind: 'resetAfterEffect' });
    issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
    await call(gateway, 'Purchase', payment('card'));
    gateway.configure(config => {
      Object.assign(config.issuers[0] ?? {}, { id: 'new-issuer' });
      Object.assign(config.routes[0] ?? {}, { issuer: 'new-issuer' });
    });
    expect(await reload(gateway)).toBe('reloadRefused');
    expect(problems(gateway).map(({ path }) => path)).toEqual(['issuers']);
    issuer.heal();
    await untilNothingOwed(gateway);
    expect(await reload(gateway)).toBe('reloaded');
    expect((await call(gateway, 'Purchase', payment('card'))).body.responseCode).toBe('00');
    expect(await metric(gateway, 'gateway_breaker_state', { issuer: 'new-issuer', state: 'closed' })).toBe(1);
  });
});

describe.concurrent('keys that seal the journal', PATIENT, () => {
  const newKey = () => randomBytes(32).toString('base64');

  it.for(['sqlite', 'redis'] as const)(
    'F73 I17: are exchanged while undos are open, and none that is needed is dropped: %s',
    async (kind, test) => {
      const rig = new Rig(test);
      const issuer = await rig.issuer();
      const sealKeyFile = join(tempDir('seal'), 'seal.key');
      const write = (...keys: string[]) => writeFileSync(sealKeyFile, `${keys.join('\n')}\n`, { mode: 0o600 });
      const [old, next] = [newKey(), newKey()];
      write(old);
      const journalUrl = kind === 'redis' ? { journalUrl: (await rig.redis()).url } : {};
      const gateway = await rig.gateway(issuer, { ...journalUrl, journal: { sealKeyFile } });
      issuer.script('Purchase', { kind: 'resetAfterEffect' }, { times: 2 });
      issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
      const first = await call(gateway, 'Purchase', payment('card'));
      expect(first.body.responseCode).toBe('68');

      write(next);
      expect(await reload(gateway)).toBe('reloadRefused');
      expect(problems(gateway).map(({ path }) => path)).toEqual(['journal.sealKeyFile']);
      write(old, next);
      expect(await reload(gateway)).toBe('reloaded');
      write(next, old);
      expect(await reload(gateway)).toBe('reloaded');
      expect((await call(gateway, 'Purchase', payment('card'))).body.responseCode).toBe('68');
      const replayed = await learn(gateway, 'Purchase', payment('card'), { tranId: first.tranId });
      expect([replayed.body.responseCode, replayed.headers['idempotent-replayed']]).toEqual(['68', 'true']);

      // Neither of the two can go yet, not even over a restart.
      write(old);
      expect(await reload(gateway)).toBe('reloadRefused');
      await gateway.kill9();
      write(next);
      await expect(gateway.restart()).rejects.toThrow(/journal\.sealKeyFile: lacks the key/);
      write(next, old);
      await gateway.restart();
      issuer.heal();
      await issuer.waitFor('both undos', () => issuer.balanceOf('card') === '1000.00');
      await untilNothingOwed(gateway);
      write(next);
      expect(await reload(gateway)).toBe('reloaded');
      expect((await call(gateway, 'Purchase', payment('card'))).body.responseCode).toBe('00');
    },
  );
});
