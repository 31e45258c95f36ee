/**
 * A client of OAuth as an integrator would write it, from the published contract alone and with none of the gateway's
 * own code for it: a signed assertion for a token (RFC 7523, `private_key_jwt`), payloads in compact JWE both ways.
 */
import { CompactEncrypt, compactDecrypt, importJWK, type JWK, SignJWT } from 'jose';
import type { JsonObject } from '../catalogue/shape.ts';
import { Secret } from '../domain/secret.ts';
import { readIfThere } from '../keys/keyFiles.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { isObject } from './body.ts';
import { UsageError } from './callMessage.ts';
import { type Incoming, type Sending, transmit } from './exchange.ts';

/** What a client knows of itself and of the gateway. */
export type OauthClient = {
  readonly clientId: string;
  /** The gateway's identifier: the audience of the assertion. */
  readonly issuer: string;
  readonly tokenEndpoint: URL;
  readonly scope: string;
  readonly signingKeyFile: string;
  readonly decryptionKeyFile: string;
};

export type Assertion = {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly text: Secret<string>;
};

/** A key of the gateway's that payloads are encrypted to. */
export type GatewayKey = { readonly kid: string; readonly jwk: JWK };

const SIGNATURE = 'ES256';
const KEY_WRAP = 'RSA-OAEP-256';
const CONTENT = 'A128GCM';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** It is used at once. */
const ASSERTION_SECONDS = 60;

/** A fresh assertion, good for one token. */
export async function makeAssertion(client: OauthClient, clock: Clock, random: Random): Promise<Assertion> {
  const jwk = await privateJwk(client.signingKeyFile);
  // Its own type (draft-ietf-oauth-rfc7523bis), so that nothing else that this key signs can pass for one.
  const header = { alg: SIGNATURE, kid: jwk.kid ?? '', typ: 'client-authentication+jwt' };
  const iat = Math.floor(clock.wallMs() / 1000);
  const { clientId: iss, issuer: aud } = client;
  const claims = { iss, sub: iss, aud, jti: random.id(), iat, exp: iat + ASSERTION_SECONDS };
  const text = await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(jwk, SIGNATURE));
  return { header, claims, text: new Secret(text) };
}

/** The form that asks for a token (RFC 6749, 4.4.2; RFC 7523, 2.2). */
export const tokenForm = (client: OauthClient, assertion: string): Readonly<Record<string, string>> => ({
  grant_type: 'client_credentials',
  scope: client.scope,
  client_assertion_type: ASSERTION_TYPE,
  client_assertion: assertion,
});

/** Asks for a token. Rejects when there is no answer. */
export const requestToken = (client: OauthClient, assertion: Assertion, clock: Clock): Promise<Incoming> => {
  const request: Sending = {
    method: 'POST',
    url: client.tokenEndpoint,
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(tokenForm(client, assertion.text.reveal())).toString(),
  };
  return transmit(request, clock);
};

/** The access token in the answer; undefined where there is none. */
export function tokenIn({ status, text }: Incoming): Secret<string> | undefined {
  const answer = status === 200 ? objectIn(text) : undefined;
  const token = answer?.access_token;
  return typeof token === 'string' && /^bearer$/i.test(String(answer?.token_type)) ? new Secret(token) : undefined;
}

/** Where the gateway's public keys are. */
export const keysUrl = (client: OauthClient): URL => new URL('/oauth2/jwks', client.tokenEndpoint);

/** Fetches the gateway's public keys. Rejects when there is no answer. */
export const requestKeys = (client: OauthClient, clock: Clock): Promise<Incoming> =>
  transmit({ method: 'GET', url: keysUrl(client), headers: { accept: 'application/json' } }, clock);

/** The first key in a JWK Set that payloads may be encrypted to; undefined where there is none. */
export function gatewayKeyIn({ status, text }: Incoming): GatewayKey | undefined {
  const keys = status === 200 ? objectIn(text)?.keys : undefined;
  if (!Array.isArray(keys)) return undefined;
  const usable = keys.filter(isObject).find(key => key.kty === 'RSA' && key.use === 'enc' && key.alg === KEY_WRAP);
  const { kid, n, e } = usable ?? {};
  if (typeof kid !== 'string' || typeof n !== 'string' || typeof e !== 'string') return undefined;
  return { kid, jwk: { kty: 'RSA', n, e } };
}

/** The text in an envelope that only the gateway can open. */
export async function sealFor({ kid, jwk }: GatewayKey, text: string): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: KEY_WRAP, enc: CONTENT, kid, cty: 'json' })
    .encrypt(await importJWK(jwk, KEY_WRAP));
}

/** What is in an answer's envelope; undefined where it is none that our key opens. */
export async function openAnswer(client: OauthClient, jwe: string): Promise<string | undefined> {
  const key = await importJWK(await privateJwk(client.decryptionKeyFile), KEY_WRAP);
  try {
    const { plaintext } = await compactDecrypt(jwe, key, {
      // Without these lists the library would follow whatever the header says.
      keyManagementAlgorithms: [KEY_WRAP],
      contentEncryptionAlgorithms: [CONTENT],
      maxDecompressedLength: 0,
    });
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  } catch {
    return undefined;
  }
}

async function privateJwk(file: string): Promise<JWK> {
  const jwk = objectIn((await readIfThere(file)) ?? '');
  if (typeof jwk?.kty === 'string' && typeof jwk.d === 'string') return { ...jwk, kty: jwk.kty };
  // The content is not quoted: it is a private key, or was to be one.
  throw new UsageError(`${file} holds no private key: stop the sandbox, delete the file and start it again.`);
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
