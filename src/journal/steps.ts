/**
 * How the journey and the deliveries use the journal: the same few loops for both. A call whose reply was lost is made
 * again under its own `writeId` until the deadline, and a move that lost a race is decided anew on what is there now.
 */
import { AMNESIA_MINUTES_DEFAULT, MINUTE_MS } from '../config/limits.ts';
import type { Draft, Entry } from '../domain/entry.ts';
import { filingOf } from '../domain/filing.ts';
import type { EntryKey } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Deadline } from '../runtime/deadline.ts';
import type { Random } from '../runtime/random.ts';
import type { Found, Journal, Reply } from './journal.ts';
import { Remembered } from './remembered.ts';

/** An entry in our hands, and when the journal's clock stood where. */
export type Held = { readonly entry: Entry; readonly now: number; readonly heldAt: number };

export type ClaimResult =
  /** `isReplicated` is false where replicas were to have it and did not confirm that in time. */
  | { readonly kind: 'fresh' | 'exists'; readonly held: Held; readonly isReplicated: boolean }
  /** Nothing was written: the store has lost data, and takes no new money there for a while. */
  | { readonly kind: 'amnesia' }
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
/** Quick enough to be done before leases end, few enough to leave the journal to the journey. */
const RESTORED_AT_ONCE = 16;

export class Steps {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #remembered: Remembered;
  /** Losses of the store that the two lists are about. */
  #restoredFor = 0;
  #unwritten: readonly Entry[] = [];
  #unfollowed: readonly Entry[] = [];

  /** `rememberMs` is how long what was written is remembered, in case the store loses it. */
  constructor(journal: Journal, clock: Clock, random: Random, rememberMs = AMNESIA_MINUTES_DEFAULT * MINUTE_MS) {
    this.#journal = journal;
    this.#clock = clock;
    this.#random = random;
    this.#remembered = new Remembered(clock, rememberMs);
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
    if (reply.kind !== 'done') return reply;
    const { value } = reply;
    if (value.kind === 'amnesia') return value;
    if (value.kind === 'fresh') this.#remembered.note(value.entry);
    else this.#remembered.learn(value.entry);
    const isReplicated = value.kind === 'exists' || value.isReplicated !== false;
    return { kind: value.kind, held: this.hold(value), isReplicated };
  }

  /** The entry; null where there is none; undefined where the journal did not tell in time. */
  async read(key: EntryKey, deadline: Deadline): Promise<Held | null | undefined> {
    const reply = await this.#insist(() => this.#journal.read(key), deadline, 'stopWhenAway');
    if (reply.kind !== 'done') return undefined;
    const { entry, now } = reply.value;
    if (entry) this.#remembered.learn(entry);
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
      if (reply.value.kind === 'moved') return this.#moved({ ...present, entry: to });
      const { entry, now } = reply.value;
      if (!entry && !filingOf(from).expires) return this.#writeAnew({ ...present, entry: to }, deadline);
      // Lost and claimed anew it is another one, of whose owner and fence we know nothing.
      if (entry?.claimedAt !== from.claimedAt) return { kind: 'gone' };
      this.#remembered.learn(entry);
      present = this.hold({ entry, now });
    }
    return { kind: 'unsure' };
  }

  /** One move decided once: undefined where somebody else was first, or where nobody can tell. */
  async moveOnce(held: Held, to: Entry, deadline: Deadline): Promise<Held | undefined> {
    const writeId = this.#random.id();
    const reply = await this.#insist(() => this.#journal.move(held.entry, to, writeId), deadline, 'goOnWhenAway');
    if (reply.kind !== 'done' || reply.value.kind !== 'moved') return undefined;
    this.#remembered.note(to);
    return { ...held, entry: to };
  }

  /**
   * Writes again what the store has lost of what this process wrote or told lately, and then has `follow` renew what each
   * of it did to other entries. `nothing` was lost since the last time; or what was lost is `restored`; or it is
   * `incomplete`, because the store or `follow` failed: what is left is tried when this is called again. To be called several
   * times a second.
   *
   * Rejects where an entry cannot be read or opened at all. It is given up then, and the others are not kept from going on.
   */
  async restoreLost(follow: (entry: Entry) => Promise<boolean>): Promise<'nothing' | 'restored' | 'incomplete'> {
    const { losses } = this.#journal.amnesia();
    this.#remembered.tick(this.#journal.isUp());
    if (losses !== this.#restoredFor) {
      this.#restoredFor = losses;
      const recent = this.#remembered.recent();
      // What is left of the time before may be remembered no more.
      this.#unwritten = [...new Set([...this.#unwritten, ...recent])];
      this.#unfollowed = [...new Set([...this.#unfollowed, ...recent])];
    }
    if (this.#unfollowed.length === 0) return 'nothing';
    const written = await tried(this.#unwritten, async entry => (await this.#journal.restore(entry)).kind === 'done');
    this.#unwritten = written.failed;
    if (written.defects.length > 0) throw written.defects[0];
    if (this.#unwritten.length === 0) {
      const followed = await tried(this.#unfollowed, follow);
      this.#unfollowed = followed.failed;
      if (followed.defects.length > 0) throw followed.defects[0];
    }
    return this.#unfollowed.length === 0 ? 'restored' : 'incomplete';
  }

  #moved(held: Held): MoveResult {
    this.#remembered.note(held.entry);
    return { kind: 'done', moved: true, held };
  }

  /** The entry is gone though it never expires: the store has lost it. What became of it is written all the same. */
  async #writeAnew(held: Held, deadline: Deadline): Promise<MoveResult> {
    const reply = await this.#insist(() => this.#journal.restore(held.entry), deadline, 'goOnWhenAway');
    if (reply.kind !== 'done') return { kind: 'unsure' };
    return reply.value === 'restored' ? this.#moved(held) : { kind: 'gone' };
  }

  /**
   * Calls until there is an answer or the time is up; when it is up already nothing is begun. The first `away` ends it
   * where nothing has left us yet and the caller can be told so; once something may have been written only an answer tells.
   */
  async #insist<T>(
    call: () => Promise<Reply<T>>,
    deadline: Deadline,
    whenAway: 'stopWhenAway' | 'goOnWhenAway',
  ): Promise<Reply<T>> {
    let unsure = false;
    if (deadline.leftMs() === 0) return { kind: 'away' };
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

type Tried = { readonly failed: readonly Entry[]; readonly defects: readonly unknown[] };

/** Those for which the work was not done, and why it cannot be done for others; a few at a time. */
async function tried(entries: readonly Entry[], work: (entry: Entry) => Promise<boolean>): Promise<Tried> {
  const queue = entries.values();
  const failed: Entry[] = [];
  const defects: unknown[] = [];
  const worker = async () => {
    for (const entry of queue) {
      const isDone = await work(entry).catch(error => defects.push(error) > 0);
      if (!isDone) failed.push(entry);
    }
  };
  await Promise.all(Array.from({ length: RESTORED_AT_ONCE }, worker));
  return { failed, defects };
}
