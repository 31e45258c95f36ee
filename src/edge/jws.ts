/**
 * The strict reading of a compact JWS (RFC 7515, 7.1) whose payload is a JSON object: three parts in canonical
 * base64url, header and payload in strict JSON, so that there is never a second way to read what was signed. It proves
 * the form only; whether the signature is right is jose's part.
 */
import type { JsonObject } from '../catalogue/shape.ts';
import { fromBase64url } from './base64url.ts';
import { readStrictJson } from './strictJson.ts';

export type Jws = {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly signature: Uint8Array;
};

/** An ES256 signature is two numbers of 32 bytes (RFC 7518, 3.4), never DER. */
const ES256_BYTES = 64;

/** The parts of the text, or undefined where it is anything but a compact JWS of an object with an ES256 signature. */
export const readJws = (text: string, charsMax: number): Jws | undefined => {
  if (text.length > charsMax) return undefined;
  const parts = text.split('.');
  if (parts.length !== 3) return undefined;
  const [header, claims, signature] = parts.map(fromBase64url);
  if (!header || !claims || signature?.length !== ES256_BYTES) return undefined;
  const readHeader = readStrictJson(header);
  const readClaims = readStrictJson(claims);
  if (readHeader.kind !== 'object' || readClaims.kind !== 'object') return undefined;
  return { header: readHeader.value, claims: readClaims.value, signature };
};

/**
 * Members of a header that change what is signed, or bring a key of the sender's choice (RFC 7515, 4.1; RFC 7797), or
 * say that something else is inside. None of them is ever looked at: a JWS that has one is refused.
 */
const REFUSED_MEMBERS = ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64', 'zip', 'enc', 'cty'] as const;

/** Whether the header has a member that we refuse. */
export const hasRefusedMember = (header: JsonObject): boolean =>
  REFUSED_MEMBERS.some(name => Object.hasOwn(header, name));
