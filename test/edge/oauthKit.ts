/**
 * What the tests of OAuth share: a clock that stands still, keys made for the run, and tokens written by hand, so that a
 * test can spell what no library would write.
 */
import { createPrivateKey, generateKeyPairSync, hash, type JsonWebKeyInput, type KeyObject, sign } from 'node:crypto';
import type { ApiName, ClientId } from '../../src/domain/ids.ts';
import { Refusal, type RefusalReason } from '../../src/domain/refusal.ts';
import {
  type ClientKeySet,
  type OpeningKey,
  parseClientJwks,
  parseOpeningKey,
  parseSigningKey,
  type SigningKey,
} from '../../src/edge/keys.ts';
import type { Once, TokenClient } from '../../src/edge/tokenEndpoint.ts';
import type { Clock, Span } from '../../src/runtime/clock.ts';

export type Json = { readonly [name: string]: unknown };

export const ISSUER = 'https://gateway.example';
export const NOW_S = 1_800_000_000;

/** A clock that stands still until it is told otherwise. */
export class StandingClock implements Clock {
  nowMs = NOW_S * 1000;
  wallMs(): number {
    return this.nowMs;
  }
  monotonicMs(): number {
    return this.nowMs;
  }
  async sleep(): Promise<void> {}
  after(): () => void {
    return () => {};
  }
}

let drawn = 0;
export const countingRandom = { id: () => `id-${String(drawn++).padStart(19, '0')}`, fraction: () => 0.5 };

export type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

export const ecPair = (namedCurve = 'P-256'): Pair => generateKeyPairSync('ec', { namedCurve });
export const rsaPair = (modulusLength = 2048, publicExponent = 65537): Pair =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent });

/** A key as JWK with more members. */
export const jwk = (key: KeyObject, more: Json = {}): Json => ({ ...key.export({ format: 'jwk' }), ...more });
export const privateFrom = (key: Json): KeyObject =>
  createPrivateKey({ key, format: 'jwk' } as unknown as JsonWebKeyInput);

export const must = <T extends object>(value: T | { readonly what: string; readonly mend: string }): T => {
  if ('what' in value && 'mend' in value) throw new Error(`unexpected fault: ${value.what}`);
  return value;
};

export const signingKeyOf = async (pair: Pair, more: Json = {}): Promise<SigningKey> =>
  must(await parseSigningKey(JSON.stringify(jwk(pair.privateKey, more))));
export const openingKeyOf = async (pair: Pair, more: Json = {}): Promise<OpeningKey> =>
  must(await parseOpeningKey(JSON.stringify(jwk(pair.privateKey, more))));
export const keySet = async (...keys: readonly Json[]): Promise<ClientKeySet> =>
  must(await parseClientJwks(JSON.stringify({ keys }), { needsEncryption: false }));

export const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A compact JWS over exactly these texts or objects, signed with ECDSA and SHA-256. */
export const jwsOf = (header: unknown, claims: unknown, key: KeyObject): string => {
  const input = `${b64(header)}.${b64(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
};

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same token with the other s of its signature; `lower`: only where that is the lower one. */
export const respelled = (token: string, lower = false): string => {
  const at = token.lastIndexOf('.') + 1;
  const bytes = Buffer.from(token.slice(at), 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  if (lower && s <= ORDER / 2n) return token;
  const other = (ORDER - s).toString(16).padStart(64, '0');
  return token.slice(0, at) + Buffer.concat([bytes.subarray(0, 32), Buffer.from(other, 'hex')]).toString('base64url');
};

/** What the promise was refused with; anything else that it throws is thrown on. */
export const refusalOf = async (promise: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};
export const reasonOf = async (promise: Promise<unknown>): Promise<RefusalReason | undefined> =>
  (await refusalOf(promise))?.reason;

/** Nothing was taken back. */
export const NOTHING_REVOKED = { isRevoked: () => false, validFrom: () => 0 };

/** A store that several endpoints may share. */
export const memoryOnce = (): Once & { readonly taken: Map<string, Span> } => {
  const taken = new Map<string, Span>();
  return {
    taken,
    take: async (name, span) => {
      if (taken.has(name)) return 'again';
      taken.set(name, span);
      return 'first';
    },
  };
};

export const clientOf = (id: string, keys: ClientKeySet, scopes: readonly string[] = ['Purchase']): TokenClient => ({
  id: id as ClientId,
  product: 'prepaid',
  scopes: new Set(scopes) as ReadonlySet<string> as ReadonlySet<ApiName>,
  keys,
});

export const sha256 = (text: string): string => hash('sha256', text);
