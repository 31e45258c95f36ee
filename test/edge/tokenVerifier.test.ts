/**
 * What an access token says, claim by claim, and what may change while it lives: clients, keys, revocation, time. The
 * memory of verified tokens may make no difference to any of it.
 */
import { decodeProtectedHeader } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { ecPair, ISSUER, NOW_S, signingKeyOf } from './oauthKit.ts';
import { CLAIMS, claimed, HEADER, KEY, OLD_KEY, OLD_PAIR, TokenStage, token, without } from './tokenStage.ts';

let stage: TokenStage;
beforeEach(() => {
  stage = new TokenStage();
});

describe('the claims of an access token', () => {
  it.each([null, '', String(NOW_S + 3600), -1, 1e308, NOW_S + 0.5, true, [NOW_S], {}])(
    'S28: refuses exp %j',
    async exp => {
      expect(await stage.verdict(claimed({ exp }))).toBe('token claims');
    },
  );

  it('S28: ends when it ends, ten seconds of clocks aside', async () => {
    expect(await stage.verdict(without('exp'))).toBe('token claims');
    expect(await stage.verdict(claimed({ iat: NOW_S - 3600, exp: NOW_S - 8 }))).toBeUndefined();
    expect(await stage.verdict(claimed({ iat: NOW_S - 3600, exp: NOW_S - 10 }))).toBe('token time');
    expect(await stage.verdict(claimed({ exp: NOW_S - 61, iat: NOW_S - 3600 }))).toBe('token time');
    expect(await stage.verdict(claimed({ exp: NOW_S + 3601 }))).toBe('token claims');
    expect(await stage.verdict(claimed({ exp: NOW_S + 60, iat: NOW_S - 4000 }))).toBe('token claims');
    expect(await stage.verdict(claimed({ exp: NOW_S, iat: NOW_S }))).toBe('token claims');
    expect(await stage.verdict(token(HEADER, JSON.stringify(CLAIMS).replace(String(NOW_S + 3600), '1e400')))).toBe(
      'token claims',
    );
  });

  it('S29: is not from the future: 8 seconds are, 61 are not', async () => {
    expect(await stage.verdict(claimed({ iat: NOW_S + 8, nbf: NOW_S + 8 }))).toBeUndefined();
    expect(await stage.verdict(claimed({ iat: NOW_S + 61 }))).toBe('token time');
    expect(await stage.verdict(claimed({ nbf: NOW_S + 61 }))).toBe('token time');
    expect(await stage.verdict(claimed({ nbf: 'now' }))).toBe('token claims');
    expect(await stage.verdict(claimed({ nbf: null }))).toBe('token claims');
    expect(await stage.verdict(without('iat'))).toBe('token claims');
    expect(await stage.verdict(claimed({ iat: String(NOW_S) }))).toBe('token claims');
  });

  it.each(['iss', 'aud'])('S30, S31, S41: %s is our identifier, alone', async name => {
    expect(await stage.verdict(without(name))).toBe('token claims');
    for (const value of [
      null,
      '',
      'https://other.example',
      `${ISSUER}/`,
      ISSUER.toUpperCase(),
      [ISSUER],
      [ISSUER, 'https://other.example'],
      { 0: ISSUER },
      1,
    ]) {
      expect(await stage.verdict(claimed({ [name]: value }))).toBe('token claims');
    }
  });

  it.each(['sub', 'client_id', 'jti', 'scope'])('S35: has %s, and it is a string', async name => {
    expect(await stage.verdict(without(name))).toBe('token claims');
    for (const value of [null, 1, ['bank'], ['Purchase'], {}, true, '']) {
      expect(await stage.verdict(claimed({ [name]: value }))).toBe('token claims');
    }
  });

  it('S35: sub and client_id are one client, jti is short, scope is a list of names', async () => {
    expect(await stage.verdict(claimed({ sub: 'shop' }))).toBe('token claims');
    expect(await stage.verdict(claimed({ jti: 'j'.repeat(129) }))).toBe('token claims');
    for (const scope of [
      ' ',
      'Purchase ',
      ' Purchase',
      'Purchase  Refund',
      'Purchase\tRefund',
      'Pur"chase',
      'Pürchase',
    ]) {
      expect(await stage.verdict(claimed({ scope }))).toBe('token claims');
    }
  });

  it('S36: allows only what its names stand for; unknown ones stand for nothing', async () => {
    const { apis } = await stage.verifier.verify(claimed({ scope: 'Purchase Nonsense constructor __proto__' }));
    expect([...apis]).toEqual(['Purchase']);
    expect((await stage.verifier.verify(claimed({ scope: 'Nonsense', jti: 'x' }))).apis.size).toBe(0);
  });

  it('S12, S37: ends with its client, at once, remembered or not', async () => {
    const good = token(HEADER, CLAIMS);
    const other = claimed({ jti: 'token-2' });
    expect(await stage.verdict(good)).toBeUndefined();
    stage.revoked.add('client bank');
    expect(await stage.verdict(good)).toBe('token revoked');
    expect(await stage.verdict(other)).toBe('token revoked');
    stage.revoked.clear();
    stage.clients.delete('bank');
    expect(await stage.verdict(good)).toBe('token client');
    expect(await stage.verdict(other)).toBe('token client');
    stage.clients.add('bank');
    expect(await stage.verdict(good)).toBeUndefined();
  });

  it('S12: ends where its client’s tokens of before then are revoked, and later ones do not', async () => {
    const [old, fresh] = [claimed({ iat: NOW_S - 1, exp: NOW_S + 600 }), claimed({ iat: NOW_S, jti: 'fresh' })];
    expect(await stage.verdict(old)).toBeUndefined();
    stage.validFrom.set('shop', NOW_S + 60);
    expect(await stage.verdict(old)).toBeUndefined();
    stage.validFrom.set('bank', NOW_S);
    expect(await stage.verdict(old)).toBe('token revoked');
    expect(await stage.verdict(fresh)).toBeUndefined();
  });

  it('F80: ends with the key that signed it, even under the same kid', async () => {
    const good = token({ ...HEADER, kid: 'as-1' }, CLAIMS, OLD_PAIR);
    expect(await stage.verdict(good)).toBeUndefined();
    stage.keys = [KEY];
    expect(await stage.verdict(good)).toBe('token key');
    stage.keys = [KEY, await signingKeyOf(ecPair(), { kid: 'as-1' })];
    expect(await stage.verdict(good)).toBe('token signature');
    stage.keys = [KEY, OLD_KEY];
    expect(await stage.verdict(good)).toBeUndefined();
  });
});

