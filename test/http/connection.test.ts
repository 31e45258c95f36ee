/**
 * Connections that hang up, stall, pipeline or outlive the server: what is served is finished, what is slow is ended.
 */
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { BEGUN_PER_TURN } from '../../src/config/limits.ts';
import { Secret } from '../../src/domain/secret.ts';
import { TOKEN } from '../edge/clients.ts';
import { selfSigned } from '../issuer/certificate.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { approved, gateOf, PATH, startStage, textOf } from './stage.ts';
import { exchange, Wire } from './wire.ts';

describe('F1-F3: clients that hang up', () => {
  it('F1: a client that leaves while it is served stops nothing', async () => {
    const gate = gateOf();
    const stage = await startStage({ after: () => gate.opened });
    const wire = await Wire.open(stage.port);
    wire.send(textOf());
    await waitFor('the effect', () => stage.effects.length === 1);
    wire.socket.resetAndDestroy();
    await wire.closed();
    expect(stage.inFlight()).toBe(1);
    gate.open();
    await waitFor('the record', () => stage.records.length === 1);
    expect(stage.records).toMatchObject([{ outcome: 'approved', status: 200 }]);
    expect(stage.inFlight()).toBe(0);
    expect(stage.defects).toEqual([]);
  });

  it('F1: a body that arrived whole before the client left is still read', async () => {
    const gate = gateOf();
    const arrived = gateOf();
    const stage = await startStage({
      before: () => {
        arrived.open();
        return gate.opened;
      },
    });
    const body = 'x'.repeat(3000);
    const wire = await Wire.open(stage.port);
    wire.send(textOf({ body }));
    await arrived.opened;
    wire.socket.resetAndDestroy();
    await wire.closed();
    // Another exchange on the same loop: by then the server has seen the reset.
    expect((await exchange(stage.port, textOf({ target: '/nowhere' })))?.status).toBe(404);
    gate.open();
    await waitFor('the effect', () => stage.effects.length === 1);
    expect(Buffer.concat(stage.effects).toString()).toBe(body);
    expect(stage.defects).toEqual([]);
  });

  it('F2: nor has one whose connection is reset in the middle of the body', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(textOf({ body: 'x'.repeat(500) }).slice(0, -100));
    await waitFor('the request', () => stage.inFlight() === 1);
    wire.socket.resetAndDestroy();
    await waitFor('the record', () => stage.records.length === 1);
    expect(stage.effects).toHaveLength(0);
    expect(stage.records).toMatchObject([{ outcome: 'refused', refusal: 'http' }]);
  });

  it.each([
    ['in the middle of the body', textOf({ body: 'x'.repeat(500) }).slice(0, -100)],
    [
      'in the middle of a chunk',
      `${textOf({ headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }, body: '' })}ff\r\nabc`,
    ],
    [
      'before the last chunk',
      `${textOf({ headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }, body: '' })}3\r\nabc\r\n`,
    ],
  ])('F2: a client that leaves %s has asked for nothing', async (_what, text) => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(text);
    await waitFor('the request', () => stage.inFlight() === 1);
    wire.end();
    await waitFor('the record', () => stage.records.length === 1);
    expect(stage.effects).toHaveLength(0);
    expect(stage.records).toMatchObject([{ outcome: 'refused', refusal: 'http' }]);
    expect(stage.defects).toEqual([]);
  });

  it('F2: a client that leaves in the middle of the head has asked for nothing', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(textOf().slice(0, 40));
    wire.end();
    expect((await exchange(stage.port, textOf()))?.status).toBe(200);
    expect(stage.effects).toHaveLength(1);
    expect(stage.defects).toEqual([]);
  });

  it('F3: a client that closes its half right after the request is served, whether or not it hears of it', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.socket.end(textOf());
    await waitFor('the record', () => stage.records.length === 1);
    expect(stage.effects).toHaveLength(1);
    expect(stage.records).toMatchObject([{ outcome: 'approved' }]);
    await wire.closed();
  });
});

