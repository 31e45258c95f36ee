/**
 * Seals what the journal keeps, with AES-256-GCM (NIST SP 800-38D), and opens it again. Each text is bound to its entry
 * and kind, so that nothing sealed for one opens in another, and the texts are spread over thousands of derived keys, so
 * that none is used often enough for random initialisation vectors to repeat.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { withoutSad } from '../catalogue/apis.ts';
import type { Sealed } from '../domain/entry.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';
import { Secret } from '../domain/secret.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import type { StoredMessage, Vault } from './journal.ts';
import { OLD_SEAL_VERSION, partsOf, SEAL_VERSION, sealedOf } from './sealed.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** 64 bits: enough that no operator ever has two keys of one name. */
const NAME_BYTES = 8;

type Kind = 'message' | 'answer';

/** Why a text was not opened. A wrong entry, a wrong kind and a changed byte look the same to the cipher. */
export type VaultFault = 'malformed' | 'unknownKey' | 'notGenuine';

const FAULTS: Readonly<Record<VaultFault, string>> = {
  malformed: 'is not a sealed text of a known version',
  unknownKey: 'was sealed with a key that is not in the seal key file',
  notGenuine: 'was changed, or belongs to another entry or kind',
};

/** A sealed text that cannot be opened. Names the entry and the key, never content. */
export class VaultError extends Error {
  readonly fault: VaultFault;

  constructor(fault: VaultFault, kind: Kind, key: EntryKey, keyName: string) {
    super(`the sealed ${kind} of entry ${keyText(key)} ${FAULTS[fault]} (key ${keyName})`);
    this.name = 'VaultError';
    this.fault = fault;
  }
}

type Named = { readonly name: string; readonly derivation: Derivation };

/**
 * A vault of these keys, 32 bytes each: the first seals, all open.
 *
 * @throws Error where there is no key, one of another length, or the same one twice.
 */
export function createVault(keys: readonly Secret<Uint8Array>[], random: Random = systemRandom): Vault {
  const named = keys.map(nameKey);
  const [first] = named;
  if (!first) throw new Error('the vault needs at least one seal key');
  const byName = new Map(named.map(({ name, derivation }) => [name, derivation]));
  if (byName.size < named.length) throw new Error('the same seal key is given twice');

  const iv = Buffer.alloc(IV_BYTES);
  const seal = (kind: Kind, key: EntryKey, content: unknown): Sealed => {
    iv.write(random.id(), 'base64url');
    const name = keyText(key);
    const cipher = createCipheriv('aes-256-gcm', first.derivation.subkey(name), iv);
    cipher.setAAD(boundTo(kind, name));
    const text = cipher.update(JSON.stringify(content), 'utf8');
    // In this mode nothing comes after the text but the tag.
    cipher.final();
    return sealedOf(first.name, base64urlOf(iv, text, cipher.getAuthTag()));
  };

  const open = (kind: Kind, key: EntryKey, sealed: Sealed): unknown => {
    const parts = partsOf(sealed);
    if (!parts) throw new VaultError('malformed', kind, key, 'unknown');
    const derivation = byName.get(parts.keyName);
    if (!derivation) throw new VaultError('unknownKey', kind, key, parts.keyName);
    const name = keyText(key);
    const plain =
      parts.version === SEAL_VERSION
        ? decrypt(derivation.subkey(name), boundTo(kind, name), parts.body)
        : decrypt(derivation.oldSubkey(kind, name), Buffer.from(`${OLD_SEAL_VERSION}|${kind}`), parts.body);
    if (plain === undefined) throw new VaultError('notGenuine', kind, key, parts.keyName);
    return JSON.parse(plain);
  };

  return {
    sealMessage: (key, { api, header, fields }) =>
      seal('message', key, { api, header, fields: withoutSad(fields.reveal()) } satisfies StoredMessage),
    // The tag has proved that we wrote the text, so that it is of the form that we write.
    openMessage: (key, sealed) => open('message', key, sealed) as StoredMessage,
    sealAnswer: (key, { code, desc, fields }) =>
      seal('answer', key, { code, desc, fields: withoutSad(fields.reveal()) } satisfies StoredAnswerText),
    openAnswer: (key, sealed) => {
      const { code, desc, fields } = open('answer', key, sealed) as StoredAnswerText;
      return { code, desc, fields: new Secret(fields) };
    },
    keyOf: sealed => partsOf(sealed)?.keyName ?? 'unknown',
    keyNames: () => new Set(byName.keys()),
  };
}

type StoredAnswerText = Pick<ReturnType<Vault['openAnswer']>, 'code' | 'desc'> & Pick<StoredMessage, 'fields'>;

/** The key with its name: a keyed hash of a constant, which tells nothing of a key of 256 bits and is safe to show. */
function nameKey(key: Secret<Uint8Array>): Named {
  const bytes = key.reveal();
  if (bytes.length !== KEY_BYTES) throw new Error(`a seal key has ${bytes.length} bytes instead of ${KEY_BYTES}`);
  const name = createHmac('sha256', bytes).update('name of a seal key').digest().subarray(0, NAME_BYTES);
  return { name: name.toString('base64url'), derivation: new Derivation(bytes) };
}

/**
 * Keys that are derived from one master key. With random initialisation vectors a key may seal 2^32 texts (NIST SP
 * 800-38D, 8.3), so that a master key may seal 2^44, which at 10,000 a second takes fifty years. A client that chose its ids for
 * that could have all of its texts sealed with one of them, and would need as many calls for it to matter.
 */
const SUBKEYS = 4096;

/** Derives the keys by HKDF-SHA-256 (RFC 5869), each when it is first needed. */
class Derivation {
  readonly #master: Uint8Array;
  readonly #subkeys: (KeyObject | undefined)[] = new Array(SUBKEYS);

  constructor(master: Uint8Array) {
    this.#master = master;
  }

  /** The key for the texts of an entry, named by `keyText`. */
  subkey(name: string): KeyObject {
    const number = spread(name) % SUBKEYS;
    const known = this.#subkeys[number];
    if (known) return known;
    const key = this.#derive(`${SEAL_VERSION}|${number}`);
    this.#subkeys[number] = key;
    return key;
  }

  /** In the old version each text had a key of its own, which bound it to its entry. */
  oldSubkey(kind: Kind, name: string): KeyObject {
    return this.#derive(`${OLD_SEAL_VERSION}|${kind}|${name}`);
  }

  #derive(info: string): KeyObject {
    return createSecretKey(new Uint8Array(hkdfSync('sha256', this.#master, '', info, KEY_BYTES)));
  }
}

/** FNV-1a of 32 bits over UTF-16 units: fast and even. It protects nothing; the entry is bound to the text itself. */
function spread(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** What is sealed with a text, without being stored. The kind cannot contain the separator. */
const boundTo = (kind: Kind, name: string): Buffer => Buffer.from(`${SEAL_VERSION}|${kind}|${name}`);

/** Room for a sealed text of nearly every message; a longer one gets its own. */
const room = Buffer.alloc(16 * 1024);

/** The parts behind each other in base64url, put together in a place of ours rather than in a new one each time. */
function base64urlOf(...parts: readonly Uint8Array[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = length <= room.length ? room : Buffer.alloc(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.toString('base64url', 0, at);
}

function decrypt(key: KeyObject, bound: Buffer, body: string): string | undefined {
  const bytes = Buffer.from(body, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  const end = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(bytes.subarray(end));
  try {
    return decipher.update(bytes.subarray(IV_BYTES, end), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
