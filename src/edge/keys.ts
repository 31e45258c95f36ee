/**
 * Keys, imported once and proved to work: our own pairs for tokens (ES256) and payloads (RSA-OAEP-256), and the public
 * keys that a client registered. A file with any fault gives no key at all, and the fault names what is wrong with it.
 */
import type { CryptoKey, JWK } from 'jose';
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { CompactEncrypt } from 'jose/jwe/compact/encrypt';
import { importJWK } from 'jose/key/import';
import type { JsonObject } from '../catalogue/shape.ts';
import { Secret } from '../domain/secret.ts';
import { fromBase64url } from './base64url.ts';
import {
  checkPublic,
  checkPurpose,
  fault,
  isCoordinate,
  isKeyFault,
  type KeyFault,
  PRIVATE_RSA_MEMBERS,
  type PublicEcJwk,
  type PublicRsaJwk,
  publicEc,
  publicRsa,
  readKeyText,
  thumbprintOf,
} from './jwk.ts';

export type { CryptoKey } from 'jose';
export { isKeyFault, type KeyFault } from './jwk.ts';

/** Our own EC P-256 pair: signs tokens, or assertions to an issuer's authorization server. */
export type SigningKey = {
  readonly kid: string;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
  readonly key: Secret<CryptoKey>;
  readonly publicKey: CryptoKey;
  readonly publicJwk: PublicEcJwk;
};

/** Our own RSA pair: opens payloads. */
export type OpeningKey = {
  readonly kid: string;
  readonly thumbprint: string;
  /** The same key several times, to be used in turn: Node locks a key object while it works with it. */
  readonly keys: readonly [Secret<CryptoKey>, ...Secret<CryptoKey>[]];
  readonly publicJwk: PublicRsaJwk;
};

export type VerificationKey = {
  readonly key: CryptoKey;
  /** When its certificate ends, in milliseconds since 1970; undefined for a key without one. */
  readonly expiresAtMs: number | undefined;
};

export type SealingKey = VerificationKey & { readonly kid: string };

/** What one client, or one issuer, registered. */
export type ClientKeySet = {
  /** EC P-256 keys by `kid`: they verify assertions. Never empty for a party that signs. */
  readonly verification: ReadonlyMap<string, VerificationKey>;
  /** The first RSA key: what we seal for this party with. */
  readonly encryption: SealingKey | undefined;
  /** When the certificate of each key ends, in milliseconds since 1970, in the order of the file; undefined without one. */
  readonly endsAtMs: readonly (number | undefined)[];
  /** RFC 7638 thumbprints of all its keys, in the order of the file. */
  readonly thumbprints: readonly string[];
  /** The `kid`s of all its keys, in the same order. */
  readonly kids: readonly string[];
};

export type KeySetOptions = {
  /** Whether an RSA key must be among them, because payloads are encrypted. */
  readonly needsEncryption: boolean;
  /** Whether an EC key must be among them, because the party signs assertions; true unless it says otherwise. */
  readonly needsVerification?: boolean;
};

/** Threads of libuv's pool unless the process is told otherwise. More copies than threads never work at a time. */
const KEY_COPIES = 4;
/** Two of each kind while both are being replaced, and as much again. */
export const CLIENT_KEYS_MAX = 8;

/** Reads a private EC P-256 JWK. The import proves that its halves belong together. */
export const parseSigningKey = async (text: string): Promise<SigningKey | KeyFault> => {
  const jwk = readKeyText(text);
  if (isKeyFault(jwk)) return jwk;
  const wrong = checkPurpose(jwk, 'sign');
  if (wrong) return wrong;
  const publicJwk = await publicEc(jwk);
  if (isKeyFault(publicJwk)) return publicJwk;
  if (jwk.d === undefined) return fault('is a public key', 'give the private half: it has the member d');
  if (!isCoordinate(jwk.d)) return fault('has no valid private number', 'write d as 32 bytes of base64url');
  const { crv, x, y, kid } = publicJwk;
  const publicKey = await importEc({ kty: 'EC', crv, x, y });
  const key = await importEc({ kty: 'EC', crv, x, y, d: jwk.d });
  if (!publicKey) return offCurve();
  if (!key) return halves();
  return { kid, thumbprint: await thumbprintOf(publicJwk), key: new Secret(key), publicKey, publicJwk };
};

