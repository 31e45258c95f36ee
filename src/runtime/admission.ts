/**
 * The way in under overload. In one turn of the event loop only so many requests are begun; what was begun before goes
 * first, because its answers are taken in at every turn. The rest waits, briefly and unread, and is turned away before
 * anything was done for it. So the work of a turn stays short, whatever comes in, and nobody who waits for an issuer
 * that hangs holds a place here.
 */
import type { ShedReason } from '../domain/refusal.ts';
import type { Clock } from './clock.ts';

/** Somebody who wants to come in. Exactly one of `begin` and `turnAway` is called, once. */
export type Visitor = {
  /** Goes before others: what ends a doubt or gives money free. */
  readonly isUrgent: boolean;
  /** Whether nobody is there any more who could be answered. */
  readonly isGone: () => boolean;
  readonly begin: () => void;
  readonly turnAway: (why: ShedReason) => void;
};

export type Admission = {
  /** Begins at once while there is room in this turn, and else in one of the next ones. */
  readonly enter: (visitor: Visitor) => void;
  /** How many wait now. */
  readonly waiting: number;
};

export type AdmissionOptions = {
  /** Begun in one turn of the event loop. */
  readonly perTurn: number;
  /** Turned away in one turn: answering those must not hold up the others either. */
  readonly turnedAwayPerTurn: number;
  /** How many wait at a time. */
  readonly waiting: number;
  /** For how many milliseconds anybody waits now. */
  readonly waitMs: () => number;
  readonly clock: Clock;
  /** Runs something in the next turn of the event loop, after what has come in by then; absent: `setImmediate`. */
  readonly nextTurn?: (run: () => void) => void;
};

export const createAdmission = (options: AdmissionOptions): Admission => new TurnedAdmission(options);

class TurnedAdmission implements Admission {
  readonly #options: AdmissionOptions;
  readonly #nextTurn: (run: () => void) => void;
  readonly #urgent = new Queue();
  readonly #usual = new Queue();
  #begun = 0;
  #isScheduled = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#nextTurn = options.nextTurn ?? setImmediate;
  }

  get waiting(): number {
    return this.#urgent.length + this.#usual.length;
  }

  enter(visitor: Visitor): void {
    if (this.waiting === 0 && this.#begun < this.#options.perTurn) this.#begin(visitor);
    else if (this.#hasRoomFor(visitor)) this.#queueOf(visitor).push(visitor, this.#options.clock.monotonicMs());
    else visitor.turnAway('queueFull');
    this.#schedule();
  }

  #queueOf({ isUrgent }: Visitor): Queue {
    return isUrgent ? this.#urgent : this.#usual;
  }

  /** Whether there is a place to wait. Up to half of all places what is urgent takes one from who has waited longest. */
  #hasRoomFor({ isUrgent }: Visitor): boolean {
    const { waiting } = this.#options;
    if (this.waiting < waiting) return true;
    if (!isUrgent || this.#urgent.length >= waiting / 2) return false;
    this.#usual.takeOldest()?.turnAway('queueFull');
    return true;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    this.#begun = 0;
    if (this.waiting === 0) return;
    const { perTurn, clock } = this.#options;
    const waitMs = this.#options.waitMs();
    const now = clock.monotonicMs();
    this.#turnAwaySince(now - waitMs);
    // Long queues: whoever came last can still be answered in good time, and whoever came first has waited for nothing.
    const newestFirst = Math.min(this.#urgent.oldest, this.#usual.oldest) <= now - waitMs / 2;
    // Half of it, where others wait: anybody may ask for something urgent, and would else keep them all out.
    this.#beginFrom(this.#urgent, Math.ceil(perTurn / 2), newestFirst);
    this.#beginFrom(this.#usual, perTurn, newestFirst);
    this.#beginFrom(this.#urgent, perTurn, newestFirst);
    this.#schedule();
  }

  #turnAwaySince(latest: number): void {
    let left = this.#options.turnedAwayPerTurn;
    for (const queue of [this.#urgent, this.#usual]) {
      for (; left > 0 && queue.oldest <= latest; left -= 1) queue.takeOldest()?.turnAway('waitedTooLong');
    }
  }

  #beginFrom(queue: Queue, upTo: number, newestFirst: boolean): void {
    while (this.#begun < upTo) {
      const visitor = newestFirst ? queue.takeNewest() : queue.takeOldest();
      if (!visitor) return;
      // Nothing was done for it, so that nothing has to be finished.
      if (visitor.isGone()) visitor.turnAway('hungUp');
      else this.#begin(visitor);
    }
  }

  #begin(visitor: Visitor): void {
    this.#begun += 1;
    visitor.begin();
  }
}

type Waiting = { readonly visitor: Visitor; readonly since: number };

/** Emptied places at the front are given back in blocks of this size. */
const BLOCK = 1024;

/** In order of arrival; taken from both ends at no cost. */
class Queue {
  #places: (Waiting | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#places.length - this.#first;
  }

  /** When the one came that waits longest; never, where nobody waits. */
  get oldest(): number {
    return this.#places[this.#first]?.since ?? Number.POSITIVE_INFINITY;
  }

  push(visitor: Visitor, since: number): void {
    this.#places.push({ visitor, since });
  }

  takeOldest(): Visitor | undefined {
    const oldest = this.#places[this.#first];
    if (!oldest) return undefined;
    this.#places[this.#first] = undefined;
    this.#first += 1;
    if (this.length === 0 || this.#first >= BLOCK) {
      this.#places.splice(0, this.#first);
      this.#first = 0;
    }
    return oldest.visitor;
  }

  takeNewest(): Visitor | undefined {
    return this.length === 0 ? undefined : this.#places.pop()?.visitor;
  }
}
