/**
 * Connector and breaker together through an outage and its end: how fast it opens, what still goes out, when it closes.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { IssuerId } from '../../src/domain/ids.ts';
import { createGuardedIssuer } from '../../src/issuer/breaker.ts';
import { createHttpIssuer } from '../../src/issuer/httpIssuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { waitFor } from '../support/waitFor.ts';
import { messageOf } from './messages.ts';
import { approval, approve, response, type Script, startIssuer } from './scriptedIssuer.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const BREAKER_OPEN = { kind: 'notSent', reason: 'breakerOpen' };
const APPROVED = { kind: 'answered', answer: { code: '00' } };

async function lineTo(script: Script) {
  const server = await startIssuer(script);
  const guard = createGuardedIssuer({
    id: 'demo' as IssuerId,
    connector: createHttpIssuer({ baseUrl: server.baseUrl, clock: systemClock, connections: 8 }),
    settings: { errorPercent: 50, minimumCalls: 20, windowMs: 10_000, openMs: 300 },
    clock: systemClock,
  });
  cleanUps.push(
    () => server.close(),
    () => guard.close(),
  );
  const options = () => ({ deadline: Deadline.in(systemClock, 20_000), repeat: false });
  return {
    server,
    guard,
    send: () => guard.send(messageOf(), options()),
    deliver: () => guard.deliver(messageOf('Reversal'), options()),
  };
}

describe('breaker and connector together', () => {
  it('F30: 1,000 declines over the wire leave it closed', async () => {
    const { guard, send, server } = await lineTo((socket, request) =>
      socket.write(response('200 OK', approval(request, { responseCode: '51' }))),
    );
    for (let i = 0; i < 125; i += 1) {
      for (const outcome of await Promise.all(Array.from({ length: 8 }, send))) {
        expect(outcome).toMatchObject({ kind: 'answered', answer: { code: '51' } });
      }
    }
    expect(guard.state).toBe('closed');
    expect(server.requests).toHaveLength(1000);
  });

  it.each<[string, Script]>([
    ['resets', socket => socket.resetAndDestroy()],
    ['500', socket => socket.write(response('500 Oops', 'no'))],
    ['open codes', (socket, request) => socket.write(response('200 OK', approval(request, { responseCode: '96' })))],
  ])('I19: an outage by %s opens it, reversals go out all the same, and it closes after healing', async (_, outage) => {
    const { server, guard, send, deliver } = await lineTo(outage);
    for (let i = 0; i < 20; i += 1) expect((await send()).kind).toBe('unknown');
    expect(await send()).toEqual(BREAKER_OPEN);
    expect(server.requests).toHaveLength(20);
    expect((await deliver()).kind).toBe('unknown');
    expect(server.requests).toHaveLength(21);

    server.script = approve;
    expect(await deliver()).toMatchObject(APPROVED);
    await waitFor('the breaker to close', async () => {
      await send();
      return guard.state === 'closed';
    });
    expect(await send()).toMatchObject(APPROVED);
  });
});
