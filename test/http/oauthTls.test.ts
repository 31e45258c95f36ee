/**
 * TLS on the public port in this process: a handshake has a time limit, and what comes of one that fails is no request.
 */
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/domain/secret.ts';
import { certificate, toPem } from '../edge/certificateKit.ts';
import { ecPair } from '../edge/oauthKit.ts';
import { authority, type Pair, selfSigned } from '../issuer/certificate.ts';
import { waitFor } from '../support/waitFor.ts';
import { gateOf, startStage, textOf } from './stage.ts';
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

describe('authorities of callers that are exchanged', () => {
  const [going, staying] = [authority({}, 'going'), authority({}, 'staying')];
  const tlsWith = (clientCa: string) => ({ ...TLS, clientCa });
  const BOTH = tlsWith(going.cert + staying.cert);

  /** A connection on which one call has been answered. */
  const used = async (port: number, { cert, key }: Pair): Promise<Wire> => {
    const wire = new Wire(connectTls({ port, host: '127.0.0.1', ca: PAIR.cert, cert, key }));
    wire.send(textOf());
    await wire.next('the first answer');
    return wire;
  };

  it('end the idle connections of those who are not let in any more, and no others', async () => {
    const stage = await startStage({ tls: BOTH });
    const gone = await used(stage.port, going.issue('caller'));
    const kept = await used(stage.port, staying.issue('caller'));
    stage.exchangeTls(tlsWith(staying.cert));
    await gone.closed();
    kept.send(textOf());
    expect(await kept.next('another answer')).toMatchObject({ status: 200 });
    expect(stage.effects).toHaveLength(3);
  });

  it('let those go on who come from one of them by way of another authority', async () => {
    const now = Math.floor(Date.now() / 1000);
    const valid = { fromS: now - 3600, untilS: now + 3600 };
    const [root, between, caller] = ['root', 'between', 'caller'].map(name => ({ name, ...ecPair() }));
    if (!root || !between || !caller) throw new Error('there are three');
    const above = (subject: typeof root, by: typeof root) =>
      toPem(certificate({ subject, by, ca: true, usage: ['keyCertSign'], ...valid }));
    const key = caller.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const cert = toPem(certificate({ subject: caller, by: between, ca: false, ...valid })) + above(between, root);
    const rootPem = above(root, root);
    const stage = await startStage({ tls: tlsWith(going.cert + rootPem) });
    const kept = await used(stage.port, { cert, key });
    stage.exchangeTls(tlsWith(rootPem));
    kept.send(textOf());
    expect(await kept.next('another answer')).toMatchObject({ status: 200 });
    stage.exchangeTls(tlsWith(going.cert));
    await kept.closed();
  });

  it('end none where they stay the same, whatever becomes of our own certificate', async () => {
    const stage = await startStage({ tls: BOTH });
    const kept = await used(stage.port, going.issue('caller'));
    stage.exchangeTls({ ...BOTH });
    kept.send(textOf());
    expect(await kept.next('another answer')).toMatchObject({ status: 200 });
  });

  it('let a call that is under way end, and nothing follow it', async () => {
    const gate = gateOf();
    let calls = 0;
    const before = async () => {
      calls += 1;
      if (calls === 2) await gate.opened;
    };
    const stage = await startStage({ tls: BOTH, before });
    const wire = await used(stage.port, going.issue('caller'));
    wire.send(textOf());
    await waitFor('the call under way', () => calls === 2);
    stage.exchangeTls(tlsWith(staying.cert));
    wire.send(textOf());
    await waitFor('the refusal of the next', () => stage.records.some(({ status }) => status === 503));
    gate.open();
    const answer = await wire.next('its answer');
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    await wire.closed();
    expect(stage.effects).toHaveLength(2);
  });
});
