/**
 * What the first start makes and the later ones keep: keys, tokens, cards and credentials.json, their form and their
 * permissions, and what is said when one of them is damaged.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isPan } from '../../src/domain/card.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { prepareSandbox, type SandboxCredentials, writeCredentials } from '../../src/sandbox/credentials.ts';
import { startDemoIssuer } from '../../src/sandbox/demoIssuer.ts';
import { header, money } from './support.ts';

let base: string;
let dir: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'credentials-'));
  dir = join(base, 'deep', 'sandbox');
});
afterEach(() => rm(base, { recursive: true }));

const prepare = (): Promise<SandboxCredentials> => prepareSandbox({ dir, clock: systemClock, random: systemRandom });
const text = (name: string): Promise<string> => readFile(join(dir, name), 'utf8');
const KEYS = ['seal.key', 'demo-wallet.token', 'demo-wallet.sha256', 'issuer.token'];
const URLS = {
  baseUrl: 'http://127.0.0.1:1/card-api',
  adminUrl: 'http://127.0.0.1:2',
  issuerUrl: 'http://127.0.0.1:3',
};

describe('the first start', () => {
  it('makes keys and tokens of the right form, for the owner only', async () => {
    const credentials = await prepare();
    const key = await text('keys/seal.key');
    expect(key).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(Buffer.from(key, 'base64')).toHaveLength(32);
    const token = (await text('keys/demo-wallet.token')).trim();
    expect(token).toMatch(/^[A-Za-z0-9_-]{43,64}$/);
    expect(token).toBe(credentials.clientToken.reveal());
    expect((await text('keys/issuer.token')).trim()).toBe(credentials.issuerToken.reveal());
    expect((await text('keys/demo-wallet.sha256')).trim()).toBe(createHash('sha256').update(token).digest('hex'));
    for (const name of KEYS) expect((await stat(join(dir, 'keys', name))).mode & 0o777).toBe(0o600);
    for (const name of ['', 'keys']) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, 'issuer.db'))).mode & 0o777).toBe(0o600);
    expect((await readdir(join(dir, 'keys'))).sort()).toEqual([...KEYS].sort());
  });

  it('makes demo cards of the form of the wire, with money on them', async () => {
    const cards = (await prepare()).cards.reveal();
    expect(cards.filter(({ currency }) => currency === '840').length).toBeGreaterThanOrEqual(2);
    expect(cards.map(({ currency }) => currency)).toEqual(expect.arrayContaining(['392', '414']));
    for (const card of cards) {
      expect(isPan(card.cardNumber)).toBe(true);
      expect(card.cardNumber).toMatch(/^4220\d{12}$/);
      expect(card.cardToken).toMatch(/^[A-Za-z0-9_-]{1,27}$/);
      expect(card.expiryDate).toMatch(/^\d{2}(0[1-9]|1[0-2])$/);
      expect(card.CVV2).toMatch(/^\d{3}$/);
      expect(Number(card.balance)).toBeGreaterThanOrEqual(1_000);
    }
    expect(new Set(cards.map(({ cardNumber }) => cardNumber)).size).toBe(cards.length);
  });

  it('prints no secret by accident (I14)', async () => {
    const credentials = await prepare();
    const shown = inspect(credentials, { depth: 9 }) + JSON.stringify(credentials);
    const [card] = credentials.cards.reveal();
    for (const secret of [credentials.clientToken.reveal(), credentials.issuerToken.reveal(), card?.cardNumber]) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe('credentials.json', () => {
  it('is written whole, for the owner only, and says where and with what to call', async () => {
    const credentials = await prepare();
    await expect(text('credentials.json')).rejects.toThrow('ENOENT');
    const path = await writeCredentials(credentials, URLS, systemRandom);
    expect(isAbsolute(path)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      ...URLS,
      bearer: { clientId: 'demo-wallet', participantId: '100000', token: credentials.clientToken.reveal() },
      cards: credentials.cards.reveal(),
    });
    await writeCredentials(credentials, { ...URLS, adminUrl: 'http://127.0.0.1:9' }, systemRandom);
    expect(JSON.parse(await readFile(path, 'utf8')).adminUrl).toBe('http://127.0.0.1:9');
    expect((await readdir(dir)).filter(name => name.startsWith('.'))).toEqual([]);
  });

  it('of an earlier run is gone once the next one has its port, and not before', async () => {
    const credentials = await prepare();
    await writeCredentials(credentials, URLS, systemRandom);
    const options = { credentials: await prepare(), host: '127.0.0.1', basePath: '/card-api', clock: systemClock };
    expect(await text('credentials.json')).toContain('demo-wallet');
    const first = await startDemoIssuer({ ...options, port: 0 });
    await expect(text('credentials.json')).rejects.toThrow('ENOENT');
    await writeCredentials(credentials, URLS, systemRandom);
    await expect(startDemoIssuer({ ...options, port: first.port })).rejects.toThrow('EADDRINUSE');
    expect(await text('credentials.json')).toContain('demo-wallet');
    await first.close();
  });
});

describe('a later start', () => {
  it('keeps every key, token and card, and tells the balances as they are now', async () => {
    const first = await prepare();
    const [card, ...others] = first.cards.reveal();
    const issuer = await startDemoIssuer({
      credentials: first,
      host: '127.0.0.1',
      port: 0,
      basePath: '/card-api',
      clock: systemClock,
    });
    const answer = await fetch(`${issuer.baseUrl}/tranmgr/purchase`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${first.issuerToken.reveal()}`,
        'content-type': 'application/json',
        timestamp: '1',
      },
      body: JSON.stringify({ ...header(), cardToken: card?.cardToken, ...money('100.00') }),
    });
    expect(await answer.json()).toMatchObject({ responseCode: '00' });
    await issuer.close();
    const before = await Promise.all(KEYS.map(name => text(`keys/${name}`)));
    const second = await prepare();
    expect(await Promise.all(KEYS.map(name => text(`keys/${name}`)))).toEqual(before);
    expect(second.cards.reveal()).toEqual([{ ...card, balance: (Number(card?.balance) - 100).toFixed(2) }, ...others]);
  });

  it('makes what a crash left undone', async () => {
    const first = await prepare();
    await rm(join(dir, 'keys', 'demo-wallet.sha256'));
    await rm(join(dir, 'keys', 'issuer.token'));
    await writeFile(join(dir, 'keys', '.seal.key.half'), 'half');
    const second = await prepare();
    expect(second.clientToken.reveal()).toBe(first.clientToken.reveal());
    expect(second.issuerToken.reveal()).not.toBe(first.issuerToken.reveal());
  });

  it.each([
    ['seal.key', 'short\n'],
    ['demo-wallet.token', ''],
    ['issuer.token', 'two words'],
    ['demo-wallet.sha256', `${'0'.repeat(64)}\n`],
  ])('refuses a damaged %s, naming the file and never what is in it', async (name, content) => {
    await prepare();
    const path = join(dir, 'keys', name);
    await writeFile(path, content);
    const error = await prepare().catch((caught: unknown) => caught);
    expect(String(error)).toContain(path);
    expect(String(error)).toContain('delete it');
    if (content.trim()) expect(String(error)).not.toContain(content.trim());
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  it('and one at the same moment end up with the same keys', async () => {
    await mkdir(dir, { recursive: true });
    const both = await Promise.all([prepare(), prepare(), prepare()]);
    expect(new Set(both.map(({ clientToken }) => clientToken.reveal())).size).toBe(1);
    expect(new Set(both.map(({ issuerToken }) => issuerToken.reveal())).size).toBe(1);
    expect(new Set(both.map(({ cards }) => JSON.stringify(cards.reveal()))).size).toBe(1);
  });

  it('tells of a directory that cannot be written', async () => {
    await writeFile(join(base, 'file'), '');
    await chmod(join(base, 'file'), 0o600);
    const there = prepareSandbox({ dir: join(base, 'file', 'x'), clock: systemClock, random: systemRandom });
    await expect(there).rejects.toThrow('ENOTDIR');
  });
});

describe('the demo issuer', () => {
  it('says so when its port is taken, and lets go of the ledger', async () => {
    const credentials = await prepare();
    const options = { credentials, host: '127.0.0.1', basePath: '/card-api', clock: systemClock };
    const issuer = await startDemoIssuer({ ...options, port: 0 });
    await expect(startDemoIssuer({ ...options, port: issuer.port })).rejects.toThrow('EADDRINUSE');
    expect(issuer.url).toBe(`http://127.0.0.1:${issuer.port}`);
    expect(issuer.baseUrl).toBe(`${issuer.url}/card-api`);
    await issuer.close();
  });

  it('has a frozen and an expired card for whoever wants to be declined', async () => {
    const credentials = await prepare();
    const issuer = await startDemoIssuer({
      credentials,
      host: '127.0.0.1',
      port: 0,
      basePath: '/card-api',
      clock: systemClock,
    });
    const verify = async (cardToken: string): Promise<unknown> => {
      const answer = await fetch(`${issuer.baseUrl}/tranmgr/verification`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${credentials.issuerToken.reveal()}`,
          'content-type': 'application/json',
          timestamp: '1',
        },
        body: JSON.stringify({ ...header(), cardToken }),
      });
      return JSON.parse(await answer.text()).responseCode;
    };
    expect(await verify('4220-demo-frozen')).toBe('03');
    expect(await verify('4220-demo-expired')).toBe('54');
    expect(await verify(credentials.cards.reveal()[0]?.cardToken ?? '')).toBe('00');
    await issuer.close();
  });
});
