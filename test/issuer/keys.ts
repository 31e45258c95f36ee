/** Keys of the gateway and of an issuer, made when the test runs. */
import { generateKeyPairSync } from 'node:crypto';
import { isKeyFault, type KeyFault } from '../../src/edge/jwk.ts';
import { type OpeningKey, parseOpeningKey, parseSigningKey, type SigningKey } from '../../src/edge/keys.ts';

type Members = Readonly<Record<string, unknown>>;

/** A private EC P-256 key as the text of its file. */
export const signingKeyText = (more: Members = {}): string =>
  JSON.stringify({
    ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
    ...more,
  });

/** A private RSA key as the text of its file. */
export const openingKeyText = (more: Members = {}, modulusLength = 2048): string =>
  JSON.stringify({ ...generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ format: 'jwk' }), ...more });

const good = <T extends object>(key: T | KeyFault): T => {
  if (isKeyFault(key)) throw new Error(key.what);
  return key;
};

export const signingKey = async (): Promise<SigningKey> => good(await parseSigningKey(signingKeyText()));
export const openingKey = async (): Promise<OpeningKey> => good(await parseOpeningKey(openingKeyText()));

/** The public half of a key file, as a member of a JWK Set. */
export const publicHalf = (text: string): Record<string, unknown> => {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
};

/** A JWK Set with the public halves of these key files. */
export const jwksOf = (...texts: readonly string[]): string => JSON.stringify({ keys: texts.map(publicHalf) });
