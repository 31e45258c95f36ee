/**
 * What the bench concludes, and above all when it refuses to: where the rounds differ by more than the distance to the
 * target, where there were too few of them, and where what was measured must not be believed.
 */
import { describe, expect, it } from 'vitest';
import { conclude, missedSubjects, ROUNDS_LEAST, renewed, verdictOf } from '../../../bench/engine/verdicts.ts';
import type { Sample, SubjectResult } from '../../../bench/results.ts';
import { TARGETS } from '../../../bench/targets.ts';
import { EXAMPLE } from '../report/exampleResult.ts';

const LARGER = { atLeast: 0.55, aim: 0.7 };
const SMALLER = { atLeast: 1.6, aim: 1.3, smallerIsBetter: true } as const;

describe('a conclusion', () => {
  it.each([
    ['aim', [0.74, 0.75, 0.76], LARGER],
    ['met', [0.6, 0.61, 0.62], LARGER],
    ['missed', [0.4, 0.41, 0.42], LARGER],
    ['aim', [1.2, 1.21, 1.22], SMALLER],
    ['met', [1.4, 1.41, 1.42], SMALLER],
    ['missed', [2.1, 2.2, 2.15], SMALLER],
  ] as const)('is %s of %j', (expected, rounds, asked) => {
    expect(conclude(rounds, asked, ROUNDS_LEAST, '').conclusion).toBe(expected);
  });

  it('is refused where the rounds differ by more than the distance to the target, and says both', () => {
    expect(conclude([0.48, 0.57, 0.64], LARGER, ROUNDS_LEAST, '')).toEqual({
      conclusion: 'noise',
      note: 'the rounds differ by ± 0.08, the target is 0.02 away',
    });
    expect(conclude([0.46, 0.53, 0.64], LARGER, ROUNDS_LEAST, '').conclusion).toBe('noise');
  });

  it('is only that it was met, where the aim is within the noise', () => {
    expect(conclude([0.66, 0.71, 0.76], LARGER, ROUNDS_LEAST, '').conclusion).toBe('met');
  });

  it('is refused of fewer rounds than three', () => {
    expect(conclude([0.9, 0.9], LARGER, ROUNDS_LEAST, '')).toEqual({
      conclusion: 'noise',
      note: '2 of the 3 rounds that a conclusion needs',
    });
  });
});

const sample = (round: number, figures: Sample['figures'], flaws: readonly string[] = []): Sample => ({
  round,
  figures,
  count: 1,
  failed: 0,
  flaws,
});
const subject = (name: string, samples: readonly Sample[], skipped?: string): SubjectResult => ({
  name,
  what: name,
  samples,
  median: {},
  ...(skipped === undefined ? {} : { skipped }),
});
const perCpu = (name: string, values: readonly number[]) =>
  subject(
    name,
    values.map((perCpuSecond, index) => sample(index + 1, { perCpuSecond })),
  );

const goodput = (startedAt: string, ratio: number) => ({
  target: 'goodput',
  rounds: [ratio],
  note: 'calm',
  startedAt,
  machine: EXAMPLE.machine,
});
const soak = { ...goodput('2026-11-21', 2), target: 'soak', note: 'sqlite' };

const RATIO = ['bareNode', TARGETS.bareNode] as const;

