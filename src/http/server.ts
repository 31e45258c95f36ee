/**
 * The Node server under both surfaces: every limit that keeps a slow, silent or greedy peer from holding us, and the
 * orderly end. Node's own defaults are minutes; its `close()` alone leaves keep-alive connections open (F65, F83).
 */
import { createServer as createPlain, type Server } from 'node:http';
import { createServer as createTls, Server as TlsServer } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { createSecureContext } from 'node:tls';
import {
  CONNECTIONS_PER_PROCESS,
  HEADER_COUNT_MAX,
  HEADERS_TIMEOUT_MS,
  IN_FLIGHT_PER_PROCESS,
  KEEP_ALIVE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
} from '../config/limits.ts';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';

export type Limits = {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** A connection with a request or an answer under way on which no byte moves for this long is dropped (F11). */
  readonly stalledMs: number;
  readonly connections: number;
  /** Requests being served at a time; past it 503. */
  readonly inFlight: number;
};

export const LIMITS: Limits = {
  headersTimeoutMs: HEADERS_TIMEOUT_MS,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
  // Longer than any caller's budget, which is a minute at the most, so that it never cuts a request being served.
  stalledMs: 90_000,
  connections: CONNECTIONS_PER_PROCESS,
  inFlight: IN_FLIGHT_PER_PROCESS,
};

/** All headers of a request together; larger than any proxy makes them. */
const HEADER_BYTES_MAX = 16 * 1024;
/** How often Node looks for requests that take too long: the slack on both time limits. */
const CHECK_EVERY_MS = 1000;
/** How often an ending server looks whether all is done. */
const CLOSE_POLL_MS = 10;

/** Texts in PEM. `clientCa`: callers must show a certificate of this authority. */
export type TlsOptions = {
  readonly cert: string;
  readonly key: Secret<string>;
  readonly clientCa: string | undefined;
};

/** A server with every limit set, not yet listening. */
export const limitedServer = (limits: Limits, tls: TlsOptions | undefined): Server => {
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, limits.headersTimeoutMs),
    maxHeaderSize: HEADER_BYTES_MAX,
    // Node's answer to a missing Host is not in our envelope; `headError` looks for it.
    requireHostHeader: false,
  };
  const server = tls ? createTls({ ...options, ...tlsServerOf(tls, limits) }) : createPlain(options);
  // Node drops headers above its limit without a word; one more than we allow shows that there were too many.
  server.maxHeadersCount = HEADER_COUNT_MAX + 1;
  server.maxConnections = limits.connections;
  // Among several processes a connection too many would else be handed from one to the next without end. The types lack it.
  Object.assign(server, { dropMaxConnection: true });
  server.timeout = limits.stalledMs;
  return server;
};

/** With forward secrecy and authenticated encryption only (BCP 195, FAPI 2.0 section 5.2.1). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
].join(':');

const tlsContextOf = (tls: TlsOptions) => ({
  cert: tls.cert,
  key: tls.key.reveal(),
  minVersion: 'TLSv1.2' as const,
  ciphers: CIPHERS,
  ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }),
});

const tlsServerOf = (tls: TlsOptions, limits: Limits) => ({
  ...tlsContextOf(tls),
  // Node's own limit is two minutes, and nothing has been asked yet.
  handshakeTimeout: limits.headersTimeoutMs,
  ...(tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
});

/** Whether certificate and key can be put to use, which OpenSSL alone decides. */
export const isUsableTls = (tls: TlsOptions): boolean => {
  try {
    createSecureContext(tlsContextOf(tls));
    return true;
  } catch {
    return false;
  }
};

/**
 * Gives a server with TLS other certificates, for connections made from now on; which of the present ones go on is not
 * decided here. Sessions of before cannot be resumed, so that a caller whose authority was taken away has to show a
 * certificate again.
 */
export const exchangeTls = (server: Server, tls: TlsOptions): void => {
  if (!(server instanceof TlsServer)) throw new Error('a server without TLS cannot be given certificates');
  server.setSecureContext(tlsContextOf(tls));
};

/** Listens, and gives the port. Rejects where the address cannot be had. */
export const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });

/** A handshake that failed: nobody is there yet who could be answered. */
export const isOfTls = ({ code }: NodeJS.ErrnoException): boolean => !/^(HPE|ERR_HTTP)_/.test(code ?? '');

/** What `stop` needs to know about the connections of a server. */
export type Connections = {
  /** Nothing is being served, and every answer has left. */
  readonly isIdle: () => boolean;
  /** Ends the connections on which nothing is asked and nothing on its way. */
  readonly endIdle: () => void;
  /** Ends all that is left, connections in their handshake too, of which the HTTP server knows nothing. */
  readonly endAll: () => void;
};

/**
 * Stops accepting, waits until all is done or for `graceMs`, then ends every connection that is left: one that never
 * sent a request would keep a server from ever closing.
 */
export const stop = async (server: Server, clock: Clock, graceMs: number, connections: Connections): Promise<void> => {
  // The HTTP server's own `close` cuts answers that are still being sent, and ends the watch over slow requests.
  const closed = new Promise<void>(resolve => NetServer.prototype.close.call(server, () => resolve()));
  connections.endIdle();
  const until = clock.monotonicMs() + graceMs;
  while (!connections.isIdle() && clock.monotonicMs() < until) await clock.sleep(CLOSE_POLL_MS);
  server.close();
  server.closeAllConnections();
  connections.endAll();
  await closed;
};
