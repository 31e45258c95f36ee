/**
 * Mutated tokens, assertions and envelopes over real HTTP, against a gateway process: 400, 401 and 403 are all that anybody
 * hears, nothing reaches the issuer, and the process keeps no memory of it. `npm run fuzz` sends 100,000.
 *
 * A token or an envelope that a mutation has left valid must not be mistaken for a finding. So what is inside of each is
 * wrong as well: a message without fields, a scope that nobody has. Whoever gets as far as that hears 400.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changed, fuzzRuns, mutated } from '../edge/mutations.ts';
import { jwsOf, respelled } from '../edge/oauthKit.ts';
import { API_PATHS } from '../support/apiPaths.ts';
import { rawRequest } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { HEAP_PROBE, heldBytes } from '../support/heap.ts';
import {
  gatewayKey,
  gatewaySigningKey,
  grantForm,
  Party,
  postSealed,
  postToken,
  rootOf,
  sealFor,
  signingPair,
  tokenOf,
} from '../support/oauth.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { Rig } from './rig.ts';

/** All together. */
const RUNS = fuzzRuns(600);
/** Sent at a time: fewer than the gateway opens for one client, and lets one peer have checked. */
const AT_A_TIME = 6;
const TEST = { timeout: 60_000 + RUNS * 20 } as const;
/** Caches fill, code is compiled: that is over after so many, and is no more than this many bytes. */
const WARM_UP = 300;
const HELD_MORE_MAX = 8 * 1024 * 1024;

const rig = new Rig();
const bank = new Party('bank');
const { privateKey: bankKey } = bank.signing[0] ?? signingPair();
let issuer: ScriptedIssuer;
let gateway: Gateway;
let token = '';
let assertion = '';
let envelope = '';

beforeAll(async () => {
  issuer = await rig.issuer();
  gateway = await rig.gateway(issuer, { env: HEAP_PROBE, change: config => config.clients.push(bank.config()) });
  token = await tokenOf(gateway, bank);
  assertion = await bank.assertion(rootOf(gateway));
  envelope = await sealFor(await gatewayKey(gateway), '{}');
});
afterAll(() => rig.end());

/** What HTTP lets a header be; anything else is sent byte by byte. */
const HEADER = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The status of a call with that text for a token. */
const withToken = async (text: string): Promise<number> => {
  if (HEADER.test(text)) return (await postSealed(gateway, 'Purchase', text, envelope)).status;
  const head = [
    `POST /card-api${API_PATHS.Purchase} HTTP/1.1`,
    'Host: a',
    `timestamp: ${Date.now()}`,
    'Content-Type: application/jose',
    `Authorization: Bearer ${text}`,
    'Content-Length: 1',
  ];
  return (await rawRequest(gateway.port, Buffer.from(`${head.join('\r\n')}\r\n\r\nx`, 'utf8'))).status;
};
const withAssertion = async (text: string): Promise<number> =>
  (await postToken(gateway, grantForm(text, { scope: 'nobody-has-this' }))).status;
const withEnvelope = async (text: string): Promise<number> =>
  (await postSealed(gateway, 'Purchase', token, text)).status;

const claimsOf = (text: string) => JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString());
const headerOf = (text: string) => JSON.parse(Buffer.from(text.split('.')[0] ?? '', 'base64url').toString());
const signedAnew = (text: string, key: Parameters<typeof jwsOf>[2]): fc.Arbitrary<string> =>
  fc
    .tuple(changed(headerOf(text)), changed(claimsOf(text)), fc.boolean())
    .map(([header, claims, isLow]) => respelled(jwsOf(header, claims, key), isLow));
const resealed = (text: string): fc.Arbitrary<string> =>
  changed(headerOf(text)).map(header =>
    [Buffer.from(JSON.stringify(header)).toString('base64url'), ...text.split('.').slice(1)].join('.'),
  );

type Kind = readonly [
  title: string,
  share: number,
  texts: () => fc.Arbitrary<string>,
  send: (text: string) => Promise<number>,
  allowed: readonly number[],
];
const KINDS: readonly Kind[] = [
  ['access tokens', 0.25, () => mutated(token), withToken, [400, 401, 403]],
  ['access tokens that we signed', 0.15, () => signedAnew(token, gatewaySigningKey()), withToken, [400, 401, 403]],
  ['assertions', 0.2, () => mutated(assertion), withAssertion, [400, 401]],
  ['assertions that the client signed', 0.1, () => signedAnew(assertion, bankKey), withAssertion, [400, 401]],
  ['envelopes', 0.2, () => mutated(envelope), withEnvelope, [400]],
  ['envelopes with another header', 0.1, () => resealed(envelope), withEnvelope, [400]],
];

const sendAll = ([, share, texts, send, allowed]: Kind, runs: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(texts(), { minLength: AT_A_TIME, maxLength: AT_A_TIME }), async some => {
      for (const status of await Promise.all(some.map(send))) expect(allowed).toContain(status);
    }),
    { numRuns: Math.max(1, Math.round((share * runs) / AT_A_TIME)) },
  );

describe('whatever comes in at the front door', () => {
  let heldBefore = 0;

  it('F85: what is not mutated is good, and hears of what is inside', TEST, async () => {
    expect([await withToken(token), await withEnvelope(envelope)]).toEqual([400, 400]);
    expect(await withAssertion(await bank.assertion(rootOf(gateway)))).toBe(400);
    for (const kind of KINDS) await sendAll(kind, WARM_UP);
    heldBefore = await heldBytes(gateway);
  });

  it.each(KINDS)('F85: mutated %s are 400, 401 or 403', TEST, async (...kind) => {
    await sendAll(kind, RUNS);
  });

  it('I9: has cost no memory, nothing went to the issuer, and the gateway is well', TEST, async () => {
    expect((await heldBytes(gateway)) - heldBefore).toBeLessThan(HELD_MORE_MAX);
    expect(issuer.requests).toEqual([]);
    expect(gateway.alive()).toBe(true);
    expect(gateway.logLines().filter(({ event }) => event === 'defect')).toEqual([]);
    expect([await withToken(token), (await tokenOf(gateway, bank)).length > 0]).toEqual([400, true]);
  });
});
