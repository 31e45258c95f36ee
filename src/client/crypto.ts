/**
 * What the client does with keys, over jose: assertions signed with ES256, payloads in compact JWE by RSA-OAEP-256 and
 * A128GCM, and nothing else, whatever a header says. What is wrong with a key is said without a word of the key.
 */
import { CompactEncrypt, type CryptoKey, compactDecrypt, importJWK, type JWK, SignJWT } from 'jose';

/** A JSON Web Key (RFC 7517). */
export type Jwk = {
  readonly kty?: string | undefined;
  readonly kid?: string | undefined;
  readonly [member: string]: unknown;
};

export type OwnKey = { readonly kid: string; readonly key: CryptoKey };
export type { CryptoKey } from 'jose';

export type Claims = Readonly<Record<'iss' | 'sub' | 'aud' | 'jti', string>> & {
  readonly iat: number;
  readonly exp: number;
};

const SIGNATURE = 'ES256';
const KEY_WRAP = 'RSA-OAEP-256';
const CONTENT = 'A128GCM';

/**
 * The private EC P-256 key that signs assertions.
 *
 * @throws TypeError naming `name` where it is none, or has no `kid`
 */
export const signingKey = (jwk: Jwk, name: string): Promise<OwnKey> => ownKey(jwk, name, 'EC', SIGNATURE);

/** The private RSA key that opens answers. Throws as `signingKey` does. */
export const openingKey = (jwk: Jwk, name: string): Promise<OwnKey> => ownKey(jwk, name, 'RSA', KEY_WRAP);

async function ownKey(jwk: Jwk, name: string, kind: 'EC' | 'RSA', alg: string): Promise<OwnKey> {
  const wrong = new TypeError(
    `${name} must be a private ${kind === 'EC' ? 'EC P-256' : 'RSA'} key as a JWK with a kid`,
  );
  if (jwk?.kty !== kind || typeof jwk.d !== 'string' || typeof jwk.kid !== 'string') throw wrong;
  const key = await imported(jwk, alg);
  if (!key) throw wrong;
  return { kid: jwk.kid, key };
}

/** The gateway's public RSA key that payloads are sealed with; undefined where the JWK is none. */
export async function sealingKey(jwk: Jwk): Promise<OwnKey | undefined> {
  const { kty, kid, n, e } = jwk;
  if (kty !== 'RSA' || typeof kid !== 'string' || typeof n !== 'string' || typeof e !== 'string') return undefined;
  const key = await imported({ kty, n, e }, KEY_WRAP);
  return key && { kid, key };
}

/** The first key of a JWK Set that payloads may be sealed with (RFC 7517, 5); undefined where there is none. */
export const payloadKeyIn = (keys: readonly Jwk[]): Jwk | undefined =>
  keys.find(({ kty, use, alg }) => kty === 'RSA' && use === 'enc' && alg === KEY_WRAP);

async function imported(jwk: JWK | Jwk, alg: string): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK({ ...jwk, alg } as JWK, alg);
    return key instanceof Uint8Array ? undefined : key;
  } catch {
    return undefined;
  }
}

/** A client assertion (RFC 7523, 3). */
export const signAssertion = ({ kid, key }: OwnKey, claims: Claims): Promise<string> =>
  new SignJWT(claims)
    // Its own type (draft-ietf-oauth-rfc7523bis), so that nothing else that this key signs can pass for one.
    .setProtectedHeader({ alg: SIGNATURE, kid, typ: 'client-authentication+jwt' })
    .sign(key);

/** The text in an envelope that only the holder of the key can open. */
export const seal = ({ kid, key }: OwnKey, text: string): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: KEY_WRAP, enc: CONTENT, kid, cty: 'json' })
    .encrypt(key);

/** What is in an envelope; undefined where it is none that one of our keys opens. */
export async function open(keys: readonly OwnKey[], jwe: string): Promise<string | undefined> {
  try {
    const { plaintext } = await compactDecrypt(
      jwe,
      ({ kid }) => {
        const own = keys.find(key => key.kid === kid);
        if (!own) throw new TypeError('sealed for another key');
        return own.key;
      },
      {
        // Without these lists the library would follow whatever the header says.
        keyManagementAlgorithms: [KEY_WRAP],
        contentEncryptionAlgorithms: [CONTENT],
        maxDecompressedLength: 0,
      },
    );
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
  } catch {
    return undefined;
  }
}
