/**
 * Certificates of a private authority, made with openssl: requests by our tool and by openssl itself, chains with and
 * without an authority between, and everything that must be refused (S132).
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authority, EC, newKey, newRoot, OPENSSL, openssl, P384, RSA, RSA_1024, request } from './openssl.ts';
import { type Desk, daysFromNow, desk } from './support.ts';

const REASON = 'NOT RUN: there is no OpenSSL 3 on this machine (apt-get install openssl)';

const jwkOf = (keyFile: string) =>
  createPublicKey(createPrivateKey(readFileSync(keyFile, 'utf8'))).export({ format: 'jwk' });

describe.skipIf(OPENSSL === undefined)(`certificates of ${OPENSSL ?? REASON}`, () => {
  let root: Authority;
  let between: Authority;
  let ecKey: string;
  let rsaKey: string;
  let at: Desk;
  beforeAll(() => {
    root = newRoot();
    between = root.below();
    ecKey = newKey(EC);
    rsaKey = newKey(RSA);
  });
  beforeEach(() => {
    at = desk();
  });

  /** Imports these texts, one file each, with the root as authority. */
  const importAll = (texts: readonly string[], ca = root.certFile, on = at) => {
    const files = texts.map((text, index) => on.write(`in-${index}.pem`, text));
    return on.keys('import', ...files, '--ca', ca, '--out', '@bank.json');
  };

  it('our requests are what openssl takes, for the name and the use that was asked for', async () => {
    await at.keys('ec', '@ec.json');
    await at.keys('rsa', '@rsa.json', '--bits', '3072');
    for (const [file, usage] of [
      ['ec', 'Digital Signature'],
      ['rsa', 'Key Encipherment'],
    ] as const) {
      await at.keys('csr', `@${file}.json`, '--subject', 'CN=gate\\,way,O=Söhne & Co,C=DE', '--out', `@${file}.csr`);
      const text = openssl('req', '-in', at.path(`${file}.csr`), '-noout', '-verify', '-text', '-nameopt', 'RFC2253');
      expect(text).toContain('Subject: CN=gate\\,way,O=S\\C3\\B6hne & Co,C=DE');
      expect(text).toMatch(new RegExp(`X509v3 Key Usage: critical\\s+${usage}\\n`));
    }
  });

  it('our requests, signed by the authority, come back as our keys', async () => {
    await at.keys('ec', '@ec.json');
    await at.keys('rsa', '@rsa.json');
    for (const file of ['ec', 'rsa']) {
      await at.keys('csr', `@${file}.json`, '--subject', 'CN=gateway', '--out', `@${file}.csr`);
    }
    const texts = ['ec', 'rsa'].map(file => between.issue(at.path(`${file}.csr`)) + between.chainPem);
    expect(await importAll(texts)).toMatchObject({ code: 0, err: '' });
    await at.keys('public', '@ec.json', '@rsa.json', '--out', '@public.json');
    expect(at.json('bank.json')).toEqual(at.json('public.json'));
  });

  it('our self-signed certificates are valid for openssl, too', async () => {
    await at.keys('ec', '@ec.json');
    await at.keys('public', '@ec.json', '--pem', '--out', '@self.pem');
    const verified = openssl(
      'verify',
      '-x509_strict',
      '-partial_chain',
      '-trusted',
      at.path('self.pem'),
      at.path('self.pem'),
    );
    expect(verified).toContain('OK');
  });

  it.each([
    ['below the root itself', () => root],
    ['with an authority between, in the same file', () => between],
  ])('keys of openssl %s are taken over, and both sides read the same', async (_, issuer) => {
    const texts = [ecKey, rsaKey].map(key => issuer().issue(request(key)) + issuer().chainPem);
    const { code, out } = await importAll(texts);
    expect(code).toBe(0);
    const { kid, use, alg, ...ec } = (at.json('bank.json').keys as Record<string, unknown>[])[0] ?? {};
    expect([use, alg]).toEqual(['sig', 'ES256']);
    expect(ec).toEqual(jwkOf(ecKey));
    expect(out).toContain(`kid          ${kid}`);
    const said = openssl('x509', '-in', at.path('in-0.pem'), '-noout', '-fingerprint', '-sha256');
    const hex = said.trim().split('=')[1]?.replaceAll(':', '') ?? 'nothing';
    expect(out.replaceAll(' ', '')).toContain(`certificate${hex}`);
    expect(out).toContain(`${root.certFile} vouches for these keys.`);
  });

  it('several certificates may stand in one file, each before its authorities', async () => {
    const text = [ecKey, rsaKey].map(key => between.issue(request(key)) + between.chainPem).join('');
    expect(await importAll([text])).toMatchObject({ code: 0 });
    expect(at.json('bank.json')).toMatchObject({ keys: [jwkOf(ecKey), jwkOf(rsaKey)] });
  });

  it('fingerprint reads an authority out as well', async () => {
    const { code, out } = await at.keys('fingerprint', root.certFile);
    expect(code).toBe(0);
    expect(out).toContain('authority    vouches for the certificates of others');
    const hex = new X509Certificate(root.pem).fingerprint256.replaceAll(':', '');
    expect(out.replaceAll(' ', '')).toContain(`certificate${hex}`);
  });

  const leaf = (...lines: readonly string[]) => ({ extensions: ['basicConstraints=CA:FALSE', ...lines] });
  const BAD: readonly (readonly [string, () => string, string])[] = [
    ['of another authority', () => newRoot('Other Root').issue(request(ecKey)), 'does not lead to an authority'],
    ['of a namesake of the authority', () => newRoot().issue(request(ecKey)), 'does not lead to an authority'],
    ['without the authority between', () => between.issue(request(ecKey)), 'does not lead to an authority'],
    [
      'self-signed',
      () => openssl('req', '-x509', '-new', '-key', ecKey, '-subj', '/CN=x', '-addext', 'basicConstraints=CA:FALSE'),
      'is self-signed',
    ],
    [
      'that is an authority itself',
      () => root.issue(request(ecKey), { extensions: ['basicConstraints=CA:TRUE'] }),
      'authority',
    ],
    ['signed with SHA-1', () => root.issue(request(ecKey), { digest: 'sha1' }), 'signed with an algorithm'],
    ['of an RSA key of 1024 bits', () => root.issue(request(newKey(RSA_1024))), 'is an RSA key of 1024 bits'],
    ['of a key on P-384', () => root.issue(request(newKey(P384))), 'is not on the curve P-256'],
    ['for key agreement', () => root.issue(request(ecKey), leaf('keyUsage=keyAgreement')), 'digitalSignature'],
    [
      'with an unknown critical extension',
      () => root.issue(request(ecKey), leaf('1.2.3.4=critical,DER:0500')),
      'critical',
    ],
    [
      'below an authority that is none',
      () => {
        const none = root.below(['basicConstraints=critical,CA:FALSE']);
        return none.issue(request(ecKey)) + none.chainPem;
      },
      'authority',
    ],
    [
      'below more authorities than the path length allows',
      () => {
        const last = root.below(['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=keyCertSign']).below();
        return last.issue(request(ecKey)) + last.chainPem;
      },
      'path length',
    ],
    [
      'below a chain of seven',
      () => {
        let last = root;
        for (let depth = 0; depth < 7; depth += 1) last = last.below();
        return last.issue(request(ecKey)) + last.chainPem;
      },
      'certificates',
    ],
  ];

  it.each(BAD)('S132 a certificate %s is refused, and nothing is written', async (_, make, what) => {
    const good = root.issue(request(rsaKey));
    const { code, out, err } = await importAll([make(), good]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(what);
    expect(err).not.toMatch(/certificateFiles|caFile/);
    expect(readdirSync(at.dir)).not.toContain('bank.json');
  });

  it('S132 expired or not yet valid is refused: the certificate, or the authority above it', async () => {
    const texts = [ecKey, rsaKey].map(key => root.issue(request(key), { days: 5 }));
    for (const [days, what] of [
      [6, 'is not valid since'],
      [31, 'is not valid since'],
      [-2, 'is not valid before'],
    ] as const) {
      const { code, err } = await importAll(texts, root.certFile, desk(daysFromNow(days)));
      expect([code, err]).toEqual([1, expect.stringContaining(what)]);
    }
  });

  it('an authority that is no certificate is named', async () => {
    const ca = at.write('ca.pem', 'hello');
    const { code, err } = await importAll([root.issue(request(ecKey))], ca);
    expect([code, err]).toEqual([1, expect.stringContaining('the file of authorities has no certificate')]);
  });
});
