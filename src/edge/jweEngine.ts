/**
 * The two operations of encrypted payloads that cost time, as a port: to open what `jwe.ts` has proved in form and header,
 * and to seal. `nodeEngine.ts` serves; `joseEngine.ts` is the reference that it is held to, answer by answer, in the tests.
 */
import type { CryptoKey, SealingKey } from './keys.ts';

export const JWE_ALG = 'RSA-OAEP-256';
export const JWE_ENC = 'A128GCM';

/** A compact JWE (RFC 7516, 7.1) whose five parts are canonical base64url, with an IV of 12 bytes and a tag of 16. */
export type SealedParts = {
  /** All of it. */
  readonly text: string;
  /** The protected header as it stands in the text, which the tag covers (RFC 7516, 5.2, step 15). */
  readonly header: string;
  /** Of any length. */
  readonly encryptedKey: Uint8Array<ArrayBuffer>;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
};

/** Whom to seal for. */
export type Recipient = Pick<SealingKey, 'kid' | 'key'>;

export interface JweEngine {
  /**
   * The plain bytes, or undefined, whatever is wrong: a key that cannot be unwrapped is replaced by one of chance, so that
   * it fails where a wrong tag fails, after the same work (RFC 7516, 11.5). Uses the key once. Never rejects.
   */
  open(parts: SealedParts, key: CryptoKey): Promise<Uint8Array | undefined>;
  /** The bytes as compact JWE with a content key and an IV of their own. Rejects where the key cannot be used. */
  seal(plain: Uint8Array, to: Recipient): Promise<string>;
}

/** The protected header of what we seal. */
export const headerFor = ({ kid }: Recipient) => ({ alg: JWE_ALG, enc: JWE_ENC, kid }) as const;
