/**
 * One page of metrics out of those of several processes. Each metric says itself how its values make one (`aggregator`);
 * what a process had counted when it ended stays in the sum, because a counter that goes back reads as one that began
 * anew, and all that was ever counted as if it had just happened.
 */
import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import { alarmsIn, collectProcessMetrics } from './metrics.ts';

type Metric = {
  readonly name: string;
  /** `counter`, `gauge` or `histogram`; the library's types say something else. */
  readonly type: unknown;
  readonly aggregator: string;
  readonly values: readonly unknown[];
};

/** The metrics of one process, as they travel from there. */
export type MetricsPart = readonly Metric[];

/** How a worker ended: as it was told to, to make room for another, with a code, by a signal, or because it hung. */
export type WorkerEnd = 'drained' | 'replaced' | 'exit' | 'signal' | 'hung';

/** Whether nobody has to look at it. */
export const isOrderly = (how: WorkerEnd): boolean => how === 'drained' || how === 'replaced';

export type MetricsSum = {
  /** One of the processes has ended; this is what it last told. */
  readonly keep: (last: MetricsPart) => void;
  readonly ended: (how: WorkerEnd) => void;
  /**
   * The page. `present` gives what the processes that serve now told last; it is asked at the one moment at which nothing
   * that was kept can be in it as well.
   */
  readonly text: (present: () => readonly MetricsPart[]) => Promise<string>;
  /** Media type of `text`. */
  readonly contentType: string;
};

export const createMetricsSum = (): MetricsSum => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const { workers, ends, alarms } = ownIn(registry);
  let kept: MetricsPart = [];
  return {
    keep: last => {
      // What it makes are such metrics, each with a function more.
      kept = summed([kept, last.filter(isCount)]).getMetricsAsArray() as unknown as MetricsPart;
    },
    ended: how => {
      ends.inc({ how });
      if (!isOrderly(how)) alarms.inc({ kind: 'worker' });
    },
    text: async present => {
      workers.set(present().length);
      const own = (await registry.getMetricsAsJSON()).map(ofTheWhole);
      return summed([own, ...present(), kept]).metrics();
    },
    contentType: registry.contentType,
  };
};

const ownIn = (registry: Registry) => {
  const registers = [registry];
  return {
    workers: new Gauge({ name: 'gateway_workers', help: 'Workers that serve now.', registers }),
    ends: new Counter({
      name: 'gateway_worker_ends_total',
      help: 'Workers that ended, by how.',
      labelNames: ['how'],
      registers,
    }),
    alarms: alarmsIn(registry),
  };
};

/** What has a meaning for one process only, such as its start, is shown for the one that began all others. */
const ofTheWhole = (metric: Metric): Metric =>
  metric.aggregator === 'omit' ? { ...metric, aggregator: 'first' } : metric;

const isCount = ({ type }: Metric): boolean => type === 'counter' || type === 'histogram';

/** The first part decides how a metric is put together. */
const summed = (parts: readonly MetricsPart[]): Registry => AggregatorRegistry.aggregate([...parts]);
