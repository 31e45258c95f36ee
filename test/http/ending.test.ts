/**
 * The end of the public port (F65): what is in flight is answered, what is on its way leaves whole, nothing else stays.
 */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { approved, gateOf, startStage, textOf } from './stage.ts';
import { exchange, Wire } from './wire.ts';

describe('F65: the end', () => {
  it('F65: draining, every answer ends its connection, and everything is still served', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(textOf());
    expect((await wire.next()).headers.get('connection')).toBe('keep-alive');
    stage.beginDrain();
    wire.send(textOf());
    const last = await wire.next();
    expect([last.status, last.headers.get('connection')]).toEqual([200, 'close']);
    await wire.closed();
    const fresh = await exchange(stage.port, textOf());
    expect([fresh?.status, fresh?.headers.get('connection')]).toEqual([200, 'close']);
  });

  it('F65: closing, what is in flight is answered, what comes is refused, and every connection ends', async () => {
    const gate = gateOf();
    const stage = await startStage({ after: () => gate.opened });
    const [busy, silent, half, idle] = await Promise.all([0, 1, 2, 3].map(() => Wire.open(stage.port)));
    if (!busy || !silent || !half || !idle) throw new Error('unreachable');
    idle.send(textOf({ target: '/nowhere' }));
    expect((await idle.next()).status).toBe(404);
    busy.send(textOf());
    half.send(textOf().slice(0, 60));
    await waitFor('the effect', () => stage.effects.length === 1);
    // The head has to have begun to arrive, or the connection counts as idle; another exchange proves the loop ran.
    expect((await exchange(stage.port, textOf({ target: '/nowhere' })))?.status).toBe(404);

    let over = false;
    const closing = stage.close(60_000).then(() => {
      over = true;
    });
    await idle.closed();
    half.send(textOf().slice(60));
    const refused = await half.next();
    expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
    expect(refused.body).toContain('"responseCode":"91"');
    const late = Wire.open(stage.port).then(wire => wire.closed());
    await within('the refusal of a new connection', late);
    expect(over).toBe(false);

    gate.open();
    const reply = await busy.next();
    expect([reply.status, reply.headers.get('connection')]).toEqual([200, 'close']);
    await within('the end of the server', closing);
    await silent.closed();
    expect(stage.effects).toHaveLength(1);
  });

  it('F65: a client that hung up is still waited for', async () => {
    const gate = gateOf();
    const stage = await startStage({ after: () => gate.opened });
    const wire = await Wire.open(stage.port);
    wire.send(textOf());
    await waitFor('the effect', () => stage.effects.length === 1);
    wire.end();
    await wire.closed();
    let over = false;
    const closing = stage.close(60_000).then(() => {
      over = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    expect(over).toBe(false);
    gate.open();
    await within('the end of the server', closing);
    expect(stage.records).toHaveLength(1);
  });

  it('F65: an answer on its way is let out whole', async () => {
    // More than the buffers of two sockets hold.
    const size = 24 * 1024 * 1024;
    const stage = await startStage({ answer: approved({ fields: new Secret({ a: 'x'.repeat(size) }) }) });
    const wire = await Wire.open(stage.port);
    wire.socket.pause();
    wire.send(textOf());
    await waitFor('the record', () => stage.records.length === 1);
    const closing = stage.close(60_000);
    await new Promise(resolve => setImmediate(resolve));
    let bytes = 0;
    wire.socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    wire.socket.resume();
    await wire.closed();
    expect(bytes).toBeGreaterThan(size);
    await within('the end of the server', closing);
  });

  it('F65: past the grace the rest is cut', async () => {
    const stage = await startStage({ after: () => new Promise(() => undefined) });
    const wire = await Wire.open(stage.port);
    wire.send(textOf());
    await waitFor('the effect', () => stage.effects.length === 1);
    await within('the end of the server', stage.close(50));
    await wire.closed();
    expect(wire.received).toBe('');
  });
});
