/**
 * The journal: the durable record of every call, and the only place that decides who owns one. This is the port;
 * `redis.ts` and `sqlite.ts` implement it, and one suite (`test/contract/journal`) runs both. A journal stores
 * versions of entries; which moves there are is `domain/entry`'s business, and a journal refuses any other.
 */
import type { Draft, Entry, Sealed } from '../domain/entry.ts';
import type { Lane } from '../domain/filing.ts';
import type { ApiName, EntryKey, IssuerId } from '../domain/ids.ts';
import type { Header, Message, WireFields } from '../domain/message.ts';
import type { IssuerAnswer } from '../domain/outcome.ts';

/**
 * Every call has three outcomes. `away`: the request certainly never left this process. `unsure`: it may have been
 * carried out; calling again with the same `writeId` is safe and tells.
 */
export type Reply<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'away' }
  | { readonly kind: 'unsure' };

/** An entry as found, with the journal's clock at that moment (milliseconds since 1970). */
export type Found = { readonly entry: Entry; readonly now: number };

export type Claimed =
  /** This call wrote the entry; `claims` is how many claims its shard has counted, which never goes back. */
  | { readonly kind: 'fresh'; readonly entry: Entry; readonly now: number; readonly claims: number }
  | { readonly kind: 'exists'; readonly entry: Entry; readonly now: number };

export type Moved =
  | { readonly kind: 'moved' }
  /** Somebody else moved it first; the entry as it is now, null where it is gone. */
  | { readonly kind: 'lost'; readonly entry: Entry | null; readonly now: number };

/** What is open in the whole journal, for the metrics and for refusing to drop what is still needed. */
export type OwedSummary = {
  readonly doubts: number;
  readonly due: number;
  readonly parked: number;
  /** Age in milliseconds of the oldest obligation, 0 with none. */
  readonly oldestAgeMs: number;
  /** Minor units in doubt by ISO 4217 numeric currency. */
  readonly money: ReadonlyMap<string, bigint>;
  readonly byIssuer: ReadonlyMap<IssuerId, number>;
};

/** What the entries that are claimed or owed cannot be finished without: keys by name (`Vault.keyOf`), and issuers. */
export type Needs = { readonly keys: ReadonlySet<string>; readonly issuers: ReadonlySet<IssuerId> };

export interface Journal {
  /**
   * Writes the first version of an entry if its key has none, in one atomic step, durable before it returns; else
   * gives the entry that is there. With the `writeId` that wrote the present first version it is `fresh` again.
   */
  claim(draft: Draft, writeId: string): Promise<Reply<Claimed>>;
  read(key: EntryKey): Promise<Reply<{ readonly entry: Entry | null; readonly now: number }>>;
  /**
   * Writes `to` over `from`, if `from.version` is still the present one, in one atomic step, durable before it returns.
   * With the `writeId` that wrote `to.version` it is `moved` again. Throws where the move is in no row of the table.
   */
  move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>>;
  /** Entries whose time has come, oldest first, at most `limit` for each lane. Takes nothing: moving them does. */
  due(lanes: readonly { readonly lane: Lane; readonly limit: number }[]): Promise<Reply<readonly Found[]>>;
  owed(): Promise<Reply<OwedSummary>>;
  /** For start and reload, not for the journey. */
  needs(): Promise<Reply<Needs>>;
  /** Whether a call now has a chance. */
  isUp(): boolean;
  close(): Promise<void>;
}

/** A message as the journal keeps it: without `sad` fields. */
export type StoredMessage = { readonly api: ApiName; readonly header: Header; readonly fields: WireFields };

/** Seals what the journal keeps, and opens it again. Each text is bound to its entry and its kind. */
export interface Vault {
  sealMessage(key: EntryKey, message: Message): Sealed;
  openMessage(key: EntryKey, sealed: Sealed): StoredMessage;
  sealAnswer(key: EntryKey, answer: IssuerAnswer): Sealed;
  openAnswer(key: EntryKey, sealed: Sealed): IssuerAnswer;
  /** The name of the key that sealed the text. */
  keyOf(sealed: Sealed): string;
  /** The names of the keys that this vault can open. */
  keyNames(): ReadonlySet<string>;
}
