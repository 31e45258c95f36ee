/**
 * TLS on the public port of a real gateway: who is let in, and certificates that are exchanged while it runs.
 */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { SecureVersion } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authority, type Pair } from '../issuer/certificate.ts';
import { rawRequest } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { tempDir } from '../support/places.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { purchaseOverTls, type Shown as TlsShown } from '../support/tlsCall.ts';
import { waitFor } from '../support/waitFor.ts';
import { metric, Rig } from './rig.ts';

const YEAR = { untilDays: 365 };
const ca = authority(YEAR);
const callers = authority(YEAR);
const strangers = authority(YEAR);
const first = ca.issue('127.0.0.1', YEAR);
const second = ca.issue('127.0.0.1', { untilDays: 10 });
const caller = callers.issue('caller', YEAR);
const stranger = strangers.issue('stranger', YEAR);

const dir = tempDir('tls');
const files = { cert: join(dir, 'tls.pem'), key: join(dir, 'tls.key'), ca: join(dir, 'callers.pem') };
const use = ({ cert, key }: Pair): void => {
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
};

const rig = new Rig();
let issuer: ScriptedIssuer;
let gateway: Gateway;
let open: Gateway;

beforeAll(async () => {
  use(first);
  writeFileSync(files.ca, callers.cert);
  issuer = await rig.issuer();
  const tls = { certFile: files.cert, keyFile: files.key };
  gateway = await rig.gateway(issuer, { server: { tls: { ...tls, clientCaFile: files.ca } } });
  open = await rig.gateway(issuer, { server: { tls } });
});
afterAll(() => rig.end());

type Shown = Omit<TlsShown, 'ca'>;
const callOver = (to: Gateway, shown: Shown = {}) => purchaseOverTls(to, { ca: ca.cert, ...shown });

const serialOf = async (to: Gateway, shown: Shown = {}): Promise<string> =>
  (await callOver(to, shown)).certificate.serialNumber;

const reloaded = async (to: Gateway, event: 'reloaded' | 'reloadRefused' = 'reloaded'): Promise<void> => {
  const count = () => to.logLines().filter(line => line.event === event).length;
  const before = count();
  to.sighup();
  await waitFor(event, () => count() > before);
};

describe('mutual TLS', () => {
  it.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('lets a caller of the authority in, over %s', async maxVersion => {
    const { status, text } = await callOver(gateway, { ...caller, maxVersion });
    expect([status, JSON.parse(text).responseCode]).toEqual([200, '00']);
  });

  it.each<[string, Shown]>([
    ['without a certificate', {}],
    ['of another authority', stranger],
    ['over TLS 1.1', { ...caller, maxVersion: 'TLSv1.1' }],
  ])('keeps a caller out %s, before a word is said', async (_, shown) => {
    const seen = issuer.requests.length;
    await expect(callOver(gateway, shown)).rejects.toThrow();
    expect(issuer.requests).toHaveLength(seen);
  });

  it('does not answer what is no TLS, and goes on', async () => {
    const answer = await rawRequest(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { until: 'close' });
    expect([answer.status, answer.text]).toEqual([0, '']);
    expect((await callOver(gateway, caller)).status).toBe(200);
  });

  it('counts none of them as a request: nobody was there yet who could have asked anything', async () => {
    expect(await metric(gateway, 'gateway_refusals_total')).toBeUndefined();
  });

  it('F65: ends though a connection has not finished its handshake', async test => {
    const own = new Rig(test);
    const short = await own.gateway(issuer, { server: { tls: { certFile: files.cert, keyFile: files.key } } });
    const silent = connect({ port: short.port, host: '127.0.0.1' });
    silent.on('error', () => undefined);
    await waitFor('the connection', () => silent.readyState === 'open');
    // Less than a handshake may take.
    expect(await short.sigterm(4000)).toBe(0);
  });
});

describe('certificates that are exchanged', () => {
  it('F77: on SIGHUP, for new connections, without a call lost', async () => {
    const before = await serialOf(open);
    let running = true;
    const ends: string[] = [];
    const work = async () => {
      while (running) ends.push(await callOver(open).then(({ status }) => String(status), String));
    };
    const load = Promise.all([work(), work()]);
    use(second);
    await reloaded(open);
    expect(await serialOf(open)).not.toBe(before);
    running = false;
    await load;
    expect(new Set(ends)).toEqual(new Set(['200']));
  });

  it('tells that one ends soon, in the log and in numbers', async () => {
    const line = await waitFor('the warning', () => open.logLines().find(({ event }) => event === 'expiry'));
    expect(line).toMatchObject({ path: 'server.tls.certFile', count: 9 });
    const left = await metric(open, 'gateway_expiry_seconds', { what: String(line.what) });
    expect(left).toBeGreaterThan(8 * 86_400);
    expect(left).toBeLessThan(10 * 86_400);
  });

  it('F77: an authority that was taken away lets nobody in any more', async () => {
    expect((await callOver(gateway, caller)).status).toBe(200);
    writeFileSync(files.ca, strangers.cert);
    await reloaded(gateway);
    await expect(callOver(gateway, caller)).rejects.toThrow();
    expect((await callOver(gateway, stranger)).status).toBe(200);
  });

  it('a pair that is none is refused as a whole, and the present one stays', async () => {
    const before = await serialOf(open);
    writeFileSync(files.key, first.key);
    await reloaded(open, 'reloadRefused');
    expect(await serialOf(open)).toBe(before);
  });
});
