/**
 * Tokens, assertions, envelopes, forms and keys, mutated at random. Whatever comes in, what goes out is a value or one of
 * the refusals that callers may see, and nothing that was changed is taken for good. `FUZZ_RUNS=100000` runs more.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientId } from '../../src/domain/ids.ts';
import { REFUSALS, Refusal } from '../../src/domain/refusal.ts';
import { parseClientCertificates } from '../../src/edge/certificates.ts';
import { readForm } from '../../src/edge/form.ts';
import { createPayloadCipher } from '../../src/edge/jwe.ts';
import { isKeyFault, parseClientJwks, parseOpeningKey, parseSigningKey } from '../../src/edge/keys.ts';
import { createTokenEndpoint } from '../../src/edge/tokenEndpoint.ts';
import { createTokenVerifier } from '../../src/edge/tokenVerifier.ts';
import { certificate, type Party, toPem } from './certificateKit.ts';
import { ENGINES } from './envelopeKit.ts';
import { changed, fuzzRuns, mutated } from './mutations.ts';
import {
  clientOf,
  countingRandom,
  ecPair,
  ISSUER,
  jwk,
  jwsOf,
  keySet,
  memoryOnce,
  NOTHING_REVOKED,
  NOW_S,
  openingKeyOf,
  respelled,
  rsaPair,
  StandingClock,
  signingKeyOf,
} from './oauthKit.ts';

const RUNS = fuzzRuns(1000);
const TIMEOUT_MS = 30_000 + RUNS * 10;
const clock = new StandingClock();

const PAIR = ecPair();
const CLIENT_PAIR = ecPair();
const KEY = await signingKeyOf(PAIR, { kid: 'as' });
const BANK = clientOf('bank', await keySet(jwk(CLIENT_PAIR.publicKey, { kid: 'b1' })));
const OPENING = await openingKeyOf(rsaPair(), { kid: 'p-1' });

const check = (property: fc.IAsyncProperty<unknown>): Promise<void> =>
  fc.assert(property as fc.IAsyncProperty<[unknown]>, { numRuns: RUNS });

/** A refusal that callers may see; anything else is thrown on, and fails. */
const refusedAs = async (promise: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof Refusal && [400, 401, 403].includes(REFUSALS[error.reason].status)) return error;
    throw error;
  }
};

describe('mutated access tokens', () => {
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'as' };
  const claims = {
    iss: ISSUER,
    sub: 'bank',
    aud: ISSUER,
    client_id: 'bank',
    iat: NOW_S,
    exp: NOW_S + 3600,
    jti: 't',
    scope: 'Purchase',
  };
  const good = respelled(jwsOf(header, claims, PAIR.privateKey), true);
  const verifier = createTokenVerifier(
    {
      issuer: ISSUER,
      clock,
      signingKeys: () => [KEY],
      clientId: id => (id === 'bank' ? ('bank' as ClientId) : undefined),
      revocations: NOTHING_REVOKED,
    },
    100,
  );

  it('are refused with 403, unless they are the token itself', { timeout: TIMEOUT_MS }, async () => {
    await check(
      fc.asyncProperty(mutated(good), async text => {
        const refusal = await refusedAs(verifier.verify(text));
        expect(refusal?.reason).toBe(text === good ? undefined : 'token');
      }),
    );
  });

  it('are refused, though we signed them, unless every claim is right', { timeout: TIMEOUT_MS }, async () => {
    await check(
      fc.asyncProperty(changed(header), changed(claims), async (otherHeader, otherClaims) => {
        const text = respelled(jwsOf(otherHeader, otherClaims, PAIR.privateKey), true);
        const refusal = await refusedAs(verifier.verify(text));
        expect(refusal?.reason).toBe(refusal && 'token');
        if (refusal) return;
        const { iat, exp, nbf = NOW_S } = otherClaims as { iat: number; exp: number; nbf?: number };
        expect(JSON.stringify(Object.entries(otherHeader).sort())).toBe(JSON.stringify(Object.entries(header).sort()));
        expect(otherClaims).toMatchObject({
          iss: ISSUER,
          sub: 'bank',
          aud: ISSUER,
          client_id: 'bank',
          jti: expect.any(String),
          scope: expect.any(String),
        });
        for (const time of [iat, exp, nbf]) expect(Number.isSafeInteger(time)).toBe(true);
        expect(exp).toBeGreaterThan(NOW_S - 10);
        expect(exp - iat).toBeLessThanOrEqual(3600);
        expect(Math.max(iat, nbf)).toBeLessThanOrEqual(NOW_S + 10);
      }),
    );
  });
});

