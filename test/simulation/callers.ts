/**
 * The callers: each transaction is a story of what one caller does, with retries as the contract asks for them, and with
 * all that callers do besides: send it twice at once, change it, ask at another gateway, give up, reverse it too early.
 */
import type { Served } from '../../src/http/journey.ts';
import type { GatewayModel } from './gatewayModel.ts';
import { minorOf, textOf } from './ledger.ts';
import { FIRSTS, Pen, type Sent } from './messages.ts';
import type { World } from './world.ts';

/** The gateways as they are now, and what is told to the oracle. */
export type Front = {
  gateways(): readonly GatewayModel[];
  arrived(gateway: GatewayModel, sent: Sent): void;
  told(gateway: GatewayModel, sent: Sent, served: Served, arrivedAt: number, pausedMs: number): void;
  /** A caller has something to say; before anything is sent. */
  meant(sent: Sent): void;
};

/** Longer than the slowest doubt takes to end once nothing goes wrong any more. */
const TRIES_MOST = 60;
const WAY_MS = [0.1, 20] as const;
const REVERSIBLE: ReadonlySet<string> = new Set(['Purchase', 'Withdraw', 'LoadFund', 'TransferFund']);

type Heard = { readonly status: number; readonly code: string };

export class Callers {
  readonly #world: World;
  readonly #front: Front;
  readonly #pen: Pen;
  #telling = 0;
  #calls = 0;

  constructor(world: World, front: Front) {
    this.#world = world;
    this.#front = front;
    this.#pen = new Pen(world);
  }

  /** Stories that have not come to their end. */
  get busy(): number {
    return this.#telling;
  }

  begin(): void {
    const { transactions, actOneMs } = this.#world.options;
    const chance = this.#world.chance('stories');
    for (let i = 0; i < transactions; i += 1) {
      const at = chance.between(0, actOneMs);
      this.#telling += 1;
      this.#world.time.after(at, () => void this.#story().finally(() => this.#ended()));
    }
  }

