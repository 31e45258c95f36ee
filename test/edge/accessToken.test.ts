/**
 * Access tokens from the outside in: what we issue, and every way in which the form, the header or the signature of one
 * can be wrong. Claims and what changes while a token lives are in `tokenVerifier.test.ts`.
 */
import { createHmac } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { ACCESS_TOKEN_CHARS_MAX } from '../../src/edge/accessToken.ts';
import { jwksDocument } from '../../src/edge/metadata.ts';
import { b64, ecPair, ISSUER, jwk, NOW_S, refusalOf, respelled } from './oauthKit.ts';
import { CLAIMS, claimed, HEADER, OLD_PAIR, PAIR, TokenStage, token } from './tokenStage.ts';

let stage: TokenStage;
beforeEach(() => {
  stage = new TokenStage();
});

describe('an access token', () => {
  it('is a JWT of RFC 9068 that anybody can verify with our JWK Set', async () => {
    const { token: text, jti } = await stage.issue(['Transaction']);
    const { payload, protectedHeader } = await jwtVerify(
      text,
      createLocalJWKSet({ keys: [...jwksDocument(stage.keys, []).keys] }),
      {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer: ISSUER,
        audience: ISSUER,
        currentDate: new Date(stage.clock.nowMs),
      },
    );
    expect(protectedHeader).toEqual(HEADER);
    expect(payload).toEqual({ ...CLAIMS, jti, scope: 'Transaction' });
  });

  it('is verified to what it says', async () => {
    const proved = await stage.verifier.verify((await stage.issue(['Transaction', 'CardInfoInquiry'])).token);
    expect(proved.clientId).toBe('bank');
    expect(proved.expiresAtMs).toBe((NOW_S + 3600) * 1000);
    const expected = APIS.filter(row => row.module === 'Transaction' || row.name === 'CardInfoInquiry');
    expect([...proved.apis].sort()).toEqual(expected.map(row => row.name).sort());
  });

  it('has one spelling, whichever s the signature came with', async () => {
    for (let round = 0; round < 20; round++) {
      const { token: text } = await stage.issue();
      expect(await stage.verdict(text)).toBeUndefined();
      expect(await stage.verdict(respelled(text))).toBe('token signature');
    }
  });

  it('stays below its cap with every name of the catalogue', async () => {
    const names = [...new Set(APIS.map(row => row.module)), ...APIS.map(row => row.name)];
    expect((await stage.issue(names)).token.length).toBeLessThan(ACCESS_TOKEN_CHARS_MAX);
  });

  it('S20: is three parts of canonical base64url with JSON objects', async () => {
    const good = token(HEADER, CLAIMS);
    const [header = '', claims = '', signature = ''] = good.split('.');
    expect(await stage.verdict(good)).toBeUndefined();
    for (const text of [
      '',
      '.',
      '..',
      header,
      `${header}.${claims}`,
      `${good}.`,
      `.${good}`,
      `${good}.${signature}`,
      `${header}..${signature}`,
      `.${claims}.${signature}`,
      `${b64('{}')}.${claims}.${signature}`,
      `%%.${claims}.${signature}`,
      `${b64('[]')}.${claims}.${signature}`,
      `${b64('"a"')}.${claims}.${signature}`,
      token('null', CLAIMS),
      token(HEADER, '[]'),
      token(HEADER, 'null'),
      token(HEADER, '"text"'),
      token(HEADER, ''),
      token(HEADER, '{'),
      `${good}\n`,
      ` ${good}`,
      'x'.repeat(ACCESS_TOKEN_CHARS_MAX + 1),
    ]) {
      expect(await stage.verdict(text), text.slice(0, 40)).toMatch(/^token (form|header)$/);
    }
  });

  it('S20: says everything once, in strict JSON', async () => {
    const twice = JSON.stringify(CLAIMS).replace('{', `{"sub":"shop",`);
    expect(await stage.verdict(token(HEADER, twice))).toBe('token form');
    const escaped = JSON.stringify(CLAIMS).replace('{', `{"\\u0073ub":"shop",`);
    expect(await stage.verdict(token(HEADER, escaped))).toBe('token form');
    expect(await stage.verdict(token(JSON.stringify(HEADER).replace('{', '{"alg":"none",'), CLAIMS))).toBe(
      'token form',
    );
    expect(await stage.verdict(token(HEADER, JSON.stringify(CLAIMS).replace('{', '{"__proto__":{},')))).toBe(
      'token form',
    );
    expect(await stage.verdict(token(HEADER, `\ufeff${JSON.stringify(CLAIMS)}`))).toBe('token form');
    expect(await stage.verdict(token(HEADER, `${JSON.stringify(CLAIMS)} x`))).toBe('token form');
    expect(await stage.verdict(token(HEADER, '{"a":'.repeat(5000)))).toBe('token form');
  });

  it('S21, S23: is signed with ES256, spelled so', async () => {
    for (const alg of [
      'none',
      'None',
      'NONE',
      '',
      'es256',
      'ES256 ',
      'ES384',
      'ES256K',
      'RS256',
      'PS256',
      'EdDSA',
      'HS256',
      5,
      null,
      ['ES256'],
    ]) {
      expect(await stage.verdict(token({ ...HEADER, alg }, CLAIMS))).toBe('token header');
    }
    expect(await stage.verdict(token({ typ: 'at+jwt', kid: 'as-2' }, CLAIMS))).toBe('token header');
    expect(await stage.verdict(`${b64({ ...HEADER, alg: 'none' })}.${b64(CLAIMS)}.`)).toBe('token form');
  });

  it('S22: is not signed with our public key as a secret', async () => {
    const input = `${b64({ ...HEADER, alg: 'HS256' })}.${b64(CLAIMS)}`;
    for (const secret of [
      PAIR.publicKey.export({ type: 'spki', format: 'pem' }),
      PAIR.publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk(PAIR.publicKey)),
    ]) {
      const mac = createHmac('sha256', secret).update(input).digest('base64url');
      expect(await stage.verdict(`${input}.${mac}`)).toBe('token form');
      const long = createHmac('sha512', secret).update(input).digest('base64url');
      expect(await stage.verdict(`${input}.${long}`)).toBe('token header');
    }
  });

  it('S24: has the right signature, of our own key, in 64 bytes', async () => {
    const good = token(HEADER, CLAIMS);
    const input = good.slice(0, good.lastIndexOf('.') + 1);
    const signature = Buffer.from(good.slice(input.length), 'base64url');
    expect(await stage.verdict(input)).toBe('token form');
    expect(await stage.verdict(input + Buffer.alloc(64).toString('base64url'))).toBe('token signature');
    expect(await stage.verdict(input + signature.subarray(1).toString('base64url'))).toBe('token form');
    expect(
      await stage.verdict(`${input}${b64('DER of seventy bytes, more or less, as a signature in X.509 would be')}`),
    ).toBe('token form');
    expect(await stage.verdict(token(HEADER, CLAIMS, ecPair()))).toBe('token signature');
    expect(await stage.verdict(token(HEADER, CLAIMS, OLD_PAIR))).toBe('token signature');
    expect(await stage.verdict(token({ ...HEADER, kid: 'as-1' }, CLAIMS, OLD_PAIR))).toBeUndefined();
    for (let at = 0; at < 64; at++) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await stage.verdict(input + changed.toString('base64url'))).toBe('token signature');
    }
    const other = input.replace(b64(CLAIMS), b64({ ...CLAIMS, sub: 'shop', client_id: 'shop' }));
    expect(await stage.verdict(other + signature.toString('base64url'))).toBe('token signature');
  });

  it('S25: brings no key, and nothing else in its header', async () => {
    const own = ecPair();
    for (const more of [
      { jwk: jwk(own.publicKey) },
      { x5c: ['MIIB'] },
      { jku: 'http://127.0.0.1:9/keys' },
      { x5u: 'http://127.0.0.1:9/cert' },
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { b64: false, crit: ['b64'] },
      { b64: true },
      { cty: 'JWT' },
      { zip: 'DEF' },
      { enc: 'A128GCM' },
      { other: 1 },
    ]) {
      expect(await stage.verdict(token({ ...HEADER, ...more }, CLAIMS, own))).toBe('token header');
      expect(await stage.verdict(token({ ...HEADER, ...more }, CLAIMS))).toBe('token header');
    }
  });

  it('S26: names one of our keys', async () => {
    for (const kid of [
      'as-3',
      'AS-2',
      'as-2 ',
      '',
      'k'.repeat(2000),
      '../../as-2',
      "' OR 1=1",
      'a\u0000b',
      'constructor',
      'toString',
    ]) {
      expect(await stage.verdict(token({ ...HEADER, kid }, CLAIMS))).toBe('token key');
    }
    for (const kid of [undefined, null, 2, ['as-2'], { a: 1 }]) {
      expect(await stage.verdict(token({ ...HEADER, kid }, CLAIMS))).toBe('token header');
    }
    expect(await stage.verdict(token({ alg: 'ES256', typ: 'at+jwt', x: 'as-2' }, CLAIMS))).toBe('token header');
    expect(await stage.verdict(token({ ...HEADER, kid: 'k'.repeat(10_000) }, CLAIMS))).toBe('token form');
  });

  it('S32, S33: is of its own type, which no client assertion has', async () => {
    for (const typ of ['JWT', 'jwt', 'AT+JWT', 'application/at+jwt', 'client-authentication+jwt', '', 1, null]) {
      expect(await stage.verdict(token({ ...HEADER, typ }, CLAIMS))).toBe('token header');
    }
    expect(await stage.verdict(token({ alg: 'ES256', kid: 'as-2' }, CLAIMS))).toBe('token header');
  });

  it('S37: stays revoked however it is spelled', async () => {
    const good = token(HEADER, CLAIMS);
    expect(await stage.verdict(good)).toBeUndefined();
    stage.revoked.add('jti token-1');
    expect(await stage.verdict(good)).toBe('token revoked');
    expect(await stage.verdict(respelled(good))).toBe('token signature');
    expect(await stage.verdict(token({ kid: 'as-2', typ: 'at+jwt', alg: 'ES256' }, CLAIMS))).toBe('token revoked');
  });

  it('S37: has no other spelling at all', async () => {
    const good = token(HEADER, CLAIMS);
    const last = good.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const loose = good.slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1];
    for (const text of [
      respelled(good),
      loose,
      `${good}=`,
      `${good}==`,
      good.replace('.', '=.'),
      `${good.slice(0, 30)} ${good.slice(30)}`,
      `${good.slice(0, 30)}\n${good.slice(30)}`,
      `${good} `,
      good.replaceAll('-', '+').replaceAll('_', '/').replace(/(.)$/, '$1='),
    ]) {
      expect(await stage.verdict(text)).toMatch(/^token (form|signature)$/);
    }
  });

  it('S39: is no JWE, no nested JWT and no JWS in JSON', async () => {
    const inner = token(HEADER, CLAIMS);
    const [header = '', payload = '', signature = ''] = inner.split('.');
    const jwe = [b64({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: 'as-2', cty: 'JWT' }), 'a', 'b', 'c', 'd'].join('.');
    for (const text of [
      jwe,
      JSON.stringify({ protected: header, payload, signature }),
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      token({ ...HEADER, cty: 'JWT' }, inner),
      token(HEADER, inner),
      token(HEADER, JSON.stringify(inner)),
    ]) {
      expect(await stage.verdict(text)).toMatch(/^token (form|header)$/);
    }
  });

  it('I14: is in no refusal', async () => {
    const text = claimed({ sub: 'canary-4111' });
    const refusal = await refusalOf(stage.verifier.verify(text));
    expect(JSON.stringify(refusal) + String(refusal) + refusal?.stack).not.toMatch(/canary|eyJ/);
  });
});
