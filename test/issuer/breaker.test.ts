/**
 * The breaker on a scripted connector and a clock of its own: what opens it, what never does, and who may be the probe.
 * Each trap of opossum that the breaker is built around has a case that would spring it.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CALLS_AFTER_OUTAGE } from '../../src/config/limits.ts';
import type { IssuerId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Secret } from '../../src/domain/secret.ts';
import { type BreakerSettings, createGuardedIssuer } from '../../src/issuer/breaker.ts';
import type { BreakerState, IssuerConnector } from '../../src/issuer/issuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { messageOf } from './messages.ts';

const answered = (code: '00' | '51'): Outcome => ({
  kind: 'answered',
  status: 200,
  answer: { code, desc: '', fields: new Secret({}) },
});
const APPROVED = answered('00');
const DECLINED = answered('51');
const TIMEOUT: Outcome = { kind: 'unknown', reason: 'timeout' };
const REFUSED: Outcome = { kind: 'notSent', reason: 'connect' };
const AT_THE_DOOR: Outcome = { kind: 'notSent', reason: 'refusedAtTheDoor' };
const BREAKER_OPEN: Outcome = { kind: 'notSent', reason: 'breakerOpen' };

const SETTINGS: BreakerSettings = { errorPercent: 50, minimumCalls: 20, windowMs: 10_000, openMs: 5000 };
const message = messageOf();

/** A connector that gives the next outcome of a script, or waits for `give`. */
class ScriptedConnector implements IssuerConnector {
  next: Outcome | 'wait' | 'throw' = APPROVED;
  sends = 0;
  closed = false;
  readonly waiting: ((outcome: Outcome) => void)[] = [];

