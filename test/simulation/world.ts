/**
 * What everything in a run shares: time, chance, the trace, what was met, and what was found wrong. A run is a value of
 * its options and seed, so nothing of a run lives anywhere else.
 */
import { hash } from 'node:crypto';
import { Chance } from './chance.ts';
import type { EventName, Options, Rate } from './options.ts';
import { Scheduler } from './scheduler.ts';

/** The wall clock at the start of every run: 1 March 2026, noon. */
export const EPOCH_MS = Date.UTC(2026, 2, 1, 12);

export class Violation extends Error {
  /** The invariant, such as `I5`. */
  readonly invariant: string;

  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.name = 'Violation';
    this.invariant = invariant;
  }
}

/** A line of the trace, before anybody reads it: most runs are never read. */
type Note = { readonly at: number; readonly who: string; readonly what: string };

export class World {
  readonly seed: number;
  readonly options: Options;
  readonly time = new Scheduler();
  /** What was met, and how often. */
  readonly met = new Map<string, number>();
  readonly #chances = new Map<string, Chance>();
  readonly #notes: Note[] = [];
  readonly #violations: Violation[] = [];
  /** Act two: nothing goes wrong any more. */
  healed = false;

  constructor(seed: number, options: Options) {
    this.seed = seed;
    this.options = options;
  }

  chance(purpose: string): Chance {
    const known = this.#chances.get(purpose);
    if (known) return known;
    const made = new Chance(this.seed, purpose);
    this.#chances.set(purpose, made);
    return made;
  }

  /** Whether this goes wrong now. Drawn from its own stream, so that no other fault changes it. */
  fault(name: Rate): boolean {
    const rate = this.options.rates[name] ?? 0;
    // Nobody sees what is drawn where it can change nothing.
    const hits = rate > 0 && !this.healed && this.chance(name).hits(rate);
    if (hits) this.sometimes(name);
    return hits;
  }

  /** Milliseconds until this happens next; undefined where it never does. Exponential, as for what comes by chance. */
  nextAfterMs(name: EventName): number | undefined {
    const perMinute = this.options.events[name] ?? 0;
    const fraction = this.chance(name).fraction();
    return perMinute === 0 ? undefined : (-Math.log(1 - fraction) * 60_000) / perMinute;
  }

  /** Counts what the set of all runs must have met. */
  sometimes(what: string): void {
    this.met.set(what, (this.met.get(what) ?? 0) + 1);
  }

  note(who: string, what: string): void {
    this.#notes.push({ at: this.time.now, who, what });
  }

  /** Something that must never be. The run goes on to its end of the event, then stops. */
  violate(invariant: string, what: string): void {
    this.note('ORACLE', `violated ${invariant}: ${what}`);
    this.#violations.push(new Violation(invariant, what));
  }

  demand(holds: boolean, invariant: string, what: () => string): void {
    if (!holds) this.violate(invariant, what());
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  get trace(): readonly string[] {
    return this.#notes.map(({ at, who, what }) => `${at.toFixed(3).padStart(12)} ${who.padEnd(8)} ${what}`);
  }

  /** Two runs of one seed have the same. */
  get traceHash(): string {
    return hash('sha256', this.trace.join('\n'));
  }
}
