/**
 * What a gateway says of itself every few seconds, taken from its metrics: memory, open files, handles, how many series
 * there are, and what is in doubt and owed.
 */
import { samplesOf } from '../journey/rig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { within } from '../support/waitFor.ts';

/** The curves. Each is a number of the metrics, or their count. */
export const CURVES = {
  heap: { metric: 'nodejs_heap_size_used_bytes', unit: 'MiB', scale: 1024 * 1024 },
  rss: { metric: 'process_resident_memory_bytes', unit: 'MiB', scale: 1024 * 1024 },
  fds: { metric: 'process_open_fds', unit: '', scale: 1 },
  handles: { metric: 'nodejs_active_handles_total', unit: '', scale: 1 },
  series: { metric: undefined, unit: '', scale: 1 },
  doubts: { metric: 'gateway_doubts_open', unit: '', scale: 1 },
  due: { metric: 'gateway_obligations_due', unit: '', scale: 1 },
  parked: { metric: 'gateway_obligations_parked', unit: '', scale: 1 },
} as const;
export type Curve = keyof typeof CURVES;
export const CURVE_NAMES = Object.keys(CURVES) as Curve[];

export type Sample = {
  /** Seconds since the start of the run. */
  readonly at: number;
  /** Which gateway, from 0, and which of its lives: a restart begins a new one. */
  readonly gateway: number;
  readonly pid: number;
  /** A number that could not be had is missing. */
  readonly values: { readonly [Name in Curve]?: number };
};

/** A scrape that takes longer is a gap: the process is frozen, down or busy starting. */
const SCRAPE_MS = 2000;

/** One sample, or undefined where the gateway does not answer. */
export async function takeSample(gateway: Gateway, index: number, at: number): Promise<Sample | undefined> {
  const { pid } = gateway;
  try {
    const all = await within('a scrape', samplesOf(gateway), SCRAPE_MS);
    const values: { [Name in Curve]?: number } = { series: all.length };
    for (const name of CURVE_NAMES) {
      const { metric, scale } = CURVES[name];
      const found = all.find(sample => sample.name === metric);
      if (found) values[name] = found.value / scale;
    }
    return { at, gateway: index, pid, values };
  } catch {
    return undefined;
  }
}
