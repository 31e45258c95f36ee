/**
 * Processes that are none, for tests of their supervisor: each says and does what the test wants, and dies when it is told
 * to; and a clock that a test moves on.
 */

import type { Readiness } from '../../src/http/admin.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Log } from '../../src/runtime/log.ts';
import type { Ask, CallName, Started, Told } from '../../src/workers/calls.ts';
import type { Ended, WorkerProcess } from '../../src/workers/processes.ts';

/** What a process answers; `undefined` is never answered. */
export type Manner = { readonly [Name in CallName]?: unknown };

const LISTENING: Started = { kind: 'listening', port: 4711 };
export const READY: Readiness = { config: true, journal: true, draining: false, standby: false, amnesia: false };
const GOOD: Manner = { start: LISTENING, prepare: [], commit: null, drain: null, metrics: [], readiness: READY };

export class FakeProcess implements WorkerProcess {
  readonly pid: number;
  readonly asked: Ask[] = [];
  readonly ended: Promise<Ended>;
  readonly #end: (ended: Ended) => void;
  readonly #manner: Manner;
  #take: (told: Told) => void = () => undefined;

  constructor(pid: number, manner: Manner) {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    this.pid = pid;
    this.ended = promise;
    this.#end = resolve;
    this.#manner = { ...GOOD, ...manner };
  }

  onTold(take: (told: Told) => void): void {
    this.#take = take;
  }

  send(message: Ask): void {
    this.asked.push(message);
    const value = this.#manner[message.call];
    if (value === undefined) return;
    queueMicrotask(() => {
      this.#take({ to: message.ask, value });
      if (message.call === 'drain') this.exit(0);
      if (message.call === 'start' && value !== LISTENING) this.exit(1);
    });
  }

  kill(): void {
    this.#end({ code: null, signal: 'SIGKILL' });
  }

  exit(code: number): void {
    this.#end({ code, signal: null });
  }

  /** The calls that it was sent. */
  get calls(): readonly CallName[] {
    return this.asked.map(({ call }) => call);
  }
}

type Timer = { readonly at: number; readonly run: () => void };

/** Time stands still until `pass`. */
export class HeldClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  wallMs(): number {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve();
      const cancel = this.after(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Moves on, and lets everything happen that is due by then, in order. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
      await settled();
    }
    this.#now = until;
  }

  #next(until: number): Timer | undefined {
    const due = [...this.#timers].filter(({ at }) => at <= until);
    return due.sort((one, other) => one.at - other.at)[0];
  }
}

const nothing = () => undefined;
export const NO_LOG: Log = {
  ...{ request: nothing, oauth: nothing, info: nothing, warn: nothing, error: nothing, defect: nothing },
  flush: async () => undefined,
};

/** Until nothing more happens without time passing. */
export const settled = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));
