/**
 * The way between one gateway and its store: requests and replies that are late or lost, calls that are sent twice, a
 * store that is away, read-only or slow. What the store did is told to the oracle at the moment it is done, whatever the
 * gateway hears of it.
 */
import { type Entry, placeOf } from '../../src/domain/entry.ts';
import type { EntryKey } from '../../src/domain/ids.ts';
import type { Claimed, Moved, Reply } from '../../src/journal/journal.ts';
import { COMMAND_TIMEOUT_MS } from '../../src/journal/redisConnect.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** The state of the store that all gateways share. */
export type StoreState = {
  /** `silent`: it is there and says nothing. `readOnly`: it refuses whatever the journal asks, reads too. */
  mode: 'up' | 'away' | 'silent' | 'readOnly';
  /** Added to every reply. */
  slowMs: number;
  /** Which server it is: what is under way to one that was replaced ends with it. */
  generation: number;
};

/** Hears what the store has done, before the gateway does. */
export type StoreObserver = {
  claimed(key: EntryKey, kind: Claimed['kind'], entry: Entry | undefined): void;
  moved(from: Entry, to: Entry, reply: Moved): void;
  restored(entry: Entry): void;
  amnesia(kind: 'lost' | 'known' | 'kept'): void;
  /** Another server holds the shard since moments ago. */
  refused(what: 'claim' | 'takeover'): void;
};

export type Line = {
  ask<T>(what: string, work: () => Promise<Reply<T>>): Promise<Reply<T>>;
  isUp(): boolean;
  /** What a move is called in the trace. */
  nameOf(from: Entry, to: Entry): string;
};

const AWAY = { kind: 'away' } as const;
const UNSURE = { kind: 'unsure' } as const;
/** After this no call of before is carried out any more. */
export const STORE_LATE_MOST_MS = 8000;
/** One way, most of the time and at the most. */
const WAY_MS = [0.05, 3] as const;

/** For the trace. */
export const moveName = (from: Entry, to: Entry): string =>
  `move ${from.key.tranId} v${from.version} ${placeOf(from)} > v${to.version} ${placeOf(to)}`;

export class StoreLine implements Line {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #state: StoreState;

  constructor(world: World, process: SimProcess, state: StoreState) {
    this.#world = world;
    this.#process = process;
    this.#state = state;
  }

  isUp(): boolean {
    return this.#state.mode !== 'away';
  }

  nameOf(from: Entry, to: Entry): string {
    return moveName(from, to);
  }

  ask<T>(what: string, work: () => Promise<Reply<T>>): Promise<Reply<T>> {
    return this.#world.healed && what === 'due' ? this.#askQuickly(work) : this.#ask(what, work);
  }

  /** As one event, for what is asked several times a second while nothing goes wrong any more. */
  #askQuickly<T>(work: () => Promise<Reply<T>>): Promise<Reply<T>> {
    const { promise, resolve } = Promise.withResolvers<Reply<T>>();
    this.#process.deliver(this.#world.chance('journal way').skewed(...WAY_MS), () => void work().then(resolve));
    return promise;
  }

  async #ask<T>(what: string, work: () => Promise<Reply<T>>): Promise<Reply<T>> {
    const { promise, resolve } = Promise.withResolvers<Reply<T>>();
    if (this.#state.mode === 'away' || this.#world.fault('journalAway')) {
      if (what !== 'due') this.#world.note(this.#process.name, `journal away: ${what}`);
      this.#process.deliver(0, () => resolve(AWAY));
      return promise;
    }
    const giveUp = this.#process.deliver(COMMAND_TIMEOUT_MS, () => {
      this.#world.sometimes('journal silent');
      this.#world.note(this.#process.name, `journal silent: ${what}`);
      resolve(UNSURE);
    });
    this.#send(what, work, reply => {
      giveUp();
      resolve(reply);
    });
    return promise;
  }

  #send<T>(what: string, work: () => Promise<Reply<T>>, answer: (reply: Reply<T>) => void): void {
    const world = this.#world;
    const chance = world.chance('journal way');
    const way = () => chance.skewed(...WAY_MS);
    if (world.fault('journalRequestLost')) return;
    // Longer than anybody waits: done all the same, by a server that nobody listens to any more.
    const late = world.fault('journalLate') ? chance.skewed(COMMAND_TIMEOUT_MS / 2, STORE_LATE_MOST_MS - 1000) : 0;
    const { generation } = this.#state;
    const arrive = async () => {
      if (this.#state.generation !== generation) return;
      if (this.#state.mode === 'silent' || this.#state.mode === 'away') return;
      const reply: Reply<T> = this.#state.mode === 'readOnly' ? AWAY : await work();
      if (what !== 'due') world.note('journal', `${what} for ${this.#process.name}: ${said(reply)}`);
      if (world.fault('journalReplyLost')) return;
      this.#process.deliver(way() + this.#state.slowMs, () => answer(reply));
    };
    world.time.after(way() + late, () => void arrive());
    // What a client sends again after a reconnect, under the same writeId.
    if (world.fault('journalTwice')) world.time.after(way() + late + chance.skewed(1, 500), () => void arrive());
  }
}

const said = (reply: Reply<unknown>): string =>
  reply.kind === 'done' && typeof reply.value === 'object' && reply.value !== null && 'kind' in reply.value
    ? String(reply.value.kind)
    : reply.kind;
