/**
 * The circuit breaker of one issuer, with opossum as its window, threshold and timer. The money never passes through
 * opossum: a call is admitted by the breaker's state, made, and only then counted, with its outcome already in hand.
 *
 * That keeps its traps shut. A throwing listener or a timeout of opossum cannot turn an approval into an error; its rate
 * is over finished calls, where its own would count refused and running ones as good; and a late success from before an
 * outage cannot close the breaker. Percentiles and snapshots are off, since every failure would sort the whole window.
 */
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { LEAST_BUDGET_MS } from '../config/limits.ts';
import type { IssuerId } from '../domain/ids.ts';
import type { Message } from '../domain/message.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Clock } from '../runtime/clock.ts';
import type { BreakerState, GuardedIssuer, IssuerConnector, SendOptions } from './issuer.ts';
import { SlowStart } from './slowStart.ts';

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
const BUCKETS = 10;

/** opossum opens above its threshold, we at it; the rate is a fraction of counts far coarser than this. */
const AT_NOT_ABOVE = 1e-6;

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
  readonly #circuit: CircuitBreaker<[succeeded: boolean], void>;
  readonly #window: Window;
  readonly #slowStart = new SlowStart();
  #probing = false;

  constructor({ id, connector, settings, clock, onStateChange }: GuardedIssuerOptions) {
    this.#connector = connector;
    this.#clock = clock;
    this.#window = new Window(clock, settings.windowMs / BUCKETS);
    this.#circuit = circuitOf(id, settings, this.#window.turned);
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

  async send(message: Message, options: SendOptions): Promise<Outcome> {
    if (options.deadline.leftMs() < LEAST_BUDGET_MS) return NO_BUDGET;
    if (this.state === 'closed') return this.#slowly(message, options);
    return this.#probeIsFree() ? this.#call('probe', message, options) : BREAKER_OPEN;
  }

  async deliver(message: Message, options: SendOptions): Promise<Outcome> {
    if (options.deadline.leftMs() < LEAST_BUDGET_MS) return NO_BUDGET;
    return this.#call(this.#probeIsFree() ? 'probe' : 'uncounted', message, options);
  }

  async close(): Promise<void> {
    this.#circuit.shutdown();
    await this.#connector.close();
  }

  async #slowly(message: Message, options: SendOptions): Promise<Outcome> {
    const ended = this.#slowStart.tryEnter();
    if (!ended) return RECOVERING;
    const outcome = await this.#call('counted', message, options);
    ended(isGood(outcome));
    return outcome;
  }

  #probeIsFree(): boolean {
    return this.#circuit.halfOpen && !this.#probing;
  }

  async #call(seat: Seat, message: Message, options: SendOptions): Promise<Outcome> {
    if (seat === 'probe') this.#probing = true;
    const outcome = await this.#outcomeOf(message, options);
    if (seat === 'probe') {
      await this.#count(outcome);
      this.#probing = false;
    } else if (seat === 'counted' && this.#circuit.closed) {
      void this.#count(outcome);
    }
    return outcome;
  }

  #outcomeOf(message: Message, options: SendOptions): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const attempt = async () => this.#connector.send(message, options);
    const cancel = this.#clock.after(options.deadline.leftMs() + BACKSTOP_MS, () => resolve(NO_OUTCOME));
    attempt()
      .then(resolve, () => resolve(NO_OUTCOME))
      .finally(cancel);
    return promise;
  }

  /** Resolves when the breaker has taken the outcome in. */
  async #count(outcome: Outcome): Promise<void> {
    this.#window.turn();
    await this.#circuit.fire(isGood(outcome)).catch(() => undefined);
  }
}

/**
 * Whether the issuer is alive: any definite answer says so, a decline too, and so does a refusal at the door, which a
 * closed breaker cannot make worse and an open one would hide.
 */
const isGood = (outcome: Outcome): boolean =>
  outcome.kind === 'answered' || (outcome.kind === 'notSent' && outcome.reason === 'refusedAtTheDoor');

/** One error for all failures: making one with its stack for each would be most of what counting costs. */
const FAILED = new Error('the call to the issuer failed');
const SUCCEEDED = Promise.resolve();

const circuitOf = (id: IssuerId, settings: BreakerSettings, turned: EventEmitter) => {
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isFinite(value) || value <= 0) throw new RangeError(`breaker of ${id}: ${name} must be more than zero`);
  }
  const count = (succeeded: boolean): Promise<void> => {
    if (!succeeded) throw FAILED;
    return SUCCEEDED;
  };
  return new CircuitBreaker(count, {
    name: id,
    errorThresholdPercentage: settings.errorPercent - AT_NOT_ABOVE,
    volumeThreshold: Math.ceil(settings.minimumCalls),
    resetTimeout: settings.openMs,
    rollingCountTimeout: settings.windowMs,
    rollingCountBuckets: BUCKETS,
    rotateBucketController: turned,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    // Nothing to wait for: calls are counted when they are over.
    timeout: false,
  });
};

/** Moves opossum's window on our clock and only when something is counted: an idle issuer costs no timer. */
class Window {
  /** opossum drops its oldest bucket at every `rotate`. */
  readonly turned = new EventEmitter();
  readonly #clock: Clock;
  readonly #bucketMs: number;
  #turnedAt: number;

  constructor(clock: Clock, bucketMs: number) {
    this.#clock = clock;
    this.#bucketMs = bucketMs;
    this.#turnedAt = clock.monotonicMs();
  }

  /** Drops what has become older than the window. */
  turn(): void {
    const due = Math.floor((this.#clock.monotonicMs() - this.#turnedAt) / this.#bucketMs);
    this.#turnedAt += due * this.#bucketMs;
    this.#drop(Math.min(due, BUCKETS));
  }

  empty(): void {
    this.#drop(BUCKETS);
  }

  #drop(buckets: number): void {
    for (let i = 0; i < buckets; i += 1) this.turned.emit('rotate');
  }
}

function tell(listener: ((state: BreakerState) => void) | undefined, state: BreakerState): void {
  try {
    listener?.(state);
  } catch {
    // A metric that throws inside an event of opossum would become the outcome of a call.
  }
}
