/**
 * The client by OAuth: one token and one key for all calls, renewed before they end and when they are refused; envelopes
 * both ways; and a token of its own for a site that calls itself otherwise. Against a gateway made of jose alone.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, type ClientOptions, type Clock, createClient } from '../../src/client/client.ts';
import { systemClock as ownClock } from '../../src/client/system.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { prepareSandbox } from '../../src/sandbox/credentials.ts';
import { type Json, OauthGateway, type Reply, type SealOptions } from '../sandbox/oauthGateway.ts';
import { sealingPair } from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import { PURCHASE } from './stage.ts';

const dir = tempDir('client');
const keyIn = (name: string) => JSON.parse(readFileSync(join(dir, 'keys', `demo-bank.${name}.jwk.json`), 'utf8'));

let gateway: OauthGateway;
/** How far the clock has been put forward. */
let aheadMs: number;

beforeAll(async () => {
  await prepareSandbox({ dir, clock: systemClock, random: systemRandom });
});
beforeEach(async () => {
  aheadMs = 0;
  gateway = await new OauthGateway(dir).listen();
});
afterEach(() => gateway.close());

const clock: Clock = {
  wallMs: () => ownClock.wallMs(),
  monotonicMs: () => ownClock.monotonicMs() + aheadMs,
  after: (ms, run) => ownClock.after(ms, run),
};

const clientOf = (changes: Partial<Omit<ClientOptions, 'bearer' | 'oauth'>> = {}): Promise<Client> =>
  createClient({
    sites: [`${gateway.url}/card-api`],
    header: { participantId: '100000', tranBranch: '000001', tranChnl: '08' },
    oauth: { clientId: 'demo-bank', signingKey: keyIn('signing'), decryptionKeys: keyIn('decryption') },
    clock,
    // No pause is longer than this.
    random: { id: () => systemRandom.id(), fraction: () => 0 },
    ...changes,
  });

const plain = (status: number, body: object): Reply => ({ status, body: JSON.stringify(body) });
const sealed = async ({ participantId, tranId }: Json, how: SealOptions = {}): Promise<Reply> => {
  const text = JSON.stringify({ participantId, tranId, responseCode: '00' });
  return { status: 200, type: 'application/jose', body: await gateway.seal(text, how) };
};

