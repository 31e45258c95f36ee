/**
 * A steady load of mixed transactions, as patient callers make it: each has a card of its own, does one thing after the
 * other, and repeats every call under its `tranId` until it is told how it ended. All that they heard is kept, for the
 * judgement in `books.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { payment } from '../journey/rig.ts';
import type { ApiName } from '../support/apiPaths.ts';
import { call, type Fields, newTranId } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { waitFor } from '../support/waitFor.ts';

/** What a caller was told: the code of a 200, else the status; `lost` where the connection broke. */
export type Heard = { readonly what: string; readonly begun: number; readonly ended: number };

/** One transaction of a caller. Times are of this process's monotonic clock. */
export type Transaction = {
  readonly api: ApiName;
  readonly tranId: string;
  readonly card: string;
  readonly fields: Fields;
  /** Minor units; 0 where no money moves. */
  readonly amount: bigint;
  readonly original: Transaction | undefined;
  readonly begun: number;
  readonly heard: Heard[];
};

/** What does not end a transaction: it is under way, or nothing was claimed. */
const OPEN: ReadonlySet<string> = new Set(['09', '503', 'lost']);
const CALLERS = 6;
/** Between two calls of one caller: a load that leaves the machine to others, too. */
const PAUSE_MS = 15;
const REPEAT_MS = 60;
/** Leases, undos that back off, a breaker that opens once more, and a machine that has other things to do. */
const PATIENCE_MS = 60_000;

/** Every final answer that a transaction was given, in order. */
export const finals = ({ heard }: Transaction): readonly Heard[] => heard.filter(({ what }) => !OPEN.has(what));

/** The code that the caller was told; undefined where it never was. */
export const toldOf = (transaction: Transaction): string | undefined => finals(transaction)[0]?.what;

export class Traffic {
  readonly transactions: Transaction[] = [];
  readonly #callers: readonly Caller[];
  readonly #ends: Promise<void>[];
  #isStopping = false;

