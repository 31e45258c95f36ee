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
import type { Span } from '../runtime/clock.ts';

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
  /**
   * This call wrote the entry; `claims` is how many claims or more of its shard were counted, which never goes back.
   * `isReplicated` is false where fewer replicas have it than the journal was told to wait for.
   */
  | {
      readonly kind: 'fresh';
      readonly entry: Entry;
      readonly now: number;
      readonly claims: number;
      readonly isReplicated?: boolean;
    }
  | { readonly kind: 'exists'; readonly entry: Entry; readonly now: number }
  /** Nothing was written: the store has lost data, and its shard takes no new money until `untilMs`, by its own clock. */
  | { readonly kind: 'amnesia'; readonly now: number; readonly untilMs: number };

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

/**
 * A line of what is revoked, and of what was lifted again. A journal keeps lines as they are, and takes none away before
 * its time; `revoked.ts` says what is in an `id` and what all lines mean together.
 */
export type Revocation = {
  readonly kind: RevocationKind;
  readonly id: string;
  /** Milliseconds since 1970, by our own clock. */
  readonly untilMs: number;
};
export const REVOCATION_KINDS = ['client', 'tokens', 'jti', 'lifted'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/**
 * How many revocations are kept. Every gateway reads all of them several times a second; whoever needs more has lost a
 * signing key, and takes that away instead.
 */
export const REVOCATIONS_MOST = 10_000;

/** There are `REVOCATIONS_MOST` revocations already, and this one was not added. */
export class RevocationsFull extends Error {
  constructor() {
    super(
      `there are ${REVOCATIONS_MOST} revocations already, and no more are kept: revoke the client instead of its tokens, remove it from the configuration, or replace the signing key`,
    );
    this.name = 'RevocationsFull';
  }
}

/** What an operator last said of the whole site: where its callers are sent, or null, it works. And when that was. */
export type Standby = {
  readonly location: string | null;
  /** Milliseconds since 1970, on the journal's clock. */
  readonly sinceMs: number;
};

/** What this process knows of data that the store has lost. */
export type Amnesia = {
  /**
   * Rises with every loss that this process notices, and with every switch to another server, where something may be lost
   * that it has read and told: then what it remembers is to be restored.
   */
  readonly losses: number;
  /** How many shards take no new money now because of one. */
  readonly shards: number;
  /** How many writes were not confirmed by replicas in time. */
  readonly unconfirmed: number;
};

/** What the entries that are claimed or owed cannot be finished without: keys by name (`Vault.keyOf`), and issuers. */
export type Needs = { readonly keys: ReadonlySet<string>; readonly issuers: ReadonlySet<IssuerId> };

/** How many entries of a lane are asked for. */
export type LaneLimit = { readonly lane: Lane; readonly limit: number };

export interface Journal {
  /**
   * Writes the first version of an entry if its key has none, in one atomic step, durable before it returns; else
   * gives the entry that is there. With the `writeId` that wrote the present first version it is `fresh` again.
   * While the store has amnesia no entry that moves money is written (`movesMoney`); all others are.
   */
  claim(draft: Draft, writeId: string): Promise<Reply<Claimed>>;
  read(key: EntryKey): Promise<Reply<{ readonly entry: Entry | null; readonly now: number }>>;
  /**
   * Writes `to` over `from`, if `from.version` is still the present one, in one atomic step, durable before it returns.
   * With the `writeId` that wrote `to.version` it is `moved` again. Throws where the move is in no row of the table.
   */
  move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>>;
  /**
   * Writes an entry again that the store has lost: as it is, where its key has none or an older version of it. What is
   * there otherwise stays. For entries that were written before; durable before it returns.
   */
  restore(entry: Entry): Promise<Reply<'restored' | 'there'>>;
  /** What is known of lost data, without asking: claims, moves and `due` notice it. */
  amnesia(): Amnesia;
  /** Entries whose time has come, oldest first, at most `limit` for each lane. Takes nothing: moving them does. */
  due(lanes: readonly LaneLimit[]): Promise<Reply<readonly Found[]>>;
  owed(): Promise<Reply<OwedSummary>>;
  /**
   * Remembers a name until the end of the span in which it may be taken, or somewhat longer, in one atomic step, durable
   * before it returns. `first` for one call only, whoever else asks. After `unsure` the name may have been taken, and nobody can tell by whom:
   * whatever depends on being first must not happen. That is the answer as well where the store has lost data since the
   * span began. Names begin with what they are for, and a slash.
   */
  once(name: string, span: Span): Promise<Reply<'first' | 'again'>>;
  /**
   * Adds to what is revoked, until `untilMs` (milliseconds since 1970) or somewhat longer, durable before it returns. Said
   * again it holds until the later of both times. Throws `RevocationsFull` where there are too many.
   */
  revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>>;
  /** All that is revoked now, at most `REVOCATIONS_MOST`. */
  revoked(): Promise<Reply<readonly Revocation[]>>;
  /**
   * Puts the whole site on standby, or with null back to work, durable before it returns; where `ifUnsaid`, only if the
   * journal knows of nothing that was said before.
   */
  setStandby(location: string | null, ifUnsaid?: boolean): Promise<Reply<void>>;
  /** Null where nothing was ever said: the site works. */
  standby(): Promise<Reply<Standby | null>>;

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
