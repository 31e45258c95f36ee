/**
 * An entry as both journals store it: a few fields that they compare and file by, and a `head` of JSON with the rest.
 * Times in the head count from the entry's claim, because only the journal's own clock knows when that is. A head
 * names its format, so that two versions of the gateway can share one journal while one replaces the other.
 */
import { isCurrencyCode } from '../domain/currencies.ts';
import type { Duty, DutyKind, Entry, ParkReason, Policy, Sealed, Standing, StoredAnswer } from '../domain/entry.ts';
import {
  type ApiName,
  type ClientId,
  type EntryKey,
  type IssuerId,
  keyText,
  type ParticipantId,
  type TranId,
} from '../domain/ids.ts';
import type { Money } from '../domain/money.ts';
import { isResponseCode } from '../domain/responseCode.ts';
import { JournalDefect } from './notice.ts';
import { keyNameOf } from './sealed.ts';

/** Raised when an older gateway could no longer read what we write. */
const FORMAT = 1;

export type StoredRecord = {
  readonly version: number;
  /** When the entry was claimed, on the journal's clock. */
  readonly at: number;
  readonly head: string;
  readonly message: string;
  /** The sealed answer; null where there is none, or where its code says it all. */
  readonly answer: string | null;
};

/** The key of an entry from its name (`keyText`): whatever stands before the first separator is the `tranId`. */
export function keyOfName(name: string): EntryKey {
  const end = name.indexOf('/');
  return { tranId: name.slice(0, end) as TranId, participantId: name.slice(end + 1) as ParticipantId };
}

/** The sealed part of the answer, which is stored beside the head. */
export function answerOf({ standing }: Entry): Sealed | null {
  return standing.at === 'doubt' || standing.at === 'settled' ? (standing.answer?.sealed ?? null) : null;
}

/** The head of the entry. Exact: `decode` gives the same entry again. */
export function headOf(entry: Entry): string {
  const { standing, duty, amount, claimedAt, late } = entry;
  return JSON.stringify({
    f: FORMAT,
    fence: entry.fence,
    client: entry.client,
    issuer: entry.issuer,
    api: entry.api,
    policy: entry.policy,
    sentUntil: entry.sentUntil - claimedAt,
    undoNo: entry.undoNo,
    amount: amount && { minor: amount.minor.toString(), currency: amount.currency },
    standing: headOfStanding(standing, claimedAt),
    duty: headOfDuty(duty, claimedAt),
    // Only where there is one: records from before it was known have none either (F73).
    ...(late && { late: { ...late, at: late.at - claimedAt } }),
  });
}

function headOfStanding(standing: Standing, claimedAt: number): object {
  switch (standing.at) {
    case 'claimed':
      return { ...standing, leaseUntil: standing.leaseUntil - claimedAt };
    case 'doubt':
    case 'settled':
      return { at: standing.at, code: standing.answer?.code ?? null };
    case 'tombstone':
      return standing;
  }
}

function headOfDuty(duty: Duty, claimedAt: number): object {
  switch (duty.is) {
    case 'due': {
      const { since, nextAt, triedAt } = duty;
      // 0 stands for "not tried", not for a time.
      const tried = triedAt === 0 ? null : triedAt - claimedAt;
      return { ...duty, since: since - claimedAt, nextAt: nextAt - claimedAt, triedAt: tried };
    }
    case 'parked':
      return { ...duty, since: duty.since - claimedAt };
    case 'none':
    case 'armed':
    case 'delivered':
      return duty;
  }
}

/**
 * The entry of a stored record.
 *
 * @throws JournalDefect where the record is not one that this version, or an older one, wrote.
 */
export function decode(key: EntryKey, record: StoredRecord): Entry {
  const head = new Fields(key, 'head', parseHead(key, record.head));
  if (head.count('f') !== FORMAT) throw defect(key, 'was written by a newer version of the gateway');
  const { at } = record;
  return {
    key,
    version: record.version,
    fence: head.count('fence'),
    client: head.text('client') as ClientId,
    issuer: head.text('issuer') as IssuerId,
    api: head.textOrNull('api') as ApiName | null,
    policy: head.oneOf('policy', POLICIES),
    claimedAt: at,
    sentUntil: at + head.time('sentUntil'),
    undoNo: head.count('undoNo'),
    amount: moneyOf(head.partOrNull('amount')),
    message: record.message as Sealed,
    standing: standingOf(head.part('standing'), at, record.answer as Sealed | null),
    duty: dutyOf(head.part('duty'), at),
    late: lateOf(head.partIfAny('late'), at),
  };
}

const POLICIES: readonly Policy[] = ['reverse', 'release', 'repeat', 'resend', 'undo'];
const STANDINGS: readonly Standing['at'][] = ['claimed', 'doubt', 'settled', 'tombstone'];
const DUTIES: readonly Duty['is'][] = ['none', 'armed', 'due', 'delivered', 'parked'];
const KINDS: readonly DutyKind[] = ['undo', 'repeat', 'follow'];
const PARK_REASONS: readonly ParkReason[] = ['declined', 'exhausted', 'repeatWindowOver'];
/** Longer than any amount that the wire can carry, short enough that no bigint gets slow. */
const DIGITS_MAX = 40;

