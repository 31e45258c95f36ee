/**
 * What the bench says about its own run: a machine that was busy, too few rounds, and what a quick run leaves out.
 */
import { describe, expect, it } from 'vitest';
import { warningsOf } from '../../bench/bench.ts';
import { planOf } from '../../bench/engine/plan.ts';
import { subjectRows } from '../../bench/subjects.ts';
import { EXAMPLE } from './report/exampleResult.ts';

const CALM = { ...EXAMPLE.machine, loadBefore: 0.1 };
const planned = (options: Partial<Parameters<typeof planOf>[0]>) =>
  planOf({ quick: false, rounds: undefined, only: [], ...options }, subjectRows());

describe('the warnings', () => {
  it('are none of a full run on a quiet machine', () => expect(warningsOf(CALM, planned({}))).toEqual([]));

  it('name every subject that a quick run leaves out, and nothing where subjects were asked for', () => {
    const [, leftOut = ''] = warningsOf(CALM, planned({ quick: true }));
    const slow = subjectRows().filter(([, row]) => row.slow);
    expect(leftOut).toBe(
      `A quick run leaves out, with all targets that need them: ${slow.map(([name]) => name).join(', ')}.`,
    );
    expect(warningsOf(CALM, planned({ quick: true, only: ['bearer'] }))).toHaveLength(1);
  });

  it('tell of a busy machine and of too few rounds', () => {
    const busy = { ...CALM, cores: 2, loadBefore: 1.1 };
    expect(warningsOf(busy, planned({ rounds: 2 }))).toEqual([
      'The machine was busy before the run (load 1.1 on 2 cores): expect noise.',
      '2 of the three rounds that a conclusion needs.',
    ]);
  });
});
