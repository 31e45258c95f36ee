/**
 * Every kind of key that clients see is replaced each second, by SIGHUP and with overlap on both sides, while calls are
 * made: no call fails (F77).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificate, toPem } from '../edge/certificateKit.ts';
import { ecPair } from '../edge/oauthKit.ts';
import type { TestConfig } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import {
  gatewayKey,
  type Pair,
  Party,
  PURCHASE,
  publicKeyOf,
  sealedCall,
  sealingPair,
  signingPair,
  tokenOf,
  writePrivate,
} from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import { Rig, UNHURRIED } from './rig.ts';
import { type Begin, type Load, Overlap, ROTATION_TEST, ROTATIONS, reloaded, rotateUnderLoad } from './rotation.ts';

const rig = new Rig();
const dir = tempDir('rotation');
const bank = new Party('bank');
/** Registered by certificates. */
const shop = new Party('shop');
const root = { name: 'root', ...ecPair() };
const caFile = join(dir, 'ca.pem');
const nowS = Math.floor(Date.now() / 1000);
const VALID = { fromS: nowS - 3600, untilS: nowS + 300 * 86_400 };
const ours = { signing: new Overlap(signingPair()), opening: new Overlap(sealingPair()) };
let gateway: Gateway;

const files = (pairs: readonly Pair[]): string[] =>
  pairs.map(pair => writePrivate(join(dir, `${pair.kid}.jwk.json`), pair));

/** A key as its certificate names it. */
const certified = async (pair: Pair): Promise<Pair> => {
  const kid = await calculateJwkThumbprint(pair.publicJwk);
  return { ...pair, kid, publicJwk: { ...pair.publicJwk, kid } };
};
const certificateOf = (pair: Pair): string => {
  const usage = [pair.publicJwk.kty === 'EC' ? 'digitalSignature' : 'keyEncipherment'];
  const subject = { name: 'shop', publicKey: publicKeyOf(pair) };
  const path = join(dir, `${pair.kid}.pem`);
  writeFileSync(path, toPem(certificate({ subject, by: root, ca: false, usage, ...VALID })));
  return path;
};

const configureKeys = ({ oauth, clients }: TestConfig): void => {
  if (!oauth) throw new Error('there is no OAuth');
  oauth.signingKeyFiles = files(ours.signing.keys);
  oauth.decryptionKeyFiles = files(ours.opening.keys);
  const client = clients.find(({ id }) => id === shop.id);
  if (client) client.oauth = { caFile, certificateFiles: [...shop.signing, ...shop.sealing].map(certificateOf) };
};
const reload = async (): Promise<void> => {
  gateway.configure(configureKeys);
  await reloaded(gateway);
};

beforeAll(async () => {
  writeFileSync(caFile, toPem(certificate({ subject: root, by: root, ca: true, usage: ['keyCertSign'], ...VALID })));
  shop.signing = await Promise.all(shop.signing.map(certified));
  shop.sealing = await Promise.all(shop.sealing.map(certified));
  shop.register();
  gateway = await rig.gateway(await rig.issuer(), {
    ...UNHURRIED,
    change: config => {
      config.clients.push(bank.config(), shop.config());
      configureKeys(config);
    },
  });
});
afterAll(() => rig.end());

const sessionOf =
  (party: Party): Begin =>
  async () => {
    const [token, key] = [await tokenOf(gateway, party), await gatewayKey(gateway)];
    return async () => {
      const { status, body } = await sealedCall({ gateway, party, token, key }, 'Purchase', PURCHASE);
      return `${status} ${body.responseCode}`;
    };
  };

type Kind = 'signing' | 'sealing';
/** Replaces a client's key: the gateway learns it, then the client uses it, and then the oldest one goes. */
const clientRotation = (party: Party, kind: Kind, make: () => Promise<Pair>) => {
  const [first] = party[kind];
  if (!first) throw new Error('it has no key');
  const keys = new Overlap(first);
  const register = async () => {
    party[kind] = keys.keys;
    party.register();
    await reload();
  };
  const rotate = async (load: Load) => {
    await keys.makeRoom(load);
    const added = await make();
    keys.announce(added);
    await register();
    keys.use(added);
    await register();
    keys.settle();
  };
  return { keys, rotate };
};

/** Replaces one of ours: known everywhere before it is in use. */
const ownRotation = (keys: Overlap<Pair>, make: () => Pair) => ({
  keys,
  rotate: async (load: Load) => {
    await keys.makeRoom(load);
    const added = make();
    keys.announce(added);
    await reload();
    keys.use(added);
    await reload();
    keys.settle();
  },
});

type Rotation = { readonly keys: Overlap<Pair>; readonly rotate: (load: Load) => Promise<void> };
const made = {
  signing: async () => signingPair(),
  sealing: async () => sealingPair(),
};
const KINDS: readonly (readonly [title: string, party: Party, make: () => Rotation])[] = [
  ['our key that signs tokens', bank, () => ownRotation(ours.signing, signingPair)],
  ['our key that opens payloads', bank, () => ownRotation(ours.opening, sealingPair)],
  ['the client’s key that signs assertions', bank, () => clientRotation(bank, 'signing', made.signing)],
  ['the client’s key that opens answers', bank, () => clientRotation(bank, 'sealing', made.sealing)],
  [
    'the client’s certificate for assertions',
    shop,
    () => clientRotation(shop, 'signing', async () => certified(signingPair())),
  ],
  [
    'the client’s certificate for answers',
    shop,
    () => clientRotation(shop, 'sealing', async () => certified(sealingPair())),
  ],
];

describe('F77: rotation each second under load costs no call', () => {
  it.each(KINDS)('of %s', ROTATION_TEST, async (_, party, make) => {
    const { keys, rotate } = make();
    await rotateUnderLoad(sessionOf(party), rotate);
    expect(keys.count).toBe(ROTATIONS);
  });
});
