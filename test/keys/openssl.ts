/**
 * A private certification authority as a bank has one, run with the `openssl` of the machine: a root, an authority below
 * it, and certificates for requests. Nothing of the gateway's own code makes any of it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support/places.ts';

/** What `openssl version` says; undefined where there is none, or only LibreSSL, whose options differ. */
export const OPENSSL: string | undefined = (() => {
  const { status, stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  return status === 0 && /^OpenSSL [3-9]/.test(stdout) ? stdout.trim() : undefined;
})();

const dir = tempDir('authority');
const path = (name: string): string => join(dir, name);

/** Runs `openssl` and gives its standard output; a word that begins with `@` is a file of the authority's folder. */
export function openssl(...words: readonly string[]): string {
  const args = words.map(word => (word.startsWith('@') ? path(word.slice(1)) : word));
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) throw new Error(`openssl ${words.join(' ')}: ${stderr}`);
  return stdout;
}

let count = 0;
const fresh = (kind: string): string => {
  count += 1;
  return `${kind}-${count}.pem`;
};

/** How to make a key: what `genpkey` takes. */
export const EC = ['EC', 'ec_paramgen_curve:P-256'] as const;
export const P384 = ['EC', 'ec_paramgen_curve:P-384'] as const;
export const RSA = ['RSA', 'rsa_keygen_bits:2048'] as const;
export const RSA_1024 = ['RSA', 'rsa_keygen_bits:1024'] as const;
type Kind = readonly [string, string];

/** A new private key in PEM (PKCS#8); the path of its file. */
export function newKey([algorithm, option]: Kind): string {
  const file = path(fresh('key'));
  openssl('genpkey', '-algorithm', algorithm, '-pkeyopt', option, '-out', file);
  return file;
}

/** A certificate request for the key, made by openssl. */
export function request(keyFile: string, subject = '/O=Demo Bank/CN=demo-bank'): string {
  const file = path(fresh('request'));
  openssl('req', '-new', '-key', keyFile, '-subj', subject, '-out', file);
  return file;
}

export type IssueOptions = {
  /** Lines of extensions; default: an end entity's, without key usage. */
  readonly extensions?: readonly string[];
  /** Default sha256. */
  readonly digest?: string;
  readonly days?: number;
};

export type Authority = {
  /** Its own certificate, and with those above it up to and without the root. */
  readonly certFile: string;
  readonly pem: string;
  readonly chainPem: string;
  /** The certificate for a request, in PEM, without those of the authorities. */
  issue(requestFile: string, options?: IssueOptions): string;
  /** An authority below this one. */
  below(extensions?: readonly string[]): Authority;
};

const AUTHORITY = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
const END_ENTITY = ['basicConstraints=critical,CA:FALSE', 'subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'];

/** A root authority with a key of its own. */
export function newRoot(name = 'Test Root'): Authority {
  const key = newKey(P384);
  const certFile = path(fresh('root'));
  const extensions = AUTHORITY.flatMap(line => ['-addext', line]);
  openssl('req', '-x509', '-new', '-key', key, '-subj', `/CN=${name}`, '-days', '30', ...extensions, '-out', certFile);
  return authority(key, certFile, '');
}

function authority(keyFile: string, certFile: string, above: string): Authority {
  const pem = readFileSync(certFile, 'utf8');
  const issue: Authority['issue'] = (requestFile, { extensions = END_ENTITY, digest = 'sha256', days = 20 } = {}) => {
    const [extFile, out] = [path(fresh('extensions')), path(fresh('certificate'))];
    writeFileSync(extFile, `${extensions.join('\n')}\n`);
    const signer = ['-CA', certFile, '-CAkey', keyFile, '-CAcreateserial'];
    const options = ['-days', String(days), `-${digest}`, '-extfile', extFile, '-out', out];
    openssl('x509', '-req', '-in', requestFile, ...signer, ...options);
    return readFileSync(out, 'utf8');
  };
  return {
    certFile,
    pem,
    chainPem: above,
    issue,
    below: (extensions = AUTHORITY) => {
      const key = newKey(EC);
      const file = path(fresh('authority'));
      writeFileSync(file, issue(request(key, '/CN=Test Authority'), { extensions }));
      return authority(key, file, readFileSync(file, 'utf8') + above);
    },
  };
}
