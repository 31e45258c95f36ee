/**
 * Answers that come after the deadline, over real sockets: which of them are heard, what becomes of their connections,
 * and that a hanging issuer cannot gather more of them than the limit.
 */
import { describe, expect, it } from 'vitest';
import type { IssuerAnswer } from '../../src/domain/outcome.ts';
import type { IssuerConnector } from '../../src/issuer/issuer.ts';
import { LateReaders } from '../../src/issuer/lateReaders.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { waitFor, within } from '../support/waitFor.ts';
import { AMPLE_MS, codeOf, connectorTo, issuer, SHORT_MS, sendNext, unknown } from './connectors.ts';
import { messageOf } from './messages.ts';
import { approval, approve, response, type Script } from './scriptedIssuer.ts';

/** Sends what is not answered in time; `heard` fills with what comes later. */
async function sendInVain(connector: IssuerConnector) {
  const heard: IssuerAnswer[] = [];
  const deadline = Deadline.in(systemClock, SHORT_MS);
  const options = { deadline, repeat: false, onLate: (answer: IssuerAnswer) => heard.push(answer) };
  const outcome = await within('the outcome of a send', connector.send(messageOf(), options));
  return { outcome, heard };
}

/** Holds its answer back until it is told to give it. */
function heldBack(answer: (request: Parameters<Script>[1]) => Buffer) {
  const held: (() => void)[] = [];
  const script: Script = (socket, request) => {
    held.push(() => socket.write(answer(request)));
  };
  return { script, release: () => held.splice(0).forEach(give => void give()) };
}

describe('F25: an answer after the deadline', () => {
  it('is heard after the send has ended as unknown, and its connection is used again', async () => {
    const { script, release } = heldBack(request => response('200 OK', approval(request)));
    const server = await issuer(script);
    const connector = connectorTo(server.baseUrl, { lateReadingMs: AMPLE_MS });
    const { outcome, heard } = await sendInVain(connector);
    expect(outcome).toEqual(unknown('timeout'));
    expect(heard).toEqual([]);
    release();
    await waitFor('the late answer', () => heard.length === 1);
    expect(heard[0]?.code).toBe('00');
    server.script = approve;
    expect(codeOf(await sendNext(connector))).toBe('00');
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1]);
  });

  it.each<[string, (request: Parameters<Script>[1]) => Buffer]>([
    ['of another transaction', request => response('200 OK', approval(request, { tranId: 'another' }))],
    ['that is garbage', () => response('200 OK', 'not json')],
  ])('%s is not heard, and its connection is closed', async (_, answer) => {
    const { script, release } = heldBack(answer);
    const server = await issuer(script);
    const { heard } = await sendInVain(connectorTo(server.baseUrl, { lateReadingMs: AMPLE_MS }));
    release();
    await waitFor('the connection to be closed', () => server.sockets[0]?.destroyed);
    expect(heard).toEqual([]);
  });

  it.each([
    ['an open code', '200 OK', '96'],
    ['HTTP 400', '400 Bad Request', '30'],
  ])('with %s is not heard: it says nothing definite', async (_, status, responseCode) => {
    const { script, release } = heldBack(request => response(status, approval(request, { responseCode })));
    const server = await issuer(script);
    const connector = connectorTo(server.baseUrl, { lateReadingMs: AMPLE_MS });
    const { heard } = await sendInVain(connector);
    release();
    server.script = approve;
    await waitFor('the connection to be free', async () => {
      const connectionOf = server.requests.at(-1)?.connection;
      return codeOf(await sendNext(connector)) === '00' && connectionOf === 1 && server.requests.length > 1;
    });
    expect(heard).toEqual([]);
  });

  it('is not waited for where nobody wants it, nor for longer than allowed', async () => {
    const server = await issuer(() => {});
    await sendInVain(connectorTo(server.baseUrl, { lateReadingMs: 50 }));
    await waitFor('the connection to be closed', () => server.sockets[0]?.destroyed);
    await sendInVain(connectorTo(server.baseUrl));
    await waitFor('the second to be closed', () => server.sockets[1]?.destroyed);
  });

  it('is given up when the connector closes', async () => {
    const server = await issuer(() => {});
    const connector = connectorTo(server.baseUrl, { lateReadingMs: AMPLE_MS });
    await sendInVain(connector);
    expect(server.sockets[0]?.destroyed).toBe(false);
    await within('closing', connector.close());
    await waitFor('the connection to be closed', () => server.sockets[0]?.destroyed);
  });

  it('I10: past the limit the oldest is given up, and calls in time keep their connections', async () => {
    const server = await issuer(() => {});
    const connector = connectorTo(server.baseUrl, { connections: 1, lateReadingMs: AMPLE_MS });
    const waiting = [await sendInVain(connector), await sendInVain(connector)];
    expect(waiting.map(({ outcome }) => outcome)).toEqual([unknown('timeout'), unknown('timeout')]);
    expect(server.sockets.filter(socket => !socket.destroyed)).toHaveLength(2);
    server.script = approve;
    expect(codeOf(await sendNext(connector))).toBe('00');
  });
});

describe('I10: who waits for late answers', () => {
  it('ends the oldest for the youngest, and all of them at once', () => {
    const readers = new LateReaders(systemClock, AMPLE_MS, 2);
    const stopped: number[] = [];
    const begin = (id: number) => readers.begin(() => stopped.push(id));
    begin(1);
    const end = begin(2);
    begin(3);
    expect(stopped).toEqual([1]);
    end();
    begin(4);
    expect(stopped).toEqual([1]);
    readers.stopAll();
    expect(stopped).toEqual([1, 3, 4]);
  });
});
