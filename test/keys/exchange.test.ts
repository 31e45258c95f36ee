/** Exchanging keys: what is given away, what is taken over, and what both sides read out. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isKeyFault } from '../../src/edge/jwk.ts';
import { parseClientJwks } from '../../src/edge/keys.ts';
import { type Desk, daysFromNow, desk } from './support.ts';

type Json = Readonly<Record<string, unknown>>;

/** A desk with our own `ec.json` and `rsa.json`, and what they look like to a partner. */
let own: Desk;
let publicSet: { readonly keys: readonly Json[] };
beforeAll(async () => {
  own = desk();
  await own.keys('ec', '@ec.json');
  await own.keys('rsa', '@rsa.json');
  await own.keys('public', '@ec.json', '@rsa.json', '--out', '@public.jwks.json');
  await own.keys('public', '@ec.json', '@rsa.json', '--pem', '--subject', 'CN=gateway', '--out', '@public.pem');
  publicSet = JSON.parse(own.read('public.jwks.json'));
});

let at: Desk;
beforeEach(() => {
  at = desk();
});

const jwkOf = (type: 'ec' | 'rsa', options: object = {}, half: 'publicKey' | 'privateKey' = 'publicKey'): Json => {
  const pair =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256', ...options })
      : generateKeyPairSync('rsa', { modulusLength: 2048, ...options });
  return { ...pair[half].export({ format: 'jwk' }) };
};
const blocks = (pem: string): string[] => pem.match(/-----BEGIN.*?-----END[^-]*-----\n/gs) ?? [];
const groups = (hex: string): string => (hex.toUpperCase().match(/.{4}/g) ?? []).join(' ');
const thumbHex = (kid: unknown): string => groups(Buffer.from(String(kid), 'base64url').toString('hex'));

