/**
 * The engine that serves against the one that it is held to: what one seals the other opens, and whatever is done to an
 * envelope, both give the same bytes or nothing. And what only the engine itself can show: that what cannot be unwrapped
 * ends where a wrong tag ends, and that the private key keeps nobody waiting.
 */
import { constants, createCipheriv, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joseEngine } from '../../src/edge/joseEngine.ts';
import type { JweEngine, Recipient, SealedParts } from '../../src/edge/jweEngine.ts';
import { createNodeEngine } from '../../src/edge/nodeEngine.ts';
import { systemSecretBytes } from '../../src/runtime/random.ts';
import { ENGINES, HEADER, KEY, OLD_KEY, PAIR } from './envelopeKit.ts';
import { fuzzRuns } from './mutations.ts';
import { b64, ecPair, jwk, keySet, openingKeyOf, type Pair, rsaPair } from './oauthKit.ts';

const RUNS = fuzzRuns(100);
const TIMEOUT_MS = 30_000 + RUNS * 20;
const PLAIN = Buffer.from('{"tranId":"1"}');
const HEADER_TEXT = b64(HEADER);

const recipientOf = async ({ publicKey }: Pair, kid: string): Promise<Recipient> => {
  const { encryption } = await keySet(jwk(ecPair().publicKey), jwk(publicKey, { kid }));
  if (!encryption) throw new Error('unreachable');
  return encryption;
};

const partsOf = (text: string): SealedParts => {
  const [header = '', ...rest] = text.split('.');
  const [encryptedKey, iv, ciphertext, tag] = rest.map(part => Buffer.from(part, 'base64url'));
  if (!encryptedKey || !iv || !ciphertext || !tag) throw new Error('unreachable');
  return { text, header, encryptedKey, iv, ciphertext, tag };
};

type Sealing = {
  /** What the content is sealed with. */
  readonly contentKey: Uint8Array;
  /** What stands in the place of the wrapped key. */
  readonly encryptedKey: Uint8Array;
  readonly plain?: Uint8Array;
};

/** An envelope whose content key and wrapped key need have nothing to do with each other. */
const sealedWith = ({ contentKey, encryptedKey, plain = PLAIN }: Sealing): SealedParts => {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-128-gcm', contentKey, iv);
  cipher.setAAD(Buffer.from(HEADER_TEXT));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const parts = [encryptedKey, iv, ciphertext, cipher.getAuthTag()];
  return partsOf([HEADER_TEXT, ...parts.map(part => Buffer.from(part).toString('base64url'))].join('.'));
};

const OAEP = { key: PAIR.publicKey, oaepHash: 'sha256' };
const privateKey = KEY.keys[0].reveal();

/** What every engine makes of it, and they all make the same. */
const opened = async (parts: SealedParts, key = privateKey): Promise<string | undefined> => {
  const [first, ...others] = await Promise.all(ENGINES.map(({ engine }) => engine.open(parts, key)));
  const text = first && Buffer.from(first).toString('hex');
  for (const other of others) expect(other && Buffer.from(other).toString('hex')).toBe(text);
  return text;
};
const hex = (plain: Uint8Array): string => Buffer.from(plain).toString('hex');

