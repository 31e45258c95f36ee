/**
 * How numbers are written in the console and on the page: as many digits as they are worth, with their unit.
 */
import type { Figures, Metric, Occasion, Verdict } from '../results.ts';

const THOUSAND = 1_000;

/** 45.3k, 1.20M, 987, 0.553: three digits. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= THOUSAND * THOUSAND) return `${digits(value / THOUSAND / THOUSAND)}M`;
  if (size >= 10 * THOUSAND) return `${digits(value / THOUSAND)}k`;
  return size >= 100 ? String(Math.round(value)) : digits(value);
}

const digits = (value: number): string => {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
};

/** `84 s`, and from two minutes on `12 min`. */
export const duration = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;

/** Microseconds as `870 µs` or `1.23 ms`. */
export const latency = (us: number): string => (us < THOUSAND ? `${Math.round(us)} µs` : `${digits(us / THOUSAND)} ms`);

const METRICS: Readonly<Record<Metric, (value: number) => string>> = {
  perCpuSecond: short,
  perSecond: short,
  goodPerSecond: short,
  p50Us: latency,
  p99Us: latency,
  p999Us: latency,
  rssMiB: value => `${Math.round(value)} MiB`,
  startMs: value => `${Math.round(value)} ms`,
  idleMiB: value => `${Math.round(value)} MiB`,
};

/** A figure as text; empty where there is none. */
export function figure(figures: Figures, metric: Metric): string {
  const value = figures[metric];
  return value === undefined ? '' : METRICS[metric](value);
}

/** A value of a target in its unit. */
export function inUnit(value: number, unit: Verdict['unit']): string {
  if (unit === 'ratio') return value.toFixed(2);
  return unit === '%' ? `${digits(value)} %` : `${Math.round(value)} ${unit}`;
}

/** What is asked for, such as `≥ 0.55`. */
export const asked = (value: number, { unit, smallerIsBetter }: Verdict): string =>
  `${smallerIsBetter ? '≤' : '≥'} ${inUnit(value, unit)}`;

/** When, and on which machine, as a sentence. */
export function occasionText({ machine, startedAt }: Occasion): string {
  const { cpu, cores, memoryGiB, system, versions, loadBefore } = machine;
  return `Measured ${startedAt.slice(0, 10)}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${versions.node}, Redis ${versions.redis ?? 'none'}; load of the machine before: ${loadBefore}.`;
}

export const CONCLUSIONS: Readonly<Record<Verdict['conclusion'], string>> = {
  aim: 'aim reached',
  met: 'met',
  missed: 'missed',
  noise: 'too noisy to say',
  unmeasured: 'not measured',
};
