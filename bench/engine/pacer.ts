/**
 * Decides when the requests of an open loop are sent: at even distances by the clock, whatever becomes of those before, each
 * on a connection that has nothing else to do. A request that must wait for a connection has been late since it was due,
 * and that time counts: this is what corrects the omission that a loader of fixed connections is prone to.
 */

/** A timer of Node comes up to this much late. What is sent within it counts as sent when it was due. */
const GRAIN_MS = 2;

export type Line = {
  /** Sends the next request on this connection. @param dueAt what its latency counts from. */
  readonly send: (dueAt: number) => void;
};

export class Pacer {
  readonly #everyMs: number;
  readonly #idle: Line[] = [];
  /** When each waiting request was due; what is before `#next` has been sent. */
  readonly #waiting: number[] = [];
  #next = 0;
  #nextDueAt: number;

  constructor(ratePerSecond: number, startAt: number) {
    this.#everyMs = 1000 / ratePerSecond;
    this.#nextDueAt = startAt;
  }

  /** Requests that were due and have found no connection yet, by when they were due. */
  get waiting(): readonly number[] {
    return this.#waiting.slice(this.#next);
  }

  /** A connection has nothing to do. */
  free(line: Line): void {
    const dueAt = this.#waiting[this.#next];
    if (dueAt === undefined) {
      this.#idle.push(line);
      return;
    }
    this.#next += 1;
    line.send(dueAt);
  }

  /** Sends, or puts in line, whatever is due by now. */
  tick(now: number): void {
    while (this.#nextDueAt <= now) {
      const dueAt = now - this.#nextDueAt <= GRAIN_MS ? now : this.#nextDueAt;
      this.#nextDueAt += this.#everyMs;
      const line = this.#idle.pop();
      if (line === undefined) this.#waiting.push(dueAt);
      else line.send(dueAt);
    }
  }
}
