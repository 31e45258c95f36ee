/**
 * The configuration of a gateway under test: one client, one issuer, keys and tokens made in this process and shared by
 * all its gateways, so that several of them can work on one journal.
 */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './places.ts';

type Values = Readonly<Record<string, unknown>>;

/** The file as in the design, section 8. Open on purpose: tests also write what is not valid. */
export type TestConfig = {
  server: Record<string, unknown>;
  admin: Record<string, unknown>;
  journal: Record<string, unknown>;
  oauth?: Record<string, unknown>;
  clients: Record<string, unknown>[];
  issuers: Record<string, unknown>[];
  routes: Record<string, unknown>[];
};

export type GatewayOptions = {
  /** `issuers[0].baseUrl`, such as `issuer.baseUrl`. */
  readonly issuerUrl: string;
  /** `journal.url`; default a new SQLite file. */
  readonly journalUrl?: string;
  /** Merged into `server`, `admin`, `journal`, `clients[0]`, `issuers[0]`; undefined takes a key out. */
  readonly server?: Values;
  readonly admin?: Values;
  readonly journal?: Values;
  readonly client?: Values;
  readonly issuer?: Values;
  /** The last word on the whole configuration. */
  readonly change?: (config: TestConfig) => void;
};

export const PARTICIPANT = '100000';
export const CLIENT = 'test-client';
export const ISSUER = 'test-issuer';

export type Keys = {
  readonly sealKeyFile: string;
  readonly signingKeyFile: string;
  readonly decryptionKeyFile: string;
  /** The client's token. */
  readonly token: string;
  /** What the gateway shows to the issuer. */
  readonly issuerToken: string;
};

let keys: Keys | undefined;

/** The keys and tokens of this test process, made at the first call. */
export function testKeys(): Keys {
  keys ??= makeKeys(tempDir('keys'));
  return keys;
}

function makeKeys(dir: string): Keys {
  const file = (name: string, content: string): string => {
    const path = join(dir, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  return {
    sealKeyFile: file('seal.key', `${randomBytes(32).toString('base64')}\n`),
    signingKeyFile: file('token.jwk.json', JSON.stringify({ ...ec, kid: 'sign-1', alg: 'ES256', use: 'sig' })),
    decryptionKeyFile: file(
      'payload.jwk.json',
      JSON.stringify({ ...rsa, kid: 'enc-1', alg: 'RSA-OAEP-256', use: 'enc' }),
    ),
    token: newToken(),
    issuerToken: newToken(),
  };
}

/** A bearer token of 43 characters. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** What is configured of a bearer token. */
export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A journal in a new file that goes away with the test process. */
export const newSqliteUrl = (): string => `sqlite:${join(tempDir('journal'), 'gateway.db')}`;

/** The configuration with the given ports. */
export function testConfig(options: GatewayOptions, port: number, adminPort: number): TestConfig {
  const { sealKeyFile, signingKeyFile, decryptionKeyFile, token, issuerToken } = testKeys();
  const config: TestConfig = {
    server: merge({ host: '127.0.0.1', port, basePath: '/card-api' }, options.server),
    admin: merge({ host: '127.0.0.1', port: adminPort }, options.admin),
    journal: merge({ url: options.journalUrl ?? newSqliteUrl(), sealKeyFile, retentionHours: 168 }, options.journal),
    oauth: {
      issuer: `http://127.0.0.1:${port}`,
      accessTokenMinutes: 60,
      signingKeyFiles: [signingKeyFile],
      decryptionKeyFiles: [decryptionKeyFile],
    },
    clients: [merge(clientOf(CLIENT, token), options.client)],
    issuers: [
      merge(
        { id: ISSUER, baseUrl: options.issuerUrl, balanceHeldBy: 'issuer', credentials: { bearer: issuerToken } },
        options.issuer,
      ),
    ],
    routes: [{ participant: PARTICIPANT, issuer: ISSUER }],
  };
  options.change?.(config);
  return config;
}

/** A bearer client of the participant that may do every transaction. */
export const clientOf = (id: string, token: string): Record<string, unknown> => ({
  id,
  participants: [PARTICIPANT],
  product: 'prepaid',
  scopes: ['Transaction'],
  bearer: { tokenSha256: [sha256Hex(token)] },
  allowFrom: ['127.0.0.0/8', '::1/128'],
});

function merge(base: Values, changes: Values = {}): Record<string, unknown> {
  const merged = { ...base, ...changes };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}
