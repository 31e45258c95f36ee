/**
 * Mutual TLS towards real TLS servers, in both versions, with certificates of private authorities made for the run; and
 * an issuer that asks for a token as well.
 */
import tls, { type SecureVersion } from 'node:tls';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import type { IssuerTls } from '../../src/issuer/connections.ts';
import { createHttpIssuer, type IssuerAlarm } from '../../src/issuer/httpIssuer.ts';
import { oauthCredentials } from '../../src/issuer/oauthCredentials.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { authority, type Pair } from './certificate.ts';
import { signingKey } from './keys.ts';
import { messageOf } from './messages.ts';
import { approve, response, startIssuer } from './scriptedIssuer.ts';
import { givesTokens, startTokenServer } from './tokenServer.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const theirCa = authority();
const ourCa = authority();
const theirs = theirCa.issue('127.0.0.1');
const ours = ourCa.issue('gateway.example');

const shown = ({ cert, key }: Pair): IssuerTls => ({ cert, key: new Secret(key) });
const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

/** An issuer that asks for a certificate of our authority, with this one of its own. */
async function askingIssuer(version: SecureVersion, pair: Pair = theirs) {
  const tls = { ...pair, ca: ourCa.cert, requestCert: true, minVersion: version, maxVersion: version };
  const issuer = await startIssuer(approve, { tls });
  cleanUps.push(() => issuer.close());
  return issuer;
}

function connectorTo(baseUrl: string, tls: IssuerTls, credentials?: ReturnType<typeof oauthCredentials>) {
  const alarms: IssuerAlarm[] = [];
  const onAlarm = (alarm: IssuerAlarm) => alarms.push(alarm);
  const own = { baseUrl, tls, clock: systemClock, connections: 4, onAlarm };
  const connector = createHttpIssuer(credentials ? { ...own, credentials } : own);
  cleanUps.push(() => connector.close());
  const send = () =>
    within('the outcome', connector.send(messageOf(), { deadline: Deadline.in(systemClock, 20_000), repeat: false }));
  return { alarms, send };
}

const NOT_SENT = { kind: 'notSent', reason: 'connect' };
const APPROVED = { kind: 'answered', status: 200, answer: { code: '00' } };

describe.each(VERSIONS)('mutual TLS over %s', version => {
  it('shows our certificate to the issuer whose authority is pinned, and is let in', async () => {
    const issuer = await askingIssuer(version);
    const { send } = connectorTo(issuer.baseUrl, { ...shown(ours), ca: theirCa.cert });
    expect(await send()).toMatchObject(APPROVED);
    expect(issuer.sockets[0]).toMatchObject({ authorized: true });
  });

  it.each([
    ['another authority than the pinned one', theirs, authority().cert],
    ['the system’s authorities only', theirs, undefined],
    ['an expired certificate', theirCa.issue('127.0.0.1', { untilDays: -1 }), theirCa.cert],
    ['one that is not valid yet', theirCa.issue('127.0.0.1', { fromDays: 1, untilDays: 2 }), theirCa.cert],
    ['one of another host', theirCa.issue('other.example'), theirCa.cert],
  ])('F13: an issuer with %s gets nothing', async (_, pair, ca) => {
    const issuer = await askingIssuer(version, pair);
    const { send } = connectorTo(issuer.baseUrl, ca === undefined ? shown(ours) : { ...shown(ours), ca });
    expect(await send()).toEqual(NOT_SENT);
    expect(issuer.requests).toHaveLength(0);
  });

  it('F13: without a certificate of ours nothing is sent, and the alarm names the reason', async () => {
    const issuer = await askingIssuer(version);
    const { send, alarms } = connectorTo(issuer.baseUrl, { ca: theirCa.cert });
    for (let i = 0; i < 10; i += 1) expect(await send()).toEqual(NOT_SENT);
    expect(issuer.requests).toHaveLength(0);
    expect(alarms[0]).toMatchObject({
      kind: 'connect',
      code: expect.stringMatching(/^ERR_SSL_\S+_ALERT_(HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED)$/),
    });
  });

  it('I5: a server that hangs up on a certificate that it does not know leaves a doubt, never a wrong no', async () => {
    const issuer = await askingIssuer(version);
    const { send } = connectorTo(issuer.baseUrl, { ...shown(authority().issue('gateway.example')), ca: theirCa.cert });
    expect([NOT_SENT, { kind: 'unknown', reason: 'reset' }]).toContainEqual(await send());
    expect(issuer.requests).toHaveLength(0);
  });
});

