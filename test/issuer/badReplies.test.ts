/**
 * The connector over real sockets against issuers whose replies are no answer, or another transaction's.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { codeOf, connectorTo, issuer, send, sendNext, unknown } from './connectors.ts';
import { approval, approve, type Received, response, type Script } from './scriptedIssuer.ts';

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
    ['huge, with its length declared', body(Buffer.alloc(2_000_000, 'x')), 'tooLarge'],
    [
      'huge, in chunks',
      socket => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        for (let i = 0; i < 300; i += 1) socket.write(`1000\r\n${'x'.repeat(0x1000)}\r\n`);
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
