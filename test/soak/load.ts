/**
 * The callers: a steady mix of everything that moves money, of undoing it, of commands and inquiries, on many cards. They
 * behave as good callers do: what was lost or is in progress they ask for again under the same `tranId`. What each of them
 * was told is written down, for the comparison with the issuer's books.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../simulation/chance.ts';
import type { ApiName } from '../support/apiPaths.ts';
import { call, type Fields, newTranId } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { toWire } from '../support/issuerLedger.ts';
import { waitFor } from '../support/waitFor.ts';

/** What one call came to. `lost`: no answer; `refused`: 503, so nothing was claimed; `open`: 09. */
export type Heard = { readonly kind: 'lost' | 'refused' | 'open' } | { readonly kind: 'final'; readonly code: string };

/** What a `00` means for the card's books, in minor units. */
type Change = { readonly available: bigint; readonly held: bigint };

/** One message of a caller, and what it was told. */
export type Step = {
  readonly tranId: string;
  readonly api: ApiName;
  readonly card: string;
  readonly amount: bigint;
  readonly change: Change;
  /** Of a transfer. */
  readonly target: string | undefined;
  readonly original: Step | undefined;
  /** Everything heard, in order; repeats of one answer once. */
  readonly heard: Heard[];
};

export const CARDS = Array.from({ length: 24 }, (_, at) => `soak-card-${at}`);
/** A card that often has nothing left. */
export const POOR_CARD = 'soak-card-poor';
export const OPENING = '100000.00';
export const POOR_OPENING = '20.00';
const CURRENCY = '840';

/** Chains at a time: past it a caller waits, as a rate limit would have it. */
const AT_A_TIME = 48;
/** A caller asks again so often while the run is on; the rest is asked for at the end. */
const ASKS = 3;
const ANSWER_MS = 6000;

const SCENARIOS = {
  purchase: 6,
  withdraw: 3,
  reversedPurchase: 4,
  reversedWithdraw: 2,
  refunded: 3,
  transfer: 2,
  reversedTransfer: 1,
  load: 3,
  reversedLoad: 1,
  completedHold: 3,
  releasedHold: 3,
  serviceCharge: 1,
  debitAdjustment: 1,
  creditAdjustment: 1,
  command: 2,
  inquiry: 3,
} as const;

export class Callers {
  readonly steps: Step[] = [];
  /** What no caller should ever hear. */
  readonly surprises: string[] = [];
  /** Answers since the start. */
  readonly counts = { final: 0, open: 0, lost: 0 };
  readonly #gateways: readonly Gateway[];
  readonly #chance: Chance;
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(gateways: readonly Gateway[], chance: Chance) {
    this.#gateways = gateways;
    this.#chance = chance;
  }

