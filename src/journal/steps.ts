/**
 * How the journey and the deliveries use the journal: the same few loops for both. A call whose reply was lost is made
 * again under its own `writeId` until the deadline, and a move that lost a race is decided anew on what is there now.
 */
import type { Draft, Entry } from '../domain/entry.ts';
import type { EntryKey } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import type { Random } from '../runtime/random.ts';
import type { Found, Journal, Reply } from './journal.ts';

/** An entry in our hands, and when the journal's clock stood where. */
export type Held = { readonly entry: Entry; readonly now: number; readonly heldAt: number };

export type ClaimResult =
  | { readonly kind: 'fresh' | 'exists'; readonly held: Held }
  /** Certainly nothing was written. */
  | { readonly kind: 'away' }
  /** It may have been written; its lease will end it. */
  | { readonly kind: 'unsure' };

export type MoveResult =
  /** The entry as it is now; `moved` tells whether this call changed it. */
  | { readonly kind: 'done'; readonly moved: boolean; readonly held: Held }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unsure' };

const RETRY_FIRST_MS = 10;
const RETRY_MOST_MS = 200;
/** An entry is moved by a handful of parties at the most; more lost races than this is a defect. */
const RACES_MOST = 32;

export class Steps {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(journal: Journal, clock: Clock, random: Random) {
    this.#journal = journal;
    this.#clock = clock;
    this.#random = random;
  }

  /** The journal's clock now, as far as this process can tell. */
  nowOf(held: Held): number {
    return Math.floor(held.now + this.#clock.monotonicMs() - held.heldAt);
  }

  hold(found: Found): Held {
    return { ...found, heldAt: this.#clock.monotonicMs() };
  }

  async claim(draft: Draft, deadline: Deadline): Promise<ClaimResult> {
    const writeId = this.#random.id();
    const reply = await this.#insist(() => this.#journal.claim(draft, writeId), deadline, 'stopWhenAway');
    return reply.kind === 'done' ? { kind: reply.value.kind, held: this.hold(reply.value) } : reply;
  }

  /** The entry; null where there is none; undefined where the journal did not tell in time. */
  async read(key: EntryKey, deadline: Deadline): Promise<Held | null | undefined> {
    const reply = await this.#insist(() => this.#journal.read(key), deadline, 'stopWhenAway');
    if (reply.kind !== 'done') return undefined;
    const { entry, now } = reply.value;
    return entry && this.hold({ entry, now });
  }

  /** Makes the move that `decide` wants; where it returns the entry itself nothing is written. */
  async move(held: Held, decide: (entry: Entry, now: number) => Entry, deadline: Deadline): Promise<MoveResult> {
    let present = held;
    for (let races = 0; races < RACES_MOST; races += 1) {
      const from = present.entry;
      const to = decide(from, this.nowOf(present));
      if (to === from) return { kind: 'done', moved: false, held: present };
      const writeId = this.#random.id();
      const reply = await this.#insist(() => this.#journal.move(from, to, writeId), deadline, 'goOnWhenAway');
      if (reply.kind !== 'done') return { kind: 'unsure' };
      if (reply.value.kind === 'moved') return { kind: 'done', moved: true, held: { ...present, entry: to } };
      if (!reply.value.entry) return { kind: 'gone' };
      present = this.hold({ entry: reply.value.entry, now: reply.value.now });
    }
    return { kind: 'unsure' };
  }

  /** One move decided once: undefined where somebody else was first, or where nobody can tell. */
  async moveOnce(held: Held, to: Entry, deadline: Deadline): Promise<Held | undefined> {
    const writeId = this.#random.id();
    const reply = await this.#insist(() => this.#journal.move(held.entry, to, writeId), deadline, 'goOnWhenAway');
    return reply.kind === 'done' && reply.value.kind === 'moved' ? { ...held, entry: to } : undefined;
  }

  /**
   * Calls until there is an answer or the time is up. The first `away` ends it where nothing has left us yet and the
   * caller can be told so; once something may have been written only an answer tells.
   */
  async #insist<T>(
    call: () => Promise<Reply<T>>,
    deadline: Deadline,
    whenAway: 'stopWhenAway' | 'goOnWhenAway',
  ): Promise<Reply<T>> {
    let unsure = false;
    for (let pause = RETRY_FIRST_MS; ; pause = Math.min(pause * 2, RETRY_MOST_MS)) {
      const reply = await call();
      if (reply.kind === 'done') return reply;
      if (reply.kind === 'unsure') unsure = true;
      else if (!unsure && whenAway === 'stopWhenAway') return reply;
      if (deadline.leftMs() <= pause) return unsure ? { kind: 'unsure' } : reply;
      await this.#clock.sleep(pause);
    }
  }
}
