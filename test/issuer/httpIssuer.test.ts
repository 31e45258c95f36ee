/**
 * The connector over real sockets: what it sends, what it takes for an answer, and what each status means.
 */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { bearerCredentials } from '../../src/issuer/credentials.ts';
import { createHttpIssuer } from '../../src/issuer/httpIssuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { AMPLE_MS, codeOf, connectorTo, issuer, notSent, SHORT_MS, send, sendNext, unknown } from './connectors.ts';
import { messageOf } from './messages.ts';
import { approval, approve, type Received, response, type Script } from './scriptedIssuer.ts';

describe('the request', () => {
  it('is one POST of the message as flat JSON, with the headers of the contract', async () => {
    const server = await issuer(approve);
    const token = 'secret-token-of-the-issuer';
    const connector = connectorTo(server.baseUrl, { credentials: bearerCredentials(new Secret(token)) });
    const message = messageOf();
    const before = Date.now();
    expect(codeOf(await send(connector, message, 5000))).toBe('00');

    expect(server.requests).toHaveLength(1);
    const [{ method, path, headers, json }] = server.requests as [Received];
    expect([method, path]).toEqual(['POST', '/card-api/tranmgr/purchase']);
    expect(json).toEqual({ ...message.header, ...message.fields.reveal() });
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('accept-encoding')).toBe('identity');
    expect(headers.get('authorization')).toBe(`Bearer ${token}`);
    expect(headers.get('idempotency-key')).toBe(message.header.tranId);
    expect(Number(headers.get('timestamp'))).toBeGreaterThanOrEqual(before);
    expect(headers.get('deadline-ms')).toMatch(/^[1-9]\d*$/);
    expect(Number(headers.get('deadline-ms'))).toBeLessThanOrEqual(5000);
    expect(headers.has('repeat')).toBe(false);
    expect(inspect(connector, { depth: 20, showHidden: true })).not.toContain(token);
  });

  it('says Repeat: true on a repeat, and has no authorization without credentials', async () => {
    const server = await issuer(approve);
    await send(connectorTo(`${server.baseUrl}/`), messageOf(), AMPLE_MS, true);
    expect(server.requests[0]?.headers.get('repeat')).toBe('true');
    expect(server.requests[0]?.headers.has('authorization')).toBe(false);
    expect(server.requests[0]?.path).toBe('/card-api/tranmgr/purchase');
  });

  it('goes alone on its connection: 20 at once are on 20 connections, and the connections are used again', async () => {
    const waiting: (() => void)[] = [];
    const server = await issuer((socket, request) => waiting.push(() => approve(socket, request)));
    const connector = connectorTo(server.baseUrl);
    const sends = Array.from({ length: 20 }, () => send(connector));
    await waitFor('20 requests', () => waiting.length === 20);
    expect(server.sockets).toHaveLength(20);
    for (const answer of waiting) answer();
    expect((await Promise.all(sends)).map(codeOf)).toEqual(Array.from({ length: 20 }, () => '00'));

    server.script = approve;
    for (let i = 0; i < 5; i += 1) expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.sockets).toHaveLength(20);
  });

  it('is not sent without credentials that could not be had in time', async () => {
    const server = await issuer(approve);
    const connector = connectorTo(server.baseUrl, { credentials: { headers: async () => undefined } });
    expect(await send(connector)).toEqual(notSent('connect'));
    expect(server.sockets).toHaveLength(0);
  });

  it('refuses an address that is not HTTP', () => {
    expect(() => createHttpIssuer({ baseUrl: 'ftp://127.0.0.1/', clock: systemClock, connections: 1 })).toThrow('http');
  });
});

