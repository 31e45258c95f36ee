/** Making keys: what the files hold, who may read them, and that nothing is ever lost by making another. */
import { createPublicKey } from 'node:crypto';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseSealKeys } from '../../src/config/sealKeys.ts';
import { isKeyFault } from '../../src/edge/jwk.ts';
import { parseOpeningKey, parseSigningKey } from '../../src/edge/keys.ts';
import { type Desk, desk } from './support.ts';

let at: Desk;
beforeEach(() => {
  at = desk();
});

const GROUPS = /^ {2}SHA-256 {6}((?:[0-9A-F]{4} ){15}[0-9A-F]{4})$/m;

describe('ec', () => {
  it('makes a private key that the gateway signs with, for its owner alone', async () => {
    const { code, out, err } = await at.keys('ec', '@a.json');
    expect([code, err]).toEqual([0, '']);
    expect(at.mode('a.json')).toBe('600');
    expect(at.json('a.json')).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' });
    const key = await parseSigningKey(at.read('a.json'));
    if (isKeyFault(key)) throw new Error(key.what);
    expect(key.kid).toBe(key.thumbprint);
    expect(out).toContain('EC P-256, for signatures (ES256), PRIVATE');
    expect(out).toContain(key.kid);
    const hex = Buffer.from(key.thumbprint, 'base64url').toString('hex').toUpperCase();
    expect(GROUPS.exec(out)?.[1]?.replaceAll(' ', '')).toBe(hex);
  });

  it('prints nothing of the private number', async () => {
    const { out } = await at.keys('ec', '@a.json');
    const { d } = at.json('a.json');
    expect(typeof d).toBe('string');
    expect(out).not.toContain(d);
  });

  it('leaves a file that is there as it is, and says how to overwrite it', async () => {
    at.write('a.json', 'precious');
    const { code, out, err } = await at.keys('ec', '@a.json');
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe(`${at.path('a.json')}: is there already; name another file, or overwrite it with --force.`);
    expect(at.read('a.json')).toBe('precious');
    expect(readdirSync(at.dir)).toEqual(['a.json']);
  });

  it('takes a link that leads nowhere for a file that is there', async () => {
    symlinkSync('nowhere', at.path('a.json'));
    expect((await at.keys('ec', '@a.json')).code).toBe(1);
    expect(readdirSync(at.dir)).toEqual(['a.json']);
  });

  it('--force puts a new key in its place, again for its owner alone', async () => {
    at.write('a.json', 'old');
    expect((await at.keys('ec', '@a.json', '--force')).code).toBe(0);
    expect(at.mode('a.json')).toBe('600');
    expect(at.json('a.json').kty).toBe('EC');
  });

  it('of many at once on one file, one makes it and the others refuse', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => at.keys('ec', '@a.json')));
    expect(runs.map(({ code }) => code).sort()).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
    const [made] = runs.filter(({ code }) => code === 0);
    expect(made?.out).toContain(String(at.json('a.json').kid));
    expect(readdirSync(at.dir)).toEqual(['a.json']);
  });

  it.each([
    ['@missing/a.json', 'its directory is not there'],
    ['@file/a.json', 'its directory is not there'],
    ['@folder', 'is there already'],
  ])('names what is wrong with %s', async (file, what) => {
    at.write('file', '');
    mkdirSync(at.path('folder'));
    const { code, err } = await at.keys('ec', file);
    expect(code).toBe(1);
    expect(err).toContain(`${at.path(file.slice(1))}: ${what}; `);
  });

  it('--force does not replace a folder', async () => {
    mkdirSync(at.path('folder'));
    const { code, err } = await at.keys('ec', '@folder', '--force');
    expect(code).toBe(1);
    expect(err).toContain('is a directory');
    expect(readdirSync(at.dir)).toEqual(['folder']);
  });
});

