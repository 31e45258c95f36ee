/**
 * What the token endpoint gives to whom: clients that prove who they are, once, get what they were assigned. What a
 * request has to look like is in `tokenRequest.test.ts`.
 */
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import type { Cidr } from '../../src/config/config.ts';
import type { ClientId } from '../../src/domain/ids.ts';
import { tokenDigest } from '../../src/edge/accessToken.ts';
import { AllowList, parseAddress } from '../../src/edge/allowList.ts';
import { createTokenEndpoint, type Once } from '../../src/edge/tokenEndpoint.ts';
import { createTokenVerifier } from '../../src/edge/tokenVerifier.ts';
import {
  AS_PAIR,
  assertion,
  BANK,
  bodyOf,
  brief,
  EndpointStage,
  encoded,
  KEY,
  parameters,
  request,
  SHOP_PAIR,
  shopAssertion,
} from './endpointStage.ts';
import { clientOf, countingRandom, ecPair, ISSUER, NOTHING_REVOKED, NOW_S, respelled } from './oauthKit.ts';

let stage: EndpointStage;
beforeEach(() => {
  stage = new EndpointStage();
});

describe('the token endpoint', () => {
  it('S60: gives a token for an hour, and says so in the form of RFC 6749', async () => {
    const response = await stage.post(parameters());
    expect(response.status).toBe(200);
    expect(response.headers).toEqual({
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      Pragma: 'no-cache',
    });
    const answer = JSON.parse(response.body);
    expect(answer).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'Purchase Refund',
    });
    const { jti } = decodeJwt(answer.access_token);
    expect(response.log).toEqual({ client: 'bank', refused: undefined, token: tokenDigest(String(jti)) });
    expect(JSON.stringify(response.log)).not.toContain(String(jti));
    const verifier = createTokenVerifier({
      issuer: ISSUER,
      clock: stage.clock,
      signingKeys: () => [KEY],
      clientId: id => stage.clients.get(id)?.id,
      revocations: NOTHING_REVOKED,
    });
    const proved = await verifier.verify(answer.access_token);
    expect(proved).toMatchObject({ clientId: 'bank', apis: new Set(['Purchase', 'Refund']) });
  });

  it('gives tokens for as long as is configured', async () => {
    const response = await createTokenEndpoint(stage.deps({ accessTokenMinutes: 5 }))(request(encoded(parameters())));
    expect(JSON.parse(response.body)).toMatchObject({ expires_in: 300 });
  });

  it.each([
    ['S47: RS256', () => assertion({}, { alg: 'RS256' })],
    ['S47: none', () => assertion({}, { alg: 'none' })],
    ['S48: another client’s key', () => assertion({}, { kid: 's1' }, SHOP_PAIR)],
    ['S48: our own key', () => assertion({}, { kid: 'as' }, AS_PAIR)],
    ['S49: no sub', () => assertion({ sub: undefined })],
    ['S49: another iss', () => assertion({ iss: 'shop' })],
    ['S50: the endpoint as audience', () => assertion({ aud: `${ISSUER}/oauth2/token` })],
    ['S50: an array as audience', () => assertion({ aud: [ISSUER] })],
    ['S51: ended five minutes ago', () => assertion({ iat: NOW_S - 360, exp: NOW_S - 300 })],
    ['S51: six minutes', () => assertion({ exp: NOW_S + 360 })],
    ['S52: from in a minute', () => assertion({ iat: NOW_S + 61, nbf: NOW_S + 61, exp: NOW_S + 120 })],
    ['S53: no jti', () => assertion({ jti: undefined })],
    ['S59: nobody we know', () => assertion({ iss: 'nobody', sub: 'nobody' })],
    ['S59: a wrong signature', () => assertion({}, {}, SHOP_PAIR)],
    ['garbage', () => 'garbage'],
  ])('S59: refuses alike: %s', async (_, make) => {
    const response = await stage.post(parameters({ client_assertion: make() }));
    const reference = await stage.post(parameters({ client_assertion: assertion({}, {}, ecPair()) }));
    expect(response.status).toBe(401);
    expect(bodyOf(response).error).toBe('invalid_client');
    expect({ ...response, log: undefined }).toEqual({ ...reference, log: undefined });
    expect(response.log.client).toBeUndefined();
    expect(stage.once.taken.size).toBe(0);
  });

  it('S52: accepts an assertion from 8 seconds ahead', async () => {
    const ahead = assertion({ iat: NOW_S + 8, nbf: NOW_S + 8, exp: NOW_S + 68 });
    expect((await stage.post(parameters({ client_assertion: ahead }))).status).toBe(200);
  });

  it('S49: the parameter client_id names the same client or nobody', async () => {
    expect((await stage.post(parameters({ client_id: 'bank' }))).status).toBe(200);
    expect(brief(await stage.post(parameters({ client_id: 'shop' })))).toBe('401 invalid_client assertion.claims');
    expect(brief(await stage.post(parameters({ client_id: 'nobody' })))).toBe('401 invalid_client assertion.claims');
  });

  it('S54: takes an assertion once, respelled or not, and each client has its own names', async () => {
    const text = assertion({ jti: 'same' });
    expect((await stage.post(parameters({ client_assertion: text }))).status).toBe(200);
    expect(brief(await stage.post(parameters({ client_assertion: text })))).toBe('401 invalid_client assertion.again');
    expect(brief(await stage.post(parameters({ client_assertion: respelled(text) })))).toBe(
      '401 invalid_client assertion.again',
    );
    expect(brief(await stage.post(parameters({ client_assertion: assertion({ jti: 'same' }) })))).toMatch(/again/);
    expect((await stage.post(parameters({ client_assertion: shopAssertion({ jti: 'same' }) }))).status).toBe(200);
  });

  it('S54: names of two clients cannot meet, whatever is in a jti', async () => {
    stage.clients.set('a', { ...clientOf('a', BANK), id: 'a' as ClientId });
    const odd = ['shop/same', '\u0000', '../x', '__proto__', 'é', 'e\u0301', ' ', 'SAME', 'same'];
    for (const jti of odd) {
      expect((await stage.post(parameters({ client_assertion: assertion({ jti }) }))).status).toBe(200);
    }
    expect(stage.once.taken.size).toBe(odd.length);
    for (const name of stage.once.taken.keys()) expect(name).toMatch(/^assertion\/bank\/[A-Za-z0-9_-]{43}$/);
  });

  it('S54: of 50 at once at three endpoints one gets a token', async () => {
    const endpoints = [1, 2, 3].map(() => createTokenEndpoint(stage.deps()));
    const body = encoded(parameters());
    const calls = Array.from({ length: 50 }, (_, index) => endpoints[index % 3]?.(request(body)));
    const statuses = (await Promise.all(calls)).map(response => response?.status);
    expect(statuses.filter(status => status === 200)).toHaveLength(1);
    expect(statuses.filter(status => status === 401)).toHaveLength(49);
  });

  it('S55: the assertion is remembered for longer than it could be used', async () => {
    await stage.post(parameters({ client_assertion: assertion({ exp: NOW_S + 60 }) }));
    const [span] = [...stage.once.taken.values()];
    expect(span?.untilMs).toBe((NOW_S + 70 + 60) * 1000);
  });

  it('S55: the store is told since when the assertion could be used, by a client whose clock is ahead, too', async () => {
    await stage.post(parameters({ client_assertion: assertion({ iat: NOW_S - 20 }) }));
    const [span] = [...stage.once.taken.values()];
    expect(span?.sinceMs).toBe((NOW_S - 30) * 1000);
  });

  it('S55: the assertion is used up before a token exists', async () => {
    const order: string[] = [];
    let release = (_: 'first') => {};
    const slow: Once = {
      take: () => {
        order.push('take');
        return new Promise(resolve => {
          release = resolve;
        });
      },
    };
    const random = {
      ...countingRandom,
      id: () => {
        order.push('token');
        return countingRandom.id();
      },
    };
    const answer = createTokenEndpoint(stage.deps({ once: slow, random }))(request(encoded(parameters())));
    await expect.poll(() => order).toEqual(['take']);
    release('first');
    expect((await answer).status).toBe(200);
    expect(order).toEqual(['take', 'token']);
  });

  it.each([
    ['is away', async () => 'unavailable' as const],
    ['throws', () => Promise.reject(new Error('redis://secret@host'))],
    [
      'throws at once',
      () => {
        throw new Error('closed');
      },
    ],
  ])('S55, F82: no token while the store %s', async (_, take) => {
    const response = await createTokenEndpoint(stage.deps({ once: { take } }))(request(encoded(parameters())));
    expect(brief(response)).toBe('503 temporarily_unavailable store');
    expect(response.headers).toMatchObject({ 'Retry-After': '1', 'Cache-Control': 'no-store' });
    expect(response.body).not.toContain('secret');
  });

  it('S56: grants what is asked for and assigned, and nothing else', async () => {
    const asked = async (scope: string) => brief(await stage.post(parameters({ scope })));
    expect(await asked('Purchase')).toBe('200 Purchase');
    expect(await asked('Refund Purchase Refund')).toBe('200 Refund Purchase');
    expect(await asked('')).toBe('200 Purchase Refund');
    for (const scope of [
      'LoadFund',
      'Purchase LoadFund',
      'Transaction',
      'purchase',
      'nonsense',
      'constructor',
      '__proto__',
      'Purchase  Refund',
      ' Purchase',
      'Purchase ',
      'Purchase\nRefund',
      ' ',
      '*',
      'x'.repeat(3000),
    ]) {
      expect(await asked(scope)).toBe('400 invalid_scope scope');
    }
  });

  it('S56: a module is granted where the whole of it is assigned', async () => {
    const transaction = APIS.filter(row => row.module === 'Transaction').map(row => row.name);
    const ask = async (
      scopes: readonly string[],
      scope: string | undefined,
      product: 'prepaid' | 'debit' = 'prepaid',
    ) => {
      stage.clients.set('bank', { ...clientOf('bank', BANK, scopes), product });
      return brief(await stage.post(parameters(scope === undefined ? {} : { scope })));
    };
    expect(await ask(transaction, 'Transaction')).toBe('200 Transaction');
    expect(await ask(transaction, undefined)).toBe('200 Transaction');
    expect(await ask(transaction, 'Purchase')).toBe('200 Purchase');
    expect(await ask(transaction.slice(1), 'Transaction')).toBe('400 invalid_scope scope');
    expect(await ask(['Refund', 'Purchase'], undefined)).toBe('200 Purchase Refund');
    for (const product of ['prepaid', 'debit'] as const) {
      for (const module of new Set(APIS.map(row => row.module))) {
        const own = APIS.filter(row => row.module === module && row[product] !== 'NA').map(row => row.name);
        const expected = own.length === 0 ? '400 invalid_scope scope' : `200 ${module}`;
        expect(await ask(own, module, product)).toBe(expected);
        expect(await ask(own.slice(1), module, product)).toBe('400 invalid_scope scope');
      }
    }
    expect(await ask([], undefined)).toBe('400 invalid_scope scope');
  });

  it('S56: tells nothing about scopes to who has not proved who they are', async () => {
    const replayed = assertion();
    await stage.post(parameters({ client_assertion: replayed }));
    expect(brief(await stage.post(parameters({ client_assertion: replayed, scope: 'LoadFund' })))).toMatch(
      /^401 invalid_client/,
    );
    const forged = assertion({}, {}, SHOP_PAIR);
    expect(brief(await stage.post(parameters({ client_assertion: forged, scope: 'LoadFund' })))).toMatch(
      /^401 invalid_client/,
    );
  });

  it('S13: gives a token only where its client may call from, and tells the caller nothing', async () => {
    const allowFrom = new AllowList(['10.1.0.0/16' as Cidr]);
    stage.clients.set('bank', { ...clientOf('bank', BANK), allowFrom });
    const from = async (address: string | undefined, text = assertion()) => {
      const body = encoded(parameters({ client_assertion: text }));
      const seen = address === undefined ? {} : { address: parseAddress(address) };
      return createTokenEndpoint(stage.deps())(request(body, seen));
    };
    const unused = assertion();
    const refused = await from('10.2.0.1', unused);
    expect(brief(refused)).toBe('401 invalid_client assertion.address');
    expect(refused.body).toBe((await stage.post(parameters({ client_assertion: 'garbage' }))).body);
    expect(brief(await from(undefined))).toBe('401 invalid_client assertion.address');
    expect(brief(await from('nowhere'))).toBe('401 invalid_client assertion.address');
    expect(stage.once.taken.size).toBe(0);
    expect((await from('::ffff:10.1.255.255', unused)).status).toBe(200);
  });

  it('S12: a client that was revoked gets none, and its assertion stays unused', async () => {
    stage.revoked.add('client bank');
    expect(brief(await stage.post(parameters()))).toBe('401 invalid_client assertion.revoked');
    expect(stage.once.taken.size).toBe(0);
    expect((await stage.post(parameters({ client_assertion: shopAssertion() }))).status).toBe(200);
  });

  it('S12: what was revoked this second takes the rest of it along, and a new token is good at once', async () => {
    stage.clock.nowMs = NOW_S * 1000 + 700;
    stage.validFrom.set('bank', NOW_S + 1);
    const { access_token: token = '' } = bodyOf(await stage.post(parameters()));
    expect(decodeJwt(token)).toMatchObject({ iat: NOW_S + 1, exp: NOW_S + 3601 });
    stage.validFrom.set('bank', NOW_S - 100);
    const { access_token: later = '' } = bodyOf(await stage.post(parameters()));
    expect(decodeJwt(later).iat).toBe(NOW_S);
  });
});
