/**
 * Single JSON Web Keys (RFC 7517), proved member by member before any library sees them: EC P-256 for ES256 and RSA for
 * RSA-OAEP-256, and nothing else. What is wrong with a key is said in words that never hold a part of it.
 */
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import type { JsonObject } from '../catalogue/shape.ts';
import { fromBase64url } from './base64url.ts';
import { readStrictJson } from './strictJson.ts';

/** What is wrong with a key, and what to do about it. Holds no part of the key. */
export type KeyFault = { readonly what: string; readonly mend: string };

export const isKeyFault = (value: object): value is KeyFault => 'what' in value && 'mend' in value;

export type PublicEcJwk = {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
};

export type PublicRsaJwk = {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
  readonly kid: string;
  readonly use: 'enc';
  readonly alg: 'RSA-OAEP-256';
};

export type PublicJwk = PublicEcJwk | PublicRsaJwk;

/** What a key is for: its own side of a signature, or of an encryption. */
export type Purpose = 'sign' | 'verify' | 'open' | 'seal';

type PurposeRow = {
  readonly kty: PublicJwk['kty'];
  readonly use: PublicJwk['use'];
  readonly alg: PublicJwk['alg'];
  /** At least one of the first has to be in `key_ops` where that is given, and nothing that is in neither list. */
  readonly needs: readonly string[];
  readonly allows: readonly string[];
};

const PURPOSES: Readonly<Record<Purpose, PurposeRow>> = {
  sign: { kty: 'EC', use: 'sig', alg: 'ES256', needs: ['sign'], allows: ['verify'] },
  verify: { kty: 'EC', use: 'sig', alg: 'ES256', needs: ['verify'], allows: [] },
  open: {
    kty: 'RSA',
    use: 'enc',
    alg: 'RSA-OAEP-256',
    needs: ['decrypt', 'unwrapKey'],
    allows: ['encrypt', 'wrapKey'],
  },
  seal: { kty: 'RSA', use: 'enc', alg: 'RSA-OAEP-256', needs: ['encrypt', 'wrapKey'], allows: [] },
};

/** Members that only a private or a symmetric key has (RFC 7518, 6.2.2, 6.3.2 and 6.4.1). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
export const PRIVATE_RSA_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const;

/** A coordinate and the private number of P-256 have 32 bytes, leading zeros included (RFC 7518, 6.2.1.2). */
const P256_BYTES = 32;
/** What PCI DSS and NIST SP 800-131A still accept. */
export const RSA_BITS_MIN = 2048;
/** A private-key operation at 4 096 bits costs six times that of 2 048; past it one caller could occupy a core. */
export const RSA_BITS_MAX = 4096;
/** 65 537: the only exponent in use, and smaller ones are a danger of their own (FIPS 186-5 refuses them). */
const RSA_EXPONENT = 'AQAB';
/** Printable and short: a `kid` stands in headers and may stand in logs. */
const KID = /^[\x21-\x7e]{1,128}$/;

/** A key file is far below this. */
const KEY_TEXT_CHARS_MAX = 64 * 1024;

export const fault = (what: string, mend: string): KeyFault => ({ what, mend });

/** The text of a key file as an object, or what is wrong with it. */
export const readKeyText = (text: string): JsonObject | KeyFault => {
  if (text.length > KEY_TEXT_CHARS_MAX) return fault('is too long for a key file', 'check that it is the right file');
  const reading = readStrictJson(new TextEncoder().encode(text));
  if (reading.kind === 'object') return reading.value;
  const pem = text.includes('-----BEGIN');
  return fault(
    pem ? 'is PEM, not a JSON Web Key' : `is not a JSON Web Key: it ${reading.error.reason}`,
    pem ? 'write the key as a JWK (RFC 7517)' : 'write one JSON object (RFC 7517)',
  );
};

