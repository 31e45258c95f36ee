/**
 * Certificates (X.509 v3, RFC 5280) with their keys, self-signed or of a private authority, made when the test runs: no
 * key lies in the repository, and no test depends on a tool or on a date.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = '550403';
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALTERNATIVE_NAME = '551d11';

const nameOf = (text: string): Buffer => sequence(tlv(0x31, sequence(oid(COMMON_NAME), tlv(0x0c, Buffer.from(text)))));

/** UTCTime, which has two digits of the year. */
const time = (at: Date): Buffer =>
  tlv(
    0x17,
    Buffer.from(
      `${at
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2)}`,
    ),
  );

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), tlv(0x04, value));

const pem = (der: Buffer): string =>
  [
    '-----BEGIN CERTIFICATE-----',
    ...(der.toString('base64').match(/.{1,64}/g) ?? []),
    '-----END CERTIFICATE-----',
    '',
  ].join('\n');

const DAY_MS = 86_400_000;

export type Pair = { readonly cert: string; readonly key: string };

type Signer = { readonly name: string; readonly key: KeyObject };

/** From when to when, in days from now. */
export type Validity = { readonly fromDays?: number; readonly untilDays?: number };

const NAME_OF_HOSTS = 'test issuer';
const NAME_OF_AUTHORITY = 'test authority';

type Content = {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly isCa: boolean;
  /** A DNS name or an IPv4 address. */
  readonly host: string | undefined;
};

const certificate = (signer: Signer, { name, publicKey, isCa, host }: Content, validity: Validity): string => {
  const { fromDays = -2, untilDays = 1 } = validity;
  const at = (days: number) => time(new Date(Date.now() + days * DAY_MS));
  const constraints = sequence(...(isCa ? [tlv(0x01, Buffer.from([0xff]))] : []));
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(signer.name),
    sequence(at(fromDays), at(untilDays)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(
      0xa3,
      sequence(
        extension(BASIC_CONSTRAINTS, constraints),
        ...(host === undefined ? [] : [extension(SUBJECT_ALTERNATIVE_NAME, sequence(generalName(host)))]),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, signer.key);
  return pem(sequence(toBeSigned, ECDSA_WITH_SHA256, tlv(0x03, Buffer.from([0]), signature)));
};

const generalName = (host: string): Buffer =>
  /^[0-9.]+$/.test(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host));

export type KeyKind = 'ec' | 'rsa';

const newPair = (kind: KeyKind = 'ec') =>
  kind === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A certificate for one DNS name or IPv4 address that is its own authority. */
export function selfSigned(host: string, untilDays = 1): Pair {
  const { privateKey, publicKey } = newPair();
  const content = { name: NAME_OF_HOSTS, publicKey, isCa: true, host };
  const cert = certificate({ name: NAME_OF_HOSTS, key: privateKey }, content, { untilDays });
  return { cert, key: keyPem(privateKey) };
}

export type Authority = {
  readonly cert: string;
  /** A certificate for a DNS name or IPv4 address. */
  issue(host: string, validity?: Validity, kind?: KeyKind): Pair;
};

/** An authority, which issues certificates. Of two with one name, OpenSSL takes the first for both. */
export function authority(validity: Validity = {}, name = NAME_OF_AUTHORITY): Authority {
  const { privateKey, publicKey } = newPair();
  const signer = { name, key: privateKey };
  const own = { name, publicKey, isCa: true, host: undefined };
  return {
    cert: certificate(signer, own, validity),
    issue: (host, forLeaf = {}, kind = 'ec') => {
      const pair = newPair(kind);
      const content = { name: NAME_OF_HOSTS, publicKey: pair.publicKey, isCa: false, host };
      return { cert: certificate(signer, content, forLeaf), key: keyPem(pair.privateKey) };
    },
  };
}
