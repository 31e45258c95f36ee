/**
 * One token request as the issuer's token endpoint sees it, and everything that a hostile one may answer.
 */
import { inspect } from 'node:util';
import { exportJWK, importJWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { createTokenEndpoint } from '../../src/edge/tokenEndpoint.ts';
import { createTokenVerifier } from '../../src/edge/tokenVerifier.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { clientOf, ecPair, keySet, memoryOnce, NOTHING_REVOKED, signingKeyOf } from '../edge/oauthKit.ts';
import { authority } from './certificate.ts';
import { publicHalf } from './keys.ts';
import { givesTokens, json, type TokenScript } from './tokenServer.ts';
import { headersFrom, ISSUER, stage, tokenFrom } from './tokenStage.ts';

const { key, server, credentialsAt } = stage();

describe('a token request', () => {
  it('is one POST of client credentials with an assertion that says who we are to this issuer, once', async () => {
    const endpoint = await server(givesTokens(3600));
    const { credentials } = credentialsAt(endpoint.url, { scope: 'Purchase Reversal' });
    expect(await tokenFrom(credentials)).toBe('token-1');

    const [request] = endpoint.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/oauth2/token' });
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(request?.headers.authorization).toBeUndefined();
    const { client_assertion: assertion, ...form } = Object.fromEntries(request?.form ?? []);
    expect(form).toEqual({
      grant_type: 'client_credentials',
      client_id: 'our-gateway',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      scope: 'Purchase Reversal',
    });
    const publicKey = await importJWK(await exportJWK(key().publicKey), 'ES256');
    const { payload, protectedHeader } = await jwtVerify(assertion ?? '', publicKey, { algorithms: ['ES256'] });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: key().kid });
    expect(payload).toMatchObject({ iss: 'our-gateway', sub: 'our-gateway', aud: ISSUER });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    expect(Math.abs((payload.iat ?? 0) - Date.now() / 1000)).toBeLessThan(30);
    expect(payload.jti).toMatch(/^[\w-]{22}$/);
  });

  it('asks for no scope where none is configured', async () => {
    const endpoint = await server(givesTokens(3600));
    await tokenFrom(credentialsAt(endpoint.url).credentials);
    expect(endpoint.requests[0]?.form.has('scope')).toBe(false);
  });

  it('never uses a jti twice, on a further try neither', async () => {
    const endpoint = await server(response => json(response, 503, {}));
    const { credentials } = credentialsAt(endpoint.url);
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(endpoint.requests).toHaveLength(3);
    expect(new Set(endpoint.requests.map(({ claims }) => claims.jti)).size).toBe(3);
  });
});

const TOKEN = { access_token: 'a-token', token_type: 'Bearer', expires_in: 3600 };
const raw =
  (status: number, body: string | Uint8Array, headers = {}): TokenScript =>
  response =>
    response.writeHead(status, headers).end(body);

