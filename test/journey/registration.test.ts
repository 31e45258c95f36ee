/**
 * Keys that nobody may register, put where a running gateway reads them: the reload is refused as a whole and says what is
 * wrong, the old keys stay in force, and the bad ones open nothing (reliability-security, 5.7). And those that have ended:
 * they are out of use, and nobody else is.
 */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/checkConfig.ts';
import { type CertificateParts, certificate, type Party as Named, toPem } from '../edge/certificateKit.ts';
import { ecPair, type Json, jwk, jwsOf, rsaPair } from '../edge/oauthKit.ts';
import { call } from '../support/client.ts';
import { newToken, testKeys } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import {
  gatewayKey,
  grantForm,
  type Pair,
  Party,
  PURCHASE,
  postToken,
  rootOf,
  sealedCall,
  sealingPair,
  signingPair,
  tokenOf,
  writePrivate,
} from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import { bytesOf, Traces } from '../support/traces.ts';
import { waitFor } from '../support/waitFor.ts';
import { tokenByHand } from './byHand.ts';
import { metric, Rig, UNHURRIED } from './rig.ts';
import { reloaded } from './rotation.ts';

const rig = new Rig();
const dir = tempDir('registration');
const shop = new Party('shop');
const bank = new Party('bank');
const mill = new Party('mill');
const files = { leaf: join(dir, 'signer.pem'), ca: join(dir, 'ca.pem') };
let gateway: Gateway;
let traces: Traces;

const now = (): number => Math.floor(Date.now() / 1000);
const HOUR_S = 3600;
const named = (name: string, pair = ecPair()): Named => ({ name, ...pair });
const ROOT = named('root');
const BETWEEN = named('between');
const SIGNER = named('signer');
const valid = () => ({ fromS: now() - HOUR_S, untilS: now() + 300 * 24 * HOUR_S });
const authority = (subject: Named, by = subject, more: Partial<CertificateParts> = {}): string =>
  toPem(certificate({ subject, by, ca: true, usage: ['keyCertSign'], ...valid(), ...more }));
const leaf = (more: Partial<CertificateParts> = {}): string =>
  toPem(certificate({ subject: SIGNER, by: ROOT, ca: false, usage: ['digitalSignature'], ...valid(), ...more }));
const CA = authority(ROOT);
const GOOD_LEAF = leaf();

/** All files as they should be. */
const registerGood = (): void => {
  shop.register();
  writeFileSync(files.ca, CA);
  writeFileSync(files.leaf, GOOD_LEAF);
};

beforeAll(async () => {
  const issuer = await rig.issuer();
  const redis = await rig.redis();
  traces = new Traces(issuer, redis);
  registerGood();
  gateway = await rig.gateway(issuer, {
    ...UNHURRIED,
    journalUrl: redis.url,
    change: config => {
      const oauth = { certificateFiles: [files.leaf], caFile: files.ca };
      const certified = { ...shop.config({ payload: 'plain' }), id: 'certified', oauth };
      config.clients.push(shop.config({ payload: 'plain' }), bank.config({ payload: 'plain' }), certified);
      config.clients.push(mill.config());
    },
  });
});
afterAll(() => rig.end());
beforeEach(() => registerGood());

const lines = (event: string) => gateway.logLines().filter(line => line.event === event);

/** Reloads, and gives what was wrong. */
async function refusedReload(): Promise<string> {
  const problems = lines('configProblem').length;
  await reloaded(gateway, 'reloadRefused');
  return lines('configProblem')
    .slice(problems)
    .map(({ path, what }) => `${path} ${what}`)
    .join('\n');
}

const assertionBy = (id: string, key: Pair['privateKey'], header: Json = {}): string => {
  const claims = { iss: id, sub: id, aud: rootOf(gateway), jti: crypto.randomUUID(), iat: now(), exp: now() + 60 };
  return jwsOf({ alg: 'ES256', ...header }, claims, key);
};
/** A journal on a busy machine may not be able to say at once that an assertion is new. */
const tokenFor = (party: Party): Promise<string> => waitFor('a token', () => tokenOf(gateway, party));
const paysWith = async (token: string): Promise<unknown> =>
  (await call(gateway, 'Purchase', PURCHASE, { token })).body.responseCode;

const [signing] = shop.signing;
const [sealing] = shop.sealing;
const stranger = signingPair();
const pub = (pair: Pair | undefined): Json => ({ ...pair?.publicJwk });
const flipped = (text: unknown): string => {
  const bytes = Buffer.from(String(text), 'base64url');
  bytes[7] = (bytes[7] ?? 0) ^ 1;
  return bytes.toString('base64url');
};
const off = { ...pub(stranger), y: flipped(stranger.publicJwk.y) };