describe('mutated requests for tokens', () => {
  const header = { alg: 'ES256', kid: 'b1' };
  const claims = { iss: 'bank', sub: 'bank', aud: ISSUER, jti: 'j', iat: NOW_S, exp: NOW_S + 60 };
  const good = jwsOf(header, claims, CLIENT_PAIR.privateKey);
  const ask = (body: Uint8Array) =>
    createTokenEndpoint({
      issuer: ISSUER,
      accessTokenMinutes: 60,
      signingKeys: () => [KEY],
      clientOf: id => (id === 'bank' ? BANK : undefined),
      revocations: NOTHING_REVOKED,
      once: memoryOnce(),
      clock,
      random: countingRandom,
    })({
      method: 'POST',
      caller: 'peer',
      contentType: 'application/x-www-form-urlencoded',
      rawQuery: undefined,
      body,
      headers: {},
    });
  const formOf = (assertion: string): string =>
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }).toString();
  const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

  it('get 401, unless the assertion is what was signed', { timeout: TIMEOUT_MS }, async () => {
    await check(
      fc.asyncProperty(mutated(good), async assertion => {
        const { status, body } = await ask(bytes(formOf(assertion)));
        expect(status).toBe(assertion === good ? 200 : 401);
        if (status === 401) expect(JSON.parse(body)).toMatchObject({ error: 'invalid_client' });
      }),
    );
  });

  it('get 401, though the client signed them, unless every claim is right', { timeout: TIMEOUT_MS }, async () => {
    await check(
      fc.asyncProperty(changed(header), changed(claims), async (otherHeader, otherClaims) => {
        const { status } = await ask(bytes(formOf(jwsOf(otherHeader, otherClaims, CLIENT_PAIR.privateKey))));
        expect([200, 401]).toContain(status);
        if (status !== 200) return;
        const { iat, exp, nbf = NOW_S } = otherClaims as { iat: number; exp: number; nbf?: number };
        expect(otherHeader.alg).toBe('ES256');
        expect(['b1', undefined]).toContain(otherHeader.kid);
        expect(otherClaims).toMatchObject({
          iss: 'bank',
          sub: 'bank',
          aud: ISSUER,
          jti: expect.stringMatching(/^.{1,128}$/s),
        });
        expect(exp).toBeGreaterThan(NOW_S - 10);
        expect(exp).toBeLessThanOrEqual(NOW_S + 310);
        expect(exp - iat).toBeLessThanOrEqual(310);
        expect(Math.max(iat, nbf)).toBeLessThanOrEqual(NOW_S + 10);
      }),
    );
  });

  it('get 400 or 401 for a form of any bytes', { timeout: TIMEOUT_MS }, async () => {
    const form = formOf(good);
    await check(
      fc.asyncProperty(fc.oneof(mutated(form), fc.string({ unit: 'binary' })), async text => {
        const { status, headers } = await ask(bytes(text));
        expect([200, 400, 401]).toContain(status);
        expect(headers['Cache-Control']).toBe('no-store');
      }),
    );
  });
});

