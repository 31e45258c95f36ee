/**
 * The OpenID Foundation's conformance tests for the FAPI 2.0 Security Profile (Final) that apply to client authentication
 * at our token endpoint, each under its name there, and what its own server refuses of a client. Those that are about
 * pushed authorization requests send the same assertion to the one endpoint that we have.
 */
import { createHmac, createPublicKey, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { b64, type Json } from '../edge/oauthKit.ts';
import { type Answer, call } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { grantForm, Party, PURCHASE, postToken, rootOf, tokenOf } from '../support/oauth.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { Traces } from '../support/traces.ts';
import { Rig, UNHURRIED } from './rig.ts';

const DAY_S = 86_400;
const rig = new Rig();
const first = new Party('first-client');
const second = new Party('second-client');
let issuer: ScriptedIssuer;
let gateway: Gateway;
let traces: Traces;

beforeAll(async () => {
  issuer = await rig.issuer();
  const redis = await rig.redis();
  traces = new Traces(issuer, redis);
  gateway = await rig.gateway(issuer, {
    ...UNHURRIED,
    journalUrl: redis.url,
    change: config =>
      config.clients.push(first.config({ payload: 'plain' }), second.config({ payload: 'plain', scopes: ['Refund'] })),
  });
});
afterAll(() => rig.end());

const now = (): number => Math.floor(Date.now() / 1000);
const us = (): string => rootOf(gateway);
const keyOf = ({ signing: [pair] }: Party) => {
  if (!pair) throw new Error('it has no key to sign with');
  return pair;
};
const own = (claims: Json = {}): Promise<string> => first.assertion(us(), claims);
const postAssertion = async (assertion: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  postToken(gateway, grantForm(assertion, more));
/** An assertion that is right in everything, but for the algorithm in its header and what is signed with. */
const signedBy = (alg: string, signature: (input: Buffer) => Buffer): string => {
  const claims = { iss: first.id, sub: first.id, aud: us(), jti: crypto.randomUUID(), iat: now(), exp: now() + 60 };
  const input = `${b64({ alg, kid: keyOf(first).kid })}.${b64(claims)}`;
  return `${input}.${signature(Buffer.from(input)).toString('base64url')}`;
};
const sealingKey = () => {
  const [pair] = first.sealing;
  if (!pair) throw new Error('it has no RSA key');
  return pair.privateKey;
};
const publicPem = () => createPublicKey(keyOf(first).privateKey).export({ type: 'spki', format: 'pem' });

type Test = readonly [name: string, send: () => Promise<Answer>];

const MUST_FAIL: readonly Test[] = [
  [
    'FAPI2SPFinalEnsureClientAssertionInTokenEndpoint',
    () => postToken(gateway, { grant_type: 'client_credentials', client_id: first.id }),
  ],
  [
    'FAPI2SPFinalEnsureClientAssertionWithWrongAudFails',
    async () => postAssertion(await own({ aud: 'https://other.example' })),
  ],
  [
    'FAPI2SPFinalEnsureClientAssertionWithExpIs5MinutesInPastFails',
    async () => postAssertion(await own({ iat: now() - 360, exp: now() - 300 })),
  ],
  ['FAPI2SPFinalEnsureClientAssertionWithNoSubFails', async () => postAssertion(await own({ sub: undefined }))],
  [
    'FAPI2SPFinalEnsureSignedClientAssertionWithRS256Fails',
    async () => postAssertion(signedBy('RS256', input => sign('sha256', input, sealingKey()))),
  ],
  ['FAPI2SPFinalEnsureClientIdInTokenEndpoint', async () => postAssertion(await own(), { client_id: second.id })],
  [
    'FAPI2SPFinalPAREnsureJWTClientAssertionWithIatNbfOver60SecondsInTheFutureFails',
    async () => postAssertion(await own({ iat: now() + 65, nbf: now() + 65, exp: now() + 120 })),
  ],
  [
    'FAPI2SPFinalPAREndpointAsArrayAudienceFails',
    async () => postAssertion(await own({ aud: [us(), `${us()}/oauth2/token`] })),
  ],
  [
    'FAPI2SPFinalPARTokenEndpointAsAudienceFails',
    async () => postAssertion(await own({ aud: `${us()}/oauth2/token` })),
  ],
  ['FAPI2SPFinalPAREndpointAsAudienceFails', async () => postAssertion(await own({ aud: `${us()}/oauth2/par` }))],
];

/** Conditions of the suite's own server, in its order. */
const SERVER_REFUSES: readonly Test[] = [
  ['a wrong iss', async () => postAssertion(await own({ iss: second.id }))],
  ['a wrong sub', async () => postAssertion(await own({ sub: second.id }))],
  [
    'an HMAC for a signature',
    async () => postAssertion(signedBy('HS256', input => createHmac('sha256', publicPem()).update(input).digest())),
  ],
  [
    'another algorithm than the registered one',
    async () => postAssertion(signedBy('ES512', input => sign('sha512', input, keyOf(first).privateKey))),
  ],
  [
    'a jti that was used',
    async () => {
      const assertion = await own();
      expect((await postAssertion(assertion)).status).toBe(200);
      return postAssertion(assertion);
    },
  ],
  ['no jti', async () => postAssertion(await own({ jti: undefined }))],
  ['no iat', async () => postAssertion(await own({ iat: undefined }))],
  ['no exp', async () => postAssertion(await own({ exp: undefined }))],
  ['no aud', async () => postAssertion(await own({ aud: undefined }))],
  ['an exp more than a day ahead', async () => postAssertion(await own({ exp: now() + DAY_S + 60 }))],
  [
    'an iat more than a day ahead',
    async () => postAssertion(await own({ iat: now() + DAY_S + 60, exp: now() + DAY_S + 120 })),
  ],
];

describe('FAPI 2.0: what must be refused', () => {
  it.each([...MUST_FAIL, ...SERVER_REFUSES])('%s', async (_, send) => {
    const { status, body } = await traces.noneOf(send);
    expect([status, body.error, body.access_token]).toEqual([401, 'invalid_client', undefined]);
  });
});

describe('FAPI 2.0: what must be accepted', () => {
  it('FAPI2SPFinalPAREnsureJWTClientAssertionWithIatNbf8SecondsInTheFutureIsAccepted', async () => {
    const { status, body } = await postAssertion(await own({ iat: now() + 8, nbf: now() + 8, exp: now() + 68 }));
    expect([status, body.token_type]).toEqual([200, 'Bearer']);
    const token = String(body.access_token);
    expect((await call(gateway, 'Purchase', PURCHASE, { token })).body.responseCode).toBe('00');
  });

  it.each(['bEARER', 'bearer', 'BEARER'])('FAPI2SPFinalAccessTokenTypeHeaderCaseSensitivity: %s', async scheme => {
    const headers = { authorization: `${scheme} ${await tokenOf(gateway, first)}` };
    const { status, body } = await call(gateway, 'Purchase', PURCHASE, { headers });
    expect([status, body.responseCode]).toEqual([200, '00']);
  });
});
