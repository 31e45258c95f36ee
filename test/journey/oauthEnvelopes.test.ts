/**
 * Encrypted bodies that cannot be opened, through the front door: all are refused with the same bytes, nothing reaches
 * the issuer, and the journal keeps no record of it (I15). And the key that an answer is sealed for is never the caller's
 * choice.
 */
import { constants, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { FlattenedEncrypt, GeneralEncrypt, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEADER, jweOf } from '../edge/envelopeKit.ts';
import type { Json } from '../edge/oauthKit.ts';
import { type Answer, call, newTranId, rawRequest } from '../support/client.ts';
import { testKeys } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import {
  gatewayKey,
  messageOf,
  Party,
  PURCHASE,
  postSealed,
  readPrivate,
  type Sealed,
  sealedCall,
  sealFor,
  sealingPair,
  tokenOf,
} from '../support/oauth.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { bytesOf, Traces } from '../support/traces.ts';
import { waitFor } from '../support/waitFor.ts';
import { Rig, UNHURRIED } from './rig.ts';

const rig = new Rig();
const bank = new Party('bank');
const shop = new Party('shop');
const narrow = new Party('narrow');
let issuer: ScriptedIssuer;
let traces: Traces;
let gateway: Gateway;
let session: Sealed;
let ours: KeyObject;

beforeAll(async () => {
  issuer = await rig.issuer();
  const redis = await rig.redis();
  traces = new Traces(issuer, redis);
  gateway = await rig.gateway(issuer, {
    ...UNHURRIED,
    journalUrl: redis.url,
    change: config => {
      config.clients.push(bank.config(), shop.config({ payload: 'plain' }), narrow.config({ scopes: ['Refund'] }));
    },
  });
  session = { gateway, party: bank, token: await tokenOf(gateway, bank), key: await gatewayKey(gateway) };
  ours = createPublicKey(readPrivate(testKeys().decryptionKeyFile));
});
afterAll(() => rig.end());

const fresh = (): string => messageOf(gateway, PURCHASE, newTranId());
/** An envelope by hand, for the gateway's key. */
const byHand = (parts: Parameters<typeof jweOf>[0] = {}): string =>
  jweOf({ plain: fresh(), to: ours, ...parts, header: { ...HEADER, kid: 'enc-1', ...(parts.header as Json) } });
const headed = (header: Json): string => byHand({ header });
const post200 = (body: string | Uint8Array) => postSealed(gateway, 'Purchase', session.token, body);

const changed = (index: number): string => {
  const parts = byHand().split('.');
  const bytes = Buffer.from(parts[index] ?? '', 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return parts.with(index, bytes.toString('base64url')).join('.');
};
const emptied = (index: number): string => byHand().split('.').with(index, '').join('.');
const importable = (key: JWK) => importJWK({ ...key, alg: 'RSA-OAEP-256' });
const bytes = (text: string) => new TextEncoder().encode(text);

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const POINT = pair.publicKey.export({ format: 'jwk' });
const PRIVATE_POINT = pair.privateKey.export({ format: 'jwk' });

type Make = () => string | Promise<string>;
const ENVELOPES: readonly (readonly [title: string, make: Make])[] = [
  ['S70: RSA1_5 by name', () => headed({ alg: 'RSA1_5' })],
  ['S70: RSA1_5 by padding', () => byHand({ padding: constants.RSA_PKCS1_PADDING })],
  ['S70: RSA-OAEP', () => headed({ alg: 'RSA-OAEP' })],
  ['S70: SHA-1 in it', () => byHand({ oaepHash: 'sha1' })],
  ['S70: RSA-OAEP-384', () => headed({ alg: 'RSA-OAEP-384' })],
  ['S70: RSA-OAEP-512', () => headed({ alg: 'RSA-OAEP-512' })],
  ['S71: dir', () => headed({ alg: 'dir' })],
  ['S71: A128KW', () => headed({ alg: 'A128KW' })],
  ['S71: A128GCMKW', () => headed({ alg: 'A128GCMKW', iv: 'AAAAAAAAAAAAAAAA', tag: 'AAAAAAAAAAAAAAAAAAAAAA' })],
  ['S71: ECDH-ES', () => headed({ alg: 'ECDH-ES', epk: POINT })],
  ['S71: ECDH-ES with a wrapped key', () => headed({ alg: 'ECDH-ES+A128KW', epk: POINT })],
  ['S72: a password with a billion rounds', () => headed({ alg: 'PBES2-HS256+A128KW', p2c: 1e9, p2s: 'AAAA' })],
  ['S73: compressed', () => byHand({ header: { zip: 'DEF' }, plain: deflateRawSync(bytes(fresh())) })],
  ['S73: a bomb', () => byHand({ header: { zip: 'DEF' }, plain: deflateRawSync(Buffer.alloc(50_000_000)) })],
  ['S74: a point off the curve', () => headed({ alg: 'ECDH-ES', epk: { ...POINT, y: POINT.x } })],
  ['S74: a private key to agree with', () => headed({ alg: 'ECDH-ES', epk: PRIVATE_POINT })],
  ['S74: a key to agree with, beside the right algorithm', () => headed({ epk: POINT })],
  ['S75: A256GCM', () => byHand({ header: { enc: 'A256GCM' }, cekBytes: 32 })],
  ['S75: A192GCM', () => byHand({ header: { enc: 'A192GCM' }, cekBytes: 24 })],
  ['S75: A128CBC-HS256', () => headed({ enc: 'A128CBC-HS256' })],
  ['S76: a bit of the header', () => changed(0)],
  ['S76: a bit of the key', () => changed(1)],
  ['S76: a bit of the iv', () => changed(2)],
  ['S76: a bit of the ciphertext', () => changed(3)],
  ['S76: a bit of the tag', () => changed(4)],
  ['S76: no header', () => emptied(0)],
  ['S76: no key', () => emptied(1)],
  ['S76: no iv', () => emptied(2)],
  ['S76: no ciphertext', () => emptied(3)],
  ['S76: no tag', () => emptied(4)],
  ['S78: four parts', () => byHand().split('.').slice(0, 4).join('.')],
  ['S78: six parts', () => `${byHand()}.AAAA`],
  [
    'S78: JSON for one',
    async () => {
      const sealing = new FlattenedEncrypt(bytes(fresh())).setProtectedHeader({ ...HEADER, kid: 'enc-1' });
      return JSON.stringify(await sealing.encrypt(await importable(session.key)));
    },
  ],
  [
    'S78: JSON of the general form for one',
    async () => {
      const sealing = new GeneralEncrypt(bytes(fresh())).setProtectedHeader({ ...HEADER, kid: 'enc-1' });
      sealing.addRecipient(await importable(session.key));
      return JSON.stringify(await sealing.encrypt());
    },
  ],
  [
    'S78: JSON for two',
    async () => {
      const sealing = new GeneralEncrypt(bytes(fresh())).setProtectedHeader({ enc: 'A128GCM' });
      for (const key of [session.key, sealingPair().publicJwk]) {
        sealing.addRecipient(await importable(key)).setUnprotectedHeader({ alg: 'RSA-OAEP-256', kid: String(key.kid) });
      }
      return JSON.stringify(await sealing.encrypt());
    },
  ],
  ['S81: an unknown kid', () => headed({ kid: 'enc-9' })],
  ['S81: no kid', () => headed({ kid: undefined })],
  ['S81: sealed for a client', () => sealFor(shop.sealing[0]?.publicJwk ?? {}, fresh())],
  ['S81: the right name and another key', () => sealFor({ ...sealingPair().publicJwk, kid: 'enc-1' }, fresh())],
  ['S83: nothing inside', () => byHand({ plain: '' })],
  ['S84: more inside than a message may be', () => byHand({ plain: ' '.repeat(64 * 1024 + 1) })],
  ['S82: JSON that is called an envelope', () => fresh()],
  ['an empty body', () => ''],
];

describe('bodies that cannot be opened', () => {
  it('can be opened by hand as well, or nothing below would prove anything', async () => {
    const answer = await post200(byHand());
    expect(answer.headers['content-type']).toBe('application/jose');
    expect(JSON.parse(await bank.open(answer.text))).toMatchObject({ responseCode: '00' });
  });

  it.each(ENVELOPES)('%s is 400, with the bytes of every other, and leaves no trace', async (_, make) => {
    const body = await make();
    const answer = await traces.noneOf(() => post200(body));
    expect(answer).toMatchObject({
      status: 400,
      body: { responseCode: '30', errors: [{ field: 'body', reason: 'cannot be opened' }] },
    });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(bytesOf(answer)).toBe(bytesOf(await post200('x')));
  });

  it('S80: wrong padding of the key and a wrong tag have one status and the same bytes', async () => {
    const padding = await post200(byHand({ padding: constants.RSA_PKCS1_PADDING }));
    const otherHash = await post200(byHand({ oaepHash: 'sha1' }));
    const tag = await post200(changed(4));
    expect(padding.status).toBe(400);
    expect([bytesOf(padding), bytesOf(otherHash)]).toEqual([bytesOf(tag), bytesOf(tag)]);
  });

  it('S80: why is in our log alone, in a word', async () => {
    // Only so many refusals have a line in each second, and the tests above have used them up.
    const ids = new Set<unknown>();
    const line = await waitFor('the line of one of them', async () => {
      ids.add((await post200(changed(4))).headers['x-request-id']);
      return gateway.logLines().find(({ requestId }) => ids.has(requestId));
    });
    expect(line).toMatchObject({ refusal: 'envelope', detail: 'content', clientId: 'bank' });
  });
});

describe('bodies that are of the wrong kind', () => {
  const untouched = async (run: () => Promise<Answer>, status = 400) => {
    const answer = await traces.noneOf(run);
    expect(answer.status).toBe(status);
    return answer;
  };

  it.each([
    ['S82: JSON of a client that encrypts', 'application/json'],
    ['S82: an envelope that is called JSON', 'application/json; charset=utf-8'],
    ['S82: an envelope without a name', undefined],
    ['S82: an envelope with a parameter', 'application/jose; charset=utf-8'],
    ['S82: JOSE in JSON', 'application/jose+json'],
  ])('%s is 400', async (_, type) => {
    const body = type === 'application/json' ? fresh() : byHand();
    const headers = { 'content-type': type };
    const answer = await untouched(() => postSealed(gateway, 'Purchase', session.token, body, { headers }));
    expect(answer.body.errors).toEqual([{ field: 'content-type', reason: 'must be application/jose' }]);
  });

  it('S82: an envelope of a client that does not encrypt is 400, whatever it is called', async () => {
    const token = await tokenOf(gateway, shop);
    const body = byHand();
    await untouched(() => postSealed(gateway, 'Purchase', token, body));
    await untouched(() => call(gateway, 'Purchase', {}, { token, rawBody: body }));
  });

  it.each([
    ['S83: not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['S83: not JSON', '{"a":'],
    ['S83: a list', '[]'],
    ['S83: null', 'null'],
    ['S83: another envelope', 'a.b.c.d.e'],
    ['a message with a field twice', '{"tranId":"a","tranId":"b"}'],
  ])('%s inside is 400', async (_, plain) => {
    const answer = await untouched(() => post200(byHand({ plain })));
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('S84: a body above the cap is 400 before anything is opened', async () => {
    const answer = await untouched(() => post200('x'.repeat(96 * 1024 + 1)));
    expect(answer.body.errors).toEqual([{ field: 'body', reason: 'must be at most 98304 bytes' }]);
  });

  it('nothing is opened before the token and its scope are accepted', async () => {
    const refused = await untouched(() => postSealed(gateway, 'Purchase', 'nobody', 'x'), 403);
    const token = await tokenOf(gateway, narrow);
    const outOfScope = await untouched(() => postSealed(gateway, 'Purchase', token, 'x'), 403);
    expect(bytesOf(outOfScope)).toBe(bytesOf(refused));
  });

  it('a body is not even asked for where the token is not good', async () => {
    const head = `POST /card-api/tranmgr/purchase HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${'a'.repeat(70)}.b.c\r\n`;
    const more = 'Content-Type: application/jose\r\nContent-Length: 90000\r\nExpect: 100-continue\r\n\r\n';
    const { text } = await rawRequest(gateway.port, head + more);
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe('answers', () => {
  it('S85: are sealed for the key that the client registered, whatever the request brings', async () => {
    const mine = sealingPair();
    const { kid } = mine;
    for (const header of [{ jwk: mine.publicJwk }, { jku: 'https://evil.example/' }, { x5c: ['AAAA'] }]) {
      expect((await post200(headed(header))).status).toBe(400);
    }
    const headers = { jwk: JSON.stringify(mine.publicJwk), kid };
    const answer = await sealedCall(session, 'Purchase', { ...PURCHASE }, { headers });
    expect(answer).toMatchObject({ contentType: 'application/jose', body: { responseCode: '00' } });
  });
});
