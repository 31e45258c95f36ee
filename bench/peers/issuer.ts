/**
 * The issuers that peers forward to, one row each: how it behaves, and what for. All are the same program.
 */
import { newPlace, ownDir, startProgram } from './process.ts';
import type { Peer, Pin } from './types.ts';

/** Options of `issuerStub.ts`. */
export type IssuerRow = { readonly what: string; readonly options: readonly string[] };

export const ISSUERS = {
  steady: { what: 'answers at once', options: [] },
  after5ms: { what: 'answers after 5 ms', options: ['--delay-ms', '5'] },
  dropping: { what: 'ends 10 % of the requests with their connection', options: ['--drop-percent', '10'] },
  hanging: { what: 'never answers', options: ['--hang-percent', '100'] },
} as const satisfies Record<string, IssuerRow>;

export type IssuerKind = keyof typeof ISSUERS;

/** Starts one; its `url` is what `World.issuerUrl` and the load of the direct peer take. */
export async function startIssuer(kind: IssuerKind, dir: string, pin: Pin): Promise<Peer> {
  const { port, url } = await newPlace();
  const { pid, startMs, stop } = await startProgram({
    name: 'issuer',
    command: [process.execPath, 'bench/peers/issuerStub.ts', '--port', String(port), ...ISSUERS[kind].options],
    pin,
    dir: ownDir(dir, `issuer-${kind}`),
    port,
  });
  return { url, pids: [pid], startMs, stop };
}
