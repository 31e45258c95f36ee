/** What a running gateway can take over, and what it refuses as a whole. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { reloadable } from '../../src/config/reload.ts';
import { jwksOf } from '../issuer/keys.ts';
import { CA, FILES, KEYS, keySampleWith, TLS_PAIR } from './oauthSample.ts';
import { type Change, type Files, HASH_B, markedLines, place, SAMPLE, sampleWith } from './sample.ts';

const path = place(SAMPLE, FILES);
const configOf = async (text: string): Promise<Config> => {
  writeFileSync(path, text);
  const result = await loadConfig(path, {});
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
};

const TAKEN: readonly (readonly [string, Change])[] = [
  ['the same again', ['port: 8080', 'port: 8080']],
  ['a client less', [SAMPLE.slice(SAMPLE.indexOf('  - id: acquirer'), SAMPLE.indexOf('issuers:')), '']],
  ['a new token', [HASH_B, 'c'.repeat(64)]],
  ['an issuer elsewhere', ['https://bank.example', 'https://bank2.example']],
  [
    'another route',
    ['issuer: ledger\n', 'issuer: ledger\n  - {participant: "100000", cardPrefix: "4", issuer: ledger}\n'],
  ],
  ['the same file by another name', ['sqlite:var/gateway.db', 'sqlite:./var/gateway.db']],
];

const REFUSED: readonly (readonly [string, Change])[] = [
  ['server.host', ['host: 127.0.0.1', 'host: localhost #!']],
  ['server.port', ['port: 8080', 'port: 8081 #!']],
  ['server.basePath', ['/card-api', '/cards #!']],
  ['server.trustedProxies', ['port: 8080', 'port: 8080\n  trustedProxies: [10.0.0.0/8] #!']],
  ['server.docs', ['port: 8080', 'port: 8080\n  docs: false #!']],
  ['admin.port', ['port: 9090', 'port: 9091 #!']],
  ['journal.url', ['sqlite:var/gateway.db', 'sqlite:other.db #!']],
  ['journal.retentionHours', ['sealKeyFile: seal.key', 'sealKeyFile: seal.key\n  retentionHours: 200 #!']],
  ['journal.amnesiaMinutes', ['sealKeyFile: seal.key', 'sealKeyFile: seal.key\n  amnesiaMinutes: 20 #!']],
];

describe('reload', () => {
  test.for(TAKEN)('takes over: %s', async ([, change]) => {
    expect(reloadable(await configOf(SAMPLE), await configOf(sampleWith(change)))).toEqual([]);
  });

  test.for(REFUSED)('refuses, with the line: %s', async ([key, change]) => {
    const text = sampleWith(change);
    const problems = reloadable(await configOf(SAMPLE), await configOf(text));
    expect(problems.map(problem => [problem.path, problem.line])).toEqual([[key, markedLines(text)[0]]]);
  });

  const withKeys = async (text: string, files: Files) => {
    for (const [name, content] of Object.entries({ ...FILES, ...files })) {
      writeFileSync(join(dirname(path), name), content);
    }
    return configOf(text);
  };

  test('F77: takes over keys and certificates of every kind', async () => {
    const { cert, key } = CA.issue('gateway.example', { untilDays: 100 });
    const next = await withKeys(keySampleWith(), {
      'tls.pem': cert,
      'tls.key': key,
      'token.jwk.json': KEYS.clientEc2,
      'payload.jwk.json': KEYS.payload2,
      'us.jwk.json': KEYS.token,
      'bank.jwks.json': FILES['wallet.jwks.json'] ?? '',
      'wallet.jwks.json': jwksOf(KEYS.token2, KEYS.issuerRsa),
      'ours.jwk.json': KEYS.payload,
    });
    expect(reloadable(await withKeys(keySampleWith(), {}), next)).toEqual([]);
    expect(next.server.tls?.cert).not.toBe(TLS_PAIR.cert);
  });

  test.for<[string, Change, Change]>([
    ['server.tls', ['', ''], ['  tls:\n    certFile: tls.pem\n    keyFile: tls.key\n    clientCaFile: ca.pem\n', '']],
    ['server.tls.clientCaFile', ['    clientCaFile: ca.pem\n', ''], ['', '']],
  ])('refuses that %s appears or disappears', async ([key, ...changes]) => {
    const [one, other] = [keySampleWith(changes[0]), keySampleWith(changes[1])];
    const [old, next] = [await withKeys(one, {}), await withKeys(other, {})];
    expect(reloadable(old, next).map(problem => problem.path)).toContain(key);
    expect(reloadable(next, old).map(problem => problem.path)).toContain(key);
  });

  test('a login of the journal counts, and is not shown', async () => {
    const url = 'sqlite:var/gateway.db';
    const old = await configOf(sampleWith([url, 'rediss://:canary-one@a']));
    const next = await configOf(sampleWith([url, 'rediss://:canary-two@a']));
    const problems = reloadable(old, next);
    expect(problems.map(problem => problem.path)).toEqual(['journal.url']);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  test('names everything that cannot change at once', async () => {
    const next = await configOf(
      sampleWith(['port: 8080', 'port: 1'], ['port: 9090', 'port: 2'], ['sqlite:var', 'sqlite:x']),
    );
    expect(reloadable(await configOf(SAMPLE), next).map(problem => problem.path)).toEqual([
      'server.port',
      'admin.port',
      'journal.url',
    ]);
  });
});
