/**
 * Which requests are begun when, once their heads were read: the limits of the public port on the way in, and what on it
 * is urgent. Whoever waits here has not been authenticated and its body has not been looked at.
 */
import type { ApiRow } from '../catalogue/row.ts';
import {
  BEGUN_PER_TURN,
  BUDGET_MS_DEFAULT,
  TURNED_AWAY_PER_TURN,
  WAIT_FOR_TURN_SHARE,
  WAITING_PER_PROCESS,
} from '../config/limits.ts';
import { Refusal, type ShedReason } from '../domain/refusal.ts';
import { type Admission, createAdmission, type Visitor } from '../runtime/admission.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Exchange } from './exchange.ts';

export type TurnsOptions = {
  readonly clock: Clock;
  /** The least that any caller's budget is now; absent: the default. */
  readonly shortestBudgetMs?: (() => number) | undefined;
  /** Each request is given to one of these, once. */
  readonly begin: (exchange: Exchange) => void;
  readonly refuse: (exchange: Exchange, refusal: Refusal) => void;
};

export class Turns {
  readonly #admission: Admission;
  readonly #options: TurnsOptions;

  constructor(options: TurnsOptions) {
    const { clock, shortestBudgetMs = () => BUDGET_MS_DEFAULT } = options;
    this.#options = options;
    this.#admission = createAdmission({
      perTurn: BEGUN_PER_TURN,
      turnedAwayPerTurn: TURNED_AWAY_PER_TURN,
      waiting: WAITING_PER_PROCESS,
      waitMs: () => shortestBudgetMs() * WAIT_FOR_TURN_SHARE,
      clock,
    });
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#admission.waiting;
  }

  /** Has the request begun, now or in its turn, or refused. */
  take(exchange: Exchange): void {
    this.#admission.enter(new Arrival(exchange, this.#options));
  }
}

/** A request on its way in. */
class Arrival implements Visitor {
  readonly isUrgent: boolean;
  readonly #exchange: Exchange;
  readonly #options: TurnsOptions;

  constructor(exchange: Exchange, options: TurnsOptions) {
    this.isUrgent = exchange.row !== undefined && isUrgent(exchange.row);
    this.#exchange = exchange;
    this.#options = options;
  }

  isGone(): boolean {
    return this.#exchange.incoming.destroyed;
  }

  begin(): void {
    this.#options.begin(this.#exchange);
  }

  turnAway(why: ShedReason): void {
    this.#options.refuse(this.#exchange, overloaded(why));
  }
}

export const overloaded = (why: ShedReason): Refusal => new Refusal('overloaded', [], {}, why);

/** What ends a doubt or gives money free: it may not wait behind what makes more of both. */
const isUrgent = ({ class: kind }: ApiRow): boolean => kind === 'reversal' || kind === 'release';
