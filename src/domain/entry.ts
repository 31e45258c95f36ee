/**
 * The life of one journal entry: its states, the legal moves between them, and the pure function that makes each move.
 * Both journals store entries and know nothing of this; everything that decides about doubt, undo and repeat is here.
 *
 * All times are milliseconds on the journal's clock, so that processes with different clocks agree on leases.
 */
import type { ApiName, Brand, ClientId, EntryKey, IssuerId } from './ids.ts';
import type { Money } from './money.ts';
import type { ResponseCode } from './responseCode.ts';

/** What is done about an unknown outcome; the catalogue gives it to each API (`none` is never journalled). */
export type Policy = 'reverse' | 'release' | 'repeat' | 'resend' | 'undo';

/** Ciphertext that names its key; only the vault makes and opens it. */
export type Sealed = Brand<string, 'Sealed'>;

/** The answer callers hear again; `sealed` holds its text and fields, null where the code says it all. */
export type StoredAnswer = { readonly code: ResponseCode; readonly sealed: Sealed | null };

/** Where the call itself stands. In `doubt` without an answer callers hear 09. */
export type Standing =
  | { readonly at: 'claimed'; readonly leaseUntil: number; readonly marked: boolean }
  | { readonly at: 'doubt'; readonly answer: StoredAnswer | null }
  | { readonly at: 'settled'; readonly answer: StoredAnswer }
  /** A Reversal came before its original: the original, should it come, is refused unsent. */
  | { readonly at: 'tombstone' };

/** `undo` the original, `repeat` it, or `follow` a Reversal to its original (mark it, then answer the Reversal). */
export type DutyKind = 'undo' | 'repeat' | 'follow';

export type ParkReason = 'declined' | 'exhausted' | 'repeatWindowOver';

/** What we owe the issuer because of this entry. `armed`: owed if the owner of the claim vanished now. */
export type Duty =
  | { readonly is: 'none' }
  | { readonly is: 'armed' }
  | {
      readonly is: 'due';
      readonly kind: DutyKind;
      /** When it became due, for its age and for parking. */
      readonly since: number;
      /** Not to be tried before; while a try is under way, the end of its lease. */
      readonly nextAt: number;
      /** When the latest try began; 0 before the first. */
      readonly triedAt: number;
      /** Tries begun in all, and tries begun under the present `tranId`. */
      readonly tries: number;
      readonly triesOfId: number;
      /** Whether the issuer has said before that the original is not there (25). */
      readonly absentSeen: boolean;
    }
  | { readonly is: 'delivered'; readonly kind: DutyKind }
  | { readonly is: 'parked'; readonly kind: DutyKind; readonly since: number; readonly why: ParkReason };

type Due = Extract<Duty, { is: 'due' }>;

export type Entry = {
  readonly key: EntryKey;
  /** Counts every move; a move is written only over the version that it was decided on. */
  readonly version: number;
  /** The number of the claim's owner: takeover and a new claim raise it, and an old owner's settle loses to it. */
  readonly fence: number;
  readonly client: ClientId;
  readonly issuer: IssuerId;
  /** Null in a tombstone: nobody knows what the original will be. */
  readonly api: ApiName | null;
  readonly policy: Policy;
  readonly claimedAt: number;
  /** No send of the original can begin after this; from here the issuer's `maxProcessingMs` is counted. */
  readonly sentUntil: number;
  /** Which derived `tranId` the undo carries, counted from 0. */
  readonly undoNo: number;
  readonly amount: Money | null;
  /** The message as stored (without `sad` fields); of a tombstone, the Reversal that made it. */
  readonly message: Sealed;
  readonly standing: Standing;
  readonly duty: Duty;
};

/** An entry about to be written for the first time: the journal fills in its own clock. */
export type Draft = {
  readonly key: EntryKey;
  readonly client: ClientId;
  readonly issuer: IssuerId;
  readonly policy: Policy;
  readonly amount: Money | null;
  readonly message: Sealed;
} & ({ readonly birth: 'claim'; readonly api: ApiName; readonly leaseMs: number } | { readonly birth: 'tombstone' });

