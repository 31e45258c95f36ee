/**
 * Which connection carries a send: as few as do, none twice at a time, none right after a reply, and none for ever.
 */
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { waitFor } from '../support/waitFor.ts';
import { codeOf, connectorTo, issuer, send, sendNext } from './connectors.ts';
import { approval, approve, type Received, response } from './scriptedIssuer.ts';

const connectionsOf = (requests: readonly Received[]): number[] => requests.map(({ connection }) => connection);

/** An issuer that answers when it is told to, and then all that it was asked by then. */
const waiting = async () => {
  const held: (() => void)[] = [];
  const server = await issuer((socket, request) => {
    held.push(() => socket.write(response('200 OK', approval(request))));
  });
  const answer = async (count: number): Promise<void> => {
    await waitFor('the sends', () => held.length === count);
    for (const one of held.splice(0)) one();
  };
  return { server, answer };
};

describe('connections', () => {
  it('sends at the same time have one each, and of those that are left the one used last is used', async () => {
    const { server, answer } = await waiting();
    const connector = connectorTo(server.baseUrl);
    const first = Array.from({ length: 5 }, () => send(connector));
    await answer(5);
    expect((await Promise.all(first)).map(codeOf)).toEqual(Array(5).fill('00'));
    expect(new Set(connectionsOf(server.requests)).size).toBe(5);
    server.script = approve;
    for (let i = 0; i < 5; i += 1) expect(codeOf(await sendNext(connector))).toBe('00');
    expect(new Set(connectionsOf(server.requests.slice(5))).size).toBe(1);
    expect(server.sockets).toHaveLength(5);
  });

  it('F26 F28: what follows an answer at once takes another connection: on this one more may have come', async () => {
    const server = await issuer(approve);
    const connector = connectorTo(server.baseUrl);
    for (let i = 0; i < 3; i += 1) expect(codeOf(await send(connector))).toBe('00');
    expect(connectionsOf(server.requests)).toEqual([1, 2, 1]);
  });

  it('F28 I10: where there are no more, it waits on this one until what came with the answer was read', async () => {
    const server = await issuer((socket, request) => {
      socket.write(response('200 OK', approval(request)));
      setImmediate(() => socket.destroy());
    });
    const connector = connectorTo(server.baseUrl, { connections: 1 });
    const outcomes: Outcome[] = [];
    for (let i = 0; i < 10; i += 1) outcomes.push(await send(connector));
    expect(outcomes.map(codeOf)).toEqual(Array(10).fill('00'));
    expect(connectionsOf(server.requests)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('with one connection any number of sends, one after the other, finds it free', async () => {
    const server = await issuer(approve);
    const connector = connectorTo(server.baseUrl, { connections: 1 });
    for (let i = 0; i < 20; i += 1) expect(codeOf(await send(connector))).toBe('00');
    expect(server.sockets).toHaveLength(1);
    expect(connector.alarms).toEqual([]);
  });

  it('none is used for more than five minutes, however busy it is', async () => {
    const server = await issuer(approve);
    let laterMs = 0;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + laterMs };
    const connector = connectorTo(server.baseUrl, { clock });
    for (const ms of [0, 200_000, 99_000, 2000]) {
      laterMs += ms;
      expect(codeOf(await sendNext(connector))).toBe('00');
    }
    expect(connectionsOf(server.requests)).toEqual([1, 1, 1, 2]);
    await waitFor('the old one to be closed', () => server.sockets[0]?.destroyed === true);
  });
});
