/**
 * The circuit breaker of one issuer, with opossum as its states and timer. The money never passes through opossum: a call
 * is admitted by the breaker's state, made, and only then counted, with its outcome already in hand.
 *
 * That keeps its traps shut. A throwing listener or a timeout of opossum cannot turn an approval into an error, and a late
 * success from before an outage cannot close the breaker. The window is ours: the rate is over finished calls, where that
 * of opossum counts refused and running ones as good, and counting costs a call next to nothing.
 */
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { LEAST_BUDGET_MS } from '../config/limits.ts';
import type { IssuerId } from '../domain/ids.ts';
import type { Message } from '../domain/message.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Clock } from '../runtime/clock.ts';
import type { BreakerState, GuardedIssuer, IssuerConnector, SendOptions } from './issuer.ts';
import { type Ended, SlowStart } from './slowStart.ts';

export type BreakerSettings = {
  /** Opens when this share of the calls in the window failed, 1 to 100; the share itself opens it. */
  readonly errorPercent: number;
  /** Fewer calls than this in the window never open it. */
  readonly minimumCalls: number;
  readonly windowMs: number;
  /** How long it stays open before one probe is let through. */
  readonly openMs: number;
};

export type GuardedIssuerOptions = {
  readonly id: IssuerId;
  readonly connector: IssuerConnector;
  readonly settings: BreakerSettings;
  readonly clock: Clock;
  /** Hears of every change of state, for metrics and log. What it throws is dropped. */
  readonly onStateChange?: (state: BreakerState) => void;
};

/** A connector keeps its deadline. Should one ever not, the call ends this long after, and no probe hangs for ever. */
const BACKSTOP_MS = 1000;

/** The window moves in tenths of its length. */
const TENTHS = 10;

/** What a call may do to the breaker: be counted, be the one probe, or nothing. */
type Seat = 'counted' | 'probe' | 'uncounted';

const BREAKER_OPEN: Outcome = { kind: 'notSent', reason: 'breakerOpen' };
const RECOVERING: Outcome = { kind: 'notSent', reason: 'recovering' };
const NO_BUDGET: Outcome = { kind: 'notSent', reason: 'noBudget' };
const NO_OUTCOME: Outcome = { kind: 'unknown', reason: 'internal' };

/** Puts a circuit breaker around a connector. Throws where a setting is not a number that opossum would heed. */
export const createGuardedIssuer = (options: GuardedIssuerOptions): GuardedIssuer => new Guard(options);

class Guard implements GuardedIssuer {
  readonly #connector: IssuerConnector;
  readonly #clock: Clock;
  readonly #circuit: CircuitBreaker;
  readonly #window: Window;
  readonly #slowStart = new SlowStart();
  #probing = false;

  constructor({ id, connector, settings, clock, onStateChange }: GuardedIssuerOptions) {
    this.#connector = connector;
    this.#clock = clock;
    this.#window = new Window(clock, settings);
    this.#circuit = circuitOf(id, settings);
    // What happened before the outage is healed says nothing about after it: one failure would open the breaker again.
    this.#circuit.on('close', () => {
      this.#window.empty();
      this.#slowStart.restart();
    });
    const changed = () => tell(onStateChange, this.state);
    this.#circuit.on('open', changed).on('halfOpen', changed).on('close', changed);
  }

  get state(): BreakerState {
    if (this.#circuit.opened) return 'open';
    return this.#circuit.halfOpen ? 'halfOpen' : 'closed';
  }

  send(message: Message, options: SendOptions): Promise<Outcome> {
    if (options.deadline.leftMs() < LEAST_BUDGET_MS) return Promise.resolve(NO_BUDGET);
    if (this.state !== 'closed') {
      return this.#probeIsFree() ? this.#call('probe', message, options) : Promise.resolve(BREAKER_OPEN);
    }
    const ended = this.#slowStart.tryEnter();
    return ended ? this.#call('counted', message, options, ended) : Promise.resolve(RECOVERING);
  }

  deliver(message: Message, options: SendOptions): Promise<Outcome> {
    if (options.deadline.leftMs() < LEAST_BUDGET_MS) return Promise.resolve(NO_BUDGET);
    return this.#call(this.#probeIsFree() ? 'probe' : 'uncounted', message, options);
  }

  async close(): Promise<void> {
    this.#circuit.shutdown();
    await this.#connector.close();
  }

  #probeIsFree(): boolean {
    return this.#circuit.halfOpen && !this.#probing;
  }

  async #call(seat: Seat, message: Message, options: SendOptions, ended?: Ended): Promise<Outcome> {
    if (seat === 'probe') this.#probing = true;
    const outcome = await this.#outcomeOf(message, options);
    const good = isGood(outcome);
    if (seat === 'probe') this.#judge(good);
    else if (seat === 'counted' && this.#circuit.closed && this.#window.count(good)) this.#circuit.open();
    ended?.(good);
    return outcome;
  }

  /** Takes in how the probe ended. */
  #judge(isGood: boolean): void {
    this.#probing = false;
    // Shut down meanwhile, it changes no more.
    if (!this.#circuit.halfOpen) return;
    if (isGood) this.#circuit.close();
    else this.#circuit.open();
  }

  #outcomeOf(message: Message, options: SendOptions): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const end = (outcome: Outcome): void => {
      cancel();
      resolve(outcome);
    };
    const fail = (): void => end(NO_OUTCOME);
    const cancel = this.#clock.after(options.deadline.leftMs() + BACKSTOP_MS, fail);
    try {
      this.#connector.send(message, options).then(end, fail);
    } catch {
      fail();
    }
    return promise;
  }
}

