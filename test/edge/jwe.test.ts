/**
 * Envelopes, made by hand and by libraries: what is opened, and that all else ends in one refusal whose cause only our log
 * knows.
 */
import { constants, type KeyObject, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { CompactEncrypt, compactDecrypt, FlattenedEncrypt, GeneralEncrypt, importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { REFUSALS } from '../../src/domain/refusal.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createPayloadCipher, JWE_BYTES_MAX } from '../../src/edge/jwe.ts';
import type { JweEngine } from '../../src/edge/jweEngine.ts';
import type { CryptoKey, OpeningKey } from '../../src/edge/keys.ts';
import { ENGINES, HEADER, jweOf, KEY, KEYS, OLD_KEY, OLD_PAIR, PAIR, PLAIN } from './envelopeKit.ts';
import { ecPair, type Json, jwk, keySet, refusalOf, rsaPair } from './oauthKit.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let engine: JweEngine = ENGINES[0].engine;
let cipher = createPayloadCipher(engine);
/** From here on the tests are about this engine. */
const use = (next: JweEngine) => () => {
  engine = next;
  cipher = createPayloadCipher(engine);
};
const open = (text: string | Uint8Array, keys = KEYS): Promise<Uint8Array> =>
  cipher.open(typeof text === 'string' ? bytes(text) : text, keys, 'bank');

/** The fault, proved to be the one refusal that there is; `opened` where there was none. */
const verdict = async (text: string | Uint8Array, keys = KEYS): Promise<string> => {
  const refusal = await refusalOf(open(text, keys));
  if (!refusal) return 'opened';
  expect(refusal.reason).toBe('envelope');
  expect(refusal.errors).toEqual([{ field: 'body', reason: 'cannot be opened' }]);
  expect(refusal.header).toEqual({});
  return refusal.detail ?? 'no detail';
};
const headed = (more: Json): Promise<string> => verdict(jweOf({ header: { ...HEADER, ...more } }));

describe.each(ENGINES)('opening an envelope with $name', ({ engine: each }) => {
  beforeAll(use(each));

  it('gives the plain bytes, whoever sealed it', async () => {
    expect(Buffer.from(await open(jweOf())).toString()).toBe(PLAIN);
    const sealed = await cipher.seal(bytes(PLAIN), { kid: 'p-2', key: await publicKeyOf(PAIR.publicKey) });
    expect(Buffer.from(await open(sealed)).toString()).toBe(PLAIN);
  });

  it('is 400 with code 30', () => {
    expect(REFUSALS.envelope).toEqual({ status: 400, code: '30' });
  });

  it('may say what is inside, and carry members that ask for nothing', async () => {
    for (const more of [
      { cty: 'json' },
      { cty: 'application/json' },
      { typ: 'JOSE' },
      { iat: 1 },
      { 'x5t#S256': 'a' },
    ]) {
      expect(await headed(more)).toBe('opened');
    }
  });

  it('S70, S71, S75: knows one algorithm of each kind, spelled so', async () => {
    for (const alg of [
      'RSA1_5',
      'RSA-OAEP',
      'RSA-OAEP-384',
      'RSA-OAEP-512',
      'dir',
      'A128KW',
      'A256KW',
      'A128GCMKW',
      'ECDH-ES',
      'ECDH-ES+A128KW',
      'rsa-oaep-256',
      '',
      null,
      1,
      ['RSA-OAEP-256'],
    ]) {
      expect(await headed({ alg })).toBe('algorithm');
    }
    for (const enc of ['A256GCM', 'A192GCM', 'A128CBC-HS256', 'a128gcm', '', null, 1, ['A128GCM']]) {
      expect(await headed({ enc })).toBe('algorithm');
    }
    expect(await verdict(jweOf({ header: { kid: 'p-2' } }))).toBe('algorithm');
  });

  it('S70, S75: does what the names say, not what the bytes would allow', async () => {
    expect(await verdict(jweOf({ oaepHash: 'sha1' }))).toBe('content');
    expect(await verdict(jweOf({ oaepHash: 'sha512' }))).toBe('content');
    expect(await verdict(jweOf({ padding: constants.RSA_PKCS1_PADDING }))).toBe('content');
    expect(await verdict(jweOf({ cekBytes: 32 }))).toBe('content');
    expect(await verdict(jweOf({ cekBytes: 24 }))).toBe('content');
    const key = await publicKeyOf(PAIR.publicKey);
    const strong = await new CompactEncrypt(bytes(PLAIN))
      .setProtectedHeader({ ...HEADER, enc: 'A256GCM' })
      .encrypt(key);
    expect(await verdict(strong)).toBe('algorithm');
  });

  it('S72: refuses passwords before any work', async () => {
    const pbes2 = { alg: 'PBES2-HS256+A128KW', p2c: 1_000_000_000, p2s: 'c2FsdA' };
    const started = process.cpuUsage();
    expect(await headed(pbes2)).toBe('algorithm');
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
    expect(await headed({ p2c: 1, p2s: 'a' })).toBe('header');
  });

  it('S73: never inflates', async () => {
    expect(await headed({ zip: 'DEF' })).toBe('header');
    expect(await headed({ zip: 'GZIP' })).toBe('header');
    expect(await headed({ zip: null })).toBe('header');
    const bomb = deflateRawSync(Buffer.alloc(50_000_000, 0x20));
    expect(bomb.length).toBeLessThan(64 * 1024);
    expect(await verdict(jweOf({ header: { ...HEADER, zip: 'DEF' }, plain: bomb }))).toBe('header');
  });

  it('S74, S25: agrees on no key, and takes none from the header', async () => {
    for (const more of [
      { epk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } },
      { epk: jwk(ecPair().privateKey) },
      { apu: 'a' },
      { apv: 'a' },
      { jwk: jwk(PAIR.publicKey) },
      { jku: 'http://127.0.0.1:9/' },
      { x5c: [] },
      { x5u: 'http://127.0.0.1:9/' },
      { iv: 'a', tag: 'a' },
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { b64: false },
    ]) {
      expect(await headed(more)).toBe('header');
    }
  });

  it('S39: has a message inside, no other token', async () => {
    for (const cty of ['JWT', 'jwt', 'application/jwt', 'JOSE', 'JSON', '', null, 1]) {
      expect(await headed({ cty })).toBe('header');
    }
  });

  it('S76: is exactly what was sealed, in every bit of every part', async () => {
    const parts = jweOf({ plain: 'x' }).split('.');
    for (const [index, part] of parts.entries()) {
      const original = Buffer.from(part, 'base64url');
      for (let at = 0; at < original.length; at++) {
        const changed = Buffer.from(original);
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        const text = parts.with(index, changed.toString('base64url')).join('.');
        expect(await verdict(text)).toMatch(/^(algorithm|header|key|content)$/);
      }
    }
  });

  it('S76: has all its parts, of the length that they have to have', async () => {
    const parts = jweOf().split('.');
    for (const index of parts.keys()) {
      expect(await verdict(parts.with(index, '').join('.'))).toMatch(/^(form|header)$/);
    }
    const cut = (index: number, by: number) =>
      parts
        .with(
          index,
          Buffer.from(parts[index] ?? '', 'base64url')
            .subarray(by)
            .toString('base64url'),
        )
        .join('.');
    expect(await verdict(cut(2, 1))).toBe('form');
    expect(await verdict(cut(4, 1))).toBe('form');
    expect(await verdict(cut(4, 12))).toBe('form');
    expect(await verdict(cut(3, 1))).toBe('content');
    expect(await verdict(cut(1, 1))).toBe('content');
    expect(await verdict(parts.with(1, Buffer.alloc(512, 1).toString('base64url')).join('.'))).toBe('content');
    expect(await verdict(parts.with(1, 'AA').join('.'))).toBe('content');
  });

  it('S78: is compact: five parts, one recipient, never JSON', async () => {
    const text = jweOf();
    const parts = text.split('.');
    expect(await verdict(parts.slice(0, 4).join('.'))).toBe('form');
    expect(await verdict(`${text}.AAAA`)).toBe('form');
    expect(await verdict(`${text}.`)).toBe('form');
    expect(await verdict('')).toBe('form');
    expect(await verdict('....')).toBe('form');
    const key = await publicKeyOf(PAIR.publicKey);
    const flattened = await new FlattenedEncrypt(bytes(PLAIN)).setProtectedHeader(HEADER).encrypt(key);
    expect(await verdict(JSON.stringify(flattened))).toBe('form');
    const general = new GeneralEncrypt(bytes(PLAIN)).setProtectedHeader(HEADER);
    general.addRecipient(key);
    expect(await verdict(JSON.stringify(await general.encrypt()))).toBe('form');
  });

  it('S37, S78: has one spelling', async () => {
    const text = jweOf({ plain: 'xy' });
    for (const other of [
      `${text}=`,
      `${text}==`,
      ` ${text}`,
      `${text}\n`,
      text.replace('.', '=.'),
      `${text.slice(0, 9)} ${text.slice(9)}`,
      text.replaceAll('-', '+').replaceAll('_', '/').replace('.', '+.'),
    ]) {
      expect(await verdict(other)).toBe('form');
    }
    const latin = Buffer.concat([Buffer.from([0xff]), Buffer.from(text)]);
    expect(await verdict(latin)).toBe('form');
    expect(await verdict(Buffer.concat([Buffer.from([0]), Buffer.from(text)]))).toBe('form');
  });

  it('has a header of strict JSON', async () => {
    const text = JSON.stringify(HEADER);
    for (const header of [
      text.replace('{', '{"alg":"RSA1_5",'),
      text.replace('{', '{"\\u006bid":"p-1",'),
      '[]',
      'null',
      '"a"',
      `${text} x`,
      `\ufeff${text}`,
      '{"a":'.repeat(3000),
      text.replace('{', '{"__proto__":{},'),
    ]) {
      expect(await verdict(jweOf({ header }))).toBe('header');
    }
  });

  it('S80: a wrong padding and a wrong tag end at the same place, after the same work', async () => {
    const [header = '', , iv = '', ciphertext = '', tag = ''] = jweOf().split('.');
    const wrongPadding = [header, randomBytes(256).fill(1, 0, 1).toString('base64url'), iv, ciphertext, tag].join('.');
    const wrongTag = jweOf().replace(/[^.]+$/, randomBytes(16).toString('base64url'));
    const wrongKey = jweOf({ to: OLD_PAIR.publicKey });
    const unknownKid = jweOf({ header: { ...HEADER, kid: 'p-9' } });
    const refusals = await Promise.all(
      [wrongPadding, wrongTag, wrongKey, unknownKid].map(text => refusalOf(open(text))),
    );
    const seen = refusals.map(refusal => ({
      reason: refusal?.reason,
      errors: refusal?.errors,
      header: refusal?.header,
    }));
    expect(new Set(seen.map(one => JSON.stringify(one))).size).toBe(1);
    expect(refusals.map(refusal => refusal?.detail)).toEqual(['content', 'content', 'content', 'key']);
  });

  it('S81: names one of our keys; a retired one works until it is taken away', async () => {
    expect(await verdict(jweOf({ header: { ...HEADER, kid: 'p-1' }, to: OLD_PAIR.publicKey }))).toBe('opened');
    expect(await verdict(jweOf({ header: { ...HEADER, kid: 'p-1' }, to: OLD_PAIR.publicKey }), [KEY])).toBe('key');
    // What the first key could open is refused all the same where the header names another.
    for (const kid of ['p-9', '', 'P-2', '__proto__', 'k'.repeat(20_000), '../p-2', 'p-2\u0000']) {
      expect(await headed({ kid })).toBe('key');
    }
    for (const kid of [undefined, null, 2, ['p-2'], {}]) expect(await headed({ kid })).toBe('key');
    expect(await verdict(jweOf(), [])).toBe('key');
  });

  it('S81: does not open what was sealed for a client', async () => {
    const client = await keySet(jwk(ecPair().publicKey), jwk(rsaPair().publicKey, { kid: 'theirs' }));
    if (!client.encryption) throw new Error('unreachable');
    expect(await verdict(await cipher.seal(bytes(PLAIN), client.encryption))).toBe('key');
  });

  it('S83: is not empty', async () => {
    expect(await verdict(jweOf({ plain: '' }))).toBe('form');
  });

  it('S84: is at most 96 KiB, with 64 KiB inside', async () => {
    expect((await open(jweOf({ plain: 'x'.repeat(64 * 1024) }))).byteLength).toBe(64 * 1024);
    expect(await verdict(jweOf({ plain: 'x'.repeat(64 * 1024 + 1) }))).toBe('size');
    expect(await verdict('x'.repeat(JWE_BYTES_MAX))).toBe('form');
    expect(await verdict('x'.repeat(JWE_BYTES_MAX + 1))).toBe('size');
  });

  it('reads the bytes it is given, not the buffer behind them', async () => {
    const text = Buffer.from(jweOf());
    const padded = Buffer.concat([Buffer.from('xx'), text, Buffer.from('yy')]);
    expect(await verdict(padded.subarray(2, -2))).toBe('opened');
  });

  it('F85: opens so many of one party at a time, and leaves the others alone', async () => {
    const few = createPayloadCipher(engine, 2);
    const text = bytes(jweOf());
    const [first, second] = [few.open(text, KEYS, 'bank'), few.open(text, KEYS, 'bank')];
    const third = await refusalOf(few.open(text, KEYS, 'bank'));
    expect(third?.reason).toBe('overloaded');
    await expect(few.open(text, KEYS, 'shop')).resolves.toBeInstanceOf(Uint8Array);
    await Promise.all([first, second]);
    await expect(few.open(text, KEYS, 'bank')).resolves.toBeInstanceOf(Uint8Array);
  });

  it('tells which of our keys an envelope names, and no other name', async () => {
    const named: string[] = [];
    const note = (kid: string) => named.push(kid);
    await cipher.open(bytes(jweOf()), KEYS, 'bank', note);
    expect(named).toEqual([KEYS[0]?.kid]);
    await refusalOf(cipher.open(bytes(jweOf({ header: { ...HEADER, kid: 'nobody' } })), KEYS, 'bank', note));
    expect(named).toHaveLength(1);
  });

  it('F85: a place is free again after a failure, and is not taken by what needs no key', async () => {
    const one = createPayloadCipher(engine, 1);
    const good = bytes(jweOf());
    const running = one.open(good, KEYS, 'bank');
    expect((await refusalOf(one.open(bytes('garbage'), KEYS, 'bank')))?.reason).toBe('envelope');
    await running;
    expect((await refusalOf(one.open(bytes(jweOf({ to: OLD_PAIR.publicKey })), KEYS, 'bank')))?.reason).toBe(
      'envelope',
    );
    await expect(one.open(good, KEYS, 'bank')).resolves.toBeInstanceOf(Uint8Array);
  });

  it('F85: replies of an issuer are not counted', async () => {
    const one = createPayloadCipher(engine, 1);
    const text = bytes(jweOf());
    const opened = await Promise.all([1, 2, 3].map(() => one.open(text, KEYS)));
    expect(opened).toHaveLength(3);
  });

  it('I15, S80: works with a private key once for what may be ours, and never for what cannot be', async () => {
    let used = 0;
    class Counted extends Secret<CryptoKey> {
      override reveal(): CryptoKey {
        used++;
        return super.reveal();
      }
    }
    const counted: OpeningKey = { ...KEY, keys: [new Counted(KEY.keys[0].reveal())] };
    const uses = async (text: string): Promise<number> => {
      used = 0;
      await verdict(text, [counted]);
      return used;
    };
    const wrongTag = jweOf().replace(/[^.]+$/, 'A'.repeat(22));
    const wrongPadding = jweOf().replace(/^([^.]+)\.[^.]+/, `$1.${'A'.repeat(342)}`);
    const unknownKid = jweOf({ header: { ...HEADER, kid: 'p-9' } });
    for (const text of [jweOf(), wrongTag, wrongPadding, unknownKid]) expect(await uses(text)).toBe(1);
    const zipped = jweOf({ header: { ...HEADER, zip: 'DEF' } });
    const other = jweOf({ header: { ...HEADER, alg: 'RSA1_5' } });
    for (const text of ['', `${jweOf()}=`, zipped, other, jweOf({ header: { alg: HEADER.alg, enc: HEADER.enc } })]) {
      expect(await uses(text)).toBe(0);
    }
  });

  it('uses the copies of a key in turn', async () => {
    // One good copy and one that opens nothing: half of the attempts work.
    const mixed = { ...KEY, keys: [KEY.keys[0], OLD_KEY.keys[0]] as const };
    const verdicts: string[] = [];
    for (let round = 0; round < 4; round++) verdicts.push(await verdict(jweOf(), [mixed]));
    expect(verdicts.sort()).toEqual(['content', 'content', 'opened', 'opened']);
  });

  it('I14: says nothing of what was inside', async () => {
    const refusal = await refusalOf(open(jweOf({ header: { ...HEADER, kid: 'canary-4111' } })));
    expect(JSON.stringify(refusal) + String(refusal) + refusal?.stack).not.toMatch(/canary|eyJ/);
  });
});

describe.each(ENGINES)('sealing an answer with $name', ({ engine: each }) => {
  beforeAll(use(each));

  it('S85: seals for the key it is given, and names it', async () => {
    const theirs = rsaPair();
    const client = await keySet(jwk(ecPair().publicKey), jwk(theirs.publicKey, { kid: 'theirs' }));
    if (!client.encryption) throw new Error('unreachable');
    const sealed = await cipher.seal(bytes(PLAIN), client.encryption);
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, theirs.privateKey);
    expect(Buffer.from(plaintext).toString()).toBe(PLAIN);
    expect(protectedHeader).toEqual({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: 'theirs' });
  });

  it('F5: never seals the same way twice', async () => {
    const to = { kid: 'p-2', key: await publicKeyOf(PAIR.publicKey) };
    const all = await Promise.all(Array.from({ length: 20 }, () => cipher.seal(bytes(PLAIN), to)));
    for (const part of [1, 2, 3, 4]) expect(new Set(all.map(text => text.split('.')[part])).size).toBe(20);
  });
});

async function publicKeyOf(key: KeyObject) {
  const imported = await importJWK(key.export({ format: 'jwk' }) as JWK, 'RSA-OAEP-256');
  if (imported instanceof Uint8Array) throw new Error('unreachable');
  return imported;
}