/** Reads a private RSA JWK. `copies`: how many threads the process works with keys on, 1 or more. */
export const parseOpeningKey = async (text: string, copies: number = KEY_COPIES): Promise<OpeningKey | KeyFault> => {
  const jwk = readKeyText(text);
  if (isKeyFault(jwk)) return jwk;
  const wrong = checkPurpose(jwk, 'open');
  if (wrong) return wrong;
  const publicJwk = await publicRsa(jwk);
  if (isKeyFault(publicJwk)) return publicJwk;
  const numbers = privateRsaNumbers(jwk);
  if (isKeyFault(numbers)) return numbers;
  const { n, e, kid } = publicJwk;
  const publicKey = await importRsa({ kty: 'RSA', n, e });
  const first = await importRsa({ kty: 'RSA', n, e, ...numbers });
  if (!publicKey || !first || !(await opens(first, publicKey))) return halves();
  const more = Array.from({ length: copies - 1 }, () => importRsa({ kty: 'RSA', n, e, ...numbers }));
  const others = (await Promise.all(more)).filter(key => key !== undefined).map(key => new Secret(key));
  return { kid, thumbprint: await thumbprintOf(publicJwk), keys: [new Secret(first), ...others], publicJwk };
};

/**
 * Reads a JWK Set (RFC 7517, 5) with the public keys of a client: EC P-256 to verify its assertions, RSA to seal our
 * answers, no others. Private and symmetric keys, and one key or `kid` twice, are faults.
 */
export const parseClientJwks = async (text: string, options: KeySetOptions): Promise<ClientKeySet | KeyFault> => {
  const set = readKeyText(text);
  if (isKeyFault(set)) return set;
  const keys: unknown = set.keys;
  if (!Array.isArray(keys)) return fault('is not a JWK Set', 'write {"keys": [...]} (RFC 7517, section 5)');
  if (keys.length > CLIENT_KEYS_MAX) {
    return fault(`has more than ${CLIENT_KEYS_MAX} keys`, 'remove those that are not used any more');
  }
  const read: PublicKey[] = [];
  const items: readonly unknown[] = keys;
  for (const [index, item] of items.entries()) {
    const key = isObject(item) ? await readPublicKey(item) : fault('is not an object', 'write one JWK for each key');
    if (isKeyFault(key)) return fault(`keys[${index}] ${key.what}`, key.mend);
    read.push({ ...key, expiresAtMs: undefined });
  }
  return keySetOf(read, index => `keys[${index}]`, options);
};

/** One public key of a client, imported. */
export type PublicKey = {
  readonly jwk: PublicEcJwk | PublicRsaJwk;
  readonly key: CryptoKey;
  readonly thumbprint: string;
  readonly expiresAtMs: number | undefined;
};

/** Proves and imports one public key. */
export const readPublicKey = async (jwk: JsonObject): Promise<Omit<PublicKey, 'expiresAtMs'> | KeyFault> => {
  const notPublic = checkPublic(jwk);
  if (notPublic) return notPublic;
  if (jwk.kty === 'EC') return readPublicEc(jwk);
  if (jwk.kty === 'RSA') return readPublicRsa(jwk);
  return fault('is neither an EC nor an RSA key', 'give EC P-256 keys for signatures and RSA keys for encryption');
};

const readPublicEc = async (source: JsonObject): Promise<Omit<PublicKey, 'expiresAtMs'> | KeyFault> => {
  const wrong = checkPurpose(source, 'verify');
  if (wrong) return wrong;
  const jwk = await publicEc(source);
  if (isKeyFault(jwk)) return jwk;
  const key = await importEc({ kty: 'EC', crv: jwk.crv, x: jwk.x, y: jwk.y });
  return key ? { jwk, key, thumbprint: await thumbprintOf(jwk) } : offCurve();
};

const readPublicRsa = async (source: JsonObject): Promise<Omit<PublicKey, 'expiresAtMs'> | KeyFault> => {
  const wrong = checkPurpose(source, 'seal');
  if (wrong) return wrong;
  const jwk = await publicRsa(source);
  if (isKeyFault(jwk)) return jwk;
  const key = await importRsa({ kty: 'RSA', n: jwk.n, e: jwk.e });
  if (!key) return fault('is not an RSA key that can be used', 'make a new RSA key');
  return { jwk, key, thumbprint: await thumbprintOf(jwk) };
};

/** Whether the certificate of a key has ended at that moment, in milliseconds since 1970. One without never does. */
export const hasEnded = ({ expiresAtMs }: Pick<VerificationKey, 'expiresAtMs'>, wallMs: number): boolean =>
  expiresAtMs !== undefined && expiresAtMs <= wallMs;

/** Whether the party can still prove who it is, and be answered: else it is as good as unknown. */
export const isInUse = ({ verification, encryption }: ClientKeySet, wallMs: number): boolean =>
  verification.values().some(key => !hasEnded(key, wallMs)) && !(encryption && hasEnded(encryption, wallMs));

/**
 * A set of these keys. `nameOf` says where a key stands, for faults. `wallMs`: now; what has ended by then is kept, so that
 * its use can be told from that of an unknown key, but not sealed with while there is another.
 */
