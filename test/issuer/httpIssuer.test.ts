import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Secret } from '../../src/domain/secret.ts';
import { bearerCredentials } from '../../src/issuer/credentials.ts';
import { createHttpIssuer, type HttpIssuerOptions, type IssuerAlarm } from '../../src/issuer/httpIssuer.ts';
import type { IssuerConnector } from '../../src/issuer/issuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { messageOf } from './messages.ts';
import { approval, approve, type Received, response, type Script, startIssuer } from './scriptedIssuer.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function issuer(...args: Parameters<typeof startIssuer>) {
  const started = await startIssuer(...args);
  cleanUps.push(() => started.close());
  return started;
}

type Connector = IssuerConnector & { readonly alarms: readonly IssuerAlarm[] };

function connectorTo(baseUrl: string, options: Partial<HttpIssuerOptions> = {}): Connector {
  const alarms: IssuerAlarm[] = [];
  const onAlarm = (alarm: IssuerAlarm) => alarms.push(alarm);
  const connector = createHttpIssuer({ baseUrl, clock: systemClock, connections: 20, onAlarm, ...options });
  cleanUps.push(() => connector.close());
  return Object.assign(connector, { alarms });
}

/** Long enough for anything that is meant to succeed. */
const AMPLE_MS = 20_000;
/** Short, for what is meant to run into it. */
const SHORT_MS = 250;

const send = (connector: IssuerConnector, message: Message = messageOf(), ms = AMPLE_MS, repeat = false) =>
  within('the outcome of a send', connector.send(message, { deadline: Deadline.in(systemClock, ms), repeat }));

/**
 * Sends after undici has taken its connections back, which it does a turn of the event loop after an answer: without the
 * wait a new connection would be opened, and a test could not see that an old one is used again.
 */
async function sendNext(connector: IssuerConnector, message?: Message, ms?: number): Promise<Outcome> {
  for (let i = 0; i < 5; i += 1) await new Promise(setImmediate);
  return send(connector, message, ms);
}

const unknown = (reason: string) => ({ kind: 'unknown', reason });
const notSent = (reason: string) => ({ kind: 'notSent', reason });
const codeOf = (outcome: Outcome): string => (outcome.kind === 'answered' ? outcome.answer.code : outcome.reason);

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

