/**
 * The token endpoint and the admin port of a real gateway against requests from right and wrong parts. Only documented
 * statuses come back, one for each request; no token is given, nothing is revoked and the site keeps working unless the
 * request is a good one; and a good one afterwards is served. `npm run fuzz` sends 100,000.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fuzzRuns } from '../edge/mutations.ts';
import { Rig, UNHURRIED } from '../journey/rig.ts';
import { get, post } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { grantForm, Party, rootOf, tokenOf } from '../support/oauth.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { exchangeRaw, type HttpAnswer } from './rawConnection.ts';

const RUNS = fuzzRuns(480);
const AT_A_TIME = 24;
const TEST = { timeout: 60_000 + RUNS * 40 } as const;

const rig = new Rig();
const bank = new Party('bank');
const stranger = new Party('bank');
let issuer: ScriptedIssuer;
let gateway: Gateway;
/** Signed with a key that is not registered: whatever else is right, there is no token for it. */
let assertion = '';

beforeAll(async () => {
  issuer = await rig.issuer();
  gateway = await rig.gateway(issuer, { ...UNHURRIED, change: config => config.clients.push(bank.config()) });
  assertion = await stranger.assertion(rootOf(gateway));
});
afterAll(() => rig.end());

/** A request with a body of its own length, as the last of its connection, unless its parts say otherwise. */
type Request = {
  readonly method: string;
  readonly target: string;
  readonly type: string | undefined;
  readonly lines: readonly string[];
  readonly body: string;
  /** Beside what the body has. */
  readonly lengthOff: number;
  readonly cuts: readonly number[];
};

const LINES = [
  ...['X-A: b', 'Expect: 100-continue', 'Expect: x', 'Origin: http://evil.example', 'Sec-Fetch-Site: none', 'Host: b'],
  ...['Transfer-Encoding: chunked', 'Content-Length: 3', 'Content-Encoding: gzip', 'Upgrade: websocket', 'X-A: \0'],
  ...['DPoP: x', 'Authorization: Basic dTpw', 'X-Forwarded-For: 10.0.0.1', 'X-HTTP-Method-Override: DELETE', ' folded'],
  ...[`X-A: ${'b'.repeat(20_000)}`, Array.from({ length: 90 }, (_, at) => `X-${at}: b`).join('\r\n')],
];
const lines = fc.oneof(
  { weight: 4, arbitrary: fc.constant<string[]>([]) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 2 }) },
);
const TYPES = [undefined, 'application/json', 'application/json; charset=utf-8', 'application/x-www-form-urlencoded'];
const types = fc.constantFrom(
  ...TYPES,
  'application/x-www-form-urlencoded; charset=x',
  'text/plain',
  'application/jose',
);
const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT'] as const;
const requestsOf = (targets: fc.Arbitrary<string>, bodies: fc.Arbitrary<string>): fc.Arbitrary<Request> =>
  fc.record({
    method: fc.constantFrom(...METHODS, 'POST', 'POST', 'POST'),
    target: targets,
    type: types,
    lines,
    body: bodies,
    lengthOff: fc.constantFrom(0, 0, 0, 0, 1, -1, 100_000),
    cuts: fc.array(fc.nat(600), { maxLength: 3 }),
  });

async function send(port: number, request: Request): Promise<readonly HttpAnswer[]> {
  const { method, target, type, lines: more, body, lengthOff, cuts } = request;
  const length = Math.max(0, Buffer.byteLength(body, 'latin1') + lengthOff);
  const head = [
    `${method} ${target} HTTP/1.1`,
    'Host: a',
    'Connection: close',
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...more,
    `Content-Length: ${length}`,
  ];
  const text = `${head.join('\r\n')}\r\n\r\n${body}`;
  // A body that never comes whole is waited for in vain: the sender goes.
  const end = lengthOff > 0 || more.length > 0 ? 'halfClose' : 'stay';
  const { answers } = await exchangeRaw(port, text, { cuts, end }, [method === 'HEAD']);
  return answers;
}

/** Sends many, some at a time, and hands each answer on. */
const sendAll = (
  port: () => number,
  requests: fc.Arbitrary<Request>,
  look: (answer: HttpAnswer, request: Request) => void,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: AT_A_TIME, maxLength: AT_A_TIME }), async all => {
      const answered = await Promise.all(all.map(request => send(port(), request)));
      for (const [index, answers] of answered.entries()) {
        expect(answers.length).toBeLessThanOrEqual(1);
        for (const answer of answers) look(answer, all[index] as Request);
      }
    }),
    { numRuns: Math.max(1, Math.round(RUNS / AT_A_TIME / 2)), endOnFailure: true },
  );

