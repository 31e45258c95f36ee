/**
 * Client assertions: everything that FAPI 2.0 has refused, everything that it has accepted, and what a library would never
 * write. Each refusal is one word here; callers see no difference.
 */
import { createHmac, sign } from 'node:crypto';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AssertionVerifying, readAssertion } from '../../src/edge/assertion.ts';
import type { ClientKeySet } from '../../src/edge/keys.ts';
import type { TokenClient } from '../../src/edge/tokenEndpoint.ts';
import {
  b64,
  clientOf,
  ecPair,
  ISSUER,
  type Json,
  jwk,
  jwsOf,
  keySet,
  NOW_S,
  respelled,
  rsaPair,
  StandingClock,
  signingKeyOf,
} from './oauthKit.ts';

const PAIR = ecPair();
const NEXT = ecPair();
const SHOP_PAIR = ecPair();
const AS_PAIR = ecPair();
const BANK = await keySet(jwk(PAIR.publicKey, { kid: 'b1' }), jwk(NEXT.publicKey, { kid: 'b2' }));
const SHOP = await keySet(jwk(SHOP_PAIR.publicKey, { kid: 's1' }));
const DECOY = await signingKeyOf(AS_PAIR, { kid: 'as' });

const HEADER = { alg: 'ES256', kid: 'b1' };
const CLAIMS = {
  iss: 'bank',
  sub: 'bank',
  aud: ISSUER,
  jti: 'a-1',
  iat: NOW_S,
  exp: NOW_S + 60,
};

let clock: StandingClock;
let clients: Map<string, TokenClient>;
let decoys: number;

const deps = (): AssertionVerifying<TokenClient> => ({
  issuer: ISSUER,
  clock,
  clientOf: id => clients.get(id),
  decoy: () => {
    decoys++;
    return DECOY.publicKey;
  },
});

beforeEach(() => {
  clock = new StandingClock();
  clients = new Map([
    ['bank', clientOf('bank', BANK)],
    ['shop', clientOf('shop', SHOP)],
  ]);
  decoys = 0;
});

/** `proved`, or the fault. */
const verdict = async (text: string, clientId?: string): Promise<string> => {
  const reading = await readAssertion(text, clientId, deps());
  return reading.kind === 'proved' ? 'proved' : reading.fault;
};
const assertion = (claims: unknown = CLAIMS, header: unknown = HEADER, pair = PAIR): string =>
  jwsOf(header, claims, pair.privateKey);
const claimed = (changes: Json): string => assertion({ ...CLAIMS, ...changes });
const without = (name: string): string =>
  assertion(Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name)));