describe('F12: one connection', () => {
  it('F12: pipelined requests are answered each, in order, though the first is the slowest', async () => {
    const gate = gateOf();
    const stage = await startStage({
      journey: async ({ idempotencyKey = '' }) => {
        if (idempotencyKey === '1') await gate.opened;
        return { answer: approved({ header: { tranId: idempotencyKey } }), facts: { outcome: 'approved' } };
      },
    });
    const wire = await Wire.open(stage.port);
    wire.send(['1', '2', '3'].map(key => textOf({ headers: { 'Idempotency-Key': key } })).join(''));
    await waitFor('the other two', () => stage.records.length === 2);
    expect(wire.received).toBe('');
    gate.open();
    for (const tranId of ['1', '2', '3']) expect(JSON.parse((await wire.next()).body)).toMatchObject({ tranId });
    wire.end();
  });

  it('F10: a Reversal does not wait for its turn behind what came before it', async () => {
    const begun: string[] = [];
    const stage = await startStage({
      journey: async ({ row }) => {
        begun.push(row.name);
        return { answer: approved(), facts: { outcome: 'approved' } };
      },
    });
    const wire = await Wire.open(stage.port);
    const purchases = BEGUN_PER_TURN + 3;
    wire.send(textOf().repeat(purchases) + textOf({ target: '/card-api/tranmgr/reversal' }));
    for (let answer = 0; answer <= purchases; answer += 1) expect((await wire.next()).status).toBe(200);
    expect(begun.indexOf('Reversal')).toBe(BEGUN_PER_TURN);
    wire.end();
  });

  it('S120: answers what came before a CONNECT, and then drops it, whether or not the client is still there', async () => {
    const gate = gateOf();
    const stage = await startStage({ after: () => gate.opened });
    const [stays, leaves] = [await Wire.open(stage.port), await Wire.open(stage.port)];
    for (const wire of [stays, leaves]) wire.send(`${textOf()}CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\nx`);
    await waitFor('the effects', () => stage.effects.length === 2);
    leaves.socket.resetAndDestroy();
    gate.open();
    expect((await stays.next()).status).toBe(200);
    await stays.closed();
    await waitFor('the records', () => stage.records.length === 2);
    expect([stays.received, stage.inFlight(), stage.defects]).toEqual(['', 0, []]);
  });

  it('ends with the answer to whoever asks for another protocol: what came right behind it was lost to the parser', async () => {
    const gate = gateOf();
    const stage = await startStage({ after: () => gate.opened });
    const wire = await Wire.open(stage.port);
    wire.send(`${textOf({ headers: { Upgrade: 'h2c', Connection: 'Upgrade' } })}${textOf()}`);
    await waitFor('the effect', () => stage.effects.length === 1);
    // By now the parser has begun anew: this could be the body of what it lost.
    wire.send(textOf());
    await waitFor('its refusal, which nobody hears', () => stage.records.length === 1);
    gate.open();
    const reply = await wire.next();
    expect([reply.status, reply.headers.get('connection')]).toEqual([200, 'close']);
    await wire.closed();
    expect(stage.records.map(({ status }) => status)).toEqual([503, 200]);
    expect([stage.effects.length, stage.inFlight()]).toEqual([1, 0]);
  });

  it('keeps the connection after a refusal whose small body nobody read', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    for (const call of [{ target: '/nowhere' }, { headers: { Authorization: undefined } }, { method: 'GET' }, {}]) {
      wire.send(textOf(call));
    }
    const statuses = [await wire.next(), await wire.next(), await wire.next(), await wire.next()].map(r => r.status);
    expect(statuses).toEqual([404, 401, 404, 200]);
    expect(stage.records).toHaveLength(4);
    wire.end();
  });

  it('lets a client that still sends hear its answer before the connection ends', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.socket.pause();
    wire.send(`POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
    await waitFor('the record', () => stage.records.length === 1);
    // A torn connection shows when it is written to; what it had received is then lost.
    for (let count = 0; count < 20; count += 1) {
      await new Promise(resolve => wire.socket.write(`3e8\r\n${'x'.repeat(1000)}\r\n`, resolve));
    }
    wire.send('0\r\n\r\n');
    wire.socket.resume();
    expect((await wire.next()).status).toBe(404);
    await wire.closed();
  });

  it('never takes an unread body for a request', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    const smuggled = textOf();
    const size = smuggled.length.toString(16);
    wire.send(
      `POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${smuggled}\r\n0\r\n\r\n`,
    );
    const reply = await wire.next();
    expect([reply.status, reply.headers.get('connection')]).toEqual([404, 'close']);
    await wire.closed();
    expect(stage.effects).toHaveLength(0);
    expect(stage.records).toHaveLength(1);
  });
});

describe('100-continue', () => {
  const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\ntimestamp: 1\r\n`;

  it('is said only when the body is wanted', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(`${head}Authorization: Bearer ${TOKEN}\r\n\r\n`);
    expect((await wire.next()).status).toBe(100);
    wire.send('{}');
    expect((await wire.next()).status).toBe(200);
    wire.end();
  });

  it('is not said to a caller that is refused, whose connection then ends', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(`${head}Authorization: Bearer nobody\r\n\r\n`);
    const reply = await wire.next();
    expect([reply.status, reply.headers.get('connection')]).toEqual([403, 'close']);
    await wire.closed();
  });
});

