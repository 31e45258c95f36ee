/**
 * The callers of a load: each call is drawn from the mix, made through the published client, which repeats it under its
 * `tranId` as a real caller does, and written down with what it was told, for the money check.
 */
import type { ApiName, Client, Result } from '../../src/client/client.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import { LoadCall, type LoadCard } from './loadCall.ts';
import { KINDS, type KindName, labelOf, type Mix, type Pool, pick, REPLAY, REPLAY_LABEL } from './mix.ts';
import type { Tally } from './tally.ts';

export type CallersOptions = {
  readonly client: Client;
  readonly cards: readonly LoadCard[];
  readonly mix: Mix;
  /** Least and most of an amount, in minor units. */
  readonly amounts: { readonly least: number; readonly most: number };
  readonly tally: Tally;
  readonly clock: Clock;
  readonly random: Random;
};

/** Of an id of 22 characters so many keep runs apart; the rest counts. */
const RUN_CHARS = 12;

export class Callers {
  /** Everything that was sent under a `tranId` and may have moved money, in order. */
  readonly calls: LoadCall[] = [];
  readonly #options: CallersOptions;
  readonly #run: string;
  /** No longer than `calls`, which has them all. */
  readonly #pools: Readonly<Record<Pool, LoadCall[]>> = { paid: [], drawn: [], held: [] };
  /** Calls with a final answer, for replays. */
  readonly #answered: LoadCall[] = [];
  /** How often a replay was not marked as one. */
  #unmarked = 0;
  #replays = 0;
  #count = 0;

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#run = `L${options.random.id().slice(0, RUN_CHARS)}`;
  }

  get replays(): { readonly made: number; readonly unmarked: number } {
    return { made: this.#replays, unmarked: this.#unmarked };
  }

  /** Makes one call of the mix that was due then. Never rejects. */
  async callOfMix(dueAtMs: number, startMs: number, isCounted: boolean): Promise<void> {
    const { mix, random, tally, clock } = this.#options;
    const what = pick(mix, random.fraction());
    const again = what === REPLAY ? this.#someAnswered() : undefined;
    const call = again ?? this.#next(what === REPLAY ? 'purchase' : what);
    const result = await this.ask(call);
    const nowMs = clock.monotonicMs();
    const label = again ? REPLAY_LABEL : labelOf(call.parts.kind);
    tally.call(label, result, { ms: nowMs - dueAtMs, atMs: nowMs - startMs, isCounted });
    if (again) this.#noteReplay(result);
    else this.#keep(call);
  }

  /** Sends a call, or asks for it again, and takes in what it is told. */
  async ask(call: LoadCall): Promise<Result<ApiName>> {
    const result = await this.#options.client.call(call.api, call.message());
    call.hear(result);
    return result;
  }

  /** A call of a kind that acts on a given transaction, or on none. */
  make(kind: KindName, card: LoadCard, amount: bigint, original?: LoadCall): LoadCall {
    this.#count += 1;
    const tranId = `${this.#run}-${this.#count.toString(36)}`;
    const target = hasOther(kind) ? this.#any(partners(card, this.#options.cards)) : undefined;
    const call = new LoadCall({ tranId, kind, card, amount, target, original });
    if (original) original.follower = call;
    // An inquiry moves nothing and is not asked again.
    if (!KINDS[kind].isInquiry) this.calls.push(call);
    return call;
  }

  /** Every hold that stands, also where that was learnt late, or where what was to end it did not. */
  standingHolds(): readonly LoadCall[] {
    return this.calls.filter(
      call => call.parts.kind === 'blockFund' && call.isApproved && call.follower?.isApproved !== true,
    );
  }

  #next(kind: KindName): LoadCall {
    const { takes, orElse } = KINDS[kind];
    if (!takes) return this.make(kind, this.#any(cardsFor(kind, this.#options.cards)), this.#anyAmount());
    const original = this.#take(takes);
    if (original) return this.make(kind, original.parts.card, original.parts.amount, original);
    return this.#next(orElse ?? 'purchase');
  }

  /** The one made last, as nobody reverses what is old. */
  #take(pools: readonly Pool[]): LoadCall | undefined {
    const filled = pools.find(name => this.#pools[name].length > 0);
    return filled && this.#pools[filled].pop();
  }

  #keep(call: LoadCall): void {
    if (call.told.kind !== 'final' || KINDS[call.parts.kind].isInquiry) return;
    this.#answered.push(call);
    const { keeps } = KINDS[call.parts.kind];
    if (keeps && call.isApproved) this.#pools[keeps].push(call);
  }

  #someAnswered(): LoadCall | undefined {
    return this.#answered[Math.floor(this.#options.random.fraction() * this.#answered.length)];
  }

  #noteReplay(result: Result<ApiName>): void {
    if (!('replayed' in result)) return;
    this.#replays += 1;
    if (!result.replayed) this.#unmarked += 1;
  }

  #any(cards: readonly LoadCard[]): LoadCard {
    const card = cards[Math.floor(this.#options.random.fraction() * cards.length)];
    if (!card) throw new TypeError('the mix needs a card that is not there');
    return card;
  }

  #anyAmount(): bigint {
    const { amounts, random } = this.#options;
    return BigInt(amounts.least + Math.floor(random.fraction() * (amounts.most - amounts.least + 1)));
  }
}

const hasOther = (kind: KindName): boolean => KINDS[kind].effect.other !== undefined;

const partners = (card: LoadCard, cards: readonly LoadCard[]): readonly LoadCard[] =>
  cards.filter(other => other !== card && other.currency === card.currency);

/** The cards that a kind can be made with: a transfer needs another card of the same currency. */
export const cardsFor = (kind: KindName, cards: readonly LoadCard[]): readonly LoadCard[] =>
  hasOther(kind) ? cards.filter(card => partners(card, cards).length > 0) : cards;
