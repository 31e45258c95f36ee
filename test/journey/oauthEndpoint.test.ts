/**
 * The token endpoint through the front door: every assertion and every request that may not have a token, and none of them
 * leaves a trace at the issuer or an entry in the journal (reliability-security, 5.3). And the few that must have one.
 */
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { b64, type Json, jwsOf, respelled } from '../edge/oauthKit.ts';
import { type Answer, call, get, post } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import {
  gatewaySigningKey,
  grantForm,
  Party,
  PURCHASE,
  postToken,
  rootOf,
  signingPair,
  tokenOf,
} from '../support/oauth.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { bytesOf, Traces } from '../support/traces.ts';
import { Rig, UNHURRIED } from './rig.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const rig = new Rig();
const shop = new Party('shop');
const bank = new Party('bank');
const unknown = signingPair();
let issuer: ScriptedIssuer;
let redis: RedisServer;
let gateway: Gateway;
let traces: Traces;

beforeAll(async () => {
  issuer = await rig.issuer();
  redis = await rig.redis();
  traces = new Traces(issuer, redis);
  gateway = await rig.gateway(issuer, {
    ...UNHURRIED,
    journalUrl: redis.url,
    change: config => {
      config.clients.push(shop.config({ payload: 'plain', scopes: ['Purchase', 'Refund'] }));
      config.clients.push(bank.config({ payload: 'plain', scopes: ['Purchase'] }));
    },
  });
});
afterAll(() => rig.end());

