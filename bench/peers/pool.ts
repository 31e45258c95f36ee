/**
 * Encrypted messages, made before they are needed: sealing one takes the loader ten times as long as sending it. Each has a
 * `tranId` of its own inside, so that sending it twice would be a replay; every start of a peer has an empty journal, so
 * that one pool does for all of them.
 */
import { constants, createCipheriv, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { idOf } from './ids.ts';
import type { Credentials, PoolBody } from './types.ts';

const KEY_BYTES = 16;
const IV_BYTES = 12;

export type SealingTo = { readonly kid: string; readonly key: KeyObject };

/**
 * A file with at least so many messages, one a line; an earlier one is used again where it has as many. `message` gives the
 * text with this id.
 */
export async function preparePool(
  { payloadKeyFile }: Credentials,
  dir: string,
  count: number,
  message: (id: string) => string,
): Promise<PoolBody> {
  const earlier = readdirSync(dir).find(name => Number(POOL_FILE.exec(name)?.[1] ?? 0) >= count);
  const file = join(dir, earlier ?? `sealed-${count}.txt`);
  if (earlier === undefined) {
    const to = sealingTo(payloadKeyFile);
    const lines = Array.from({ length: count }, (_, number) => `${seal(message(idOf(number)), to)}\n`);
    writeFileSync(`${file}.part`, lines.join(''));
    renameSync(`${file}.part`, file);
  }
  return { kind: 'pool', file, count };
}

const POOL_FILE = /^sealed-(\d+)\.txt$/;

/** The public half of a private JWK in a file. */
export function sealingTo(file: string): SealingTo {
  const { kid, n, e } = JSON.parse(readFileSync(file, 'utf8'));
  return { kid: String(kid), key: createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }) };
}

/** A compact JWE (RFC 7516, 7.1) by RSA-OAEP-256 and A128GCM, each with a key of its own as any sender makes it. */
export function seal(text: string, { kid, key }: SealingTo): string {
  const header = Buffer.from(JSON.stringify({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid })).toString('base64url');
  const contentKey = randomBytes(KEY_BYTES);
  const iv = randomBytes(IV_BYTES);
  const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, contentKey);
  const cipher = createCipheriv('aes-128-gcm', contentKey, iv).setAAD(Buffer.from(header));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const parts = [wrapped, iv, sealed, cipher.getAuthTag()].map(part => part.toString('base64url'));
  return [header, ...parts].join('.');
}
