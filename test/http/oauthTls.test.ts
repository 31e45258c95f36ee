/**
 * TLS on the public port in this process: a handshake has a time limit, and what comes of one that fails is no request.
 */
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { selfSigned } from '../issuer/certificate.ts';
import { waitFor } from '../support/waitFor.ts';
import { startStage, textOf } from './stage.ts';
import { Wire } from './wire.ts';

const PAIR = selfSigned('127.0.0.1');
const TLS = { cert: PAIR.cert, key: new Secret(PAIR.key), clientCa: undefined };

const start = () => startStage({ tls: TLS, limits: { headersTimeoutMs: 200 } });

/** One call over TLS. */
const callOver = async (port: number): Promise<string> => {
  const socket = connectTls({ port, host: '127.0.0.1', ca: PAIR.cert });
  const wire = new Wire(socket);
  wire.send(textOf());
  await waitFor('the answer', () => wire.received.includes('\r\n\r\n'));
  socket.destroy();
  return wire.received;
};

describe('a handshake', () => {
  it.each([
    ['that never begins', ''],
    ['that stops in the middle', '\x16\x03\x01\x02\x00\x01\x00'],
    ['that is none', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s ends soon, without an answer and without a record', async (_, bytes) => {
    const stage = await start();
    const wire = await Wire.open(stage.port);
    wire.send(bytes);
    await wire.closed();
    // An alert of TLS is no answer.
    expect(wire.received).not.toContain('HTTP');
    expect([stage.records, stage.defects]).toEqual([[], []]);
    expect(await callOver(stage.port)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('has nothing to do with a server without TLS', async () => {
    const stage = await startStage();
    expect(() => stage.exchangeTls(TLS)).toThrow(/without TLS/);
  });
});
