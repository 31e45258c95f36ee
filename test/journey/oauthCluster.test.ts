/**
 * Several gateways that are one authorization server, on one journal: an assertion is good once in all of them, a token of
 * one is good at the others, and what is revoked at one is revoked at all within a second.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, get, post } from '../support/client.ts';
import { newToken, sha256Hex } from '../support/gatewayConfig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { gatewayKey, grantForm, Party, PURCHASE, postToken, sealedCall, tokenOf } from '../support/oauth.ts';
import type { RedisServer } from '../support/redis.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { Rig } from './rig.ts';

const ISSUER = 'https://gateway.example';
const COPIES = 50;
const PROCESSES = 3;
/** The lists are read four times a second; a machine that is busy with other tests may take longer to ask three gateways. */
const SOON = { everyMs: 20 };

const rig = new Rig();
const bank = new Party('bank');
const shop = new Party('shop');
const TILL = newToken();
let issuer: ScriptedIssuer;
let redis: RedisServer;
let gateways: Gateway[] = [];

beforeAll(async () => {
  issuer = await rig.issuer();
  redis = await rig.redis();
  const start = () =>
    rig.gateway(issuer, {
      journalUrl: redis.url,
      change: config => {
        if (config.oauth) config.oauth.issuer = ISSUER;
        config.clients.push(bank.config(), shop.config({ payload: 'plain' }), {
          ...shop.config({ payload: 'plain', oauth: undefined }),
          id: 'till',
          bearer: { tokenSha256: [sha256Hex(TILL)] },
        });
      },
    });
  gateways = await Promise.all(Array.from({ length: PROCESSES }, start));
});
afterAll(() => rig.end());

const at = (no: number): Gateway => {
  const found = gateways[no % PROCESSES];
  if (!found) throw new Error('there is no such gateway');
  return found;
};
const tokenAt = (no: number, party: Party) => tokenOf(at(no), party, { issuer: ISSUER });

const revoke = (gateway: Gateway, body: unknown, headers = {}) =>
  post(`${gateway.adminUrl}/admin/revocations`, typeof body === 'string' ? body : JSON.stringify(body), {
    headers: { 'content-type': 'application/json', ...headers },
  });
const jtiOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;
const digestOf = (jti: string): string => createHash('sha256').update(jti).digest('base64url').slice(0, 22);
/** What the first of them lists, without times: those are the journal's, as read on another clock. */
const listed = (): Promise<string> =>
  waitFor('the list', async () => {
    const { status, text } = await get(`${at(0).adminUrl}/admin/revocations`);
    return status === 200 && text.replaceAll(/"until":"[^"]*"/g, '');
  });
/** Until every gateway refuses the token. */
const refusedEverywhere = (token: string) =>
  waitFor(
    'every gateway to refuse it',
    async () => {
      const answers = await Promise.all(gateways.map(gateway => call(gateway, 'Purchase', PURCHASE, { token })));
      return answers.every(({ status }) => status === 403);
    },
    SOON,
  );

describe('three gateways', () => {
  it('S54: one assertion, fifty times at once, is one token', async () => {
    const form = grantForm(await bank.assertion(ISSUER));
    const answers = await Promise.all(Array.from({ length: COPIES }, (_, no) => postToken(at(no), form)));
    const good = answers.filter(({ status }) => status === 200);
    expect(good).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 200);
    expect(new Set(others.map(({ status, body }) => `${status} ${body.error}`))).toEqual(
      new Set(['401 invalid_client']),
    );
  });

  it('S54: the same jti is another client’s own', async () => {
    const claims = { jti: 'the-same' };
    const [one, other] = [await bank.assertion(ISSUER, claims), await shop.assertion(ISSUER, claims)];
    expect((await postToken(at(0), grantForm(one))).status).toBe(200);
    expect((await postToken(at(1), grantForm(other))).status).toBe(200);
    expect((await postToken(at(2), grantForm(await bank.assertion(ISSUER, claims)))).status).toBe(401);
  });

  it('a token of one is good at the others, and so is an envelope', async () => {
    const token = await tokenAt(0, bank);
    const key = await gatewayKey(at(0));
    for (const gateway of gateways) {
      const answer = await sealedCall({ gateway, party: bank, token, key }, 'Purchase', PURCHASE);
      expect(answer.body.responseCode).toBe('00');
    }
  });
});

