/**
 * The sandbox's keys for OAuth, made at the first start: the gateway's own, which sign tokens and open payloads, and those
 * of the demo client, whose public halves are what the gateway's configuration names.
 */
import { join } from 'node:path';
import type { Secret } from '../domain/secret.ts';
import { isKeyFault, type KeyFault, type PublicJwk } from '../edge/jwk.ts';
import { parseOpeningKey, parseSigningKey } from '../edge/keys.ts';
import { type Form, keepOnce } from '../keys/keyFiles.ts';
import { makeEcKey, makeRsaKey } from '../keys/make.ts';
import type { Random } from '../runtime/random.ts';

/** Absolute paths of the demo client's private keys. */
export type OauthKeyFiles = { readonly signingKeyFile: string; readonly decryptionKeyFile: string };

/** The least that is accepted: the sandbox protects nothing, and this is the fastest. */
const RSA_BITS = 2048;
/** What is kept was proved when it was made, and is proved again by whoever uses it. */
const ANY: Form = { test: text => text !== '' };

/** Makes the keys that are missing in the directory: the gateway's, and those of the client. */
export async function prepareOauthKeys(directory: string, clientId: string, random: Random): Promise<OauthKeyFiles> {
  const keep = (name: string, make: () => Promise<Secret<string>>) =>
    keepOnce(join(directory, name), ANY, async () => (await make()).reveal(), random);
  const signing = `${clientId}.signing.jwk.json`;
  const decryption = `${clientId}.decryption.jwk.json`;
  const [ec, rsa] = await Promise.all([
    keep(signing, makeEcKey),
    keep(decryption, () => makeRsaKey(RSA_BITS)),
    keep('token.jwk.json', makeEcKey),
    keep('payload.jwk.json', () => makeRsaKey(RSA_BITS)),
  ]);
  const signingKeyFile = join(directory, signing);
  const decryptionKeyFile = join(directory, decryption);
  const halves = [
    publicHalf(signingKeyFile, await parseSigningKey(ec)),
    publicHalf(decryptionKeyFile, await parseOpeningKey(rsa, 1)),
  ];
  const set = JSON.stringify({ keys: halves }, null, 2);
  const setFile = join(directory, `${clientId}.jwks.json`);
  if ((await keepOnce(setFile, ANY, () => set, random)) !== set) {
    throw new Error(`${setFile} has not the public halves of the keys beside it; delete it, and it is made anew`);
  }
  return { signingKeyFile, decryptionKeyFile };
}

function publicHalf(file: string, key: { readonly publicJwk: PublicJwk } | KeyFault): PublicJwk {
  if (isKeyFault(key)) throw new Error(`${file} ${key.what}; delete it, and a new one is made at the next start`);
  return key.publicJwk;
}
