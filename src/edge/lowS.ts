/**
 * The second half of an ECDSA signature in its lower form. Where (r, s) is a signature, (r, n - s) is one too (SEC 1,
 * 4.1.4), so that anybody could respell a token; we write the lower s of the two and accept no other.
 */
import { fromBase64url, toBase64url } from './base64url.ts';

/** The order of the group of P-256 (SEC 2, 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const HALF_BYTES = 32;

const sOf = (signature: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(signature.subarray(HALF_BYTES)).toString('hex') || '0'}`);

/** Whether the signature of 64 bytes is written with the lower s. */
export const hasLowS = (signature: Uint8Array): boolean => sOf(signature) <= ORDER / 2n;

/** The compact JWS with the lower s of its ES256 signature. The header and the payload stay as they are. */
export const withLowS = (jws: string): string => {
  const end = jws.lastIndexOf('.') + 1;
  const signature = fromBase64url(jws.slice(end));
  if (!signature || hasLowS(signature)) return jws;
  const lower = (ORDER - sOf(signature)).toString(16).padStart(HALF_BYTES * 2, '0');
  return jws.slice(0, end) + toBase64url(Buffer.concat([signature.subarray(0, HALF_BYTES), Buffer.from(lower, 'hex')]));
};
