/**
 * Starts the demo issuer on the ledger that `prepareSandbox` made.
 */
import { rm } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import type { SandboxCredentials } from './credentials.ts';
import { IssuerServer } from './server.ts';

export type DemoIssuerOptions = {
  readonly credentials: SandboxCredentials;
  readonly host: string;
  /** 0 lets the system choose a free one. */
  readonly port: number;
  /** Of the contract's own paths. */
  readonly basePath: string;
  readonly clock: Clock;
};

export type DemoIssuer = {
  /** Without the base path: `/_sandbox/...` is below it. */
  readonly url: string;
  /** With the base path: the `baseUrl` of an issuer in the gateway's configuration. */
  readonly baseUrl: string;
  readonly port: number;
  /** Ends every connection at once, hanging ones too, and closes the ledger. */
  close(): Promise<void>;
};

/**
 * Listens and answers until it is closed. Once the port is ours a credentials.json of an earlier run is removed, so that
 * nobody takes it for this one's; not before, because another sandbox may still be running there.
 *
 * @throws Error (`EADDRINUSE`) when the port is taken
 */
export async function startDemoIssuer({
  credentials,
  host,
  port,
  basePath,
  clock,
}: DemoIssuerOptions): Promise<DemoIssuer> {
  const server = new IssuerServer({
    file: credentials.ledgerFile,
    token: credentials.issuerToken,
    host,
    port,
    basePath,
    clock,
  });
  const bound = await server.listen().catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  await rm(credentials.credentialsFile, { force: true });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  return { url, baseUrl: url + basePath, port: bound, close: () => server.close() };
}
