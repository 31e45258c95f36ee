/**
 * A client's keys by X.509 certificates: each file is a certificate, with those of the authorities between it and one
 * that the operator trusts. Chain, key usage, key and signature are checked once, when they are registered; the end of
 * their validity is handed on, because it comes later, and because one that has ended is no reason to stop the others.
 */
import { type CertificateFacts, type KeyUsage, readCertificate } from './certificateFacts.ts';
import { fault, isKeyFault, type KeyFault, RSA_BITS_MIN } from './jwk.ts';
import {
  CLIENT_KEYS_MAX,
  type ClientKeySet,
  hasEnded,
  type KeySetOptions,
  keySetOf,
  type PublicKey,
  readPublicKey,
} from './keys.ts';

/** A certificate and three authorities above it are more than any partner has. */
const CHAIN_MAX = 4;
/** Authorities that the operator trusts for one client: the old one, the new one, and some. */
const AUTHORITIES_MAX = 16;

const PEM_CHARS_MAX = 64 * 1024;
const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;
const PEM_BEGIN = /-----BEGIN /g;

/** ECDSA and RSA (PKCS #1 v1.5), with SHA-256, SHA-384 and SHA-512 each: what authorities sign with. */
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
]);
const AUTHORITY_CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** What a certificate of each kind of key has to be allowed for (RFC 5280, 4.2.1.3). */
const LEAF_USAGE: Readonly<Record<string, KeyUsage>> = { ec: 'digitalSignature', rsa: 'keyEncipherment' };

/**
 * The keys of a client from its certificates, in PEM: one text per certificate, each with its authorities behind it where
 * there are any between. `caPem`: the authorities that are trusted. `wallMs`: now, in milliseconds since 1970. A key has
 * its RFC 7638 thumbprint for `kid`. What has ended is no fault here: `endedFaults` tells of it, and nothing takes its keys.
 */
export const parseClientCertificates = async (
  pems: readonly string[],
  caPem: string,
  wallMs: number,
  options: KeySetOptions,
): Promise<ClientKeySet | KeyFault> => {
  if (pems.length === 0) return fault('has no certificate', 'name at least one');
  if (pems.length > CLIENT_KEYS_MAX) {
    return fault(`has more than ${CLIENT_KEYS_MAX} certificates`, 'remove those that are not used any more');
  }
  const authorities = readPem(caPem, AUTHORITIES_MAX);
  if (isKeyFault(authorities)) return named('the file of authorities', authorities);
  const keys: PublicKey[] = [];
  for (const [index, pem] of pems.entries()) {
    const chain = readPem(pem, CHAIN_MAX);
    const key = isKeyFault(chain) ? chain : await keyOf(chain, authorities, wallMs);
    if (isKeyFault(key)) return named(fileName(index), key);
    keys.push(key);
  }
  return keySetOf(keys, fileName, options, wallMs);
};

/** What is wrong with each certificate of the set that has ended, or that has an authority above it that has. */
export const endedFaults = ({ endsAtMs }: ClientKeySet, wallMs: number): readonly KeyFault[] =>
  endsAtMs.flatMap((end, index) =>
    end === undefined || !hasEnded({ expiresAtMs: end }, wallMs)
      ? []
      : [
          fault(
            `${fileName(index)} is not valid since ${dayOf(end)}, itself or by an authority above it`,
            'ask for a new certificate, or remove it',
          ),
        ],
  );

const fileName = (index: number): string => `certificateFiles[${index}]`;
const named = (name: string, { what, mend }: KeyFault): KeyFault => fault(`${name} ${what}`, mend);

type Certificates = readonly [CertificateFacts, ...CertificateFacts[]];

/** The certificates of a text, in their order. */
const readPem = (text: string, most: number): Certificates | KeyFault => {
  const blocks = text.length > PEM_CHARS_MAX ? [] : [...text.matchAll(PEM_BLOCK)];
  if (blocks.some(([, label]) => label?.endsWith('PRIVATE KEY'))) {
    return fault('holds a private key', 'give only the certificate, and replace the key: it has been shown');
  }
  const foreign = blocks.some(([, label]) => label !== 'CERTIFICATE');
  if (foreign || blocks.length !== (text.match(PEM_BEGIN)?.length ?? 0)) {
    return fault('holds something else than certificates', 'write certificates in PEM and nothing else');
  }
  if (blocks.length > most) return fault(`has ${blocks.length} certificates`, `write ${most} at most`);
  const [first, ...others] = blocks.map(([pem]) => readCertificate(pem));
  if (blocks.length === 0)
    return fault('has no certificate', 'write one in PEM, beginning with -----BEGIN CERTIFICATE-----');
  if (!first || !others.every(other => other !== undefined)) {
    return fault('has a certificate that cannot be read', 'ask for the file again');
  }
  return [first, ...others];
};

