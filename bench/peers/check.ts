/**
 * Looks at one answer of a peer in full before anything is measured: fast answers that are wrong are worth nothing. An
 * encrypted answer is opened as its client would.
 */
import { readFileSync } from 'node:fs';
import { open, openingKey } from '../../src/client/crypto.ts';
import { readLines, requestAt } from './loads.ts';
import type { Credentials, Load, Peer } from './types.ts';

/** Numbers that no measurement gets to, each used once: the clients of a peer share one participant, and so its ids. */
let far = 10 ** 15;

/** Why the peer does not do what the load asks for; undefined where it does. A pool loses its last message to this. */
export async function checkLoad(peer: Peer, load: Load, credentials: Credentials): Promise<string | undefined> {
  far += 1;
  const number = load.body.kind === 'pool' ? load.body.count - 1 : far;
  const { path, headers, method, body } = requestAt(load, number, readLines(load), Date.now());
  const response = await fetch(peer.url + path, { method, headers, body });
  const text = await response.text();
  if (response.status !== 200) return `status ${response.status}: ${text.slice(0, 500)}`;
  const plain = load.body.kind === 'pool' ? await opened(text, load, number, credentials) : text;
  if (plain === undefined) return 'an answer that its client cannot open';
  const { responseCode, responseDesc } = JSON.parse(plain);
  return responseCode === '00' ? undefined : `response code ${responseCode}: ${responseDesc}`;
}

async function opened(jwe: string, load: Load, number: number, credentials: Credentials): Promise<string | undefined> {
  const sealed = credentials.oauthClients.filter(({ payload }) => payload === 'encrypted');
  const client = sealed[load.callers[number % load.callers.length]?.client ?? 0];
  if (!client) return undefined;
  const key = await openingKey(JSON.parse(readFileSync(client.decryptionKeyFile, 'utf8')), 'the decryption key');
  return open([key], jwe);
}
