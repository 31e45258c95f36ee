/**
 * Access tokens that are not valid here, through the front door: every one is refused with the same bytes, nothing
 * reaches the issuer, and the journal keeps no record of it (I15).
 */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { b64, type Json, jwsOf, respelled } from '../edge/oauthKit.ts';
import { type Answer, call, post } from '../support/client.ts';
import { newToken, sha256Hex } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import {
  gatewayKey,
  gatewaySigningKey,
  grantForm,
  Party,
  PURCHASE,
  postToken,
  rootOf,
  sealFor,
  tokenOf,
} from '../support/oauth.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { Rig } from './rig.ts';

const rig = new Rig();
const shop = new Party('shop');
const OPAQUE = newToken();
const key = gatewaySigningKey();
const publicJwk = createPublicKey(key).export({ format: 'jwk' });
const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'sign-1' };
let issuer: ScriptedIssuer;
let redis: RedisServer;
let gateway: Gateway;
let good = '';

beforeAll(async () => {
  issuer = await rig.issuer();
  redis = await rig.redis();
  gateway = await rig.gateway(issuer, {
    journalUrl: redis.url,
    change: config => {
      config.clients.push(shop.config({ payload: 'plain', scopes: ['Purchase'] }));
      // Without OAuth, and yet of a name that a token can be made out to.
      config.clients.push({
        ...shop.config({ payload: 'plain' }),
        id: 'till',
        oauth: undefined,
        bearer: { tokenSha256: [sha256Hex(OPAQUE)] },
      });
    },
  });
  good = await tokenOf(gateway, shop);
});
afterAll(() => rig.end());

const entries = async (): Promise<number> => {
  const names = await redis.command('KEYS', '*:e:*');
  return Array.isArray(names) ? names.length : 0;
};

