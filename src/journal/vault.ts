/**
 * Seals what the journal keeps, with AES-256-GCM (NIST SP 800-38D), and opens it again. Each text has a key of its own,
 * derived from the master key, the entry and the kind of text: nothing sealed for one entry opens in another, and no
 * derived key is ever used often enough for random initialisation vectors to repeat.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { withoutSad } from '../catalogue/apis.ts';
import type { Sealed } from '../domain/entry.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';
import { Secret } from '../domain/secret.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import type { StoredMessage, Vault } from './journal.ts';
import { partsOf, SEAL_VERSION, sealedOf } from './sealed.ts';

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

type Named = { readonly name: string; readonly master: KeyObject };

/**
 * A vault of these keys, 32 bytes each: the first seals, all open.
 *
 * @throws Error where there is no key, one of another length, or the same one twice.
 */
export function createVault(keys: readonly Secret<Uint8Array>[], random: Random = systemRandom): Vault {
  const named = keys.map(nameKey);
  const [first] = named;
  if (!first) throw new Error('the vault needs at least one seal key');
  const byName = new Map(named.map(({ name, master }) => [name, master]));
  if (byName.size < named.length) throw new Error('the same seal key is given twice');

  const seal = (kind: Kind, key: EntryKey, content: unknown): Sealed => {
    const iv = Buffer.from(random.id(), 'base64url').subarray(0, IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', subkeyOf(first.master, kind, key), iv);
    cipher.setAAD(boundTo(kind));
    const text = cipher.update(JSON.stringify(content), 'utf8');
    const body = Buffer.concat([iv, text, cipher.final(), cipher.getAuthTag()]);
    return sealedOf(first.name, body.toString('base64url'));
  };

  const open = (kind: Kind, key: EntryKey, sealed: Sealed): unknown => {
    const parts = partsOf(sealed);
    if (!parts) throw new VaultError('malformed', kind, key, 'unknown');
    const master = byName.get(parts.keyName);
    if (!master) throw new VaultError('unknownKey', kind, key, parts.keyName);
    const plain = decrypt(subkeyOf(master, kind, key), boundTo(kind), parts.body);
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
  return { name: name.toString('base64url'), master: createSecretKey(bytes) };
}

/** HKDF-SHA-256 (RFC 5869); the kind cannot contain the separator. */
const subkeyOf = (master: KeyObject, kind: Kind, key: EntryKey): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', master, '', `${SEAL_VERSION}|${kind}|${keyText(key)}`, KEY_BYTES));

const boundTo = (kind: Kind): Buffer => Buffer.from(`${SEAL_VERSION}|${kind}`);

function decrypt(key: Uint8Array, bound: Buffer, body: string): string | undefined {
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