const now = (): number => Math.floor(Date.now() / 1000);
const us = (): string => rootOf(gateway);
const own = (claims: Json = {}, header: Json = {}, key = shop.signing[0]) => shop.assertion(us(), claims, header, key);
const claimsOf = (changes: Json = {}): Json => ({
  iss: 'shop',
  sub: 'shop',
  aud: us(),
  jti: crypto.randomUUID(),
  iat: now(),
  exp: now() + 60,
  ...changes,
});
const headerOf = (alg: string): Json => ({ alg, kid: shop.signing[0]?.kid });
const keyOf = ({ signing: [pair] }: Party): KeyObject => {
  if (!pair) throw new Error('it has no key to sign with');
  return pair.privateKey;
};
/** An assertion that is right in everything but its algorithm. */
const signedAs = (alg: string, key: KeyObject, hash: string): string => {
  const input = `${b64(headerOf(alg))}.${b64(claimsOf())}`;
  return `${input}.${sign(hash, Buffer.from(input), key).toString('base64url')}`;
};
const hmacWith = (secret: string): string => {
  const input = `${b64(headerOf('HS256'))}.${b64(claimsOf())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const publicPem = (): string => createPublicKey(keyOf(shop)).export({ type: 'spki', format: 'pem' }).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;

type Make = () => string | Promise<string>;
const ASSERTIONS: readonly (readonly [title: string, make: Make])[] = [
  ['S34: an access token for an assertion', () => tokenOf(gateway, shop)],
  ['S47: RS256', () => signedAs('RS256', rsa, 'sha256')],
  ['S47: HS256 with the client’s public key', () => hmacWith(publicPem())],
  ['S47: none', () => `${b64(headerOf('none'))}.${b64(claimsOf())}.`],
  ['S47: none, with a signature', () => jwsOf(headerOf('none'), claimsOf(), keyOf(shop))],
  ['S47: ES384', () => signedAs('ES384', ec384, 'sha384')],
  ['S48: signed by another client’s key', () => own({}, {}, bank.signing[0])],
  ['S48: signed by another client’s key, by its own name', () => jwsOf(headerOf('ES256'), claimsOf(), keyOf(bank))],
  ['S48: signed by another client’s key, without a name', () => own({}, { kid: undefined }, bank.signing[0])],
  ['S48: signed by a key that nobody registered', () => own({}, {}, unknown)],
  ['S48: signed by our own key', () => jwsOf({ alg: 'ES256', kid: 'sign-1' }, claimsOf(), gatewaySigningKey())],
  ['S49: no iss', () => own({ iss: undefined })],
  ['S49: no sub', () => own({ sub: undefined })],
  ['S49: another iss', () => own({ iss: 'bank' })],
  ['S49: another sub', () => own({ sub: 'bank' })],
  ['S49: another client altogether', () => own({ iss: 'bank', sub: 'bank' })],
  ['S50: no audience', () => own({ aud: undefined })],
  ['S50: a foreign audience', () => own({ aud: 'https://other.example' })],
  ['S50: the endpoint for an audience', () => own({ aud: `${us()}/oauth2/token` })],
  ['S50: a slash more', () => own({ aud: `${us()}/` })],
  ['S50: another case', () => own({ aud: us().toUpperCase() })],
  ['S50: an array of us alone', () => own({ aud: [us()] })],
  ['S50: an array of us and another', () => own({ aud: [us(), 'https://other.example'] })],
  ['S51: no end', () => own({ exp: undefined })],
  ['S51: run out', () => own({ iat: now() - 120, exp: now() - 60 })],
  ['S51: a long life', () => own({ exp: now() + 3600 })],
  ['S51: six minutes ahead', () => own({ iat: now() + 9, exp: now() + 360 })],
  ['S52: issued 61 seconds ahead', () => own({ iat: now() + 61, exp: now() + 120 })],
  ['S52: good from 61 seconds ahead', () => own({ nbf: now() + 61, exp: now() + 120 })],
  ['S52: a day old, with an end to come', () => own({ iat: now() - 86_400, exp: now() + 60 })],
  ['S53: no jti', () => own({ jti: undefined })],
  ['S53: an empty jti', () => own({ jti: '' })],
  ['S53: a jti of 129 characters', () => own({ jti: 'j'.repeat(129) })],
  ['S59: nobody we know', () => new Party('nobody').assertion(us())],
  ['S59: a wrong signature', () => jwsOf(headerOf('ES256'), claimsOf(), unknown.privateKey)],
];

describe('assertions', () => {
  it.each(ASSERTIONS)('%s: 401, with the bytes of every other, and leaves no trace', async (_, make) => {
    const assertion = await make();
    const answer = await traces.noneOf(() => postToken(gateway, grantForm(assertion)));
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    expect(answer.headers['cache-control']).toBe('no-store');
    const nobody = await new Party('nobody').assertion(us());
    expect(bytesOf(answer)).toBe(bytesOf(await postToken(gateway, grantForm(nobody))));
  });

  const goodTokenOf = async (assertion: string, more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const { status, body } = await postToken(gateway, grantForm(assertion, more));
    expect([status, body.token_type]).toEqual([200, 'Bearer']);
    const token = String(body.access_token);
    expect((await call(gateway, 'Purchase', PURCHASE, { token })).body.responseCode).toBe('00');
  };

  it.each<[string, Make]>([
    ['S52: issued 8 seconds ahead', () => own({ iat: now() + 8, exp: now() + 68 })],
    ['S52: good from 8 seconds ahead', () => own({ nbf: now() + 8 })],
    ['S53: a jti of 128 characters', () => own({ jti: crypto.randomUUID().padEnd(128, 'j') })],
    ['without the name of its key', () => own({}, { kid: undefined })],
    ['with the lower s, and with the other', async () => respelled(await own())],
  ])('%s: 200, and the token is good', async (_, make) => goodTokenOf(await make()));

  it('S49: the parameter client_id may name the client, and nobody else', async () => {
    await goodTokenOf(await own(), { client_id: 'shop' });
    for (const client_id of ['bank', 'nobody']) {
      const assertion = await own();
      const answer = await traces.noneOf(() => postToken(gateway, grantForm(assertion, { client_id })));
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    }
  });

  it('S54: are good once, however their signature is spelled; the same jti is another client’s own', async () => {
    const jti = crypto.randomUUID();
    const assertion = await own({ jti });
    await goodTokenOf(assertion);
    const again = [assertion, respelled(assertion), await own({ jti })];
    for (const text of again) {
      const answer = await traces.noneOf(() => postToken(gateway, grantForm(text)));
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    }
    await goodTokenOf(await bank.assertion(us(), { jti }));
  });

  it('S55: are remembered for longer than anyone would accept them', async () => {
    const onces = async () => {
      const names = await redis.command('KEYS', '*:once:*');
      return new Set(Array.isArray(names) ? names.map(String) : []);
    };
    const before = await onces();
    await goodTokenOf(await own({ exp: now() + 200 }));
    const [name = '', ...others] = (await onces()).difference(before);
    expect(others).toEqual([]);
    const left = Number(await redis.command('PTTL', name));
    expect(left).toBeGreaterThan((200 + 10) * 1000);
  });

  it('S55: are no good without the journal', async test => {
    const alone = new Rig(test);
    const away = await alone.redis();
    const cut = await alone.gateway(issuer, {
      journalUrl: away.url,
      change: config => config.clients.push(shop.config({ payload: 'plain', scopes: ['Purchase'] })),
    });
    await away.kill();
    const answer = await postToken(cut, grantForm(await shop.assertion(rootOf(cut))));
    expect([answer.status, answer.body.error, answer.headers['retry-after']]).toEqual([
      503,
      'temporarily_unavailable',
      '1',
    ]);
  });
});

const bare = async (): Promise<Record<string, string>> => grantForm(await own());
const without = async (...names: readonly string[]): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(await bare()).filter(([name]) => !names.includes(name)));
/** Posts a text as the form, or as what its headers say. */
const postText = (text: string, headers: Record<string, string> = FORM, query = ''): Promise<Answer> =>
  post(`${us()}/oauth2/token${query}`, text, { headers });
const encoded = async (): Promise<string> => new URLSearchParams(await bare()).toString();

const REQUESTS: readonly (readonly [title: string, send: () => Promise<Answer>, status: number, error: string])[] = [
  [
    'S45: no assertion',
    async () => postToken(gateway, await without('client_assertion', 'client_assertion_type')),
    401,
    'invalid_client',
  ],
  [
    'S45: no assertion, only its type',
    async () => postToken(gateway, await without('client_assertion')),
    401,
    'invalid_client',
  ],
  [
    'S45: a wrong client_assertion_type',
    async () =>
      postToken(gateway, {
        ...(await bare()),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
      }),
    400,
    'invalid_request',
  ],
  [
    'S45: no client_assertion_type',
    async () => postToken(gateway, await without('client_assertion_type')),
    400,
    'invalid_request',
  ],
  ['S46: no grant_type', async () => postToken(gateway, await without('grant_type')), 400, 'invalid_request'],
  [
    'S46: an empty grant_type',
    async () => postToken(gateway, { ...(await bare()), grant_type: '' }),
    400,
    'invalid_request',
  ],
  [
    'S46: another grant_type',
    async () => postToken(gateway, { ...(await bare()), grant_type: 'password' }),
    400,
    'unsupported_grant_type',
  ],
  [
    'S56: a scope beyond what was assigned',
    async () => postToken(gateway, { ...(await bare()), scope: 'Purchase LoadFund' }),
    400,
    'invalid_scope',
  ],
  [
    'S57: a parameter twice',
    async () => postText(`${await encoded()}&grant_type=client_credentials`),
    400,
    'invalid_request',
  ],
  [
    'S57: an assertion twice',
    async () => postText(`${await encoded()}&client_assertion=a.b.c`),
    400,
    'invalid_request',
  ],
  ['S57: parameters in the query', async () => postText('', FORM, `?${await encoded()}`), 400, 'invalid_request'],
  [
    'S57: one parameter in the query',
    async () => postText(await encoded(), FORM, '?scope=Purchase'),
    400,
    'invalid_request',
  ],
  [
    'S57: JSON',
    async () => postText(JSON.stringify(await bare()), { 'content-type': 'application/json' }),
    400,
    'invalid_request',
  ],
  [
    'S57: more than 16 kB',
    async () => postToken(gateway, { ...(await bare()), more: 'x'.repeat(16 * 1024) }),
    400,
    'invalid_request',
  ],
  [
    'S57: packed',
    async () => postText(await encoded(), { ...FORM, 'content-encoding': 'gzip' }),
    400,
    'invalid_request',
  ],
  [
    'a secret beside the assertion',
    async () => postToken(gateway, { ...(await bare()), client_secret: 'x' }),
    400,
    'invalid_request',
  ],
];

describe('requests', () => {
  it.each(REQUESTS)('%s: no token and no trace', async (_, send, status, error) => {
    const answer = await traces.noneOf(send);
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(answer.body.access_token).toBeUndefined();
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('S56: without a scope all that was assigned, with one that and once each', async () => {
    const scopeOf = async (more: Readonly<Record<string, string>>) => {
      const { body } = await postToken(gateway, grantForm(await own(), more));
      return body.scope;
    };
    expect(await scopeOf({})).toBe('Purchase Refund');
    expect(await scopeOf({ scope: 'Refund' })).toBe('Refund');
    expect(await scopeOf({ scope: 'Refund Purchase Refund' })).toBe('Refund Purchase');
  });

  it('S60: GET is 404, and a token is for an hour', async () => {
    expect((await traces.noneOf(() => get(`${us()}/oauth2/token`))).status).toBe(404);
    const { status, headers, body } = await postToken(gateway, await bare());
    expect([status, headers['cache-control'], headers.pragma, body.expires_in]).toEqual([
      200,
      'no-store',
      'no-cache',
      3600,
    ]);
  });
});