const now = (): number => Math.floor(Date.now() / 1000);
const claimsWith = (changes: Json = {}): Json => ({
  iss: rootOf(gateway),
  sub: 'shop',
  aud: rootOf(gateway),
  client_id: 'shop',
  iat: now(),
  exp: now() + 600,
  jti: 'by-hand',
  scope: 'Purchase',
  ...changes,
});
/** A token by hand, signed with the gateway's very key, the lower s as it writes it. */
const claimed = (changes: Json): string => respelled(jwsOf(HEADER, claimsWith(changes), key), true);
const headed = (header: Json): string => respelled(jwsOf({ ...HEADER, ...header }, claimsWith(), key), true);
const otherAlgorithm = (alg: string, signer: KeyObject, hash: string): string => {
  const input = `${b64({ ...HEADER, alg })}.${b64(claimsWith())}`;
  return `${input}.${sign(hash, Buffer.from(input), signer).toString('base64url')}`;
};
const hmacWith = (secret: string): string => {
  const input = `${b64({ ...HEADER, alg: 'HS256' })}.${b64(claimsWith())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const signatureOf = (text: string): string => text.slice(text.lastIndexOf('.') + 1);
const withSignature = (signature: string): string => good.slice(0, good.lastIndexOf('.') + 1) + signature;
const derSignature = (): string => {
  const input = good.slice(0, good.lastIndexOf('.'));
  return sign('sha256', Buffer.from(input), key).toString('base64url');
};
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const pem = () => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
/** What differs between any two answers. */
const OWN = new Set(['timestamp', 'x-request-id', 'date']);
const bytesOf = ({ status, headers, text }: Answer): string =>
  JSON.stringify([status, Object.entries(headers).filter(([name]) => !OWN.has(name)), text]);

type Make = () => string | Promise<string>;
const TOKENS: readonly (readonly [title: string, make: Make])[] = [
  ['S15: an opaque token, as if one had been given to a client of OAuth', () => newToken()],
  ['S15: a token of ours for a client of opaque tokens', () => claimed({ sub: 'till', client_id: 'till' })],
  ['S20: two parts', () => good.slice(0, good.lastIndexOf('.'))],
  ['S20: four parts', () => `${good}.AAAA`],
  ['S20: base64url that is none', () => good.replace('.', '+.')],
  ['S20: a header that is no JSON', () => good.replace(/^[^.]+/, b64('{'))],
  ['S20: claims that are a list', () => respelled(jwsOf(HEADER, [claimsWith()], key), true)],
  ['S21: alg none, without a signature', () => `${b64({ ...HEADER, alg: 'none' })}.${b64(claimsWith())}.`],
  ['S21: alg none, with a signature', () => headed({ alg: 'none' })],
  ['S21: alg None', () => headed({ alg: 'None' })],
  ['S21: no alg', () => respelled(jwsOf({ typ: 'at+jwt', kid: 'sign-1' }, claimsWith(), key), true)],
  ['S22: HS256 with our public key in PEM', () => hmacWith(pem())],
  ['S22: HS256 with our public key as JWK', () => hmacWith(JSON.stringify(publicJwk))],
  ['S23: RS256', () => otherAlgorithm('RS256', rsa, 'sha256')],
  ['S23: ES384', () => otherAlgorithm('ES384', ec384, 'sha384')],
  ['S24: no signature', () => withSignature('')],
  ['S24: zeros', () => withSignature(Buffer.alloc(64).toString('base64url'))],
  ['S24: in DER', () => withSignature(derSignature())],
  ['S24: of another token', () => withSignature(signatureOf(claimed({ jti: 'x' })))],
  ['S24: of another key', () => respelled(jwsOf(HEADER, claimsWith(), ec), true)],
  ['S25: a key of its own', () => headed({ jwk: publicJwk })],
  ['S25: a certificate of its own', () => headed({ x5c: ['AAAA'] })],
  ['S26: an unknown kid', () => headed({ kid: 'sign-2' })],
  ['S26: a kid that is a path', () => headed({ kid: '../../x' })],
  ['S26: a kid that is SQL', () => headed({ kid: "' OR 1=1" })],
  ['S26: a kid with NUL', () => headed({ kid: 'sign-1\u0000' })],
  ['S26: the kid __proto__', () => headed({ kid: '__proto__' })],
  ['S28: run out', () => claimed({ iat: now() - 700, exp: now() - 100 })],
  ['S28: no end', () => claimed({ exp: undefined })],
  ['S28: an end that is a text', () => claimed({ exp: `${now() + 600}` })],
  ['S28: an end below 0', () => claimed({ exp: -1 })],
  ['S28: an end of 1e308', () => claimed({ exp: 1e308 })],
  ['S28: two hours', () => claimed({ exp: now() + 7200 })],
  ['S29: not yet', () => claimed({ nbf: now() + 61 })],
  ['S29: of the future', () => claimed({ iat: now() + 61, exp: now() + 600 })],
  ['S30 S41: of another environment', () => claimed({ iss: 'https://test.gateway.example' })],
  ['S30: of nobody', () => claimed({ iss: undefined })],
  ['S31: for somebody else', () => claimed({ aud: 'https://other.example' })],
  ['S31: for us and somebody else', () => claimed({ aud: [rootOf(gateway), 'https://other.example'] })],
  ['S31: for nobody', () => claimed({ aud: undefined })],
  ['S32: of another type', () => headed({ typ: 'JWT' })],
  ['S32: of no type', () => respelled(jwsOf({ alg: 'ES256', kid: 'sign-1' }, claimsWith(), key), true)],
  ['S33: a client assertion', () => shop.assertion(rootOf(gateway))],
  ['S35: no sub', () => claimed({ sub: undefined })],
  ['S35: another sub', () => claimed({ sub: 'till' })],
  ['S35: no client_id', () => claimed({ client_id: undefined })],
  ['S35: no jti', () => claimed({ jti: undefined })],
  ['S35: scopes in a list', () => claimed({ scope: ['Purchase'] })],
  ['S35: no scope', () => claimed({ scope: undefined })],
  ['S36: a scope without this API', () => claimed({ scope: 'Refund' })],
  ['S36: a scope that the client does not have', () => claimed({ scope: 'LoadFund' })],
  ['S37: the other s', () => respelled(good)],
  ['S37: padding', () => `${good}=`],
  ['S39: a JWE', async () => sealFor(await gatewayKey(gateway), good)],
  ['S12: a client that is gone', () => claimed({ sub: 'gone', client_id: 'gone' })],
];

describe('access tokens', () => {
  it('are good by hand as well, or nothing below would prove anything', async () => {
    expect((await call(gateway, 'Purchase', PURCHASE, { token: claimed({}) })).body.responseCode).toBe('00');
    expect((await call(gateway, 'Purchase', PURCHASE, { token: claimed({ nbf: now() + 8 }) })).status).toBe(200);
    expect((await call(gateway, 'Purchase', PURCHASE, { token: good })).body.responseCode).toBe('00');
  });

  it.each(TOKENS)('%s is 403, with the bytes of every other, and leaves no trace', async (_, make) => {
    const [seen, kept] = [issuer.requests.length, await entries()];
    const answer = await call(gateway, 'Purchase', PURCHASE, { token: await make() });
    expect(answer).toMatchObject({ status: 403, body: { responseCode: '10' } });
    expect(bytesOf(answer)).toBe(bytesOf(await call(gateway, 'Purchase', PURCHASE, { token: newToken() })));
    expect([issuer.requests.length, await entries()]).toEqual([seen, kept]);
  });

  it('S25: no address in a header is ever asked', async test => {
    let asked = 0;
    const server = createServer(socket => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
    test.onTestFinished(() => void server.close());
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/jwks`;
    for (const name of ['jku', 'x5u']) {
      expect((await call(gateway, 'Purchase', PURCHASE, { token: headed({ [name]: url }) })).status).toBe(403);
    }
    expect(asked).toBe(0);
  });

  it('S8 S39: what is no token by its form is 401', async () => {
    for (const token of ['a'.repeat(65), `{"payload":"${b64(claimsWith())}"}`, `${good}${'A'.repeat(4096)}`]) {
      expect((await call(gateway, 'Purchase', PURCHASE, { token })).status).toBe(401);
    }
  });

  it('S26: a name in a token never gets into the log', async () => {
    const kid = `mark-${newToken()}`;
    await call(gateway, 'Purchase', PURCHASE, { token: headed({ kid }) });
    await call(gateway, 'Purchase', PURCHASE, { token: claimed({ client_id: kid, sub: kid }) });
    expect(gateway.log()).not.toContain(kid);
    expect(gateway.log()).not.toContain(signatureOf(good));
  });
});

