/**
 * What is measured and for how long: a quick run must end in two minutes, a full one in about twelve.
 */
import { describe, expect, it } from 'vitest';
import { hasPicture, inOrder, type Plan, planOf } from '../../../bench/engine/plan.ts';
import { subjectRows } from '../../../bench/subjects.ts';

const ALL = { rounds: undefined, only: [] };
/** Start and end of a peer, of a process for an operation, and whatever is around. */
const START_SECONDS = 1;

/** About how long it takes, where nothing has to wait for anything else. */
function secondsOf(plan: Plan): number {
  const { rounds, quick, rows } = plan;
  return rows.reduce((sum, [, row]) => {
    if (row.kind === 'operation') return sum + rounds * (START_SECONDS + 0.5 + plan.operationSeconds);
    if (row.kind === 'start') return sum + rounds * (START_SECONDS + plan.idleSeconds);
    if (row.kind === 'rates') return sum + START_SECONDS + plan.rates.length * (plan.rateSeconds + 1);
    const warmUp = quick ? plan.warmUpSeconds : Math.max(plan.warmUpSeconds, row.warmUpSeconds ?? 0);
    const measured = quick
      ? START_SECONDS + warmUp + rounds * plan.seconds
      : rounds * (START_SECONDS + warmUp + plan.seconds);
    return sum + measured + (hasPicture(row, quick) ? START_SECONDS + plan.warmUpSeconds + plan.profileSeconds : 0);
  }, 0);
}

describe('a plan', () => {
  it('is done in two minutes where it is quick, and in about twelve where not', () => {
    expect(secondsOf(planOf({ ...ALL, quick: true }, subjectRows()))).toBeLessThan(110);
    expect(secondsOf(planOf({ ...ALL, quick: false }, subjectRows()))).toBeLessThan(720);
  });

  it('has three rounds in both, and as many as are asked for', () => {
    for (const quick of [true, false]) {
      expect(planOf({ ...ALL, quick }, subjectRows()).rounds).toBe(3);
      expect(planOf({ ...ALL, quick, rounds: 7 }, subjectRows()).rounds).toBe(7);
    }
  });

  it('leaves the slow subjects out of a quick run, but for those that are asked for by name', () => {
    const namesOf = (plan: Plan) => plan.rows.map(([name]) => name);
    expect(namesOf(planOf({ ...ALL, quick: true }, subjectRows()))).not.toContain('bareHono');
    expect(namesOf(planOf({ ...ALL, quick: false }, subjectRows()))).toContain('bareHono');
    expect(namesOf(planOf({ ...ALL, quick: true, only: ['bareHono'] }, subjectRows()))).toEqual(['bareHono']);
  });

  it('turns the order of every other round around', () => {
    expect([1, 2, 3].map(round => inOrder(['a', 'b'], round))).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
    ]);
  });
});