/** The key of the first certificate, once everything about it and its authorities has been checked. */
const keyOf = async (
  [leaf, ...between]: Certificates,
  authorities: Certificates,
  wallMs: number,
): Promise<PublicKey | KeyFault> => {
  const own = leafFault(leaf, wallMs);
  if (own) return own;
  const above = authoritiesOf(leaf, between, authorities, wallMs);
  if (isKeyFault(above)) return above;
  for (const [index, authority] of above.entries()) {
    const wrong = authorityFault(authority, index, wallMs);
    if (wrong) return named('has an authority that', wrong);
  }
  const key = await importKey(leaf);
  if (isKeyFault(key)) return key;
  return { ...key, expiresAtMs: Math.min(...[leaf, ...above].map(({ untilMs }) => untilMs)) };
};

/** The authorities from the certificate's own up to the trusted one. */
const authoritiesOf = (
  leaf: CertificateFacts,
  between: readonly CertificateFacts[],
  trusted: Certificates,
  wallMs: number,
): readonly CertificateFacts[] | KeyFault => {
  const above: CertificateFacts[] = [];
  for (let below = leaf; ; ) {
    const root = issuerOf(below, trusted, above.length, wallMs);
    if (root) return [...above, root];
    const others = between.filter(authority => !above.includes(authority));
    const next = issuerOf(below, others, above.length, wallMs);
    if (!next) break;
    above.push(next);
    below = next;
  }
  if (issued(leaf, leaf)) return fault('is self-signed', 'have it signed by an authority that caFile has');
  return fault(
    'does not lead to an authority of caFile',
    'add the authorities between to its file, or the right one to caFile',
  );
};

/**
 * Which of them issued it. An authority that was issued anew has the same name and key: the one that holds good is taken,
 * wherever it stands, and only where there is none another, so that its fault can be told.
 */
const issuerOf = (
  below: CertificateFacts,
  authorities: readonly CertificateFacts[],
  index: number,
  wallMs: number,
): CertificateFacts | undefined => {
  const all = authorities.filter(authority => issued(authority, below));
  const sound = all.filter(authority => authorityFault(authority, index, wallMs) === undefined);
  return sound.find(({ untilMs }) => wallMs <= untilMs) ?? sound[0] ?? all[0];
};

/** Whether the names and the signature fit. Whether it may sign at all is judged later, so that the fault can say so. */
const issued = (authority: CertificateFacts, below: CertificateFacts): boolean => {
  try {
    return below.x509.issuer === authority.x509.subject && below.x509.verify(authority.publicKey);
  } catch {
    return false;
  }
};

const leafFault = (leaf: CertificateFacts, wallMs: number): KeyFault | undefined => {
  if (leaf.isCa) return fault('is the certificate of an authority', 'give one that was made for signing or encryption');
  const usage = LEAF_USAGE[leaf.publicKey.asymmetricKeyType ?? ''];
  if (usage && leaf.usage && !leaf.usage.has(usage)) {
    return fault(`has a key usage without ${usage}`, `ask for a certificate with the key usage ${usage}`);
  }
  return commonFault(leaf, wallMs);
};

/** `index`: how many authorities are below it. */
const authorityFault = (authority: CertificateFacts, index: number, wallMs: number): KeyFault | undefined => {
  const { isCa, usage, pathLength, publicKey } = authority;
  if (!isCa) return fault('is not an authority: it lacks CA:TRUE', 'ask for a certificate of a real authority');
  if (usage && !usage.has('keyCertSign')) {
    return fault('may not sign certificates: it lacks keyCertSign', 'ask for a certificate of a real authority');
  }
  if (pathLength !== undefined && index > pathLength) {
    return fault('has more authorities below it than its path length allows', 'ask for another certificate');
  }
  const { modulusLength = 0, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  const { asymmetricKeyType: type } = publicKey;
  if (type === 'rsa' ? modulusLength < RSA_BITS_MIN : !AUTHORITY_CURVES.has(namedCurve)) {
    return fault(
      'has a key that is too weak or of another kind',
      `use RSA of ${RSA_BITS_MIN} bits, or P-256 and above`,
    );
  }
  return commonFault(authority, wallMs);
};

const commonFault = ({ signatureOid, unknownCritical, fromMs }: CertificateFacts, wallMs: number) => {
  if (!SIGNATURES.has(signatureOid)) {
    return fault('is signed with an algorithm that is not accepted', 'use ECDSA or RSA with SHA-256 or more');
  }
  if (unknownCritical) return fault('has a critical extension that we do not know', 'ask for one without it');
  if (wallMs < fromMs) return fault(`is not valid before ${dayOf(fromMs)}`, 'wait until then, or correct the clock');
  return undefined;
};

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const importKey = async ({ publicKey }: CertificateFacts): Promise<Omit<PublicKey, 'expiresAtMs'> | KeyFault> => {
  try {
    return await readPublicKey({ ...publicKey.export({ format: 'jwk' }) });
  } catch {
    return fault('has a key of another kind', 'give EC P-256 keys for signatures and RSA keys for encryption');
  }
};
