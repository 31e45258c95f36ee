/**
 * Keys that come as certificates: what is accepted from an authority that is trusted, and each way in which a certificate,
 * its authorities or its file can be wrong. One part is made with OpenSSL, the rest byte by byte.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { endedFaults, parseClientCertificates } from '../../src/edge/certificates.ts';
import { type ClientKeySet, isInUse, isKeyFault, parseClientJwks } from '../../src/edge/keys.ts';
import { type CertificateParts, certificate, type Party, toPem, YEAR_S } from './certificateKit.ts';
import { ecPair, jwk, must, NOW_S, rsaPair } from './oauthKit.ts';

const party = (name: string, pair = ecPair()): Party => ({ name, ...pair });
const ROOT = party('root');
const OTHER_ROOT = party('other root');
const BETWEEN = party('between');
const SIGNER = party('client signer');
const RSA = rsaPair();
const SEALER: Party = party('client sealer', RSA);

const authority = (subject: Party, by: Party = subject, more: Partial<CertificateParts> = {}): string =>
  toPem(certificate({ subject, by, ca: true, usage: ['keyCertSign'], ...more }));
const CA = authority(ROOT);
const leaf = (more: Partial<CertificateParts> = {}): string =>
  toPem(certificate({ subject: SIGNER, by: ROOT, ca: false, usage: ['digitalSignature'], ...more }));
const rsaLeaf = (more: Partial<CertificateParts> = {}): string =>
  toPem(certificate({ subject: SEALER, by: ROOT, ca: false, usage: ['keyEncipherment'], ...more }));

const NOW_MS = NOW_S * 1000;
const YEAR_MS = (NOW_S + YEAR_S) * 1000;
const parse = (pems: readonly string[], ca = CA, needsEncryption = false) =>
  parseClientCertificates(pems, ca, NOW_MS, { needsEncryption });
const accepted = async (...args: Parameters<typeof parse>): Promise<ClientKeySet> => must(await parse(...args));
const faultOf = async (...args: Parameters<typeof parse>): Promise<string> => {
  const read = await parse(...args);
  const [ended] = isKeyFault(read) ? [] : endedFaults(read, NOW_MS);
  return isKeyFault(read) ? read.what : (ended?.what ?? 'no fault');
};

describe('a client’s certificates', () => {
  it('give its keys, named by their thumbprints, and tell when they end', async () => {
    const soon = NOW_S + 40 * 24 * 3600;
    const set = await accepted([leaf(), rsaLeaf({ untilS: soon })], CA, true);
    const jwks = must(
      await parseClientJwks(JSON.stringify({ keys: [jwk(SIGNER.publicKey), jwk(SEALER.publicKey)] }), {
        needsEncryption: true,
      }),
    );
    expect(set.kids).toEqual(jwks.kids);
    expect(set.thumbprints).toEqual(jwks.thumbprints);
    expect(set.encryption?.kid).toBe(jwks.encryption?.kid);
    expect(set.encryption?.expiresAtMs).toBe(soon * 1000);
    expect([...set.verification.values()].map(key => key.expiresAtMs)).toEqual([(NOW_S + YEAR_S) * 1000]);
    expect(set.endsAtMs).toEqual([(NOW_S + YEAR_S) * 1000, soon * 1000]);
  });

  it('may come with the authorities between, and with several trusted ones', async () => {
    const chain =
      toPem(certificate({ subject: SIGNER, by: BETWEEN, usage: ['digitalSignature'] })) + authority(BETWEEN, ROOT);
    expect((await accepted([chain])).verification.size).toBe(1);
    expect((await accepted([chain], authority(OTHER_ROOT) + CA)).verification.size).toBe(1);
    expect(await faultOf([chain], authority(OTHER_ROOT))).toMatch(/does not lead to an authority/);
  });

  it('end with the first of their chain', async () => {
    const soon = NOW_S + 1000;
    const chain =
      toPem(certificate({ subject: SIGNER, by: BETWEEN, usage: ['digitalSignature'] })) +
      authority(BETWEEN, ROOT, { untilS: soon });
    expect((await accepted([chain])).endsAtMs).toEqual([soon * 1000]);
    expect((await accepted([leaf()], authority(ROOT, ROOT, { untilS: soon }))).endsAtMs).toEqual([soon * 1000]);
  });

  it('need no key usage and no constraints, and may have words around them', async () => {
    const bare = toPem(certificate({ subject: SIGNER, by: ROOT }));
    expect((await accepted([`Bag Attributes\n  friendlyName: x\n${bare}\n`])).verification.size).toBe(1);
    const both = leaf({ usage: ['digitalSignature', 'keyEncipherment'] });
    expect((await accepted([both])).verification.size).toBe(1);
  });

  it('may come from an authority with RSA keys', async () => {
    const rsaRoot = party('rsa root', rsaPair());
    const made = toPem(certificate({ subject: SIGNER, by: rsaRoot, usage: ['digitalSignature'] }));
    expect((await accepted([made], authority(rsaRoot))).verification.size).toBe(1);
  });

  const selfSigned = toPem(certificate({ subject: SIGNER, by: SIGNER, usage: ['digitalSignature'] }));
  const between = (more: Partial<CertificateParts>): string =>
    toPem(certificate({ subject: SIGNER, by: BETWEEN, usage: ['digitalSignature'] })) + authority(BETWEEN, ROOT, more);
  const p384 = party('p384', ecPair('P-384'));
  const secp = party('secp', ecPair('secp256k1'));
  const weak = party('weak', rsaPair(1024));
  const exponent = party('e3', rsaPair(2048, 3));

  it.each<readonly [string, string, RegExp]>([
    ['has expired', leaf({ untilS: NOW_S - 1, fromS: NOW_S - 100 }), /is not valid since 2027-01-15/],
    ['is not valid yet', leaf({ fromS: NOW_S + 10 }), /is not valid before 2027-01-15/],
    ['is self-signed', selfSigned, /is self-signed/],
    ['comes from another authority', leaf({ by: OTHER_ROOT }), /does not lead to an authority/],
    ['names our authority but was signed by another key', leaf({ signedWith: OTHER_ROOT.privateKey }), /does not lead/],
    ['names another authority that has the same key', leaf({ by: { ...ROOT, name: 'renamed' } }), /does not lead/],
    ['is an authority’s', leaf({ ca: true }), /certificate of an authority/],
    ['is signed with SHA-1', leaf({ signature: 'ec sha1' }), /signed with an algorithm/],
    ['names two algorithms', leaf({ outerSignature: 'rsa sha256' }), /cannot be read/],
    ['may not sign', leaf({ usage: ['keyEncipherment'] }), /without digitalSignature/],
    ['may do nothing', leaf({ usage: [] }), /without digitalSignature/],
    ['may not encrypt', rsaLeaf({ usage: ['digitalSignature'] }), /without keyEncipherment/],
    [
      'has an unknown critical extension',
      leaf({ extraExtensions: [['1.3.6.1.4.1.99999.1', true, Buffer.from([5, 0])]] }),
      /critical/,
    ],
    ['has name constraints', leaf({ extraExtensions: [['2.5.29.30', true, Buffer.from([0x30, 0])]] }), /critical/],
    [
      'has an extension twice',
      leaf({ extraExtensions: [['2.5.29.19', true, Buffer.from([0x30, 0])]] }),
      /cannot be read/,
    ],
    ['has P-384', leaf({ subject: p384 }), /P-256/],
    ['has secp256k1', leaf({ subject: secp }), /P-256/],
    ['has RSA of 1024 bits', rsaLeaf({ subject: weak }), /1024 bits/],
    ['has RSA with e = 3', rsaLeaf({ subject: exponent }), /65537/],
    ['has an authority that is none', between({ ca: false }), /authority that is not an authority/],
    [
      'has an authority without constraints',
      toPem(certificate({ subject: SIGNER, by: BETWEEN })) + toPem(certificate({ subject: BETWEEN, by: ROOT })),
      /is not an authority/,
    ],
    ['has an authority that may not sign', between({ usage: ['digitalSignature'] }), /lacks keyCertSign/],
    [
      'has an authority that has expired',
      between({ untilS: NOW_S - 1, fromS: NOW_S - 100 }),
      /is not valid since .* by an authority above it/,
    ],
    ['has an authority signed with SHA-1', between({ signature: 'ec sha1' }), /authority that is signed with/],
    [
      'has an authority with an unknown critical extension',
      between({ extraExtensions: [['1.2.3.4', true, Buffer.from([5, 0])]] }),
      /authority that has a critical/,
    ],
  ])('S132: refuses one that %s', async (_, pem, expected) => {
    expect(await faultOf([rsaLeaf({ usage: ['keyEncipherment'] }), pem])).toMatch(expected);
    const beside = party('beside');
    expect(await faultOf([leaf({ subject: beside }), pem])).toMatch(/^certificateFiles\[1\] /);
  });

  it('S132: refuses an authority whose key is weak or of another kind', async () => {
    const weakRoot = party('weak root', rsaPair(1024));
    const made = leaf({ by: weakRoot });
    expect(await faultOf([made], authority(weakRoot))).toMatch(/too weak/);
    const oddRoot = party('odd root', ecPair('secp256k1'));
    expect(await faultOf([leaf({ by: oddRoot })], authority(oddRoot))).toMatch(/too weak or of another kind/);
  });

  it('S132: refuses a trusted authority that has ended, or is none', async () => {
    expect(await faultOf([leaf()], authority(ROOT, ROOT, { untilS: NOW_S - 1, fromS: NOW_S - 9 }))).toMatch(
      /not valid since/,
    );
    expect(await faultOf([leaf()], toPem(certificate({ subject: ROOT, by: ROOT })))).toMatch(/not an authority/);
  });

  it('S132: keeps to path lengths', async () => {
    const short = authority(ROOT, ROOT, { pathLength: 0 });
    expect((await accepted([leaf()], short)).verification.size).toBe(1);
    expect(await faultOf([between({})], short)).toMatch(/path length/);
    expect(
      (await accepted([between({ pathLength: 0 })], authority(ROOT, ROOT, { pathLength: 1 }))).verification.size,
    ).toBe(1);
  });

  it('S132: follows a chain of four and refuses one of 20', async () => {
    const chainOf = (length: number): string => {
      const names = Array.from({ length }, (_, at) => party(`authority ${at}`));
      const [first = ROOT] = names;
      const own = toPem(certificate({ subject: SIGNER, by: first, usage: ['digitalSignature'] }));
      return own + names.map((one, at) => authority(one, names[at + 1] ?? ROOT)).join('');
    };
    expect((await accepted([chainOf(3)])).verification.size).toBe(1);
    expect(await faultOf([chainOf(20)])).toMatch(/21 certificates/);
    expect(await faultOf([leaf()], Array.from({ length: 17 }, () => CA).join(''))).toMatch(
      /file of authorities has 17/,
    );
  });

  it('S132: does not run in circles', async () => {
    const a = party('a');
    const b = party('b');
    const circle =
      toPem(certificate({ subject: SIGNER, by: a, usage: ['digitalSignature'] })) + authority(a, b) + authority(b, a);
    expect(await faultOf([circle])).toMatch(/does not lead/);
  });

  it('S130: refuses files with private keys, and says that they have been shown', async () => {
    const key = SIGNER.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(await faultOf([leaf() + key])).toMatch(/certificateFiles\[0\] holds a private key/);
    expect(await faultOf([key])).toMatch(/holds a private key/);
    expect(await faultOf([leaf()], CA + key)).toMatch(/authorities holds a private key/);
  });

  it.each([
    ['nothing', ''],
    ['a JWK', JSON.stringify(jwk(SIGNER.publicKey))],
    ['a public key', SIGNER.publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['a request', toPem(Buffer.from([0x30, 0]), 'CERTIFICATE REQUEST')],
    ['no certificate', toPem(Buffer.from([0x30, 0]))],
    ['garbage', toPem(Buffer.from('garbage'))],
    ['half a certificate', leaf().slice(0, 200)],
    ['a certificate without an end', leaf().replace(/-----END[\s\S]*/, '')],
    ['too much', 'x'.repeat(70_000)],
  ])('refuses a file with %s', async (_, text) => {
    expect(await faultOf([text])).toMatch(
      /^certificateFiles\[0\] (has no certificate|has a certificate that cannot be read|holds something else)/,
    );
    expect(await faultOf([leaf()], text)).toMatch(/^the file of authorities /);
  });

  it('refuses a certificate with bytes behind it, or changed anywhere', async () => {
    const der = certificate({ subject: SIGNER, by: ROOT, ca: false, usage: ['digitalSignature'] });
    expect(await faultOf([toPem(Buffer.concat([der, Buffer.from([0])]))])).not.toBe('no fault');
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await faultOf([toPem(changed)]), `byte ${at}`).not.toBe('no fault');
    }
  });

  it('S131: refuses one key in two certificates', async () => {
    expect(await faultOf([leaf(), leaf()])).toMatch(/certificateFiles\[1\] is the same key as certificateFiles\[0\]/);
  });

  it('need what they are to be used for', async () => {
    expect(await faultOf([leaf()], CA, true)).toMatch(/no RSA key/);
    expect(await faultOf([rsaLeaf()])).toMatch(/no EC P-256 key/);
    expect(await faultOf([])).toMatch(/no certificate/);
  });
});

