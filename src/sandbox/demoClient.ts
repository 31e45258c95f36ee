/**
 * Reads credentials.json and the keys beside it as the demo client does: the other end of what `credentials` writes.
 */
import { join, resolve } from 'node:path';
import type { JsonObject } from '../catalogue/shape.ts';
import type { Jwk } from '../client/client.ts';
import { Secret } from '../domain/secret.ts';
import { readIfThere } from '../keys/keyFiles.ts';
import { isObject } from './body.ts';
import { UsageError } from './callMessage.ts';

/** The demo client that calls with OAuth. */
export type OauthClient = {
  readonly clientId: string;
  readonly participantId: string;
  /** The gateway's identifier: the audience of assertions. */
  readonly issuer: string;
  readonly tokenEndpoint: URL;
  readonly scope: string;
  readonly signingKeyFile: string;
  readonly decryptionKeyFile: string;
};

export type DemoClient = {
  /** Of the gateway, without a slash at its end. */
  readonly baseUrl: string;
  readonly clientId: string;
  readonly participantId: string;
  readonly token: Secret<string>;
  /** Undefined where credentials.json has none. */
  readonly oauth: OauthClient | undefined;
  /** The first demo card. */
  readonly cardToken: string;
  /** The demo cards with their currencies. */
  readonly cards: readonly { readonly cardToken: string; readonly currency: string }[];
  /** Of the demo issuer: its own endpoints are below it. Undefined where credentials.json has none. */
  readonly issuerUrl: string | undefined;
};

/** Throws `UsageError` where no sandbox is running in the directory. */
export const readCredentials = (sandboxDir: string): Promise<DemoClient> =>
  readCredentialsFile(join(resolve(sandboxDir), 'credentials.json'));

/** The same of a file that may have any name. */
export async function readCredentialsFile(file: string): Promise<DemoClient> {
  const text = await readIfThere(file);
  if (text === undefined) throw new UsageError(`There is no ${file}: start the sandbox with npm start.`);
  const content = parse(text);
  const bearer = objectIn(content, 'bearer');
  const cards = cardsIn(content);
  const baseUrl = textIn(content, 'baseUrl');
  const client = {
    baseUrl: baseUrl?.replace(/\/+$/, ''),
    clientId: textIn(bearer, 'clientId'),
    participantId: textIn(bearer, 'participantId'),
    token: textIn(bearer, 'token'),
    cardToken: cards[0]?.cardToken,
  };
  const { clientId, participantId, token, cardToken } = client;
  if (!client.baseUrl || !URL.canParse(client.baseUrl) || !clientId || !participantId || !token || !cardToken) {
    throw new UsageError(`${file} is not what npm start writes: stop the sandbox, delete the file and start it again.`);
  }
  const oauth = oauthIn(objectIn(content, 'oauth'));
  const issuerUrl = textIn(content, 'issuerUrl');
  return {
    baseUrl: client.baseUrl,
    clientId,
    participantId,
    token: new Secret(token),
    oauth,
    cardToken,
    cards,
    issuerUrl,
  };
}

function cardsIn(content: JsonObject | undefined): DemoClient['cards'] {
  const cards = content && Array.isArray(content.cards) ? content.cards : [];
  return cards.flatMap(card => {
    const cardToken = isObject(card) ? textIn(card, 'cardToken') : undefined;
    if (!isObject(card) || !cardToken) return [];
    return [{ cardToken, currency: textIn(card, 'currency') ?? DEMO_CURRENCY }];
  });
}

/** Of a card that does not say its own. */
const DEMO_CURRENCY = '840';

function oauthIn(part: JsonObject | undefined): DemoClient['oauth'] {
  const clientId = textIn(part, 'clientId');
  const participantId = textIn(part, 'participantId');
  const issuer = textIn(part, 'issuer');
  const tokenEndpoint = URL.parse(textIn(part, 'tokenEndpoint') ?? '');
  const scope = textIn(part, 'scope');
  const signingKeyFile = textIn(part, 'signingKeyFile');
  const decryptionKeyFile = textIn(part, 'decryptionKeyFile');
  if (!clientId || !participantId || !issuer || !tokenEndpoint || !scope) return undefined;
  if (!signingKeyFile || !decryptionKeyFile) return undefined;
  return { clientId, participantId, issuer, tokenEndpoint, scope, signingKeyFile, decryptionKeyFile };
}

/** A private key of the demo client's. Throws `UsageError` where the file holds none. */
export async function readPrivateKey(file: string): Promise<Jwk> {
  const jwk = parse((await readIfThere(file)) ?? '');
  if (typeof jwk?.kty === 'string' && typeof jwk.kid === 'string' && typeof jwk.d === 'string') {
    return { ...jwk, kty: jwk.kty, kid: jwk.kid };
  }
  // The content is not quoted: it is a private key, or was to be one.
  throw new UsageError(`${file} holds no private key: stop the sandbox, delete the file and start it again.`);
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const objectIn = (object: JsonObject | undefined, name: string): JsonObject | undefined => {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
};

const textIn = (object: JsonObject | undefined, name: string): string | undefined => {
  const value = object?.[name];
  return typeof value === 'string' ? value : undefined;
};