describe('public', () => {
  it('gives a JWK Set that a gateway takes, and nothing private', async () => {
    const text = own.read('public.jwks.json');
    const set = await parseClientJwks(text, { needsEncryption: true });
    expect(isKeyFault(set)).toBe(false);
    expect(publicSet.keys.map(key => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
      ['alg', 'e', 'kid', 'kty', 'n', 'use'],
    ]);
    for (const file of ['ec.json', 'rsa.json']) expect(text).not.toContain(own.json(file).d);
    expect(own.mode('public.jwks.json')).toBe('644');
    const { out } = await own.keys('public', '@ec.json', '@rsa.json', '--out', '@public.jwks.json', '--force');
    for (const { kid } of publicSet.keys) expect(out).toContain(thumbHex(kid));
  });

  it('prints it where no file is named, the same', async () => {
    const { code, out } = await own.keys('public', '@ec.json', '@rsa.json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(publicSet);
  });

  it('--pem gives certificates: self-signed, of no authority, each for what its key is for', () => {
    const certificates = blocks(own.read('public.pem')).map(block => new X509Certificate(block));
    expect(certificates.map(each => each.publicKey.asymmetricKeyType)).toEqual(['ec', 'rsa']);
    for (const certificate of certificates) {
      expect(certificate.ca).toBe(false);
      expect(certificate.subject).toBe('CN=gateway');
      expect(certificate.issuer).toBe(certificate.subject);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      const days = (certificate.validToDate.getTime() - certificate.validFromDate.getTime()) / 86_400_000;
      expect(days).toBe(365);
    }
    expect(new Set(certificates.map(each => each.serialNumber)).size).toBe(2);
  });

  it('--days and --subject say how long and for whom, past 2049 as well', async () => {
    const far = desk(daysFromNow(365 * 30));
    const words = ['--pem', '--days', '1', '--subject', 'C=DE, O=Bank \\, Söhne, CN=gate'];
    const { out } = await far.keys('public', own.path('ec.json'), ...words);
    const certificate = new X509Certificate(`${out}\n`);
    expect(certificate.subject?.split('\n')).toEqual(['CN=gate', 'O=Bank \\, Söhne', 'C=DE']);
    expect(certificate.validToDate.getTime() - certificate.validFromDate.getTime()).toBe(86_400_000);
    expect(certificate.validFromDate.getUTCFullYear()).toBeGreaterThan(2055);
  });

  it.each(['0', '1826', '1.5', '-1', 'x'])('--days %s is refused', async days => {
    const { code, err } = await own.keys('public', '@ec.json', '--pem', `--days=${days}`);
    expect([code, err]).toEqual([2, expect.stringContaining('--days takes 1 to 1825')]);
  });

  it.each([
    'gateway',
    'CN=',
    'CN=a,CN=b',
    'O=only',
    'CN=a,',
    'CN=a,,O=b',
    'CN=a,C=Germany',
    'CN=a,XX=b',
    'CN=a+O=b',
    'CN=a\nO=b',
    'CN=\u202egnp',
    `CN=${'x'.repeat(65)}`,
    '',
  ])('the name %j is refused', async subject => {
    const { code, err } = await own.keys('csr', '@ec.json', '--subject', subject);
    expect(code).toBe(2);
    expect(err).toMatch(subject === '' ? /needs --subject/ : /--subject takes a name with one CN/);
  });

  it('S130 refuses a public half, a damaged key and halves of two keys', async () => {
    at.write('public.json', publicSet.keys[0] ?? {});
    at.write('broken.json', '{"kty":');
    at.write('halves.json', { ...own.json('ec.json'), d: jwkOf('ec', {}, 'privateKey').d });
    for (const [file, what] of [
      ['public.json', 'is a public key'],
      ['broken.json', 'is not a JSON Web Key'],
      ['halves.json', 'is not one pair'],
      ['absent.json', 'the file is not there'],
    ] as const) {
      const { code, out, err } = await at.keys('public', `@${file}`);
      expect([code, out]).toEqual([1, '']);
      expect(err).toContain(`${at.path(file)}: ${what}`);
    }
  });

  it('keeps the file that --out names, unless told to overwrite it', async () => {
    at.write('out', 'precious');
    expect((await at.keys('public', own.path('ec.json'), '--out', '@out')).code).toBe(1);
    expect(at.read('out')).toBe('precious');
    expect((await at.keys('public', own.path('ec.json'), '--out', '@out', '--force')).code).toBe(0);
    expect(at.json('out')).toEqual({ keys: [publicSet.keys[0]] });
  });
});

describe('import', () => {
  it('takes a JWK Set over, and leaves out what the gateway has no use for', async () => {
    const [ec, rsa] = publicSet.keys;
    at.write('in.json', { keys: [{ ...ec, x5c: ['MIIB'], note: 'ours' }, rsa], more: true });
    const { code, out } = await at.keys('import', '@in.json', '--out', '@bank.json');
    expect(code).toBe(0);
    expect(at.json('bank.json')).toEqual(publicSet);
    for (const { kid } of publicSet.keys) expect(out).toContain(thumbHex(kid));
    expect(out).toContain('Nobody has vouched for these keys yet: compare the fingerprints by telephone');
  });

  it('gives a key without kid its thumbprint', async () => {
    const { kid, ...ec } = publicSet.keys[0] ?? {};
    at.write('in.json', { keys: [ec] });
    expect((await at.keys('import', '@in.json', '--out', '@bank.json', '--plain')).code).toBe(0);
    expect(at.json('bank.json')).toEqual({ keys: [{ ...ec, kid }] });
  });

  it('takes self-signed certificates over, and says when they end and that nobody vouches for them', async () => {
    const { code, out } = await at.keys('import', own.path('public.pem'), '--out', '@bank.json');
    expect(code).toBe(0);
    expect(at.json('bank.json')).toEqual(publicSet);
    expect(out).toContain('issued by    itself');
    expect(out).toContain('Nobody has vouched for these keys yet');
    expect(out).toMatch(/does not say that its certificates end, the first of these on \d{4}-\d\d-\d\d/);
  });

  it('S132 without --ca, too, refuses certificates that have ended or have not begun', async () => {
    for (const [clock, what] of [
      [daysFromNow(366), 'has expired'],
      [daysFromNow(-2), 'is not valid yet'],
    ] as const) {
      const { code, err } = await desk(clock).keys('import', own.path('public.pem'), '--out', '@bank.json');
      expect([code, err]).toEqual([1, expect.stringContaining(`the certificate of CN=gateway ${what}`)]);
    }
  });

  const BAD: readonly (readonly [string, () => unknown, string])[] = [
    ['S130 a private key', () => ({ keys: [own.json('ec.json')] }), 'holds a private key'],
    ['S130 a bare private key', () => own.json('ec.json'), 'holds a private key'],
    ['S130 a symmetric key', () => ({ keys: [{ kty: 'oct', k: 'AAAA' }] }), 'is a symmetric key'],
    ['S130 RSA of 1024 bits', () => ({ keys: [jwkOf('rsa', { modulusLength: 1024 })] }), 'is an RSA key of 1024 bits'],
    ['S130 RSA with e = 3', () => ({ keys: [jwkOf('rsa', { publicExponent: 3 })] }), 'has another exponent'],
    ['S130 EC on P-384', () => ({ keys: [jwkOf('ec', { namedCurve: 'P-384' })] }), 'is not on the curve P-256'],
    [
      'S130 a point off the curve',
      () => ({ keys: [{ ...publicSet.keys[0], y: publicSet.keys[0]?.x }] }),
      'is not a point of the curve',
    ],
    [
      'S131 one key twice',
      () => ({ keys: [publicSet.keys[0], { ...publicSet.keys[0], kid: 'b' }] }),
      'is the same key',
    ],
    [
      'S131 one kid twice',
      () => ({ keys: [publicSet.keys[0], { ...jwkOf('rsa'), kid: publicSet.keys[0]?.kid }] }),
      'kid',
    ],
    ['S131 a use for something else', () => ({ keys: [{ ...publicSet.keys[0], use: 'enc' }] }), 'has a `use`'],
    ['no key that signs', () => ({ keys: [publicSet.keys[1]] }), 'has no EC P-256 key'],
    ['no key that seals', () => ({ keys: [publicSet.keys[0]] }), 'has no RSA key'],
    ['no key at all', () => ({ keys: [] }), 'holds no key'],
    ['no key set', () => publicSet.keys[0], 'is not a JWK Set'],
    ['a member twice', () => '{"keys":[],"keys":[]}', 'is not a JSON Web Key'],
    ['no JSON', () => 'kty', 'is not a JSON Web Key'],
  ];

  it.each(BAD)('%s is refused, and nothing is written', async (_, content, what) => {
    const made = content();
    at.write('in.json', typeof made === 'string' ? made : JSON.stringify(made));
    const { code, out, err } = await at.keys('import', '@in.json', '--out', '@bank.json');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(at.path('in.json'));
    expect(err).toContain(what);
    expect(err).not.toContain(String(own.json('ec.json').d));
    expect(readdirSync(at.dir)).toEqual(['in.json']);
  });

  const pkcs8 = (): string =>
    String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }));

  it.each([
    ['a private key beside the certificates', () => own.read('public.pem') + pkcs8(), 'holds a PRIVATE KEY'],
    ['a private key alone', pkcs8, 'holds a PRIVATE KEY'],
    ['a certificate that is cut short', () => own.read('public.pem').slice(0, -60), 'certificate 1: cannot be read'],
    [
      'certificates with a byte changed',
      () => own.read('public.pem').replace('\nMII', '\nMJI'),
      'cannot be read as a certificate',
    ],
  ])('%s is refused', async (_, content, what) => {
    at.write('in.pem', content());
    const { code, err } = await at.keys('import', '@in.pem', '--out', '@bank.json');
    expect([code, err]).toEqual([1, expect.stringContaining(what)]);
    expect(readdirSync(at.dir)).toEqual(['in.pem']);
  });

  it('refuses a JWK Set together with --ca or with another file', async () => {
    const set = own.path('public.jwks.json');
    const pem = own.path('public.pem');
    expect((await at.keys('import', set, '--out', '@b', '--ca', pem)).err).toContain('--ca has nothing to check');
    expect((await at.keys('import', set, pem, '--out', '@b')).err).toContain('not all certificates');
  });

  it('keeps the keys that are in use until told to replace them', async () => {
    at.write('bank.json', 'in use');
    const words = ['import', own.path('public.jwks.json'), '--out', '@bank.json'];
    expect((await at.keys(...words)).code).toBe(1);
    expect(at.read('bank.json')).toBe('in use');
    expect((await at.keys(...words, '--force')).code).toBe(0);
    expect(at.json('bank.json')).toEqual(publicSet);
  });
});

