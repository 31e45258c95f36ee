/**
 * Encrypted payloads by hand, so that their parts can be what no library would write, and the keys to open them with.
 */
import { createCipheriv, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import { joseEngine } from '../../src/edge/joseEngine.ts';
import { createNodeEngine } from '../../src/edge/nodeEngine.ts';
import { systemSecretBytes } from '../../src/runtime/random.ts';
import { b64, openingKeyOf, rsaPair } from './oauthKit.ts';

/** What opens and seals; the gateway has the first. */
export const ENGINES = [
  { name: 'node', engine: createNodeEngine(systemSecretBytes) },
  { name: 'jose', engine: joseEngine },
] as const;

export const PAIR = rsaPair();
export const OLD_PAIR = rsaPair();
export const KEY = await openingKeyOf(PAIR, { kid: 'p-2' });
export const OLD_KEY = await openingKeyOf(OLD_PAIR, { kid: 'p-1' });
export const KEYS = [KEY, OLD_KEY];
export const HEADER = { alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: 'p-2' };
export const PLAIN = '{"participantId":"100000"}';

type Parts = {
  readonly header?: unknown;
  readonly plain?: string | Uint8Array;
  readonly to?: KeyObject;
  readonly cekBytes?: number;
  readonly oaepHash?: string;
  readonly padding?: number;
};

/** A compact JWE. */
export const jweOf = ({
  header = HEADER,
  plain = PLAIN,
  to = PAIR.publicKey,
  cekBytes = 16,
  oaepHash = 'sha256',
  padding,
}: Parts = {}): string => {
  const protectedHeader = b64(header);
  const cek = randomBytes(cekBytes);
  const key = padding === undefined ? { key: to, oaepHash } : { key: to, padding };
  const iv = randomBytes(12);
  const cipher = createCipheriv(`aes-${cekBytes * 8}-gcm` as 'aes-128-gcm', cek, iv);
  cipher.setAAD(Buffer.from(protectedHeader));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return [protectedHeader, publicEncrypt(key, cek), iv, ciphertext, cipher.getAuthTag()]
    .map(part => (typeof part === 'string' ? part : part.toString('base64url')))
    .join('.');
};
