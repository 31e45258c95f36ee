/**
 * A proxy of node:http and undici that does nothing but forward: what any gateway on Node pays at least. It reads the
 * request whole and the reply whole, as one that looks at them has to.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { CONNECTIONS, proxyOptions } from './proxyOptions.ts';

const { port, origin } = proxyOptions();
const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });

async function forward(path: string, body: Buffer, outgoing: ServerResponse): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const reply = await pool.request({ method: 'POST', path, headers, body });
  const text = await reply.body.text();
  outgoing
    .writeHead(reply.statusCode, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

function take(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    forward(incoming.url ?? '/', Buffer.concat(chunks), outgoing).catch(() => outgoing.writeHead(502).end());
  });
}

createServer(take).listen(port, '127.0.0.1');
// An end in good order, for the profile that Node writes at it.
process.once('SIGTERM', () => process.exit(0));