describe('a client assertion', () => {
  it('proves the client, and tells how long it could be used', async () => {
    const reading = await readAssertion(assertion(), undefined, deps());
    expect(reading).toMatchObject({
      kind: 'proved',
      jti: 'a-1',
      usable: { sinceMs: (NOW_S - 10) * 1000, untilMs: (NOW_S + 70) * 1000 },
    });
    expect(reading.kind === 'proved' && reading.client.id).toBe('bank');
    expect(await verdict(assertion(), 'bank')).toBe('proved');
  });

  it('may have each type that client assertions have, and the digest of a certificate', async () => {
    for (const more of [
      { typ: 'JWT' },
      { typ: 'jwt' },
      { typ: 'application/jwt' },
      { typ: 'client-authentication+jwt' },
      { 'x5t#S256': 'abc' },
    ]) {
      expect(await verdict(assertion(CLAIMS, { ...HEADER, ...more }))).toBe('proved');
    }
  });

  it('may come without kid: then any of the client’s keys may have signed it', async () => {
    expect(await verdict(assertion(CLAIMS, { alg: 'ES256' }, PAIR))).toBe('proved');
    expect(await verdict(assertion(CLAIMS, { alg: 'ES256' }, NEXT))).toBe('proved');
    expect(await verdict(assertion(CLAIMS, { alg: 'ES256' }, SHOP_PAIR))).toBe('signature');
  });

  it('may be respelled in the second half of its signature, and is the same one then', async () => {
    const text = assertion();
    const first = await readAssertion(text, undefined, deps());
    expect(await readAssertion(respelled(text), undefined, deps())).toEqual(first);
  });

  it('S47: is signed with ES256, spelled so', async () => {
    for (const alg of ['none', 'None', 'es256', 'ES384', 'RS256', 'PS256', 'HS256', 'EdDSA', '', null, 1, ['ES256']]) {
      expect(await verdict(assertion(CLAIMS, { ...HEADER, alg }))).toBe('header');
    }
    expect(await verdict(assertion(CLAIMS, { kid: 'b1' }))).toBe('header');
    expect(await verdict(`${b64({ alg: 'none' })}.${b64(CLAIMS)}.`)).toBe('form');
    const rs256 = `${b64({ alg: 'RS256', kid: 'b1' })}.${b64(CLAIMS)}`;
    const rsa = sign('sha256', Buffer.from(rs256), rsaPair().privateKey).toString('base64url');
    expect(await verdict(`${rs256}.${rsa}`)).toBe('form');
    const input = `${b64({ alg: 'ES256', kid: 'b1' })}.${b64(CLAIMS)}`;
    const mac = createHmac('sha512', JSON.stringify(jwk(PAIR.publicKey)))
      .update(input)
      .digest('base64url');
    expect(await verdict(`${input}.${mac}`)).toBe('signature');
    const der = sign('sha256', Buffer.from(input), PAIR.privateKey).toString('base64url');
    expect(await verdict(`${input}.${der}`)).toBe('form');
  });

  it('S48: is signed by a key that this client has now', async () => {
    expect(await verdict(assertion(CLAIMS, HEADER, SHOP_PAIR))).toBe('signature');
    expect(await verdict(assertion(CLAIMS, { ...HEADER, kid: 's1' }, SHOP_PAIR))).toBe('key');
    expect(await verdict(assertion(CLAIMS, { ...HEADER, kid: 'as' }, AS_PAIR))).toBe('key');
    expect(await verdict(assertion(CLAIMS, { alg: 'ES256' }, AS_PAIR))).toBe('signature');
    clients.set('bank', clientOf('bank', await keySet(jwk(NEXT.publicKey, { kid: 'b2' }))));
    expect(await verdict(assertion())).toBe('key');
    expect(await verdict(assertion(CLAIMS, { ...HEADER, kid: 'b2' }, NEXT))).toBe('proved');
  });

  it('S26: finds keys by name and nothing else', async () => {
    for (const kid of ['__proto__', 'constructor', '', '../b1', 'b1\u0000', 'B1', 'k'.repeat(4000)]) {
      expect(await verdict(assertion(CLAIMS, { ...HEADER, kid }))).toBe('key');
    }
    for (const kid of [null, 1, ['b1'], {}]) {
      expect(await verdict(assertion(CLAIMS, { ...HEADER, kid }))).toBe('header');
    }
    expect(await verdict(assertion(CLAIMS, { ...HEADER, kid: 'k'.repeat(10_000) }))).toBe('form');
  });

  it('S25, S39: brings no key, nothing critical and nothing nested', async () => {
    const own = ecPair();
    for (const more of [
      { jwk: jwk(own.publicKey) },
      { jku: 'http://127.0.0.1:9/' },
      { x5c: [] },
      { x5u: 'http://127.0.0.1:9/' },
      { crit: ['exp'], exp: 1 },
      { b64: false, crit: ['b64'] },
      { b64: true },
      { cty: 'JWT' },
      { zip: 'DEF' },
      { enc: 'A128GCM' },
    ]) {
      expect(await verdict(assertion(CLAIMS, { ...HEADER, ...more }, own))).toBe('header');
      expect(await verdict(assertion(CLAIMS, { ...HEADER, ...more }))).toBe('header');
    }
  });

  it('S34: is no access token and nothing else that we sign', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'AT+JWT', 'dpop+jwt', '', null, 1]) {
      expect(await verdict(assertion(CLAIMS, { ...HEADER, typ }))).toBe('header');
    }
    const accessToken = {
      iss: ISSUER,
      sub: 'bank',
      aud: ISSUER,
      client_id: 'bank',
      jti: 't',
      iat: NOW_S,
      exp: NOW_S + 60,
    };
    expect(await verdict(assertion(accessToken, { alg: 'ES256', kid: 'as', typ: 'at+jwt' }, AS_PAIR))).toBe('header');
    expect(await verdict(assertion(accessToken, { alg: 'ES256', kid: 'as' }, AS_PAIR))).toBe('claims');
  });

  it('S49: is by the client about itself, whom client_id may name too', async () => {
    expect(await verdict(without('iss'))).toBe('claims');
    expect(await verdict(without('sub'))).toBe('claims');
    for (const other of ['shop', '', null, 1, ['bank'], 'Bank', 'bank ', '__proto__']) {
      expect(await verdict(claimed({ iss: other }))).toBe('claims');
      expect(await verdict(claimed({ sub: other }))).toBe('claims');
    }
    expect(await verdict(claimed({ iss: 'shop', sub: 'shop' }))).toBe('key');
    expect(await verdict(assertion(), 'shop')).toBe('claims');
    expect(await verdict(assertion(), 'BANK')).toBe('claims');
    expect(await verdict(claimed({ iss: 1, sub: 1 }))).toBe('claims');
  });

  it('S50: is for us alone: our identifier, one string, to the letter', async () => {
    expect(await verdict(without('aud'))).toBe('claims');
    for (const aud of [
      'https://other.example',
      `${ISSUER}/oauth2/token`,
      `${ISSUER}/oauth2/par`,
      `${ISSUER}/`,
      ISSUER.toUpperCase(),
      `${ISSUER}:443`,
      ` ${ISSUER}`,
      [ISSUER],
      [ISSUER, 'https://other.example'],
      [],
      null,
      {},
      1,
      '',
    ]) {
      expect(await verdict(claimed({ aud }))).toBe('claims');
    }
  });

  it('S51: ends, and soon', async () => {
    expect(await verdict(without('exp'))).toBe('claims');
    for (const exp of [null, '', String(NOW_S + 60), -1, 1e308, 2 ** 53, true, [NOW_S + 60], {}]) {
      expect(await verdict(claimed({ exp }))).toBe('claims');
    }
    expect(await verdict(assertion(JSON.stringify(CLAIMS).replace(String(NOW_S + 60), '1e400')))).toBe('claims');
    expect(await verdict(claimed({ exp: NOW_S - 300, iat: NOW_S - 360 }))).toBe('time');
    expect(await verdict(claimed({ exp: NOW_S - 10, iat: NOW_S - 60 }))).toBe('time');
    expect(await verdict(claimed({ exp: NOW_S - 8, iat: NOW_S - 60 }))).toBe('proved');
    expect(await verdict(claimed({ exp: NOW_S + 300 }))).toBe('proved');
    expect(await verdict(claimed({ exp: NOW_S + 311 }))).toBe('claims');
    expect(await verdict(claimed({ exp: NOW_S + 312, iat: NOW_S + 8 }))).toBe('time');
    expect(await verdict(claimed({ exp: NOW_S + 86_400 }))).toBe('claims');
  });

  it('S52: is from now: 8 seconds ahead are, 61 are not, nor is a day ago with any end', async () => {
    expect(await verdict(claimed({ iat: NOW_S + 8, nbf: NOW_S + 8 }))).toBe('proved');
    expect(await verdict(claimed({ iat: NOW_S + 61, exp: NOW_S + 120 }))).toBe('time');
    expect(await verdict(claimed({ nbf: NOW_S + 61 }))).toBe('time');
    expect(await verdict(claimed({ iat: NOW_S - 86_400 }))).toBe('claims');
    expect(await verdict(claimed({ iat: NOW_S - 86_400, exp: NOW_S - 86_000 }))).toBe('claims');
    expect(await verdict(claimed({ iat: NOW_S - 320, exp: NOW_S - 9 }))).toBe('claims');
    expect(await verdict(claimed({ iat: NOW_S - 311, exp: NOW_S - 9 }))).toBe('time');
    expect(await verdict(without('iat'))).toBe('claims');
    for (const value of ['now', null, -1, 1e308, [], true]) {
      expect(await verdict(claimed({ iat: value }))).toBe('claims');
      expect(await verdict(claimed({ nbf: value }))).toBe('claims');
    }
  });

  it('may have fractions of seconds, as RFC 7519 allows', async () => {
    const reading = await readAssertion(claimed({ iat: NOW_S + 0.25, exp: NOW_S + 60.5 }), undefined, deps());
    expect(reading).toMatchObject({ kind: 'proved', usable: { untilMs: (NOW_S + 70.5) * 1000 } });
  });

  it('S53: has a jti of 1 to 128 characters', async () => {
    expect(await verdict(without('jti'))).toBe('claims');
    for (const jti of ['', 'j'.repeat(129), null, 1, ['a'], {}]) expect(await verdict(claimed({ jti }))).toBe('claims');
    for (const jti of ['j', 'j'.repeat(128), '\u0000', '__proto__', 'é']) {
      expect(await verdict(claimed({ jti }))).toBe('proved');
    }
  });

  it('says everything once, in strict JSON', async () => {
    expect(await verdict(assertion(JSON.stringify(CLAIMS).replace('{', '{"sub":"shop",')))).toBe('form');
    expect(await verdict(assertion(JSON.stringify(CLAIMS).replace('{', '{"j\\u0074i":"a-2",')))).toBe('form');
    expect(await verdict(assertion(CLAIMS, JSON.stringify(HEADER).replace('{', '{"alg":"none",')))).toBe('form');
    expect(await verdict(assertion(JSON.stringify(CLAIMS).replace('"a-1"', '"\\ud800"')))).toBe('form');
    expect(await verdict(assertion('[]'))).toBe('form');
    expect(await verdict(assertion(assertion()))).toBe('form');
    expect(await verdict(JSON.stringify({ payload: 'a', signatures: [] }))).toBe('form');
    expect(await verdict(`${assertion()}=`)).toBe('form');
    expect(await verdict('x'.repeat(8193))).toBe('form');
    expect(await verdict('')).toBe('form');
  });

  it('S59: a stranger costs one verification, like everybody else, even with our own key', async () => {
    const stranger = { ...CLAIMS, iss: 'nobody', sub: 'nobody' };
    expect(await verdict(assertion(stranger))).toBe('client');
    expect(decoys).toBe(1);
    expect(await verdict(assertion(stranger, { alg: 'ES256', kid: 'as' }, AS_PAIR))).toBe('client');
    expect(await verdict(assertion(CLAIMS, { ...HEADER, kid: 'gone' }))).toBe('key');
    expect(decoys).toBe(3);
    expect(await verdict(assertion(CLAIMS, { ...HEADER, kid: 'gone' }, AS_PAIR))).toBe('key');
  });

  it('S59: without the name of a key everybody costs the same, strangers and clients of any number of keys', async () => {
    const three = [ecPair(), ecPair(), ecPair()].map(({ publicKey }, at) => jwk(publicKey, { kid: `t${at}` }));
    clients.set('three', clientOf('three', await keySet(...three)));
    const five = Array.from({ length: 5 }, (_, at) => jwk(ecPair().publicKey, { kid: `f${at}` }));
    clients.set('five', clientOf('five', await keySet(...five)));
    const verifying = vi.spyOn(crypto.subtle, 'verify');
    onTestFinished(() => verifying.mockRestore());
    const timesFor = async (sub: string, header: Json): Promise<number> => {
      verifying.mockClear();
      expect(await verdict(assertion({ ...CLAIMS, iss: sub, sub }, header, ecPair()))).not.toBe('proved');
      return verifying.mock.calls.length;
    };
    for (const [header, times] of [
      [{ alg: 'ES256' }, 4],
      [{ alg: 'ES256', kid: 'b1' }, 1],
    ] as const) {
      for (const sub of ['nobody', 'shop', 'bank', 'three', 'five']) expect(await timesFor(sub, header)).toBe(times);
    }
  });

  it('F79: is refused once the certificate of its key has ended, or the one for our answers', async () => {
    const until = (
      keys: ClientKeySet,
      verification: number | undefined,
      encryption: number | undefined,
    ): ClientKeySet => ({
      ...keys,
      verification: new Map([...keys.verification].map(([kid, { key }]) => [kid, { key, expiresAtMs: verification }])),
      encryption: keys.encryption && { ...keys.encryption, expiresAtMs: encryption },
    });
    const keys = await keySet(jwk(PAIR.publicKey, { kid: 'b1' }), jwk(rsaPair().publicKey));
    const set = (verification: number | undefined, encryption: number | undefined) =>
      clients.set('bank', clientOf('bank', until(keys, verification, encryption)));
    set(clock.nowMs + 1, clock.nowMs + 1);
    expect(await verdict(assertion())).toBe('proved');
    set(clock.nowMs, undefined);
    expect(await verdict(assertion())).toBe('expiredKey');
    expect(await verdict(assertion(CLAIMS, HEADER, SHOP_PAIR))).toBe('signature');
    set(undefined, clock.nowMs);
    expect(await verdict(assertion())).toBe('expiredKey');
  });
});
