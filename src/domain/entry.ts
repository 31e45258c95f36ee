/**
 * The life of one journal entry: its states, the legal moves between them, and the pure function that makes each move.
 * Both journals store entries and know nothing of this; everything that decides about doubt, undo and repeat is here.
 *
 * All times are milliseconds on the journal's clock, so that processes with different clocks agree on leases.
 */
import { attempted, due, isUndone, late, lease, UNDONE, undoAgain } from './duty.ts';
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
  /** What the issuer answered after the deadline, and when: for the operator. The latest, where there were several. */
  readonly late: { readonly code: ResponseCode; readonly at: number } | null;
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

/** Whether this is a new transaction that moves money: not a command, and not what undoes another one. */
export const movesMoney = ({ birth, policy }: Draft): boolean =>
  birth === 'claim' && policy !== 'undo' && policy !== 'resend';

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
  | {
      /** The caller's retry of a command, to be forwarded once more. */
      readonly type: 'claimAgain';
      readonly now: number;
      readonly leaseMs: number;
      readonly remembersMs: number;
      /** Whether a new answer is the whole point, so that an approval is asked for again, too. */
      readonly askAgain: boolean;
    }
  | { readonly type: 'lease'; readonly now: number; readonly leaseMs: number; readonly limits: DutyLimits }
  | {
      readonly type: 'attempted';
      readonly result: AttemptResult;
      readonly nextAt: number;
      readonly maxProcessingMs: number;
    }
  /** The issuer's definite answer to the original, which came `at` a time when its claim could not wait for it. */
  | { readonly type: 'late'; readonly answer: StoredAnswer; readonly at: number; readonly now: number };

/** When a duty stops being tried: a repeat before the issuer forgets its `tranId`, anything after `parkAfterMs`. */
export type DutyLimits = { readonly remembersMs: number; readonly parkAfterMs: number };

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
  claimAgain: { 'doubt+none': ['claimed+armed'], 'settled+none': ['claimed+armed'] },
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
  late: {
    'doubt+none': ['settled+none'],
    'doubt+due': ['doubt+due', 'settled+delivered'],
    'doubt+parked': ['doubt+due', 'doubt+parked', 'settled+delivered'],
    'settled+none': ['settled+none'],
    'settled+due': ['settled+due'],
    'settled+delivered': ['settled+delivered', 'settled+due'],
    'settled+parked': ['settled+parked', 'settled+due'],
    'tombstone+due': ['tombstone+due'],
    'tombstone+delivered': ['tombstone+delivered', 'tombstone+due'],
    'tombstone+parked': ['tombstone+parked', 'tombstone+due'],
  },
};

const LEGAL: ReadonlySet<string> = new Set(
  Object.values(MOVES).flatMap(rows =>
    Object.entries(rows).flatMap(([from, places]) => places.map(to => `${from} > ${to}`)),
  ),
);

/** Whether it takes a claim from its owner, who did not end it within its lease. */
export const isTakeover = (from: Entry, to: Entry): boolean => from.standing.at === 'claimed' && to.fence > from.fence;

/** Whether the table has a move from the one entry to the other; journals refuse to write any other. */
export const isLegal = (from: Entry, to: Entry): boolean =>
  LEGAL.has(`${placeOf(from)} > ${placeOf(to)}`) &&
  to.version === from.version + 1 &&
  to.fence >= from.fence + (isClaimedAnew(from, to) ? 1 : 0) &&
  (!isClaimedAnew(from, to) || from.policy === 'resend');

/**
 * Whether the one is an earlier version of the other, which was decided on it: the same claim, further on. Where a store
 * has lost writes, others may have gone on from before them; what they reversed or undid is not to be written over.
 */
export const isOlder = (present: Entry, known: Entry): boolean =>
  present.version < known.version &&
  present.claimedAt === known.claimedAt &&
  present.fence <= known.fence &&
  present.undoNo <= known.undoNo &&
  (!isReversed(present) || isUndone(known) || isDeclined(known));

