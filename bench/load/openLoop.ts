/**
 * Makes calls when they are due, whatever became of those before: an open loop, as cardholders are one. Only so many calls
 * are outstanding at a time; a call that finds no place waits for one, and its latency counts from when it was due.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import { Latencies, type Percentiles } from './latencies.ts';
import { callsOf, dueMs, endMs, type Schedule } from './schedule.ts';

export type LoopOptions = {
  readonly schedule: Schedule;
  readonly maxOutstanding: number;
  readonly clock: Clock;
  /** Makes the call that was due at this moment of the clock. Never rejects. */
  readonly call: (dueAtMs: number) => Promise<void>;
  /** Ends the load early. */
  readonly signal?: AbortSignal;
};

export type LoopReport = {
  readonly due: number;
  readonly made: number;
  /** Calls that found all places taken when they were due. */
  readonly heldBack: number;
  /** How late calls were made that found a place: this machine's own delay. */
  readonly late: Percentiles;
  /** From the first call until the last answer. */
  readonly tookMs: number;
};

/** Calls that are still waiting for a place so long after the load's end are not made any more. */
const OVERTIME_MS = 10_000;

export class OpenLoop {
  readonly #options: LoopOptions;
  readonly #late = new Latencies();
  readonly #running = new Set<Promise<void>>();
  #made = 0;
  #heldBack = 0;
  /** When the last call that found no place got one; none before. */
  #fullUntilMs = Number.NEGATIVE_INFINITY;
  #wake = new AbortController();

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** How far it has come. */
  get progress(): { readonly made: number; readonly outstanding: number; readonly heldBack: number } {
    return { made: this.#made, outstanding: this.#running.size, heldBack: this.#heldBack };
  }

  /** Makes all calls and waits for the last answer. */
  async run(): Promise<LoopReport> {
    const { schedule, clock, signal } = this.#options;
    const startMs = clock.monotonicMs();
    const due = callsOf(schedule);
    const stop = () => this.#wake.abort();
    signal?.addEventListener('abort', stop, { once: true });
    while (this.#made < due && !signal?.aborted) {
      const waitMs = this.#makeDue(startMs, due);
      const overMs = startMs + endMs(schedule) + OVERTIME_MS - clock.monotonicMs();
      if (overMs <= 0) break;
      if (this.#made < due) await this.#pause(Math.min(waitMs, overMs));
    }
    signal?.removeEventListener('abort', stop);
    await Promise.all(this.#running);
    const tookMs = clock.monotonicMs() - startMs;
    return { due, made: this.#made, heldBack: this.#heldBack, late: this.#late.percentiles(), tookMs };
  }

  /** Makes what is due now; tells how long there is nothing more to do. */
  #makeDue(startMs: number, due: number): number {
    const { schedule, clock, maxOutstanding } = this.#options;
    while (this.#made < due) {
      const nowMs = clock.monotonicMs();
      const dueAtMs = startMs + dueMs(schedule, this.#made);
      if (dueAtMs > nowMs) return dueAtMs - nowMs;
      if (this.#running.size >= maxOutstanding) {
        this.#fullUntilMs = Number.POSITIVE_INFINITY;
        return Number.POSITIVE_INFINITY;
      }
      if (this.#fullUntilMs === Number.POSITIVE_INFINITY) this.#fullUntilMs = nowMs;
      if (dueAtMs <= this.#fullUntilMs) this.#heldBack += 1;
      else this.#late.add(nowMs - dueAtMs);
      this.#make(dueAtMs);
    }
    return 0;
  }

  #make(dueAtMs: number): void {
    this.#made += 1;
    const running = this.#options.call(dueAtMs).finally(() => {
      this.#running.delete(running);
      if (this.#fullUntilMs === Number.POSITIVE_INFINITY) this.#wake.abort();
    });
    this.#running.add(running);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#options.signal?.aborted) return;
    this.#wake = new AbortController();
    await this.#options.clock.sleep(ms, this.#wake.signal);
  }
}