/** How the owner of a claim, or a later answer, says that it ended. */
export type SettleOutcome =
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'notSent' }
  | { readonly kind: 'unknown' };

/** What one try of a delivery brought. */
export type AttemptResult =
  /** Acknowledged; a repeat brings the answer that the caller will learn. */
  | { readonly kind: 'done'; readonly answer: StoredAnswer | null }
  /** The issuer does not know the original (25). */
  | { readonly kind: 'absent' }
  /** No definite answer: the same message again. */
  | { readonly kind: 'open' }
  /** A definite refusal: only an operator can mend it. */
  | { readonly kind: 'refused' };

export type Event =
  | { readonly type: 'settle'; readonly fence: number; readonly outcome: SettleOutcome; readonly now: number }
  | { readonly type: 'takeOver'; readonly now: number }
  | { readonly type: 'mark'; readonly now: number }
  | { readonly type: 'claimAgain'; readonly now: number; readonly leaseMs: number }
  | { readonly type: 'lease'; readonly now: number; readonly leaseMs: number; readonly limits: DutyLimits }
  | {
      readonly type: 'attempted';
      readonly result: AttemptResult;
      readonly nextAt: number;
      readonly maxProcessingMs: number;
    };

/** When a duty stops being tried: a repeat before the issuer forgets its `tranId`, anything after `parkAfterMs`. */
export type DutyLimits = { readonly remembersMs: number; readonly parkAfterMs: number };

export const UNDONE: StoredAnswer = { code: '68', sealed: null };
const NOT_SENT: StoredAnswer = { code: '91', sealed: null };
const NONE: Duty = { is: 'none' };
const ARMED: Duty = { is: 'armed' };

export type Place = `${Standing['at']}+${Duty['is']}`;

export const placeOf = (entry: Entry): Place => `${entry.standing.at}+${entry.duty.is}`;

/**
 * The legal moves: for each event, from where to where. `apply` never leaves this table, every row of it is reached,
 * and both journals refuse to write a move that is in no row.
 */
export const MOVES: Readonly<Record<Event['type'], Readonly<Partial<Record<Place, readonly Place[]>>>>> = {
  settle: {
    'claimed+armed': ['settled+none', 'doubt+due', 'doubt+none'],
    'doubt+due': ['doubt+due'],
    'doubt+parked': ['doubt+due'],
    'settled+due': ['settled+due'],
    'settled+delivered': ['settled+due'],
    'settled+parked': ['settled+due'],
  },
  takeOver: { 'claimed+armed': ['doubt+due', 'doubt+none'] },
  mark: {
    'claimed+armed': ['claimed+armed'],
    'doubt+due': ['doubt+due'],
    'doubt+parked': ['doubt+due'],
    'settled+none': ['settled+due'],
    'settled+delivered': ['settled+due'],
  },
  claimAgain: { 'doubt+none': ['claimed+armed'] },
  lease: {
    'doubt+due': ['doubt+due', 'doubt+parked'],
    'settled+due': ['settled+due', 'settled+parked'],
    'tombstone+due': ['tombstone+due', 'tombstone+parked'],
  },
  attempted: {
    'doubt+due': ['doubt+due', 'settled+delivered', 'doubt+parked'],
    'settled+due': ['settled+due', 'settled+delivered', 'settled+parked'],
    'tombstone+due': ['tombstone+due', 'tombstone+delivered', 'tombstone+parked'],
  },
};

const LEGAL: ReadonlySet<string> = new Set(
  Object.values(MOVES).flatMap(rows =>
    Object.entries(rows).flatMap(([from, places]) => places.map(to => `${from} > ${to}`)),
  ),
);

/** Whether the table has a move from the one entry to the other; journals refuse to write any other. */
export const isLegal = (from: Entry, to: Entry): boolean =>
  LEGAL.has(`${placeOf(from)} > ${placeOf(to)}`) && to.version === from.version + 1 && to.fence >= from.fence;

