/**
 * The outer form of a sealed text: version, name of the key, ciphertext. Journals read the key's name from it without
 * being able to open it; only the vault knows what is inside.
 */
import type { Sealed } from '../domain/entry.ts';

/** The first part of every text that is sealed now: says how the rest is made. */
export const SEAL_VERSION = 'v2';
/** That of texts from before, which a journal keeps for as long as any. They are opened; none is made any more. */
export const OLD_SEAL_VERSION = 'v1';

/** The sealed text of its parts; `body` is initialisation vector, ciphertext and tag in base64url. */
export const sealedOf = (keyName: string, body: string): Sealed => `${SEAL_VERSION}.${keyName}.${body}` as Sealed;

/** The parts of a sealed text; undefined where it is not of this form. */
export function partsOf(sealed: Sealed): SealedParts | undefined {
  const [version, keyName, body, ...rest] = sealed.split('.');
  if (version !== SEAL_VERSION && version !== OLD_SEAL_VERSION) return undefined;
  return keyName && body && rest.length === 0 ? { version, keyName, body } : undefined;
}

export type SealedParts = {
  readonly version: typeof SEAL_VERSION | typeof OLD_SEAL_VERSION;
  readonly keyName: string;
  readonly body: string;
};

/** The name of the key that sealed the text; undefined where the text is not of our form. */
export const keyNameOf = (sealed: Sealed): string | undefined => partsOf(sealed)?.keyName;