function moneyOf(part: Fields | null): Money | null {
  if (!part) return null;
  const minor = part.text('minor');
  const currency = part.text('currency');
  if (minor.length > DIGITS_MAX || !/^-?[0-9]+$/.test(minor)) throw part.wrong('minor');
  if (!isCurrencyCode(currency)) throw part.wrong('currency');
  return { minor: BigInt(minor), currency };
}

function standingOf(part: Fields, claimedAt: number, sealed: Sealed | null): Standing {
  const at = part.oneOf('at', STANDINGS);
  switch (at) {
    case 'claimed':
      return { at, leaseUntil: claimedAt + part.time('leaseUntil'), marked: part.flag('marked') };
    case 'doubt':
      return { at, answer: storedAnswer(part, sealed) };
    case 'settled': {
      const answer = storedAnswer(part, sealed);
      if (!answer) throw part.wrong('code');
      return { at, answer };
    }
    case 'tombstone':
      return { at };
  }
}

function storedAnswer(part: Fields, sealed: Sealed | null): StoredAnswer | null {
  const code = part.textOrNull('code');
  if (code === null) return null;
  if (!isResponseCode(code)) throw part.wrong('code');
  return { code, sealed };
}

function lateOf(part: Fields | null, claimedAt: number): Entry['late'] {
  if (!part) return null;
  const code = part.text('code');
  if (!isResponseCode(code)) throw part.wrong('code');
  return { code, at: claimedAt + part.time('at') };
}

function dutyOf(part: Fields, claimedAt: number): Duty {
  const is = part.oneOf('is', DUTIES);
  switch (is) {
    case 'none':
    case 'armed':
      return { is };
    case 'due': {
      const triedAt = part.timeOrNull('triedAt');
      return {
        is,
        kind: part.oneOf('kind', KINDS),
        since: claimedAt + part.time('since'),
        nextAt: claimedAt + part.time('nextAt'),
        triedAt: triedAt === null ? 0 : claimedAt + triedAt,
        tries: part.count('tries'),
        triesOfId: part.count('triesOfId'),
        absentSeen: part.flag('absentSeen'),
      };
    }
    case 'delivered':
      return { is, kind: part.oneOf('kind', KINDS) };
    case 'parked':
      return {
        is,
        kind: part.oneOf('kind', KINDS),
        since: claimedAt + part.time('since'),
        why: part.oneOf('why', PARK_REASONS),
      };
  }
}

const defect = (key: EntryKey, what: string): JournalDefect =>
  new JournalDefect(`the journal's entry ${keyText(key)} ${what}`);

function parseHead(key: EntryKey, head: string): object {
  const parsed = objectIn(head);
  if (!parsed) throw defect(key, 'has no readable head');
  return parsed;
}

function objectIn(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    // The parser's own message would quote the text.
    return undefined;
  }
}

/** One JSON object of a head, read field by field; whatever is not of the expected form is a defect. */
class Fields {
  readonly #key: EntryKey;
  readonly #path: string;
  readonly #fields: { readonly [name: string]: unknown };

  constructor(key: EntryKey, path: string, fields: object) {
    this.#key = key;
    this.#path = path;
    this.#fields = fields as { readonly [name: string]: unknown };
  }

  /** Own fields alone: no name reaches a prototype. */
  #at(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  wrong(name: string): JournalDefect {
    return defect(this.#key, `has no valid ${this.#path}.${name}`);
  }

  text(name: string): string {
    const value = this.#at(name);
    if (typeof value !== 'string') throw this.wrong(name);
    return value;
  }

  textOrNull(name: string): string | null {
    return this.#at(name) === null ? null : this.text(name);
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T {
    const text = this.text(name);
    const found = known.find(each => each === text);
    if (found === undefined) throw this.wrong(name);
    return found;
  }

  flag(name: string): boolean {
    const value = this.#at(name);
    if (typeof value !== 'boolean') throw this.wrong(name);
    return value;
  }

  /** Milliseconds from the claim; negative where clocks of two primaries differed. */
  time(name: string): number {
    const value = this.#at(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.wrong(name);
    return value;
  }

  timeOrNull(name: string): number | null {
    return this.#at(name) === null ? null : this.time(name);
  }

  count(name: string): number {
    const value = this.time(name);
    if (value < 0) throw this.wrong(name);
    return value;
  }

  part(name: string): Fields {
    const value = this.#at(name);
    if (typeof value !== 'object' || value === null) throw this.wrong(name);
    return new Fields(this.#key, `${this.#path}.${name}`, value);
  }

  partOrNull(name: string): Fields | null {
    return this.#at(name) === null ? null : this.part(name);
  }

  /** Null where an older version knew of no such field. */
  partIfAny(name: string): Fields | null {
    return Object.hasOwn(this.#fields, name) ? this.part(name) : null;
  }
}

/** Gathers what stored records need to be finished. What is broken is reported where its entry is read. */
export class NeedsOfRecords {
  readonly keys = new Set<string>();
  readonly issuers = new Set<IssuerId>();

  add(head: unknown, ...sealed: readonly unknown[]): void {
    for (const text of sealed) {
      const name = typeof text === 'string' ? keyNameOf(text as Sealed) : undefined;
      if (name !== undefined) this.keys.add(name);
    }
    const parsed = typeof head === 'string' ? objectIn(head) : undefined;
    if (parsed && 'issuer' in parsed && typeof parsed.issuer === 'string') this.issuers.add(parsed.issuer as IssuerId);
  }
}
