/**
 * A call over TLS, each on a connection of its own, with or without a certificate of the caller.
 */
import { request } from 'node:https';
import { type PeerCertificate, type SecureVersion, TLSSocket } from 'node:tls';
import { API_PATHS } from './apiPaths.ts';
import { bodyOf, newTranId } from './client.ts';
import type { Gateway } from './gatewayProcess.ts';
import { PURCHASE } from './oauth.ts';

/** What the caller shows of itself, and whom it believes. */
export type Shown = {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly maxVersion?: SecureVersion;
};
export type Told = { readonly status: number; readonly text: string; readonly certificate: PeerCertificate };

/** A purchase over a new connection. Rejects where there is no answer. */
export const purchaseOverTls = (to: Gateway, shown: Shown): Promise<Told> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify(bodyOf(to, PURCHASE, newTranId()));
    const headers = {
      authorization: `Bearer ${to.token}`,
      timestamp: String(Date.now()),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const path = `/card-api${API_PATHS.Purchase}`;
    const options = { host: '127.0.0.1', port: to.port, path, method: 'POST', agent: false, headers };
    const sent = request({ ...options, ...shown }, response => {
      const { socket } = response;
      const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (certificate) resolve({ status: response.statusCode ?? 0, text, certificate });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