  /** Begins so many chains of calls a second, until `stop`. */
  async run(perSecond: number): Promise<void> {
    while (!this.#stopped) {
      if (this.#running.size < AT_A_TIME) this.#begin();
      await sleep(1000 / perSecond);
    }
    await Promise.all(this.#running);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Asks again for all that is not known, until it is told; not for what was only ever refused: that is not to happen. */
  async learnAll(timeoutMs: number): Promise<void> {
    const open = this.steps.filter(step => finalOf(step) === undefined && !wasOnlyRefused(step));
    const learn = (step: Step) =>
      waitFor(`the outcome of ${step.api} ${step.tranId}`, async () => (await this.#ask(step)).kind === 'final', {
        timeoutMs,
        everyMs: 200,
      });
    while (open.length > 0) await Promise.all(open.splice(0, AT_A_TIME).map(learn));
  }

  /** Asks once more for some that are known: it must be the same answer. */
  async askAgain(count: number): Promise<void> {
    const known = this.steps.filter(step => finalOf(step) !== undefined && step.api !== 'BalanceInquiry');
    const some = Array.from({ length: Math.min(count, known.length) }, () => this.#chance.pick(known));
    while (some.length > 0) await Promise.all(some.splice(0, AT_A_TIME).map(step => this.#ask(step)));
  }

  #begin(): void {
    const running = this.#chain().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #chain(): Promise<void> {
    const chance = this.#chance;
    const card = chance.hits(0.05) ? POOR_CARD : chance.pick(CARDS);
    const amount = BigInt(chance.whole(1, 2500));
    const debit = { available: -amount, held: 0n };
    const credit = { available: amount, held: 0n };
    const first = (api: ApiName, change: Change, fields: Fields = {}, target?: string) =>
      this.#step({ api, card, amount, change, target, original: undefined }, fields);
    const target = chance.pick(CARDS.filter(each => each !== card));
    switch (chance.weighted(SCENARIOS)) {
      case 'purchase':
        return void (await first('Purchase', debit));
      case 'withdraw':
        return void (await first('Withdraw', debit));
      case 'reversedPurchase':
        return this.#reverse(await first('Purchase', debit));
      case 'reversedWithdraw':
        return this.#reverse(await first('Withdraw', debit));
      case 'refunded':
        return this.#refund(await first('Purchase', debit));
      case 'transfer':
        return void (await first('TransferFund', debit, { toCardToken: target }, target));
      case 'reversedTransfer':
        return this.#reverse(await first('TransferFund', debit, { toCardToken: target }, target));
      case 'load':
        return void (await first('LoadFund', credit));
      case 'reversedLoad':
        return this.#reverse(await first('LoadFund', credit));
      case 'completedHold':
        return this.#complete(await first('BlockFund', { available: -amount, held: amount }));
      case 'releasedHold':
        return this.#release(await first('BlockFund', { available: -amount, held: amount }));
      case 'serviceCharge':
        return void (await first('ServiceCharge', debit));
      case 'debitAdjustment':
        return void (await first('DebitAdjustment', debit, { memo: 'soak' }));
      case 'creditAdjustment':
        return void (await first('CreditAdjustment', credit, { memo: 'soak' }));
      case 'command':
        return void (await this.#quiet('CardStatusUpdate', card, { cardOptFlag: 'B' }));
      case 'inquiry':
        return void (await this.#quiet('BalanceInquiry', card, {}));
    }
  }

  /** Whatever was heard of the original, or nothing: that is when callers reverse. */
  async #reverse(original: Step): Promise<void> {
    const { card, amount } = original;
    await this.#step({ api: 'Reversal', card, amount, change: NOTHING, target: undefined, original }, {});
  }

  async #refund(original: Step): Promise<void> {
    if (finalOf(original) !== '00') return;
    const amount = original.amount / 2n + 1n;
    const change = { available: amount, held: 0n };
    await this.#step({ api: 'Refund', card: original.card, amount, change, target: undefined, original }, {});
  }

  async #complete(original: Step): Promise<void> {
    if (finalOf(original) !== '00') return;
    const amount = original.amount / 2n + 1n;
    // What is not spent of the hold is free again.
    const change = { available: original.amount - amount, held: -original.amount };
    await this.#step({ api: 'Purchase', card: original.card, amount, change, target: undefined, original }, {});
  }

  async #release(original: Step): Promise<void> {
    if (finalOf(original) !== '00') return;
    const { amount, card } = original;
    const change = { available: amount, held: -amount };
    await this.#step({ api: 'UnblockFund', card, amount, change, target: undefined, original }, {});
  }

  async #quiet(api: ApiName, card: string, fields: Fields): Promise<void> {
    await this.#step({ api, card, amount: 0n, change: NOTHING, target: undefined, original: undefined }, fields);
  }

  /** One message, asked for again while it is not known. */
  async #step(parts: Omit<Step, 'tranId' | 'heard'>, fields: Fields): Promise<Step> {
    const step: Step = { ...parts, tranId: newTranId(), heard: [] };
    this.steps.push(step);
    this.#fields.set(step, fields);
    for (let asked = 0; asked < ASKS; asked += 1) {
      const { kind } = await this.#ask(step);
      if (kind === 'final' || step.api === 'BalanceInquiry') break;
      await sleep(this.#chance.between(100, 600));
    }
    return step;
  }

  readonly #fields = new WeakMap<Step, Fields>();

  async #ask(step: Step): Promise<Heard> {
    const { api, card, amount, original, tranId } = step;
    const money = amount === 0n ? {} : { tranAmount: toWire(amount, CURRENCY), tranCurrency: CURRENCY };
    const named = original === undefined ? {} : { originalTranId: original.tranId };
    const fields = { cardToken: card, ...money, ...named, ...this.#fields.get(step) };
    const heard = await this.#call(api, fields, tranId);
    this.counts[heard.kind === 'refused' ? 'lost' : heard.kind] += 1;
    if (!step.heard.some(before => isSame(before, heard))) step.heard.push(heard);
    return heard;
  }

  async #call(api: ApiName, fields: Fields, tranId: string): Promise<Heard> {
    try {
      const answer = await call(this.#chance.pick(this.#gateways), api, fields, { tranId, timeoutMs: ANSWER_MS });
      const code = String(answer.body.responseCode);
      if (answer.status === 503) return { kind: 'refused' };
      if (answer.status === 200) return code === '09' ? { kind: 'open' } : { kind: 'final', code };
      this.surprises.push(`${api} ${tranId} was answered ${answer.status} ${code}`);
      return { kind: 'lost' };
    } catch {
      return { kind: 'lost' };
    }
  }
}

const NOTHING: Change = { available: 0n, held: 0n };

const isSame = (a: Heard, b: Heard): boolean =>
  a.kind === b.kind && (a.kind !== 'final' || b.kind !== 'final' || a.code === b.code);

/** Every final answer that was given; more than one is a broken promise. */
export const finalsOf = ({ heard }: Step): string[] =>
  heard.flatMap(each => (each.kind === 'final' ? [each.code] : []));
export const finalOf = (step: Step): string | undefined => finalsOf(step)[0];
/** The gateway said each time that it took nothing. */
export const wasOnlyRefused = ({ heard }: Step): boolean => heard.every(({ kind }) => kind === 'refused');
