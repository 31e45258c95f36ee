/**
 * What a certificate says (RFC 5280): Node parses it and checks signatures, and what Node does not tell, its key usage,
 * path length and critical extensions, is read from the DER beside it. Facts only; `certificates.ts` judges them.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { type Der, inside, oidText, readAll, smallInteger, TAG } from './der.ts';

export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign';

export type CertificateFacts = {
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  /** Object identifier of the algorithm that it is signed with. */
  readonly signatureOid: string;
  /** CA:TRUE in basicConstraints (RFC 5280, 4.2.1.9). */
  readonly isCa: boolean;
  /** How many certificates of authorities may be below it; undefined: any. */
  readonly pathLength: number | undefined;
  /** Undefined where it has no keyUsage (4.2.1.3): then it may be used for anything. */
  readonly usage: ReadonlySet<KeyUsage> | undefined;
  /** A critical extension that we do not know: then it must not be used (4.2). */
  readonly unknownCritical: boolean;
  readonly fromMs: number;
  readonly untilMs: number;
};

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
/** What may be critical: the two that we obey, and those whose content cannot widen what we use a certificate for. */
const KNOWN_CRITICAL: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, KEY_USAGE, '2.5.29.17', '2.5.29.14']);
/** Bit numbers of RFC 5280, 4.2.1.3. */
const USAGE_BITS: readonly (readonly [KeyUsage, number])[] = [
  ['digitalSignature', 0],
  ['keyEncipherment', 2],
  ['keyCertSign', 5],
];

type Extension = { readonly oid: string; readonly critical: boolean; readonly value: Der };

/** The facts of one certificate in PEM; undefined where it is none that can be read in exactly one way. */
export const readCertificate = (pem: string): CertificateFacts | undefined => {
  try {
    const x509 = new X509Certificate(pem);
    return factsOf(x509, x509.publicKey);
  } catch {
    return undefined;
  }
};

const factsOf = (x509: X509Certificate, publicKey: KeyObject): CertificateFacts | undefined => {
  const [certificate] = readAll(x509.raw) ?? [];
  const [tbs, algorithm] = inside(certificate, TAG.sequence) ?? [];
  const fields = inside(tbs, TAG.sequence);
  const signatureOid = oidText(inside(algorithm, TAG.sequence)?.[0]);
  if (!fields || !algorithm || signatureOid === undefined) return undefined;
  // The algorithm stands in it twice, and only one of the two is signed (RFC 5280, 4.1.1.2).
  const signed = fields[fields[0]?.tag === TAG.version ? 2 : 1];
  if (!signed || !Buffer.from(signed.whole).equals(algorithm.whole)) return undefined;
  const extensions = extensionsOf(fields);
  const constraints = extensions && basicConstraintsOf(extensions);
  const usage = extensions && keyUsageOf(extensions);
  if (!constraints || usage === undefined) return undefined;
  return {
    x509,
    publicKey,
    signatureOid,
    ...constraints,
    usage: usage === 'any' ? undefined : usage,
    unknownCritical: extensions.some(({ oid, critical }) => critical && !KNOWN_CRITICAL.has(oid)),
    fromMs: x509.validFromDate.getTime(),
    untilMs: x509.validToDate.getTime(),
  };
};

/** The extensions, each of them once (RFC 5280, 4.2); undefined where they are malformed. */
const extensionsOf = (fields: readonly Der[]): readonly Extension[] | undefined => {
  const tagged = fields.find(({ tag }) => tag === TAG.extensions);
  if (!tagged) return [];
  const list = inside(inside(tagged, TAG.extensions)?.[0], TAG.sequence)?.map(extensionOf);
  if (!list?.every(extension => extension !== undefined)) return undefined;
  return new Set(list.map(({ oid }) => oid)).size === list.length ? list : undefined;
};

const extensionOf = (element: Der): Extension | undefined => {
  const parts = inside(element, TAG.sequence) ?? [];
  const oid = oidText(parts[0]);
  const critical = parts[1]?.tag === TAG.boolean ? parts[1].content[0] !== 0 : false;
  const octets = parts.at(-1);
  const value = octets?.tag === TAG.octets ? readAll(octets.content) : undefined;
  const [only, ...more] = value ?? [];
  if (oid === undefined || parts.length > 3 || !only || more.length > 0) return undefined;
  return { oid, critical, value: only };
};

const basicConstraintsOf = (
  extensions: readonly Extension[],
): Pick<CertificateFacts, 'isCa' | 'pathLength'> | undefined => {
  const found = extensions.find(({ oid }) => oid === BASIC_CONSTRAINTS);
  if (!found) return { isCa: false, pathLength: undefined };
  const parts = inside(found.value, TAG.sequence);
  if (!parts) return undefined;
  const isCa = parts[0]?.tag === TAG.boolean && parts[0].content[0] !== 0;
  const length = parts.find(({ tag }) => tag === TAG.integer);
  if (!length) return { isCa, pathLength: undefined };
  const pathLength = smallInteger(length);
  return pathLength === undefined ? undefined : { isCa, pathLength };
};

const keyUsageOf = (extensions: readonly Extension[]): ReadonlySet<KeyUsage> | 'any' | undefined => {
  const found = extensions.find(({ oid }) => oid === KEY_USAGE);
  if (!found) return 'any';
  // The first octet tells how many bits of the last one are unused; those are zero in DER.
  const [, first] = found.value.tag === TAG.bits ? found.value.content : [];
  if (first === undefined) return undefined;
  return new Set(USAGE_BITS.filter(([, bit]) => (first & (0x80 >> bit)) !== 0).map(([name]) => name));
};