  /** Starts at once. `name` begins the names of the cards. */
  constructor(name: string, gateways: readonly Gateway[]) {
    this.#callers = Array.from(
      { length: CALLERS },
      (_, no) => new Caller(`${name}-${no}`, no, gateways, this.transactions),
    );
    this.#ends = this.#callers.map((caller, no) => this.#run(caller, no));
  }

  get cards(): readonly string[] {
    return this.#callers.map(({ card }) => card);
  }

  /** What was heard in such calls, each once. */
  heard(chosen: (heard: Heard) => boolean): ReadonlySet<string> {
    const all = this.transactions.flatMap(transaction => transaction.heard);
    return new Set(all.filter(chosen).map(({ what }) => what));
  }

  /** Until every caller has heard the answers to so many more calls; the second of them was begun after now. */
  async rounds(count: number): Promise<void> {
    const marks = this.#callers.map(({ calls }) => calls + count);
    const done = () => this.#callers.every(({ calls }, no) => calls >= (marks[no] ?? 0));
    await waitFor(`${count} calls of every caller`, done, { timeoutMs: PATIENCE_MS });
  }

  /**
   * Lets every caller come to an end. Who is still refused after `refusedMs` gives up, as anybody does who is not told for
   * much longer; the judge will see both.
   */
  async stop(refusedMs = PATIENCE_MS): Promise<void> {
    this.#isStopping = true;
    const giveUpAfter = (ms: number, whom: GivingUp) =>
      setTimeout(() => {
        for (const caller of this.#callers) caller.giveUp(whom);
      }, ms);
    const timers = [giveUpAfter(refusedMs, 'whenRefused'), giveUpAfter(PATIENCE_MS, 'always')];
    await Promise.all(this.#ends);
    timers.forEach(clearTimeout);
  }

  /** Makes every call once more, at another gateway where there is one. */
  async repeatAll(chosen: readonly Transaction[] = this.transactions): Promise<void> {
    const queue = [...chosen];
    const work = async (caller: Caller) => {
      for (let next = queue.shift(); next; next = queue.shift()) await caller.once(next);
    };
    await Promise.all(this.#callers.map(work));
  }

  async #run(caller: Caller, no: number): Promise<void> {
    // Each begins with another habit, so that at any time all of them are under way.
    for (let next = no; !this.#isStopping; next += 1) await HABITS[next % HABITS.length]?.(caller);
  }
}

type GivingUp = 'never' | 'whenRefused' | 'always';

class Caller {
  readonly card: string;
  readonly #gateways: readonly Gateway[];
  readonly #all: Transaction[];
  #turn: number;
  #givingUp: GivingUp = 'never';
  /** Calls that have ended. */
  calls = 0;

  constructor(card: string, no: number, gateways: readonly Gateway[], all: Transaction[]) {
    this.card = card;
    this.#turn = no;
    this.#gateways = gateways;
    this.#all = all;
  }

  giveUp(whom: GivingUp): void {
    this.#givingUp = whom;
  }

  #givesUp({ heard }: Transaction): boolean {
    return this.#givingUp === 'always' || (this.#givingUp === 'whenRefused' && heard.at(-1)?.what === '503');
  }

  begin(api: ApiName, amount: bigint, fields: Fields, original?: Transaction): Transaction {
    const named = original ? { originalTranId: original.tranId } : {};
    const made: Transaction = {
      ...{ api, amount, original, card: this.card, tranId: newTranId() },
      ...{ fields: { ...fields, ...named }, begun: performance.now(), heard: [] },
    };
    this.#all.push(made);
    return made;
  }

  /** One call, each time at the next gateway. */
  async once(transaction: Transaction): Promise<void> {
    const gateway = this.#gateways[this.#turn % this.#gateways.length];
    if (!gateway) throw new Error('there are no gateways');
    this.#turn += 1;
    const { api, fields, tranId, heard } = transaction;
    const begun = performance.now();
    const what = await call(gateway, api, fields, { tranId }).then(
      ({ status, body }) => (status === 200 ? String(body.responseCode) : String(status)),
      () => 'lost',
    );
    heard.push({ what, begun, ended: performance.now() });
    this.calls += 1;
    await sleep(PAUSE_MS);
  }

  /** Repeats the call until its outcome is told; gives that. */
  async untilTold(transaction: Transaction): Promise<string | undefined> {
    for (;;) {
      await this.once(transaction);
      const told = toldOf(transaction);
      if (told !== undefined || this.#givesUp(transaction)) return told;
      await sleep(REPEAT_MS);
    }
  }

  say(api: ApiName, amount: bigint, fields: Fields, original?: Transaction): Promise<string | undefined> {
    return this.untilTold(this.begin(api, amount, fields, original));
  }
}

/** What callers do, each in full; together they hold every class of the catalogue. */
const HABITS: readonly ((caller: Caller) => Promise<unknown>)[] = [
  async caller => {
    const purchase = caller.begin('Purchase', 500n, payment(caller.card, '5.00'));
    if ((await caller.untilTold(purchase)) !== '00') return;
    await caller.say('Refund', 200n, payment(caller.card, '2.00'), purchase);
  },
  async caller => {
    const hold = caller.begin('BlockFund', 425n, payment(caller.card, '4.25'));
    if ((await caller.untilTold(hold)) !== '00') return;
    await caller.say('UnblockFund', 425n, { cardToken: caller.card }, hold);
  },
  caller => caller.say('LoadFund', 310n, payment(caller.card, '3.10')),
  async caller => {
    const purchase = caller.begin('Purchase', 199n, payment(caller.card, '1.99'));
    await caller.untilTold(purchase);
    await caller.say('Reversal', 199n, payment(caller.card, '1.99'), purchase);
  },
  // Asks once, takes it back whatever was heard, and only then wants to know.
  async caller => {
    const withdrawal = caller.begin('Withdraw', 750n, payment(caller.card, '7.50'));
    await caller.once(withdrawal);
    await caller.say('Reversal', 750n, payment(caller.card, '7.50'), withdrawal);
    await caller.untilTold(withdrawal);
  },
  caller => caller.say('CardStatusUpdate', 0n, { cardToken: caller.card, cardOptFlag: 'B' }),
];