/** The first version of an entry, as the journal writes it at `now` on its own clock. */
export function born(draft: Draft, now: number): Entry {
  const shared = {
    key: draft.key,
    version: 1,
    fence: 1,
    client: draft.client,
    issuer: draft.issuer,
    policy: draft.policy,
    claimedAt: now,
    undoNo: 0,
    amount: draft.amount,
    message: draft.message,
  };
  if (draft.birth === 'tombstone') {
    return { ...shared, api: null, sentUntil: now, standing: { at: 'tombstone' }, duty: due('undo', now) };
  }
  const leaseUntil = now + draft.leaseMs;
  const standing: Standing = { at: 'claimed', leaseUntil, marked: false };
  return { ...shared, api: draft.api, sentUntil: leaseUntil, standing, duty: ARMED };
}

/** What the event makes of the entry; the same object where it changes nothing. */
export function apply(entry: Entry, event: Event): Entry {
  const next = decide(entry, event);
  return next === entry ? entry : { ...next, version: entry.version + 1 };
}

function decide(entry: Entry, event: Event): Entry {
  switch (event.type) {
    case 'settle':
      return settle(entry, event);
    case 'takeOver':
      return takeOver(entry, event.now);
    case 'mark':
      return mark(entry, event.now);
    case 'claimAgain':
      return claimAgain(entry, event.now, event.leaseMs);
    case 'lease':
      return lease(entry, event.now, event.leaseMs, event.limits);
    case 'attempted':
      return attempted(entry, event.result, event.nextAt, event.maxProcessingMs);
  }
}

function settle(entry: Entry, event: Extract<Event, { type: 'settle' }>): Entry {
  const { outcome, now } = event;
  if (entry.fence !== event.fence) return outcome.kind === 'notSent' ? entry : settleLate(entry, now);
  // Same owner and no longer claimed: this very settle has been written before.
  if (entry.standing.at !== 'claimed') return entry;
  if (outcome.kind === 'notSent') return { ...entry, standing: { at: 'settled', answer: NOT_SENT }, duty: NONE };
  if (outcome.kind === 'unknown') return doubt(entry, now);
  // A Reversal came while the issuer was deciding: an approval is undone, and the caller is not told approved.
  if (entry.standing.marked && outcome.answer.code === '00') return undoing(entry, now);
  return { ...entry, standing: { at: 'settled', answer: outcome.answer }, duty: NONE };
}

/**
 * The owner of a claim that was taken over reports after all: its bytes may have left after the doubt was closed, so
 * what was undone is undone again, under an id that the issuer has not answered yet. A repeat needs nothing: it
 * carries the original's own `tranId`.
 */
function settleLate(entry: Entry, now: number): Entry {
  const { duty } = entry;
  if (duty.is === 'none' || duty.is === 'armed' || duty.kind !== 'undo') return entry;
  // A parked one begins anew too, or its age would park it again without a try.
  const since = duty.is === 'due' ? duty.since : now;
  return {
    ...entry,
    sentUntil: Math.max(entry.sentUntil, now),
    undoNo: entry.undoNo + 1,
    duty: { ...due('undo', now), since },
  };
}

function takeOver(entry: Entry, now: number): Entry {
  if (entry.standing.at !== 'claimed' || entry.standing.leaseUntil > now) return entry;
  return { ...doubt(entry, now), fence: entry.fence + 1 };
}

/** A claim whose outcome is unknown: each policy has its own way out of the doubt. */
function doubt(entry: Entry, now: number): Entry {
  const marked = entry.standing.at === 'claimed' && entry.standing.marked;
  const open: Standing = { at: 'doubt', answer: null };
  switch (entry.policy) {
    case 'reverse':
    case 'release':
      return undoing(entry, now);
    case 'repeat':
      return marked ? undoing(entry, now) : { ...entry, standing: open, duty: due('repeat', now) };
    case 'resend':
      return { ...entry, standing: open, duty: NONE };
    case 'undo':
      return { ...entry, standing: open, duty: due('follow', now) };
  }
}

const undoing = (entry: Entry, now: number): Entry => ({
  ...entry,
  standing: { at: 'doubt', answer: UNDONE },
  duty: due('undo', now),
});

