/**
 * Keys as files: which JSON Web Keys are taken, for what, and how each of the others is refused without a word of what is
 * in it.
 */
import { describe, expect, it } from 'vitest';
import {
  type ClientKeySet,
  isKeyFault,
  keyCollisions,
  parseClientJwks,
  parseOpeningKey,
  parseSigningKey,
} from '../../src/edge/keys.ts';
import { ecPair, type Json, jwk, keySet, must, rsaPair } from './oauthKit.ts';

const EC = ecPair();
const OTHER_EC = ecPair();
const RSA = rsaPair();
const OTHER_RSA = rsaPair();

const PUBLIC_EC = jwk(EC.publicKey);
const PUBLIC_RSA = jwk(RSA.publicKey);

const faultOf = (value: object): string => (isKeyFault(value) ? `${value.what}; ${value.mend}` : 'no fault');
const setFault = async (keys: unknown, needsEncryption = false): Promise<string> =>
  faultOf(await parseClientJwks(JSON.stringify({ keys }), { needsEncryption }));

/** Flips one bit of a base64url number. */
const flipped = (text: unknown): string => {
  const bytes = Buffer.from(String(text), 'base64url');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes.toString('base64url');
};

describe('a client’s JWK Set', () => {
  it('gives EC keys by kid and the first RSA key', async () => {
    const set = must(
      await parseClientJwks(
        JSON.stringify({
          keys: [
            { ...PUBLIC_EC, kid: 'a', use: 'sig', alg: 'ES256', key_ops: ['verify'] },
            { ...jwk(OTHER_EC.publicKey), kid: 'b' },
            { ...PUBLIC_RSA, kid: 'c', use: 'enc', alg: 'RSA-OAEP-256', key_ops: ['wrapKey'] },
            { ...jwk(OTHER_RSA.publicKey), kid: 'd' },
          ],
        }),
        { needsEncryption: true },
      ),
    );
    expect([...set.verification.keys()]).toEqual(['a', 'b']);
    expect(set.encryption?.kid).toBe('c');
    expect(set.kids).toEqual(['a', 'b', 'c', 'd']);
    expect(new Set(set.thumbprints).size).toBe(4);
    expect(set.endsAtMs).toEqual(set.kids.map(() => undefined));
  });

  it('names a key without kid by its RFC 7638 thumbprint', async () => {
    // The example of RFC 7638, 3.1.
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    const set = await keySet(PUBLIC_EC, { kty: 'RSA', n, e: 'AQAB' });
    expect(set.encryption?.kid).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    expect(set.kids).toEqual(set.thumbprints);
  });

  it('S130: refuses private and symmetric keys, and says that the key has been shown', async () => {
    const whole = jwk(EC.privateKey);
    expect(await setFault([whole])).toMatch(/keys\[0\] holds a private key.*replace the key/);
    expect(await setFault([PUBLIC_EC, jwk(RSA.privateKey)])).toMatch(/keys\[1\] holds a private key/);
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      expect(await setFault([{ ...PUBLIC_RSA, [member]: '' }])).toMatch(/holds a private key/);
    }
    expect(await setFault([{ kty: 'oct', k: 'c2VjcmV0' }])).toMatch(/symmetric/);
    expect(await setFault([whole])).not.toContain(String(whole.d));
  });

  it.each([
    ['RSA of 1024 bits', () => jwk(rsaPair(1024).publicKey), /1024 bits/],
    ['RSA of 2047 bits', () => ({ ...PUBLIC_RSA, n: lessBits(PUBLIC_RSA.n) }), /2047 bits/],
    ['RSA past 4096 bits', () => ({ ...PUBLIC_RSA, n: wide(513) }), /4104 bits/],
    ['e = 1', () => ({ ...PUBLIC_RSA, e: 'AQ' }), /65537/],
    ['e = 3', () => ({ ...PUBLIC_RSA, e: 'Aw' }), /65537/],
    ['e = 65537 with a leading zero', () => ({ ...PUBLIC_RSA, e: 'AAEAAQ' }), /65537/],
    ['an even modulus', () => ({ ...PUBLIC_RSA, n: flipped(PUBLIC_RSA.n) }), /modulus/],
    ['a modulus with a leading zero', () => ({ ...PUBLIC_RSA, n: zeroed(PUBLIC_RSA.n) }), /modulus/],
    ['a modulus with padding', () => ({ ...PUBLIC_RSA, n: `${PUBLIC_RSA.n}==` }), /modulus/],
    ['no modulus', () => ({ kty: 'RSA', e: 'AQAB' }), /modulus/],
    ['P-384', () => jwk(ecPair('P-384').publicKey), /P-256/],
    ['P-521', () => jwk(ecPair('P-521').publicKey), /P-256/],
    ['secp256k1', () => jwk(ecPair('secp256k1').publicKey), /P-256/],
    ['a point off the curve', () => ({ ...PUBLIC_EC, y: flipped(PUBLIC_EC.y) }), /not a point/],
    ['the point at zero', () => ({ ...PUBLIC_EC, x: 'A'.repeat(43), y: 'A'.repeat(43) }), /not a point/],
    ['a short coordinate', () => ({ ...PUBLIC_EC, x: 'AAAA' }), /coordinates/],
    ['a coordinate that is a number', () => ({ ...PUBLIC_EC, x: 5 }), /coordinates/],
    ['a coordinate with other last bits', () => ({ ...PUBLIC_EC, x: looseEnd(PUBLIC_EC.x) }), /coordinates/],
    ['OKP', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }), /neither an EC nor an RSA/],
    ['no kty', () => ({ x: 'a' }), /neither an EC nor an RSA/],
    ['a kty in other case', () => ({ ...PUBLIC_EC, kty: 'ec' }), /neither an EC nor an RSA/],
  ] as const)('S130: refuses %s', async (_, make, expected) => {
    const made: Json = make();
    expect(await setFault([PUBLIC_EC_2, made])).toMatch(expected);
    expect(await setFault([PUBLIC_EC_2, made])).toMatch(/^keys\[1\]/);
  });

  it.each([
    ['use of RSA', { ...PUBLIC_RSA, use: 'sig' }, /use/],
    ['use of EC', { ...PUBLIC_EC, use: 'enc' }, /use/],
    ['use of another type', { ...PUBLIC_EC, use: ['sig'] }, /use/],
    ['alg of EC', { ...PUBLIC_EC, alg: 'ES384' }, /algorithm/],
    ['alg for agreement', { ...PUBLIC_EC, alg: 'ECDH-ES' }, /algorithm/],
    ['alg in other case', { ...PUBLIC_EC, alg: 'es256' }, /algorithm/],
    ['alg of RSA', { ...PUBLIC_RSA, alg: 'RSA1_5' }, /algorithm/],
    ['alg RSA-OAEP with SHA-1', { ...PUBLIC_RSA, alg: 'RSA-OAEP' }, /algorithm/],
    ['key_ops of EC', { ...PUBLIC_EC, key_ops: ['sign'] }, /key_ops/],
    ['key_ops of both kinds', { ...PUBLIC_EC, key_ops: ['verify', 'deriveKey'] }, /key_ops/],
    ['key_ops twice', { ...PUBLIC_EC, key_ops: ['verify', 'verify'] }, /key_ops/],
    ['no key_ops', { ...PUBLIC_EC, key_ops: [] }, /key_ops/],
    ['key_ops that are a string', { ...PUBLIC_EC, key_ops: 'verify' }, /key_ops/],
    ['key_ops of RSA', { ...PUBLIC_RSA, key_ops: ['decrypt'] }, /key_ops/],
    ['an empty kid', { ...PUBLIC_EC, kid: '' }, /kid/],
    ['a kid that is a number', { ...PUBLIC_EC, kid: 1 }, /kid/],
    ['a kid of 129 characters', { ...PUBLIC_EC, kid: 'k'.repeat(129) }, /kid/],
    ['a kid with a line end', { ...PUBLIC_EC, kid: 'a\nb' }, /kid/],
  ] as const)('S131: refuses a wrong %s', async (_, key, expected) => {
    expect(await setFault([key])).toMatch(expected);
  });

  it('S131: refuses one kid twice, also of two kinds of key, and one key twice', async () => {
    expect(
      await setFault([
        { ...PUBLIC_EC, kid: 'a' },
        { ...PUBLIC_EC_2, kid: 'a' },
      ]),
    ).toMatch(/keys\[1\] has the kid of keys\[0\]/);
    expect(
      await setFault([
        { ...PUBLIC_EC, kid: 'a' },
        { ...PUBLIC_RSA, kid: 'a' },
      ]),
    ).toMatch(/has the kid of/);
    expect(
      await setFault([
        { ...PUBLIC_EC, kid: 'a' },
        { ...PUBLIC_EC, kid: 'b' },
      ]),
    ).toMatch(/is the same key as/);
  });

  it('S131: finds keys and kids that two owners share', async () => {
    const a = await keySet({ ...PUBLIC_EC, kid: 'one' }, { ...PUBLIC_RSA, kid: 'two' });
    const b = await keySet({ ...PUBLIC_EC_2, kid: 'two' });
    const c = await keySet({ ...PUBLIC_EC, kid: 'three' });
    expect(keyCollisions([a, b, c])).toEqual([
      { kind: 'key', first: 0, second: 2 },
      { kind: 'kid', first: 0, second: 1 },
    ]);
    expect(keyCollisions([a])).toEqual([]);
  });

  it('needs what it is to be used for, and says what is missing', async () => {
    expect(await setFault([PUBLIC_RSA])).toMatch(/no EC P-256 key/);
    expect(await setFault([PUBLIC_EC], true)).toMatch(/no RSA key/);
    expect(await setFault([])).toMatch(/no EC P-256 key/);
    expect(await setFault(Array.from({ length: 9 }, () => PUBLIC_EC))).toMatch(/more than 8/);
  });

  it.each([
    ['nothing', '', /not a JSON Web Key/],
    ['PEM', EC.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /PEM/],
    ['one key', JSON.stringify(PUBLIC_EC), /not a JWK Set/],
    ['a list', JSON.stringify([PUBLIC_EC]), /must be a JSON object/],
    ['keys that are no list', '{"keys": {}}', /not a JWK Set/],
    ['a key that is no object', '{"keys": ["a"]}', /keys\[0\] is not an object/],
    ['a member twice', '{"keys": [], "keys": []}', /is there twice/],
    ['a name of prototypes', '{"keys": [], "__proto__": 1}', /not a JSON Web Key/],
    ['a key member twice', '{"keys": [{"kty": "EC", "kty": "RSA"}]}', /is there twice/],
    ['too long', ' '.repeat(70_000), /too long/],
  ])('refuses a file with %s', async (_, text, expected) => {
    expect(faultOf(await parseClientJwks(text, { needsEncryption: false }))).toMatch(expected);
  });
});

