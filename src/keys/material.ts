/**
 * Reads the files that keys come in: private JWKs of our own, and from others JWKs, JWK Sets (RFC 7517) and X.509
 * certificates in PEM (RFC 5280, RFC 7468). Every key that comes out has been proved by the checks of the gateway itself.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { JsonObject } from '../catalogue/shape.ts';
import { CONFIG_PART_BYTES_MAX } from '../config/limits.ts';
import { readTextFile } from '../config/textFile.ts';
import { Secret } from '../domain/secret.ts';
import { type CertificateFacts, readCertificate } from '../edge/certificateFacts.ts';
import { isKeyFault, type KeyFault, type PublicJwk, readKeyText } from '../edge/jwk.ts';
import { parseOpeningKey, parseSigningKey, readPublicKey } from '../edge/keys.ts';
import { fileProblem } from './problem.ts';

/** One key, by its public half. */
export type KeyMaterial = {
  readonly kind: 'key';
  readonly jwk: PublicJwk;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
  /** The file holds the private half, too. */
  readonly isPrivate: boolean;
  readonly certificate: CertificateFacts | undefined;
};

/** A certificate of an authority (RFC 5280, 4.2.1.9) vouches for others; its own key is none that we would use. */
export type Material = KeyMaterial | { readonly kind: 'authority'; readonly certificate: CertificateFacts };

export type PrivateKey = {
  readonly key: Secret<KeyObject>;
  readonly publicJwk: PublicJwk;
  readonly thumbprint: string;
};

/** The text of a file, bounded in size. */
export async function readText(path: string): Promise<string> {
  const file = await readTextFile(path, CONFIG_PART_BYTES_MAX);
  if (!file.ok) throw fileProblem(path, { what: `the file ${file.why}`, mend: 'check the path' });
  return file.text;
}

export const isPem = (text: string): boolean => text.includes('-----BEGIN ');

/** A private key of our own, as `ec` and `rsa` make them. */
export async function readPrivateKey(path: string): Promise<PrivateKey> {
  const text = await readText(path);
  const jwk = proved(path, readKeyText(text));
  const parse = jwk.kty === 'RSA' ? parseOpeningKey : parseSigningKey;
  const { publicJwk, thumbprint } = proved(path, await parse(text));
  return { key: new Secret(createPrivateKey({ key: { ...jwk }, format: 'jwk' })), publicJwk, thumbprint };
}

/** Every key of a file, in its order; there is at least one. */
export async function readMaterial(path: string): Promise<readonly Material[]> {
  const text = await readText(path);
  if (isPem(text)) return certificatesIn(path, text);
  const json = proved(path, readKeyText(text));
  const { keys } = json;
  if (!Array.isArray(keys)) return [Object.hasOwn(json, 'd') ? await privateKey(path) : await publicKey(path, json)];
  if (keys.length === 0) throw fileProblem(path, { what: 'holds no key', mend: 'check that it is the right file' });
  const items: readonly unknown[] = keys;
  return Promise.all(items.map((item, index) => publicKey(`${path}: keys[${index}]`, isObject(item) ? item : {})));
}

/** What was proved, or the fault as a problem of the file. */
export function proved<T extends object>(where: string, value: T | KeyFault): T {
  if (isKeyFault(value)) throw fileProblem(where, value);
  return value;
}

async function privateKey(path: string): Promise<Material> {
  const { publicJwk, thumbprint } = await readPrivateKey(path);
  return { kind: 'key', jwk: publicJwk, thumbprint, isPrivate: true, certificate: undefined };
}

async function publicKey(where: string, source: JsonObject, certificate?: CertificateFacts): Promise<Material> {
  const { jwk, thumbprint } = proved(where, await readPublicKey(source));
  return { kind: 'key', jwk, thumbprint, isPrivate: false, certificate };
}

const CERTIFICATE_MEND = 'write X.509 certificates in PEM, one after the other';
const LABEL = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g;
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Each certificate of a text, in PEM. */
export const certificateBlocks = (text: string): readonly string[] =>
  (text.match(BLOCK) ?? []).map(block => `${block}\n`);

async function certificatesIn(path: string, text: string): Promise<readonly Material[]> {
  // A private key must not pass through here unseen, and a request or a bare public key says nothing about its owner.
  const labels = [...text.matchAll(LABEL)].map(([, label]) => label);
  const other = labels.find(label => label !== 'CERTIFICATE');
  if (other !== undefined) throw fileProblem(path, { what: `holds a ${other}`, mend: CERTIFICATE_MEND });
  const blocks = certificateBlocks(text);
  return Promise.all(
    labels.map((_, index): Material | Promise<Material> => {
      const where = labels.length === 1 ? path : `${path}: certificate ${index + 1}`;
      const certificate = blocks.length === labels.length ? readCertificate(blocks[index] ?? '') : undefined;
      if (!certificate) throw fileProblem(where, { what: 'cannot be read as a certificate', mend: CERTIFICATE_MEND });
      if (certificate.isCa) return { kind: 'authority', certificate };
      return publicKey(where, jwkOf(certificate, where), certificate);
    }),
  );
}

function jwkOf({ publicKey: key }: CertificateFacts, where: string): JsonObject {
  try {
    return { ...key.export({ format: 'jwk' }) };
  } catch {
    throw fileProblem(where, { what: 'holds a key of an unknown kind', mend: 'use EC P-256 and RSA keys' });
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