function mark(entry: Entry, now: number): Entry {
  const { standing, duty } = entry;
  if (entry.policy === 'undo' || entry.policy === 'resend') return entry;
  if (standing.at === 'claimed') {
    return standing.marked ? entry : { ...entry, standing: { ...standing, marked: true } };
  }
  const undoIsThere = duty.is !== 'none' && duty.is !== 'armed' && duty.kind === 'undo';
  if (undoIsThere || standing.at === 'tombstone') return entry;
  if (standing.at === 'doubt') return undoing(entry, now);
  return standing.answer.code === '00' ? { ...entry, duty: due('undo', now) } : entry;
}

function claimAgain(entry: Entry, now: number, leaseMs: number): Entry {
  if (entry.policy !== 'resend' || entry.standing.at !== 'doubt') return entry;
  const leaseUntil = now + leaseMs;
  return {
    ...entry,
    fence: entry.fence + 1,
    sentUntil: Math.max(entry.sentUntil, leaseUntil),
    standing: { at: 'claimed', leaseUntil, marked: false },
    duty: ARMED,
  };
}

function lease(entry: Entry, now: number, leaseMs: number, limits: DutyLimits): Entry {
  const { duty } = entry;
  if (duty.is !== 'due' || duty.nextAt > now) return entry;
  const until = now + leaseMs;
  // Past this the issuer may take a repeat for a new transaction; the whole lease must fit before it.
  if (duty.kind === 'repeat' && until >= entry.claimedAt + limits.remembersMs) return park(entry, 'repeatWindowOver');
  // Not before it was tried: gateway or issuer may have been away for all that time.
  if (duty.tries > 0 && now - duty.since >= limits.parkAfterMs) return park(entry, 'exhausted');
  return {
    ...entry,
    sentUntil: duty.kind === 'repeat' ? Math.max(entry.sentUntil, until) : entry.sentUntil,
    duty: { ...duty, nextAt: until, triedAt: now, tries: duty.tries + 1, triesOfId: duty.triesOfId + 1 },
  };
}

function attempted(entry: Entry, result: AttemptResult, nextAt: number, maxProcessingMs: number): Entry {
  const { duty } = entry;
  if (duty.is !== 'due') return entry;
  switch (result.kind) {
    case 'done':
      return delivered(entry, duty.kind, result.answer);
    case 'open':
      return { ...entry, duty: { ...duty, nextAt } };
    case 'refused':
      return park(entry, 'declined');
    case 'absent': {
      // "Not found" proves nothing while the original may still be on its way; given again after that, it does.
      if (duty.absentSeen && duty.triedAt > entry.sentUntil + maxProcessingMs) return delivered(entry, duty.kind, null);
      // The issuer will answer this id with 25 for ever: the next try needs the next id.
      const again: Duty = { ...duty, nextAt, triesOfId: 0, absentSeen: true };
      return { ...entry, undoNo: entry.undoNo + 1, duty: again };
    }
  }
}

function delivered(entry: Entry, kind: DutyKind, answer: StoredAnswer | null): Entry {
  const { standing } = entry;
  const duty: Duty = { is: 'delivered', kind };
  if (standing.at !== 'doubt') return { ...entry, duty };
  return { ...entry, standing: { at: 'settled', answer: answer ?? standing.answer ?? UNDONE }, duty };
}

function park(entry: Entry, why: ParkReason): Entry {
  const { duty } = entry;
  return duty.is === 'due' ? { ...entry, duty: { is: 'parked', kind: duty.kind, since: duty.since, why } } : entry;
}

const due = (kind: DutyKind, now: number): Due => ({
  is: 'due',
  kind,
  since: now,
  nextAt: now,
  triedAt: 0,
  tries: 0,
  triesOfId: 0,
  absentSeen: false,
});

/** What stands against a message that names this entry as its original. */
export type OriginalStanding = 'stands' | 'open' | 'gone';

/** `open`: in flight or in doubt; `gone`: undone, being undone, declined, or reversed before it came. */
export function originalStanding(entry: Entry): OriginalStanding {
  const { standing, duty } = entry;
  if (standing.at === 'claimed') return 'open';
  if (standing.at === 'tombstone') return 'gone';
  if (standing.at === 'doubt') return 'open';
  const undone = duty.is !== 'none' && duty.is !== 'armed' && duty.kind === 'undo';
  return standing.answer.code === '00' && !undone ? 'stands' : 'gone';
}
