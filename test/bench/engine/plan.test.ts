/**
 * What is measured and for how long: a quick run must end in two minutes, a full one in about twelve.
 */
import { describe, expect, it } from 'vitest';
import { inOrder, type Plan, picturesOf, plannedSeconds, planOf } from '../../../bench/engine/plan.ts';
import { type SubjectName, subjectRows } from '../../../bench/subjects.ts';

const ALL = { rounds: undefined, only: [] };
const QUICK = planOf({ ...ALL, quick: true }, subjectRows());
const FULL = planOf({ ...ALL, quick: false }, subjectRows());
const namesOf = (rows: Plan['rows']) => rows.map(([name]) => name);

describe('a plan', () => {
  it('is done in two minutes where it is quick, with a sixth to spare, and in about twelve where not', () => {
    expect(plannedSeconds(QUICK)).toBeLessThanOrEqual(100);
    expect(plannedSeconds(FULL)).toBeLessThanOrEqual(780);
  });

  it('counts the time of each kind of row, in rounds', () => {
    const secondsOf = (name: SubjectName, quick: boolean) =>
      plannedSeconds(planOf({ quick, rounds: 2, only: [name] }, subjectRows())) -
      plannedSeconds({ ...QUICK, rows: [] });
    // A quick run starts a peer once, a full one for each round.
    expect(secondsOf('direct', true)).toBeCloseTo(1 + 1 + 2 * 1);
    expect(secondsOf('direct', false)).toBeCloseTo(2 * (1 + 3 + 4));
    expect(secondsOf('directDelayed', false)).toBeCloseTo(2 * (1 + 5 + 4));
    expect(secondsOf('bearer', true)).toBeCloseTo(1 + 1 + 2 * 1 + (1 + 2 + 1 + 2));
    expect(secondsOf('jwe', true)).toBeCloseTo(1 + 1 + 2 * 1 + 3 * 0.6);
    expect(secondsOf('rsa', true)).toBeCloseTo(2 * (1.5 + 0.4));
    expect(secondsOf('start', false)).toBeCloseTo(2 * (1 + 2));
    expect(secondsOf('bearerRates', true)).toBeCloseTo(1 + 4 * 2);
  });

  it('has three rounds in both, and as many as are asked for', () => {
    for (const quick of [true, false]) {
      expect(planOf({ ...ALL, quick }, subjectRows()).rounds).toBe(3);
      expect(planOf({ ...ALL, quick, rounds: 7 }, subjectRows()).rounds).toBe(7);
    }
  });

  it('leaves the slow subjects out of a quick run, but for those that are asked for by name, and says which', () => {
    const slow = namesOf(subjectRows().filter(([, row]) => row.slow));
    expect(slow).toContain('bareHono');
    expect(namesOf(QUICK.leftOut)).toEqual(slow);
    expect([...namesOf(QUICK.rows), ...slow].sort()).toEqual(namesOf(subjectRows()).sort());
    expect(FULL).toMatchObject({ rows: subjectRows(), leftOut: [] });
    const named = planOf({ ...ALL, quick: true, only: ['bareHono'] }, subjectRows());
    expect([namesOf(named.rows), named.leftOut]).toEqual([['bareHono'], []]);
  });

  it('has a profile of what missed its target, where there is time for one', () => {
    const missed = new Set(['jwt', 'dropping', 'start', 'bearer']);
    expect(namesOf(picturesOf(FULL, new Set()))).not.toContain('dropping');
    expect(namesOf(picturesOf(FULL, missed))).toEqual([
      ...['bareNode', 'bearer', 'sqlite', 'jwt', 'jwe', 'replay', 'dropping'],
      ...['directRates', 'nginxRates', 'bareNodeRates', 'bearerRates', 'start'],
    ]);
    expect(namesOf(picturesOf(QUICK, missed))).toEqual(['bearer']);
  });

  it('turns the order of every other round around', () => {
    expect([1, 2, 3].map(round => inOrder(['a', 'b'], round))).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
    ]);
  });
});