describe('the token endpoint', () => {
  const AUD = () => rootOf(gateway);
  const bare = async () => grantForm(await shop.assertion(AUD()));

  it.each<[string, () => Promise<Record<string, string>>, number, string]>([
    ['S34: an access token for an assertion', async () => grantForm(good), 401, 'invalid_client'],
    ['S46: no grant', async () => ({ ...(await bare()), grant_type: '' }), 400, 'invalid_request'],
    ['S46: another grant', async () => ({ ...(await bare()), grant_type: 'password' }), 400, 'unsupported_grant_type'],
    [
      'S50: the endpoint for an audience',
      async () => grantForm(await shop.assertion(`${AUD()}/oauth2/token`)),
      401,
      'invalid_client',
    ],
    ['S50: a slash more', async () => grantForm(await shop.assertion(`${AUD()}/`)), 401, 'invalid_client'],
    [
      'S51: a long life',
      async () => grantForm(await shop.assertion(AUD(), { exp: now() + 3600 })),
      401,
      'invalid_client',
    ],
    ['S53: no jti', async () => grantForm(await shop.assertion(AUD(), { jti: undefined })), 401, 'invalid_client'],
    ['S59: nobody', async () => grantForm(await new Party('nobody').assertion(AUD())), 401, 'invalid_client'],
    [
      'S56: more than was assigned',
      async () => ({ ...(await bare()), scope: 'Purchase LoadFund' }),
      400,
      'invalid_scope',
    ],
  ])('%s', async (_, form, status, error) => {
    const kept = await entries();
    const answer = await postToken(gateway, await form());
    expect([answer.status, answer.body.error, await entries()]).toEqual([status, error, kept]);
  });

  it('S54: an assertion is good once, and a jti once for each client', async () => {
    const form = await bare();
    expect((await postToken(gateway, form)).status).toBe(200);
    const again = await postToken(gateway, form);
    expect([again.status, again.body.error]).toEqual([401, 'invalid_client']);
  });

  it('S57: what is too long, or of another type, or encoded, is 400 and not read further', async () => {
    const url = `${AUD()}/oauth2/token`;
    const long = await postToken(gateway, { ...(await bare()), more: 'x'.repeat(16 * 1024) });
    expect([long.status, long.body.error]).toEqual([400, 'invalid_request']);
    const json = await post(url, JSON.stringify(await bare()), { headers: { 'content-type': 'application/json' } });
    expect([json.status, json.body.error]).toEqual([400, 'invalid_request']);
    const packed = await postToken(gateway, await bare(), { headers: { 'content-encoding': 'gzip' } });
    expect([packed.status, packed.body.error]).toEqual([400, 'invalid_request']);
    const query = await post(`${url}?grant_type=client_credentials`, '', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([query.status, query.body.error]).toEqual([400, 'invalid_request']);
  });

  it('S55: without the journal there is no token', async test => {
    const own = new Rig(test);
    const away = await own.redis();
    const alone = await own.gateway(issuer, {
      journalUrl: away.url,
      change: config => config.clients.push(shop.config({ payload: 'plain', scopes: ['Purchase'] })),
    });
    await away.kill();
    const form = grantForm(await shop.assertion(rootOf(alone)));
    const answer = await postToken(alone, form);
    expect([answer.status, answer.body.error, answer.headers['retry-after']]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ]);
  });
});
