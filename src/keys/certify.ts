/**
 * Certificates of our own keys: requests for an authority (PKCS#10, RFC 2986) and self-signed X.509 certificates
 * (RFC 5280) for partners whose systems take nothing else. A key signs for itself here and nowhere else, the RSA key too.
 */
import { createPublicKey, sign } from 'node:crypto';
import type { PublicJwk } from '../edge/jwk.ts';
import type { Random } from '../runtime/random.ts';
import { bits, integer, NULL, octets, oid, pem, sequence, set, TRUE, tagged, time } from './der.ts';
import type { PrivateKey } from './material.ts';

const DAY_MS = 86_400_000;

/** What differs between the kinds of keys: how one signs, and what its certificate allows (RFC 5280, 4.2.1.3). */
type Row = { readonly algorithm: Buffer; readonly usage: Buffer };

const ROWS: Readonly<Record<PublicJwk['kty'], Row>> = {
  // ecdsa-with-SHA256 (RFC 5758, 3.2); digitalSignature, bit 0.
  EC: { algorithm: sequence(oid('1.2.840.10045.4.3.2')), usage: bits(Buffer.from([0x80]), 7) },
  // sha256WithRSAEncryption (RFC 4055, 5); keyEncipherment, bit 2. The key only opens payloads, but a request and a
  // self-signed certificate prove its possession by a signature.
  RSA: { algorithm: sequence(oid('1.2.840.113549.1.1.11'), NULL), usage: bits(Buffer.from([0x20]), 5) },
};

const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), TRUE, octets(value));
const keyUsage = ({ usage }: Row): Buffer => extension('2.5.29.15', usage);
/** CA:FALSE, which is what an empty sequence says. */
const NO_AUTHORITY = extension('2.5.29.19', sequence());
const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14');

const V1_REQUEST = integer(Buffer.from([0]));
const V3_CERTIFICATE = tagged(0, integer(Buffer.from([2])));

/** A certificate request for the key, in PEM. `subject` is a name in DER. */
export function requestFor(key: PrivateKey, subject: Buffer): string {
  const row = ROWS[key.publicJwk.kty];
  const attributes = tagged(0, sequence(EXTENSION_REQUEST, set(sequence(keyUsage(row)))));
  return pem('CERTIFICATE REQUEST', signed(sequence(V1_REQUEST, subject, publicInfo(key), attributes), key));
}

export type SelfSigning = {
  /** In DER. */
  readonly subject: Buffer;
  readonly days: number;
  readonly nowMs: number;
  readonly random: Random;
};

/** A certificate of the key, signed by the key itself, in PEM. */
export function selfSigned(key: PrivateKey, { subject, days, nowMs, random }: SelfSigning): string {
  const row = ROWS[key.publicJwk.kty];
  const certificate = sequence(
    V3_CERTIFICATE,
    serialNumber(random),
    row.algorithm,
    subject,
    sequence(time(nowMs), time(nowMs + days * DAY_MS)),
    subject,
    publicInfo(key),
    tagged(3, sequence(NO_AUTHORITY, keyUsage(row))),
  );
  return pem('CERTIFICATE', signed(certificate, key));
}

/** 128 bits of chance; RFC 5280, 4.1.2.2 allows 160, and wants them positive. */
function serialNumber(random: Random): Buffer {
  const bytes = Buffer.from(random.id(), 'base64url');
  // Not zero at its beginning, which DER does not have.
  return integer(Buffer.from([(bytes[0] ?? 0) | 0x40, ...bytes.subarray(1)]));
}

/** SubjectPublicKeyInfo (RFC 5280, 4.1.2.7). */
const publicInfo = ({ key }: PrivateKey): Buffer =>
  createPublicKey(key.reveal()).export({ format: 'der', type: 'spki' });

const signed = (content: Buffer, { key, publicJwk }: PrivateKey): Buffer =>
  sequence(content, ROWS[publicJwk.kty].algorithm, bits(sign('sha256', content, key.reveal())));