describe('two engines', () => {
  it.each([2048, 3072, 4096])('open what each of them seals for a key of %d bits', async bits => {
    const pair = rsaPair(bits);
    const own = (await openingKeyOf(pair)).keys[0].reveal();
    const to = await recipientOf(pair, 'p-2');
    for (const { engine } of ENGINES) {
      expect(await opened(partsOf(await engine.seal(PLAIN, to)), own)).toBe(hex(PLAIN));
    }
  });

  it('seal under the same header, and in parts of the same length', { timeout: TIMEOUT_MS }, async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map(code => String.fromCharCode(code)), minLength: 1 }),
      async (plain, kid) => {
        const to = await recipientOf(PAIR, kid);
        const sealed = await Promise.all(ENGINES.map(({ engine }) => engine.seal(plain, to)));
        const shapes = sealed.map(text => [text.split('.')[0], ...text.split('.').map(part => part.length)].join());
        expect(new Set(shapes).size).toBe(1);
        for (const text of sealed) expect(await opened(partsOf(text))).toBe(hex(plain));
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  });

  it('refuse whatever has a bit changed', { timeout: TIMEOUT_MS }, async () => {
    const contentKey = randomBytes(16);
    const good = sealedWith({ contentKey, encryptedKey: publicEncrypt(OAEP, contentKey) });
    const names = ['encryptedKey', 'iv', 'ciphertext', 'tag'] as const;
    const property = fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(7), async (name, at, bit) => {
      const part = Buffer.from(good[name]);
      const where = at % part.length;
      part[where] = (part[where] ?? 0) ^ (1 << bit);
      expect(await opened(respelt({ ...good, [name]: part }))).toBeUndefined();
    });
    expect(await opened(good)).toBe(hex(PLAIN));
    await fc.assert(property, { numRuns: RUNS });
  });

  it('S76: refuse a wrapped key of any length and any bytes', { timeout: TIMEOUT_MS }, async () => {
    const property = fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 600 }), async encryptedKey => {
      expect(await opened(sealedWith({ contentKey: randomBytes(16), encryptedKey }))).toBeUndefined();
    });
    await fc.assert(property, { numRuns: RUNS });
    for (const fill of [0, 1, 0xff]) {
      const encryptedKey = Buffer.alloc(256, fill);
      expect(await opened(sealedWith({ contentKey: randomBytes(16), encryptedKey }))).toBeUndefined();
    }
  });

  it('refuse the key of somebody else', async () => {
    const contentKey = randomBytes(16);
    const parts = sealedWith({ contentKey, encryptedKey: publicEncrypt(OAEP, contentKey) });
    expect(await opened(parts, OLD_KEY.keys[0].reveal())).toBeUndefined();
  });

  it.each(ENGINES)('seal nothing with a content key that something else was sealed with: $name', async ({ engine }) => {
    const to = await recipientOf(PAIR, 'p-2');
    const sealed = await Promise.all(Array.from({ length: 20 }, () => engine.seal(PLAIN, to)));
    const unwrap = { key: PAIR.privateKey, oaepHash: 'sha256' };
    const contentKeys = sealed.map(text => hex(privateDecrypt(unwrap, partsOf(text).encryptedKey)));
    expect(new Set(contentKeys).size).toBe(20);
  });

  it.each(ENGINES)('reject where the key to seal for is none: $name', async ({ engine }) => {
    const { verification } = await keySet(jwk(ecPair().publicKey, { kid: 'ec' }));
    const key = verification.get('ec')?.key;
    if (!key) throw new Error('unreachable');
    await expect(engine.seal(PLAIN, { kid: 'ec', key })).rejects.toThrow();
  });
});

const respelt = (parts: SealedParts): SealedParts => ({
  ...parts,
  text: [
    parts.header,
    ...[parts.encryptedKey, parts.iv, parts.ciphertext, parts.tag].map(part => Buffer.from(part).toString('base64url')),
  ].join('.'),
});

