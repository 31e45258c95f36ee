/** What the bare proxies have in common: where they listen and forward to, and how many connections they keep open. */
import { parseArgs } from 'node:util';

/** As many as requests come in at a time at most, so that none waits for a connection. */
export const CONNECTIONS = 128;

export type ProxyOptions = {
  readonly port: number;
  /** Scheme, host and port. */
  readonly origin: string;
};

/** Reads `--port N --to URL`; of the URL the origin counts, since the path of a request stays as it is. */
export function proxyOptions(): ProxyOptions {
  const { values } = parseArgs({ options: { port: { type: 'string' }, to: { type: 'string' } } });
  return { port: Number(values.port), origin: new URL(values.to ?? '').origin };
}