/** What the endpoint does, how that is called, and how often it is asked. */
const HOSTILE: readonly (readonly [title: string, script: TokenScript, code: string, requests: number])[] = [
  ['garbage', raw(200, 'garbage'), 'NO_TOKEN', 3],
  ['an empty body', raw(200, ''), 'NO_TOKEN', 3],
  ['a list', raw(200, '[]'), 'NO_TOKEN', 3],
  ['bytes that are not UTF-8', raw(200, Buffer.from([0x7b, 0xff, 0x7d])), 'NO_TOKEN', 3],
  ['two tokens', raw(200, '{"access_token":"a","access_token":"b","token_type":"Bearer"}'), 'NO_TOKEN', 3],
  ['a token that is a number', raw(200, JSON.stringify({ ...TOKEN, access_token: 5 })), 'NO_TOKEN', 3],
  ['an empty token', raw(200, JSON.stringify({ ...TOKEN, access_token: '' })), 'NO_TOKEN', 3],
  ['a token with a line end', raw(200, JSON.stringify({ ...TOKEN, access_token: 'a\r\nb: c' })), 'NO_TOKEN', 3],
  [
    'a token of 4,097 characters',
    raw(200, JSON.stringify({ ...TOKEN, access_token: 'a'.repeat(4097) })),
    'NO_TOKEN',
    3,
  ],
  ['another kind of token', raw(200, JSON.stringify({ ...TOKEN, token_type: 'DPoP' })), 'TOKEN_TYPE', 1],
  ['no kind of token', raw(200, JSON.stringify({ access_token: 'a-token' })), 'TOKEN_TYPE', 1],
  ['a negative life', raw(200, JSON.stringify({ ...TOKEN, expires_in: -1 })), 'EXPIRES_IN', 3],
  ['no life', raw(200, JSON.stringify({ ...TOKEN, expires_in: 0 })), 'EXPIRES_IN', 3],
  ['a life that is text', raw(200, JSON.stringify({ ...TOKEN, expires_in: '3600' })), 'EXPIRES_IN', 3],
  ['a life that is null', raw(200, JSON.stringify({ ...TOKEN, expires_in: null })), 'EXPIRES_IN', 3],
  ['F24: 17 KiB', raw(200, JSON.stringify({ ...TOKEN, more: 'x'.repeat(17_000) })), 'UND_ERR_RES_EXCEEDED_MAX_SIZE', 3],
  ['F24: 20 KiB of headers', raw(200, JSON.stringify(TOKEN), { a: 'x'.repeat(20_000) }), 'UND_ERR_HEADERS_OVERFLOW', 3],
  ['a refusal', response => json(response, 401, { error: 'invalid_client' }), 'invalid_client', 1],
  ['a refusal of the scope', response => json(response, 400, { error: 'invalid_scope' }), 'invalid_scope', 1],
  ['an error in words of its own', response => json(response, 400, { error: 'canary-word' }), 'HTTP_400', 1],
  ['a token with an error status', raw(400, JSON.stringify(TOKEN)), 'HTTP_400', 1],
  ['a token with 201', raw(201, JSON.stringify(TOKEN)), 'HTTP_201', 1],
  ['500', raw(500, JSON.stringify(TOKEN)), 'HTTP_500', 3],
  ['429', raw(429, ''), 'HTTP_429', 3],
  ['a reset', response => response.destroy(), 'UND_ERR_SOCKET', 3],
  [
    'half a body',
    response => {
      response.writeHead(200, { 'content-length': 500 }).write('{"access_token"');
      setTimeout(() => response.destroy(), 20);
    },
    'UND_ERR_SOCKET',
    3,
  ],
];

describe('a hostile token endpoint', () => {
  it.each(HOSTILE)('%s gives no token', async (_, script, code, requests) => {
    const endpoint = await server(script);
    const { credentials, failures } = credentialsAt(endpoint.url);
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(failures).toEqual([code]);
    expect(endpoint.requests).toHaveLength(requests);
  });

  it.each([301, 302, 303, 307, 308])('F27: %i is not followed', async status => {
    const elsewhere = await server(givesTokens(3600));
    const endpoint = await server(raw(status, '', { location: elsewhere.url }));
    const { credentials, failures } = credentialsAt(endpoint.url);
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(failures).toEqual([`HTTP_${status}`]);
    expect(elsewhere.requests).toHaveLength(0);
  });

  it('S4: the kind of the token may be spelled in any case', async () => {
    const endpoint = await server(raw(200, JSON.stringify({ ...TOKEN, token_type: 'bEARER' })));
    expect(await tokenFrom(credentialsAt(endpoint.url).credentials)).toBe('a-token');
  });
});

