/**
 * Keys that are taken away by SIGHUP take with them what stood on them, at once. How they are replaced without a failed
 * call is in `keyRotation.test.ts`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestConfig } from '../support/gatewayConfig.ts';
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
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { Rig } from './rig.ts';
import { reloaded } from './rotation.ts';

const rig = new Rig();
const dir = tempDir('rotation');
const bank = new Party('bank');
let issuer: ScriptedIssuer;
let gateway: Gateway;
let signing: readonly Pair[] = [signingPair()];
let opening: readonly Pair[] = [sealingPair()];

const configureKeys = ({ oauth }: TestConfig): void => {
  if (!oauth) throw new Error('there is no OAuth');
  const file = (pair: Pair) => writePrivate(join(dir, `${pair.kid}.jwk.json`), pair);
  oauth.signingKeyFiles = signing.map(file);
  oauth.decryptionKeyFiles = opening.map(file);
};

beforeAll(async () => {
  issuer = await rig.issuer();
  gateway = await rig.gateway(issuer, {
    change: config => {
      config.clients.push(bank.config());
      configureKeys(config);
    },
  });
});
afterAll(() => rig.end());

const reload = async (): Promise<void> => {
  gateway.configure(configureKeys);
  await reloaded(gateway);
};

describe('a key that was taken away', () => {
  const fresh = async () => ({ token: await tokenOf(gateway, bank), key: await gatewayKey(gateway) });
  const purchase = ({ token, key }: { token: string; key: JWK }) =>
    sealedCall({ gateway, party: bank, token, key }, 'Purchase', PURCHASE);

  it('S48: takes the tokens with it that it signed, those that were seen before too', async () => {
    const session = await fresh();
    expect((await purchase(session)).status).toBe(200);
    signing = [signingPair()];
    await reload();
    expect((await purchase(session)).status).toBe(403);
    expect((await purchase(await fresh())).status).toBe(200);
  });

  it('S81: opens while it is configured, and not a call longer', async () => {
    const before = await fresh();
    opening = [sealingPair(), ...opening];
    await reload();
    const session = { ...(await fresh()), key: before.key };
    expect((await purchase(session)).status).toBe(200);
    opening = opening.slice(0, 1);
    await reload();
    expect(await purchase(session)).toMatchObject({ status: 400, body: { responseCode: '30' } });
    const after = await fresh();
    expect((await purchase(after)).status).toBe(200);
    const lines = await waitFor('the lines of the log', () => {
      const requests = gateway.logLines().filter(({ event }) => event === 'request');
      return requests.at(-1)?.kid === after.key.kid ? requests : undefined;
    });
    // What is no key of ours is not repeated: it could be anything.
    expect(lines.slice(-3).map(({ status, kid }) => [status, kid])).toEqual([
      [200, before.key.kid],
      [400, undefined],
      [200, after.key.kid],
    ]);
  });

  it('S48: signs no assertion any more', async () => {
    const [old] = bank.signing;
    bank.signing = [signingPair()];
    bank.register();
    await reload();
    const assertion = await bank.assertion(rootOf(gateway), {}, {}, old);
    expect((await postToken(gateway, grantForm(assertion))).status).toBe(401);
    expect((await purchase(await fresh())).status).toBe(200);
  });

  it('a file of keys that is broken changes nothing', async () => {
    const session = await fresh();
    writeFileSync(bank.keysFile, '{"keys":[]}');
    await reloaded(gateway, 'reloadRefused');
    expect((await purchase(session)).status).toBe(200);
    bank.register();
  });
});