describe('F21 F22 F24: bodies that are no answer', () => {
  const body =
    (text: string | Uint8Array, headers: string[] = []): Script =>
    socket =>
      socket.write(response('200 OK', text, headers));

  it.each<[string, Script, string]>([
    ['empty', body(''), 'garbage'],
    [
      'half a body that ends with the connection',
      (socket, request) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${approval(request).slice(0, 40)}`),
      'garbage',
    ],
    ['text', body('OK'), 'garbage'],
    ['HTML', body('<html><body>Welcome</body></html>', ['content-type: text/html']), 'garbage'],
    ['a list', body('[]'), 'garbage'],
    ['not UTF-8', body(Buffer.from([0x7b, 0xff, 0x7d])), 'garbage'],
    [
      'gzip, which was not asked for',
      (socket, request) => socket.write(response('200 OK', gzipSync(approval(request)), ['content-encoding: gzip'])),
      'garbage',
    ],
    ['a gzip bomb', body(gzipSync(Buffer.alloc(5_000_000)), ['content-encoding: gzip']), 'garbage'],
    ['not HTTP at all', socket => socket.write('220 mail.example ESMTP\r\n'), 'garbage'],
    [
      'an unlisted code',
      (socket, request) => socket.write(response('200 OK', approval(request, { responseCode: '77' }))),
      'garbage',
    ],
    [
      'an open code',
      (socket, request) => socket.write(response('200 OK', approval(request, { responseCode: '96' }))),
      'openCode',
    ],
    [
      'a bad field',
      (socket, request) => socket.write(response('200 OK', approval(request, { availableBalance: '-1' }))),
      'badField',
    ],
    [
      'less than asked',
      (socket, request) => socket.write(response('200 OK', approval(request, { approvedAmount: '10.00' }))),
      'partialApproval',
    ],
    ['huge, with its length declared', body(Buffer.alloc(200_000, 'x')), 'tooLarge'],
    [
      'huge, in chunks',
      socket => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        for (let i = 0; i < 100; i += 1) socket.write(`1000\r\n${'x'.repeat(0x1000)}\r\n`);
      },
      'tooLarge',
    ],
    ['huge headers', socket => socket.write(`HTTP/1.1 200 OK\r\nx-filler: ${'x'.repeat(40_000)}\r\n\r\n`), 'tooLarge'],
    [
      '100 headers of 1,000 characters',
      socket => socket.write(`HTTP/1.1 200 OK\r\n${`x-filler: ${'x'.repeat(1000)}\r\n`.repeat(100)}\r\n`),
      'tooLarge',
    ],
  ])('%s', async (_, script, reason) => {
    const server = await issuer(script);
    expect(await send(connectorTo(server.baseUrl))).toEqual(unknown(reason));
    expect(server.requests).toHaveLength(1);
  });

  it('the limits are settings', async () => {
    const server = await issuer((socket, request) =>
      socket.write(response('200 OK', approval(request), [`x-filler: ${'x'.repeat(500)}`])),
    );
    expect(await send(connectorTo(server.baseUrl, { maxHeaderBytes: 400 }))).toEqual(unknown('tooLarge'));
    expect(await send(connectorTo(server.baseUrl, { maxResponseBytes: 100 }))).toEqual(unknown('tooLarge'));
    expect(codeOf(await send(connectorTo(server.baseUrl)))).toBe('00');
  });

  it.each<[string, Script]>([
    ['100 without being asked', socket => socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
    [
      '101 without being asked',
      socket => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    [
      'two lengths',
      (socket, request) => {
        const text = approval(request);
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\ncontent-length: 3\r\n\r\n${text}`);
      },
    ],
  ])('%s is unknown', async (_, script) => {
    const server = await issuer(script);
    expect((await send(connectorTo(server.baseUrl))).kind).toBe('unknown');
    expect(server.requests).toHaveLength(1);
  });
});

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

describe('F23 I20: answers that belong to something else', () => {
  const FOREIGN: [string, Record<string, unknown>][] = [
    ['another tranId', { tranId: 'T99999999' }],
    ['another participant', { participantId: '100001' }],
    ['another amount', { tranAmount: '12.51' }],
    ['another currency', { tranCurrency: '978' }],
    ['no tranId', { tranId: undefined }],
    ['more than asked', { approvedAmount: '12.51' }],
  ];
  const chunked = (text: string) =>
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

  it.each(FOREIGN)('%s: unknown, an alarm, and that connection is never used again', async (_, foreign) => {
    const server = await issuer((socket, request) => socket.write(response('200 OK', approval(request, foreign))));
    const connector = connectorTo(server.baseUrl);
    expect(await sendNext(connector)).toEqual(unknown('wrongEcho'));
    server.script = (socket, request) => socket.write(chunked(approval(request, foreign)));
    expect(await sendNext(connector)).toEqual(unknown('wrongEcho'));
    server.script = approve;
    expect(codeOf(await sendNext(connector))).toBe('00');
    expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2, 3, 3]);
    expect(connector.alarms).toEqual([
      { kind: 'wrongEcho', api: 'Purchase' },
      { kind: 'wrongEcho', api: 'Purchase' },
    ]);
  });

  it('F26: an extra response closes the connection, and is nobody’s answer', async () => {
    const server = await issuer((socket, request) => {
      socket.write(Buffer.concat([response('200 OK', approval(request)), response('200 OK', approval(request))]));
    });
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 3; i += 1) expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2, 3]);
  });

  it('F26: an extra response that waits for the next request is recognised as not its answer', async () => {
    let before: Received | undefined;
    const server = await issuer((socket, request) => {
      const late = before;
      before = request;
      socket.write(response('200 OK', approval(late ?? request)));
    });
    const connector = connectorTo(server.baseUrl);
    expect(codeOf(await sendNext(connector))).toBe('00');
    expect(await sendNext(connector)).toEqual(unknown('wrongEcho'));
    before = undefined;
    expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
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
