/**
 * Encrypted payloads: compact JWE (RFC 7516, 7.1) with RSA-OAEP-256 and A128GCM, and nothing else. Everything that can be
 * wrong with one is a single refusal, so that nobody learns from us which part of a guess was right (RFC 7516, 11.5).
 */
import type { JsonObject } from '../catalogue/shape.ts';
import { BODY_BYTES_MAX } from '../config/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Secret } from '../domain/secret.ts';
import { fromBase64url } from './base64url.ts';
import { JWE_ALG, JWE_ENC, type JweEngine, type Recipient, type SealedParts } from './jweEngine.ts';
import type { CryptoKey, OpeningKey } from './keys.ts';
import { readStrictJson } from './strictJson.ts';

export interface PayloadCipher {
  /**
   * The plain bytes of a compact JWE that was sealed for one of our keys, chosen by its `kid`. `party` is
   * the id of the client that sent it, authenticated before this is called: each has its own share of the private-key
   * operations. Without it nothing is counted: that is for replies, which the issuer's own bulkhead bounds. `onKey` hears
   * the `kid` where it is one of ours, whether the envelope can be opened or not; what else a sender writes there it does not.
   *
   * @throws Refusal `envelope` (400), the same for whatever is wrong; its `detail` is an `EnvelopeFault`.
   * @throws Refusal `overloaded` (503) where the party has too many being opened already.
   */
  open(
    jwe: Uint8Array,
    keys: readonly OpeningKey[],
    party?: string,
    onKey?: (kid: string) => void,
  ): Promise<Uint8Array>;
  /** The bytes sealed for the holder of the key, as compact JWE. */
  seal(plain: Uint8Array, to: Recipient): Promise<string>;
}

/** Why an envelope was refused. For the log; callers see no difference. */
export type EnvelopeFault = 'size' | 'form' | 'header' | 'algorithm' | 'key' | 'content';

/** What an envelope around so many bytes may have: base64url makes three bytes four, and the rest is below two KiB. */
export const jweBytesMax = (plainBytesMax: number): number => plainBytesMax * 1.5;
/** Of a caller's message: 96 KiB. */
export const JWE_BYTES_MAX = jweBytesMax(BODY_BYTES_MAX);
/**
 * Envelopes of one party that are being opened at a time. At RSA-2048 this is 30 ms of work for one core, so that a flood
 * of one party delays the others by less than that.
 */
const OPENING_PER_PARTY = 128;

/** AES-GCM: an initialisation vector of 96 bits and a tag of 128 (RFC 7518, 5.3). */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Members of a protected header that ask for something we do not do, or bring a key of the sender's choice (RFC 7516, 4.1;
 * RFC 7518, 4.6 to 4.8). An envelope that has one is refused before any work.
 */
const REFUSED_MEMBERS = [
  'zip',
  'crit',
  'jwk',
  'jku',
  'x5c',
  'x5u',
  'epk',
  'apu',
  'apv',
  'p2s',
  'p2c',
  'iv',
  'tag',
  'b64',
] as const;
/** What may be inside (RFC 7515, 4.1.10): JSON, never another JWE or JWS. */
const CONTENT_TYPES: ReadonlySet<unknown> = new Set([undefined, 'json', 'application/json']);

const refusal = (fault: EnvelopeFault): Refusal =>
  new Refusal('envelope', [{ field: 'body', reason: 'cannot be opened' }], {}, fault);

/** A cipher over this engine. `openingPerParty`: see above; `plainBytesMax`: what may come out of an envelope. */
export const createPayloadCipher = (
  engine: JweEngine,
  openingPerParty: number = OPENING_PER_PARTY,
  plainBytesMax: number = BODY_BYTES_MAX,
): PayloadCipher => {
  const inUse = new Map<string, number>();
  let turn = 0;

  const enter = (party: string | undefined): void => {
    if (party === undefined) return;
    const count = inUse.get(party) ?? 0;
    if (count >= openingPerParty) throw new Refusal('overloaded', [], {}, 'opening');
    inUse.set(party, count + 1);
  };

  const leave = (party: string | undefined): void => {
    if (party === undefined) return;
    const count = (inUse.get(party) ?? 0) - 1;
    if (count > 0) inUse.set(party, count);
    else inUse.delete(party);
  };

  const nextCopy = ({ keys }: OpeningKey): Secret<CryptoKey> => {
    turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
    return keys[turn % keys.length] ?? keys[0];
  };

  return {
    open: async (jwe, keys, party, onKey) => {
      const { parts, kid } = readEnvelope(jwe, plainBytesMax);
      const own = keys.find(key => key.kid === kid);
      if (own) onKey?.(own.kid);
      // A key that is not ours costs the same: the attempt is made with the first one, and fails.
      const key = own ?? keys[0];
      if (!key) throw refusal('key');
      enter(party);
      try {
        const plain = await engine.open(parts, nextCopy(key).reveal());
        if (!own) throw refusal('key');
        if (!plain) throw refusal('content');
        return plain;
      } finally {
        leave(party);
      }
    },
    seal: (plain, to) => engine.seal(plain, to),
  };
};

type Envelope = { readonly parts: SealedParts; readonly kid: string };

/** Proves everything about an envelope that can be seen without a key. */
const readEnvelope = (jwe: Uint8Array, plainBytesMax: number): Envelope => {
  if (jwe.byteLength > jweBytesMax(plainBytesMax)) throw refusal('size');
  // Latin-1 maps byte to character, so that no byte outside the alphabet gets lost before the alphabet is checked.
  const text = Buffer.from(jwe.buffer, jwe.byteOffset, jwe.byteLength).toString('latin1');
  const written = text.split('.');
  if (written.length !== 5) throw refusal('form');
  const [header, encryptedKey, iv, ciphertext, tag] = written.map(fromBase64url);
  if (!header || !encryptedKey?.length || !ciphertext?.length) throw refusal('form');
  if (iv?.length !== IV_BYTES || tag?.length !== TAG_BYTES) throw refusal('form');
  // In GCM the plain text is as long as the ciphertext, so that this bounds what comes out before any work is done.
  if (ciphertext.length > plainBytesMax) throw refusal('size');
  const reading = readStrictJson(header);
  if (reading.kind !== 'object') throw refusal('header');
  const kid = checkHeader(reading.value);
  return { kid, parts: { text, header: written[0] ?? '', encryptedKey, iv, ciphertext, tag } };
};

/** The `kid` of a header that has everything we need and nothing that we refuse. */
const checkHeader = (header: JsonObject): string => {
  if (header.alg !== JWE_ALG || header.enc !== JWE_ENC) throw refusal('algorithm');
  if (REFUSED_MEMBERS.some(name => Object.hasOwn(header, name))) throw refusal('header');
  if (!CONTENT_TYPES.has(header.cty)) throw refusal('header');
  if (typeof header.kid !== 'string') throw refusal('key');
  return header.kid;
};