describe('mutated envelopes', () => {
  const ciphers = ENGINES.map(({ engine }) => createPayloadCipher(engine));
  const plain = new TextEncoder().encode('{"participantId":"100000"}');

  /** What every engine says of it, and they all say the same: why it is refused, and nothing where it is not. */
  const faultOf = async (text: string): Promise<string | undefined> => {
    const told = ciphers.map(async cipher => {
      const refusal = await refusedAs(cipher.open(Buffer.from(text, 'utf8'), [OPENING], 'bank'));
      if (refusal) expect(refusal.errors).toEqual([{ field: 'body', reason: 'cannot be opened' }]);
      return refusal && `${refusal.reason}: ${refusal.detail}`;
    });
    const [fault, ...others] = await Promise.all(told);
    for (const other of others) expect(other).toBe(fault);
    return fault;
  };

  it('are refused with 400, unless they are the envelope itself', { timeout: TIMEOUT_MS }, async () => {
    const client = await keySet(jwk(ecPair().publicKey), OPENING.publicJwk);
    if (!client.encryption) throw new Error('unreachable');
    for (const cipher of ciphers) {
      const good = await cipher.seal(plain, client.encryption);
      await check(
        fc.asyncProperty(mutated(good), async text => {
          const fault = await faultOf(text);
          if (text === good) expect(fault).toBeUndefined();
          else expect(fault).toMatch(/^envelope: /);
        }),
      );
    }
  });

  it('are refused whatever their header says', { timeout: TIMEOUT_MS }, async () => {
    const header = { alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: 'p-1' };
    const parts = ['A'.repeat(342), 'A'.repeat(16), 'AAAA', 'A'.repeat(22)];
    await check(
      fc.asyncProperty(changed(header), async other => {
        const text = [Buffer.from(JSON.stringify(other)).toString('base64url'), ...parts].join('.');
        expect(await faultOf(text)).toMatch(/^envelope: /);
      }),
    );
  });
});

describe('mutated forms and keys', () => {
  it('a form is read as its writer meant it, or not at all', { timeout: TIMEOUT_MS }, async () => {
    await check(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 })),
        async fields => {
          fc.pre(!Object.hasOwn(fields, ''));
          const read = readForm(Buffer.from(new URLSearchParams(fields).toString()));
          expect(read && Object.fromEntries(read)).toEqual(
            Object.fromEntries(
              Object.entries(fields).map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]),
            ),
          );
        },
      ),
    );
  });

  it('a key file of any kind gives keys or a fault', { timeout: TIMEOUT_MS }, async () => {
    const files = [jwk(PAIR.privateKey), jwk(PAIR.publicKey), OPENING.publicJwk];
    await fc.assert(
      fc.asyncProperty(fc.oneof(...files.map(changed), fc.jsonValue()), fc.boolean(), async (key, mixed) => {
        const set = JSON.stringify({ keys: mixed ? [jwk(CLIENT_PAIR.publicKey), key] : [key] });
        for (const read of [
          await parseClientJwks(set, { needsEncryption: mixed }),
          await parseSigningKey(JSON.stringify(key)),
          await parseOpeningKey(JSON.stringify(key), 1),
        ]) {
          if (isKeyFault(read)) expect(read.what.length * read.mend.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: Math.min(RUNS, 2000) },
    );
  });

  it('a certificate file of any kind gives keys or a fault', { timeout: TIMEOUT_MS }, async () => {
    const root: Party = { name: 'root', ...ecPair() };
    const ca = toPem(certificate({ subject: root, by: root, ca: true, usage: ['keyCertSign'] }));
    const der = certificate({ subject: { name: 'client', ...CLIENT_PAIR }, by: root, usage: ['digitalSignature'] });
    const bytes = fc
      .array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
      .map(changes => {
        const copy = Buffer.from(der);
        for (const [at, value] of changes) copy[at] = value;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(bytes, fc.uint8Array({ maxLength: 200 })), async changedDer => {
        const read = await parseClientCertificates([toPem(changedDer)], ca, clock.nowMs, { needsEncryption: false });
        expect(isKeyFault(read)).toBe(!der.equals(changedDer));
      }),
      { numRuns: Math.min(RUNS, 2000) },
    );
  });
});
