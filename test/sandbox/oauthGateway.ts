/**
 * A gateway as the OAuth client sees one: token endpoint, keys and one sealed answer to every call, or whatever a test
 * has it say instead. It notes what it received; nothing of the real gateway is in it.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CompactEncrypt, compactDecrypt, createLocalJWKSet, importJWK, type JWK, jwtVerify } from 'jose';

export type Json = Record<string, unknown>;
export type Reply = { readonly status: number; readonly type?: string; readonly body: string };
export type SealOptions = { readonly alg?: string; readonly enc?: string; readonly to?: JWK };

export type SeenAssertion = { readonly header: Json; readonly claims: Json; readonly text: string };
export type SeenCall = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly jwe: string;
  readonly message: Json;
};

const HOST = '127.0.0.1';

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export class OauthGateway {
  /** Its address, once it listens. */
  url = '';
  /** What came, in order of arrival. */
  readonly assertions: SeenAssertion[] = [];
  readonly forms: URLSearchParams[] = [];
  readonly calls: SeenCall[] = [];
  /** The token that it gives, and what it says instead of what it should. */
  readonly token = `eyJhbGciOiJFUzI1NiJ9.${'secretpartofthetoken'.repeat(12)}.sig`;
  tokenReply: Reply | undefined;
  keysReply: Reply | undefined;
  callReply: ((message: Json) => Reply | Promise<Reply>) | undefined;

  readonly #server: Server;
  readonly #issuer: string | undefined;
  readonly #clientKeys: { readonly keys: JWK[] };
  readonly #ownKey: JWK;

  /** On the keys in the sandbox's directory; `issuer` is its identifier, by default its own address. */
  constructor(sandboxDir: string, issuer?: string) {
    const file = (name: string) => JSON.parse(readFileSync(join(sandboxDir, 'keys', name), 'utf8'));
    this.#issuer = issuer;
    this.#clientKeys = file('demo-bank.jwks.json');
    this.#ownKey = file('payload.jwk.json');
    this.#server = createServer(async (request, response) => {
      const reply = await this.#reply(request).catch((error: Error): Reply => ({ status: 500, body: error.message }));
      response.writeHead(reply.status, { 'content-type': reply.type ?? 'application/json' }).end(reply.body);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>(resolve => void this.#server.listen(0, HOST, resolve));
    this.url = `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  /** A text sealed for the client, or as told. */
  async seal(text: string, { alg = 'RSA-OAEP-256', enc = 'A128GCM', to }: SealOptions = {}): Promise<string> {
    const jwk = to ?? this.#clientKeys.keys.find(key => key.kty === 'RSA');
    if (!jwk) throw new Error('the client has no RSA key');
    const key = await importJWK({ ...jwk, alg }, alg);
    return new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg, enc, kid: String(jwk.kid) }).encrypt(key);
  }

  #reply(request: IncomingMessage): Promise<Reply> {
    if (request.url === '/oauth2/token') return this.#giveToken(request);
    if (request.url === '/oauth2/jwks') return this.#giveKeys();
    return this.#call(request);
  }

  async #giveToken(request: IncomingMessage): Promise<Reply> {
    const form = new URLSearchParams(await textOf(request));
    this.forms.push(form);
    const text = form.get('client_assertion') ?? '';
    const { payload, protectedHeader } = await jwtVerify(text, createLocalJWKSet(this.#clientKeys), {
      algorithms: ['ES256'],
      audience: this.#issuer ?? this.url,
      issuer: 'demo-bank',
      subject: 'demo-bank',
      requiredClaims: ['exp', 'iat', 'jti'],
    });
    this.assertions.push({ header: { ...protectedHeader }, claims: { ...payload }, text });
    const body = { access_token: this.token, token_type: 'Bearer', expires_in: 3600, scope: form.get('scope') };
    return this.tokenReply ?? { status: 200, body: JSON.stringify(body) };
  }

  async #giveKeys(): Promise<Reply> {
    const { kty, n, e, kid } = this.#ownKey;
    const ec = { kty: 'EC', use: 'sig', alg: 'ES256', kid: 'not for payloads' };
    const keys = [ec, { kty, n, e, kid, use: 'enc', alg: 'RSA-OAEP-256' }];
    return this.keysReply ?? { status: 200, body: JSON.stringify({ keys }) };
  }

  async #call(request: IncomingMessage): Promise<Reply> {
    const jwe = await textOf(request);
    const { plaintext } = await compactDecrypt(jwe, await importJWK(this.#ownKey, 'RSA-OAEP-256'));
    const message: Json = JSON.parse(Buffer.from(plaintext).toString('utf8'));
    this.calls.push({ path: request.url ?? '', headers: request.headers, jwe, message });
    if (this.callReply) return this.callReply(message);
    const { participantId, tranId } = message;
    const text = JSON.stringify({ participantId, tranId, responseCode: '00', CVV2: '987' });
    return { status: 200, type: 'application/jose', body: await this.seal(text) };
  }
}
