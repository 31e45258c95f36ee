/**
 * Standby on the admin port over real sockets: which addresses are taken, and what an operator is told.
 */
import { afterEach, expect, it } from 'vitest';
import { type AdminServer, startAdmin } from '../../src/http/admin.ts';
import type { AdminStandby } from '../../src/http/adminStandby.ts';
import type { Standby } from '../../src/journal/journal.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { exchange } from './wire.ts';

let server: AdminServer | undefined;
afterEach(() => server?.close());

/** A site that can be asked; `isUp` false: its journal is away. */
const start = async (isUp = true) => {
  const set: (string | null)[] = [];
  let said: Standby | null = null;
  const standby: AdminStandby = {
    set: async location => {
      if (!isUp) return false;
      set.push(location);
      said = { location, sinceMs: 1_700_000_000_000 };
      return true;
    },
    said: () => said,
    basePath: '/card-api',
  };
  server = await startAdmin({
    ...{ host: '127.0.0.1', port: 0, clock: systemClock, standby, onDefect: error => expect.fail(String(error)) },
    metrics: { text: async () => '', contentType: 'text/plain' },
    readiness: () => ({ config: true, journal: true, draining: false, standby: false, amnesia: false }),
    revocations: {
      revoke: async () => 'done',
      lift: async () => 'done',
      list: async () => ({ revoked: [], lifted: [] }),
      digestOf: jti => jti,
    },
  });
  const { port } = server;
  const ask = async (method: string, body = '', headers = 'Content-Type: application/json\r\n') => {
    const head = `${method} /admin/standby HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: ${body.length}\r\n\r\n`;
    const reply = await exchange(port, head + body);
    const { error, ...rest } = reply?.body ? JSON.parse(reply.body) : {};
    return { status: reply?.status, error: String(error ?? ''), rest };
  };
  return { set, ask, say: (location: unknown, headers?: string) => ask('POST', JSON.stringify({ location }), headers) };
};

it('puts the site on standby, shows it, and takes it back to work', async () => {
  const { set, ask, say } = await start();
  expect((await ask('GET')).rest).toEqual({ standby: false });
  expect((await say('https://other.example')).status).toBe(204);
  expect((await ask('GET')).rest).toEqual({
    standby: true,
    location: 'https://other.example',
    since: '2023-11-14T22:13:20.000Z',
  });
  expect((await ask('DELETE')).status).toBe(204);
  expect((await ask('GET')).rest).toEqual({ standby: false, since: '2023-11-14T22:13:20.000Z' });
  expect(set).toEqual(['https://other.example', null]);
});

it.each([
  ['https://other.example', 'https://other.example'],
  ['https://other.example/', 'https://other.example'],
  ['https://OTHER.example:443', 'https://other.example'],
  ['https://other.example:8443', 'https://other.example:8443'],
  ['https://other.example:8443/card-api', 'https://other.example:8443'],
  ['https://other.example/card-api/', 'https://other.example'],
  ['https://192.0.2.7:8443', 'https://192.0.2.7:8443'],
  ['https://[2001:db8::7]', 'https://[2001:db8::7]'],
  ['http://127.0.0.1:8081', 'http://127.0.0.1:8081'],
])('takes %s for the site %s', async (location, site) => {
  const { set, say } = await start();
  expect((await say(location)).status).toBe(204);
  expect(set).toEqual([site]);
});

it.each<[unknown, string]>([
  ['other.example', 'not an address'],
  ['', 'not an address'],
  ['ftp://other.example', 'not https'],
  ['javascript:alert(1)', 'not https'],
  ['http://other.example', 'plain http'],
  ['https://user@other.example', 'user name or a password'],
  ['https://user:secret@other.example', 'user name or a password'],
  ['https://other.example?x=1', 'query or a fragment'],
  ['https://other.example/#x', 'query or a fragment'],
  ['https://other.example/other-api', 'a path other than /card-api'],
  ['https://other.example/card-api/tranmgr/purchase', 'a path other than /card-api'],
  [`https://${'a'.repeat(300)}.example`, 'at most 300 characters'],
  [7, 'must be a text'],
  [null, 'must be a text'],
  [undefined, 'must be a text'],
])('refuses %j: %s', async (location, rule) => {
  const { set, say } = await start();
  const { status, error } = await say(location);
  expect([status, error]).toEqual([400, expect.stringContaining(rule)]);
  expect(error).not.toContain('secret');
  expect(set).toEqual([]);
});

it('takes nothing but a JSON object with that one member, and nothing from a web page', async () => {
  const { set, ask, say } = await start();
  const site = 'https://other.example';
  expect((await ask('POST', JSON.stringify({ location: site, force: true }))).error).toContain('other than location');
  for (const body of ['', 'x', '[]', '"x"', 'null']) expect((await ask('POST', body)).status).toBe(400);
  expect((await say(site, 'Content-Type: text/plain\r\n')).status).toBe(400);
  expect((await ask('POST', JSON.stringify({ location: 'x'.repeat(5000) }))).error).toContain('4096 bytes');
  for (const header of ['Origin: http://127.0.0.1:9090', 'Sec-Fetch-Site: same-origin']) {
    const headers = `Content-Type: application/json\r\n${header}\r\n`;
    expect((await say(site, headers)).status).toBe(403);
    expect((await ask('DELETE', '', headers)).status).toBe(403);
    expect((await ask('GET', '', headers)).status).toBe(403);
  }
  expect(set).toEqual([]);
});

it('says so where the journal is away', async () => {
  const { ask, say } = await start(false);
  for (const { status, error } of [await say('https://other.example'), await ask('DELETE')]) {
    expect([status, error]).toEqual([503, expect.stringContaining('journal is away')]);
  }
});