describe('two gateways, one the issuer of the other', () => {
  it('the token endpoint of one takes the assertions of the other, each once, and its tokens are good there', async () => {
    const clock = systemClock;
    const [signing] = [await signingKeyOf(ecPair())];
    const client = clientOf('our-gateway', await keySet(publicHalf(JSON.stringify(key().publicJwk))), ['Purchase']);
    const deps = { issuer: ISSUER, clock, revocations: NOTHING_REVOKED, random: systemRandom };
    const byId = (id: string) => (id === client.id ? client : undefined);
    const own = { ...deps, accessTokenMinutes: 60, signingKeys: () => [signing] as const, once: memoryOnce() };
    const tokenEndpoint = createTokenEndpoint({ ...own, clientOf: byId });
    const answered: Promise<void>[] = [];
    const endpoint = await server((response, { form, headers }) => {
      const { 'content-type': contentType } = headers;
      const body = new TextEncoder().encode(form.toString());
      const answer = tokenEndpoint({
        method: 'POST',
        caller: 'peer',
        contentType,
        rawQuery: undefined,
        body,
        headers: {},
      });
      answered.push(
        answer.then(({ status, body: text, ...rest }) => void response.writeHead(status, rest.headers).end(text)),
      );
    });

    const [one, other] = [credentialsAt(endpoint.url), credentialsAt(endpoint.url, { scope: 'Purchase' })];
    const tokens = [await tokenFrom(one.credentials), await tokenFrom(other.credentials)];
    const verifier = createTokenVerifier({ ...deps, signingKeys: () => [signing], clientId: id => byId(id)?.id });
    for (const token of tokens) {
      expect(await verifier.verify(token ?? '')).toMatchObject({
        clientId: 'our-gateway',
        apis: new Set(['Purchase']),
      });
    }
    const greedy = credentialsAt(endpoint.url, { scope: 'Refund' });
    expect(await tokenFrom(greedy.credentials)).toBeUndefined();
    expect(greedy.failures).toEqual(['invalid_scope']);
    await Promise.all(answered);
  });
});

describe('TLS of the token endpoint', () => {
  const ca = authority();
  const ours = ca.issue('gateway.example');
  const theirs = ca.issue('127.0.0.1');

  it('is that of the issuer: its authority is pinned, and our certificate is shown', async () => {
    const endpoint = await server(givesTokens(3600), { ...theirs, ca: ca.cert, requestCert: true });
    const tls = { ca: ca.cert, cert: ours.cert, key: new Secret(ours.key) };
    expect(await tokenFrom(credentialsAt(endpoint.url, { tls }).credentials)).toBe('token-1');
    expect(endpoint.sockets[0]).toMatchObject({ authorized: true });
  });

  it.each([
    ['another authority of the same name', { ca: authority().cert }, theirs, 'CERT_SIGNATURE_FAILURE'],
    ['no authority of ours', {}, theirs, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['an expired certificate', { ca: ca.cert }, ca.issue('127.0.0.1', { untilDays: -1 }), 'CERT_HAS_EXPIRED'],
    ['another host', { ca: ca.cert }, ca.issue('other.example'), 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('F13: %s: no assertion leaves', async (_, tls, pair, code) => {
    const endpoint = await server(givesTokens(3600), pair);
    const { credentials, failures } = credentialsAt(endpoint.url, { tls });
    expect(await tokenFrom(credentials)).toBeUndefined();
    expect(endpoint.requests).toHaveLength(0);
    expect(failures).toEqual([code]);
  });
});

describe('I14: what is secret', () => {
  it('is not in anything that prints', async () => {
    const endpoint = await server(raw(200, JSON.stringify({ ...TOKEN, access_token: 'canary-token' })));
    const { credentials, failures } = credentialsAt(endpoint.url);
    const headers = await headersFrom(credentials);
    const assertion = endpoint.requests[0]?.assertion ?? '';
    const printed = [
      inspect([credentials, headers], { depth: 20, showHidden: true }),
      JSON.stringify(headers),
      failures,
    ];
    expect(assertion).not.toBe('');
    expect(printed.join()).not.toContain('canary-token');
    expect(printed.join()).not.toContain(assertion);
  });
});
