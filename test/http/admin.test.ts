/**
 * The admin port over real sockets: what it tells, and that it tells nothing else.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type AdminOptions, type AdminServer, type Readiness, startAdmin } from '../../src/http/admin.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { within } from '../support/waitFor.ts';
import { exchange, Wire } from './wire.ts';

const READY: Readiness = { config: true, journal: true, draining: false, standby: false, amnesia: false };

const REVOCATIONS: AdminOptions['revocations'] = {
  revoke: async () => 'done',
  lift: async () => 'done',
  list: async () => ({ revoked: [], lifted: [] }),
  digestOf: jti => jti,
};

const open = new Set<AdminServer>();
afterEach(async () => {
  await Promise.all([...open].map(server => server.close()));
  open.clear();
});

const start = async (options: Partial<AdminOptions> = {}) => {
  const defects: unknown[] = [];
  const server = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics: { text: async () => 'gateway_up 1\n', contentType: 'text/plain; version=0.0.4; charset=utf-8' },
    readiness: () => READY,
    revocations: REVOCATIONS,
    standby: { set: async () => true, said: () => null, basePath: '' },
    clock: systemClock,
    onDefect: error => defects.push(error),
    ...options,
  });
  open.add(server);
  const get = (path: string, method = 'GET') =>
    exchange(server.port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
  return { server, get, defects };
};

describe('the admin port', () => {
  it('gives the metrics with their media type', async () => {
    const { get } = await start();
    const reply = await get('/metrics');
    expect(reply?.status).toBe(200);
    expect(reply?.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(reply?.headers.get('cache-control')).toBe('no-store');
    expect(reply?.body).toBe('gateway_up 1\n');
  });

  it.each(['Origin: http://127.0.0.1:9090', 'Sec-Fetch-Site: same-origin'])(
    'takes no revocation from a web page: %s',
    async header => {
      const asked: string[] = [];
      const revoke = async ({ id }: { readonly id: string }) => {
        asked.push(id);
        return 'done' as const;
      };
      const { server } = await start({ revocations: { ...REVOCATIONS, revoke } });
      const body = JSON.stringify({ kind: 'client', id: 'bank' });
      const head = `POST /admin/revocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
      const length = `Content-Length: ${body.length}\r\n`;
      expect((await exchange(server.port, `${head}${length}${header}\r\n\r\n${body}`))?.status).toBe(403);
      expect(asked).toEqual([]);
      expect((await exchange(server.port, `${head}${length}\r\n${body}`))?.status).toBe(204);
      expect(asked).toEqual(['bank']);
    },
  );

  it('answers 500 without a word where the metrics fail', async () => {
    const text = async () => {
      throw new Error('secret');
    };
    const { get, defects } = await start({ metrics: { text, contentType: 'text/plain' } });
    const reply = await get('/metrics');
    expect(reply?.status).toBe(500);
    expect(reply?.body).not.toContain('secret');
    expect(defects).toHaveLength(1);
  });

  it('is alive whatever it is ready for', async () => {
    const { get } = await start({ readiness: () => ({ ...READY, journal: false, draining: true }) });
    expect((await get('/healthz'))?.status).toBe(200);
  });

  it.each<[string, Partial<Readiness>, number]>([
    ['all is well', {}, 200],
    ['F47: the journal is away', { journal: false }, 503],
    ['the configuration is not valid', { config: false }, 503],
    ['F65: draining', { draining: true }, 503],
    ['standing by', { standby: true }, 503],
    ['F76: lost data', { amnesia: true }, 503],
  ])('readiness: %s', async (_what, changes, status) => {
    const checks = { ...READY, ...changes };
    const { get } = await start({ readiness: () => checks });
    const reply = await get('/readyz');
    expect(reply?.status).toBe(status);
    expect(JSON.parse(reply?.body ?? '')).toEqual({ ready: status === 200, checks });
  });

  it('answers 500 where readiness cannot be told, which no balancer takes for ready', async () => {
    const readiness = () => {
      throw new Error('x');
    };
    expect((await (await start({ readiness })).get('/readyz'))?.status).toBe(500);
  });

  it.each([
    ['/', 'GET'],
    ['/metrics/', 'GET'],
    ['/card-api/tranmgr/purchase', 'POST'],
    ['/metrics', 'POST'],
    ['/healthz', 'DELETE'],
  ])('has nothing at %s for %s', async (path, method) => {
    expect((await (await start()).get(path, method))?.status).toBe(404);
  });

  it('survives what is not HTTP, and a connection that says nothing does not keep it open', async () => {
    const { server, get } = await start();
    expect((await exchange(server.port, 'HELLO\r\n\r\n'))?.status).toBe(400);
    expect((await get('/healthz'))?.status).toBe(200);
    const silent = await Wire.open(server.port);
    await within('the end', server.close());
    open.delete(server);
    await silent.closed();
  });

  it('says so where its address is taken', async () => {
    const { server } = await start();
    await expect(start({ port: server.port })).rejects.toThrow('EADDRINUSE');
  });
});
