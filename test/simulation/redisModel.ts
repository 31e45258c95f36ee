/**
 * Redis servers as the journal sees them, with the ways in which they lose data: what a replica had not received when it
 * was promoted, everything when somebody flushes it, the last minutes when a backup is restored. Each public method is
 * one script: it is done at once or not at all.
 */
import { born, type Draft, type Entry, isOlder, isTakeover, movesMoney } from '../../src/domain/entry.ts';
import { type Filing, filingOf, type Lane } from '../../src/domain/filing.ts';
import { type EntryKey, keyText } from '../../src/domain/ids.ts';
import type { Moved, Standby } from '../../src/journal/journal.ts';
import { headOf } from '../../src/journal/record.ts';
import type { Seen } from '../../src/journal/redisAmnesia.ts';
import { SHARD_COUNT, shardOf } from '../../src/journal/redisKeys.ts';
import { CALM_MS } from '../../src/journal/redisServers.ts';

export type Stored = {
  readonly entry: Entry;
  readonly writeId: string;
  readonly expiresAt: number;
  readonly wake: Filing['wake'];
};
export type Mark = 'once' | 'revoked';
export type Shard = {
  readonly writes: number;
  readonly epoch: string;
  readonly lost: readonly string[];
  readonly until: number;
  /** The life of the server in which the epoch began. */
  readonly server: number;
  /** Epochs before, and how many writes there were at their ends. */
  readonly past: Readonly<Record<string, number>>;
  /** Until when no money is begun. */
  readonly calm: number;
  /** Until when no claim is taken over. */
  readonly held: number;
};

/** One write, and how it never was. `key` is null where it was not about an entry. */
type Write = { readonly at: number; readonly key: EntryKey | null; readonly undo: () => void };

export type ScriptClaimed =
  | {
      readonly kind: 'fresh';
      readonly entry: Entry;
      readonly now: number;
      readonly writes: number;
      readonly epoch: string;
    }
  | { readonly kind: 'exists'; readonly entry: Entry; readonly now: number }
  /** `until` is 0 where the caller misses what it has seen, and has to ask. */
  | { readonly kind: 'amnesia'; readonly now: number; readonly until: number }
  | { readonly kind: 'calm'; readonly now: number };

type ScriptMoved = (Moved & { readonly writes: number; readonly epoch: string }) | { readonly kind: 'held' };

const EMPTY: Shard = { writes: 0, epoch: '', lost: [], until: 0, server: 0, past: {}, calm: 0, held: 0 };

export class RedisModel {
  readonly #trueNow: () => number;
  #retentionMs: number;
  readonly #entries = new Map<string, Stored>();
  readonly #shards: Shard[] = Array.from({ length: SHARD_COUNT }, () => EMPTY);
  readonly #marks = { once: new Map<string, number>(), revoked: new Map<string, number>() };
  #standby: Standby | null = null;
  #log: Write[] = [];
  /** Every server that takes over, and every start, is another life. */
  #life = 0;
  /** How far this server's clock is from the true one. */
  #aheadMs = 0;

  constructor(trueNow: () => number, retentionMs: number) {
    this.#trueNow = trueNow;
    this.#retentionMs = retentionMs;
  }

  /** The same servers, which from now on keep what they are told for so long. */
  with(retentionMs: number): this {
    this.#retentionMs = retentionMs;
    return this;
  }

  get now(): number {
    return Math.floor(this.#trueNow() + this.#aheadMs);
  }

  find(name: string): Stored | undefined {
    const stored = this.#entries.get(name);
    return stored && stored.expiresAt > this.now ? stored : undefined;
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()].flatMap(({ entry, expiresAt }) => (expiresAt > this.now ? [entry] : []));
  }

  /** The first of each lane whose time has come, in the order in which it came. */
  due(lanes: readonly { readonly lane: Lane; readonly limit: number }[]): readonly Entry[] {
    const { now } = this;
    const waiting: { readonly entry: Entry; readonly lane: Lane; readonly at: number }[] = [];
    for (const { entry, expiresAt, wake } of this.#entries.values()) {
      if (wake && wake.at <= now && expiresAt > now) waiting.push({ entry, ...wake });
    }
    waiting.sort((a, b) => a.at - b.at);
    const chosen = lanes.flatMap(({ lane, limit }) => waiting.filter(each => each.lane === lane).slice(0, limit));
    return chosen.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
  }

