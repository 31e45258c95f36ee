/**
 * The connector over real sockets once the request has left: issuers that hang, cut, drip or answer late, and connections
 * that are kept or must not be.
 */
import { describe, expect, it } from 'vitest';
import { waitFor } from '../support/waitFor.ts';
import { codeOf, connectorTo, issuer, SHORT_MS, send, sendNext, unknown } from './connectors.ts';
import { messageOf } from './messages.ts';
import { approval, approve, response, type Script } from './scriptedIssuer.ts';

describe('F17 F18 F19 F25: after the request has left', () => {
  it.each<[string, Script, string]>([
    ['reads it and hangs', () => {}, 'timeout'],
    ['sends headers and hangs', socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"a'), 'timeout'],
    [
      'drips its answer',
      (socket, request) => {
        const bytes = response('200 OK', approval(request));
        let at = 0;
        const drip = setInterval(() => {
          if (socket.destroyed || at >= bytes.length) clearInterval(drip);
          else socket.write(bytes.subarray(at, ++at));
        }, 20);
      },
      'timeout',
    ],
    [
      'keeps saying that it is busy',
      socket => {
        const busy = setInterval(() => {
          if (socket.destroyed) clearInterval(busy);
          else socket.write('HTTP/1.1 102 Processing\r\n\r\n');
        }, 10);
      },
      'timeout',
    ],
  ])('%s: unknown at the deadline, and the connection is closed', async (_, script, reason) => {
    const server = await issuer(script);
    const connector = connectorTo(server.baseUrl);
    const before = performance.now();
    expect(await send(connector, messageOf(), SHORT_MS)).toEqual(unknown(reason));
    expect(performance.now() - before).toBeGreaterThan(SHORT_MS - 5);
    await waitFor('the connection to be closed', () => server.sockets[0]?.destroyed);
    server.script = approve;
    expect(codeOf(await send(connector))).toBe('00');
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it.each<[string, Script]>([
    ['resets', socket => socket.resetAndDestroy()],
    ['closes', socket => socket.end()],
    [
      'resets in the middle of the answer',
      socket => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a', () => socket.resetAndDestroy());
      },
    ],
    [
      'closes before the declared length',
      (socket, request) => {
        const text = approval(request);
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length + 1}\r\n\r\n${text}`);
      },
    ],
    [
      'closes before the declared length, as announced',
      (socket, request) => {
        const text = approval(request);
        socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${text.length + 1}\r\n\r\n${text}`);
      },
    ],
    [
      'closes before the last chunk',
      (socket, request) => {
        const text = approval(request);
        socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n`);
      },
    ],
  ])('%s: unknown, sent once', async (_, script) => {
    const server = await issuer(script);
    const connector = connectorTo(server.baseUrl);
    expect(await send(connector)).toEqual(unknown('reset'));
    server.script = approve;
    expect(codeOf(await send(connector))).toBe('00');
    expect(server.requests).toHaveLength(2);
  });

  it('F25: a late answer reaches nobody, least of all the next request', async () => {
    let answerLate = () => {};
    const server = await issuer((socket, request) => {
      answerLate = () => approve(socket, request);
    });
    const connector = connectorTo(server.baseUrl);
    expect(await send(connector, messageOf(), SHORT_MS)).toEqual(unknown('timeout'));
    answerLate();
    server.script = approve;
    expect(codeOf(await sendNext(connector))).toBe('00');
  });

  it('giving one up leaves the others alone', async () => {
    const server = await issuer((socket, request) => {
      if (request.json.tranAmount === '1.00') return;
      setTimeout(() => approve(socket, request), 2 * SHORT_MS);
    });
    const connector = connectorTo(server.baseUrl);
    const hanging = messageOf('Purchase', { cardToken: 'tok_1', tranAmount: '1.00', tranCurrency: '840' }, 100n);
    const [given, kept] = await Promise.all([send(connector, hanging, SHORT_MS), send(connector)]);
    expect([given, codeOf(kept)]).toEqual([unknown('timeout'), '00']);
  });
});

describe('F28 F33: connections that are kept', () => {
  it('one that the issuer has closed meanwhile is replaced, without a second send', async () => {
    const server = await issuer(approve);
    const connector = connectorTo(server.baseUrl);
    expect(codeOf(await sendNext(connector))).toBe('00');
    server.sockets[0]?.end();
    await waitFor('the connection to be closed', () => server.sockets[0]?.destroyed);
    expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.requests).toHaveLength(2);
    expect(server.sockets).toHaveLength(2);
  });

  it('one that is closed as we send is unknown: the request is not tried again on another', async () => {
    const server = await issuer(approve);
    const connector = connectorTo(server.baseUrl);
    expect(codeOf(await sendNext(connector))).toBe('00');
    server.script = socket => socket.resetAndDestroy();
    expect(await sendNext(connector)).toEqual(unknown('reset'));
    expect(server.requests).toHaveLength(2);
  });

  it('the issuer’s word that it closes is believed', async () => {
    const server = await issuer((socket, request) =>
      socket.write(response('200 OK', approval(request), ['connection: close'])),
    );
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 3; i += 1) expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.sockets).toHaveLength(3);
  });

  it('a keep-alive of less than our margin is not relied on', async () => {
    const server = await issuer((socket, request) =>
      socket.write(response('200 OK', approval(request), ['keep-alive: timeout=1'])),
    );
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 2; i += 1) expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.sockets).toHaveLength(2);
  });

  it('F33: after all of them broke nothing is sent twice, and sends succeed again', async () => {
    const server = await issuer((socket, request) => setTimeout(() => approve(socket, request), 20));
    const connector = connectorTo(server.baseUrl);
    const tenAtOnce = () => Promise.all(Array.from({ length: 10 }, () => send(connector)));
    await tenAtOnce();
    for (const socket of server.sockets) socket.resetAndDestroy();
    // The reset may be noticed before a send, or only because of it.
    const first = await tenAtOnce();
    for (const outcome of first) expect(['00', 'connect', 'reset']).toContain(codeOf(outcome));
    expect((await tenAtOnce()).map(codeOf)).toEqual(Array.from({ length: 10 }, () => '00'));
    expect(server.requests).toHaveLength(20 + first.filter(({ kind }) => kind === 'answered').length);
  });
});
