/**
 * One exchange without sockets: the phases of a send in every order undici may report them, and the one outcome they end in.
 */
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Exchange } from '../../src/issuer/exchange.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';

/** A clock that a test moves, and whose timers fire when the test says so, in time or not. */
class HandClock implements Clock {
  now = 0;
  fire = () => {};
  timers = 0;
  wallMs = () => this.now;
  monotonicMs = () => this.now;
  sleep = async () => {};
  after = (_ms: number, run: () => void) => {
    this.timers += 1;
    this.fire = run;
    return () => {
      this.timers -= 1;
    };
  };
}

const ANSWER: Outcome = { kind: 'unknown', reason: 'openCode' };

type ReadReply = (status: 200 | 400, body: Uint8Array) => Outcome | Promise<Outcome>;

type Line = { readonly isNew?: boolean; readonly isSuspect?: boolean; readonly fault?: string };

function exchange(readReply: ReadReply = () => ANSWER, { isNew = false, isSuspect = false, fault }: Line = {}) {
  const clock = new HandClock();
  const log: string[] = [];
  const made = new Exchange({
    clock,
    deadline: Deadline.in(clock, 1000),
    readReply,
    carrier: { isNew, isSuspect, fault, end: () => log.push('released'), hangUp: () => log.push('hung up') },
  });
  const controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    abort: () => log.push('aborted'),
    pause: () => {},
    resume: () => {},
  };
  return { clock, log, made, controller };
}

const error = (code?: string, name = 'Error') => Object.assign(new Error('quotes 4111111111111111'), { name, code });

describe('the phase', () => {
  it.each([
    [false, { kind: 'notSent', reason: 'refusedAtTheDoor' }],
    [true, { kind: 'unknown', reason: 'httpStatus' }],
  ] as const)('F26: a refusal at the door on a connection under suspicion (%s)', async (isSuspect, outcome) => {
    const { made, controller } = exchange(undefined, { isSuspect });
    made.onRequestStart(controller);
    made.onResponseStart(controller, 404);
    made.onResponseEnd();
    expect((await made.ending).outcome).toEqual(outcome);
  });

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_DESTROYED', 'UND_ERR_ABORTED', undefined])(
    'F15: %s is notSent before the request was started, and unknown after',
    async code => {
      const before = exchange();
      before.made.onResponseError(null, error(code));
      expect((await before.made.ending).outcome).toEqual({ kind: 'notSent', reason: 'connect' });

      const after = exchange();
      after.made.onRequestStart(after.controller);
      after.made.onResponseError(after.controller, error(code));
      expect((await after.made.ending).outcome).toEqual({ kind: 'unknown', reason: 'reset' });
    },
  );

  it.each([
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
    ['UND_ERR_HEADERS_OVERFLOW', 'tooLarge'],
    ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'tooLarge'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset'],
  ])('%s is %s', async (code, reason) => {
    const { made, controller } = exchange();
    made.onRequestStart(controller);
    made.onResponseError(controller, error(code));
    expect((await made.ending).outcome).toEqual({ kind: 'unknown', reason });
  });

  const NO_CERTIFICATE = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';

  it('a certificate that TLS refuses is notSent, though bytes have left: on a new connection, before any answer', async () => {
    const { made, controller } = exchange(undefined, { isNew: true, fault: NO_CERTIFICATE });
    made.onRequestStart(controller);
    made.onResponseError(controller, error('UND_ERR_SOCKET'));
    expect(await made.ending).toEqual({
      outcome: { kind: 'notSent', reason: 'connect' },
      status: undefined,
      fault: NO_CERTIFICATE,
    });
  });

  it.each([
    ['on a connection that has carried another', NO_CERTIFICATE, false, undefined],
    ['after an answer has begun', NO_CERTIFICATE, true, 200],
    ['an alert that any moment may bring', 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', true, undefined],
    ['a reset', 'ECONNRESET', true, undefined],
  ])('and unknown otherwise: %s', async (_, code, isNew, status) => {
    const { made, controller } = exchange(undefined, { isNew, fault: code });
    made.onRequestStart(controller);
    if (status !== undefined) made.onResponseStart(controller, status);
    made.onResponseError(controller, error('UND_ERR_SOCKET'));
    expect((await made.ending).outcome).toEqual({ kind: 'unknown', reason: 'reset' });
  });

  it('I14: nothing of an error but its code goes any further', async () => {
    for (const given of [error('ECONNREFUSED'), error('4111111111111111'), error(), error(`X${'Y'.repeat(100)}`)]) {
      const { made } = exchange();
      made.onResponseError(null, given);
      expect(['ECONNREFUSED', 'UNNAMED']).toContain((await made.ending).fault);
    }
  });
});

