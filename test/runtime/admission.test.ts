/**
 * Who is begun when, and who is turned away, over turns that the test makes by hand: every visitor hears exactly once,
 * a turn never begins or refuses more than its share, and nobody waits longer than the limit while turns go on.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShedReason } from '../../src/domain/refusal.ts';
import { type AdmissionOptions, createAdmission } from '../../src/runtime/admission.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const WAIT_MS = 500;

type VisitorOptions = { readonly isUrgent?: boolean; readonly isGone?: () => boolean };

/** An admission whose time and turns stand still until they are moved. */
function stage(limits: Partial<AdmissionOptions> = {}) {
  let now = 0;
  const turns: (() => void)[] = [];
  const admission = createAdmission({
    perTurn: 2,
    turnedAwayPerTurn: 3,
    waiting: 100,
    waitMs: () => WAIT_MS,
    clock: { ...systemClock, monotonicMs: () => now },
    nextTurn: run => turns.push(run),
    ...limits,
  });
  /** What each visitor heard, in order. */
  const heard: (readonly [name: string, what: 'begun' | ShedReason])[] = [];
  return {
    admission,
    heard,
    enter: (name: string, { isUrgent = false, isGone = () => false }: VisitorOptions = {}) =>
      admission.enter({
        isUrgent,
        isGone,
        begin: () => heard.push([name, 'begun']),
        turnAway: why => heard.push([name, why]),
      }),
    /** What is heard in the next turn. */
    turn: () => {
      const before = heard.length;
      for (const run of turns.splice(0)) run();
      return heard.slice(before);
    },
    pass: (ms: number) => {
      now += ms;
    },
    isIdle: () => turns.length === 0,
  };
}

const begun = (...names: string[]) => names.map(name => [name, 'begun']);

describe('turns', () => {
  it('I10: begins so many at once, the rest in the turns that follow, in order', () => {
    const { enter, turn, heard, admission, isIdle } = stage();
    for (const name of ['a', 'b', 'c', 'd', 'e']) enter(name);
    expect(heard).toEqual(begun('a', 'b'));
    expect(admission.waiting).toBe(3);
    expect(turn()).toEqual(begun('c', 'd'));
    expect(turn()).toEqual(begun('e'));
    turn();
    expect(isIdle()).toBe(true);
    enter('f');
    expect(heard.at(-1)).toEqual(['f', 'begun']);
  });

  it('whoever comes while others wait does not overtake them', () => {
    const { enter, turn } = stage();
    for (const name of ['a', 'b', 'c', 'd']) enter(name);
    expect(turn()).toEqual(begun('c', 'd'));
    for (const name of ['e', 'f', 'g']) enter(name);
    expect(turn()).toEqual(begun('e', 'f'));
    expect(turn()).toEqual(begun('g'));
  });

  it('F10: what is urgent goes first, and gets no more than half where others wait', () => {
    const { enter, turn } = stage({ perTurn: 4 });
    for (const name of ['1', '2', '3', '4', 'a', 'b', 'c', 'd']) enter(name);
    for (const name of ['u', 'v', 'w']) enter(name, { isUrgent: true });
    expect(turn()).toEqual(begun('u', 'v', 'a', 'b'));
    expect(turn()).toEqual(begun('w', 'c', 'd'));
  });

  it('what is urgent takes all places that nobody else wants', () => {
    const { enter, turn } = stage();
    for (const name of ['a', 'b', 'u', 'v']) enter(name, { isUrgent: true });
    expect(turn()).toEqual(begun('u', 'v'));
  });
});

describe('turning away', () => {
  it('F10 I10: past the limit of those that wait', () => {
    const { enter, heard, admission } = stage({ waiting: 1 });
    for (const name of ['a', 'b', 'c', 'd']) enter(name);
    expect(heard.at(-1)).toEqual(['d', 'queueFull']);
    expect(admission.waiting).toBe(1);
  });

  it('F10: what is urgent takes the place of who has waited longest, up to half of them', () => {
    const { enter, heard, admission } = stage({ waiting: 4 });
    for (const name of ['1', '2', 'a', 'b', 'c', 'd']) enter(name);
    for (const name of ['u', 'v', 'w']) enter(name, { isUrgent: true });
    const full = (name: string) => [name, 'queueFull'];
    expect(heard.slice(2)).toEqual([full('a'), full('b'), full('w')]);
    expect(admission.waiting).toBe(4);
  });

  it('F10 I11: who has waited for too long, a few in each turn, and the others are begun beside', () => {
    const { enter, turn, pass } = stage();
    for (const name of ['1', '2', 'a', 'b', 'c', 'd', 'e']) enter(name);
    pass(WAIT_MS - 1);
    enter('f');
    pass(1);
    const late = (name: string) => [name, 'waitedTooLong'];
    expect(turn()).toEqual([late('a'), late('b'), late('c'), ...begun('f', 'e')]);
    expect(turn()).toEqual([late('d')]);
  });

  it('once the queue is long the newest go first, who can still be answered in good time', () => {
    const { enter, turn, pass } = stage();
    for (const name of ['1', '2', 'a', 'b', 'c', 'd', 'e', 'f']) enter(name);
    pass(WAIT_MS / 2 - 1);
    expect(turn()).toEqual(begun('a', 'b'));
    pass(1);
    expect(turn()).toEqual(begun('f', 'e'));
  });

  it('F1: whose caller has hung up before it was begun', () => {
    const { enter, turn } = stage();
    for (const name of ['1', '2']) enter(name);
    enter('gone', { isGone: () => true });
    for (const name of ['a', 'b', 'c']) enter(name);
    expect(turn()).toEqual([['gone', 'hungUp'], ...begun('a', 'b')]);
  });
});

type Step = { readonly enter: number; readonly urgent: boolean; readonly ms: number };

it('I10 I11: whatever comes, each is heard of once, no turn does more than its share, and nobody is forgotten', () => {
  const steps = fc.array(
    fc.record<Step>({ enter: fc.nat({ max: 8 }), urgent: fc.boolean(), ms: fc.nat({ max: WAIT_MS }) }),
  );
  fc.assert(
    fc.property(steps, planned => {
      const { enter, turn, pass, heard, admission, isIdle } = stage({ waiting: 10 });
      let entered = 0;
      for (const step of planned) {
        for (let n = 0; n < step.enter; n += 1) {
          entered += 1;
          enter(String(entered), { isUrgent: step.urgent });
          expect(admission.waiting).toBeLessThanOrEqual(10);
        }
        pass(step.ms);
        const now = turn();
        expect(now.filter(([, what]) => what === 'begun').length).toBeLessThanOrEqual(2);
        expect(now.filter(([, what]) => what === 'waitedTooLong').length).toBeLessThanOrEqual(3);
      }
      for (let turns = 0; !isIdle(); turns += 1) {
        expect(turns).toBeLessThan(20);
        turn();
      }
      expect(admission.waiting).toBe(0);
      expect(new Set(heard.map(([name]) => name)).size).toBe(entered);
      expect(heard).toHaveLength(entered);
    }),
  );
});

it('runs on the turns of the event loop by itself', async () => {
  const admission = createAdmission({
    ...{ perTurn: 1, turnedAwayPerTurn: 1, waiting: 10, waitMs: () => 60_000 },
    clock: systemClock,
  });
  const visit = () =>
    new Promise(resolve =>
      admission.enter({
        isUrgent: false,
        isGone: () => false,
        begin: () => resolve('begun'),
        turnAway: resolve,
      }),
    );
  expect(await Promise.all([visit(), visit(), visit()])).toEqual(['begun', 'begun', 'begun']);
  expect(admission.waiting).toBe(0);
});
