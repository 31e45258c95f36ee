/**
 * Clients of a configuration for tests, without loading one.
 */
import { hash } from 'node:crypto';
import { APIS } from '../../src/catalogue/apis.ts';
import type { Cidr, ClientConfig, TokenSha256 } from '../../src/config/config.ts';
import type { ApiName, ClientId, ParticipantId } from '../../src/domain/ids.ts';
import type { ClientKeySet } from '../../src/edge/keys.ts';

export const TOKEN = 'Canary-token_0123456789.~+/AbC==';
export const tokenHash = (token: string): TokenSha256 => hash('sha256', token) as TokenSha256;

/** The keys of a client of OAuth whose keys do not matter. */
export const NO_KEYS: ClientKeySet = {
  verification: new Map(),
  encryption: undefined,
  endsAtMs: [],
  thumbprints: [],
  kids: [],
};

/** A client that may call everything but Refund, from anywhere, with `TOKEN`. */
export const clientWith = (changes: Partial<ClientConfig> = {}): ClientConfig => ({
  id: 'wallet' as ClientId,
  participants: new Set(['100000' as ParticipantId]),
  product: 'prepaid',
  scopes: new Set(APIS.map(row => row.name).filter(name => name !== 'Refund')) as ReadonlySet<ApiName>,
  access: { kind: 'bearer', tokenSha256: [tokenHash(TOKEN)] },
  payload: 'plain',
  allowFrom: undefined,
  budgetMs: 3000,
  timestampToleranceSeconds: 0,
  ratePerSecond: 0,
  ...changes,
});

export const cidrs = (...texts: readonly string[]): readonly Cidr[] => texts as readonly string[] as readonly Cidr[];
