/**
 * A bulkhead that is shared out by key: nobody is inside who should not be, nobody waits while there is room, and whoever
 * has least goes first.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { createShares, type Shares } from '../../src/runtime/shares.ts';

const LIMITS = { limit: 4, limitOfKey: 2, waiting: 6, waitingOfKey: 3, waitMs: 1000 };

let timers: Set<() => void>;
let shares: Shares;
/** Every call in order: undefined while it waits. */
let ends: { key: string; leave: (() => void) | 'turnedAway' | undefined }[];

const clock: Clock = {
  ...systemClock,
  after: (_, run) => {
    timers.add(run);
    return () => void timers.delete(run);
  },
};

beforeEach(() => {
  timers = new Set();
  ends = [];
  shares = createShares({ ...LIMITS, clock });
});

const settle = () => new Promise<void>(resolve => setImmediate(resolve));
const enter = async (...keys: readonly string[]): Promise<void> => {
  for (const key of keys) {
    const end: (typeof ends)[number] = { key, leave: undefined };
    ends.push(end);
    void shares.enter(key).then(leave => {
      end.leave = leave ?? 'turnedAway';
    });
  }
  await settle();
};
const inside = () => ends.filter(({ leave }) => typeof leave === 'function').map(({ key }) => key);
const waiting = () => ends.filter(({ leave }) => leave === undefined).map(({ key }) => key);
const turnedAway = () => ends.filter(({ leave }) => leave === 'turnedAway').map(({ key }) => key);
const leaveFirst = async (key: string): Promise<void> => {
  const at = ends.findIndex(end => end.key === key && typeof end.leave === 'function');
  const [end] = ends.splice(at, 1);
  if (typeof end?.leave === 'function') end.leave();
  await settle();
};

describe('shares', () => {
  it('F85: let a key have its share and no more, and the others theirs', async () => {
    await enter('a', 'a', 'a', 'b', 'c');
    expect([inside(), waiting()]).toEqual([['a', 'a', 'b', 'c'], ['a']]);
    await leaveFirst('b');
    expect(waiting()).toEqual(['a']);
    await leaveFirst('a');
    expect([inside().sort(), waiting()]).toEqual([['a', 'a', 'c'], []]);
  });

  it('F85: let in first who has least, then who has waited longest', async () => {
    await enter('a', 'a', 'b', 'b', 'a', 'b', 'd', 'c');
    await leaveFirst('a');
    expect(waiting()).toEqual(['a', 'b', 'c']);
    await leaveFirst('b');
    expect(waiting()).toEqual(['a', 'b']);
    await leaveFirst('d');
    expect(waiting()).toEqual(['b']);
  });

  it('F85: turn away what is past the queue, of one key and of all', async () => {
    await enter('a', 'a', 'a', 'a', 'a', 'a');
    expect(turnedAway()).toEqual(['a']);
    await enter('b', 'b', 'b', 'b', 'b', 'b');
    expect([waiting().length, turnedAway()]).toEqual([6, ['a', 'b']]);
  });

  it('F85: where a few keys have filled the queue, the latest of the greediest gives way to one who has fewer', async () => {
    await enter('a', 'a', 'b', 'b', 'a', 'a', 'a', 'b', 'b', 'b');
    await enter('c', 'd');
    expect([waiting(), turnedAway()]).toEqual([
      ['a', 'a', 'b', 'b', 'c', 'd'],
      ['a', 'b'],
    ]);
    await leaveFirst('b');
    expect(inside()).toEqual(['a', 'a', 'b', 'c']);
    await enter('e', 'f', 'g', 'h');
    expect([waiting(), turnedAway()]).toEqual([
      ['a', 'b', 'd', 'e', 'f', 'g'],
      ['a', 'a', 'b', 'b', 'h'],
    ]);
  });

  it('turn away who has waited for as long as it may, and nobody twice', async () => {
    await enter('a', 'a', 'a');
    for (const run of [...timers]) run();
    await settle();
    expect(turnedAway()).toEqual(['a']);
    await leaveFirst('a');
    await enter('a');
    expect([inside(), waiting(), timers.size]).toEqual([['a', 'a'], [], 0]);
  });

  it('forget a key that nobody is inside or waiting for, so that strangers cost nothing', async () => {
    shares = createShares({ ...LIMITS, limit: 1, waiting: 1, clock });
    await enter('a', 'b');
    for (let no = 0; no < 20; no += 1) await enter(`stranger-${no}`);
    expect(turnedAway()).toHaveLength(20);
    expect(shares.keys).toBe(2);
    await leaveFirst('a');
    await leaveFirst('b');
    expect(shares.keys).toBe(0);
  });

  it('count one who leaves twice once', async () => {
    await enter('a', 'a', 'a', 'a');
    const [first] = ends;
    if (typeof first?.leave !== 'function') throw new Error('unreachable');
    for (let no = 0; no < 3; no += 1) first.leave();
    await settle();
    expect(waiting()).toEqual(['a']);
  });

  it('keep their limits, and leave nobody waiting while there is room, whoever comes and goes', async () => {
    const act = fc.tuple(fc.constantFrom('enter', 'leave', 'time'), fc.constantFrom('a', 'b', 'c', 'd'));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async acts => {
        [timers, ends] = [new Set(), []];
        shares = createShares({ ...LIMITS, clock });
        for (const [what, key] of acts) {
          if (what === 'enter') await enter(key);
          else if (what === 'leave' && inside().includes(key)) await leaveFirst(key);
          else if (what === 'time') for (const run of [...timers].slice(0, 1)) run();
          await settle();
          const of = (keys: string[], one: string) => keys.filter(each => each === one).length;
          expect(inside().length).toBeLessThanOrEqual(LIMITS.limit);
          expect([waiting().length <= LIMITS.waiting, timers.size]).toEqual([true, waiting().length]);
          for (const one of 'abcd') {
            expect(of(inside(), one)).toBeLessThanOrEqual(LIMITS.limitOfKey);
            expect(of(waiting(), one)).toBeLessThanOrEqual(LIMITS.waitingOfKey);
            const hasRoom = inside().length < LIMITS.limit && of(inside(), one) < LIMITS.limitOfKey;
            if (hasRoom) expect(of(waiting(), one)).toBe(0);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