describe('the memory of tokens', () => {
  it('verifies a signature once', async () => {
    const good = token(HEADER, CLAIMS);
    const first = await stage.verifier.verify(good);
    expect(await stage.verifier.verify(good)).toBe(first);
  });

  it('F81: forgets a token when it ends, and judges it anew', async () => {
    const good = token(HEADER, CLAIMS);
    const first = await stage.verifier.verify(good);
    stage.clock.nowMs = (NOW_S + 3600) * 1000 - 1;
    expect(await stage.verifier.verify(good)).toBe(first);
    stage.clock.nowMs += 1;
    expect(await stage.verifier.verify(good)).not.toBe(first);
    stage.clock.nowMs += 10_000;
    expect(await stage.verdict(good)).toBe('token time');
  });

  it('F70: keeps as many as it may, and those that are in use', async () => {
    stage.verifier = stage.makeVerifier(2);
    const [a, b, c] = ['a', 'b', 'c'].map(jti => claimed({ jti }));
    if (!a || !b || !c) throw new Error('unreachable');
    const firstA = await stage.verifier.verify(a);
    const firstB = await stage.verifier.verify(b);
    expect(await stage.verifier.verify(a)).toBe(firstA);
    await stage.verifier.verify(c);
    expect(await stage.verifier.verify(a)).toBe(firstA);
    expect(await stage.verifier.verify(b)).not.toBe(firstB);
  });

  it('is keyed by the whole token, not by what can be read of it', async () => {
    const good = token(HEADER, CLAIMS);
    await stage.verifier.verify(good);
    const forged = token(HEADER, CLAIMS, ecPair());
    expect(decodeProtectedHeader(forged)).toEqual(decodeProtectedHeader(good));
    expect(await stage.verdict(forged)).toBe('token signature');
  });
});
