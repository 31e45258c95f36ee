/**
 * The chaos proxy: every mode does what it says to open and to new connections, and bytes that it passes arrive whole
 * and in order. A proxy that quietly passed everything would make every fault test pass.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChaosProxy, startChaosProxy } from './chaosProxy.ts';
import { waitFor } from './waitFor.ts';

/** One connection through the proxy and what it saw. */
class Client {
  received = '';
  error: NodeJS.ErrnoException | undefined;
  ended = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', chunk => {
      this.received += chunk.toString();
    });
    this.socket.on('error', error => {
      this.error = error;
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
  }
}

/** Answers every byte with itself and remembers all. */
class Echo {
  seen = '';
  readonly server: Server = createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', chunk => {
      this.seen += chunk.toString();
      socket.write(chunk);
    });
  });
}

describe('startChaosProxy', () => {
  let echo: Echo;
  let proxy: ChaosProxy;
  const clients: Client[] = [];
  const client = () => {
    const made = new Client(proxy.port);
    clients.push(made);
    return made;
  };

  beforeEach(async () => {
    echo = new Echo();
    await new Promise<void>(resolve => echo.server.listen(0, '127.0.0.1', resolve));
    proxy = await startChaosProxy({ port: (echo.server.address() as AddressInfo).port });
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxy.stop();
    await new Promise(resolve => echo.server.close(resolve));
  });

  it('passes large transfers whole and in order', async () => {
    const one = client();
    const text = Array.from({ length: 200_000 }, (_, i) => `${i},`).join('');
    one.socket.write(text);
    await waitFor('all of it', () => one.received.length === text.length);
    expect(one.received).toBe(text);
    one.socket.end();
    await waitFor('the end', () => one.ended && proxy.connections() === 0);
  });

  it('refuses: new connections by ECONNREFUSED, open ones by a reset, and comes back on the same port', async () => {
    const open = client();
    open.socket.write('a');
    await waitFor('the echo', () => open.received === 'a');
    await proxy.mode('refuse');
    const fresh = client();
    await waitFor('both errors', () => open.error && fresh.error);
    expect([open.error?.code, fresh.error?.code]).toEqual(['ECONNRESET', 'ECONNREFUSED']);
    await proxy.mode('pass');
    const again = client();
    again.socket.write('b');
    await waitFor('the echo', () => again.received === 'b');
  });

  it('is a black hole: accepts, forwards nothing, and delivers when it is over', async () => {
    await proxy.mode('blackHole');
    const one = client();
    one.socket.write('ghost');
    await waitFor('the bytes to be held', () => proxy.held('requests') === 5);
    expect(echo.seen).toBe('');
    await proxy.mode('pass');
    await waitFor('the echo', () => one.received === 'ghost');
  });

  it('loses what was held when dropped first', async () => {
    await proxy.mode('blackHole');
    const one = client();
    one.socket.write('lost');
    await waitFor('the bytes to be held', () => proxy.held('requests') === 4);
    proxy.drop();
    await proxy.mode('pass');
    await waitFor('the reset', () => one.error?.code === 'ECONNRESET');
    expect(echo.seen).toBe('');
  });

  it('holds replies until released, while requests arrive', async () => {
    await proxy.mode('holdReplies');
    const one = client();
    one.socket.write('act');
    await proxy.waitForHeldReply();
    expect([echo.seen, one.received]).toEqual(['act', '']);
    await proxy.mode('pass');
    await waitFor('the echo', () => one.received === 'act');
  });

  it('loses replies: the target has acted, the connection is reset', async () => {
    await proxy.mode('loseReplies');
    const one = client();
    one.socket.write('act');
    await waitFor('the reset', () => one.error?.code === 'ECONNRESET');
    expect([echo.seen, one.received]).toEqual(['act', '']);
  });

  it('resets open and new connections', async () => {
    const open = client();
    await waitFor('the connection', () => proxy.connections() === 1);
    await proxy.mode('reset');
    const fresh = client();
    await waitFor('both resets', () => open.error?.code === 'ECONNRESET' && fresh.error?.code === 'ECONNRESET');
    expect(proxy.accepted()).toBe(2);
  });

  it('cuts replies and requests after so many bytes', async () => {
    await proxy.mode({ kind: 'cutReplies', bytes: 4 });
    const one = client();
    one.socket.write('1234567');
    await waitFor('the reset', () => one.error?.code === 'ECONNRESET');
    expect([echo.seen, one.received]).toEqual(['1234567', '1234']);
    echo.seen = '';
    await proxy.mode({ kind: 'cutRequests', bytes: 3 });
    const two = client();
    two.socket.write('abcdef');
    await waitFor('the reset', () => two.error?.code === 'ECONNRESET');
    expect(echo.seen).toBe('abc');
  });

  it('delays and drips without changing a byte', async () => {
    await proxy.mode({ kind: 'delay', ms: 60 });
    const slow = client();
    const start = performance.now();
    slow.socket.write('late');
    await waitFor('the echo', () => slow.received === 'late');
    expect(performance.now() - start).toBeGreaterThan(55);
    await proxy.mode({ kind: 'drip', bytes: 2, everyMs: 5 });
    const pieces: string[] = [];
    const dripped = client();
    dripped.socket.on('data', chunk => pieces.push(chunk.toString()));
    dripped.socket.write('abcdefgh');
    await waitFor('the echo', () => dripped.received === 'abcdefgh');
    expect(pieces.length).toBeGreaterThan(1);
  });

  it('passes on that the target is not there', async () => {
    await new Promise<void>(resolve => echo.server.close(() => resolve()));
    const one = client();
    await waitFor('the reset', () => one.error?.code === 'ECONNRESET');
  });
});
