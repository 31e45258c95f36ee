/** I14: no value that is or may be a secret appears in problems, warnings, the printed report or the printed configuration. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/config/checkConfig.ts';
import { loadConfig } from '../../src/config/load.ts';
import { CANARY_TOKEN } from '../support/canary.ts';
import { FILES, KEYS, keySampleWith } from './oauthSample.ts';
import { type Change, HASH_A, place, sampleWith } from './sample.ts';

const printed = async (text: string, env: Record<string, string>, files: Record<string, string> = {}) => {
  const path = place(text, files);
  const lines: string[] = [];
  const code = await checkConfig(path, env, line => lines.push(line));
  const result = await loadConfig(path, env);
  return { code, output: [...lines, JSON.stringify(result), inspect(result, { depth: 20 })].join('\n') };
};

/** The canary where a value is read from: the environment, a file, or the text of the configuration itself. */
const SOURCES = [
  ['environment', '${CANARY}'],
  ['file', '${file:canary}'],
  ['text', CANARY_TOKEN],
] as const;

const WRONG_PLACES: readonly (readonly [string, (value: string) => Change])[] = [
  ['server.host', value => ['host: 127.0.0.1', `host: "${value} "`]],
  ['server.port', value => ['port: 8080', `port: "${value}"`]],
  ['server.basePath', value => ['/card-api', `"${value}"`]],
  ['journal.url', value => ['sqlite:var/gateway.db', `"redis://:${value}@x:y"`]],
  ['journal.url as a whole', value => ['sqlite:var/gateway.db', `"${value}"`]],
  ['journal.sealKeyFile', value => ['sealKeyFile: seal.key', `sealKeyFile: "${value}"`]],
  ['clients[].id', value => ['id: wallet', `id: "${value} "`]],
  ['clients[].participants', value => ['["100000"]', `["${value}"]`]],
  ['clients[].product', value => ['product: prepaid', `product: "${value}"`]],
  ['clients[].scopes', value => ['[Transaction]', `["${value}"]`]],
  ['clients[].bearer', value => ['bearer:', `bearer: "${value}"\n    x:`]],
  ['clients[].bearer.tokenSha256', value => [`[${HASH_A}]`, `["${value}"]`]],
  ['clients[].allowFrom', value => ['[127.0.0.0/8]', `["${value}"]`]],
  ['clients[].oauth', value => ['bearer:', `oauth: {keysFile: "${value}"}\n    bearer:`]],
  ['issuers[].baseUrl', value => ['https://bank.example/card-api', `"https://u:${value}@bank.example"`]],
  ['issuers[].credentials', value => ['credentials:\n      bearer: "bank-token"', `credentials: "${value}"`]],
  ['issuers[].credentials.bearer', value => ['"bank-token"', `"${value} x"`]],
  [
    'issuers[].credentials.oauth',
    value => ['bearer: "bank-token"', `oauth: {clientId: "${value}", tokenEndpoint: "${value}"}`],
  ],
  ['issuers[].payloadKeys', value => ['balanceHeldBy: issuer', `balanceHeldBy: issuer\n    payloadKeys: "${value}"`]],
  [
    'issuers[].credentials.oauth.scope',
    value => ['bearer: "bank-token"', `oauth: {scope: '"${value.replace(/'/g, '')}"', clientId: "\\u0000${value}"}`],
  ],
  ['issuers[].mtls', value => ['balanceHeldBy: issuer', `balanceHeldBy: issuer\n    mtls: {certFile: "${value}"}`]],
  ['oauth.issuer', value => ['journal:', `oauth: {issuer: "${value}", signingKeyFiles: ["${value}"]}\njournal:`]],
  ['routes[].issuer', value => ['issuer: bank', `issuer: "${value}"`]],
  ['routes[].cardPrefix', value => ['issuer: bank', `issuer: bank\n    cardPrefix: "${value}"`]],
  ['a path of ${file:...}', value => ['"bank-token"', `"\${file:${value}}"`]],
  ['YAML that is not closed', value => ['"bank-token"', `"${value}`]],
  ['YAML with an escape that is none', value => ['"bank-token"', `"\\q${value}"`]],
  ['YAML with an anchor that is none', value => ['"bank-token"', `*x${value.replace(/[{}]/g, '')}`]],
];

describe('I14 a canary never comes out', () => {
  for (const [source, value] of SOURCES) {
    test.for(WRONG_PLACES)(`from the ${source}, in the wrong place: %s`, async ([, change]) => {
      const env = { CANARY: CANARY_TOKEN };
      const { code, output } = await printed(sampleWith(change(value)), env, { canary: CANARY_TOKEN });
      expect(code).toBe(1);
      expect(output).not.toContain(CANARY_TOKEN);
    });

    test(`from the ${source}, in the right places: printing the configuration shows none of it`, async () => {
      const text = sampleWith(
        ['"bank-token"', `"${value}"`],
        ['sqlite:var/gateway.db', `"rediss://user:${value}@redis.example"`],
      );
      const { code, output } = await printed(text, { CANARY: CANARY_TOKEN }, { canary: CANARY_TOKEN });
      expect(code).toBe(0);
      expect(output).toContain('redis.example');
      expect(output).not.toContain(CANARY_TOKEN);
    });
  }

  test('key files and certificates, and what is wrong with them', async () => {
    const good = await printed(keySampleWith(), {}, FILES);
    expect(good.code).toBe(0);
    const torn = Object.fromEntries(Object.entries(FILES).map(([name, text]) => [name, `${text.slice(0, -9)} `]));
    const bad = await printed(keySampleWith(), {}, torn);
    const filled = Object.fromEntries(Object.keys(FILES).map(name => [name, CANARY_TOKEN]));
    const canary = await printed(keySampleWith(), {}, filled);
    expect([bad.code, canary.code]).toEqual([1, 1]);
    for (const { output } of [good, bad, canary]) {
      expect(output).not.toContain(CANARY_TOKEN);
      for (const text of Object.values(KEYS)) expect(output).not.toContain(JSON.parse(text).d);
    }
  });

  test('seal keys and what is wrong with them', async () => {
    const key = Buffer.alloc(32, 5).toString('base64');
    const good = await printed(sampleWith(), {}, { 'seal.key': key });
    const bad = await printed(sampleWith(), {}, { 'seal.key': `${key}\n${key}\nnot-a-key-${CANARY_TOKEN}` });
    expect([good.code, bad.code]).toEqual([0, 1]);
    for (const { output } of [good, bad]) {
      expect(output).not.toContain(key);
      expect(output).not.toContain(CANARY_TOKEN);
      expect(output).not.toContain('5, 5, 5');
    }
  });
});