describe('revocation', () => {
  it('S37: a token by its jti, everywhere within a second, and no other token', async () => {
    const [bad, good] = [await tokenAt(0, shop), await tokenAt(1, shop)];
    for (const gateway of gateways) {
      expect((await call(gateway, 'Purchase', PURCHASE, { token: bad })).status).toBe(200);
    }
    expect((await revoke(at(0), { kind: 'jti', id: jtiOf(bad) })).status).toBe(204);
    expect((await call(at(0), 'Purchase', PURCHASE, { token: bad })).status).toBe(403);
    await refusedEverywhere(bad);
    expect((await call(at(2), 'Purchase', PURCHASE, { token: good })).status).toBe(200);
  });

  it('is listed, and is still there after a restart', async () => {
    const token = await tokenAt(0, shop);
    await revoke(at(1), { kind: 'jti', id: jtiOf(token) });
    const { body } = await get(`${at(2).adminUrl}/admin/revocations`);
    const line = { kind: 'jti', id: jtiOf(token), until: expect.stringMatching(/Z$/), digest: digestOf(jtiOf(token)) };
    expect(body.revocations).toContainEqual(line);
    await at(1).restart();
    expect((await call(at(1), 'Purchase', PURCHASE, { token })).status).toBe(403);
  });

  it('S12: a client’s tokens of before, everywhere, while new ones are good at once', async () => {
    const [old, others] = [await tokenAt(0, shop), await tokenAt(1, bank)];
    expect((await revoke(at(0), { kind: 'client', id: 'shop', issuedBefore: 'now' })).status).toBe(204);
    const fresh = await tokenAt(0, shop);
    await refusedEverywhere(old);
    for (const gateway of gateways) {
      expect((await call(gateway, 'Purchase', PURCHASE, { token: fresh })).status).toBe(200);
    }
    const { body } = await get(`${at(1).adminUrl}/admin/revocations`);
    const line = { kind: 'client', id: 'shop', issuedBefore: expect.stringMatching(/Z$/) };
    expect(body.revocations).toContainEqual({ ...line, until: expect.stringMatching(/Z$/) });
    const key = await gatewayKey(at(0));
    const sealed = { gateway: at(0), party: bank, token: others, key };
    expect((await sealedCall(sealed, 'Purchase', PURCHASE)).status).toBe(200);
  });

  it('F10: the log names a token by a digest, where it is given and where it is revoked, and never by its jti', async () => {
    const jti = jtiOf(await tokenAt(1, shop));
    await revoke(at(1), { kind: 'jti', id: jti });
    const lines = () => at(1).logLines();
    await waitFor('the line', () => lines().some(({ event, what }) => event === 'revoked' && what === digestOf(jti)));
    expect(lines().filter(({ token }) => token === digestOf(jti))).toMatchObject([
      { event: 'oauth', result: 'issued', clientId: 'shop' },
    ]);
    expect(at(1).log()).not.toContain(jti);
  });

  it('F52: what Redis has lost holds everywhere, is written back, and is an alarm', async () => {
    const token = await tokenAt(0, shop);
    await revoke(at(0), { kind: 'jti', id: jtiOf(token) });
    await refusedEverywhere(token);
    await redis.command('DEL', 'gw:{00}:revoked');
    await waitFor('it to be written back', async () => {
      const names = await redis.command('ZRANGE', 'gw:{00}:revoked', 0, -1);
      return Array.isArray(names) && names.includes(`jti/${jtiOf(token)}`);
    });
    await refusedEverywhere(token);
    const told = () => gateways.some(gateway => gateway.logLines().some(({ kind }) => kind === 'lostRevocations'));
    await waitFor('the alarm', told);
  });

  it('S12: a client with all its tokens, and it gets no more of them', async () => {
    const token = await tokenAt(0, shop);
    expect((await revoke(at(1), { kind: 'client', id: 'shop' })).status).toBe(204);
    await refusedEverywhere(token);
    for (const gateway of gateways) {
      const answer = await postToken(gateway, grantForm(await shop.assertion(ISSUER)));
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    }
  });

  it('S12: a client is given back, its tokens of before are not, and that is listed and logged', async () => {
    const lift = (path: string) =>
      fetch(`${at(2).adminUrl}/admin/revocations/${path}`, { method: 'DELETE' }).then(({ status }) => status);
    const old = await tokenAt(0, bank);
    expect((await revoke(at(0), { kind: 'client', id: 'bank' })).status).toBe(204);
    await refusedEverywhere(old);
    expect([await lift(`jti/${jtiOf(old)}`), await lift(''), await lift('client/nobody')]).toEqual([400, 400, 404]);
    expect(await lift('client/bank')).toBe(204);
    const fresh = await waitFor('a token of each gateway', async () => {
      const form = async () => grantForm(await bank.assertion(ISSUER));
      const answers = await Promise.all(gateways.map(async gateway => postToken(gateway, await form())));
      return answers.every(({ status }) => status === 200) && String(answers[0]?.body.access_token);
    });
    const key = await gatewayKey(at(0));
    for (const gateway of gateways) {
      expect((await sealedCall({ gateway, party: bank, token: fresh, key }, 'Purchase', PURCHASE)).status).toBe(200);
      expect((await sealedCall({ gateway, party: bank, token: old, key }, 'Purchase', PURCHASE)).status).toBe(403);
    }
    const { body } = await get(`${at(1).adminUrl}/admin/revocations`);
    expect(body.lifted).toEqual([{ kind: 'client', id: 'bank', at: expect.stringMatching(/Z$/) }]);
    const logged = at(2)
      .logLines()
      .filter(({ event }) => event === 'revocationLifted');
    expect(logged).toMatchObject([{ kind: 'client', what: 'bank', result: 'done' }]);
    expect(await lift('client/bank')).toBe(404);
  });

  it('S12: a client of opaque tokens as well', async () => {
    expect((await call(at(0), 'Purchase', PURCHASE, { token: TILL })).status).toBe(200);
    expect((await revoke(at(0), { kind: 'client', id: 'till' })).status).toBe(204);
    await refusedEverywhere(TILL);
  });

  it.each<[string, unknown, Record<string, string>, number, RegExp]>([
    ['no JSON', '{', {}, 400, /JSON object/],
    ['a list', [], {}, 400, /JSON object/],
    ['another kind', { kind: 'key', id: 'a' }, {}, 400, /client or jti/],
    ['no id', { kind: 'jti' }, {}, 400, /1 to 128/],
    ['a long id', { kind: 'jti', id: 'a'.repeat(129) }, {}, 400, /1 to 128/],
    ['another member', { kind: 'jti', id: 'a', until: 1 }, {}, 400, /other than/],
    ['a client that nobody knows', { kind: 'client', id: 'shopp' }, {}, 404, /no client/],
    ['a long body', { kind: 'jti', id: 'a'.repeat(8000) }, {}, 400, /4096/],
    ['a time of no form', { kind: 'client', id: 'shop', issuedBefore: 'yesterday' }, {}, 400, /now, or a time/],
    ['a day of no month', { kind: 'client', id: 'shop', issuedBefore: '2026-02-30T00:00:00Z' }, {}, 400, /now, or a/],
    ['a time to come', { kind: 'client', id: 'shop', issuedBefore: '2999-01-01T00:00:00Z' }, {}, 400, /future/],
    ['a time long ago', { kind: 'client', id: 'shop', issuedBefore: '2020-01-01T00:00:00Z' }, {}, 400, /ended already/],
    ['a time with a token', { kind: 'jti', id: 'a', issuedBefore: 'now' }, {}, 400, /goes with a client/],
    ['a time with opaque tokens', { kind: 'client', id: 'till', issuedBefore: 'now' }, {}, 400, /no tokens of ours/],
    ['what a web page could send', { kind: 'jti', id: 'a' }, { 'content-type': 'text/plain' }, 400, /content-type/],
  ])('says what is wrong with %s, and revokes nothing', async (_, body, headers, status, error) => {
    const before = await listed();
    const answer = await revoke(at(0), body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatch(error);
    expect(await listed()).toBe(before);
  });

  it('without the journal holds here at once, says so, and reaches the others when it is back', async () => {
    const token = await tokenAt(0, bank);
    redis.pause();
    const answer = await revoke(at(0), { kind: 'jti', id: jtiOf(token) });
    expect([answer.status, answer.body.error]).toEqual([503, expect.stringMatching(/journal is away/)]);
    redis.resume();
    await waitFor('it in the list', async () =>
      (await get(`${at(2).adminUrl}/admin/revocations`)).text.includes(jtiOf(token)),
    );
    expect((await call(at(0), 'Purchase', PURCHASE, { token })).status).toBe(403);
    await refusedEverywhere(token);
  });
});

describe('a gateway that cannot read what is revoked', () => {
  it('S12: does not start, and says why', async test => {
    const own = new Rig(test);
    const broken = await own.redis();
    await broken.command('SET', 'gw:{00}:revoked', 'not ours');
    await expect(own.gateway(issuer, { journalUrl: broken.url })).rejects.toThrow(/does not tell what is revoked/);
    await broken.command('DEL', 'gw:{00}:revoked');
    expect((await own.gateway(issuer, { journalUrl: broken.url })).alive()).toBe(true);
  });
});
