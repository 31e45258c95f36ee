/**
 * One simulated process of a gateway, with its own idea of time: it can stand still, and it can end in the middle of
 * anything. Whatever it waits for comes through here or never, so that a process that has ended has no effect any more.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { Host } from './scheduler.ts';
import { EPOCH_MS, type World } from './world.ts';

export class SimProcess implements Host {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly #world: World;
  /** What the monotonic clock shows is no date: it counts from the start of the machine. */
  readonly #startMs: number;
  readonly #rate: number;
  #wallAheadMs: number;
  alive = true;
  pausedUntil = 0;
  /** How long it stood still in all, for judging how late its answers are. */
  pausedMs = 0;

  constructor(world: World, name: string, machine: { readonly aheadMs: number; readonly drift: number }) {
    const chance = world.chance(`process ${name}`);
    this.name = name;
    this.random = chance.asRandom();
    this.#world = world;
    this.#wallAheadMs = machine.aheadMs;
    this.#rate = 1 + machine.drift;
    this.#startMs = chance.whole(1000, 1_000_000_000) - world.time.now;
    this.clock = {
      wallMs: () => EPOCH_MS + world.time.now * this.#rate + this.#wallAheadMs,
      monotonicMs: () => (this.#startMs + world.time.now) * this.#rate,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      after: (ms, run) => world.time.after(ms / this.#rate, run, this),
    };
  }

  /** Ends here and now: nothing that it has begun goes on. */
  end(): void {
    this.alive = false;
  }

  pause(ms: number): void {
    const now = this.#world.time.now;
    const until = Math.max(this.pausedUntil, now + ms);
    this.pausedMs += until - Math.max(now, this.pausedUntil);
    this.pausedUntil = until;
  }

  setWallClock(byMs: number): void {
    this.#wallAheadMs += byMs;
  }

  /** Resolves here after `ms` of true time, if the process still lives then. */
  deliver(ms: number, run: () => void): () => void {
    return this.#world.time.after(ms, run, this);
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal?.aborted) return resolve();
      const sleepers = signal && sleepersOf(signal);
      const end = () => {
        cancel();
        sleepers?.delete(end);
        resolve();
      };
      const cancel = this.#world.time.after(ms / this.#rate, end, this);
      sleepers?.add(end);
    });
  }
}

const ASLEEP = new WeakMap<AbortSignal, Set<() => void>>();

/** Whom the signal wakes. One listener for all of them: adding and taking away one for each costs more than a sleep. */
function sleepersOf(signal: AbortSignal): Set<() => void> {
  const known = ASLEEP.get(signal);
  if (known) return known;
  const sleepers = new Set<() => void>();
  ASLEEP.set(signal, sleepers);
  const wakeAll = () => {
    for (const wake of sleepers) wake();
  };
  signal.addEventListener('abort', wakeAll, { once: true });
  return sleepers;
}
