/** The two configurations that come with the gateway pass the check once the files that they name are there. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/checkConfig.ts';
import { loadConfig } from '../../src/config/load.ts';
import { jwksOf } from '../issuer/keys.ts';
import { tempDir } from '../support/places.ts';
import { CA, KEYS, MTLS_PAIR } from './oauthSample.ts';

const file = (name: string): string => join(import.meta.dirname, '../../config', name);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = tempDir('shipped');
  mkdirSync(join(folder, 'keys'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
  return folder;
};

const SEAL_KEY = `${Buffer.alloc(32, 1).toString('base64')}\n`;

const sandbox = () =>
  folderWith({
    'keys/seal.key': SEAL_KEY,
    'keys/demo-wallet.sha256': `${sha256('a')}\n`,
    'keys/issuer.token': 'issuer-token\n',
    'keys/token.jwk.json': KEYS.token,
    'keys/payload.jwk.json': KEYS.payload,
    'keys/demo-bank.jwks.json': jwksOf(KEYS.clientEc, KEYS.clientRsa),
  });

describe('config/sandbox.yaml', () => {
  test('passes without a warning, and takes its ports, folder and journal from the environment', async () => {
    const SANDBOX_DIR = sandbox();
    const plain = await loadConfig(file('sandbox.yaml'), { SANDBOX_DIR });
    if (!plain.ok) throw new Error(JSON.stringify(plain.problems));
    expect(plain.warnings).toEqual([]);
    expect(plain.config.server.port).toBe(8080);
    expect(plain.config.admin.port).toBe(9090);
    expect(plain.config.issuers[0]?.baseUrl).toBe('http://127.0.0.1:7070/card-api');
    expect(plain.config.journal.target).toEqual({ kind: 'sqlite', file: join(SANDBOX_DIR, 'gateway.db') });
    // All but the one that is retired.
    expect(plain.config.clients.map(client => client.scopes.size)).toEqual([46, 46]);

    const env = {
      SANDBOX_DIR,
      GATEWAY_PORT: '8',
      GATEWAY_ADMIN_PORT: '9',
      SANDBOX_ISSUER_PORT: '7',
      JOURNAL_URL: 'redis://127.0.0.1:6379',
    };
    const set = await loadConfig(file('sandbox.yaml'), env);
    if (!set.ok) throw new Error(JSON.stringify(set.problems));
    expect(set.warnings).toEqual([]);
    expect([set.config.server.port, set.config.admin.port]).toEqual([8, 9]);
    expect(set.config.issuers[0]?.baseUrl).toBe('http://127.0.0.1:7/card-api');
    expect(set.config.journal.target).toMatchObject({ kind: 'redis', host: '127.0.0.1' });
  });

  test('without its keys it names each of them', async () => {
    const result = await loadConfig(file('sandbox.yaml'), { SANDBOX_DIR: tempDir('empty') });
    expect(result.ok ? [] : result.problems.map(problem => problem.path)).toEqual([
      'journal.sealKeyFile',
      'oauth.signingKeyFiles[0]',
      'oauth.decryptionKeyFiles[0]',
      'clients[0].bearer.tokenSha256[0]',
      'clients[1].oauth.keysFile',
      'issuers[0].credentials.bearer',
    ]);
  });
});

describe('config/gateway.example.yaml', () => {
  test('passes without a warning', async () => {
    const SECRETS_DIR = folderWith({
      'seal.key': SEAL_KEY,
      'wallet.sha256': sha256('w'),
      'acquirer.sha256': sha256('a'),
      'core-bank.token': 'one',
      'processor-ledger.token': 'two',
      'token.jwk.json': KEYS.token,
      'payload.jwk.json': KEYS.payload,
      'partner-bank.jwks.json': jwksOf(KEYS.clientEc, KEYS.clientRsa),
      'partner-issuer-signing.jwk.json': KEYS.token2,
      'partner-issuer.jwks.json': jwksOf(KEYS.issuerRsa),
      'partner-issuer-client.pem': MTLS_PAIR.cert,
      'partner-issuer-client.key': MTLS_PAIR.key,
      'partner-issuer-ca.pem': CA.cert,
    });
    const lines: string[] = [];
    const code = await checkConfig(file('gateway.example.yaml'), { SECRETS_DIR, REDIS_PASSWORD: 'pw' }, line =>
      lines.push(line),
    );
    expect(lines.join('\n')).toMatch(/^\S*gateway\.example\.yaml: 0 problems, 0 warnings$/);
    expect(code).toBe(0);
  });
});
