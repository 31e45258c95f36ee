/**
 * Keys and certificates as a person reads them out: what kind of key it is, what it is for, and its fingerprints in
 * hexadecimal groups of four, which two people can compare by telephone.
 */
import type { CertificateFacts } from '../edge/certificateFacts.ts';
import type { PublicJwk } from '../edge/jwk.ts';
import type { Material } from './material.ts';

const DAY_MS = 86_400_000;

const KINDS: Readonly<Record<PublicJwk['kty'], (jwk: PublicJwk) => string>> = {
  EC: () => 'EC P-256, for signatures (ES256)',
  RSA: jwk => `RSA ${'n' in jwk ? modulusBits(jwk.n) : 0} bits, for encryption (RSA-OAEP-256)`,
};

const modulusBits = (n: string): number => {
  const bytes = Buffer.from(n, 'base64url');
  return bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24;
};

/** `3F2A 9C01 ...` of bytes in base64url or hexadecimal. */
export const inGroups = (text: string, encoding: 'base64url' | 'hex'): string =>
  (Buffer.from(text, encoding).toString('hex').toUpperCase().match(/.{4}/g) ?? []).join(' ');

/** What a file holds, as lines to print. */
export const describeMaterial = (path: string, materials: readonly Material[], nowMs: number): string =>
  [path, ...materials.map(material => describe(material, nowMs))].join('\n\n');

function describe(material: Material, nowMs: number): string {
  const { certificate } = material;
  const lines =
    material.kind === 'authority'
      ? ([['authority', 'vouches for the certificates of others']] as const)
      : ([
          [
            'key',
            KINDS[material.jwk.kty](material.jwk) + (material.isPrivate ? ', PRIVATE: never give this file away' : ''),
          ],
          ['kid', material.jwk.kid],
          ['SHA-256', inGroups(material.thumbprint, 'base64url')],
        ] as const);
  const last = certificate ? certificateLines(certificate, nowMs) : ([['valid', 'without end']] as const);
  return [...lines, ...last].map(([name, value]) => `  ${name.padEnd(13)}${value}`).join('\n');
}

const certificateLines = ({ x509, fromMs, untilMs }: CertificateFacts, nowMs: number) =>
  [
    ['subject', nameOf(x509.subject)],
    ['issued by', x509.subject === x509.issuer ? 'itself' : nameOf(x509.issuer)],
    ['valid', `from ${dayOf(fromMs)} to ${dayOf(untilMs)} (${remaining(fromMs, untilMs, nowMs)})`],
    ['certificate', inGroups(x509.fingerprint256.replaceAll(':', ''), 'hex')],
  ] as const;

/** On one line, with nothing in it that a terminal would obey; somebody else wrote it. */
export const nameOf = (name: string | undefined): string =>
  (name ?? '').split('\n').reverse().join(',').replaceAll(/\p{C}/gu, '?');

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function remaining(fromMs: number, untilMs: number, nowMs: number): string {
  if (nowMs < fromMs) return 'NOT YET VALID';
  if (nowMs > untilMs) return 'EXPIRED';
  const days = Math.floor((untilMs - nowMs) / DAY_MS);
  return days === 1 ? '1 day left' : `${days} days left`;
}