describe('S70, S75, S80: what is wrapped', () => {
  const contentKey = randomBytes(16);
  const attempt = (encryptedKey: Uint8Array, sealedBy: Uint8Array = contentKey) =>
    opened(sealedWith({ contentKey: sealedBy, encryptedKey }));

  it('is a key of 16 bytes, neither more nor less', { timeout: TIMEOUT_MS }, async () => {
    for (let length = 0; length <= 48; length += 1) {
      // The bytes that fit are at both ends, should anybody cut a longer one, and zeros fill up a shorter one.
      const wrapped = Buffer.concat([contentKey, randomBytes(32), contentKey]).subarray(0, length);
      const filled = Buffer.alloc(16);
      wrapped.copy(filled);
      const found = await attempt(publicEncrypt(OAEP, wrapped), filled);
      expect(found).toBe(length === 16 ? hex(PLAIN) : undefined);
      if (length > 16) expect(await attempt(publicEncrypt(OAEP, wrapped), wrapped.subarray(-16))).toBeUndefined();
    }
  });

  it('is wrapped with OAEP, SHA-256 and no label', async () => {
    const { key } = OAEP;
    expect(await attempt(publicEncrypt(OAEP, contentKey))).toBe(hex(PLAIN));
    for (const oaepHash of ['sha1', 'sha384', 'sha512', 'sha512-256', 'sha3-256']) {
      expect(await attempt(publicEncrypt({ key, oaepHash }, contentKey))).toBeUndefined();
    }
    const otherMask = { ...OAEP, mgf1Hash: 'sha1' };
    expect(await attempt(publicEncrypt(otherMask, contentKey))).toBeUndefined();
    const oaepLabel = Buffer.from('a');
    expect(await attempt(publicEncrypt({ ...OAEP, oaepLabel }, contentKey))).toBeUndefined();
    expect(await attempt(publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, contentKey))).toBeUndefined();
    const bare = Buffer.concat([Buffer.alloc(240), contentKey]);
    expect(await attempt(publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, bare))).toBeUndefined();
  });

  it('is not read in any other way than the padding says', async () => {
    // What OAEP leaves of a block that it refuses must not serve as a key, as a whole or at either end.
    const key = PAIR.publicKey;
    const encryptedKey = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, contentKey);
    const block = privateDecrypt({ key: PAIR.privateKey, padding: constants.RSA_NO_PADDING }, encryptedKey);
    for (const sealedBy of [block.subarray(0, 16), block.subarray(-16), Buffer.alloc(16), Buffer.alloc(16, 0xff)]) {
      expect(await attempt(encryptedKey, sealedBy)).toBeUndefined();
    }
  });
});

describe('S80: the engine of the gateway', () => {
  const DRAWN = Buffer.alloc(16, 7);
  const scripted = (): { readonly engine: JweEngine; readonly counts: number[] } => {
    const counts: number[] = [];
    const engine = createNodeEngine(count => {
      counts.push(count);
      return Buffer.alloc(count, DRAWN);
    });
    return { engine, counts };
  };
  const garbage = randomBytes(256).fill(0, 0, 1);

  it('goes on with a key of chance where it could not unwrap one, to the very end', async () => {
    const { engine } = scripted();
    // Who knows what will be drawn could seal with it: that this one opens proves that all the work is done.
    const parts = sealedWith({ contentKey: DRAWN, encryptedKey: garbage });
    expect(Buffer.from((await engine.open(parts, privateKey)) ?? [])).toEqual(PLAIN);
    const short = sealedWith({ contentKey: DRAWN, encryptedKey: publicEncrypt(OAEP, Buffer.alloc(15)) });
    expect(Buffer.from((await engine.open(short, privateKey)) ?? [])).toEqual(PLAIN);
    expect(await joseEngine.open(parts, privateKey)).toBeUndefined();
    expect(await createNodeEngine(systemSecretBytes).open(parts, privateKey)).toBeUndefined();
  });

  it('draws the same whatever is sent', async () => {
    const contentKey = randomBytes(16);
    const wrapped = publicEncrypt(OAEP, contentKey);
    for (const parts of [
      sealedWith({ contentKey, encryptedKey: wrapped }),
      sealedWith({ contentKey: randomBytes(16), encryptedKey: wrapped }),
      sealedWith({ contentKey, encryptedKey: garbage }),
    ]) {
      const { engine, counts } = scripted();
      await engine.open(parts, privateKey);
      expect(counts).toEqual([16]);
    }
  });

  it('draws a content key and an initialisation vector for each answer', async () => {
    const { engine, counts } = scripted();
    const to = await recipientOf(PAIR, 'p-2');
    await engine.seal(PLAIN, to);
    await engine.seal(PLAIN, to);
    expect(counts).toEqual([28, 28]);
  });

  it('F85: works with the private key aside, so that others go on', async () => {
    const contentKey = randomBytes(16);
    const parts = sealedWith({ contentKey, encryptedKey: publicEncrypt(OAEP, contentKey) });
    let isOpen = false;
    const opening = createNodeEngine(systemSecretBytes)
      .open(parts, privateKey)
      .then(() => {
        isOpen = true;
      });
    // Nothing from aside can arrive within one turn of the loop: what is open by then was opened in place.
    for (let step = 0; step < 1000; step += 1) await Promise.resolve();
    expect(isOpen).toBe(false);
    await opening;
  });
});
