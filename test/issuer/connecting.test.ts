/**
 * Failures before the first byte: refused, unresolvable, TLS that fails or hangs. Each must be `notSent`, in time, and
 * nothing may be sent later on a connection that comes up after all.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { createHttpIssuer, type HttpIssuerOptions, type IssuerAlarm } from '../../src/issuer/httpIssuer.ts';
import type { IssuerConnector } from '../../src/issuer/issuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { freePort } from '../support/places.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { selfSigned } from './certificate.ts';
import { messageOf } from './messages.ts';
import { approve, startIssuer } from './scriptedIssuer.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function issuer(...args: Parameters<typeof startIssuer>) {
  const started = await startIssuer(...args);
  cleanUps.push(() => started.close());
  return started;
}

function connectorTo(baseUrl: string, options: Partial<HttpIssuerOptions> = {}) {
  const alarms: IssuerAlarm[] = [];
  const onAlarm = (alarm: IssuerAlarm) => alarms.push(alarm);
  const connector = createHttpIssuer({ baseUrl, clock: systemClock, connections: 20, onAlarm, ...options });
  cleanUps.push(() => connector.close());
  return Object.assign(connector, { alarms });
}

const send = (connector: IssuerConnector, ms = 20_000) =>
  within('the outcome', connector.send(messageOf(), { deadline: Deadline.in(systemClock, ms), repeat: false }));

const CONNECT = { kind: 'notSent', reason: 'connect' };
const APPROVED = { kind: 'answered', status: 200, answer: { code: '00' } };
const SHORT_MS = 250;

/** A TCP proxy that lets connections be made and passes nothing on until it is told to. */
async function gate(port: number) {
  let isOpen = false;
  const waiting: (() => void)[] = [];
  const ends: Socket[] = [];
  const server = createServer(near => {
    ends.push(near.on('error', () => {}).pause());
    const pass = () => {
      const far = connect(port, '127.0.0.1').on('error', () => {});
      ends.push(far);
      near.pipe(far).pipe(near);
    };
    if (isOpen) pass();
    else waiting.push(pass);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(async () => {
    for (const end of ends) end.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => ends.length,
    open: () => {
      isOpen = true;
      for (const pass of waiting.splice(0)) pass();
    },
  };
}

describe('F13: no connection, and so certainly nothing sent', () => {
  it('refused', async () => {
    const connector = connectorTo(`http://127.0.0.1:${await freePort()}/card-api`);
    expect(await send(connector)).toEqual(CONNECT);
    expect(connector.alarms).toEqual([{ kind: 'connect', code: 'ECONNREFUSED' }]);
  });

  it('no such host', async () => {
    const connector = connectorTo('http://issuer.invalid/card-api');
    expect(await send(connector)).toEqual(CONNECT);
    expect(connector.alarms[0]).toMatchObject({
      kind: 'connect',
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
  });

  it('an issuer without TLS behind an https address', async () => {
    const server = await issuer(approve, {
      onConnection: socket => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    });
    expect(await send(connectorTo(`https://127.0.0.1:${server.port}/card-api`))).toEqual(CONNECT);
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    ['is not trusted', selfSigned('127.0.0.1'), false, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['has run out', selfSigned('127.0.0.1', -1), true, 'CERT_HAS_EXPIRED'],
    ['is another host’s', selfSigned('issuer.example'), true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('a certificate that %s', async (_, own, trusted, code) => {
    const server = await issuer(approve, { tls: own });
    const connector = connectorTo(server.baseUrl, trusted ? { tls: { ca: own.cert } } : {});
    expect(await send(connector)).toEqual(CONNECT);
    expect(await send(connector)).toEqual(CONNECT);
    expect(server.requests).toHaveLength(0);
    expect(connector.alarms[0]).toEqual({ kind: 'connect', code });
  });

  it('a certificate that is trusted connects, and shows ours', async () => {
    const own = selfSigned('127.0.0.1');
    const ours = selfSigned('gateway.example');
    const server = await issuer(approve, { tls: { ...own, requestCert: true, ca: ours.cert } });
    const key = new Secret(ours.key);
    expect(await send(connectorTo(server.baseUrl, { tls: { ca: own.cert, cert: ours.cert, key } }))).toMatchObject(
      APPROVED,
    );
    expect(server.sockets[0]).toMatchObject({ authorized: true });
  });

  it('refused now, it connects as soon as the issuer is back', async () => {
    const server = await issuer(approve);
    const { port } = server;
    await server.close();
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 30; i += 1) expect(await send(connector)).toEqual(CONNECT);
    const back = createServer(socket => socket.end('HTTP/1.1 503 Not yet\r\n\r\n').on('error', () => {}));
    back.listen(port, '127.0.0.1');
    await once(back, 'listening');
    expect(await send(connector)).toEqual({ kind: 'unknown', reason: 'httpStatus' });
    back.close();
  });
});

describe('F14 I9 I11: connecting that hangs', () => {
  it('is given up at our deadline, and the request is not sent when the connection is made after all', async () => {
    const own = selfSigned('127.0.0.1');
    const server = await issuer(approve, { tls: own });
    const slow = await gate(server.port);
    const connector = connectorTo(`https://127.0.0.1:${slow.port}/card-api`, {
      tls: { ca: own.cert },
      connectTimeoutMs: 30_000,
    });
    const before = performance.now();
    expect(await send(connector, SHORT_MS)).toEqual(CONNECT);
    expect(performance.now() - before).toBeGreaterThan(SHORT_MS - 5);
    expect(connector.alarms).toEqual([{ kind: 'connect', code: 'DEADLINE' }]);

    slow.open();
    await waitFor('the handshake', () => server.sockets.length === 1);
    expect(await send(connector)).toMatchObject(APPROVED);
    // The connection that came too late is used by the one that came in time, and by it alone.
    expect(server.requests).toHaveLength(1);
    expect(server.sockets).toHaveLength(1);
  });

  it('I10 I19: hung connections take up their slots and no more; what finds none free is not sent', async () => {
    const hanging = await gate(1);
    const connector = connectorTo(`https://127.0.0.1:${hanging.port}/card-api`, {
      connections: 2,
      connectTimeoutMs: 400,
    });
    expect(await Promise.all([send(connector, SHORT_MS), send(connector, SHORT_MS)])).toEqual([CONNECT, CONNECT]);
    expect(await send(connector)).toEqual(CONNECT);
    expect(connector.alarms.at(-1)).toEqual({ kind: 'connect', code: 'NO_CONNECTION_FREE' });
    expect(hanging.accepted()).toBe(2);
    await waitFor('a slot to be free again', async () => {
      await send(connector, SHORT_MS);
      return hanging.accepted() > 2;
    });
  });

  it('I11: a deadline that has passed opens no connection', async () => {
    const server = await issuer(approve);
    expect(await send(connectorTo(server.baseUrl), 0)).toEqual({ kind: 'notSent', reason: 'noBudget' });
    expect(server.sockets).toHaveLength(0);
  });

  it('F67 I11: a process that stands still past the deadline sends nothing afterwards', async () => {
    const server = await issuer(approve);
    const connector = connectorTo(server.baseUrl);
    const sending = send(connector, 30);
    await Promise.resolve();
    const end = performance.now() + 100;
    while (performance.now() < end);
    expect((await sending).kind).toBe('notSent');
    expect(await send(connector)).toMatchObject(APPROVED);
    expect(server.requests).toHaveLength(1);
  });
});

describe('F15: accepted, then reset', () => {
  it('before anything was read, says notSent only where nothing had been written', async () => {
    const server = await issuer(approve, { onConnection: socket => socket.resetAndDestroy() });
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 30; i += 1) {
      const outcome = await send(connector);
      expect([CONNECT, { kind: 'unknown', reason: 'reset' }]).toContainEqual(outcome);
    }
    expect(server.requests).toHaveLength(0);
  });

  it('after the first byte of the request, says unknown', async () => {
    const server = await issuer(approve, {
      onConnection: socket => socket.once('data', () => socket.resetAndDestroy()),
    });
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 30; i += 1) expect(await send(connector)).toEqual({ kind: 'unknown', reason: 'reset' });
  });
});