const SETS: readonly (readonly [title: string, keys: () => readonly Json[], what: RegExp])[] = [
  ['S130: a private key', () => [{ ...stranger.privateKey.export({ format: 'jwk' }) }], /holds a private key/],
  ['S130: a symmetric key', () => [{ kty: 'oct', k: 'c2VjcmV0', kid: 'x' }], /symmetric/],
  ['S130: RSA of 1024 bits', () => [pub(signing), jwk(rsaPair(1024).publicKey)], /1024 bits/],
  ['S130: RSA with e = 1', () => [pub(signing), { ...pub(sealing), e: 'AQ' }], /65537/],
  ['S130: EC on P-384', () => [jwk(ecPair('P-384').publicKey)], /P-256/],
  ['S130: a point off the curve', () => [off], /not a point/],
  [
    'S131: one kid twice',
    () => [
      { ...pub(stranger), kid: 'a' },
      { ...pub(signing), kid: 'a' },
    ],
    /the kid of keys\[0\]/,
  ],
  ['S131: one key twice', () => [pub(stranger), { ...pub(stranger), kid: 'b' }], /the same key as keys\[0\]/],
  ['S131: a use for something else', () => [{ ...pub(stranger), use: 'enc' }], /use/],
  ['S131: key_ops for something else', () => [{ ...pub(stranger), key_ops: ['sign'] }], /key_ops/],
  ['S131: the kid of another client’s key', () => [{ ...pub(stranger), kid: bank.signing[0]?.kid }], /kid is also/],
  ['S131: another client’s key', () => [pub(bank.signing[0])], /also has/],
];

describe('a JWK Set', () => {
  it.each(SETS)('%s is refused when it is registered, and the old keys stay', async (_, keys, what) => {
    writeFileSync(shop.keysFile, JSON.stringify({ keys: keys() }));
    const said = await refusedReload();
    expect(said).toMatch(/^clients\[\d\]\.oauth/);
    expect(said).toMatch(what);
    const forged = assertionBy('shop', stranger.privateKey);
    const answer = await traces.noneOf(() => postToken(gateway, grantForm(forged)));
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    expect(await paysWith(await tokenFor(shop))).toBe('00');
  });
});

const OTHER_ROOT = named('other root');
const rsa: Named = named('rsa', rsaPair(1024));
const chainOf = (length: number): string => {
  const names = Array.from({ length }, (_, at) => named(`authority ${at}`));
  const own = leaf({ by: names[0] ?? ROOT });
  return own + names.map((one, at) => authority(one, names[at + 1] ?? ROOT)).join('');
};

const CERTIFICATES: readonly (readonly [title: string, pem: () => string, what: RegExp])[] = [
  ['S132: not yet valid', () => leaf({ fromS: now() + HOUR_S }), /not valid before/],
  ['S132: self-signed', () => leaf({ by: SIGNER }), /self-signed/],
  ['S132: of another authority', () => leaf({ by: OTHER_ROOT }), /does not lead to an authority/],
  ['S132: of a namesake of the authority', () => leaf({ by: named('root') }), /does not lead to an authority/],
  ['S132: of a key on another curve', () => leaf({ subject: named('p384', ecPair('P-384')) }), /P-256/],
  [
    'S132: of an Ed25519 key',
    () => leaf({ subject: named('ed', generateKeyPairSync('ed25519')) }),
    /neither an EC nor an RSA/,
  ],
  ['S132: of a weak RSA key', () => leaf({ subject: rsa, usage: ['keyEncipherment'] }), /1024 bits/],
  ['S132: signed with SHA-1', () => leaf({ signature: 'ec sha1' }), /signed with an algorithm/],
  ['S132: of an authority itself', () => leaf({ ca: true }), /certificate of an authority/],
  [
    'S132: below an authority that is none',
    () => leaf({ by: BETWEEN }) + authority(BETWEEN, ROOT, { ca: false }),
    /not an authority/,
  ],
  ['S132: below a chain of 20', () => chainOf(20), /21 certificates/],
];

describe('a certificate', () => {
  it.each(CERTIFICATES)('%s is refused when it is registered, and the old keys stay', async (_, pem, what) => {
    writeFileSync(files.leaf, pem());
    const said = await refusedReload();
    expect(said).toMatch(/^clients\[3\]\.oauth\.certificateFiles/);
    expect(said).toMatch(what);
    const forged = assertionBy('certified', stranger.privateKey);
    expect((await traces.noneOf(() => postToken(gateway, grantForm(forged)))).status).toBe(401);
    const { status, body } = await postToken(gateway, grantForm(assertionBy('certified', SIGNER.privateKey)));
    expect([status, await paysWith(String(body.access_token))]).toEqual([200, '00']);
  });
});

