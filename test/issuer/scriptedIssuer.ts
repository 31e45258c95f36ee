/**
 * An issuer on a raw socket that does exactly what a test tells it to: the misbehaviours that no HTTP library would let
 * a server show. It records every connection and every request that reached it in full.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export type Received = {
  readonly path: string;
  readonly method: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The body read as JSON; empty where it is something else. */
  readonly json: Record<string, string>;
  /** Number of the connection, counted from 1. */
  readonly connection: number;
};

/** What to do with one request. `socket` is raw: nothing is answered unless the script writes it. */
export type Script = (socket: Socket, request: Received) => void;

export type ScriptedIssuer = {
  readonly port: number;
  readonly baseUrl: string;
  readonly requests: readonly Received[];
  /** Every socket that was ever accepted, in order. */
  readonly sockets: readonly Socket[];
  script: Script;
  /** Ends every connection and the server. */
  close(): Promise<void>;
};

export type ServerOptions = {
  /** Runs when a connection is accepted, before anything is read. */
  readonly onConnection?: (socket: Socket) => void;
  readonly tls?: TlsOptions;
};

export async function startIssuer(script: Script, options: ServerOptions = {}): Promise<ScriptedIssuer> {
  const requests: Received[] = [];
  const sockets: Socket[] = [];
  const issuer = { script };
  const accept = (socket: Socket): void => {
    sockets.push(socket);
    const connection = sockets.length;
    socket.on('error', () => {});
    options.onConnection?.(socket);
    readRequests(socket, connection, request => {
      requests.push(request);
      issuer.script(socket, request);
    });
  };
  const server: Server = options.tls ? createTlsServer(options.tls, accept) : createServer(accept);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return Object.assign(issuer, {
    port,
    baseUrl: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/card-api`,
    requests,
    sockets,
    close,
  });
}

/** Cuts the bytes of a connection into requests by their `content-length`. */
function readRequests(socket: Socket, connection: number, each: (request: Received) => void): void {
  let buffered = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const headEnd = buffered.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const [requestLine = '', ...lines] = buffered.subarray(0, headEnd).toString('latin1').split('\r\n');
      const headers = new Map(
        lines.map(line => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
        }),
      );
      const bodyEnd = headEnd + 4 + Number(headers.get('content-length') ?? 0);
      if (buffered.length < bodyEnd) return;
      const text = buffered.subarray(headEnd + 4, bodyEnd).toString('utf8');
      buffered = buffered.subarray(bodyEnd);
      const [method = '', path = ''] = requestLine.split(' ');
      const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {};
      each({ method, path, headers, text, json, connection });
    }
  });
}

/** A whole HTTP response with its length declared. */
export const response = (status: string, body: string | Uint8Array, headers: readonly string[] = []): Buffer =>
  Buffer.concat([
    Buffer.from([`HTTP/1.1 ${status}`, `content-length: ${Buffer.byteLength(body)}`, ...headers, '', ''].join('\r\n')),
    Buffer.from(body),
  ]);

/** An approval that echoes the request, with fields added or replaced. */
export const approval = (request: Received, more: Record<string, unknown> = {}): string => {
  const { cardToken: _, ...echo } = request.json;
  return JSON.stringify({ ...echo, responseCode: '00', responseDesc: 'approved', authCode: 'A1B2C3', ...more });
};

/** Answers every request with an approval. */
export const approve: Script = (socket, request) => {
  socket.write(response('200 OK', approval(request)));
};
