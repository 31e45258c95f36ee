/**
 * Makes new keys, as the text of the files that keep them: EC P-256 for signatures, RSA for what is encrypted to us, and
 * the key that seals the journal. A private key is a JWK (RFC 7517) whose `kid` is its RFC 7638 thumbprint.
 */
import { Secret } from '../domain/secret.ts';
import { isKeyFault, type PublicJwk, publicEc, publicRsa } from '../edge/jwk.ts';
import type { Random } from '../runtime/random.ts';

/** The sizes that `npm run keys` offers: below is refused everywhere, above only costs time. */
export const RSA_BITS = [2048, 3072, 4096] as const;
export type RsaBits = (typeof RSA_BITS)[number];

const RSA_EXPONENT = new Uint8Array([1, 0, 1]);

/** A private EC P-256 key that signs with ES256. */
export async function makeEcKey(): Promise<Secret<string>> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { crv, x, y, d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return fileOf(await publicEc({ crv, x, y }), { d });
}

/** A private RSA key that opens RSA-OAEP-256. */
export async function makeRsaKey(bits: RsaBits): Promise<Secret<string>> {
  const algorithm = { name: 'RSA-OAEP', modulusLength: bits, publicExponent: RSA_EXPONENT, hash: 'SHA-256' };
  const pair = await crypto.subtle.generateKey(algorithm, true, ['encrypt', 'decrypt']);
  const { n, e, d, p, q, dp, dq, qi } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return fileOf(await publicRsa({ n, e }), { d, p, q, dp, dq, qi });
}

/** A key that seals the journal: 32 bytes in base64. */
export const makeSealKey = (random: Random): Secret<string> => {
  // Two ids of 128 bits each.
  const bytes = [random.id(), random.id()].map(id => Buffer.from(id, 'base64url'));
  return new Secret(Buffer.concat(bytes).toString('base64'));
};

/** The kid first, for the person who opens the file; then what it is for; then the numbers. */
function fileOf(made: PublicJwk | { readonly what: string; readonly mend: string }, hidden: object): Secret<string> {
  if (isKeyFault(made)) throw new TypeError(`a key just made ${made.what}`);
  const { kid, use, alg, ...numbers } = made;
  return new Secret(JSON.stringify({ kid, use, alg, ...numbers, ...hidden }, null, 2));
}
