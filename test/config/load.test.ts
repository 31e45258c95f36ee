/** The configuration as a whole: what a valid one becomes, and that everything wrong is found in one run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { HASH_A, HASH_B, load, loadGood, place, places, problemsOf, SAMPLE, sampleWith } from './sample.ts';

describe('a valid configuration', () => {
  test.for([
    ['openapi: false', false, false],
    ['docs: false', true, false],
    ['openapi: true', true, true],
  ] as const)('is described as far as it says: %s', async ([line, openapi, docs]) => {
    const { config } = await loadGood(sampleWith(['port: 8080', `port: 8080\n  ${line}`]));
    expect(config.server).toMatchObject({ openapi, docs });
  });

  test('is taken apart, with every default filled in', async () => {
    const { config, warnings } = await loadGood(SAMPLE);
    expect(warnings).toEqual([]);
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 8080,
      basePath: '/card-api',
      trustedProxies: [],
      workers: 1,
      openapi: true,
      docs: true,
      tls: undefined,
    });
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 9090 });
    expect(config.journal).toMatchObject({ retentionHours: 168, amnesiaMinutes: 10, replicas: 0 });
    expect(config.journal.sealKeys.map(key => key.reveal().length)).toEqual([32]);
    expect(config.oauth).toBeUndefined();
    expect(config.clients[0]).toMatchObject({
      id: 'wallet',
      product: 'prepaid',
      access: { kind: 'bearer', tokenSha256: [HASH_A] },
      payload: 'plain',
      allowFrom: ['127.0.0.0/8'],
      budgetMs: 3000,
      timestampToleranceSeconds: 300,
      ratePerSecond: 0,
    });
    expect(config.issuers[1]).toMatchObject({
      id: 'ledger',
      baseUrl: 'http://127.0.0.1:7070',
      balanceHeldBy: 'processor',
      timeoutMs: 2000,
      maxInFlight: 256,
      maxDeliveries: 16,
      maxProcessingMs: 60_000,
      remembersHours: 72,
      breaker: { errorPercent: 50, minimumCalls: 20, windowMs: 10_000, openMs: 5000 },
      payload: { kind: 'plain' },
      tls: undefined,
    });
    expect(config.routes).toEqual([
      { participant: '100000', cardPrefix: '', issuer: 'bank' },
      { participant: '100001', cardPrefix: '', issuer: 'ledger' },
    ]);
  });

  test('resolves paths against its own folder, and empty allowFrom stays empty: nobody', async () => {
    const path = place(SAMPLE);
    const result = await loadConfig(path, {});
    if (!result.ok) throw new Error('not valid');
    expect(result.config.file).toBe(path);
    expect(result.config.journal.target).toEqual({ kind: 'sqlite', file: join(dirname(path), 'var/gateway.db') });
    expect(result.config.journal.sealKeyFile).toBe(join(dirname(path), 'seal.key'));
    expect(result.config.clients[1]?.allowFrom).toEqual([]);
  });

  test('keeps what is set: breaker in part, time-outs by API, prefixes, slashes at the end', async () => {
    const { config } = await loadGood(
      sampleWith(
        ['basePath: /card-api', 'basePath: /'],
        [
          'card-api\n    balanceHeldBy',
          'card-api/\n    breaker: {openMs: 100}\n    timeoutMsByApi: {Purchase: 1500}\n    balanceHeldBy',
        ],
        ['issuer: ledger', 'issuer: ledger\n  - {participant: "100001", cardPrefix: "4220", issuer: bank}'],
      ),
    );
    expect(config.server.basePath).toBe('');
    expect(config.issuers[0]?.baseUrl).toBe('https://bank.example/card-api');
    expect(config.issuers[0]?.breaker).toEqual({ errorPercent: 50, minimumCalls: 20, windowMs: 10_000, openMs: 100 });
    expect([...(config.issuers[0]?.timeoutMsByApi ?? [])]).toEqual([['Purchase', 1500]]);
    expect(config.routes[2]).toEqual({ participant: '100001', cardPrefix: '4220', issuer: 'bank' });
  });

  test('may use anchors, and JSON is YAML', async () => {
    await loadGood(sampleWith(['["100001"]', '&p ["100001"]'], ['["100000"]', '["100000"]']));
    const { config } = await loadGood(
      sampleWith(['[127.0.0.0/8]', '&net [127.0.0.0/8]'], ['allowFrom: []', 'allowFrom: *net']),
    );
    expect(config.clients[1]?.allowFrom).toEqual(['127.0.0.0/8']);
    await loadGood(
      '{"server": {"host": "::1", "port": 0, "basePath": "/x"}, "admin": {"host": "localhost", "port": 0}, "journal": {"url": "sqlite::memory:", "sealKeyFile": "seal.key"}, "clients": [], "issuers": [], "routes": []}',
    );
  });

  test('names the line of every key', async () => {
    const { config } = await loadGood(SAMPLE);
    expect(config.lines.get('journal.url')).toBe(9);
    expect(config.lines.get('clients[1].bearer.tokenSha256[0]')).toBe(24);
  });
});

describe('limits, key files and the file itself', () => {
  test('a default that contradicts another limit is named as a default', async () => {
    const text = sampleWith(['sealKeyFile: seal.key', 'sealKeyFile: seal.key\n  retentionHours: 49']);
    const problems = await problemsOf(text);
    expect(places(problems)).toEqual(['28 issuers[0].remembersHours', '33 issuers[1].remembersHours']);
    expect(problems[0]?.what).toMatch(/72 h \(the default/);
  });

  test('a time-out of an API that the client may not call is its own business', async () => {
    const text = sampleWith([
      'balanceHeldBy: processor',
      'balanceHeldBy: processor\n    timeoutMsByApi: {Refund: 2900}',
    ]);
    await loadGood(text);
  });

  test('the key file itself: not text, too large, empty, twice the same, wrong length', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const what = async (content: string) => (await problemsOf(SAMPLE, {}, { 'seal.key': content }))[0]?.what;
    expect(await what('')).toMatch(/no key/);
    expect(await what(`${key}\n${key}\n`)).toMatch(/lines 1 and 2/);
    expect(await what(`${key}\n\nAAAA\n`)).toMatch(/line 3/);
    expect(await what(key.replace('=', ''))).toMatch(/line 1/);
    expect(await what('x'.repeat(70_000))).toMatch(/larger than 64 KiB/);
  });

  test('the file itself: not there, empty, not UTF-8, not a map, too large', async () => {
    const only = async (path: string) => {
      const result = await loadConfig(path, {});
      return result.ok ? [] : result.problems.map(problem => problem.what);
    };
    expect(await only('/nowhere/gateway.yaml')).toEqual(['this file is not there']);
    expect(await only(place(''))).toEqual(['the file is empty']);
    expect((await only(place('- 1\n')))[0]).toMatch(/not a map of sections/);
    const notText = place(SAMPLE);
    writeFileSync(notText, Buffer.concat([Buffer.from(`${SAMPLE}# `), Buffer.from([0xff, 0xfe])]));
    expect(await only(notText)).toEqual(['this file is not UTF-8 text']);
    expect(await only(place('#'.repeat(1_100_000)))).toEqual(['this file is larger than 1024 KiB']);
    const folder = dirname(place(''));
    mkdirSync(join(folder, 'sub'));
    expect(await only(join(folder, 'sub'))).toEqual(['this file is not a regular file']);
  });
});

describe('all problems at once', () => {
  test('across sections, kinds of checks and files', async () => {
    const text = sampleWith(
      ['port: 8080', 'prot: 8080'],
      ['sealKeyFile: seal.key', 'sealKeyFile: none.key'],
      ['[Transaction]', '[Transactoin]'],
      [`[${HASH_B}]`, `[${HASH_A}]`],
      [
        'balanceHeldBy: issuer',
        'balanceHeldBy: issuer\n    timeoutMs: 2900\n    mtls: {certFile: a, keyFile: seal.key}',
      ],
      ['issuer: bank', 'issuer: bnak'],
      ['"ledger-token"', '"${LEDGER_TOKEN}"'],
    );
    expect(places(await problemsOf(text.replaceAll('bnak', 'bank2')))).toEqual([
      '1 server.port',
      '3 server.prot',
      '10 journal.sealKeyFile',
      '15 clients[0].scopes[0]',
      '24 clients[1].bearer.tokenSha256[0]',
      '31 issuers[0].mtls.certFile',
      '38 issuers[1].credentials.bearer',
      '41 routes[0].issuer',
    ]);
  });

  test('one mistake is reported once: an unreadable name is not also a missing one', async () => {
    const text = sampleWith(['id: bank', 'id: "b a n k"'], ['allowFrom: [127.0.0.0/8]', 'allowFrom: [x]']);
    const result = await load(text);
    expect(places(result.ok ? [] : result.problems)).toEqual(['18 clients[0].allowFrom[0]', '27 issuers[0].id']);
    expect(result.warnings).toEqual([]);
  });

  test('text that is not YAML is not looked at any further', async () => {
    expect(places(await problemsOf(sampleWith(['port: 8080', 'port: "8080'])))).toHaveLength(1);
    expect(places(await problemsOf(sampleWith(['port: 8080', '\tprot: 8080'], ['id: bank', 'id: 5'])))).toEqual(['3 ']);
  });

  test('a faulty prefix is not also a doubled route, and an unknown key hides nothing', async () => {
    const route = '  - {participant: "100000", cardPrefix: "*", issuer: bank}\n';
    const prefix = sampleWith(['issuer: ledger\n', `issuer: ledger\n${route}${route}`]);
    expect(places(await problemsOf(prefix))).toEqual(['42 routes[2].cardPrefix', '43 routes[3].cardPrefix']);
    const text = sampleWith(
      ['product: prepaid', 'product: prepaid\n    constructor: 1'],
      ['[Transaction]', '[Nothing]'],
    );
    expect(places(await problemsOf(text))).toEqual(['15 clients[0].constructor', '16 clients[0].scopes[0]']);
  });

  test('a faulty limit is not also a contradiction of its default', async () => {
    const text = sampleWith(
      ['product: prepaid', 'product: prepaid\n    budgetMs: 1000'],
      ['balanceHeldBy: issuer', 'balanceHeldBy: issuer\n    timeoutMs: soon'],
    );
    expect(places(await problemsOf(text))).toEqual(['31 issuers[0].timeoutMs']);
  });
});

describe('said out loud', () => {
  test('plaintext beyond loopback is allowed where the entry says so', async () => {
    const { config } = await loadGood(
      sampleWith(
        ['host: 127.0.0.1', 'host: 0.0.0.0\n  dangerouslyAllowPlaintext: true'],
        ['https://bank.example/card-api', 'http://bank.example/card-api\n    dangerouslyAllowPlaintext: true'],
      ),
    );
    expect(config.server.host).toBe('0.0.0.0');
    expect(config.issuers[0]?.baseUrl).toBe('http://bank.example/card-api');
  });
});

describe('scopes', () => {
  test('a module means all its APIs at an issuer, and those of the programme at the processor', async () => {
    const { config } = await loadGood(sampleWith(['[Purchase]', '[Transaction, BalanceInquiry]']));
    expect(config.clients[0]?.scopes.size).toBe(15);
    expect(config.clients[1]?.scopes.size).toBe(15);
    const ours = await loadGood(sampleWith(['product: prepaid', 'product: debit']));
    expect(ours.config.clients[0]?.scopes.size).toBe(15);
    const debit = sampleWith(
      ['["100001"]\n    product: prepaid', '["100001"]\n    product: debit'],
      ['[Purchase]', '[Transaction]'],
    );
    expect((await loadGood(debit)).config.clients[1]?.scopes.size).toBe(0);
  });
});
