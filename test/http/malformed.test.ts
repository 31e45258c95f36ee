/**
 * Raw bytes that are not quite HTTP: every one is answered in our envelope, or its socket is closed.
 */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { TOKEN } from '../edge/clients.ts';
import { waitFor } from '../support/waitFor.ts';
import { NOW, PATH, type Stage, startStage, textOf } from './stage.ts';
import { exchange, type Reply, Wire } from './wire.ts';

const HEAD = `POST ${PATH} HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer ${TOKEN}\r\ntimestamp: ${NOW}\r\n`;

/** Every 400 has the envelope and our headers, whoever found out. */
const expectEnvelope = (reply: Reply | undefined, status = 400): void => {
  expect(reply?.status).toBe(status);
  expect(reply?.headers.get('content-type')).toBe('application/json');
  expect(reply?.headers.get('cache-control')).toBe('no-store');
  expect(reply?.headers.get('timestamp')).toMatch(/^[0-9]{13}$/);
  expect(reply?.headers.get('x-request-id')).toMatch(/^[\w-]{22}$/);
  expect(reply?.headers.has('date')).toBe(true);
  const body: unknown = JSON.parse(reply?.body ?? '');
  expect(body).toMatchObject({ responseCode: '30', responseDesc: 'format error', errors: [{}] });
};

const fieldsOf = (reply: Reply | undefined): unknown =>
  (JSON.parse(reply?.body ?? '') as { errors: { field: string }[] }).errors.map(error => error.field);

const expectNoEffect = (stage: Stage): void => {
  expect(stage.effects).toHaveLength(0);
  expect(stage.defects).toEqual([]);
};

