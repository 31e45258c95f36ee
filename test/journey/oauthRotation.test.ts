/**
 * Every kind of key is replaced while calls are made, by SIGHUP and with overlap on both sides: no call fails (F77).
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

const ROUNDS = 4;
const CALLERS = 4;
/** So many of one kind are known at a time: the one in use, the one before, and one that nobody should use any more. */
const KEPT = 3;

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

const reloads = () => gateway.logLines().filter(({ event }) => event === 'reloaded').length;

async function reload(): Promise<void> {
  const before = reloads();
  gateway.configure(configureKeys);
  gateway.sighup();
  await waitFor('the reload', () => reloads() > before);
}

/** Calls without a pause until told to end, each with a token and a key that are a few calls old; what went wrong. */
function startLoad() {
  const state = { running: true, calls: 0, rounds: 0 };
  const failures = new Set<string>();
  const round = async () => {
    const token = await tokenOf(gateway, bank);
    const key = await gatewayKey(gateway);
    for (let no = 0; no < 10 && state.running; no += 1) {
      const { status, body } = await sealedCall({ gateway, party: bank, token, key }, 'Purchase', PURCHASE);
      state.calls += 1;
      if (status !== 200 || body.responseCode !== '00') failures.add(`${status} ${body.responseCode}`);
    }
    state.rounds += 1;
  };
  const work = async () => {
    while (state.running) await round().catch((error: unknown) => failures.add(String(error)));
  };
  const workers = Promise.all(Array.from({ length: CALLERS }, work));
  /** Until every caller has begun anew, so that what it used before is not used any more. */
  const renewed = async () => {
    const from = state.rounds;
    await waitFor('new tokens', () => state.rounds >= from + 2 * CALLERS, { timeoutMs: 20_000 });
  };
  const end = async () => {
    state.running = false;
    await workers;
    return { failures: [...failures], calls: state.calls };
  };
  return { renewed, end };
}

const rotated = <T>(added: T, present: readonly T[]): readonly T[] => [added, ...present].slice(0, KEPT);

const KINDS: readonly (readonly [title: string, rotate: () => Promise<void>])[] = [
  [
    'our signing key',
    async () => {
      signing = rotated(signingPair(), signing);
      await reload();
    },
  ],
  [
    'our key for payloads',
    async () => {
      // Known everywhere before it is published: the first one is.
      const [added, before] = [sealingPair(), opening];
      opening = [...before, added];
      await reload();
      opening = rotated(added, before);
      await reload();
    },
  ],
  [
    'the client’s signing key',
    async () => {
      const [added, before] = [signingPair(), bank.signing];
      bank.signing = [...before, added];
      bank.register();
      await reload();
      // From here on it signs with the new one.
      bank.signing = rotated(added, before);
      bank.register();
      await reload();
    },
  ],
  [
    'the client’s key for answers',
    async () => {
      bank.sealing = rotated(sealingPair(), bank.sealing);
      bank.register();
      await reload();
    },
  ],
];

describe('F77: rotation under load costs no call', () => {
  it.each(KINDS)('of %s', { timeout: 60_000 }, async (_, rotate) => {
    const load = startLoad();
    await load.renewed();
    for (let no = 0; no < ROUNDS; no += 1) {
      await rotate();
      await load.renewed();
    }
    const { failures, calls } = await load.end();
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(ROUNDS * CALLERS);
  });
});

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
    expect((await purchase(await fresh())).status).toBe(200);
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
    gateway.sighup();
    await waitFor('the refusal', () => gateway.logLines().some(({ event }) => event === 'reloadRefused'));
    expect((await purchase(session)).status).toBe(200);
    bank.register();
  });
});