describe('F11, F83: slow and silent peers', () => {
  const limits = { headersTimeoutMs: 300, requestTimeoutMs: 600 };

  it('F83: a head has less time than a whole request', async () => {
    const stage = await startStage({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 60_000 } });
    const wire = await Wire.open(stage.port);
    wire.send(textOf().slice(0, 50));
    await wire.closed();
    expect(wire.received).toBe('');
  });

  it('F83: slow heads end without an answer while good calls are served', async () => {
    const stage = await startStage({ limits });
    const slow = await Promise.all(Array.from({ length: 100 }, () => Wire.open(stage.port)));
    for (const [at, wire] of slow.entries()) if (at % 2 === 0) wire.send(textOf().slice(0, 30 + at));
    expect((await exchange(stage.port, textOf()))?.status).toBe(200);
    await Promise.all(slow.map(wire => wire.closed()));
    expect(slow.map(wire => wire.received)).toEqual(slow.map(() => ''));
    expect((await exchange(stage.port, textOf()))?.status).toBe(200);
    expect(stage.effects).toHaveLength(2);
  });

  it('F83: a body that does not come in time is 400, not 408, and has no effect', async () => {
    const stage = await startStage({ limits });
    const wire = await Wire.open(stage.port);
    wire.send(textOf({ body: 'x'.repeat(100) }).slice(0, -1));
    const reply = await wire.next();
    expect(reply.status).toBe(400);
    expect(reply.body).toContain('"field":"body"');
    expect(reply.headers.get('connection')).toBe('close');
    await wire.closed();
    expect(stage.effects).toHaveLength(0);
    expect(stage.inFlight()).toBe(0);
  });

  it('F83: the rest of a body that was refused unread cannot hold a connection', async () => {
    const stage = await startStage({ limits });
    const wire = await Wire.open(stage.port);
    wire.send(textOf({ target: '/nowhere', body: 'x'.repeat(100) }).slice(0, -1));
    expect((await wire.next()).status).toBe(404);
    await wire.closed();
    expect(wire.received).toBe('');
  });

  it('what ends in the middle of a body that was refused unread gets no second answer', async () => {
    const stage = await startStage();
    const wire = await Wire.open(stage.port);
    wire.send(textOf({ target: '/nowhere', body: 'x'.repeat(100) }).slice(0, -1));
    expect((await wire.next()).status).toBe(404);
    wire.socket.end();
    await wire.closed();
    expect(wire.received).toBe('');
    expect(stage.records).toHaveLength(1);
  });

  it('F11: a client that never reads its answer is dropped when nothing moves any more', async () => {
    const big = approved({ fields: new Secret({ a: 'x'.repeat(64 * 1024 * 1024) }) });
    const stage = await startStage({ answer: big, limits: { stalledMs: 300 } });
    const wire = await Wire.open(stage.port);
    wire.socket.pause();
    wire.send(textOf());
    await waitFor('the record', () => stage.records.length === 1);
    // Ends only when the answer has left or its connection is gone: this grace is longer than the test may take.
    await within('the end of the connection', stage.close(600_000));
    wire.end();
  });

  it('F71: connections past the limit are not taken', async () => {
    const stage = await startStage({ limits: { connections: 2 } });
    const held = [await Wire.open(stage.port), await Wire.open(stage.port)];
    for (const wire of held) {
      wire.send(textOf());
      expect((await wire.next()).status).toBe(200);
    }
    const extra = await Wire.open(stage.port);
    extra.send(textOf());
    await extra.closed();
    expect(extra.received).toBe('');
    for (const wire of held) wire.end();
    await waitFor('a free place', async () => (await exchange(stage.port, textOf()))?.status === 200);
  });
});

describe('TLS', () => {
  it('serves over TLS 1.2 and later where it has a certificate, and never in clear', async () => {
    const { cert, key } = selfSigned('127.0.0.1');
    const stage = await startStage({ tls: { cert, key: new Secret(key), clientCa: undefined } });
    const socket = connectTls({ port: stage.port, host: '127.0.0.1', ca: cert });
    const wire = new Wire(socket);
    wire.send(textOf());
    expect((await wire.next()).status).toBe(200);
    wire.end();
    const clear = await Wire.open(stage.port);
    clear.send(textOf());
    await clear.closed();
    expect(stage.effects).toHaveLength(1);
  });

  it('asks for a certificate of the client authority where there is one', async () => {
    const { cert, key } = selfSigned('127.0.0.1');
    const stage = await startStage({ tls: { cert, key: new Secret(key), clientCa: cert } });
    const stranger = new Wire(connectTls({ port: stage.port, host: '127.0.0.1', ca: cert }));
    stranger.send(textOf());
    await stranger.closed();
    const known = new Wire(connectTls({ port: stage.port, host: '127.0.0.1', ca: cert, cert, key }));
    known.send(textOf());
    expect((await known.next()).status).toBe(200);
    known.end();
    expect(stage.effects).toHaveLength(1);
  });
});