/** Turns of the event loop, in which what was sent is taken in. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
};

describe('S110-S114: what is not HTTP', () => {
  it.each([
    [
      'S110: Content-Length and Transfer-Encoding',
      `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['S110: the other way round', `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ['S111: two Content-Length, equal', `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['S111: two Content-Length, not equal', `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ['S111: a list of lengths', `${HEAD}Content-Length: 2, 2\r\n\r\n{}`],
    ['S111: +2', `${HEAD}Content-Length: +2\r\n\r\n{}`],
    ['S111: -1', `${HEAD}Content-Length: -1\r\n\r\n{}`],
    ['S111: a length past all numbers', `${HEAD}Content-Length: 99999999999999999999\r\n\r\n{}`],
    ['S111: a length in hexadecimal', `${HEAD}Content-Length: 0x2\r\n\r\n{}`],
    ['S112: an unknown Transfer-Encoding', `${HEAD}Transfer-Encoding: gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ['S112: chunked, then something else', `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    [
      'S112: Transfer-Encoding twice',
      `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
    ['S113: a space before the colon', `${HEAD}X-A : 1\r\nContent-Length: 2\r\n\r\n{}`],
    ['S113: a folded header', `${HEAD}X-A: 1\r\n 2\r\n\tContent-Length: 3\r\nContent-Length: 2\r\n\r\n{}`],
    ['S113: a bare line feed', `${HEAD}X-A: 1\nX-B: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['S113: a bare carriage return', `${HEAD}X-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\n{}`],
    ['S113: a bad chunk length', `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['S113: a chunk longer than it says', `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n0\r\n\r\n`],
    ['S113: a negative chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n`],
    ['S114: NUL in a header', `${HEAD}X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}`],
    ['S114: a header without a name', `${HEAD}: a\r\nContent-Length: 2\r\n\r\n{}`],
    ['S114: a blank in a name', `${HEAD}X A: a\r\nContent-Length: 2\r\n\r\n{}`],
    ['a line that is no request', 'HELLO\r\n\r\n'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['HTTP/3.0', `POST ${PATH} HTTP/3.0\r\nHost: a\r\n\r\n`],
    ['HTTP/0.9 with a head', `${HEAD.replace('1.1', '0.9')}Content-Length: 2\r\n\r\n{}`],
    ['HTTP/2.0 in the form of HTTP/1', `${HEAD.replace('1.1', '2.0')}Content-Length: 2\r\n\r\n{}`],
    ['S112: HTTP/1.0 in chunks', `${HEAD.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ['S122: an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s is 400 in the envelope, and the connection ends', async (_what, text) => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(text);
    const reply = await wire.next();
    expectEnvelope(reply);
    expect(reply.headers.get('connection')).toBe('close');
    await wire.closed();
    expectNoEffect(stage);
    expect(stage.records.map(({ status, outcome, refusal }) => [status, outcome, refusal])).toEqual([
      [400, 'refused', 'http'],
    ]);
  });

  it('S112: a doubled chunked is refused, or means chunked once; never a second request', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(`${HEAD}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
    expect([200, 400]).toContain((await wire.next()).status);
    expect(stage.records).toHaveLength(1);
    wire.end();
  });

  it('S115: chunk extensions are accepted', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, `${HEAD}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n`);
    expect(reply?.status).toBe(200);
    expect(Buffer.concat(stage.effects).toString()).toBe('{}');
  });

  it('survives any bytes, and serves the next call', async () => {
    const stage = await startStage({ limits: { headersTimeoutMs: 200, requestTimeoutMs: 200 } });
    const good = textOf();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array).toString('latin1')),
      // A good call with one piece replaced.
      fc
        .tuple(fc.nat(good.length), fc.nat(20), fc.string({ unit: 'binary-ascii', maxLength: 10 }))
        .map(([at, length, piece]) => good.slice(0, at) + piece + good.slice(at + length)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async text => {
        const reply = await exchange(stage.port, text);
        if (reply && reply.status !== 100) expect(reply.headers.get('x-request-id')).toMatch(/^[\w-]{22}$/);
      }),
      { numRuns: 60 },
    );
    expect(stage.defects).toEqual([]);
    expect((await exchange(stage.port, good))?.status).toBe(200);
  });

  it('never gives an answer to what follows as the answer to a request that is being served', async () => {
    let release = () => {};
    const gate = new Promise<void>(resolve => {
      release = resolve;
    });
    const stage = await startStage({ after: () => gate });
    const wire = await Wire.open(stage.port);
    // In one write, so that the parser meets the garbage while the request is being served.
    wire.send(`${textOf()}GARBAGE\r\n\r\n`);
    await waitFor('the effect', () => stage.effects.length === 1);
    wire.send('MORE\r\n\r\n');
    release();
    const reply = await wire.next();
    expect(reply.status).toBe(200);
    expect(reply.headers.get('connection')).toBe('close');
    await wire.closed();
    expect(wire.received).toBe('');
  });
});

describe('S117: the host and the target', () => {
  it.each([
    ['no host', { Host: undefined }],
    ['an empty host', { Host: '' }],
    ['a blank', { Host: 'a b' }],
    ['two hosts', { Host: ['gateway.example', 'gateway.example'] }],
    ['a list', { Host: 'a, b' }],
    ['a user', { Host: 'user@gateway.example' }],
    ['a path', { Host: 'gateway.example/x' }],
    ['a backslash', { Host: 'gateway.example\\x' }],
    ['a port that is none', { Host: 'gateway.example:http' }],
    ['an open bracket', { Host: '[::1' }],
    ['bytes outside ASCII', { Host: 'gateway\xe9.example' }],
  ])('%s is 400', async (_what, headers) => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ headers }));
    expectEnvelope(reply);
    expect(fieldsOf(reply)).toEqual(['host']);
    expectNoEffect(stage);
  });

  it.each([
    'gateway.example',
    'GATEWAY.example:80',
    '127.0.0.1:8080',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]',
    'a_b-c~d',
    '256.1.2.3.4',
    'xn--x',
    'a:',
  ])('the host %s is fine', async Host => {
    const stage = await startStage();
    expect((await exchange(stage.port, textOf({ headers: { Host } })))?.status).toBe(200);
  });

  it.each([
    ['absolute-form', `http://gateway.example${PATH}`],
    ['absolute-form with https', `https://gateway.example${PATH}`],
    ['asterisk-form', '*'],
    ['authority-form', 'gateway.example:443'],
    ['a fragment', `${PATH}#x`],
    ['a backslash', '/card-api\\tranmgr/purchase'],
    ['a quote', `${PATH}?"`],
    ['a brace', `${PATH}?{}`],
    ['a broken escape', '/card-api/tranmgr/purch%4'],
    ['a broken escape in the middle', '/card-api/%zztranmgr'],
    ['bytes outside ASCII', '/card-api/tranmgr/purchas\xe9'],
  ])('the target in %s is 400', async (_what, target) => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ target }));
    expectEnvelope(reply);
    expectNoEffect(stage);
  });
});

describe('S104, S105: headers of a message', () => {
  it.each([
    ['no content type', undefined],
    ['application/json', 'application/json'],
    ['UTF-8', 'application/json; charset=utf-8'],
    ['UTF-8 in capitals, no blank', 'Application/JSON;charset=UTF-8'],
    ['UTF-8 in quotes', 'application/json; charset="utf-8"'],
  ])('S104: %s is fine', async (_what, type) => {
    const stage = await startStage();
    expect((await exchange(stage.port, textOf({ headers: { 'Content-Type': type } })))?.status).toBe(200);
  });

  it.each([
    ['text/html', 'text/html'],
    ['text/plain', 'text/plain'],
    ['multipart', 'multipart/form-data; boundary=x'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['ISO 8859-1', 'application/json; charset=iso-8859-1'],
    ['UTF-16', 'application/json; charset=utf-16'],
    ['another parameter', 'application/json; a=b'],
    ['two charsets', 'application/json; charset=utf-8; charset=utf-16'],
    ['a longer type', 'application/json-patch+json'],
    ['a list', 'application/json, text/html'],
    ['nothing', ''],
    ['the header twice', ['application/json', 'application/json']],
  ])('S104: the content type %s is 400', async (_what, type) => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ headers: { 'Content-Type': type } }));
    expectEnvelope(reply);
    expect(fieldsOf(reply)).toEqual(['content-type']);
    expectNoEffect(stage);
  });

  it.each(['gzip', 'br', 'deflate', 'identity, gzip', ''])('S104: content-encoding "%s" is 400', async encoding => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ headers: { 'Content-Encoding': encoding } }));
    expectEnvelope(reply);
    expect(fieldsOf(reply)).toEqual(['content-encoding']);
    expectNoEffect(stage);
  });

  it('S104: content-encoding identity is fine', async () => {
    const stage = await startStage();
    expect((await exchange(stage.port, textOf({ headers: { 'Content-Encoding': 'identity' } })))?.status).toBe(200);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['16 characters', '1'.repeat(16)],
    ['a sign', '+1795233592'],
    ['decimals', '1795233592.5'],
    ['letters', '17952335x2'],
    ['sent twice', [NOW, NOW]],
    ['sent twice, once empty', [NOW, '']],
  ])('S105: a timestamp that is %s is 400', async (_what, timestamp) => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ headers: { timestamp } }));
    expectEnvelope(reply);
    expect(fieldsOf(reply)).toEqual(['timestamp']);
    expectNoEffect(stage);
  });

  it('checks in the order syntax, route, header form, token, message', async () => {
    const wrong = { Host: '', Authorization: 'Basic x', timestamp: 'x', 'Content-Type': 'text/html' };
    const stage = await startStage();
    const statusOf = async (headers: Record<string, string>, target = PATH) =>
      (await exchange(stage.port, textOf({ target, headers })))?.status;
    expect(await statusOf(wrong, '/nowhere')).toBe(400);
    expect(await statusOf({ ...wrong, Host: 'a' }, '/nowhere')).toBe(404);
    expect(await statusOf({ ...wrong, Host: 'a' })).toBe(401);
    expect(await statusOf({ ...wrong, Host: 'a', Authorization: 'Bearer x' })).toBe(403);
    expect(await statusOf({ ...wrong, Host: 'a', Authorization: `Bearer ${TOKEN}` })).toBe(400);
  });
});

describe('S121, F84: too much', () => {
  it('S121: headers above 16 kB are 400, not 431', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ headers: { 'X-Big': 'a'.repeat(20_000) } }));
    expectEnvelope(reply);
    expectNoEffect(stage);
  });

  it('S121: 64 headers are fine, 65 are 400, and none is dropped in silence', async () => {
    const stage = await startStage();
    const withHeaders = (count: number) =>
      textOf({ headers: { 'X-Filler': Array.from({ length: count - 5 }, () => 'x') } });
    expect((await exchange(stage.port, withHeaders(64)))?.status).toBe(200);
    for (const count of [65, 66, 200]) {
      const reply = await exchange(stage.port, withHeaders(count));
      expectEnvelope(reply);
      // Past 65 some versions of Node refuse by themselves.
      if (count === 65) expect(fieldsOf(reply)).toEqual(['headers']);
    }
    expect(stage.effects).toHaveLength(1);
  });

  it('S121: an expectation other than 100-continue is 400, not 417', async () => {
    const stage = await startStage();
    const reply = await exchange(stage.port, textOf({ headers: { Expect: 'the-unexpected' } }));
    expectEnvelope(reply);
    expect(fieldsOf(reply)).toEqual(['expect']);
    // Whether the body comes is anybody's guess.
    expect(reply?.headers.get('connection')).toBe('close');
    expectNoEffect(stage);
  });

  it.each([
    ['h2c', { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' }],
    ['websocket', { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'x' }],
  ])('S122: an upgrade to %s is ignored', async (_what, headers) => {
    const stage = await startStage();
    expect((await exchange(stage.port, textOf({ headers })))?.status).toBe(200);
  });

  const MOST = 64 * 1024;
  const chunked = (bytes: number, chunk = 1000): string => {
    const chunks: string[] = [];
    for (let left = bytes; left > 0; left -= chunk) {
      const size = Math.min(left, chunk);
      chunks.push(`${size.toString(16)}\r\n${'a'.repeat(size)}\r\n`);
    }
    return `${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;
  };

  const WANTED = [
    ['at once', {}],
    ['when most of it has come', { before: turns }],
  ] as const;

  it.each(WANTED)('F84: a body of 64 KiB is read, in one piece or in chunks, wanted %s', async (_when, options) => {
    const stage = await startStage(options);
    expect((await exchange(stage.port, textOf({ body: 'a'.repeat(MOST) })))?.status).toBe(200);
    expect((await exchange(stage.port, chunked(MOST)))?.status).toBe(200);
    expect((await exchange(stage.port, chunked(500, 100)))?.status).toBe(200);
    expect((await exchange(stage.port, chunked(0)))?.status).toBe(200);
    expect(stage.effects.map(body => body.byteLength)).toEqual([MOST, MOST, 500, 0]);
  });

  it.each(WANTED)('F84: a body of one byte more is refused, wanted %s', async (_when, options) => {
    const stage = await startStage(options);
    expectEnvelope(await exchange(stage.port, chunked(MOST + 1)));
    expectEnvelope(await exchange(stage.port, chunked(MOST + 1, MOST)));
    expectNoEffect(stage);
  });

  it.each([
    ['one byte more', textOf({ body: 'a'.repeat(MOST + 1) })],
    ['one byte more in chunks', chunked(MOST + 1)],
    ['a megabyte in chunks', chunked(1_000_000)],
    ['a megabyte', textOf({ body: 'a'.repeat(1_000_000) })],
  ])('F84: %s is 400, not 413, and the answer arrives whole', async (_what, text) => {
    const stage = await startStage();
    const reply = await exchange(stage.port, text);
    expectEnvelope(reply);
    expect(fieldsOf(reply)).toEqual(['body']);
    expectNoEffect(stage);
  });

  it('F84: a body said to be too large is refused without waiting for it', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(`${HEAD}Content-Length: 999999999\r\n\r\n`);
    expectEnvelope(await wire.next());
    await wire.closed();
  });

  it('F84: what is refused unread costs no more than a bounded rest, however long it goes on', async () => {
    // No time runs out here: the bytes alone end it.
    const stage = await startStage({ clock: { ...systemClock, after: () => () => undefined } });
    const wire = await Wire.open(stage.port);
    wire.send(`POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const flood = setInterval(() => wire.send(`fa00\r\n${'a'.repeat(64_000)}\r\n`), 1);
    try {
      expect((await wire.next()).status).toBe(404);
      await wire.closed();
    } finally {
      clearInterval(flood);
    }
  });
});
