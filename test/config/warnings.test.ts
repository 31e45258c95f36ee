/** What an operator is told, though the gateway starts. */
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { FILES, OAUTH_SECTION } from './oauthSample.ts';
import { type Broken, loadGood, place, SAMPLE, sampleWith } from './sample.ts';

const WARNED: readonly Broken[] = [
  ['no allowFrom', 'clients[0].allowFrom', /any address/, ['    allowFrom: [127.0.0.0/8]\n', '']],
  [
    'no credentials',
    'issuers[0].credentials',
    /does not say who it is/,
    ['    credentials:\n      bearer: "bank-token"\n', ''],
  ],
  [
    'module without an API for the programme',
    'clients[1].scopes[0]',
    /none of the APIs/,
    ['["100001"]\n    product: prepaid', '["100001"]\n    product: debit'],
    ['[Purchase]', '[Transaction]'],
  ],
  [
    'identifier of ours without TLS',
    'oauth.issuer',
    /without TLS/,
    ['journal:', `${OAUTH_SECTION.replace('https:', 'http:')}journal:`],
  ],
  [
    'route of nobody',
    'routes[2].participant',
    /no client may name/,
    ['issuer: ledger\n', 'issuer: ledger\n  - {participant: "7", issuer: bank}\n'],
  ],
  [
    'issuer without a route',
    'issuers[2]',
    /no route leads to this issuer/,
    [
      'routes:',
      '  - {id: third, baseUrl: https://c.example, balanceHeldBy: issuer, credentials: {bearer: x}}\nroutes:',
    ],
  ],
  [
    'only routes with a prefix',
    'clients[0].participants[0]',
    /every route of this participant has a cardPrefix/,
    ['issuer: bank', 'issuer: bank\n    cardPrefix: "4"'],
  ],
  [
    'everybody is a proxy',
    'server.trustedProxies[0]',
    /anybody is trusted/,
    ['port: 8080', 'port: 8080\n  trustedProxies: [0.0.0.0/0]'],
  ],
  [
    'admin port beyond the machine',
    'admin.host',
    /listens beyond this machine/,
    ['admin:\n  host: 127.0.0.1', 'admin:\n  host: 0.0.0.0'],
  ],
  [
    'Redis over a network in the clear',
    'journal.url',
    /without TLS/,
    ['sqlite:var/gateway.db', 'redis://redis.example'],
  ],
  [
    'no client',
    'clients',
    /nobody can call/,
    [SAMPLE.slice(SAMPLE.indexOf('clients:'), SAMPLE.indexOf('issuers:')), 'clients: []\n'],
  ],
];

describe('warnings let the gateway start', () => {
  test.for(WARNED)('%s', async ([, path, what, ...changes]) => {
    const { warnings } = await loadGood(sampleWith(...changes), {}, FILES);
    const warning = warnings.find(found => found.path === path);
    expect(warning && formatProblem(warning), JSON.stringify(warnings)).toMatch(what);
    expect(warning?.line).toBeGreaterThan(1);
  });

  test('the seal key can be read by others', async () => {
    const path = place(SAMPLE);
    chmodSync(join(dirname(path), 'seal.key'), 0o640);
    const result = await loadConfig(path, {});
    expect(result.ok).toBe(true);
    expect(result.warnings.map(formatProblem).join()).toMatch(/:10: journal\.sealKeyFile: .*others than its owner/);
  });
});