describe('I11: nothing starts late', () => {
  it('past the deadline the request is refused to undici, though no timer has fired yet', async () => {
    const { made, controller, clock } = exchange();
    clock.now = 1000;
    expect(() => made.onRequestStart(controller)).toThrow();
    expect((await made.ending).outcome).toEqual({ kind: 'notSent', reason: 'noBudget' });
  });

  it('once it was given up, it is refused even where the clock still shows time left', async () => {
    const { made, controller, clock, log } = exchange();
    clock.fire();
    expect((await made.ending).outcome).toEqual({ kind: 'notSent', reason: 'connect' });
    expect(() => made.onRequestStart(controller)).toThrow();
    made.onResponseError(controller, error());
    expect(log).toEqual(['released']);
  });

  it('I1: it is refused when undici would send it a second time, and is unknown then', async () => {
    const { made, controller } = exchange();
    made.onRequestStart(controller);
    expect(() => made.onRequestStart(controller)).toThrow();
    made.onResponseError(controller, error());
    expect((await made.ending).outcome).toEqual({ kind: 'unknown', reason: 'reset' });
  });
});

describe('the ending', () => {
  const answer = ({ made, controller }: ReturnType<typeof exchange>, status = 200, ...chunks: string[]) => {
    made.onRequestStart(controller);
    made.onResponseStart(controller, status);
    for (const chunk of chunks) made.onResponseData(controller, Buffer.from(chunk));
    made.onResponseEnd();
  };

  it('is what the reply says, read from all of its chunks', async () => {
    const seen: unknown[] = [];
    const all = exchange((status, body) => {
      seen.push(status, Buffer.from(body).toString());
      return ANSWER;
    });
    answer(all, 400, '{"a"', ':"b"}');
    expect((await all.made.ending).outcome).toBe(ANSWER);
    expect(seen).toEqual([400, '{"a":"b"}']);
    expect(all.log).toEqual(['released']);
    expect(all.clock.timers).toBe(0);
  });

  it.each(['wrongEcho', 'garbage'] as const)('after %s the connection is hung up', async reason => {
    const all = exchange(() => ({ kind: 'unknown', reason }));
    answer(all);
    expect(all.log).toEqual(['released', 'hung up']);
  });

  it('a defect in reading is unknown, and the connection is hung up', async () => {
    const all = exchange(() => {
      throw new Error('defect');
    });
    answer(all);
    expect((await all.made.ending).outcome).toEqual({ kind: 'unknown', reason: 'internal' });
    expect(all.log).toEqual(['released', 'hung up']);
  });

  it('where the reply has to be opened first: what is inside, once it is open', async () => {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const all = exchange(() => promise);
    answer(all);
    expect(all.log).toEqual(['released']);
    resolve({ kind: 'unknown', reason: 'wrongEcho' });
    expect((await all.made.ending).outcome).toEqual({ kind: 'unknown', reason: 'wrongEcho' });
    expect(all.log).toEqual(['released', 'hung up']);
    expect(all.clock.timers).toBe(0);
  });

  it('where opening takes longer than there is time: unknown, and the connection, which is free by then, is left alone', async () => {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const all = exchange(() => promise);
    answer(all);
    all.clock.fire();
    resolve(ANSWER);
    expect((await all.made.ending).outcome).toEqual({ kind: 'unknown', reason: 'timeout' });
    await promise;
    expect(all.log).toEqual(['released']);
  });

  it('a defect in opening is unknown, and the connection is hung up', async () => {
    const all = exchange(() => Promise.reject(new Error('defect')));
    answer(all);
    expect((await all.made.ending).outcome).toEqual({ kind: 'unknown', reason: 'internal' });
    expect(all.log).toEqual(['released', 'hung up']);
  });

  it('F25: happens once; what comes later changes nothing', async () => {
    const all = exchange(() => {
      throw new Error('must not be read');
    });
    all.made.onRequestStart(all.controller);
    all.clock.fire();
    all.made.onResponseStart(all.controller, 200);
    all.made.onResponseEnd();
    all.made.onResponseError(all.controller, error());
    expect((await all.made.ending).outcome).toEqual({ kind: 'unknown', reason: 'timeout' });
    expect(all.log).toEqual(['aborted', 'released']);
  });

  it('a door that closes at the deadline is still a door', async () => {
    const all = exchange();
    all.made.onRequestStart(all.controller);
    all.made.onResponseStart(all.controller, 403);
    all.clock.fire();
    expect(await all.made.ending).toMatchObject({
      outcome: { kind: 'notSent', reason: 'refusedAtTheDoor' },
      status: 403,
    });
    expect(all.log).toEqual(['aborted']);
  });
});
