/**
 * A certification authority for tests: X.509 certificates (RFC 5280) written byte by byte, so that any part of one can be
 * wrong. Nothing of it lies in the repository, and no test depends on a tool.
 */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { NOW_S } from './oauthKit.ts';

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const octets = (content: Uint8Array): Buffer => tlv(0x04, content);
const integer = (value: number): Buffer => tlv(0x02, Buffer.from(value < 128 ? [value] : [0, value]));
const TRUE = tlv(0x01, Buffer.from([0xff]));
const NULL = tlv(0x05);

const oid = (text: string): Buffer => {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap(arc => {
    const bytes = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left & 0x7f) | 0x80);
    return bytes;
  });
  return tlv(0x06, Buffer.from(arcs));
};

const SIGNATURES = {
  'ec sha256': { algorithm: sequence(oid('1.2.840.10045.4.3.2')), hash: 'sha256' },
  'ec sha1': { algorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' },
  'rsa sha256': { algorithm: sequence(oid('1.2.840.113549.1.1.11'), NULL), hash: 'sha256' },
  'rsa sha1': { algorithm: sequence(oid('1.2.840.113549.1.1.5'), NULL), hash: 'sha1' },
} as const;

const USAGE_BITS: Readonly<Record<string, number>> = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  dataEncipherment: 0x10,
  keyCertSign: 0x04,
};

const nameOf = (text: string): Buffer => sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(text)))));

/** UTCTime, which has two digits of the year. */
const time = (atS: number): Buffer =>
  tlv(
    0x17,
    Buffer.from(
      new Date(atS * 1000)
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2),
    ),
  );

export const toPem = (der: Uint8Array, label = 'CERTIFICATE'): string =>
  [
    `-----BEGIN ${label}-----`,
    ...(Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []),
    `-----END ${label}-----`,
    '',
  ].join('\n');

export type Party = { readonly name: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject };

export type CertificateParts = {
  readonly subject: Pick<Party, 'name' | 'publicKey'>;
  readonly by: Party;
  /** Seconds since 1970; from an hour ago for a year, unless told otherwise. */
  readonly fromS?: number;
  readonly untilS?: number;
  /** Absent: no basicConstraints. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Absent: no keyUsage. */
  readonly usage?: readonly string[];
  readonly extraExtensions?: readonly (readonly [id: string, critical: boolean, value: Uint8Array])[];
  readonly signature?: keyof typeof SIGNATURES;
  /** The algorithm that is written outside of what is signed, where it differs. */
  readonly outerSignature?: keyof typeof SIGNATURES;
  /** The certificate is signed, but by another key than that of `by`. */
  readonly signedWith?: KeyObject;
};

const HOUR_S = 3600;
export const YEAR_S = 365 * 24 * HOUR_S;

const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));

const keyId = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();

/** One certificate in DER. */
export const certificate = (parts: CertificateParts): Buffer => {
  const { subject, by, fromS = NOW_S - HOUR_S, untilS = NOW_S + YEAR_S, extraExtensions = [] } = parts;
  const signature = parts.signature ?? (by.privateKey.asymmetricKeyType === 'rsa' ? 'rsa sha256' : 'ec sha256');
  const { algorithm, hash } = SIGNATURES[signature];
  const extensions = [
    extension('2.5.29.14', false, octets(keyId(subject.publicKey))),
    ...(parts.ca === undefined ? [] : [extension('2.5.29.19', true, constraints(parts.ca, parts.pathLength))]),
    ...(parts.usage === undefined ? [] : [extension('2.5.29.15', true, usageBits(parts.usage))]),
    ...extraExtensions.map(([id, critical, value]) => extension(id, critical, value)),
  ];
  const toBeSigned = sequence(
    tlv(0xa0, integer(2)),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(by.name),
    sequence(time(fromS), time(untilS)),
    nameOf(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const outer = SIGNATURES[parts.outerSignature ?? signature].algorithm;
  const signed = sign(hash, toBeSigned, parts.signedWith ?? by.privateKey);
  return sequence(toBeSigned, outer, tlv(0x03, Buffer.from([0]), signed));
};

const constraints = (ca: boolean, pathLength: number | undefined): Buffer =>
  sequence(...(ca ? [TRUE] : []), ...(pathLength === undefined ? [] : [integer(pathLength)]));

const usageBits = (usage: readonly string[]): Buffer =>
  tlv(0x03, Buffer.from([0, usage.reduce((bits, name) => bits | (USAGE_BITS[name] ?? 0), 0)]));