const openssl = (() => {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
})();

describe('a certificate that has ended', () => {
  const ENDED = { fromS: NOW_S - 100, untilS: NOW_S - 1 };

  it('takes its own key out of use, and no other', async () => {
    const other = party('another signer');
    const set = await accepted([leaf(ENDED), leaf({ subject: other }), rsaLeaf()], CA, true);
    expect([...set.verification.values()].map(key => key.expiresAtMs)).toEqual([ENDED.untilS * 1000, YEAR_MS]);
    expect(isInUse(set, NOW_MS)).toBe(true);
    expect(endedFaults(set, NOW_MS).map(({ what }) => what)).toEqual([
      'certificateFiles[0] is not valid since 2027-01-15, itself or by an authority above it',
    ]);
  });

  it('takes the client out of use where it has no other to sign with, or to be answered with', async () => {
    const sets = [
      await accepted([leaf(ENDED), rsaLeaf()], CA, true),
      await accepted([leaf(), rsaLeaf(ENDED)], CA, true),
      await accepted([leaf()], authority(ROOT, ROOT, ENDED)),
    ];
    for (const set of sets) expect(isInUse(set, NOW_MS)).toBe(false);
  });

  it('is not what is sealed for while there is another', async () => {
    const next = party('next sealer', rsaPair());
    const set = await accepted([leaf(), rsaLeaf(ENDED), rsaLeaf({ subject: next })], CA, true);
    expect(set.encryption?.expiresAtMs).toBe(YEAR_MS);
    expect(isInUse(set, NOW_MS)).toBe(true);
  });

  it.each<[string, Partial<CertificateParts>]>([
    ['has expired', ENDED],
    ['was not a good one', { usage: ['digitalSignature'] }],
  ])('of an authority that %s hides no later one of the same name and key', async (_, more) => {
    const old = authority(ROOT, ROOT, more);
    const oldBetween = authority(BETWEEN, ROOT, more);
    const chain = toPem(certificate({ subject: SIGNER, by: BETWEEN, usage: ['digitalSignature'] }));
    for (const set of [
      await accepted([leaf()], old + CA),
      await accepted([leaf()], CA + old),
      await accepted([chain + oldBetween + authority(BETWEEN, ROOT)], old + CA),
    ]) {
      expect(set.endsAtMs).toEqual([YEAR_MS]);
    }
  });
});