/**
 * Whether the issuer is alive: any definite answer says so, a decline too, and so does a refusal at the door, which a
 * closed breaker cannot make worse and an open one would hide.
 */
const isGood = (outcome: Outcome): boolean =>
  outcome.kind === 'answered' || (outcome.kind === 'notSent' && outcome.reason === 'refusedAtTheDoor');

const circuitOf = (id: IssuerId, settings: BreakerSettings): CircuitBreaker => {
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`breaker of ${id}: ${name} must be more than zero`);
  }
  return new CircuitBreaker(async () => undefined, {
    name: id,
    resetTimeout: settings.openMs,
    // Nothing is counted or timed there; this keeps it from turning its window by a timer.
    rotateBucketController: new EventEmitter(),
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    timeout: false,
  });
};

type Count = { calls: number; failures: number };

/** The last calls. It moves on our clock and only when something is counted: an idle issuer costs no timer. */
class Window {
  readonly #clock: Clock;
  readonly #settings: BreakerSettings;
  readonly #tenthMs: number;
  /** What was counted in the present tenth, in the others, the oldest first, and in all of them. */
  #present: Count = { calls: 0, failures: 0 };
  #others: Count[] = [];
  #all: Count = { calls: 0, failures: 0 };
  /** When the present tenth began. */
  #turnedAt: number;

  constructor(clock: Clock, settings: BreakerSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#tenthMs = settings.windowMs / TENTHS;
    this.#turnedAt = clock.monotonicMs();
  }

  /** Takes one finished call in. True where it failed, and with it so many did that the breaker has to open. */
  count(isGood: boolean): boolean {
    const due = Math.floor((this.#clock.monotonicMs() - this.#turnedAt) / this.#tenthMs);
    if (due > 0) this.#turn(due);
    this.#present.calls += 1;
    this.#all.calls += 1;
    if (isGood) return false;
    this.#present.failures += 1;
    this.#all.failures += 1;
    const { minimumCalls, errorPercent } = this.#settings;
    return this.#all.calls >= minimumCalls && this.#all.failures * 100 >= errorPercent * this.#all.calls;
  }

  empty(): void {
    this.#present = { calls: 0, failures: 0 };
    this.#others = [];
    this.#all = { calls: 0, failures: 0 };
  }

  /** Drops what has become older than the window. */
  #turn(due: number): void {
    this.#turnedAt += due * this.#tenthMs;
    for (let i = 0; i < Math.min(due, TENTHS); i += 1) {
      this.#others.push(this.#present);
      this.#present = { calls: 0, failures: 0 };
      const oldest = this.#others.length === TENTHS ? this.#others.shift() : undefined;
      this.#all.calls -= oldest?.calls ?? 0;
      this.#all.failures -= oldest?.failures ?? 0;
    }
  }
}

function tell(listener: ((state: BreakerState) => void) | undefined, state: BreakerState): void {
  try {
    listener?.(state);
  } catch {
    // A metric that throws inside an event of opossum would become the outcome of a call.
  }
}