/** Checks `kty`, `use`, `alg`, `key_ops` and `kid` of a key against what it is to be used for. */
export const checkPurpose = (jwk: JsonObject, purpose: Purpose): KeyFault | undefined => {
  const row = PURPOSES[purpose];
  if (jwk.kty !== row.kty) return fault(`is not an ${row.kty} key`, `give an ${row.kty} key`);
  if (jwk.use !== undefined && jwk.use !== row.use) {
    return fault('has a `use` for something else', `write "use": "${row.use}", or leave it out`);
  }
  if (jwk.alg !== undefined && jwk.alg !== row.alg) {
    return fault('is for another algorithm', `write "alg": "${row.alg}", or leave it out`);
  }
  if (jwk.key_ops !== undefined && !opsFit(jwk.key_ops, row)) {
    return fault('has `key_ops` for something else', `write "key_ops": ["${row.needs[0]}"], or leave them out`);
  }
  if (jwk.kid !== undefined && !isKid(jwk.kid)) {
    return fault(
      'has a `kid` that is not usable',
      'write 1 to 128 printable characters without spaces, or leave it out',
    );
  }
  return undefined;
};

const opsFit = (ops: unknown, { needs, allows }: PurposeRow): boolean => {
  if (!Array.isArray(ops)) return false;
  const list: readonly unknown[] = ops;
  const known = new Set<unknown>([...needs, ...allows]);
  return (
    new Set(list).size === list.length && list.every(op => known.has(op)) && needs.some(need => list.includes(need))
  );
};

const isKid = (kid: unknown): kid is string => typeof kid === 'string' && KID.test(kid);

/** Refuses what holds anything of a private or symmetric key, however little. */
export const checkPublic = (jwk: JsonObject): KeyFault | undefined => {
  if (jwk.kty === 'oct') return fault('is a symmetric key', 'give the public half of an EC or RSA key');
  if (!PRIVATE_MEMBERS.some(name => Object.hasOwn(jwk, name))) return undefined;
  return fault('holds a private key', 'give only the public half, and replace the key: it has been shown');
};

/** The public half of an EC key in its one form, with its `kid`; whether the point is on the curve the import tells. */
export const publicEc = async (jwk: JsonObject): Promise<PublicEcJwk | KeyFault> => {
  const { crv, x, y } = jwk;
  if (crv !== 'P-256') return fault('is not on the curve P-256', 'make an EC key with "crv": "P-256"');
  if (!isCoordinate(x) || !isCoordinate(y)) {
    return fault('has no valid coordinates', 'write x and y as 32 bytes of base64url each');
  }
  const kid = await kidOf(jwk, { kty: 'EC', crv, x, y });
  return { kty: 'EC', crv, x, y, kid, use: 'sig', alg: 'ES256' };
};

/** Whether the value is 32 bytes in base64url, as the private number `d` of P-256 is too. */
export const isCoordinate = (value: unknown): value is string =>
  typeof value === 'string' && fromBase64url(value)?.length === P256_BYTES;

/** The public half of an RSA key in its one form, with its `kid`. */
export const publicRsa = async (jwk: JsonObject): Promise<PublicRsaJwk | KeyFault> => {
  const { n, e } = jwk;
  const modulus = typeof n === 'string' ? fromBase64url(n) : undefined;
  if (typeof n !== 'string' || !modulus || modulus[0] === 0 || ((modulus.at(-1) ?? 0) & 1) === 0) {
    return fault('has no valid modulus', 'write n as an odd number in base64url without leading zeros');
  }
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
    return fault(`is an RSA key of ${bits} bits`, `make one of ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits`);
  }
  if (e !== RSA_EXPONENT) return fault('has another exponent than 65537', 'make an RSA key with the exponent 65537');
  const kid = await kidOf(jwk, { kty: 'RSA', n, e });
  return { kty: 'RSA', n, e, kid, use: 'enc', alg: 'RSA-OAEP-256' };
};

type Required = { kty: 'EC'; crv: string; x: string; y: string } | { kty: 'RSA'; n: string; e: string };

/** The key's own `kid`, else its RFC 7638 thumbprint. */
const kidOf = async (jwk: JsonObject, required: Required): Promise<string> =>
  isKid(jwk.kid) ? jwk.kid : calculateJwkThumbprint(required, 'sha256');

/** RFC 7638 thumbprint with SHA-256, in base64url: what both sides can compare by telephone. */
export const thumbprintOf = (jwk: PublicJwk): Promise<string> => calculateJwkThumbprint(jwk, 'sha256');
