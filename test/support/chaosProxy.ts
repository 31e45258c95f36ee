/**
 * A TCP proxy that misbehaves on demand, put in front of Redis or of the issuer. It works on bytes alone; what it does
 * can be changed at any time, for open connections too, with toxiproxy's vocabulary where that has a word.
 */
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { Lane } from './chaosLane.ts';
import { freePort } from './places.ts';
import { type WaitOptions, waitFor } from './waitFor.ts';

/**
 * What the proxy does. `requests` are bytes from whoever connects, `replies` those from the target.
 *
 * - `pass`: nothing.
 * - `refuse`: no listener, so that connecting is refused; open connections are reset.
 * - `blackHole`: accepts and forwards nothing in either direction. As in a real partition nothing is lost: what was sent
 *   meanwhile arrives when the mode changes. Use `drop()` first to lose it.
 * - `holdReplies`: requests go through, replies wait until the mode changes.
 * - `delay`: every piece of a reply arrives `ms` later, in order.
 * - `reset`: open and new connections are reset.
 * - `loseReplies`: requests go through; the connection is reset when the reply begins, and the reply is lost.
 * - `cutReplies`: after `bytes` bytes of replies, counted per connection from now on, the connection is reset.
 * - `cutRequests`: the same for requests: the target sees only the first `bytes` bytes.
 * - `drip`: replies arrive `bytes` bytes at a time, every `everyMs`.
 */
export type ProxyMode =
  | { readonly kind: 'pass' | 'refuse' | 'blackHole' | 'holdReplies' | 'reset' | 'loseReplies' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'cutReplies' | 'cutRequests'; readonly bytes: number }
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number };

export type ChaosProxy = {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Changes what happens from now on; resolves when it holds. A kind alone is enough where there is no number. */
  mode(mode: ProxyMode | SimpleMode): Promise<void>;
  /** Open connections. */
  connections(): number;
  /** Connections accepted since the start. */
  accepted(): number;
  /** Bytes read and not passed on yet. */
  held(direction: 'requests' | 'replies'): number;
  /** Resets every open connection; what was held is lost. */
  drop(): void;
  /** Waits until replies are held back: the target has acted, and the other side does not know. */
  waitForHeldReply(options?: WaitOptions): Promise<void>;
  stop(): Promise<void>;
};

type SimpleMode = 'pass' | 'refuse' | 'blackHole' | 'holdReplies' | 'reset' | 'loseReplies';
type Target = { readonly port: number; readonly host?: string };
type Link = { readonly requests: Lane; readonly replies: Lane; readonly reset: () => void };

const HOST = '127.0.0.1';

/** Starts a proxy in front of `target`, in mode `pass`. */
export async function startChaosProxy(target: Target): Promise<ChaosProxy> {
  const port = await freePort();
  const links = new Set<Link>();
  let mode: ProxyMode = { kind: 'pass' };
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, client => {
    accepted += 1;
    if (mode.kind === 'reset' || mode.kind === 'refuse') return void client.resetAndDestroy();
    const link = join(client, target, () => links.delete(link));
    links.add(link);
    apply(link, mode);
  });
  await listen(server, port);

  const drop = () => {
    for (const link of [...links]) link.reset();
  };
  const set = async (next: ProxyMode | SimpleMode) => {
    mode = typeof next === 'string' ? { kind: next } : next;
    // Closing the listener ends only once its connections have, so both go at once.
    const closed = mode.kind === 'refuse' ? close(server) : undefined;
    if (mode.kind === 'reset' || mode.kind === 'refuse') drop();
    await closed;
    if (mode.kind !== 'refuse' && !server.listening) await listen(server, port);
    for (const link of links) apply(link, mode);
  };
  const held = (direction: 'requests' | 'replies') => [...links].reduce((sum, link) => sum + link[direction].held, 0);
  return {
    host: HOST,
    port,
    mode: set,
    connections: () => links.size,
    accepted: () => accepted,
    held,
    drop,
    waitForHeldReply: async options => {
      await waitFor('a reply held by the proxy', () => held('replies') > 0, options);
    },
    stop: async () => {
      const closed = close(server);
      drop();
      await closed;
    },
  };
}

function join(client: Socket, target: Target, onClose: () => void): Link {
  const upstream = tcpConnect({ port: target.port, host: target.host ?? HOST, allowHalfOpen: true });
  const reset = () => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
    onClose();
  };
  for (const socket of [client, upstream]) {
    socket.setNoDelay(true);
    // A failure on one side is passed on as what it is: a connection that broke.
    socket.on('error', reset);
  }
  const gone = () => {
    if (client.closed && upstream.closed) onClose();
  };
  client.on('close', gone);
  upstream.on('close', gone);
  return { requests: new Lane(client, upstream, reset), replies: new Lane(upstream, client, reset), reset };
}

function apply(link: Link, mode: ProxyMode): void {
  const { requests, replies } = link;
  requests.set(mode.kind === 'blackHole' ? { kind: 'hold' } : { kind: 'pass' });
  replies.set({ kind: 'pass' });
  if (mode.kind === 'blackHole' || mode.kind === 'holdReplies') replies.set({ kind: 'hold' });
  if (mode.kind === 'loseReplies') replies.set({ kind: 'cut', bytes: 0 });
  if (mode.kind === 'cutReplies') replies.set({ kind: 'cut', bytes: mode.bytes });
  if (mode.kind === 'cutRequests') requests.set({ kind: 'cut', bytes: mode.bytes });
  if (mode.kind === 'delay') replies.set(mode);
  if (mode.kind === 'drip') replies.set(mode);
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: HOST }, () => {
      server.off('error', reject);
      resolve();
    });
  });

const close = (server: Server): Promise<void> =>
  new Promise(resolve => (server.listening ? server.close(() => resolve()) : resolve()));
