/** What the first start of the sandbox makes, what later starts keep, and what credentials.json tells. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isKeyFault } from '../../src/edge/jwk.ts';
import { parseClientJwks, parseOpeningKey, parseSigningKey } from '../../src/edge/keys.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { prepareSandbox, type SandboxCredentials, writeCredentials } from '../../src/sandbox/credentials.ts';
import { startDemoIssuer } from '../../src/sandbox/demoIssuer.ts';
import { Ledger } from '../../src/sandbox/ledger.ts';
import { tempDir } from '../support/places.ts';

const prepare = (dir: string): Promise<SandboxCredentials> =>
  prepareSandbox({ dir, clock: systemClock, random: systemRandom });
const contents = (dir: string): Record<string, string> =>
  Object.fromEntries(readdirSync(join(dir, 'keys')).map(name => [name, readFileSync(join(dir, 'keys', name), 'utf8')]));
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

const dir = tempDir('sandbox');
let credentials: SandboxCredentials;
beforeAll(async () => {
  credentials = await prepare(dir);
});

const URLS = {
  baseUrl: 'http://127.0.0.1:1/card-api',
  adminUrl: 'http://127.0.0.1:2',
  issuerUrl: 'http://127.0.0.1:3',
  oauthIssuer: 'http://127.0.0.1:1',
};

describe('the keys of the sandbox', () => {
  it('are there after the first start, each for its owner alone', () => {
    expect(Object.keys(contents(dir)).sort()).toEqual([
      'demo-bank.decryption.jwk.json',
      'demo-bank.jwks.json',
      'demo-bank.signing.jwk.json',
      'demo-wallet.sha256',
      'demo-wallet.token',
      'issuer.token',
      'payload.jwk.json',
      'seal.key',
      'token.jwk.json',
    ]);
    for (const name of readdirSync(join(dir, 'keys'))) {
      expect([name, statSync(join(dir, 'keys', name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it('are what the gateway takes, four different ones', async () => {
    const files = contents(dir);
    const keys = [
      await parseSigningKey(files['token.jwk.json'] ?? ''),
      await parseOpeningKey(files['payload.jwk.json'] ?? ''),
      await parseSigningKey(files['demo-bank.signing.jwk.json'] ?? ''),
      await parseOpeningKey(files['demo-bank.decryption.jwk.json'] ?? ''),
    ];
    const kids = keys.map(key => (isKeyFault(key) ? key.what : key.kid));
    expect(new Set(kids).size).toBe(4);
    const set = await parseClientJwks(files['demo-bank.jwks.json'] ?? '', { needsEncryption: true });
    expect(isKeyFault(set) ? set.what : set.kids).toEqual(kids.slice(2));
    expect(files['demo-bank.jwks.json']).not.toMatch(/"[dpq]"/);
  });

  it('stay as they are at later starts', async () => {
    const before = contents(dir);
    await prepare(dir);
    expect(contents(dir)).toEqual(before);
  });

  it('are the same for two processes that start at once', async () => {
    const twice = tempDir('sandbox');
    const made = await Promise.all([prepare(twice), prepare(twice)]);
    expect(made[0].clientToken.reveal()).toBe(made[1].clientToken.reveal());
    const files = contents(twice);
    const signing = await parseSigningKey(files['demo-bank.signing.jwk.json'] ?? '');
    expect(files['demo-bank.jwks.json']).toContain(isKeyFault(signing) ? signing.what : signing.kid);
  });

  it.each([
    ['demo-bank.signing.jwk.json', '{}', 'demo-bank.signing.jwk.json is not an EC key'],
    ['demo-bank.decryption.jwk.json', 'x', 'demo-bank.decryption.jwk.json is not a JSON Web Key'],
    ['demo-bank.jwks.json', '{"keys":[]}', 'demo-bank.jwks.json has not the public halves'],
    ['token.jwk.json', '', 'token.jwk.json is damaged'],
    ['seal.key', 'x', 'seal.key is damaged'],
  ])('%s that holds %j stops the start with its name and how to mend it', async (name, content, message) => {
    const damaged = tempDir('sandbox');
    await prepare(damaged);
    const file = join(damaged, 'keys', name);
    writeFileSync(file, content);
    const failure = await prepare(damaged).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(failure).toContain(join(damaged, 'keys', message.split(' ')[0] ?? ''));
    expect(failure).toContain(message);
    expect(failure).toContain('delete it');
    rmSync(file);
    rmSync(join(damaged, 'keys', 'demo-bank.jwks.json'), { force: true });
    await prepare(damaged);
  });
});

describe('credentials.json', () => {
  it('is exactly what the design says, with absolute paths', async () => {
    const file = await writeCredentials(credentials, URLS, systemRandom);
    expect(file).toBe(join(dir, 'credentials.json'));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const content = JSON.parse(readFileSync(file, 'utf8'));
    const keys = join(dir, 'keys');
    expect(content).toEqual({
      baseUrl: URLS.baseUrl,
      adminUrl: URLS.adminUrl,
      issuerUrl: URLS.issuerUrl,
      bearer: { clientId: 'demo-wallet', participantId: '100000', token: expect.any(String) },
      oauth: {
        clientId: 'demo-bank',
        participantId: '100000',
        issuer: 'http://127.0.0.1:1',
        tokenEndpoint: 'http://127.0.0.1:1/oauth2/token',
        scope: 'Application Customer Account Card Transaction Token Authentication Parameter',
        signingKeyFile: join(keys, 'demo-bank.signing.jwk.json'),
        decryptionKeyFile: join(keys, 'demo-bank.decryption.jwk.json'),
      },
      cards: expect.any(Array),
    });
    expect(`${hash(content.bearer.token)}\n`).toBe(contents(dir)['demo-wallet.sha256']);
    const rich = content.cards.filter(
      (card: Record<string, string>) => card.currency === '840' && Number(card.balance) >= 1000,
    );
    expect(rich.length).toBeGreaterThanOrEqual(2);
  });

  it('names cards that pay: the place of one that was closed is taken by another', async () => {
    const home = tempDir('sandbox');
    const dollarsOf = (made: SandboxCredentials) => made.cards.reveal().filter(({ currency }) => currency === '840');
    const before = dollarsOf(await prepare(home));
    const ledger = new Ledger(join(home, 'issuer.db'), systemClock);
    for (const { cardToken } of before) {
      const card = ledger.store.cardByToken(cardToken);
      if (card) ledger.store.records.cards.save({ ...card, cardStatus: 'X' });
    }
    ledger.close();
    const made = await prepare(home);
    const after = dollarsOf(made);
    expect(after.map(({ balance }) => balance)).toEqual(['10000.00', '10000.00']);
    const closed = before.map(({ cardToken }) => cardToken);
    expect(after.filter(({ cardToken }) => closed.includes(cardToken))).toEqual([]);
    // The first call is made with the first card, in dollars.
    expect(made.cards.reveal()[0]).toEqual(after[0]);
    expect(dollarsOf(await prepare(home))).toEqual(after);
  });

  it('of an earlier run is gone once the next one has its port, and not before', async () => {
    await writeCredentials(credentials, URLS, systemRandom);
    const present = () => readdirSync(dir).includes('credentials.json');
    const options = { credentials: await prepare(dir), host: '127.0.0.1', basePath: '/card-api', clock: systemClock };
    expect(present()).toBe(true);
    const first = await startDemoIssuer({ ...options, port: 0 });
    expect(present()).toBe(false);
    await writeCredentials(credentials, URLS, systemRandom);
    await expect(startDemoIssuer({ ...options, port: first.port })).rejects.toThrow('EADDRINUSE');
    expect(present()).toBe(true);
    await first.close();
  });
});
