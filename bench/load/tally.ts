/**
 * Counts a load while it runs: latencies by kind of call, outcomes, every HTTP answer by status and code, and the course
 * of it over time. What is kept does not grow with the length of the run.
 */
import type { ApiName, Result, Try } from '../../src/client/client.ts';
import type { Histogram } from '../results.ts';
import { Latencies, type Percentiles } from './latencies.ts';

/** Calls of one kind that were due at the full rate. */
export type KindReport = {
  readonly label: string;
  /** From when the call was due until its final outcome, repeats included. */
  readonly told: Percentiles;
  readonly histogram: Histogram;
  readonly outcomes: readonly Counted[];
};
export type Counted = { readonly what: string; readonly count: number };
/** HTTP requests, repeats included, by what they were answered. */
export type AnswerReport = Counted & { readonly api: string; readonly status: string; readonly code: string };
/** One stretch of the time, for the curves. */
export type Slot = {
  /** Seconds after the start. */
  readonly at: number;
  readonly perSecond: number;
  /** Calls that ended without a final answer, a second. */
  readonly failedPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** The curves have about so many points, however long the run is. */
const SLOTS = 300;
const SECOND = 1000;

type Kind = { readonly told: Latencies; readonly outcomes: Map<string, number> };

export class Tally {
  readonly #kinds = new Map<string, Kind>();
  readonly #answers = new Map<string, number>();
  readonly #slots = new Map<number, { latencies: Latencies; failed: number }>();
  readonly #slotMs: number;
  /** From sending a request to its answer: what a loop that waits for its answers would have measured. */
  readonly #requests = new Latencies();
  #recent = new Latencies();
  #done = 0;
  #failed = 0;
  #repeats = 0;

  /** @param lengthMs about how long the run is */
  constructor(lengthMs: number) {
    this.#slotMs = Math.max(SECOND, Math.ceil(lengthMs / SLOTS / SECOND) * SECOND);
  }

  /** Calls that ended, those without a final answer among them, and requests beyond the first of a call. */
  get totals(): { readonly done: number; readonly failed: number; readonly repeats: number } {
    return { done: this.#done, failed: this.#failed, repeats: this.#repeats };
  }

  /** Latencies since this was asked last. */
  takeRecent(): Percentiles {
    const recent = this.#recent.percentiles();
    this.#recent = new Latencies();
    return recent;
  }

  /** One HTTP request and what came of it. */
  request({ api, status, code = 'no code', ms, number }: Try): void {
    this.#requests.add(ms);
    if (number > 1) this.#repeats += 1;
    const key = JSON.stringify([api, status === undefined ? 'no answer' : String(status), code]);
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
  }

  /** One call that ended `ms` after it was due, `atMs` after the start. `isCounted`: it was due at the full rate. */
  call(
    label: string,
    result: Result<ApiName>,
    { ms, atMs, isCounted }: { readonly ms: number; readonly atMs: number; readonly isCounted: boolean },
  ): void {
    const isFinal = 'answer' in result && result.kind !== 'inProgress';
    this.#done += 1;
    if (!isFinal) this.#failed += 1;
    this.#recent.add(ms);
    const slot = this.#slotAt(atMs);
    slot.latencies.add(ms);
    if (!isFinal) slot.failed += 1;
    if (!isCounted) return;
    const kind = this.#kind(label);
    kind.told.add(ms);
    const outcome = outcomeOf(result);
    kind.outcomes.set(outcome, (kind.outcomes.get(outcome) ?? 0) + 1);
  }

  /** Each kind, the most frequent first. */
  kinds(): readonly KindReport[] {
    return [...this.#kinds]
      .map(([label, { told, outcomes }]) => ({
        label,
        told: told.percentiles(),
        histogram: told.histogram(),
        outcomes: counted(outcomes),
      }))
      .sort((a, b) => b.told.count - a.told.count);
  }

  /** Each way in which requests were answered, the most frequent first. */
  answers(): readonly AnswerReport[] {
    return counted(this.#answers).map(({ what, count }) => {
      const [api = '', status = '', code = ''] = JSON.parse(what);
      return { what: `${status} ${code}`, api, status, code, count };
    });
  }

  requests(): Percentiles {
    return this.#requests.percentiles();
  }

  slots(): readonly Slot[] {
    const seconds = this.#slotMs / SECOND;
    return [...this.#slots]
      .sort(([a], [b]) => a - b)
      .map(([index, { latencies, failed }]) => {
        const { count, p50Ms, p99Ms } = latencies.percentiles();
        return {
          at: index * seconds,
          perSecond: count / seconds,
          failedPerSecond: failed / seconds,
          p50Ms,
          p99Ms,
        };
      });
  }

  #kind(label: string): Kind {
    const known = this.#kinds.get(label) ?? { told: new Latencies(), outcomes: new Map() };
    this.#kinds.set(label, known);
    return known;
  }

  #slotAt(atMs: number): { latencies: Latencies; failed: number } {
    const index = Math.floor(atMs / this.#slotMs);
    const known = this.#slots.get(index) ?? { latencies: new Latencies(), failed: 0 };
    this.#slots.set(index, known);
    return known;
  }
}

const counted = (counts: ReadonlyMap<string, number>): Counted[] =>
  [...counts].map(([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count);

/** In words, as the report has it. */
function outcomeOf(result: Result<ApiName>): string {
  if (result.kind === 'approved') return 'approved';
  if (result.kind === 'declined') return `declined ${result.answer.responseCode}`;
  if (result.kind === 'inProgress') return 'in progress';
  if (result.kind === 'refused') return `refused ${result.status} ${result.responseCode ?? ''}`.trim();
  return result.mayHaveHappened ? `lost ${result.code}` : `unreachable ${result.code}`;
}