describe('an issuer behind OAuth and mutual TLS', () => {
  it('gets its token and its messages over the same TLS settings; a refused token is replaced', async () => {
    const tls = { ...theirs, ca: ourCa.cert, requestCert: true };
    const endpoint = await startTokenServer(givesTokens(3600), tls);
    cleanUps.push(() => endpoint.close());
    const issuer = await askingIssuer('TLSv1.3');
    const pinned = { ...shown(ours), ca: theirCa.cert };
    let forwardMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + forwardMs };
    const own = { tokenEndpoint: endpoint.url, issuer: 'https://bank.example', clientId: 'us', tls: pinned };
    const credentials = oauthCredentials({ ...own, signingKey: await signingKey(), clock, random: systemRandom });
    const { send } = connectorTo(issuer.baseUrl, pinned, credentials);

    for (const [index, status] of ['401 Unauthorized', '403 Forbidden'].entries()) {
      issuer.script = approve;
      expect(await send()).toMatchObject(APPROVED);
      expect(issuer.requests.at(-1)?.headers.get('authorization')).toBe(`Bearer token-${index + 1}`);
      issuer.script = socket => socket.write(response(status, '{}'));
      forwardMs += 6000;
      expect(await send()).toEqual({ kind: 'notSent', reason: 'refusedAtTheDoor' });
      expect(endpoint.requests).toHaveLength(index + 1);
    }
  });

  it('F13: without a token nothing is sent, and no connection is made', async () => {
    const endpoint = await startTokenServer(response => response.writeHead(500).end());
    cleanUps.push(() => endpoint.close());
    const issuer = await askingIssuer('TLSv1.3');
    const own = { tokenEndpoint: endpoint.url, issuer: 'https://bank.example', clientId: 'us' };
    const credentials = oauthCredentials({
      ...own,
      signingKey: await signingKey(),
      clock: systemClock,
      random: systemRandom,
    });
    const { send, alarms } = connectorTo(issuer.baseUrl, { ...shown(ours), ca: theirCa.cert }, credentials);
    expect(await send()).toEqual(NOT_SENT);
    expect(alarms).toEqual([{ kind: 'connect', code: 'CREDENTIALS' }]);
    expect(issuer.sockets).toHaveLength(0);
  });

  it('closing the connector ends a token request that hangs', async () => {
    const endpoint = await startTokenServer(() => {});
    cleanUps.push(() => endpoint.close());
    const own = { tokenEndpoint: endpoint.url, issuer: 'https://bank.example', clientId: 'us' };
    const credentials = oauthCredentials({
      ...own,
      signingKey: await signingKey(),
      clock: { ...systemClock, after: (ms, run) => (ms < 1000 ? systemClock.after(ms, run) : () => {}) },
      random: systemRandom,
    });
    const connector = createHttpIssuer({
      baseUrl: 'http://127.0.0.1:1',
      clock: systemClock,
      connections: 1,
      credentials,
    });
    const sending = connector.send(messageOf(), { deadline: Deadline.in(systemClock, 100), repeat: false });
    await waitFor('the token request', () => endpoint.requests.length === 1);
    await connector.close();
    expect(await sending).toEqual(NOT_SENT);
    await waitFor('its connection to be closed', () => endpoint.sockets.every(socket => socket.destroyed));
  });
});

describe('an issuer of TLS 1.1', () => {
  it('gets nothing, whatever the process was started with', async () => {
    const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
    onTestFinished(() => {
      Object.assign(tls, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS });
    });
    // As `node --tls-min-v1.0 --tls-cipher-list=...` does it; the old versions need the lowest level of security.
    Object.assign(tls, { DEFAULT_MIN_VERSION: 'TLSv1', DEFAULT_CIPHERS: 'DEFAULT@SECLEVEL=0' });
    const issuer = await startIssuer(approve, { tls: { ...theirs, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } });
    cleanUps.push(() => issuer.close());
    const { send } = connectorTo(issuer.baseUrl, { ca: theirCa.cert });
    expect(await send()).toEqual(NOT_SENT);
    expect(issuer.requests).toHaveLength(0);
  });
});