describe('a certificate of a client that has expired', () => {
  const ENDED = { fromS: now() - 48 * HOUR_S, untilS: now() - 24 * HOUR_S };
  /** A token as if it had been given while the certificate was good. */
  const formerToken = (): string => tokenByHand(gateway, 'certified');
  const isOut = async (): Promise<void> => {
    const own = assertionBy('certified', SIGNER.privateKey);
    const answer = await traces.noneOf(() => postToken(gateway, grantForm(own)));
    const nobody = await postToken(gateway, grantForm(assertionBy('nobody', SIGNER.privateKey)));
    expect(answer.status).toBe(401);
    expect(bytesOf(answer)).toBe(bytesOf(nobody));
    const token = formerToken();
    const called = await traces.noneOf(() => call(gateway, 'Purchase', PURCHASE, { token }));
    expect(called.status).toBe(403);
    expect(bytesOf(called)).toBe(bytesOf(await call(gateway, 'Purchase', PURCHASE, { token: newToken() })));
    expect(await paysWith(await tokenFor(shop))).toBe('00');
  };

  it('proves what it should: it was good before', async () => {
    await reloaded(gateway);
    expect(await paysWith(formerToken())).toBe('00');
  });

  it.each([
    ['S132: expired', leaf(ENDED), CA, 'clients[3].oauth.certificateFiles'],
    ['S132: below an authority that has expired', GOOD_LEAF, authority(ROOT, ROOT, ENDED), 'clients[3].oauth.caFile'],
  ])('%s is as good as unknown, and costs nobody else a call', async (_, pem, ca, path) => {
    writeFileSync(files.leaf, pem);
    writeFileSync(files.ca, ca);
    const before = (await metric(gateway, 'gateway_alarms_total', { kind: 'expired' })) ?? 0;
    await reloaded(gateway);
    await isOut();
    expect(lines('configWarning').at(-1)).toMatchObject({ path });
    expect(lines('alarm').at(-1)).toMatchObject({ kind: 'expired', what: expect.stringContaining('certified') });
    expect(await metric(gateway, 'gateway_alarms_total', { kind: 'expired' })).toBeGreaterThan(before);
    const problems: string[] = [];
    expect(await checkConfig(gateway.configFile, {}, line => problems.push(line))).toBe(1);
    expect(problems.join()).toContain(path);
  });

  it('S132: expired keeps no gateway from starting', async () => {
    writeFileSync(files.leaf, leaf(ENDED));
    await gateway.restart();
    await isOut();
    await waitFor('the alarm', () => lines('alarm').some(({ kind }) => kind === 'expired'));
    registerGood();
    await reloaded(gateway);
    expect(await paysWith(formerToken())).toBe('00');
  });
});

describe('a key that was retired', () => {
  it('S48: signs no assertion any more, and one that is kept beside the new one does', async () => {
    const [old] = shop.signing;
    const next = signingPair();
    const byOld = () => shop.assertion(rootOf(gateway), {}, {}, old).then(assertion => grantForm(assertion));
    shop.signing = [next, ...shop.signing];
    shop.register();
    await reloaded(gateway);
    expect((await postToken(gateway, await byOld())).status).toBe(200);
    shop.signing = [next];
    shop.register();
    await reloaded(gateway);
    const form = await byOld();
    const answer = await traces.noneOf(() => postToken(gateway, form));
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    expect(await paysWith(await tokenFor(shop))).toBe('00');
  });
});

describe('a key of ours that was retired', () => {
  it('S81: opens while it is kept beside the new one, and nothing after that', async () => {
    const session = { gateway, party: mill, token: await tokenFor(mill), key: await gatewayKey(gateway) };
    const present = testKeys().decryptionKeyFile;
    const next = writePrivate(join(dir, 'next.jwk.json'), sealingPair());
    const openWith = async (...decryptionKeyFiles: readonly string[]) => {
      gateway.configure(({ oauth }) => Object.assign(oauth ?? {}, { decryptionKeyFiles }));
      await reloaded(gateway);
    };
    await openWith(next, present);
    expect((await sealedCall(session, 'Purchase', PURCHASE)).body.responseCode).toBe('00');
    await openWith(next);
    const answer = await traces.noneOf(() => sealedCall(session, 'Purchase', PURCHASE));
    expect(answer).toMatchObject({ status: 400, body: { responseCode: '30' } });
    const fresh = { ...session, key: await gatewayKey(gateway) };
    expect((await sealedCall(fresh, 'Purchase', PURCHASE)).body.responseCode).toBe('00');
  });
});
