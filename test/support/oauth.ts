/**
 * A client of OAuth as tests play it: its keys, what it registers of them, its assertions, its tokens, and calls that are
 * sealed for the gateway. Made of jose and of Node's crypto alone, so that nothing of `src` vouches for itself.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKeyInput,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompactEncrypt, compactDecrypt, importJWK, type JWK, SignJWT } from 'jose';
import { API_PATHS, type ApiName } from './apiPaths.ts';
import { type Answer, bodyOf, type CallOptions, type Fields, get, newTranId, post } from './client.ts';
import { PARTICIPANT, testKeys } from './gatewayConfig.ts';
import type { Gateway } from './gatewayProcess.ts';
import { tempDir } from './places.ts';

type Json = Readonly<Record<string, unknown>>;

/** A key pair of either kind, as what is kept and what is given away. */
export type Pair = { readonly kid: string; readonly privateKey: KeyObject; readonly publicJwk: JWK };

const pairOf = (kid: string, made: { privateKey: KeyObject; publicKey: KeyObject }, alg: string): Pair => ({
  kid,
  privateKey: made.privateKey,
  publicJwk: { ...made.publicKey.export({ format: 'jwk' }), kid, alg, use: alg === 'ES256' ? 'sig' : 'enc' },
});

export const signingPair = (): Pair =>
  pairOf(randomUUID(), generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ES256');
export const sealingPair = (): Pair =>
  pairOf(randomUUID(), generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RSA-OAEP-256');

export const publicKeyOf = ({ privateKey }: Pair): KeyObject => createPublicKey(privateKey);

/** Writes the private half, as the gateway's own keys are configured. */
export const writePrivate = (path: string, { privateKey, publicJwk }: Pair): string => {
  const { kid, alg, use } = publicJwk;
  writeFileSync(path, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid, alg, use }), { mode: 0o600 });
  return path;
};

export const readPrivate = (path: string): KeyObject =>
  createPrivateKey({ key: JSON.parse(readFileSync(path, 'utf8')), format: 'jwk' } satisfies JsonWebKeyInput);

/** What the gateways of this test process sign tokens with. */
export const gatewaySigningKey = (): KeyObject => readPrivate(testKeys().signingKeyFile);

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const PURCHASE: Fields = { cardToken: 'oauth-card', tranAmount: '0.01', tranCurrency: '840' };

export type Opened = Answer & { readonly contentType: string };

export class Party {
  readonly id: string;
  readonly keysFile: string;
  /** The first is in use, the others are still registered. */
  signing: readonly Pair[];
  sealing: readonly Pair[];
  /** Everything that it ever had: what was sealed for an old key a moment ago can still be opened. */
  readonly #openers = new Map<string, KeyObject>();

  constructor(id: string) {
    this.id = id;
    this.keysFile = join(tempDir('party'), `${id}.jwks.json`);
    this.signing = [signingPair()];
    this.sealing = [sealingPair()];
    this.register();
  }

  /** Writes what the gateway is to know of it. */
  register(): void {
    for (const { kid, privateKey } of this.sealing) this.#openers.set(kid, privateKey);
    const keys = [...this.signing, ...this.sealing].map(({ publicJwk }) => publicJwk);
    writeFileSync(this.keysFile, JSON.stringify({ keys }));
  }

  /** Its entry among `clients`. */
  config(changes: Json = {}): Record<string, unknown> {
    return {
      id: this.id,
      participants: [PARTICIPANT],
      product: 'prepaid',
      scopes: ['Transaction'],
      oauth: { keysFile: this.keysFile },
      payload: 'encrypted',
      budgetMs: 8000,
      ...changes,
    };
  }

