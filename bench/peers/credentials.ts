/**
 * Everything secret that a run of the bench needs, made anew when it begins: tokens, the clients' keys and the gateway's.
 * Nothing of it is in the project, and nothing of it outlives the folder of the run.
 */
import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OWNER_ONLY } from '../../src/keys/keyFiles.ts';
import { makeSealKey } from '../../src/keys/make.ts';
import type { Random } from '../../src/runtime/random.ts';
import { prepareOauthKeys } from '../../src/sandbox/oauthKeys.ts';
import type { BearerClient, Credentials, OauthClient } from './types.ts';

/** 256 opaque tokens in all: enough that no cache of the last one helps, few enough for any table. */
const BEARER_CLIENTS = 16;
const TOKENS_PER_CLIENT = 16;
/** Each has an RSA key, which takes a tenth of a second to make. */
const OAUTH_CLIENTS_PER_PAYLOAD = 4;
const PARTICIPANT = '100000';

/** Makes them in the folder, which should be this run's alone. */
export async function makeCredentials(dir: string, random: Random): Promise<Credentials> {
  const keys = join(dir, 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const sealKeyFile = join(keys, 'seal.key');
  writeFileSync(sealKeyFile, `${makeSealKey(random).reveal()}\n`, { mode: OWNER_ONLY });
  const oauthClients: OauthClient[] = [];
  // One after the other: the first makes the gateway's keys, too.
  for (const payload of ['plain', 'encrypted'] as const) {
    for (let index = 0; index < OAUTH_CLIENTS_PER_PAYLOAD; index += 1) {
      oauthClients.push(await oauthClient(keys, `bank-${payload}-${index}`, payload, random));
    }
  }
  return {
    participantId: PARTICIPANT,
    bearerClients: Array.from({ length: BEARER_CLIENTS }, (_, index) => bearerClient(`wallet-${index}`, random)),
    oauthClients,
    issuerToken: tokenOf(random),
    sealKeyFile,
    tokenKeyFile: join(keys, 'token.jwk.json'),
    payloadKeyFile: join(keys, 'payload.jwk.json'),
  };
}

const bearerClient = (id: string, random: Random): BearerClient => ({
  id,
  tokens: Array.from({ length: TOKENS_PER_CLIENT }, () => tokenOf(random)),
});

/** What a configuration holds of a token. */
export const sha256Hex = (token: string): string => hash('sha256', token, 'hex');

/** 256 bits in 44 characters. */
const tokenOf = (random: Random): string => `${random.id()}${random.id()}`;

async function oauthClient(
  keys: string,
  id: string,
  payload: OauthClient['payload'],
  random: Random,
): Promise<OauthClient> {
  const files = await prepareOauthKeys(keys, id, random);
  return { id, payload, keysFile: join(keys, `${id}.jwks.json`), ...files };
}
