/**
 * `npm start` on ports that it chooses itself, and the demo client of OAuth against the gateway that it runs: the README's
 * commands, in processes of their own.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Child } from '../support/children.ts';
import { get, post } from '../support/client.ts';
import { freePort, tempDir } from '../support/places.ts';
import { ANY_PORT, credentialsIn, runScript, startSandboxProcess } from '../support/sandboxProcess.ts';
import { within } from '../support/waitFor.ts';
import { through } from './apis/issuing.ts';
import { type Stage, wholeLife } from './apis/wholeLife.ts';

const dir = tempDir('sandbox');

const credentials = () => credentialsIn(dir);
const start = (env: Readonly<Record<string, string>>): Promise<Child> => startSandboxProcess(dir, env);

async function stop(child: Child): Promise<number | null> {
  child.signal('SIGTERM');
  return within('the sandbox to end', child.exited, 20_000);
}

/** Runs `npm run call` to its end. */
async function call(...words: readonly string[]): Promise<{ code: number | null; text: string }> {
  const child = await runScript(dir, ['src/cli.ts', 'call', ...words]);
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