  /** As it is stored, or once the epoch of this life of the server has begun. */
  shard(number: number): Shard {
    const stored = this.#shards[number] ?? EMPTY;
    if (stored.epoch === '' || stored.server === this.#life) return stored;
    const { writes, epoch, past } = stored;
    const begun = { epoch: `life-${this.#life}-${number}-${this.now}`, server: this.#life };
    const over = { calm: this.now + CALM_MS, held: this.now + CALM_MS };
    const change = { ...begun, ...over, past: { ...past, [epoch]: writes } };
    this.#change(number, change, stored);
    return { ...stored, ...change };
  }

  /** Whether claims are held in the shard. */
  isHeld(number: number): boolean {
    return this.shard(number).held > this.now;
  }

  claim(draft: Draft, writeId: string, seen: Seen, epochToBegin: string): ScriptClaimed {
    const { now } = this;
    const number = shardOf(draft.key);
    const { writes, epoch, until, calm } = this.shard(number);
    const stored = this.find(keyText(draft.key));
    if (stored?.entry.version === 1 && stored.writeId === writeId) {
      return { kind: 'fresh', entry: stored.entry, now, writes, epoch };
    }
    if (stored) return { kind: 'exists', entry: stored.entry, now };
    if (writes < seen.writes || (seen.epoch !== '' && epoch !== seen.epoch)) return { kind: 'amnesia', now, until: 0 };
    if (until > now && movesMoney(draft)) return { kind: 'amnesia', now, until };
    if (calm > now && movesMoney(draft)) return { kind: 'calm', now };
    const entry = born(draft, now);
    this.#put(entry, writeId);
    this.#change(number, { writes: writes + 1, epoch: epoch || epochToBegin, server: this.#life });
    return { kind: 'fresh', entry, now, writes: writes + 1, epoch: epoch || epochToBegin };
  }

  move(from: Entry, to: Entry, writeId: string, seenEpoch: string): ScriptMoved {
    const number = shardOf(from.key);
    const stored = this.find(keyText(from.key));
    const { writes, epoch } = this.shard(number);
    if (stored?.entry.version === to.version && stored.writeId === writeId) return { kind: 'moved', writes, epoch };
    const isSame = stored?.entry.version === from.version && stored.entry.claimedAt === from.claimedAt;
    if (!isSame || headOf(stored.entry) !== headOf(from)) {
      return { kind: 'lost', entry: stored?.entry ?? null, now: this.now, writes, epoch };
    }
    if (isTakeover(from, to) && (epoch !== seenEpoch || this.isHeld(number))) return { kind: 'held' };
    // A move changes everything but the message, which stays as it was sealed at the claim.
    this.#put({ ...to, message: stored.entry.message }, writeId);
    this.#change(number, { writes: writes + 1 });
    return { kind: 'moved', writes: writes + 1, epoch };
  }

  restore(entry: Entry, writeId: string): 'restored' | 'there' {
    const present = this.find(keyText(entry.key))?.entry;
    if (present && !isOlder(present, entry)) return 'there';
    this.#put(entry, writeId);
    const number = shardOf(entry.key);
    this.#change(number, { writes: this.shard(number).writes + 1 });
    return 'restored';
  }

  /** Asked by whoever misses what it has seen. */
  amnesia(number: number, seen: Seen, epochToBegin: string, forMs: number): 'lost' | 'known' | 'kept' {
    const { writes, epoch, lost, past } = this.shard(number);
    const isOther = seen.epoch !== '' && epoch !== seen.epoch;
    if (isOther && lost.includes(seen.epoch)) return 'known';
    const had = isOther ? past[seen.epoch] : writes;
    if (had !== undefined && had >= seen.writes) return 'kept';
    const gone = [seen.epoch, isOther ? epoch : ''].filter(each => each !== '');
    const server = this.#life;
    const held = this.now + CALM_MS;
    this.#change(number, { epoch: epochToBegin, lost: [...lost, ...gone], until: this.now + forMs, server, held });
    return 'lost';
  }

  mark(kind: Mark, name: string, untilMs: number): void {
    const marks = this.#marks[kind];
    const before = marks.get(name);
    marks.set(name, untilMs);
    this.#note(null, () => put(marks, name, before));
  }

  /** The marks that still hold; the others are gone. */
  marks(kind: Mark): ReadonlyMap<string, number> {
    for (const [name, until] of this.#marks[kind]) if (until <= this.now) this.#marks[kind].delete(name);
    return this.#marks[kind];
  }

  get standby(): Standby | null {
    return this.#standby;
  }

  say(location: string | null): void {
    const before = this.#standby;
    this.#standby = { location, sinceMs: this.now };
    this.#note(null, () => {
      this.#standby = before;
    });
  }

  /** Another server takes over that lacks the last writes. Gives the keys of what is lost, one for each write. */
  failOver(lagMs: number, aheadMs: number): readonly EntryKey[] {
    const lost = this.#undoSince(this.#trueNow() - lagMs);
    this.#aheadMs = aheadMs;
    this.#life += 1;
    return lost;
  }

  /** A backup of that age is put in place. */
  putBack(ageMs: number): readonly EntryKey[] {
    this.#life += 1;
    return this.#undoSince(this.#trueNow() - ageMs);
  }

  flush(): readonly EntryKey[] {
    const lost = [...this.#entries.values()].map(({ entry }) => entry.key);
    this.#entries.clear();
    this.#shards.fill(EMPTY);
    for (const marks of Object.values(this.#marks)) marks.clear();
    this.#standby = null;
    this.#log = [];
    return lost;
  }

  /** Writes without comparing anything, for proving that it would be noticed. */
  overwrite(entry: Entry, writeId: string): void {
    this.#put(entry, writeId);
  }

  #put(entry: Entry, writeId: string): void {
    const name = keyText(entry.key);
    const before = this.#entries.get(name);
    const { wake, expires } = filingOf(entry);
    const expiresAt = expires ? this.now + this.#retentionMs : Number.POSITIVE_INFINITY;
    this.#entries.set(name, { entry, writeId, expiresAt, wake });
    this.#note(entry.key, () => put(this.#entries, name, before));
  }

  #change(number: number, change: Partial<Shard>, before = this.shard(number)): void {
    this.#shards[number] = { ...before, ...change };
    this.#note(null, () => {
      this.#shards[number] = before;
    });
  }

  #undoSince(at: number): readonly EntryKey[] {
    const lost: EntryKey[] = [];
    for (let last = this.#log.at(-1); last && last.at > at; last = this.#log.at(-1)) {
      last.undo();
      if (last.key) lost.push(last.key);
      this.#log.pop();
    }
    return lost;
  }

  #note(key: EntryKey | null, undo: () => void): void {
    this.#log.push({ at: this.#trueNow(), key, undo });
  }
}

function put<T>(into: Map<string, T>, name: string, value: T | undefined): void {
  if (value === undefined) into.delete(name);
  else into.set(name, value);
}
