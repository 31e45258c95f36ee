/**
 * The gateway as a client of OAuth itself: its issuer is a second gateway, which speaks the same contract, gives tokens
 * and encrypts. So both sides of everything are the real ones, and behind them a scripted issuer counts what arrives.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, newTranId, post } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { gatewayKey, Party, PURCHASE, rootOf, sealingPair, signingPair, writePrivate } from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { Rig, untilNothingOwed } from './rig.ts';

const rig = new Rig();
const dir = tempDir('outbound');
const front = new Party('front');
/** The limits of the two gateways leave room for each other. */
const BACK = { client: { budgetMs: 8000 }, issuer: { timeoutMs: 2000, maxProcessingMs: 2000 } };
let issuer: ScriptedIssuer;
let back: Gateway;
let gateway: Gateway;

const ownFiles = () => ({
  signingKeyFile: writePrivate(join(dir, 'us.jwk.json'), front.signing[0] ?? signingPair()),
  decryptionKeyFiles: front.sealing.map((pair, no) => writePrivate(join(dir, `payload-${no}.jwk.json`), pair)),
});

const credentials = (signingKeyFile: string) => ({
  oauth: { tokenEndpoint: `${rootOf(back)}/oauth2/token`, issuer: rootOf(back), clientId: 'front', signingKeyFile },
});

beforeAll(async () => {
  issuer = await rig.issuer();
  back = await rig.gateway(issuer, { ...BACK, change: config => config.clients.push(front.config()) });
  const issuerKeysFile = join(dir, 'issuer.jwks.json');
  writeFileSync(issuerKeysFile, JSON.stringify({ keys: [await gatewayKey(back)] }));
  const { signingKeyFile, decryptionKeyFiles } = ownFiles();
  gateway = await rig.gateway(
    { baseUrl: back.url },
    {
      client: { budgetMs: 8000 },
      issuer: {
        timeoutMs: 6000,
        maxProcessingMs: 6000,
        credentials: credentials(signingKeyFile),
        payload: 'encrypted',
        payloadKeys: { issuerKeysFile, decryptionKeyFiles },
      },
    },
  );
});
afterAll(() => rig.end());

const purchase = (tranId = newTranId()) => call(gateway, 'Purchase', PURCHASE, { tranId });
const tokensGiven = () =>
  back.logLines().filter(({ event, result }) => event === 'oauth' && result === 'issued').length;

const reload = async (to: Gateway) => {
  const count = () => to.logLines().filter(({ event }) => event === 'reloaded').length;
  const before = count();
  to.sighup();
  await waitFor('the reload', () => count() > before);
};

describe('an issuer that gives tokens and encrypts', () => {
  it('gets each call once, sealed, and with one token for all of them', async () => {
    const tranId = newTranId();
    const answers = await Promise.all([purchase(tranId), ...Array.from({ length: 9 }, () => purchase())]);
    expect(answers.map(({ body }) => body.responseCode)).toEqual(answers.map(() => '00'));
    expect(issuer.requestsOf('Purchase', tranId)).toHaveLength(1);
    await waitFor('the line of the token', () => tokensGiven() > 0);
    expect(tokensGiven()).toBe(1);
  });

  it('F77: our keys are exchanged with it while calls are made, and none fails', async () => {
    let running = true;
    const ends: string[] = [];
    const work = async () => {
      while (running) ends.push(String((await purchase()).body.responseCode));
    };
    const load = Promise.all([work(), work()]);
    const [signing, sealing] = [signingPair(), sealingPair()];
    // The other side learns the new keys first, then we use them, then the old ones go.
    front.signing = [...front.signing, signing];
    front.register();
    await reload(back);
    front.signing = [signing];
    const files = ownFiles();
    gateway.configure(({ issuers: [own] }) => {
      if (own) own.credentials = credentials(files.signingKeyFile);
    });
    await reload(gateway);
    front.sealing = [sealing, ...front.sealing];
    const { decryptionKeyFiles } = ownFiles();
    gateway.configure(({ issuers: [own] }) => {
      if (own) own.payloadKeys = { ...Object(own.payloadKeys), decryptionKeyFiles };
    });
    await reload(gateway);
    front.register();
    await reload(back);
    expect((await purchase()).body.responseCode).toBe('00');
    running = false;
    await load;
    expect(new Set(ends)).toEqual(new Set(['00']));
  });

  it('that does not believe us is an alarm, and nothing is sent nor left behind', async () => {
    await post(`${back.adminUrl}/admin/revocations`, JSON.stringify({ kind: 'client', id: 'front' }), {
      headers: { 'content-type': 'application/json' },
    });
    const seen = issuer.requests.length;
    const answer = await waitFor('the refusal', async () => {
      const one = await purchase();
      return one.body.responseCode === '00' ? undefined : one;
    });
    expect(answer.body.responseCode).toBe('91');
    const alarms = () => gateway.logLines().filter(({ event }) => event === 'alarm');
    await waitFor('the alarm', () => alarms().some(({ kind }) => kind === 'refusedAtTheDoor'));
    await untilNothingOwed(gateway);
    expect(issuer.requests.length - seen).toBeLessThan(3);
  });
});