  /** An assertion for one token; undefined takes a claim out. */
  assertion(audience: string, claims: Json = {}, header: Json = {}, key = this.signing[0]): Promise<string> {
    if (!key) throw new Error('it has no key to sign with');
    const now = Math.floor(Date.now() / 1000);
    const own = { iss: this.id, sub: this.id, aud: audience, jti: randomUUID(), iat: now, exp: now + 60 };
    return new SignJWT({ ...own, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
      .sign(key.privateKey);
  }

  /** The plain text of what was sealed for it. */
  async open(jwe: string): Promise<string> {
    const { plaintext } = await compactDecrypt(
      jwe,
      ({ kid = '' }) => {
        const key = this.#openers.get(kid);
        if (!key) throw new Error(`sealed for the key ${kid}, which it never had`);
        return key;
      },
      { keyManagementAlgorithms: ['RSA-OAEP-256'], contentEncryptionAlgorithms: ['A128GCM'] },
    );
    return Buffer.from(plaintext).toString('utf8');
  }
}

type At = Pick<Gateway, 'port'>;
/** Where the authorization server of a gateway is. */
export const rootOf = ({ port }: At): string => `http://127.0.0.1:${port}`;

/** Posts a form to the token endpoint. */
export const postToken = (gateway: At, form: Readonly<Record<string, string>>, options: CallOptions = {}) =>
  post(`${rootOf(gateway)}/oauth2/token`, new URLSearchParams(form).toString(), {
    ...options,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...options.headers },
  });

export const grantForm = (assertion: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  grant_type: 'client_credentials',
  client_assertion_type: JWT_BEARER,
  client_assertion: assertion,
  ...more,
});

/** A token of the party. `issuer`: how the gateway calls itself. @throws Error where there is none. */
export async function tokenOf(
  gateway: At,
  party: Party,
  options: { readonly scope?: string; readonly issuer?: string } = {},
): Promise<string> {
  const assertion = await party.assertion(options.issuer ?? rootOf(gateway));
  const form = grantForm(assertion, options.scope === undefined ? {} : { scope: options.scope });
  const { status, body, text } = await postToken(gateway, form);
  if (status !== 200) throw new Error(`no token: ${status} ${text}`);
  return String(body.access_token);
}

/** The RSA key that payloads for the gateway are sealed with now. */
export async function gatewayKey(gateway: At): Promise<JWK> {
  const { body } = await get(`${rootOf(gateway)}/oauth2/jwks`);
  const keys: readonly JWK[] = Array.isArray(body.keys) ? body.keys : [];
  const key = keys.find(({ kty }) => kty === 'RSA');
  if (!key) throw new Error('the gateway publishes no RSA key');
  return key;
}

/** A text sealed for a key. */
export async function sealFor(key: JWK, text: string | Uint8Array, header: Json = {}): Promise<string> {
  return new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid: String(key.kid), ...header })
    .encrypt(await importJWK({ ...key, alg: 'RSA-OAEP-256' }));
}

/** Posts a body as it is, with a token, to an API. */
export async function postSealed(
  gateway: Pick<Gateway, 'url'>,
  api: ApiName,
  token: string,
  body: string | Uint8Array,
  options: CallOptions = {},
): Promise<Answer> {
  return post(`${gateway.url}${API_PATHS[api]}`, body, {
    ...options,
    headers: {
      authorization: `Bearer ${token}`,
      timestamp: String(Date.now()),
      'content-type': 'application/jose',
      ...options.headers,
    },
  });
}

/** The message of a call, as text. */
export const messageOf = (gateway: Gateway, fields: Fields, tranId: string): string =>
  JSON.stringify(bodyOf(gateway, fields, tranId));

export type Sealed = { readonly gateway: Gateway; readonly party: Party; readonly token: string; readonly key: JWK };

/** An encrypted call from its message to the opened answer. Answers that are plain stay as they are. */
export async function sealedCall(
  { gateway, party, token, key }: Sealed,
  api: ApiName,
  fields: Fields,
  { tranId = newTranId(), ...options }: CallOptions = {},
): Promise<Opened> {
  const answer = await postSealed(gateway, api, token, await sealFor(key, messageOf(gateway, fields, tranId)), options);
  const contentType = String(answer.headers['content-type']);
  if (contentType !== 'application/jose') return { ...answer, tranId, contentType };
  const body: Json = JSON.parse(await party.open(answer.text));
  return { ...answer, tranId, contentType, body };
}