const isReversed = (entry: Entry): boolean =>
  isUndone(entry) || (entry.standing.at === 'claimed' && entry.standing.marked);

const isDeclined = ({ standing }: Entry): boolean => standing.at === 'settled' && standing.answer.code !== '00';

const isClaimedAnew = (from: Entry, to: Entry): boolean =>
  from.standing.at !== 'claimed' && to.standing.at === 'claimed';

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
    late: null,
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
      return claimAgain(entry, event);
    case 'lease':
      return lease(entry, event.now, event.leaseMs, event.limits);
    case 'attempted':
      return attempted(entry, event.result, event.nextAt, event.maxProcessingMs);
    case 'late':
      return late(entry, event.answer, event.at, event.now);
  }
}

function settle(entry: Entry, event: Extract<Event, { type: 'settle' }>): Entry {
  const { outcome, now } = event;
  if (entry.fence !== event.fence) return outcome.kind === 'notSent' ? entry : settleLate(entry, now);
  // Same owner and no longer claimed: this very settle has been written before.
  if (entry.standing.at !== 'claimed') return entry;
  // Claimed again: that nothing left now says nothing about the time before, which only a definite answer ends.
  const wasSentBefore = entry.fence > 1;
  if (outcome.kind === 'unknown' || (outcome.kind === 'notSent' && wasSentBefore)) return doubt(entry, now);
  if (outcome.kind === 'notSent') return { ...entry, standing: { at: 'settled', answer: NOT_SENT }, duty: NONE };
  // A Reversal came while the issuer was deciding: an approval is undone, and the caller is not told approved.
  if (entry.standing.marked && outcome.answer.code === '00') return undoing(entry, now);
  return { ...entry, standing: { at: 'settled', answer: outcome.answer }, duty: NONE };
}

/**
 * The owner of a claim that was taken over reports after all: its bytes may have left after the doubt was closed. A
 * repeat needs nothing: it carries the original's own `tranId`.
 */
const settleLate = (entry: Entry, now: number): Entry => (isUndone(entry) ? undoAgain(entry, now) : entry);

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
  const { standing } = entry;
  if (entry.policy === 'undo' || entry.policy === 'resend') return entry;
  if (standing.at === 'claimed') {
    return standing.marked ? entry : { ...entry, standing: { ...standing, marked: true } };
  }
  if (isUndone(entry) || standing.at === 'tombstone') return entry;
  if (standing.at === 'doubt') return undoing(entry, now);
  return standing.answer.code === '00' ? { ...entry, duty: due('undo', now) } : entry;
}

/** A command goes out again, under its own `tranId`. Past `remembersMs` the issuer may take it for a new one. */
function claimAgain(entry: Entry, event: Extract<Event, { type: 'claimAgain' }>): Entry {
  const { standing } = entry;
  const { askAgain } = event;
  const leaseUntil = event.now + event.leaseMs;
  const isOpen = standing.at === 'doubt' && (askAgain || leaseUntil < entry.claimedAt + event.remembersMs);
  const isAskedAgain = askAgain && standing.at === 'settled' && standing.answer.code === '00';
  if (entry.policy !== 'resend' || !(isOpen || isAskedAgain)) return entry;
  return {
    ...entry,
    fence: entry.fence + 1,
    sentUntil: Math.max(entry.sentUntil, leaseUntil),
    standing: { at: 'claimed', leaseUntil, marked: false },
    duty: ARMED,
  };
}

/** What stands against a message that names this entry as its original. */
export type OriginalStanding = 'stands' | 'open' | 'gone';

/** `open`: in flight or in doubt; `gone`: undone, being undone, declined, or reversed before it came. */
export function originalStanding(entry: Entry): OriginalStanding {
  const { standing } = entry;
  if (standing.at === 'claimed') return 'open';
  if (standing.at === 'tombstone') return 'gone';
  if (standing.at === 'doubt') return 'open';
  return standing.answer.code === '00' && !isUndone(entry) ? 'stands' : 'gone';
}
