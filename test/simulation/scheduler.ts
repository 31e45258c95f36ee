/**
 * Simulated time: a queue of what happens when, and nothing else. Between two events all promises that can go on have
 * gone on, so that a run is a function of its seed alone. A process that is paused gets its events when it goes on, and
 * one that has ended never does.
 */

/** Whose event it is: a simulated process. */
export type Host = { readonly alive: boolean; readonly pausedUntil: number };

type Happening = {
  at: number;
  readonly due: number;
  readonly order: number;
  readonly host: Host | undefined;
  readonly run: () => void;
  /** Skipped when its time comes. */
  isCancelled: boolean;
};

/** More events than any run needs: a run that comes here is one that goes round in circles. */
const EVENTS_MOST = 2_000_000;

export class Scheduler {
  #now = 0;
  #order = 0;
  #events = 0;
  #host: Host | undefined;
  readonly #heap: Happening[] = [];

  /** Milliseconds of true time since the start of the run. */
  get now(): number {
    return this.#now;
  }

  /** Whose code runs now: everything between two events belongs to the host of the first. */
  get host(): Host | undefined {
    return this.#host;
  }

  get events(): number {
    return this.#events;
  }

  /** Calls `run` after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void, host?: Host): () => void {
    const at = this.#now + Math.max(0, ms);
    const happening = { at, due: at, order: this.#order, host, run, isCancelled: false };
    this.#order += 1;
    this.#push(happening);
    return () => {
      happening.isCancelled = true;
    };
  }

  /** Resolves after `ms`. */
  sleep(ms: number): Promise<void> {
    return new Promise(resolve => this.after(ms, resolve));
  }

  /** Goes on until nothing is left, `done` says so, or the time is up. True where `done` said so. */
  async run(done: () => boolean, untilMs: number, afterEach: () => void): Promise<boolean> {
    await promisesSettled();
    while (!done()) {
      const next = this.#pop();
      if (!next || next.at > untilMs) return false;
      this.#now = Math.max(this.#now, next.at);
      this.#events += 1;
      if (this.#events > EVENTS_MOST) throw new Error('the run does not come to an end');
      this.#host = next.host;
      next.run();
      await promisesSettledHere();
      this.#host = undefined;
      afterEach();
    }
    return true;
  }

  #pop(): Happening | undefined {
    for (;;) {
      const next = this.#take();
      if (!next) return undefined;
      if (next.isCancelled || next.host?.alive === false) continue;
      const resumesAt = next.host?.pausedUntil ?? 0;
      if (resumesAt <= next.at) return next;
      // What was due first is first when the process goes on.
      next.at = resumesAt;
      this.#push(next);
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, heap[parent])) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  #take(): Happening | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child])) child += 1;
      if (!isBefore(heap[child] as Happening, last)) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Happening, b: Happening | undefined): boolean {
  if (b === undefined) return false;
  if (a.at !== b.at) return a.at < b.at;
  return a.due === b.due ? a.order < b.order : a.due < b.due;
}

/** Node runs its tick queue only when no microtask is left: this is the first moment at which nothing can go on. */
const promisesSettled = (): Promise<void> => new Promise(resolve => queueMicrotask(() => process.nextTick(resolve)));

/** The same, asked in a microtask, as everything after an `await` is. */
const promisesSettledHere = (): Promise<void> => new Promise(resolve => process.nextTick(resolve));
