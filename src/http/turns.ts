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
import { type Admission, createAdmission } from '../runtime/admission.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Exchange } from './exchange.ts';

export type TurnsOptions = {
  readonly rows: readonly ApiRow[];
  readonly basePath: string;
  readonly clock: Clock;
  /** The least that any caller's budget is now; absent: the default. */
  readonly shortestBudgetMs?: (() => number) | undefined;
};

export class Turns {
  readonly #admission: Admission;
  readonly #urgent: ReadonlySet<string>;

  constructor({ rows, basePath, clock, shortestBudgetMs = () => BUDGET_MS_DEFAULT }: TurnsOptions) {
    this.#admission = createAdmission({
      perTurn: BEGUN_PER_TURN,
      turnedAwayPerTurn: TURNED_AWAY_PER_TURN,
      waiting: WAITING_PER_PROCESS,
      waitMs: () => shortestBudgetMs() * WAIT_FOR_TURN_SHARE,
      clock,
    });
    this.#urgent = new Set(rows.filter(isUrgent).map(({ path }) => basePath + path));
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#admission.waiting;
  }

  /** Has the request begun, now or in its turn, or refused. */
  take({ incoming }: Exchange, begin: () => void, refuse: (refusal: Refusal) => void): void {
    this.#admission.enter({
      isUrgent: this.#urgent.has(incoming.url ?? ''),
      isGone: () => incoming.destroyed,
      begin,
      turnAway: why => refuse(overloaded(why)),
    });
  }
}

export const overloaded = (why: ShedReason): Refusal => new Refusal('overloaded', [], {}, why);

/** What ends a doubt or gives money free: it may not wait behind what makes more of both. */
const isUrgent = ({ class: kind }: ApiRow): boolean => kind === 'reversal' || kind === 'release';
