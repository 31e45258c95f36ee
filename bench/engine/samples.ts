/**
 * Turns what was seen of one measurement into a sample, and all samples of a subject into its result.
 */
import type { Figures, RatePoint, Sample, SubjectResult } from '../results.ts';
import type { SubjectRow } from '../subjects.ts';
import { flawsOf } from './others.ts';
import type { Measured } from './stand.ts';
import { latencyFigures, medianFigures, mergeHistograms } from './statistics.ts';

/** More than this share of failures, and a number says nothing of what was to be measured. */
const FAILED_MOST = 0.001;
/** CPU time is counted in hundredths of a second: less than this, and it is off by more than a few percent. */
const CPU_SECONDS_LEAST = 0.1;

export function sampleOf(round: number, { report, before, after, othersShare }: Measured, mayFail: boolean): Sample {
  const { answered, bad, lost, seconds, usedUp } = report;
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  const failed = bad + lost;
  const flaws = [
    answered === 0 ? 'nothing was answered' : '',
    !mayFail && failed > answered * FAILED_MOST ? `${failed} of ${answered + lost} requests failed` : '',
    usedUp > 0 ? `${usedUp} requests more than there were prepared messages` : '',
    ...flawsOf(othersShare),
  ].filter(flaw => flaw !== '');
  const figures: Figures = {
    ...(cpuSeconds >= CPU_SECONDS_LEAST ? { perCpuSecond: answered / cpuSeconds } : {}),
    perSecond: answered / seconds,
    goodPerSecond: (answered - bad) / seconds,
    ...latencyFigures(report.histogram),
    ...(after.rssMiB > 0 ? { rssMiB: after.rssMiB } : {}),
  };
  return { round, figures, count: answered, failed, histogram: mergeHistograms([report.histogram]), flaws };
}

export function ratePointOf(offeredPerSecond: number, { report }: Measured): RatePoint {
  const { p50Us = 0, p99Us = 0 } = latencyFigures(report.histogram);
  return { offeredPerSecond, perSecond: (report.answered - report.bad) / report.seconds, p50Us, p99Us };
}

/** What was gathered about a subject while the run went on. */
export type Gathered = Pick<SubjectResult, 'skipped' | 'cpuParts' | 'rates'> & { readonly samples: readonly Sample[] };

export function resultOf(name: string, { what }: SubjectRow, gathered: Gathered): SubjectResult {
  const { samples, skipped, cpuParts, rates } = gathered;
  const sound = samples.filter(({ flaws }) => flaws.length === 0);
  const told = sound.length > 0 ? sound : samples;
  const histograms = told.flatMap(({ histogram }) => (histogram === undefined ? [] : [histogram]));
  return {
    name,
    what,
    samples,
    median: medianFigures(told),
    ...(skipped === undefined ? {} : { skipped }),
    ...(histograms.length === 0 ? {} : { histogram: mergeHistograms(histograms) }),
    ...(cpuParts === undefined ? {} : { cpuParts }),
    ...(rates === undefined ? {} : { rates }),
  };
}