describe('our own keys', () => {
  const text = (key: Json): string => JSON.stringify(key);

  it('signs and verifies, and keeps the private half to itself', async () => {
    const key = must(await parseSigningKey(text(jwk(EC.privateKey, { kid: 'mine' }))));
    expect(key.kid).toBe('mine');
    expect(key.publicJwk).toEqual({ ...PUBLIC_EC, kid: 'mine', use: 'sig', alg: 'ES256' });
    expect(key.key.reveal().extractable).toBe(false);
    expect(JSON.stringify(key)).not.toContain(String(jwk(EC.privateKey).d));
    expect(key.publicKey.usages).toEqual(['verify']);
  });

  it('imports the opening key once for each thread', async () => {
    const key = must(await parseOpeningKey(text(jwk(RSA.privateKey)), 3));
    expect(key.keys).toHaveLength(3);
    expect(new Set(key.keys.map(copy => copy.reveal())).size).toBe(3);
    expect(key.keys[0].reveal().extractable).toBe(false);
    expect(key.kid).toBe(key.thumbprint);
    expect(key.publicJwk).toEqual({ ...PUBLIC_RSA, kid: key.kid, use: 'enc', alg: 'RSA-OAEP-256' });
  });

  it.each([
    ['a public key', PUBLIC_EC, /public key/],
    ['an RSA key', jwk(RSA.privateKey), /not an EC key/],
    ['halves of two keys', { ...PUBLIC_EC, d: jwk(OTHER_EC.privateKey).d }, /not one pair/],
    ['a private number of zero', { ...PUBLIC_EC, d: 'A'.repeat(43) }, /not one pair/],
    ['a private number that is short', { ...PUBLIC_EC, d: 'AAAA' }, /private number/],
    ['another use', jwk(EC.privateKey, { use: 'enc' }), /use/],
    ['key_ops without sign', jwk(EC.privateKey, { key_ops: ['verify'] }), /key_ops/],
  ] as const)('S130, S131: a signing key may not be %s', async (_, key, expected) => {
    const fault = faultOf(await parseSigningKey(text(key)));
    expect(fault).toMatch(expected);
    expect(fault).not.toContain(String(jwk(EC.privateKey).d));
  });

  it.each([
    ['a public key', PUBLIC_RSA, /public key/],
    ['an EC key', jwk(EC.privateKey), /not an RSA key/],
    ['halves of two keys', { ...jwk(RSA.privateKey), n: jwk(OTHER_RSA.publicKey).n }, /not one pair/],
    ['a wrong private exponent', { ...jwk(RSA.privateKey), ...changedPrimes() }, /not one pair/],
    ['with exponents of another', { ...jwk(RSA.privateKey), ...otherExponents() }, /not one pair/],
    ['without primes', { ...PUBLIC_RSA, d: jwk(RSA.privateKey).d }, /private numbers/],
    ['of three primes', jwk(RSA.privateKey, { oth: [] }), /more than two primes/],
    ['of 1024 bits', jwk(rsaPair(1024).privateKey), /1024 bits/],
    ['for signatures', jwk(RSA.privateKey, { use: 'sig' }), /use/],
  ] as const)('S130, S131: an opening key may not be %s', async (_, key, expected) => {
    expect(faultOf(await parseOpeningKey(text(key)))).toMatch(expected);
  });

  it('refuses a collision with a client’s key like any other', async () => {
    const own = must(await parseSigningKey(text(jwk(EC.privateKey))));
    const client: ClientKeySet = await keySet(PUBLIC_EC);
    expect(keyCollisions([{ thumbprints: [own.thumbprint], kids: [own.kid] }, client])).toHaveLength(2);
  });
});

const PUBLIC_EC_2 = jwk(OTHER_EC.publicKey);

function changedPrimes(): Json {
  const { p, dp, dq, qi } = jwk(OTHER_RSA.privateKey);
  return { p, dp, dq, qi };
}

function otherExponents(): Json {
  const { d, dp } = jwk(OTHER_RSA.privateKey);
  return { d, dp };
}

function lessBits(n: unknown): string {
  const bytes = Buffer.from(String(n), 'base64url');
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('base64url');
}

function zeroed(n: unknown): string {
  return Buffer.concat([Buffer.from([0]), Buffer.from(String(n), 'base64url')]).toString('base64url');
}

function wide(bytes: number): string {
  return Buffer.alloc(bytes, 0xff).toString('base64url');
}

/** The same bytes, spelled with other unused bits at the end. */
function looseEnd(text: unknown): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = String(text).at(-1) ?? '';
  return String(text).slice(0, -1) + alphabet[alphabet.indexOf(last) ^ 1];
}
