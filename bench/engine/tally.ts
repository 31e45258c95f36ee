/**
 * Counts the answers of one stretch of load, and puts their latencies into a histogram. A request belongs to the stretch in
 * which it was due, and one without an answer has taken at least until now.
 */
import { bucketOf } from './statistics.ts';
import type { LoadReport } from './wrkReport.ts';

/** An approval in plain text, or a sealed answer, which nobody but the client can read. */
export const isApproval = (body: string): boolean => body.includes('"responseCode":"00"') || body.startsWith('eyJ');

export class Tally {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly #counts = new Map<number, number>();
  #answered = 0;
  #bad = 0;
  #lost = 0;
  /** The answer whose body comes next; undefined where it does not count. */
  #status: number | undefined;

  /** @param fromMs on the clock of `performance.now`, as all times here. */
  constructor(fromMs: number, untilMs: number) {
    this.fromMs = fromMs;
    this.untilMs = untilMs;
  }

  answered(dueAt: number, status: number, now: number): void {
    this.#status = undefined;
    if (!this.#has(dueAt)) return;
    this.#status = status;
    this.#answered += 1;
    this.#took(now - dueAt);
  }

  /** Looks at the body of the answer that was counted last. Tells whether it is what was asked for. */
  body(body: string): boolean {
    const good = this.#status === undefined || (this.#status === 200 && isApproval(body));
    if (!good) this.#bad += 1;
    return good;
  }

  lost(dueAt: number, now: number): void {
    if (!this.#has(dueAt)) return;
    this.#lost += 1;
    this.#took(now - dueAt);
  }

  report(): Omit<LoadReport, 'usedUp'> {
    return {
      seconds: (this.untilMs - this.fromMs) / 1000,
      answered: this.#answered,
      bad: this.#bad,
      lost: this.#lost,
      histogram: [...this.#counts].sort(([a], [b]) => a - b),
    };
  }

  #has(dueAt: number): boolean {
    return dueAt >= this.fromMs && dueAt < this.untilMs;
  }

  #took(ms: number): void {
    const bucket = bucketOf(ms * 1000);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
  }
}