describe('tokens and keys', () => {
  it('many calls at once ask for one token and one key', async () => {
    const client = await clientOf();
    const results = await Promise.all(Array.from({ length: 20 }, () => client.call('Purchase', PURCHASE)));
    expect(results.every(({ kind }) => kind === 'approved')).toBe(true);
    expect([gateway.forms.length, gateway.calls.length]).toEqual([1, 20]);
    expect(new Set(gateway.calls.map(({ jwe }) => jwe)).size).toBe(20);
    expect(gateway.calls[0]?.message).toMatchObject(PURCHASE);
    expect(gateway.forms[0]?.has('scope')).toBe(false);
  });

  it('a token is renewed in passing before it ends, and not used after', async () => {
    const client = await clientOf();
    await client.call('Purchase', PURCHASE);
    aheadMs = 3600_000 * 0.79;
    await client.call('Purchase', PURCHASE);
    expect(gateway.forms.length).toBe(1);
    aheadMs = 3600_000 * 0.81;
    await client.call('Purchase', PURCHASE);
    await client.call('Purchase', PURCHASE);
    expect(gateway.forms.length).toBe(2);
    aheadMs += 3600_000;
    await client.call('Purchase', PURCHASE);
    expect(gateway.forms.length).toBe(3);
    aheadMs += 3600_000;
    gateway.tokenReply = plain(401, { error: 'invalid_client' });
    const result = await client.call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'unreachable', at: 'token', tries: 0 });
  });

  it('a token that is refused is replaced once, unless it is fresh', async () => {
    const client = await clientOf();
    await client.call('Purchase', PURCHASE);
    gateway.callReply = () => plain(403, { responseCode: '10' });
    expect(await client.call('Purchase', PURCHASE)).toMatchObject({ kind: 'refused', status: 403, tries: 1 });
    aheadMs = 6000;
    expect(await client.call('Purchase', PURCHASE)).toMatchObject({ kind: 'refused', status: 403, tries: 2 });
    expect(gateway.forms.length).toBe(2);
  });

  it('a token is replaced once in a call, however often it is refused', async () => {
    const client = await clientOf();
    gateway.callReply = () => {
      aheadMs += 6000;
      return plain(403, { responseCode: '10' });
    };
    expect(await client.call('Purchase', PURCHASE)).toMatchObject({ kind: 'refused', status: 403, tries: 2 });
  });

  it('a key that the gateway no longer opens with is fetched anew, and the call goes on', async () => {
    const client = await clientOf();
    await client.call('Purchase', PURCHASE);
    aheadMs = 6000;
    const cannot = plain(400, { responseCode: '30', errors: [{ field: 'body', reason: 'cannot be opened' }] });
    const before = gateway.calls.length;
    gateway.callReply = message => (gateway.calls.length === before + 1 ? cannot : sealed(message));
    expect(await client.call('Purchase', PURCHASE)).toMatchObject({ kind: 'approved', tries: 2 });
    expect(gateway.forms.length).toBe(1);
  });

  it.each([
    [401, { error: 'invalid_client' }, 'invalid_client', 1],
    [400, { error: 'gateway says: opaque' }, 'HTTP_400', 1],
    [503, {}, 'HTTP_503', 2],
    [200, { token_type: 'Bearer' }, 'NO_TOKEN', 1],
    [200, { access_token: 'a b', token_type: 'Bearer' }, 'NO_TOKEN', 1],
    [200, { access_token: 'abc', token_type: 'DPoP' }, 'TOKEN_TYPE', 1],
    [200, { access_token: 'abc', token_type: 'bearer', expires_in: -1 }, 'EXPIRES_IN', 1],
  ])('no token: %i %j', async (status, body, code, asked) => {
    gateway.tokenReply = plain(status, body);
    const result = await (await clientOf({ tries: 2 })).call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'unreachable', at: 'token', code, tries: 0, mayHaveHappened: false });
    expect([gateway.forms.length, gateway.calls.length]).toEqual([asked, 0]);
  });

  it.each([
    ['503', plain(503, {}), 'HTTP_503'],
    ['none for payloads', plain(200, { keys: [{ kty: 'EC', use: 'sig', kid: 'a' }] }), 'NO_KEY'],
    ['no list', plain(200, {}), 'NO_KEY'],
  ])('no key: %s', async (_, reply, code) => {
    gateway.keysReply = reply;
    const result = await (await clientOf({ tries: 2 })).call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'unreachable', at: 'keys', code, mayHaveHappened: false });
  });
});

describe('envelopes', () => {
  const strangerKey = sealingPair().publicJwk;

  it.each<[string, (message: Json) => Promise<Reply>]>([
    ['S82 plain', async ({ participantId, tranId }) => plain(200, { participantId, tranId, responseCode: '00' })],
    ['S70 sealed with RSA-OAEP (SHA-1)', message => sealed(message, { alg: 'RSA-OAEP' })],
    ['S75 sealed with A256GCM', message => sealed(message, { enc: 'A256GCM' })],
    ['S81 sealed for a key that we never had', message => sealed(message, { to: strangerKey })],
    ['no envelope at all', async () => ({ status: 200, type: 'application/jose', body: 'hello' })],
  ])('an answer with 200 that is %s is not believed, and is asked for again', async (_, reply) => {
    gateway.callReply = reply;
    const result = await (await clientOf({ tries: 2 })).call('Purchase', PURCHASE);
    expect(result).toMatchObject({ kind: 'unreachable', code: 'BAD_ANSWER', tries: 2, mayHaveHappened: true });
  });
});

describe('a site that stands by', () => {
  it.each([
    ['calls itself the same: the token is good there', true, 1],
    ['calls itself otherwise: it is asked for a token of its own', false, 0],
  ])('%s', async (_, same, firstTokens) => {
    const other = await new OauthGateway(dir, same ? gateway.url : undefined).listen();
    const location = `${other.url}/card-api/tranmgr/purchase`;
    const baseUrl = `${other.url}/card-api`;
    const sites = [`${gateway.url}/card-api`, same ? { baseUrl, issuer: gateway.url } : baseUrl] as const;
    try {
      const client = await clientOf({
        sites,
        fetch: async (url, init) => {
          const isCall = url.startsWith(gateway.url) && url.endsWith('/purchase');
          return isCall ? new Response('{}', { status: 307, headers: { location } }) : fetch(url, init);
        },
      });
      expect(await client.call('Purchase', PURCHASE)).toMatchObject({ kind: 'approved', tries: 2 });
      expect(gateway.forms.length).toBe(1);
      expect(other.forms.length).toBe(1 - firstTokens);
      expect(other.calls.length).toBe(1);
    } finally {
      await other.close();
    }
  });
});