  /** A good transaction that must go through; true once it is approved. */
  async probe(gateway: number, card: string, forMs: number): Promise<boolean> {
    const { time } = this.#world;
    for (const until = time.now + forMs; time.now < until; ) {
      const sent = this.#pen.naming('CreditAdjustment', this.#pen.first('Purchase'), {
        ...{ cardToken: card, tranAmount: '0.01', memo: 'probe', originalTranId: undefined },
      });
      const heard = await this.#ask(sent, gateway);
      if (heard?.code === '00') return true;
      await time.sleep(100);
    }
    return false;
  }

  #ended(): void {
    this.#telling -= 1;
  }

  async #story(): Promise<void> {
    const first = this.#pen.first(this.#world.chance('stories').weighted(FIRSTS));
    const { name } = first.row;
    const isEarly = REVERSIBLE.has(name) && this.#world.fault('reversedEarly');
    const [heard] = await Promise.all([this.#insist(first), isEarly ? this.#reverse(first, true) : undefined]);
    const isMoney = first.body.tranAmount !== undefined;
    if (name === 'BlockFund') await this.#afterHold(first);
    else if (name === 'Purchase' && this.#world.chance('stories').hits(0.3)) await this.#refund(first);
    if (!isMoney || isEarly) return;
    const wantsItBack = heard?.code !== '91' && this.#world.fault('reversed');
    if (wantsItBack && (REVERSIBLE.has(name) || this.#world.fault('reversedWrongly')))
      await this.#reverse(first, false);
  }

  async #reverse(original: Sent, early: boolean): Promise<void> {
    const chance = this.#world.chance('reversals');
    if (early) await this.#world.time.sleep(chance.skewed(0.1, 2 * this.#world.options.budgetMs));
    const wrong = this.#world.fault('reversedWrongly');
    const changes = wrong ? chance.pick([{ tranAmount: '999999.99' }, { cardToken: 'card-of-another' }]) : {};
    const first = this.#pen.naming('Reversal', original, changes);
    const second = chance.hits(0.2) ? this.#pen.naming('Reversal', original) : undefined;
    const stranger = this.#world.fault('byAnother')
      ? this.#pen.byAnother(this.#pen.naming('Reversal', original))
      : undefined;
    await Promise.all([first, second, stranger].map(each => each && this.#insist(each)));
  }

  /** Completed, added to, released in part, in full or twice at once, or forgotten. */
  async #afterHold(hold: Sent): Promise<void> {
    const chance = this.#world.chance('holds');
    if (chance.hits(0.3)) await this.#insist(this.#pen.naming('BlockFund', hold, { tranAmount: '1.00' }));
    const half = textOf(minorOf(hold.body.tranAmount) / 2n + 1n);
    const all = { tranAmount: undefined, tranCurrency: undefined };
    const next = {
      complete: () => [this.#pen.naming('Purchase', hold)],
      completeLess: () => [this.#pen.naming('Purchase', hold, { tranAmount: half })],
      release: () => [this.#pen.naming('UnblockFund', hold, all)],
      releaseHalves: () => [1, 2].map(() => this.#pen.naming('UnblockFund', hold, { tranAmount: half })),
      race: () => [this.#pen.naming('Purchase', hold), this.#pen.naming('UnblockFund', hold, all)],
      nothing: () => [],
    } as const;
    const kind = chance.weighted({ complete: 3, completeLess: 1, release: 2, releaseHalves: 2, race: 2, nothing: 2 });
    const messages = next[kind]();
    await Promise.all(messages.map(each => this.#insist(each)));
    const [completion] = messages;
    if (completion?.row.name === 'Purchase' && chance.hits(0.3)) await this.#reverse(completion, false);
  }

  async #refund(purchase: Sent): Promise<void> {
    const half = textOf(minorOf(purchase.body.tranAmount) / 2n + 1n);
    const refunds = [1, 2].map(() => this.#pen.naming('Refund', purchase, { tranAmount: half }));
    await Promise.all(refunds.map(each => this.#insist(each)));
  }

  /** Sends until there is a final answer, or until this caller gives up. */
  async #insist(sent: Sent): Promise<Heard | undefined> {
    const world = this.#world;
    const chance = world.chance('patience');
    this.#front.meant(sent);
    const tries = world.fault('givesUp') ? chance.whole(1, 3) : TRIES_MOST;
    if (world.fault('twins')) this.#aside([sent, sent, sent].slice(0, chance.whole(1, 3)));
    if (sent.body.tranAmount !== undefined && world.fault('altered')) this.#aside([this.#pen.altered(sent)]);
    if (world.options.clients > 1 && world.fault('byAnother')) this.#aside([this.#pen.byAnother(sent)]);
    for (let tried = 0; tried < tries; tried += 1) {
      const heard = await this.#ask(sent, chance.whole(0, world.options.gateways - 1));
      if (heard && heard.status !== 503 && heard.code !== '09') return heard;
      await world.time.sleep(chance.skewed(5, Math.min(200 * 2 ** tried, 10_000)));
    }
    world.sometimes('a caller never learns the outcome');
    return undefined;
  }

  /** Sent on the side, at about the same time or later; nobody waits for an answer. */
  #aside(messages: readonly Sent[]): void {
    const chance = this.#world.chance('aside');
    for (const sent of messages) {
      this.#front.meant(sent);
      this.#telling += 1;
      this.#world.time.after(chance.skewed(0.1, 5000), () => {
        const asked = this.#ask(sent, chance.whole(0, this.#world.options.gateways - 1));
        void asked.finally(() => this.#ended());
      });
    }
  }

  /** One call over the network. Undefined where the caller hears nothing in time. */
  #ask(sent: Sent, to: number): Promise<Heard | undefined> {
    const world = this.#world;
    const { promise, resolve } = Promise.withResolvers<Heard | undefined>();
    const chance = world.chance('caller way');
    world.time.after(world.options.budgetMs + chance.skewed(300, 3000), () => resolve(undefined));
    if (world.fault('requestLost')) return promise;
    const arrive = () => this.#arrive(sent, to, resolve);
    world.time.after(chance.skewed(...WAY_MS), arrive);
    if (world.fault('requestTwice')) world.time.after(chance.skewed(1, 3000), arrive);
    return promise;
  }

  #arrive(sent: Sent, to: number, resolve: (heard: Heard | undefined) => void): void {
    const world = this.#world;
    const gateway = this.#front.gateways()[to];
    if (!gateway?.process.alive) {
      resolve(undefined);
      return;
    }
    const { process } = gateway;
    this.#calls += 1;
    const id = `call-${this.#calls}`;
    // Even a process that stands still has a socket that takes the call in.
    process.deliver(0, () => {
      const [arrivedAt, paused] = [world.time.now, process.pausedMs];
      this.#front.arrived(gateway, sent);
      world.note(process.name, `${id}: ${sent.row.name} ${sent.body.tranId} of client ${sent.client}`);
      const call = { row: sent.row, client: sent.client, body: sent.bytes, id };
      gateway.waiting.add(call);
      void gateway.serve(call, served => {
        gateway.waiting.delete(call);
        const { status, code } = served.answer;
        world.note(process.name, `${id}: told ${status} ${code}${served.answer.replayed ? ' again' : ''}`);
        this.#front.told(gateway, sent, served, arrivedAt, process.pausedMs - paused);
        if (world.fault('answerLost')) return;
        world.time.after(world.chance('caller way').skewed(...WAY_MS), () => resolve({ status, code }));
      });
    });
  }
}
