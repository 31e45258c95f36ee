/**
 * Makes what the sandbox runs on, once: the gateway's keys, the tokens and keys of the demo clients, the issuer's token and
 * the demo cards. Then, when gateway and issuer are up, it writes credentials.json, which tells a person or a test how to
 * call.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { MODULES } from '../catalogue/scopes.ts';
import { Secret } from '../domain/secret.ts';
import { keepOnce, makeDirectory, replaceFile } from '../keys/keyFiles.ts';
import { makeSealKey } from '../keys/make.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { wire } from './apis/inquiries.ts';
import { DEMO_PARTICIPANT, listedCards, seedCards } from './cards.ts';
import { Ledger } from './ledger.ts';
import { type OauthKeyFiles, prepareOauthKeys } from './oauthKeys.ts';
import { availableOf } from './turn.ts';

/** The demo client that calls with a bearer token. */
export const DEMO_CLIENT = 'demo-wallet';
/** The demo client that calls with OAuth and encrypted payloads. */
export const DEMO_OAUTH_CLIENT = 'demo-bank';
/** What demo-bank asks for: all that it was assigned. */
const OAUTH_SCOPE = MODULES.join(' ');

/** A demo card as credentials.json gives it, whole: it is a test card, and this is the one place that tells its secrets. */
export type DemoCard = {
  readonly cardToken: string;
  readonly cardNumber: string;
  readonly expiryDate: string;
  readonly CVV2: string;
  readonly currency: string;
  readonly balance: string;
};

export type SandboxCredentials = {
  /** Absolute. */
  readonly dir: string;
  readonly ledgerFile: string;
  readonly credentialsFile: string;
  readonly clientId: string;
  readonly participantId: string;
  /** The keys of demo-bank. */
  readonly oauth: OauthKeyFiles;
  /** The demo client's bearer token. */
  readonly clientToken: Secret<string>;
  /** What the gateway presents to the demo issuer. */
  readonly issuerToken: Secret<string>;
  readonly cards: Secret<readonly DemoCard[]>;
};

export type SandboxOptions = {
  /** Where everything of the sandbox is kept; relative to the working directory. */
  readonly dir: string;
  readonly clock: Clock;
  readonly random: Random;
};

/** Where the parts of the sandbox listen. */
export type SandboxUrls = {
  /** Of the gateway's public port, with the base path. */
  readonly baseUrl: string;
  readonly adminUrl: string;
  /** Of the demo issuer, without the base path: its own endpoints are below it. */
  readonly issuerUrl: string;
  /** The gateway's identifier, `oauth.issuer` of its configuration. */
  readonly oauthIssuer: string;
};

/** 32 bytes in base64, as the journal's seal key file has them. */
const SEAL_KEY = /^[A-Za-z0-9+/]{43}=$/;
const TOKEN = /^[A-Za-z0-9_-]{43,64}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;

/**
 * Makes the keys, tokens and demo cards that are missing and reads those that are there: `keys/seal.key`,
 * `keys/demo-wallet.token`, `keys/demo-wallet.sha256`, `keys/issuer.token`, the keys for OAuth and the ledger.
 *
 * @throws Error naming the file that is damaged or cannot be written
 */
export async function prepareSandbox({ dir, clock, random }: SandboxOptions): Promise<SandboxCredentials> {
  const home = resolve(dir);
  const keys = join(home, 'keys');
  const credentialsFile = join(home, 'credentials.json');
  const ledgerFile = join(home, 'issuer.db');
  await makeDirectory(home);
  await makeDirectory(keys);

  const token = (): string => random.id() + random.id();
  await keepOnce(join(keys, 'seal.key'), SEAL_KEY, () => makeSealKey(random).reveal(), random);
  const clientToken = await keepOnce(join(keys, `${DEMO_CLIENT}.token`), TOKEN, token, random);
  const issuerToken = await keepOnce(join(keys, 'issuer.token'), TOKEN, token, random);
  await keepHash(join(keys, `${DEMO_CLIENT}.sha256`), clientToken, random);
  const oauth = await prepareOauthKeys(keys, DEMO_OAUTH_CLIENT, random);
  return {
    dir: home,
    ledgerFile,
    credentialsFile,
    clientId: DEMO_CLIENT,
    participantId: DEMO_PARTICIPANT,
    oauth,
    clientToken: new Secret(clientToken),
    issuerToken: new Secret(issuerToken),
    cards: new Secret(prepareCards(ledgerFile, clock, random)),
  };
}

/**
 * Writes credentials.json, complete, in the place of any other. To be called once gateway and issuer accept calls.
 *
 * @returns the absolute path of the file
 */
export async function writeCredentials(
  { credentialsFile, clientId, participantId, oauth, clientToken, cards }: SandboxCredentials,
  urls: SandboxUrls,
  random: Random,
): Promise<string> {
  const content = {
    baseUrl: urls.baseUrl,
    adminUrl: urls.adminUrl,
    issuerUrl: urls.issuerUrl,
    bearer: { clientId, participantId, token: clientToken.reveal() },
    oauth: {
      clientId: DEMO_OAUTH_CLIENT,
      participantId,
      issuer: urls.oauthIssuer,
      tokenEndpoint: `${urls.oauthIssuer}/oauth2/token`,
      scope: OAUTH_SCOPE,
      signingKeyFile: oauth.signingKeyFile,
      decryptionKeyFile: oauth.decryptionKeyFile,
    },
    cards: cards.reveal(),
  };
  await replaceFile(credentialsFile, `${JSON.stringify(content, null, 2)}\n`, { random });
  return credentialsFile;
}

async function keepHash(path: string, token: string, random: Random): Promise<void> {
  const hash = createHash('sha256').update(token).digest('hex');
  const kept = await keepOnce(path, SHA256_HEX, () => hash, random);
  if (kept !== hash) throw new Error(`${path} is not the hash of the token beside it; delete it, and it is made anew`);
}

function prepareCards(file: string, clock: Clock, random: Random): readonly DemoCard[] {
  const ledger = new Ledger(file, clock, random);
  try {
    seedCards(ledger.store, clock, random);
    return listedCards(ledger.store).map(card => ({
      cardToken: card.token,
      cardNumber: card.number.reveal(),
      expiryDate: card.expiry,
      CVV2: ledger.key.cvv2(card.number.reveal(), card.expiry),
      currency: card.currency,
      balance: wire(ledger.store.balance(availableOf(card)), card.currency),
    }));
  } finally {
    ledger.close();
  }
}
