/**
 * From what a loader and the process table say to a sample: the figures, and the flaws for which a sample is not believed.
 */
import { describe, expect, it } from 'vitest';
import { ratePointOf, resultOf, sampleOf } from '../../../bench/engine/samples.ts';
import type { Measured } from '../../../bench/engine/stand.ts';
import { SUBJECTS } from '../../../bench/subjects.ts';

const measured = (report: Partial<Measured['report']>, cpuSeconds = 2): Measured => ({
  report: {
    seconds: 4,
    answered: 1_000,
    bad: 0,
    lost: 0,
    usedUp: 0,
    histogram: [
      [50, 990],
      [60, 10],
    ],
    ...report,
  },
  before: { cpuSeconds: 10, rssMiB: 100 },
  after: { cpuSeconds: 10 + cpuSeconds, rssMiB: 120 },
  othersShare: undefined,
  fromUs: 0,
  untilUs: 1,
});

describe('a sample', () => {
  it('has requests per CPU-second and per second, latencies and memory', () => {
    expect(sampleOf(2, measured({ bad: 1 }), false)).toEqual({
      round: 2,
      figures: {
        perCpuSecond: 500,
        perSecond: 250,
        goodPerSecond: 249.75,
        p50Us: 50,
        p99Us: 50,
        p999Us: 60,
        rssMiB: 120,
      },
      count: 1_000,
      failed: 1,
      histogram: [
        [50, 990],
        [60, 10],
      ],
      flaws: [],
    });
  });

  it('says nothing of CPU where too little of it was used to be counted', () => {
    expect(sampleOf(1, measured({}, 0.04), false).figures).not.toHaveProperty('perCpuSecond');
  });

  it.each([
    ['too much failed', { bad: 2, lost: 3 }, '5 of 1003 requests failed'],
    ['nothing came back', { answered: 0 }, 'nothing was answered'],
    ['messages were used up', { usedUp: 7 }, '7 requests more than there were prepared messages'],
  ])('is flawed where %s', (_, report, flaw) => {
    expect(sampleOf(1, measured(report), false).flaws).toEqual([flaw]);
  });

  it('is flawed where its core was not its own', () => {
    const { flaws } = sampleOf(1, { ...measured({}), othersShare: 0.37 }, false);
    expect(flaws).toEqual(['something else had 37 % of its core']);
    expect(sampleOf(1, { ...measured({}), othersShare: 0.05 }, false).flaws).toEqual([]);
  });

  it('may have failures where they are what is measured', () => {
    expect(sampleOf(1, measured({ bad: 100 }), true).flaws).toEqual([]);
  });
});

describe('the result of a subject', () => {
  it('has the medians and one histogram of all rounds', () => {
    const samples = [1, 2, 3].map(round => sampleOf(round, measured({ answered: round * 1_000 }), false));
    const result = resultOf('bearer', SUBJECTS.bearer, { samples });
    expect(result).toMatchObject({ name: 'bearer', what: SUBJECTS.bearer.what, median: { perCpuSecond: 1_000 } });
    expect(result.histogram).toEqual([
      [50, 2_970],
      [60, 30],
    ]);
  });

  it('of a rate counts what did what was asked', () => {
    expect(ratePointOf(300, measured({ bad: 100 }))).toEqual({
      offeredPerSecond: 300,
      perSecond: 225,
      p50Us: 50,
      p99Us: 50,
    });
  });
});
