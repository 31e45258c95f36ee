/**
 * How much the resident memory of a gateway grew in ten minutes of one life: the medians of the minutes around minute 2,
 * when all is warm, and around minute 12. It says something only of a calm run, in which no gateway is restarted.
 */
import { median } from '../../bench/engine/statistics.ts';
import type { Sample } from './samples.ts';

/** The middles of the two minutes that are compared, in seconds since the start. */
const EARLY = 120;
const LATE = 720;
const AROUND = 30;
/** Fewer samples in one of the minutes say nothing: collections of garbage come and go. */
const SAMPLES_LEAST = 5;

/** A run of this length, in seconds, just tells. */
export const TELLING_SECONDS = LATE + AROUND;

export type Growth = {
  readonly gateway: number;
  /** MiB at minute 2 and at minute 12. */
  readonly from: number;
  readonly to: number;
  /**
   * The most MiB in either minute. A process with little to do gives some 50 MiB back now and then and takes them again, so
   * that a median may have met a trough; a leak raises the peaks, too.
   */
  readonly peakFrom: number;
  readonly peakTo: number;
  /** Of what there was at minute 2; below 0 where it has shrunk. */
  readonly percent: number;
};

/** The growth of each gateway that was watched in both minutes of one and the same life. */
export function growthsOf(samples: readonly Sample[], gateways: number): Growth[] {
  return Array.from({ length: gateways }, (_, gateway) => gateway).flatMap(gateway => {
    const [early, late] = [EARLY, LATE].map(middle =>
      samples.filter(sample => sample.gateway === gateway && Math.abs(sample.at - middle) <= AROUND),
    );
    const both = [...(early ?? []), ...(late ?? [])];
    if (new Set(both.map(({ pid }) => pid)).size !== 1) return [];
    const [before, after] = [residentOf(early ?? []), residentOf(late ?? [])];
    if (before.length < SAMPLES_LEAST || after.length < SAMPLES_LEAST) return [];
    const [from, to] = [median(before), median(after)];
    const [peakFrom, peakTo] = [Math.max(...before), Math.max(...after)];
    return [{ gateway, from, to, peakFrom, peakTo, percent: (to / from - 1) * 100 }];
  });
}

/** Of one gateway, in words. */
export const growthText = ({ from, to, peakFrom, peakTo, percent }: Growth): string =>
  `${from.toFixed()} MiB at minute 2, ${to.toFixed()} MiB at minute 12: ${percent > 0 ? '+' : ''}${percent.toFixed(1)} % ` +
  `(at most ${peakFrom.toFixed()} and ${peakTo.toFixed()} MiB)`;

const residentOf = (samples: readonly Sample[]): number[] => samples.flatMap(({ values: { rss } }) => rss ?? []);
