/** `npm run call -- --oauth`: what it sends, what it prints, what it never prints, and what it does not believe. */
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { runCall } from '../../src/sandbox/call.ts';
import { prepareSandbox, writeCredentials } from '../../src/sandbox/credentials.ts';
import { tempDir } from '../support/places.ts';
import { OauthGateway, type Reply } from './oauthGateway.ts';

const NUMBER = '4220001234567893';
const PURCHASE = ['--oauth', 'Purchase', 'tranAmount=12.50', 'tranCurrency=840'];

const made = tempDir('sandbox');
beforeAll(async () => {
  await prepareSandbox({ dir: made, clock: systemClock, random: systemRandom });
});

let dir: string;
let gateway: OauthGateway;
beforeEach(async () => {
  dir = tempDir('sandbox');
  cpSync(join(made, 'keys'), join(dir, 'keys'), { recursive: true });
  gateway = await new OauthGateway(dir).listen();
  await tell(gateway.url);
});
afterEach(() => gateway.close());

/** Writes credentials.json for a gateway at the address. */
async function tell(url: string): Promise<void> {
  const credentials = await prepareSandbox({ dir, clock: systemClock, random: systemRandom });
  const urls = { baseUrl: `${url}/card-api`, adminUrl: url, issuerUrl: url, oauthIssuer: url };
  await writeCredentials(credentials, urls, systemRandom);
}

async function call(...argv: readonly string[]): Promise<{ code: number; text: string }> {
  const printed: string[] = [];
  const options = { sandboxDir: dir, clock: systemClock, random: systemRandom };
  const code = await runCall(argv, options, text => printed.push(text));
  return { code, text: printed.join('\n') };
}

const plain = (status: number, body: object): Reply => ({ status, body: JSON.stringify(body) });
const keyFile = (name: string): string => join(dir, 'keys', `demo-bank.${name}.jwk.json`);

describe('the exchange', () => {
  it('proves the client with an assertion for this gateway alone, by ES256, for a minute', async () => {
    const { code } = await call(...PURCHASE);
    expect(code).toBe(0);
    const { header, claims } = gateway.assertions[0] ?? { header: {}, claims: { exp: 0, iat: 0 } };
    expect(header).toEqual({ alg: 'ES256', kid: expect.any(String), typ: 'client-authentication+jwt' });
    expect(claims).toMatchObject({ iss: 'demo-bank', sub: 'demo-bank', aud: gateway.url });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(60);
    expect(Object.fromEntries(gateway.forms[0] ?? [])).toMatchObject({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      scope: expect.stringMatching(/\bTransaction\b/),
    });
  });

  it('S54 makes a new assertion for each token', async () => {
    await call(...PURCHASE);
    await call(...PURCHASE);
    const jtis = gateway.assertions.map(({ claims }) => claims.jti);
    expect(jtis.length).toBe(2);
    expect(new Set(jtis).size).toBe(2);
  });

  it('seals the message for the gateway, with the one pair of algorithms', async () => {
    await call(...PURCHASE, '--tran-id', 'T1', `cardNumber=${NUMBER}`, 'CVV2=123');
    const [sent] = gateway.calls;
    expect(sent?.path).toBe('/card-api/tranmgr/purchase');
    expect(sent?.headers).toMatchObject({
      authorization: `Bearer ${gateway.token}`,
      'content-type': 'application/jose',
      'idempotency-key': 'T1',
      timestamp: expect.stringMatching(/^\d{13}$/),
    });
    const header = JSON.parse(Buffer.from(String(sent?.jwe.split('.')[0]), 'base64url').toString());
    const { kid } = JSON.parse(readFileSync(join(dir, 'keys', 'payload.jwk.json'), 'utf8'));
    expect(header).toEqual({ alg: 'RSA-OAEP-256', enc: 'A128GCM', kid, cty: 'json' });
    expect(sent?.message).toMatchObject({ participantId: '100000', tranId: 'T1', cardNumber: NUMBER, CVV2: '123' });
  });

  it('shows every step, and the message and the answer as they are inside', async () => {
    const { text } = await call(...PURCHASE);
    expect(text).toContain('1. A client assertion');
    expect(text).toContain(`"aud":"${gateway.url}"`);
    expect(text).toContain(`2. POST ${gateway.url}/oauth2/token`);
    expect(text).toContain('"token_type": "Bearer"');
    expect(text).toContain(`3. GET ${gateway.url}/oauth2/jwks`);
    expect(text).toContain(`4. POST ${gateway.url}/card-api/tranmgr/purchase`);
    expect(text).toContain('content-type: application/jose');
    expect(text).toContain('"tranAmount": "12.50"');
    expect(text).toContain('HTTP 200 OK in');
    expect(text).toContain('"responseCode": "00"');
  });

  it('I14 prints no token, no assertion, no envelope and no card data whole', async () => {
    const { text } = await call(...PURCHASE, `cardNumber=${NUMBER}`, 'CVV2=123', '--repeat');
    const [assertion] = gateway.assertions;
    const { d } = JSON.parse(readFileSync(keyFile('signing'), 'utf8'));
    const secrets = [gateway.token, String(assertion?.text), String(gateway.calls[0]?.jwe)];
    for (const secret of secrets) {
      expect(text).toContain(secret.slice(0, 20));
      // Neither whole nor in a piece that would be worth anything.
      expect(text).not.toContain(secret.slice(0, 40));
      expect(text).not.toContain(secret.slice(-20));
    }
    expect(text).not.toContain(NUMBER);
    expect(text).toContain('422000******7893');
    expect(text).not.toMatch(/"123"|"987"/);
    expect(text).not.toContain(d);
  });

  it('--repeat sends the same call twice on one token', async () => {
    const { code } = await call(...PURCHASE, '--repeat');
    expect(code).toBe(0);
    expect(gateway.assertions.length).toBe(1);
    expect(gateway.calls.length).toBe(2);
    expect(gateway.calls[0]?.message).toEqual(gateway.calls[1]?.message);
  });

  it('--to is another way to the same gateway: the assertion stays for the identifier that the client knows', async () => {
    const known = gateway.url;
    const other = await new OauthGateway(dir, known).listen();
    try {
      expect((await call(...PURCHASE, '--to', other.url)).code).toBe(0);
      expect(other.assertions.map(({ claims }) => claims.aud)).toEqual([known]);
      expect(other.calls.length).toBe(1);
      expect(gateway.forms.length).toBe(0);
    } finally {
      await other.close();
    }
  });
});