describe.skipIf(openssl === undefined)('certificates made with OpenSSL', () => {
  const made = <T>(
    work: (run: (...args: string[]) => void, path: (name: string) => string) => Promise<T>,
  ): Promise<T> => {
    const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
    const run = (...args: string[]) => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
    return work(run, name => join(folder, name)).finally(() => rmSync(folder, { recursive: true }));
  };

  it('are accepted from a private authority, EC and RSA', async () => {
    await made(async (run, path) => {
      run(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-384',
        '-nodes',
        '-keyout',
        'ca.key',
        '-out',
        'ca.pem',
        '-days',
        '30',
        '-subj',
        '/CN=Private CA',
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
      );
      for (const [name, key, usage] of [
        ['signer', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], 'digitalSignature'],
        ['sealer', ['-newkey', 'rsa:3072'], 'keyEncipherment'],
      ] as const) {
        run('req', ...key, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
        writeFileSync(
          path('extensions'),
          `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,${usage}\nextendedKeyUsage=clientAuth\n`,
        );
        run(
          'x509',
          '-req',
          '-in',
          `${name}.csr`,
          '-CA',
          'ca.pem',
          '-CAkey',
          'ca.key',
          '-CAcreateserial',
          '-days',
          '20',
          '-sha384',
          '-extfile',
          'extensions',
          '-out',
          `${name}.pem`,
        );
      }
      const pems = ['signer.pem', 'sealer.pem'].map(name => readFileSync(path(name), 'utf8'));
      const ca = readFileSync(path('ca.pem'), 'utf8');
      const set = must(await parseClientCertificates(pems, ca, Date.now(), { needsEncryption: true }));
      expect(set.verification.size).toBe(1);
      expect(set.encryption).toBeDefined();
      const days = (Math.min(...set.endsAtMs.map(Number)) - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(19);
      expect(days).toBeLessThan(21);
    });
  });

  it('S132: are refused where they are self-signed', async () => {
    await made(async (run, path) => {
      run(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        'a.key',
        '-out',
        'a.pem',
        '-days',
        '30',
        '-subj',
        '/CN=a',
        '-addext',
        'basicConstraints=critical,CA:FALSE',
      );
      const pem = readFileSync(path('a.pem'), 'utf8');
      const read = await parseClientCertificates([pem], pem, Date.now(), { needsEncryption: false });
      expect(isKeyFault(read) && read.what).toMatch(/lacks CA:TRUE/);
    });
  });
});