describe('fingerprint', () => {
  it('reads the same from the private key, the JWK Set and the certificates', async () => {
    const files = ['@ec.json', '@rsa.json', '@public.jwks.json', '@public.pem'];
    const runs = await Promise.all(files.map(file => own.keys('fingerprint', file)));
    const prints = runs.map(({ out }) => [...out.matchAll(/^ {2}SHA-256 +(.*)$/gm)].map(([, print]) => print));
    const [ec, rsa] = publicSet.keys.map(({ kid }) => thumbHex(kid));
    expect(prints).toEqual([[ec], [rsa], [ec, rsa], [ec, rsa]]);
  });

  it('of a certificate tells its own, too, and how long it is valid', async () => {
    const [pem = ''] = blocks(own.read('public.pem'));
    const { out } = await own.keys('fingerprint', '@public.pem');
    expect(out).toContain(groups(new X509Certificate(pem).fingerprint256.replaceAll(':', '')));
    expect(out).toMatch(/valid {8}from \S+ to \S+ \(36[45] days left\)/);
    expect((await desk(daysFromNow(400)).keys('fingerprint', own.path('public.pem'))).out).toContain('(EXPIRED)');
    expect((await desk(daysFromNow(-2)).keys('fingerprint', own.path('public.pem'))).out).toContain('(NOT YET VALID)');
  });

  it('says which file of several is no good', async () => {
    at.write('seal.key', `${Buffer.alloc(32).toString('base64')}\n`);
    const { code, out, err } = await at.keys('fingerprint', own.path('ec.json'), '@seal.key');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(at.path('seal.key'));
  });

  it('reads no file that is larger than any key', async () => {
    at.write('big.json', ' '.repeat(65 * 1024));
    expect((await at.keys('fingerprint', '@big.json')).err).toContain('is larger than 64 KiB');
  });
});
