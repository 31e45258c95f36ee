/**
 * Which core gets what: the measured process one of its own, everything else the others, and nothing where there is none to
 * give.
 */
import { describe, expect, it } from 'vitest';
import { chooseCores, parseCoreList, workOf } from '../../../bench/engine/cores.ts';

describe('cores', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0,2-4,9\n', [0, 2, 3, 4, 9]],
    ['', []],
  ])('%j is %j', (text, expected) => expect(parseCoreList(text)).toEqual(expected));

  it('keeps what is measured apart from what is around it', () => {
    const { measured, around, everywhere, core } = chooseCores('0-3', true);
    expect(core).toBe(3);
    expect(measured(['node', 'x'])).toEqual(['taskset', '-c', '3', 'node', 'x']);
    expect(around(['wrk'])).toEqual(['taskset', '-c', '0,1,2', 'wrk']);
    expect(everywhere(['node'])).toEqual(['node']);
  });

  it.each([
    ['one core', '2', true],
    ['no taskset', '0-1', false],
    ['no way to tell', undefined, true],
  ])('pins nothing with %s, and says so', (_, allowed, hasTaskset) => {
    const { measured, around, what, core } = chooseCores(allowed, hasTaskset);
    expect(core).toBeUndefined();
    expect([measured(['a']), around(['b'])]).toEqual([['a'], ['b']]);
    expect(what).toContain('Nothing is pinned');
  });
});

describe('the work of a core', () => {
  const stat = 'cpu  200 40 60 9 9 9 9 0 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 100 20 30 999 7 5 6 50 0 0\nintr 1';

  it('is user, nice, system and stolen time, in seconds', () => expect(workOf(1, stat)).toBe(2));
  it('of all of them is on a line of its own', () => expect(workOf(undefined, stat)).toBe(3));
  it('is not made up where it is not told', () => expect(workOf(2, stat)).toBeUndefined());
});
