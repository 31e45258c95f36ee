/**
 * Access tokens that are not valid here, through the front door: every one is refused with the same bytes, nothing
 * reaches the issuer, and the journal keeps no record of it (I15).
 */
import { constants, createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { b64, type Json, jwsOf, respelled } from '../edge/oauthKit.ts';
import { call, get, post } from '../support/client.ts';
import { newToken, sha256Hex } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { gatewayKey, gatewaySigningKey, Party, PURCHASE, rootOf, sealFor, tokenOf } from '../support/oauth.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { bytesOf, Traces } from '../support/traces.ts';
import { claimsFor, TOKEN_HEADER, tokenByHand, tokenOfClaims } from './byHand.ts';
import { Rig, UNHURRIED } from './rig.ts';

const rig = new Rig();
const shop = new Party('shop');
const OPAQUE = newToken();
const key = gatewaySigningKey();
const publicJwk = createPublicKey(key).export({ format: 'jwk' });
let issuer: ScriptedIssuer;
let redis: RedisServer;
let gateway: Gateway;
let traces: Traces;
let good = '';

beforeAll(async () => {
  issuer = await rig.issuer();
  redis = await rig.redis();
  traces = new Traces(issuer, redis);
  gateway = await rig.gateway(issuer, {
    ...UNHURRIED,
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

const now = (): number => Math.floor(Date.now() / 1000);
const claimsWith = (changes: Json = {}): Json => claimsFor(gateway, 'shop', changes);
const claimed = (changes: Json): string => tokenByHand(gateway, 'shop', changes);
const headed = (header: Json): string => tokenOfClaims(claimsWith(), header);
const otherAlgorithm = (alg: string, signer: KeyObject, hash: string | undefined, more: Json = {}): string => {
  const input = `${b64({ ...TOKEN_HEADER, alg })}.${b64(claimsWith())}`;
  return `${input}.${sign(hash, Buffer.from(input), { key: signer, ...more }).toString('base64url')}`;
};
const hmacWith = (secret: string): string => {
  const input = `${b64({ ...TOKEN_HEADER, alg: 'HS256' })}.${b64(claimsWith())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};
const signatureOf = (text: string): string => text.slice(text.lastIndexOf('.') + 1);
const withSignature = (signature: string): string => good.slice(0, good.lastIndexOf('.') + 1) + signature;
const changedSignature = (): string => {
  const bytes = Buffer.from(signatureOf(good), 'base64url');
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  return bytes.toString('base64url');
};
/** The same bytes once more: the last character has bits to spare, which no other spelling may use. */
const endedOddly = (token: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet.charAt(alphabet.indexOf(token.slice(-1)) + 1);
};
const derSignature = (): string => {
  const input = good.slice(0, good.lastIndexOf('.'));
  return sign('sha256', Buffer.from(input), key).toString('base64url');
};
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const pem = () => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
type Make = () => string | Promise<string>;
const TOKENS: readonly (readonly [title: string, make: Make])[] = [
  ['S15: an opaque token, as if one had been given to a client of OAuth', () => newToken()],
  ['S15: a token of ours for a client of opaque tokens', () => claimed({ sub: 'till', client_id: 'till' })],
  ['S20: two parts', () => good.slice(0, good.lastIndexOf('.'))],
  ['S20: four parts', () => `${good}.AAAA`],
  ['S20: base64url that is none', () => good.replace('.', '+.')],
  ['S20: a header that is no JSON', () => good.replace(/^[^.]+/, b64('{'))],
  ['S20: a header that is a list', () => good.replace(/^[^.]+/, b64([TOKEN_HEADER]))],
  ['S20: claims that are no JSON', () => tokenOfClaims('{"iss":')],
  ['S20: claims that are a list', () => tokenOfClaims([claimsWith()])],
  ['S21: alg none, without a signature', () => `${b64({ ...TOKEN_HEADER, alg: 'none' })}.${b64(claimsWith())}.`],
  ['S21: alg none, with a signature', () => headed({ alg: 'none' })],
  ['S21: alg None', () => headed({ alg: 'None' })],
  ['S21: no alg', () => respelled(jwsOf({ typ: 'at+jwt', kid: 'sign-1' }, claimsWith(), key), true)],
  ['S22: HS256 with our public key in PEM', () => hmacWith(pem())],
  ['S22: HS256 with our public key as JWK', () => hmacWith(JSON.stringify(publicJwk))],
  ['S23: RS256', () => otherAlgorithm('RS256', rsa, 'sha256')],
  ['S23: ES384', () => otherAlgorithm('ES384', ec384, 'sha384')],
  ['S23: PS256', () => otherAlgorithm('PS256', rsa, 'sha256', { padding: constants.RSA_PKCS1_PSS_PADDING })],
  ['S23: EdDSA', () => otherAlgorithm('EdDSA', ed25519, undefined)],
  ['S23: ES256K', () => otherAlgorithm('ES256K', secp256k1, 'sha256', { dsaEncoding: 'ieee-p1363' })],
  ['S23: ES384 by name, signed with our key', () => headed({ alg: 'ES384' })],
  ['S24: no signature', () => withSignature('')],
  ['S24: zeros', () => withSignature(Buffer.alloc(64).toString('base64url'))],
  ['S24: a bit changed', () => withSignature(changedSignature())],
  ['S24: in DER', () => withSignature(derSignature())],
  ['S24: of another token', () => withSignature(signatureOf(claimed({ jti: 'x' })))],
  ['S24: of another key', () => respelled(jwsOf(TOKEN_HEADER, claimsWith(), ec), true)],
  ['S25: a key of its own', () => headed({ jwk: publicJwk })],
  ['S25: a certificate of its own', () => headed({ x5c: ['AAAA'] })],
  ['S26: an unknown kid', () => headed({ kid: 'sign-2' })],
  ['S26: no kid', () => respelled(jwsOf({ alg: 'ES256', typ: 'at+jwt' }, claimsWith(), key), true)],
  ['S26: a kid of 2 kB', () => headed({ kid: 'k'.repeat(2000) })],
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
  ['S35: a sub that is a number', () => claimed({ sub: 1, client_id: 1 })],
  ['S35: a client_id that is a list', () => claimed({ client_id: ['shop'] })],
  ['S35: a jti that is a number', () => claimed({ jti: 1 })],
  ['S35: no client_id', () => claimed({ client_id: undefined })],
  ['S35: no jti', () => claimed({ jti: undefined })],
  ['S35: scopes in a list', () => claimed({ scope: ['Purchase'] })],
  ['S35: no scope', () => claimed({ scope: undefined })],
  ['S36: a scope without this API', () => claimed({ scope: 'Refund' })],
  ['S36: a scope that the client does not have', () => claimed({ scope: 'LoadFund' })],
  ['S37: the other s', () => respelled(good)],
  ['S37: padding', () => `${good}=`],
  ['S37: bits to spare', () => endedOddly(good)],
  ['S39: a JWE', async () => sealFor(await gatewayKey(gateway), good)],
  ['S39: a token inside a token', () => headed({ cty: 'JWT' })],
  ['S12: a client that is gone', () => claimed({ sub: 'gone', client_id: 'gone' })],
];

describe('access tokens', () => {
  it('are good by hand as well, or nothing below would prove anything', async () => {
    expect((await call(gateway, 'Purchase', PURCHASE, { token: claimed({}) })).body.responseCode).toBe('00');
    expect((await call(gateway, 'Purchase', PURCHASE, { token: good })).body.responseCode).toBe('00');
    await expect(traces.noneOf(() => call(gateway, 'Purchase', PURCHASE, { token: good }))).rejects.toThrow();
  });

  it.each(TOKENS)('%s is 403, with the bytes of every other, and leaves no trace', async (_, make) => {
    const token = await make();
    const answer = await traces.noneOf(() => call(gateway, 'Purchase', PURCHASE, { token }));
    expect(answer).toMatchObject({ status: 403, body: { responseCode: '10' } });
    expect(bytesOf(answer)).toBe(bytesOf(await call(gateway, 'Purchase', PURCHASE, { token: newToken() })));
  });

  it.each<[string, Make]>([
    ['S29: good from 8 seconds ahead', () => claimed({ nbf: now() + 8 })],
    ['S29: issued 8 seconds ahead', () => claimed({ iat: now() + 8, exp: now() + 600 })],
  ])('%s is 200', async (_, make) => {
    expect((await call(gateway, 'Purchase', PURCHASE, { token: await make() })).body.responseCode).toBe('00');
  });

  it('S37: a revoked jti is out in every spelling of its token, and no other jti is', async () => {
    const [bad, other] = [await tokenOf(gateway, shop), await tokenOf(gateway, shop)];
    expect((await call(gateway, 'Purchase', PURCHASE, { token: bad })).status).toBe(200);
    const { jti } = JSON.parse(Buffer.from(bad.split('.')[1] ?? '', 'base64url').toString());
    const headers = { 'content-type': 'application/json' };
    await post(`${gateway.adminUrl}/admin/revocations`, JSON.stringify({ kind: 'jti', id: jti }), { headers });
    const spellings = [bad, respelled(bad), `${bad}=`, endedOddly(bad), claimed({ jti })];
    for (const token of spellings) {
      const answer = await traces.noneOf(() => call(gateway, 'Purchase', PURCHASE, { token }));
      expect(answer).toMatchObject({ status: 403, body: { responseCode: '10' } });
    }
    expect((await call(gateway, 'Purchase', PURCHASE, { token: other })).status).toBe(200);
    expect((await get(`${gateway.adminUrl}/admin/revocations`)).status).toBe(200);
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
      const token = headed({ [name]: url });
      expect((await traces.noneOf(() => call(gateway, 'Purchase', PURCHASE, { token }))).status).toBe(403);
    }
    expect(asked).toBe(0);
  });

  it.each<[string, Make]>([
    ['S8: 65 characters without a dot', () => 'a'.repeat(65)],
    ['S8: more characters than any of ours has', () => `${good}${'A'.repeat(4096)}`],
    ['S26 S8: a kid of 10 kB', () => headed({ kid: 'k'.repeat(10_000) })],
    ['S37: blanks inside', () => good.replace('.', '. ')],
    ['S39: a JWS in JSON', () => `{"payload":"${b64(claimsWith())}"}`],
  ])('%s is no token by its form: 401, and leaves no trace', async (_, make) => {
    const token = await make();
    const answer = await traces.noneOf(() => call(gateway, 'Purchase', PURCHASE, { token }));
    expect(answer).toMatchObject({ status: 401, body: { responseCode: '10' } });
  });

  it('S26: a name in a token never gets into the log', async () => {
    const kid = `mark-${newToken()}`;
    await call(gateway, 'Purchase', PURCHASE, { token: headed({ kid }) });
    await call(gateway, 'Purchase', PURCHASE, { token: claimed({ client_id: kid, sub: kid }) });
    expect(gateway.log()).not.toContain(kid);
    expect(gateway.log()).not.toContain(signatureOf(good));
  });
});