describe('rsa', () => {
  it.each([[[], 2048] as const, [['--bits', '3072'], 3072] as const])('%j makes %i bits', async (options, bits) => {
    const { code, out } = await at.keys('rsa', '@r.json', ...options);
    expect(code).toBe(0);
    expect(out).toContain(`RSA ${bits} bits, for encryption (RSA-OAEP-256), PRIVATE`);
    expect(at.mode('r.json')).toBe('600');
    const key = await parseOpeningKey(at.read('r.json'));
    if (isKeyFault(key)) throw new Error(key.what);
    const { n, e } = key.publicJwk;
    const details = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }).asymmetricKeyDetails;
    expect(details).toMatchObject({ modulusLength: bits, publicExponent: 65_537n });
  });

  it.each(['1024', '2047', '0', '2048.0', 'many', ''])('S130 refuses %j bits', async bits => {
    const { code, err } = await at.keys('rsa', '@r.json', '--bits', bits);
    expect(code).toBe(2);
    expect(err).toContain('--bits takes 2048, 3072, 4096');
    expect(readdirSync(at.dir)).toEqual([]);
  });
});

describe('seal', () => {
  const sealKeys = (): number => {
    const keys = parseSealKeys(at.read('seal.key'));
    return Array.isArray(keys) ? keys.length : 0;
  };

  it('makes 32 bytes of base64 for their owner alone, and prints none of them', async () => {
    const { code, out } = await at.keys('seal', '@seal.key');
    expect(code).toBe(0);
    expect(at.mode('seal.key')).toBe('600');
    expect(sealKeys()).toBe(1);
    expect(out).not.toContain(at.read('seal.key').trim());
  });

  it('F77 --add puts the new one last, so that the old one goes on sealing', async () => {
    await at.keys('seal', '@seal.key');
    const before = at.read('seal.key');
    const { code } = await at.keys('seal', '@seal.key', '--add');
    expect(code).toBe(0);
    expect(sealKeys()).toBe(2);
    expect(at.read('seal.key').startsWith(before)).toBe(true);
    expect(at.mode('seal.key')).toBe('600');
  });

  it('never replaces a key, not even with --force', async () => {
    await at.keys('seal', '@seal.key');
    const before = at.read('seal.key');
    expect((await at.keys('seal', '@seal.key')).code).toBe(1);
    expect((await at.keys('seal', '@seal.key', '--force')).code).toBe(2);
    expect(at.read('seal.key')).toBe(before);
  });

  it('--add leaves a file alone that holds something else', async () => {
    at.write('seal.key', 'not a key\n');
    const { code, err } = await at.keys('seal', '@seal.key', '--add');
    expect(code).toBe(1);
    expect(err).toContain('in its line 1');
    expect(at.read('seal.key')).toBe('not a key\n');
    expect((await at.keys('seal', '@absent.key', '--add')).err).toContain('is not there');
  });
});

describe('the command line', () => {
  it('without words shows how it is written, as --help does', async () => {
    const bare = await at.keys();
    const help = await at.keys('--help');
    expect([bare.code, help.code]).toEqual([2, 0]);
    expect(bare.out).toBe(help.out);
    for (const name of ['ec', 'rsa', 'seal', 'csr', 'public', 'import', 'fingerprint']) {
      expect(help.out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
  });

  it.each([
    [['bogus'], 'There is no command "bogus"'],
    [['ec'], 'ec needs a file'],
    [['ec', 'a', 'b'], 'ec takes one file, not 2'],
    [['ec', 'a', '--pem'], 'ec takes no --pem'],
    [['ec', 'a', '--zzz'], "Unknown option '--zzz'"],
    [['csr', 'a'], 'csr needs --subject'],
    [['import', 'a'], 'import needs --out'],
    [['public', 'a', '--days', '5'], '--subject and --days belong to --pem'],
    [['rsa', 'a', '--bits'], "'--bits <value>' argument missing"],
  ])('%j: %s', async (words, message) => {
    const { code, out, err } = await at.keys(...words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).toMatch(/npm run keys -- --help shows how it is written\.$/);
    expect(err).not.toContain('\n');
  });
});