describe('F85: the token endpoint, whatever comes', () => {
  const name = fc.constantFrom(
    'grant_type',
    'client_assertion_type',
    'client_assertion',
    'scope',
    'client_id',
    'a',
    '',
  );
  const forms = (): fc.Arbitrary<string> => {
    const good = new URLSearchParams(grantForm(assertion)).toString();
    return fc.oneof(
      fc.constant(good),
      fc.tuple(name, fc.string({ maxLength: 12 })).map(([key, value]) => `${good}&${key}=${encodeURIComponent(value)}`),
      fc.tuple(fc.nat(good.length), fc.nat(30)).map(([at, cut]) => good.slice(0, at) + good.slice(at + cut)),
      fc.string({ unit: fc.constantFrom('a', '=', '&', '%', '+', '\xff', '\0'), maxLength: 40 }),
      fc.constantFrom('', `${good}&a=${'b'.repeat(20_000)}`, '&'.repeat(5000), 'a=b&'.repeat(100)),
    );
  };
  const targets = fc.constantFrom(
    '/oauth2/token',
    '/oauth2/token',
    '/oauth2/token?a=b',
    '/oauth2/token/',
    '/oauth2/jwks',
  );

  it('F85: gives no token, and answers 400, 401 or 404', TEST, async () => {
    await sendAll(
      () => gateway.port,
      requestsOf(targets, forms()),
      ({ status, body, headers }, { method, target }) => {
        const isJwks = target === '/oauth2/jwks' && method === 'GET';
        expect(isJwks ? [200, 400] : [400, 401, 404]).toContain(status);
        expect(body).not.toContain('access_token');
        expect(headers.get('x-request-id')).toMatch(/^[\w-]{22}$/);
      },
    );
    expect((await tokenOf(gateway, bank)).length).toBeGreaterThan(0);
  });
});

describe('F66: the admin port, whatever comes', () => {
  const target = fc.constantFrom(
    ...['/admin/revocations', '/admin/standby', '/admin/revocations', '/admin/standby', '/admin/revocations/client/x'],
    ...[
      '/healthz',
      '/readyz',
      '/metrics',
      '/',
      '/admin',
      '/admin/revocations/',
      '/admin/revocations/client/%zz',
      '//',
      '*',
    ],
    ...[
      '/admin/revocations/client/..%2f',
      'http://a/admin/standby',
      `/${'a'.repeat(9000)}`,
      '/admin/standby?location=x',
    ],
  );
  const odd = fc.constantFrom(
    '',
    'x',
    'client',
    'jti',
    'bank',
    'now',
    '2026-02-30T00:00:00Z',
    'https://a:b@c',
    'http://x',
    0,
  );
  const members = fc.dictionary(
    fc.constantFrom('kind', 'id', 'issuedBefore', 'location', '__proto__', 'x'),
    fc.oneof(odd, fc.jsonValue({ maxDepth: 1 })),
    { maxKeys: 4 },
  );
  const bodies = fc.oneof(
    // Whatever else is in it, a member too many makes it no order.
    members.map(object => JSON.stringify({ ...object, tooMuch: 1 })),
    fc.constantFrom('', '{', '[]', 'null', `{"location":"https://${'a'.repeat(5000)}"}`, '{"kind":"client"}', '\0'),
    fc.string({ unit: 'binary-ascii', maxLength: 30 }),
  );
  /** Node's own are among them: 408, 417 and 431. */
  const STATUSES = [200, 204, 400, 403, 404, 408, 409, 417, 431];

  const orders = async () => {
    const [revoked, standby] = await Promise.all(
      ['revocations', 'standby'].map(what => get(`${gateway.adminUrl}/admin/${what}`)),
    );
    return [revoked?.text, standby?.body.standby];
  };

  it('F66: takes no order that is none, and answers as documented', TEST, async () => {
    const before = await orders();
    await sendAll(
      () => gateway.adminPort,
      requestsOf(target, bodies),
      ({ status }, { method }) => {
        // To take back a standby that is none changes nothing.
        if (status === 204) expect(method).toBe('DELETE');
        expect(STATUSES).toContain(status);
      },
    );
    expect(await orders()).toEqual(before);
  });

  it('F66: takes good orders afterwards, and the process is well', TEST, async () => {
    const order = (path: string, body: object) =>
      post(`${gateway.adminUrl}/admin/${path}`, JSON.stringify(body), {
        headers: { 'content-type': 'application/json' },
      });
    expect((await order('revocations', { kind: 'jti', id: 'after-the-fuzz' })).status).toBe(204);
    expect((await order('standby', { location: 'https://other.example' })).status).toBe(204);
    expect(JSON.stringify(await orders())).toContain('after-the-fuzz');
    expect((await get(`${gateway.adminUrl}/readyz`)).status).toBe(503);
    expect(gateway.alive()).toBe(true);
    expect(gateway.logLines().filter(({ event }) => event === 'defect')).toEqual([]);
    expect([gateway.stderr(), issuer.requests]).toEqual(['', []]);
  });
});