describe('what goes wrong is shown, and no call is made without a token and a key', () => {
  it.each([
    ['401', plain(401, { error: 'invalid_client' }), '"error": "invalid_client"'],
    ['no JSON', { status: 200, body: 'hello' }, 'hello'],
    ['no token', plain(200, { token_type: 'Bearer' }), '"token_type": "Bearer"'],
    ['an unknown type of token', plain(200, { access_token: 'q'.repeat(99), token_type: 'DPoP' }), '"DPoP"'],
    ['a token that is an error', plain(500, { access_token: 'q'.repeat(99) }), 'HTTP 500'],
  ])('token endpoint: %s', async (_, reply, shown) => {
    gateway.tokenReply = reply;
    const { code, text } = await call(...PURCHASE);
    expect(code).toBe(1);
    expect(text).toContain(shown);
    expect(text).not.toContain('q'.repeat(40));
    expect(gateway.calls.length).toBe(0);
  });

  it.each([
    ['503', plain(503, {})],
    ['no RSA key', plain(200, { keys: [{ kty: 'EC', use: 'sig', kid: 'a' }] })],
    ['an RSA key for signatures', plain(200, { keys: [{ kty: 'RSA', use: 'sig', kid: 'a', n: 'AQ', e: 'AQAB' }] })],
    ['keys that are no list', plain(200, { keys: {} })],
    ['no JSON', { status: 200, body: '<html>' }],
  ])('keys: %s', async (_, reply) => {
    gateway.keysReply = reply;
    const { code, text } = await call(...PURCHASE);
    expect(code).toBe(1);
    expect(text).toContain('There is no RSA key for payloads among them.');
    expect(gateway.calls.length).toBe(0);
  });

  it('a refusal of the call is shown as it is', async () => {
    gateway.callReply = () =>
      plain(400, { responseCode: '30', errors: [{ field: 'body', reason: 'cannot be opened' }] });
    const { code, text } = await call(...PURCHASE);
    expect(code).toBe(1);
    expect(text).toContain('HTTP 400 Bad Request');
    expect(text).toContain('cannot be opened');
  });

  const rsa = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }), kid: 'b' };
  const ANSWER = JSON.stringify({ responseCode: '00', hidden: 'inside' });
  const jose = async (body: Promise<string> | string): Promise<Reply> => ({
    status: 200,
    type: 'application/jose',
    body: await body,
  });
  it.each([
    ['is not sealed', async () => ({ status: 200, body: JSON.stringify({ responseCode: '00' }) })],
    ['is sealed for another key', () => jose(gateway.seal(ANSWER, { to: rsa }))],
    ['S70 is sealed with RSA-OAEP (SHA-1)', () => jose(gateway.seal(ANSWER, { alg: 'RSA-OAEP' }))],
    ['S75 is sealed with A256GCM', () => jose(gateway.seal(ANSWER, { enc: 'A256GCM' }))],
    [
      'S76 has a changed byte',
      async () => jose((await gateway.seal(ANSWER)).replace(/.(?=.{30}$)/, x => (x === 'A' ? 'B' : 'A'))),
    ],
    ['is no envelope at all', () => jose('hello')],
  ])('an answer with 200 that %s is not believed', async (_, reply) => {
    gateway.callReply = reply;
    const { code, text } = await call(...PURCHASE);
    expect(code).toBe(1);
    expect(text).toContain('That is no envelope that our key opens.');
    expect(text).not.toContain('inside');
  });

  it('nobody at the address', async () => {
    await gateway.close();
    const { code, text } = await call(...PURCHASE);
    expect(code).toBe(1);
    expect(text).toContain(`Nothing listens at ${gateway.url}: start the sandbox with npm start.`);
  });

  it.each(['signing', 'decryption'])('a %s key that is away or damaged is named, with nothing of it', async name => {
    writeFileSync(keyFile(name), '{"kty":"EC","d":5,"x":"damaged"}');
    const damaged = await call(...PURCHASE);
    rmSync(keyFile(name));
    const away = await call(...PURCHASE);
    for (const { code, text } of [damaged, away]) {
      expect(code).toBe(2);
      expect(text).toContain(`${keyFile(name)} holds no private key`);
      expect(text).not.toContain('"damaged"');
    }
  });

  it('credentials of a sandbox that had no OAuth yet', async () => {
    const file = join(dir, 'credentials.json');
    const { oauth: _, ...before } = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(before));
    const { code, text } = await call(...PURCHASE);
    expect([code, text]).toEqual([2, 'credentials.json has no OAuth client: start the sandbox anew with npm start.']);
  });
});
