/**
 * `npm start` on ports that it chooses itself, and the demo client of OAuth against the gateway that it runs: the README's
 * commands, in processes of their own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/children.ts';
import { get, post } from '../support/client.ts';
import { freePort, tempDir } from '../support/places.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { through } from './apis/issuing.ts';
import { type Stage, wholeLife } from './apis/wholeLife.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dir = tempDir('sandbox');
const ANY_PORT = { GATEWAY_PORT: '0', GATEWAY_ADMIN_PORT: '0', SANDBOX_ISSUER_PORT: '0' };

type Credentials = {
  readonly baseUrl: string;
  readonly adminUrl: string;
  readonly issuerUrl: string;
  readonly bearer: { readonly token: string; readonly participantId: string };
  readonly oauth: Readonly<Record<string, string>>;
  readonly cards: readonly Readonly<Record<string, string>>[];
};

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Child> =>
  startChild(process.execPath, ['src/cli.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: '', VITEST: '', NODE_OPTIONS: '', NO_COLOR: '1', SANDBOX_DIR: dir, ...env },
  });

const credentials = (): Credentials => JSON.parse(readFileSync(join(dir, 'credentials.json'), 'utf8'));

/** Starts the sandbox and waits until it is ready. */
async function start(env: Readonly<Record<string, string>>): Promise<Child> {
  const child = await run(['sandbox'], env);
  await waitFor(
    `the sandbox to be ready\n${child.stderr()}`,
    async () => {
      if (!child.alive()) throw new Error(child.stderr());
      return (await get(`${credentials().adminUrl}/readyz`)).status === 200;
    },
    { timeoutMs: 20_000, everyMs: 50 },
  );
  return child;
}

async function stop(child: Child): Promise<number | null> {
  child.signal('SIGTERM');
  return within('the sandbox to end', child.exited, 20_000);
}

/** Runs `npm run call` to its end. */
async function call(...words: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = await run(['call', ...words]);
  const code = await within('the call to end', child.exited, 20_000);
  return { code, text: child.stdout() + child.stderr() };
}

describe('npm start', () => {
  let sandbox: Child;
  beforeAll(async () => {
    sandbox = await start(ANY_PORT);
  });
  afterAll(() => sandbox.kill());

  it('on a free port knows that port in its identifier', async () => {
    const { baseUrl, oauth } = credentials();
    const { origin } = new URL(baseUrl);
    expect(new URL(baseUrl).port).not.toBe('0');
    expect(oauth.issuer).toBe(origin);
    expect(oauth.tokenEndpoint).toBe(`${origin}/oauth2/token`);
    const metadata = await get(`${origin}/.well-known/oauth-authorization-server`);
    expect(metadata.body).toMatchObject({ issuer: origin, token_endpoint: oauth.tokenEndpoint });
  });

  it('says nothing but the curl line on standard output before the log, and warns of nothing', () => {
    expect(sandbox.stderr()).toBe('');
    expect(sandbox.stdout()).toMatch(/^curl -sS -i http:\/\/127\.0\.0\.1:\d+\/card-api\/tranmgr\/purchase .*$/m);
  });

  it('npm run call -- --oauth makes an encrypted Purchase that the demo ledger books', async () => {
    const [card] = credentials().cards;
    const { code, text } = await call(
      '--oauth',
      'Purchase',
      'tranAmount=12.50',
      'tranCurrency=840',
      '--tran-id',
      'oauth-1',
    );
    expect([code, text]).toEqual([0, expect.stringContaining('"responseCode": "00"')]);
    expect(text).toContain('content-type: application/jose');
    const ledger = await get(`${credentials().issuerUrl}/_sandbox/ledger/${card?.cardToken}`);
    expect(JSON.stringify(ledger.body.effects)).toContain('oauth-1');
  });

  it('S86 the same envelope again is answered from the journal', async () => {
    const { code, text } = await call('--oauth', 'Purchase', 'tranAmount=3.00', 'tranCurrency=840', '--repeat');
    expect([code, text]).toEqual([0, expect.stringContaining('idempotent-replayed: true')]);
  });

  it('the bearer client goes on as before', async () => {
    const { code, text } = await call('BalanceInquiry');
    expect([code, text]).toEqual([0, expect.stringContaining('"responseCode": "00"')]);
  });

  it('rehearses the whole life of a card', async () => {
    const { baseUrl, bearer, issuerUrl } = credentials();
    const control: Stage['control'] = async (method, what, body) => {
      const url = `${issuerUrl}/_sandbox/${what}`;
      return (method === 'GET' ? await get(url) : await post(url, JSON.stringify(body))).body;
    };
    await wholeLife({ send: through({ url: baseUrl, ...bearer }), control });
  });

  it('started again, on a port that is given, keeps its keys and takes its identifier from the port', async () => {
    const before = readFileSync(credentials().oauth.signingKeyFile ?? '', 'utf8');
    expect(await stop(sandbox)).toBe(0);
    const port = await freePort();
    sandbox = await start({ ...ANY_PORT, GATEWAY_PORT: String(port) });
    const { oauth } = credentials();
    expect(oauth.issuer).toBe(`http://127.0.0.1:${port}`);
    expect(readFileSync(oauth.signingKeyFile ?? '', 'utf8')).toBe(before);
    expect((await call('--oauth', 'Purchase', 'tranAmount=1.00', 'tranCurrency=840')).code).toBe(0);
  });
});
