/**
 * The connections of a load: the client's `fetch` over a pool of undici, which costs the loader less than half of what
 * the global one does, with the certificates that a deployed gateway may ask for.
 */
import { Agent } from 'undici';
import type { Fetch } from '../../src/client/client.ts';
import type { LoadOptions } from './options.ts';

export type Wire = { readonly fetch: Fetch; close(): Promise<void> };

/** Longer than any answer of the contract: the client refuses less. */
const ANSWER_BYTES_MAX = 2 * 1024 * 1024;
/** Fetch knows no body for these (fetch standard, null body status). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export function openWire(tls: LoadOptions['tls']): Wire {
  // One request at a time on a connection: a POST that follows another one on it could not be sent again.
  const agent = new Agent({ pipelining: 1, maxResponseSize: ANSWER_BYTES_MAX, connect: { ...tls } });
  return {
    fetch: async (url, { method, headers, body, signal }) => {
      const { origin, pathname, search } = new URL(url);
      const answer = await agent.request({
        origin,
        path: pathname + search,
        method: method === 'POST' ? 'POST' : 'GET',
        headers: Object.fromEntries(new Headers(headers)),
        body: typeof body === 'string' ? body : null,
        signal: signal ?? null,
      });
      const text = await answer.body.text();
      return new Response(WITHOUT_BODY.has(answer.statusCode) ? null : text, {
        status: answer.statusCode,
        headers: Object.entries(answer.headers).flatMap(([name, value]) =>
          [value ?? []].flat().map((each): [string, string] => [name, each]),
        ),
      });
    },
    close: () => agent.close(),
  };
}
