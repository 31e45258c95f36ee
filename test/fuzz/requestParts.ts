/**
 * The parts that requests are put together from, right ones, wrong ones, and those that a server may take either way. In
 * each list the first is what a good request has.
 */
import { API_PATHS } from '../support/apiPaths.ts';
import { headerFields } from '../support/client.ts';
import { PARTICIPANT } from '../support/gatewayConfig.ts';

/** What may come of a request with it: `good` must be served, `bad` must leave no trace, `either` may do both. */
export type Verdict = 'good' | 'either' | 'bad';
/** `unfinished`: the server still waits for bytes that never come. */
export type Part = { readonly text: string; readonly verdict: Verdict; readonly unfinished?: true };
/** A way to say where the body ends: a line of the head, and what then stands for the body. */
export type Framed = Part & { readonly body: string };

const good = (text: string): Part => ({ text, verdict: 'good' });
const either = (text: string): Part => ({ text, verdict: 'either' });
const bad = (text: string): Part => ({ text, verdict: 'bad' });

const PATH = `/card-api${API_PATHS.Purchase}`;
const TIMES_TOO_LONG = 20_000;
const long = (character: string, length = TIMES_TOO_LONG): string => character.repeat(length);

export const METHODS: readonly Part[] = [
  good('POST'),
  ...['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'CONNECT', 'QUERY', 'PRI'].map(bad),
  ...['post', 'POST\0', 'PO ST', '', ' POST', 'POST\t', '\r\n\r\nGET', `X${long('A', 900)}`, long('A')].map(bad),
];
export const TARGETS: readonly Part[] = [
  good(PATH),
  ...[`${PATH}?a=b`, `${PATH}?`, `/card-api/x/..${API_PATHS.Purchase}`, `/card-api/./${API_PATHS.Purchase}`].map(
    either,
  ),
  ...[PATH.replace('p', '%70'), `/.${PATH}`, `/x/%2e%2e${PATH}`].map(either),
  ...['*', '', `http://a${PATH}`, `https://a${PATH}`, 'a:443', `//a${PATH}`, `${PATH}#a`, `${PATH}/`, `${PATH}%00`].map(
    bad,
  ),
  ...[`${PATH}\0`, `${PATH}\x7f`, `${PATH}%`, `/card-api${long('/a', 9000)}`, '/', '/card-api', '/oauth2/token'].map(
    bad,
  ),
  ...['/.well-known/oauth-authorization-server', '/oauth2/jwks', '/openapi.json', '/docs', '/metrics', '/admin'].map(
    bad,
  ),
];
export const VERSIONS: readonly Part[] = [
  good('HTTP/1.1'),
  either('HTTP/1.0'),
  ...['HTTP/0.9', 'HTTP/2.0', 'HTTP/3', 'HTTP/1.1 ', 'http/1.1', 'HTTP/1.1x', 'HTTP/11', '', 'HTTP/1.1\0'].map(bad),
];

/** Lines of a head beside those that every request needs; each ends with CR LF where it should. */
export const LINES: readonly Part[] = [
  good(''),
  ...['Connection: keep-alive\r\n', 'Accept: */*\r\n', 'Expect: 100-continue\r\n', 'X-A: b\r\n', 'X-A:b \t \r\n'].map(
    good,
  ),
  ...['Upgrade: websocket\r\nConnection: Upgrade\r\n', 'Upgrade: h2c\r\n', 'X-A: \x80\xff\r\n', 'TE: trailers\r\n'].map(
    either,
  ),
  ...['X-Forwarded-For: 10.0.0.1, 127.0.0.1\r\n', 'Cookie: a=b\r\n', 'Range: bytes=0-1\r\n', 'X-A:\r\n'].map(either),
  ...['X-HTTP-Method-Override: GET\r\n', 'Keep-Alive: timeout=-1\r\n', 'Trailer: X-A\r\n', 'Origin: null\r\n'].map(
    either,
  ),
  ...[
    'X-A: 1\r\n 2\r\n',
    ' X-A: 1\r\n',
    'X-A: 1\nX-B: 2\r\n',
    'X-A: 1\rX-B: 2\r\n',
    'X-A: a\0b\r\n',
    'X-A : 1\r\n',
  ].map(bad),
  ...[': a\r\n', 'X A: a\r\n', 'X-A\r\n', 'Host: b\r\n', 'timestamp: 1\r\n', 'Idempotency-Key: other\r\n'].map(bad),
  ...['Content-Type: application/json\r\n'.repeat(2), 'Authorization: Bearer x\r\n', 'Content-Encoding: gzip\r\n'].map(
    bad,
  ),
  ...[
    'Expect: 200-ok\r\n',
    `X-A: ${long('b')}\r\n`,
    `${long('X')}: b\r\n`,
    'X-A: b\r\n'.repeat(100),
    '\x01: b\r\n',
  ].map(bad),
];

const chunked = (body: string, size: number, extension = ''): string => {
  const chunks: string[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.slice(at, at + size);
    chunks.push(`${piece.length.toString(16)}${extension}\r\n${piece}\r\n`);
  }
  return `${chunks.join('')}0\r\n\r\n`;
};

const TE = 'Transfer-Encoding: chunked\r\n';
const CL = (length: number | string): string => `Content-Length: ${length}\r\n`;
const frame = (part: Part, body: string): Framed => ({ ...part, body });
const unfinished = (text: string, body: string): Framed => ({ ...bad(text), body, unfinished: true });

/** Ways to say where a body ends, right ones first. `hidden`: a whole good request, for a server that can be confused. */
export const framings = (body: string, hidden: string): readonly Framed[] => {
  const { length } = body;
  const inHex = length.toString(16);
  const whole = chunked(body, length);
  return [
    frame(good(CL(length)), body),
    frame(good(TE), whole),
    frame(good(TE), chunked(body, 7)),
    frame(either(TE), chunked(body, 50, ';a="b";c')),
    frame(either(TE), whole.replace(/\r\n\r\n$/, '\r\nX-A: b\r\n\r\n')),
    frame(either(CL(`00${length}`)), body),
    frame(either(`Transfer-Encoding: CHUNKED\r\n`), whole),
    // Whoever counts by the one length meets a request in what is body by the other.
    frame(bad(CL(length + 4) + TE), `0\r\n\r\n${hidden}`),
    frame(bad(TE + CL(5)), `0\r\n\r\n${hidden}`),
    frame(bad(CL(0) + CL(hidden.length)), hidden),
    frame(bad(CL(length) + CL(length)), body),
    ...['+5', '-1', '0x5', '5, 5', '5 5', '', '99999999999999999999', '1e2', '5\0'].map(odd =>
      frame(bad(CL(odd)), body),
    ),
    ...['gzip', 'chunked, identity', 'xchunked', 'chunked;q=1', '\x0bchunked', '"chunked"', ''].map(odd =>
      frame(bad(`Transfer-Encoding: ${odd}\r\n`), `0\r\n\r\n${hidden}`),
    ),
    frame(bad(`Transfer-Encoding : chunked\r\n${CL(length)}`), body),
    frame(bad(`Transfer-Encoding:\n chunked\r\n${CL(length)}`), body),
    ...[
      'zz',
      '-2',
      `0x${inHex}`,
      `${inHex} `,
      '',
      long('F', 17),
      `${inHex};\n`,
      `${inHex}\n`,
      `${inHex};${long('a')}`,
    ].map(odd => frame(bad(TE), `${odd}\r\n${body}\r\n0\r\n\r\n${hidden}`)),
    frame(bad(TE), `${inHex}\r\n${body}X\r\n0\r\n\r\n${hidden}`),
    frame(bad(TE), `${inHex}\r\n${body}0\r\n\r\n${hidden}`),
    frame(bad(TE), `${inHex}\n${body}\n0\n\n${hidden}`),
    unfinished(CL(length + 1), body),
    unfinished(TE, `${inHex}\r\n${body}\r\n`),
    unfinished(CL(70_000), body),
    frame(bad(CL(length - 2)), body),
    frame(bad(CL(70_000)), long(' ', 70_000 - length) + body),
    frame(bad(TE), chunked(long(' ', 70_000) + body, 9000)),
    frame(bad(TE), chunked(long(' ', 1_500_000) + body, 60_000)),
    frame(bad(''), ''),
  ];
};

const fieldsOf = (tranId: string): Record<string, unknown> => ({
  ...headerFields(PARTICIPANT, tranId),
  cardToken: 'fuzz-card',
  tranAmount: '0.01',
  tranCurrency: '840',
});

/** Fields that a Purchase may be without. */
const OPTIONAL = ['tranCode', 'tellerNo', 'terminalNo'];
const ODD_FIELDS: readonly Record<string, unknown>[] = [
  { participantId: '200000' },
  { tranId: `RV${long('A', 30)}` },
  { tranAmount: 0.01 },
  { tranAmount: '-0.01' },
  { tranAmount: '1e3' },
  { tranCurrency: '000' },
  { tranDate: '20200101' },
  { unknown: 'x' },
];

/** A Purchase of 0.01, and bodies that are none. */
export const bodies = (tranId: string): readonly Part[] => {
  const fields = fieldsOf(tranId);
  const text = JSON.stringify(fields);
  const required = Object.keys(fields).filter(name => !OPTIONAL.includes(name));
  const without = required.map(name => ({ [name]: undefined }));
  return [
    good(text),
    ...['', ' ', '{', '[]', 'null', '"x"', `${text}x`, `\ufeff${text}`, `[${text}]`, text.slice(0, -1)].map(bad),
    ...['{"tranId":"other",', '{"__proto__":{},', '{"a":{},'].map(more => bad(text.replace('{', more))),
    ...[long('[', 5000), text.replace('0.01', '0.01\\u0000'), text.replace('0.01', '0.01\0')].map(bad),
    ...[...without, ...ODD_FIELDS].map(other => bad(JSON.stringify({ ...fields, ...other }))),
  ];
};

export const authorizations = (token: string): readonly Part[] => [
  good(`Authorization: Bearer ${token}\r\n`),
  ...['', 'Authorization: \r\n', 'Authorization: Basic dTpw\r\n', 'Authorization: Bearer\r\n'].map(bad),
  ...[`Authorization: Bearer ${token}x\r\n`, `Authorization: Bearer ${token} ${token}\r\n`].map(bad),
];
export const timestamps = (): readonly Part[] => [
  good(`timestamp: ${Date.now()}\r\n`),
  ...['', 'timestamp: \r\n', 'timestamp: -1\r\n', 'timestamp: 1\r\n', `timestamp: ${long('9', 16)}\r\n`].map(bad),
];
export const MEDIA: readonly Part[] = [
  ...['Content-Type: application/json\r\n', '', 'Content-Type: application/json; charset=utf-8\r\n'].map(good),
  ...['Content-Type: text/plain\r\n', 'Content-Type: application/jose\r\n', 'Content-Type: \r\n'].map(bad),
];
