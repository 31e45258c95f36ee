/**
 * Keys that are replaced by the clock while calls are made: the beat, the load, and the overlap in which an old key stays
 * for whoever still uses it, as the two sides of a rotation agree on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Gateway } from '../support/gatewayProcess.ts';
import { waitFor } from '../support/waitFor.ts';

const BEAT_MS = 1000;
export const ROTATIONS = 5;
/** Longer than the rotations take on an idle machine, and than a busy one needs. */
export const ROTATION_TEST = { timeout: 180_000 } as const;

const CALLERS = 3;
/** Then a caller begins anew, with whatever is in use by then. */
const CALLS_OF_SESSION = 5;
/** So many at a time: the one in use, the one before, and one that is on its way out. */
const KEPT = 3;

/** Has the gateway read its configuration and its keys anew. */
export async function reloaded(gateway: Gateway, end: 'reloaded' | 'reloadRefused' = 'reloaded'): Promise<void> {
  const count = () => gateway.logLines().filter(({ event }) => event === end).length;
  const before = count();
  gateway.sighup();
  await waitFor(end, () => count() > before);
}

/** Begins a session, with the keys that are in use now, and gives the call that it makes; that one gives how it ended. */
export type Begin = () => Promise<() => Promise<string>>;

/** Callers that never stop, each in short sessions. */
export class Load {
  readonly #begin: Begin;
  readonly #workers: Promise<void>;
  /** When each caller began its present session, in `performance.now()`. */
  readonly #since: number[] = Array(CALLERS).fill(0);
  readonly #ends = new Map<string, number>();
  #isRunning = true;

  constructor(begin: Begin) {
    this.#begin = begin;
    this.#workers = Promise.all(this.#since.map((_, caller) => this.#work(caller))).then(() => undefined);
  }

  /** Whatever was replaced before then is used by nobody any more. */
  get oldest(): number {
    return Math.min(...this.#since);
  }

  /** How the calls ended, each with its number. */
  async end(): Promise<Readonly<Record<string, number>>> {
    this.#isRunning = false;
    await this.#workers;
    return Object.fromEntries(this.#ends);
  }

  async #work(caller: number): Promise<void> {
    while (this.#isRunning) {
      this.#since[caller] = performance.now();
      try {
        const call = await this.#begin();
        for (let no = 0; no < CALLS_OF_SESSION && this.#isRunning; no += 1) this.#count(await call());
      } catch (error) {
        this.#count(String(error));
      }
    }
  }

  #count(end: string): void {
    this.#ends.set(end, (this.#ends.get(end) ?? 0) + 1);
  }
}

/** Keys of one kind, the one in use first. Those that nobody uses any more are dropped as new ones come. */
export class Overlap<T extends object> {
  readonly #replacedAt = new WeakMap<T, number>();
  #keys: readonly T[];
  /** How many came after the first one. */
  count = 0;

  constructor(first: T) {
    this.#keys = [first];
  }

  get keys(): readonly T[] {
    return this.#keys;
  }

  /** Drops what nobody uses; waits for that where there are too many. */
  async makeRoom(load: Load): Promise<void> {
    const unused = (key: T) => (this.#replacedAt.get(key) ?? Number.POSITIVE_INFINITY) < load.oldest;
    await waitFor('room for another key', () => {
      this.#keys = this.#keys.filter(key => !unused(key));
      return this.#keys.length < KEPT;
    });
  }

  /** Known, and not in use yet. */
  announce(key: T): void {
    this.#keys = [...this.#keys, key];
  }

  /** In use from now on; call `settle` when everybody knows. */
  use(key: T): void {
    this.#keys = [key, ...this.#keys.filter(other => other !== key)];
    this.count += 1;
  }

  settle(): void {
    for (const key of this.#keys.slice(1)) {
      if (!this.#replacedAt.has(key)) this.#replacedAt.set(key, performance.now());
    }
  }
}

/** Under load, rotates with each second of the clock; on a machine that is too slow for that, with the next one. */
export async function rotateUnderLoad(begin: Begin, rotate: (load: Load) => Promise<void>): Promise<void> {
  const load = new Load(begin);
  const start = performance.now();
  try {
    for (let no = 0; no < ROTATIONS; no += 1) {
      await sleep(BEAT_MS - ((performance.now() - start) % BEAT_MS));
      await rotate(load);
    }
    const after = performance.now();
    await waitFor('calls after the last rotation', () => load.oldest > after);
  } finally {
    const ends = await load.end();
    expect(ends).toEqual({ '200 00': expect.any(Number) });
  }
}