describe('a verdict', () => {
  it('divides what was measured in the same round', () => {
    // A machine that became half as fast after the first round says nothing about the ratio.
    const verdict = verdictOf(
      RATIO,
      [perCpu('bearer', [6000, 3000, 3000]), perCpu('bareNode', [10_000, 5000, 5000])],
      [],
    );
    expect(verdict).toMatchObject({ rounds: [0.6, 0.6, 0.6], value: 0.6, conclusion: 'met' });
  });

  it('leaves out rounds that failed, and says so', () => {
    const bearer = subject('bearer', [
      sample(1, { perCpuSecond: 90 }, ['50 of 60 requests failed']),
      sample(2, { perCpuSecond: 60 }),
      sample(3, { perCpuSecond: 60 }),
    ]);
    const verdict = verdictOf(RATIO, [bearer, perCpu('bareNode', [100, 100, 100])], []);
    expect(verdict).toMatchObject({ rounds: [0.6, 0.6], conclusion: 'noise' });
  });

  it('concludes nothing where no round is sound, and shows the numbers with the reason', () => {
    const busy = perCpu('bearer', [60, 60, 60]).samples.map(each => ({ ...each, flaws: ['something else had 40 %'] }));
    const verdict = verdictOf(RATIO, [subject('bearer', busy), perCpu('bareNode', [100, 100, 100])], []);
    expect(verdict).toMatchObject({ value: 0.6, conclusion: 'noise', note: 'bearer: something else had 40 %' });
  });

  it.each([
    ['was not there', [perCpu('bearer', [1, 1, 1])], 'bareNode is not part of this run'],
    [
      'could not be measured',
      [perCpu('bearer', [1, 1, 1]), subject('bareNode', [], 'nginx is not installed')],
      'bareNode: nginx is not installed',
    ],
    [
      'has no such figure',
      [perCpu('bearer', [1]), subject('bareNode', [sample(1, {})])],
      'bareNode: has no perCpuSecond',
    ],
  ])('is none where a subject %s', (_, subjects, note) => {
    const { value, ...verdict } = verdictOf(RATIO, subjects, []);
    expect(verdict).toMatchObject({ conclusion: 'unmeasured', note });
    expect(value).toBeUndefined();
  });

  it('takes what another command has measured, once is enough', () => {
    const row = ['goodput', TARGETS.goodput] as const;
    expect(verdictOf(row, [], [])).toMatchObject({ conclusion: 'unmeasured', note: `run ${TARGETS.goodput.command}` });
    const others = [goodput('2026-11-20', 0.97)];
    const measured = { startedAt: '2026-11-20', machine: EXAMPLE.machine };
    expect(verdictOf(row, [], others)).toMatchObject({ conclusion: 'aim', value: 0.97, note: 'calm', measured });
  });

  it('of an earlier run takes in what another command has measured since, and nothing older', () => {
    const earlier = [
      verdictOf(RATIO, [], []),
      verdictOf(['goodput', TARGETS.goodput], [], [goodput('2026-11-20', 0.7)]),
      verdictOf(['soak', TARGETS.soak], [], []),
    ];
    expect(renewed(earlier, [])).toEqual(earlier);
    expect(renewed(earlier, [goodput('2026-11-19', 0.97)])).toEqual(earlier);
    const [first, second, third] = renewed(earlier, [goodput('2026-11-21', 0.97), soak]);
    expect(first).toEqual(earlier[0]);
    expect(second).toMatchObject({ conclusion: 'aim', value: 0.97, measured: { startedAt: '2026-11-21' } });
    expect(third).toMatchObject({ conclusion: 'met', value: 2, note: 'sqlite' });
  });
});

describe('what is profiled for having missed', () => {
  it('is the subject of a target that is missed, and none where noise or nothing was seen', () => {
    const peers = [perCpu('bareNode', [100, 100, 100]), perCpu('nginx', [50, 60, 70])];
    expect([...missedSubjects([perCpu('bearer', [30, 31, 32]), ...peers])]).toEqual(['bearer']);
    expect([...missedSubjects([perCpu('bearer', [70, 71, 72]), ...peers])]).toEqual([]);
  });
});

describe('the targets', () => {
  it('are those that were promised', () => {
    const numbers = Object.values(TARGETS).map(({ atLeast, aim }) => `${atLeast} ${aim}`);
    expect(numbers).toEqual([
      ...['0.55 0.7', '0.9 1.15', '1.1 1.3', '0.95 0.98', '0.9 0.95', '0.8 0.86', '0.55 0.65', '1.6 1.3'],
      ...['0.95 0.99', '1.3 1.6', '0.5 0.8', '0.5 0.8', '0.8 0.95', '3 1', '400 250', '130 100'],
    ]);
  });

  it.each(Object.entries(TARGETS))('%s aims further than it asks', (_, { atLeast, aim, ...row }) => {
    expect('smallerIsBetter' in row ? atLeast - aim : aim - atLeast).toBeGreaterThan(0);
  });
});
