/**
 * A token endpoint on a real server that does what a test tells it to, and records every request with the claims of its
 * assertion, verified or not.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';

export type TokenRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
  readonly assertion: string;
  readonly header: Record<string, unknown>;
  readonly claims: JWTPayload;
};

export type TokenScript = (response: ServerResponse, request: TokenRequest) => void;

export type TokenServer = {
  readonly url: string;
  readonly requests: readonly TokenRequest[];
  readonly sockets: readonly Socket[];
  script: TokenScript;
  close(): Promise<void>;
};

/** Answers with these fields. */
export const json = (response: ServerResponse, status: number, fields: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(fields));
};

/** Gives `token-1`, `token-2` and so on, each for so many seconds. */
export const givesTokens = (seconds: number): TokenScript => {
  let count = 0;
  return response => {
    count += 1;
    json(response, 200, { access_token: `token-${count}`, token_type: 'Bearer', expires_in: seconds });
  };
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
};

export async function startTokenServer(script: TokenScript, tls?: TlsOptions): Promise<TokenServer> {
  const requests: TokenRequest[] = [];
  const sockets: Socket[] = [];
  const made = { script };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await textOf(request));
    const assertion = form.get('client_assertion') ?? '';
    const record = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      form,
      assertion,
      header: { ...decodeProtectedHeader(assertion) },
      claims: decodeJwt(assertion),
    };
    requests.push(record);
    made.script(response, record);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => sockets.push(socket.on('error', () => {})));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return Object.assign(made, {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/oauth2/token`,
    requests,
    sockets,
    close,
  });
}
