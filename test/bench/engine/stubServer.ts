/**
 * A peer for tests of loaders: it approves everything, and remembers what it was sent.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Load } from '../../../bench/peers/types.ts';

export type Received = { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string };

export type StubServer = {
  readonly url: string;
  readonly received: readonly Received[];
  readonly stop: () => Promise<void>;
};

/** @param cut ends so many of the first requests with their connection. */
export async function startStub(answer = '{"responseCode":"00"}', cut = 0): Promise<StubServer> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    if (received.length <= cut) response.destroy();
    else response.end(answer);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    return new Promise<void>(resolve => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}/base`, received, stop };
}

/** Two clients with three tokens, and a text that needs every kind of quoting. */
export const LOAD: Load = {
  name: 'test',
  path: '/pay',
  headers: { 'Content-Type': 'application/json' },
  callers: [
    { authorization: 'Bearer a', client: 0 },
    { authorization: 'Bearer b', client: 0 },
    { authorization: 'Bearer c', client: 1 },
  ],
  body: { kind: 'template', before: '{"note":"\\"\\\\ é \u0001', after: '"}', ids: 'fresh' },
};