export const keySetOf = (
  keys: readonly PublicKey[],
  nameOf: (index: number) => string,
  { needsEncryption, needsVerification = true }: KeySetOptions,
  wallMs = 0,
): ClientKeySet | KeyFault => {
  const kids = keys.map(({ jwk }) => jwk.kid);
  const thumbprints = keys.map(({ thumbprint }) => thumbprint);
  for (const [index, { jwk, thumbprint }] of keys.entries()) {
    const before = thumbprints.indexOf(thumbprint);
    if (before < index) return fault(`${nameOf(index)} is the same key as ${nameOf(before)}`, 'remove one of the two');
    const named = kids.indexOf(jwk.kid);
    if (named < index) return fault(`${nameOf(index)} has the kid of ${nameOf(named)}`, 'give each key its own kid');
  }
  const ec = keys.filter(({ jwk }) => jwk.kty === 'EC');
  const sealing = keys.filter(({ jwk }) => jwk.kty === 'RSA');
  const rsa = sealing.find(key => !hasEnded(key, wallMs)) ?? sealing[0];
  if (needsVerification && ec.length === 0)
    return fault('has no EC P-256 key, so that no assertion could be verified', 'add one');
  if (needsEncryption && !rsa) return fault('has no RSA key, so that no answer could be encrypted', 'add one');
  return {
    verification: new Map(ec.map(({ jwk, key, expiresAtMs }) => [jwk.kid, { key, expiresAtMs }])),
    encryption: rsa && { kid: rsa.jwk.kid, key: rsa.key, expiresAtMs: rsa.expiresAtMs },
    endsAtMs: keys.map(({ expiresAtMs }) => expiresAtMs),
    thumbprints,
    kids,
  };
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const halves = (): KeyFault => fault('is not one pair: its halves do not belong together', 'make a new key');
const offCurve = (): KeyFault => fault('is not a point of the curve P-256', 'make a new key');

const privateRsaNumbers = (jwk: JsonObject): Record<(typeof PRIVATE_RSA_MEMBERS)[number], string> | KeyFault => {
  if (jwk.d === undefined) return fault('is a public key', 'give the private half: it has the member d');
  if (jwk.oth !== undefined) return fault('is an RSA key of more than two primes', 'make an ordinary RSA key');
  const numbers = { d: '', p: '', q: '', dp: '', dq: '', qi: '' };
  for (const name of PRIVATE_RSA_MEMBERS) {
    const value = jwk[name];
    if (typeof value !== 'string' || !fromBase64url(value)?.length) {
      return fault('has no valid private numbers', `write ${PRIVATE_RSA_MEMBERS.join(', ')} in base64url`);
    }
    numbers[name] = value;
  }
  return numbers;
};

/** Undefined where the library refuses the numbers: they are no key. Private keys cannot be exported again. */
const importEc = (jwk: JWK): Promise<CryptoKey | undefined> => importKey(jwk, 'ES256');
const importRsa = (jwk: JWK): Promise<CryptoKey | undefined> => importKey(jwk, 'RSA-OAEP-256');

const importKey = async (jwk: JWK, alg: 'ES256' | 'RSA-OAEP-256'): Promise<CryptoKey | undefined> => {
  try {
    const key = await importJWK(jwk, alg, { extractable: jwk.d === undefined });
    return key instanceof Uint8Array ? undefined : key;
  } catch {
    return undefined;
  }
};

const TRIAL = new TextEncoder().encode('a trial of a key');

/** The import does not look at all of the numbers that a private operation uses: one trial does. */
const opens = async (key: CryptoKey, publicKey: CryptoKey): Promise<boolean> => {
  try {
    const header = { alg: 'RSA-OAEP-256', enc: 'A128GCM' } as const;
    const jwe = await new CompactEncrypt(TRIAL).setProtectedHeader(header).encrypt(publicKey);
    await compactDecrypt(jwe, key, {
      keyManagementAlgorithms: [header.alg],
      contentEncryptionAlgorithms: [header.enc],
      maxDecompressedLength: 0,
    });
    return true;
  } catch {
    return false;
  }
};

/** Somebody with keys: a client, or the gateway itself. */
export type KeyOwner = Pick<ClientKeySet, 'thumbprints' | 'kids'>;

/** Two owners who have the same key, or keys of the same name: positions in the list that was searched. */
export type KeyCollision = { readonly kind: 'key' | 'kid'; readonly first: number; readonly second: number };

/**
 * Keys and `kid`s that more than one owner has. The same key would let one of them speak as the other; the same `kid`
 * would make every log line about it ambiguous.
 */
export const keyCollisions = (owners: readonly KeyOwner[]): readonly KeyCollision[] => [
  ...shared(owners, 'key', owner => owner.thumbprints),
  ...shared(owners, 'kid', owner => owner.kids),
];

const shared = (
  owners: readonly KeyOwner[],
  kind: KeyCollision['kind'],
  namesOf: (owner: KeyOwner) => readonly string[],
): KeyCollision[] => {
  const seen = new Map<string, number>();
  return owners.flatMap((owner, second) =>
    namesOf(owner).flatMap(name => {
      const first = seen.get(name) ?? second;
      seen.set(name, first);
      return first === second ? [] : [{ kind, first, second }];
    }),
  );
};