  async send(): Promise<Outcome> {
    this.sends += 1;
    if (this.next === 'throw') throw new Error('defect');
    return this.next === 'wait' ? new Promise(resolve => this.waiting.push(resolve)) : this.next;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Virtual time for opossum's timer and for our clock alike. */
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function guarded(settings: Partial<BreakerSettings> = {}, onStateChange?: (state: BreakerState) => void) {
  const connector = new ScriptedConnector();
  const states: BreakerState[] = [];
  const guard = createGuardedIssuer({
    id: 'demo' as IssuerId,
    connector,
    settings: { ...SETTINGS, ...settings },
    clock: systemClock,
    onStateChange: onStateChange ?? (state => states.push(state)),
  });
  const options = (ms = 2000) => ({ deadline: Deadline.in(systemClock, ms), repeat: false });
  const send = (outcome: Outcome | 'wait' | 'throw', ms?: number) => {
    connector.next = outcome;
    return guard.send(message, options(ms));
  };
  const deliver = (outcome: Outcome | 'wait' | 'throw') => {
    connector.next = outcome;
    return guard.deliver(message, options());
  };
  const sendMany = async (count: number, outcome: Outcome) => {
    for (let i = 0; i < count; i += 1) await send(outcome);
  };
  return { connector, states, guard, send, deliver, sendMany };
}

describe('closed', () => {
  it('F30: 1,000 declines leave it closed, and every one comes back as it was', async () => {
    const { guard, send, states } = guarded();
    for (let i = 0; i < 1000; i += 1) expect(await send(DECLINED)).toBe(DECLINED);
    expect(guard.state).toBe('closed');
    expect(states).toEqual([]);
  });

  it('refusals at the door leave it closed: the issuer lives, our credentials are wrong', async () => {
    const { guard, sendMany } = guarded();
    await sendMany(100, AT_THE_DOOR);
    expect(guard.state).toBe('closed');
  });

  it.each([
    ['unknown outcomes', TIMEOUT],
    ['failed connects', REFUSED],
    ['unknown outcomes with an open code', { kind: 'unknown', reason: 'openCode' }],
  ] as const)('an outage of %s opens it at the minimum number of calls, and not before', async (_, outcome) => {
    const { guard, sendMany, connector } = guarded();
    await sendMany(19, outcome);
    expect(guard.state).toBe('closed');
    await sendMany(1, outcome);
    expect(guard.state).toBe('open');
    expect(connector.sends).toBe(20);
  });

  it('opens at exactly half failures, and stays closed just below', async () => {
    const below = guarded({ minimumCalls: 21 });
    await below.sendMany(11, APPROVED);
    await below.sendMany(10, TIMEOUT);
    expect(below.guard.state).toBe('closed');

    const half = guarded();
    await half.sendMany(10, APPROVED);
    await half.sendMany(10, TIMEOUT);
    expect(half.guard.state).toBe('open');
  });

  it('opens at 100 % when that is the setting', async () => {
    const { guard, sendMany } = guarded({ errorPercent: 100 });
    await sendMany(20, TIMEOUT);
    expect(guard.state).toBe('open');
  });

  it('any mix of outcomes opens it at the first failure with which both limits are reached', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 30 }),
        async (successes, errorPercent, minimumCalls) => {
          const { guard, send } = guarded({ errorPercent, minimumCalls });
          let failed = 0;
          for (const [i, ok] of successes.entries()) {
            failed += ok ? 0 : 1;
            await send(ok ? APPROVED : TIMEOUT);
            const opens = !ok && i + 1 >= minimumCalls && failed * 100 >= errorPercent * (i + 1);
            expect(guard.state).toBe(opens ? 'open' : 'closed');
            if (opens) break;
          }
          await guard.close();
        },
      ),
    );
  });

  it('forgets what is older than the window', async () => {
    const { guard, sendMany } = guarded();
    await sendMany(19, TIMEOUT);
    vi.advanceTimersByTime(11_000);
    await sendMany(1, TIMEOUT);
    expect(guard.state).toBe('closed');
  });

  it('opens by what the last ten tenths of the window hold, whenever they are counted', async () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 4000 }), fc.boolean()), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 15 }), async (given, minimumCalls) => {
        const { guard, send } = guarded({ minimumCalls, errorPercent: 40, windowMs: 10_000 });
        const began = systemClock.monotonicMs();
        const counted: { readonly tenth: number; readonly ok: boolean }[] = [];
        for (const [waitMs, ok] of given) {
          vi.advanceTimersByTime(waitMs);
          const tenth = Math.floor((systemClock.monotonicMs() - began) / 1000);
          counted.push({ tenth, ok });
          await send(ok ? APPROVED : TIMEOUT);
          const last = counted.filter(one => one.tenth > tenth - 10);
          const failed = last.filter(one => !one.ok).length;
          const opens = !ok && last.length >= minimumCalls && failed * 100 >= 40 * last.length;
          expect(guard.state).toBe(opens ? 'open' : 'closed');
          if (opens) break;
        }
        await guard.close();
      }),
    );
  });

  it('counts finished calls only: those still running do not dilute an outage', async () => {
    const { guard, send, sendMany } = guarded();
    for (let i = 0; i < 200; i += 1) void send('wait', 60_000);
    await sendMany(20, REFUSED);
    expect(guard.state).toBe('open');
  });

  it('does not send, and does not count, where too little time is left', async () => {
    const { guard, send, connector } = guarded();
    for (let i = 0; i < 50; i += 1) expect(await send(APPROVED, 10)).toEqual({ kind: 'notSent', reason: 'noBudget' });
    expect(connector.sends).toBe(0);
    expect(guard.state).toBe('closed');
  });

  it('a connector that throws is an unknown outcome and a failure, never an exception', async () => {
    const { guard, send } = guarded();
    for (let i = 0; i < 20; i += 1) expect(await send('throw')).toEqual({ kind: 'unknown', reason: 'internal' });
    expect(guard.state).toBe('open');
  });

  it('I9: a connector that never answers ends as unknown a second after its deadline', async () => {
    const { send } = guarded();
    const sending = send('wait');
    await vi.advanceTimersByTimeAsync(3001);
    expect(await sending).toEqual({ kind: 'unknown', reason: 'internal' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('open', () => {
  const opened = async () => {
    const all = guarded();
    await all.sendMany(20, TIMEOUT);
    return all;
  };

  it('refuses live sends at once and sends nothing', async () => {
    const { send, connector, states } = await opened();
    for (let i = 0; i < 100; i += 1) expect(await send(APPROVED)).toEqual(BREAKER_OPEN);
    expect(connector.sends).toBe(20);
    expect(states).toEqual(['open']);
  });

  it('F31: deliveries are sent all the same, and are never counted', async () => {
    const { guard, deliver, connector } = await opened();
    for (let i = 0; i < 50; i += 1) expect(await deliver(TIMEOUT)).toBe(TIMEOUT);
    expect(await deliver(APPROVED)).toBe(APPROVED);
    expect(connector.sends).toBe(71);
    expect(guard.state).toBe('open');
  });

  it('calls from before the opening that succeed now do not close it, and those that fail do not prolong it', async () => {
    const { guard, send, sendMany, connector } = guarded();
    for (let i = 0; i < 3; i += 1) void send('wait', 60_000);
    await sendMany(20, TIMEOUT);
    connector.waiting[0]?.(APPROVED);
    await vi.advanceTimersByTimeAsync(0);
    expect(guard.state).toBe('open');
    await vi.advanceTimersByTimeAsync(5000);
    expect(guard.state).toBe('halfOpen');
    connector.waiting[1]?.(APPROVED);
    connector.waiting[2]?.(TIMEOUT);
    await vi.advanceTimersByTimeAsync(0);
    expect(guard.state).toBe('halfOpen');
  });

  it('failing deliveries never open a closed breaker against debits', async () => {
    const { guard, deliver } = guarded();
    for (let i = 0; i < 100; i += 1) await deliver(TIMEOUT);
    expect(guard.state).toBe('closed');
  });
});

describe('half-open', () => {
  const halfOpen = async (settings: Partial<BreakerSettings> = {}) => {
    const all = guarded(settings);
    await all.sendMany(20, TIMEOUT);
    vi.advanceTimersByTime(5000);
    expect(all.guard.state).toBe('halfOpen');
    return all;
  };

  it('a probe that is answered closes it, a decline too', async () => {
    const { guard, send, states } = await halfOpen();
    expect(await send(DECLINED)).toBe(DECLINED);
    expect(guard.state).toBe('closed');
    expect(states).toEqual(['open', 'halfOpen', 'closed']);
  });

  it('F10 I10: once closed it lets few calls out at a time, and as many more as are answered', async () => {
    const { send, connector } = await halfOpen();
    await send(APPROVED);
    const first = Array.from({ length: CALLS_AFTER_OUTAGE }, () => send('wait'));
    expect(await send('wait')).toEqual({ kind: 'notSent', reason: 'recovering' });
    for (const give of connector.waiting.splice(0)) give(DECLINED);
    await Promise.all(first);
    const sends = connector.sends;
    for (let i = 0; i < 100; i += 1) void send('wait');
    expect(connector.sends - sends).toBe(2 * CALLS_AFTER_OUTAGE);
  });

  it('a probe that fails opens it again for as long', async () => {
    const { guard, send } = await halfOpen();
    expect(await send(TIMEOUT)).toBe(TIMEOUT);
    expect(guard.state).toBe('open');
    vi.advanceTimersByTime(4999);
    expect(guard.state).toBe('open');
    vi.advanceTimersByTime(1);
    expect(guard.state).toBe('halfOpen');
  });

  it('lets one probe through at a time', async () => {
    const { send, connector, guard } = await halfOpen();
    const probe = send('wait');
    for (let i = 0; i < 10; i += 1) expect(await send(APPROVED)).toEqual(BREAKER_OPEN);
    expect(connector.sends).toBe(21);
    connector.waiting[0]?.(APPROVED);
    expect(await probe).toBe(APPROVED);
    expect(guard.state).toBe('closed');
  });

  it('a delivery may be the probe, and closes it', async () => {
    const { deliver, guard } = await halfOpen();
    expect(await deliver(APPROVED)).toBe(APPROVED);
    expect(guard.state).toBe('closed');
  });

  it('a delivery beside the probe is sent, and says nothing', async () => {
    const { send, deliver, connector, guard } = await halfOpen();
    const probe = send('wait');
    expect(await deliver(TIMEOUT)).toBe(TIMEOUT);
    expect(await deliver(APPROVED)).toBe(APPROVED);
    expect(guard.state).toBe('halfOpen');
    connector.waiting[0]?.(APPROVED);
    await probe;
    expect(guard.state).toBe('closed');
  });

  it('a probe that gets stuck does not leave it half-open for ever', async () => {
    const { send, guard } = await halfOpen();
    const probe = send('wait');
    await vi.advanceTimersByTimeAsync(3001);
    expect(await probe).toEqual({ kind: 'unknown', reason: 'internal' });
    expect(guard.state).toBe('open');
    await vi.advanceTimersByTimeAsync(5000);
    await send(APPROVED);
    expect(guard.state).toBe('closed');
  });

  it('F31: closed again, it starts with an empty window: neither old failures nor refusals count', async () => {
    const { send, sendMany, guard } = guarded();
    await sendMany(20, TIMEOUT);
    await sendMany(500, APPROVED);
    vi.advanceTimersByTime(5000);
    await send(APPROVED);
    await sendMany(19, TIMEOUT);
    expect(guard.state).toBe('closed');
    await sendMany(1, TIMEOUT);
    expect(guard.state).toBe('open');
  });
});

describe('hazards', () => {
  it('a listener that throws changes no outcome and no state', async () => {
    const { guard, send, sendMany } = guarded({}, () => {
      throw new Error('metrics are away');
    });
    await sendMany(20, TIMEOUT);
    expect(guard.state).toBe('open');
    vi.advanceTimersByTime(5000);
    expect(await send(APPROVED)).toBe(APPROVED);
    expect(guard.state).toBe('closed');
  });

  it('the failure path never sorts what was counted, however many calls those are', async () => {
    const { sendMany, guard } = guarded({ errorPercent: 90 });
    await sendMany(2000, APPROVED);
    const sort = vi.spyOn(Array.prototype, 'sort');
    await sendMany(100, TIMEOUT);
    const sorted = sort.mock.calls.length;
    sort.mockRestore();
    expect(guard.state).toBe('closed');
    expect(sorted).toBe(0);
  });

  it('idle it holds no timer; closed for good it holds none either, and closes the connector', async () => {
    const idle = guarded();
    await idle.send(APPROVED);
    expect(vi.getTimerCount()).toBe(0);
    await idle.sendMany(30, TIMEOUT);
    expect(idle.guard.state).toBe('open');
    expect(vi.getTimerCount()).toBe(1);
    await idle.guard.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(idle.connector.closed).toBe(true);
    expect(await idle.send(REFUSED)).toBe(REFUSED);
  });

  it('closed while its probe is out, it changes no more', async () => {
    const { send, sendMany, guard, connector, states } = guarded();
    await sendMany(20, TIMEOUT);
    vi.advanceTimersByTime(5000);
    const probe = send('wait');
    await guard.close();
    connector.waiting[0]?.(TIMEOUT);
    expect([await probe, guard.state, states]).toEqual([TIMEOUT, 'closed', ['open', 'halfOpen']]);
  });

  it.each([
    ['errorPercent', 0],
    ['minimumCalls', Number.NaN],
    ['windowMs', -1],
    ['openMs', Number.POSITIVE_INFINITY],
  ])('a setting that opossum would quietly replace is refused: %s %d', (name, value) => {
    expect(() => guarded({ [name]: value })).toThrow(name);
  });
});