describe('replies that are answers', () => {
  it('F24: a full page of history with every field at its longest is an answer', async () => {
    const wide = (length: number) => '\u{1f4b3}'.repeat(length);
    const record = {
      tranId: 'T'.repeat(32),
      tranDate: '20260102',
      tranTime: '101112',
      tranType: wide(30),
      tranAmount: '99999999999999.99',
      tranCurrency: '840',
      billAmount: '99999999999999.99',
      billCurrency: '840',
      merchantName: wide(40),
      merchantCategoryCode: '5411',
      originalTranId: 'T'.repeat(32),
      authCode: wide(6),
      memo: wide(120),
    };
    const escaped = (text: string) =>
      text.replaceAll(/[\ud800-\udfff]/g, unit => `\\u${unit.charCodeAt(0).toString(16)}`);
    const server = await issuer((socket, request) => {
      const page = { recordNum: '100', recordList: Array.from({ length: 100 }, () => record) };
      socket.write(response('200 OK', escaped(approval(request, page))));
    });
    const history = messageOf('TransactionHistory', { cardToken: 'tok_1', pageSize: '100' }, null);
    expect(codeOf(await send(connectorTo(server.baseUrl), history))).toBe('00');
  });

  it('F16: a slow answer within the budget is an answer', async () => {
    const server = await issuer((socket, request) => setTimeout(() => approve(socket, request), 300));
    expect(codeOf(await send(connectorTo(server.baseUrl)))).toBe('00');
  });

  it.each<[string, Script]>([
    [
      'in chunks',
      (socket, request) => {
        const text = approval(request);
        const [a, b] = [text.slice(0, 20), text.slice(20)];
        const chunk = (part: string) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`;
        socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunk(a)}${chunk(b)}0\r\n\r\n`);
      },
    ],
    [
      'ended by closing',
      (socket, request) => {
        socket.end(`HTTP/1.1 200 OK\r\n\r\n${approval(request)}`);
      },
    ],
    [
      'after 102 and 103',
      (socket, request) => {
        socket.write('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
        approve(socket, request);
      },
    ],
  ])('%s', async (_, script) => {
    const server = await issuer(script);
    expect(codeOf(await send(connectorTo(server.baseUrl)))).toBe('00');
  });

  it('a decline may come with 400', async () => {
    const body = (request: Received) => approval(request, { responseCode: '30' });
    const server = await issuer((socket, request) => socket.write(response('400 Bad Request', body(request))));
    expect(await send(connectorTo(server.baseUrl))).toMatchObject({
      kind: 'answered',
      status: 400,
      answer: { code: '30' },
    });
  });
});

describe('F20 F27: the status', () => {
  const STATUSES = [
    201, 202, 204, 206, 300, 301, 302, 304, 307, 308, 402, 405, 408, 409, 413, 422, 429, 500, 502, 503, 504, 599,
  ];

  it.each(STATUSES)('%d says nothing, even with an approval in it', async status => {
    const server = await issuer((socket, request) => socket.end(response(`${status} Whatever`, approval(request))));
    expect(await send(connectorTo(server.baseUrl))).toEqual(unknown('httpStatus'));
    expect(server.requests).toHaveLength(1);
  });

  it.each([401, 403, 404])('%d is a refusal at the door: certainly nothing done, and an alarm', async status => {
    const server = await issuer(socket => socket.write(response(`${status} No`, '{}')));
    const connector = connectorTo(server.baseUrl);
    expect(await send(connector)).toEqual(notSent('refusedAtTheDoor'));
    expect(connector.alarms).toEqual([{ kind: 'refusedAtTheDoor', api: 'Purchase', status }]);
  });

  it.each([301, 302, 303, 307, 308])('F27: %d contacts nobody else, and raises an alarm', async status => {
    const elsewhere = await issuer(approve);
    const server = await issuer(socket =>
      socket.write(response(`${status} Moved`, '', [`location: http://127.0.0.1:${elsewhere.port}/card-api/x`])),
    );
    const connector = connectorTo(server.baseUrl);
    expect(await send(connector)).toEqual(unknown('httpStatus'));
    expect(elsewhere.sockets).toHaveLength(0);
    expect(connector.alarms).toEqual([{ kind: 'redirect', api: 'Purchase', status }]);
  });

  it('decides although its body never ends, and the connection is not used again', async () => {
    const server = await issuer(socket => socket.write('HTTP/1.1 503 No\r\ncontent-length: 100\r\n\r\nhalf'));
    const connector = connectorTo(server.baseUrl);
    expect(await send(connector, messageOf(), SHORT_MS)).toEqual(unknown('httpStatus'));
    server.script = socket => socket.write('HTTP/1.1 403 No\r\ncontent-length: 100\r\n\r\nhalf');
    expect(await sendNext(connector, messageOf(), SHORT_MS)).toEqual(notSent('refusedAtTheDoor'));
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it('an alarm that throws changes nothing', async () => {
    const server = await issuer(socket => socket.write(response('401 No', '')));
    const onAlarm = () => {
      throw new Error('no alarm today');
    };
    expect(await send(connectorTo(server.baseUrl, { onAlarm }))).toEqual(notSent('refusedAtTheDoor'));
  });
});

describe('closing', () => {
  it('waits for what is in flight, then ends the connections and sends no more', async () => {
    let answer = () => {};
    const server = await issuer((socket, request) => {
      answer = () => approve(socket, request);
    });
    const connector = connectorTo(server.baseUrl);
    const sending = send(connector);
    await waitFor('the request', () => server.requests.length === 1);
    const closing = connector.close();
    expect(await send(connector)).toEqual(notSent('connect'));
    answer();
    expect(codeOf(await sending)).toBe('00');
    await within('closing', closing);
    await waitFor('the connection to be closed', () => server.sockets[0]?.destroyed);
    expect(await send(connector)).toEqual(notSent('connect'));
    expect(server.requests).toHaveLength(1);
  });
});
