/**
 * The keys of payloads between us and an issuer that encrypts, replaced each second while calls are made: ours, which open
 * its answers, and its own, which we seal for. The issuer is a second gateway, so that both sides are real. No call fails.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { call } from '../support/client.ts';
import type { TestConfig } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { type Pair, Party, PURCHASE, rootOf, sealingPair, signingPair, writePrivate } from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import { Rig, UNHURRIED } from './rig.ts';
import { type Load, Overlap, ROTATION_TEST, ROTATIONS, reloaded, rotateUnderLoad } from './rotation.ts';

const rig = new Rig();
afterAll(() => rig.end());
const dir = tempDir('outbound-rotation');

/** It leaves room for the gateway that it is the issuer of. */
const BACK = { client: { budgetMs: 5500 }, issuer: { timeoutMs: 4000, maxProcessingMs: 4000 } };

const files = (pairs: readonly Pair[]) => pairs.map(pair => writePrivate(join(dir, `${pair.kid}.jwk.json`), pair));

/** The two gateways, with the keys that each of them is told to use. */
class Stage {
  readonly ours = new Overlap<Pair>(sealingPair());
  readonly theirs = new Overlap<Pair>(sealingPair());
  readonly #front = new Party('front');
  readonly #signingKeyFile = writePrivate(join(dir, 'us.jwk.json'), this.#front.signing[0] ?? signingPair());
  readonly #issuerKeysFile = join(dir, 'issuer.jwks.json');

  /** What the issuer knows of us, and what it opens with. */
  readonly configureBack = ({ oauth }: TestConfig): void => {
    if (!oauth) throw new Error('there is no OAuth');
    oauth.decryptionKeyFiles = files(this.theirs.keys);
    this.#front.sealing = this.ours.keys;
    this.#front.register();
  };

  /** What we know of the issuer, and what we open with. */
  readonly configureFront = (back: Gateway, { issuers: [issuer] }: TestConfig): void => {
    if (!issuer) throw new Error('there is no issuer');
    const [theirs] = this.theirs.keys;
    writeFileSync(this.#issuerKeysFile, JSON.stringify({ keys: [theirs?.publicJwk] }));
    const endpoint = { tokenEndpoint: `${rootOf(back)}/oauth2/token`, issuer: rootOf(back) };
    issuer.credentials = { oauth: { ...endpoint, clientId: this.#front.id, signingKeyFile: this.#signingKeyFile } };
    issuer.payload = 'encrypted';
    issuer.payloadKeys = { issuerKeysFile: this.#issuerKeysFile, decryptionKeyFiles: files(this.ours.keys) };
  };

  /** The client as the issuer has it. */
  clientAtBack() {
    return this.#front.config({ budgetMs: 5500 });
  }
}

/** Two gateways, and what makes both of them read their keys anew. */
const start = async () => {
  const stage = new Stage();
  const back = await rig.gateway(await rig.issuer(), {
    ...BACK,
    change: config => {
      config.clients.push(stage.clientAtBack());
      stage.configureBack(config);
    },
  });
  const configureFront = (config: TestConfig) => stage.configureFront(back, config);
  const gateway = await rig.gateway({ baseUrl: back.url }, { ...UNHURRIED, change: configureFront });
  const tellBoth = async (): Promise<void> => {
    back.configure(stage.configureBack);
    gateway.configure(configureFront);
    await Promise.all([back, gateway].map(each => reloaded(each)));
  };
  const begin = async () => async () => {
    const { status, body } = await call(gateway, 'Purchase', PURCHASE);
    return `${status} ${body.responseCode}`;
  };
  return { stage, tellBoth, begin };
};

it(
  'F77: our key that opens the answers of an issuer, and its own that we seal for, each second under load',
  ROTATION_TEST,
  async () => {
    const { stage, tellBoth, begin } = await start();
    const both = [stage.ours, stage.theirs];
    await rotateUnderLoad(begin, async (load: Load) => {
      for (const keys of both) await keys.makeRoom(load);
      const added = both.map(keys => ({ keys, pair: sealingPair() }));
      // Whoever opens learns of the key first; whoever seals uses it then.
      for (const { keys, pair } of added) keys.announce(pair);
      await tellBoth();
      for (const { keys, pair } of added) keys.use(pair);
      await tellBoth();
      for (const { keys } of added) keys.settle();
    });
    expect(both.map(({ count }) => count)).toEqual([ROTATIONS, ROTATIONS]);
  },
);
