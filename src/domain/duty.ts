/**
 * What is owed for an entry, from the moment it becomes due until the issuer has acknowledged it: how a duty is leased for
 * a try, what a try or a late answer makes of it, and when it is given to an operator. `entry.ts` says which of this may
 * happen when.
 */
import type { AttemptResult, Duty, DutyKind, DutyLimits, Entry, ParkReason, StoredAnswer } from './entry.ts';

/** What callers hear of what was undone. */
export const UNDONE: StoredAnswer = { code: '68', sealed: null };

type Due = Extract<Duty, { is: 'due' }>;

export const due = (kind: DutyKind, now: number): Due => ({
  is: 'due',
  kind,
  since: now,
  nextAt: now,
  triedAt: 0,
  tries: 0,
  triesOfId: 0,
  absentSeen: false,
});

/** Whether the entry's duty, of whatever state, is to undo it. */
export const isUndone = ({ duty }: Entry): boolean => duty.is !== 'none' && duty.is !== 'armed' && duty.kind === 'undo';

/** Takes what is due for one try of `leaseMs`; parks it where it may not be tried any more. */
export function lease(entry: Entry, now: number, leaseMs: number, limits: DutyLimits): Entry {
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

export function attempted(entry: Entry, result: AttemptResult, nextAt: number, maxProcessingMs: number): Entry {
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
      // "Not found" proves nothing while the original may still be on its way, nor under an id that was sent before: the
      // issuer may only repeat what it found then. Given again, to an id that is new after that time, it does.
      const isFinding = duty.triesOfId === 1 && duty.triedAt > entry.sentUntil + maxProcessingMs;
      if (duty.absentSeen && isFinding) return delivered(entry, duty.kind, null);
      // The issuer will answer this id with 25 for ever: the next try needs the next id.
      const again: Duty = { ...duty, nextAt, triesOfId: 0, absentSeen: true };
      return { ...entry, undoNo: entry.undoNo + 1, duty: again };
    }
  }
}

/**
 * What is undone is undone again, under an id that the issuer has not answered yet: the original's bytes may have left,
 * or have been acted on, after the doubt was closed.
 */
export function undoAgain(entry: Entry, now: number): Entry {
  const { duty } = entry;
  // A parked one begins anew too, or its age would park it again without a try.
  const since = duty.is === 'due' ? duty.since : now;
  return {
    ...entry,
    sentUntil: Math.max(entry.sentUntil, now),
    undoNo: entry.undoNo + 1,
    duty: { ...due('undo', now), since },
  };
}

/**
 * The issuer's own answer to the original, come after the doubt began (F25). It ends what only an answer can end, a
 * repeat or a command in doubt; an approval of what is being undone makes the undo due again. What callers were told
 * stays. Told again it changes nothing.
 */
export function late(entry: Entry, answer: StoredAnswer, at: number, now: number): Entry {
  const { standing, duty } = entry;
  // Its own claim has not ended yet, and that end decides first; and what was heard is not heard twice.
  if (standing.at === 'claimed' || (entry.late?.at === at && entry.late.code === answer.code)) return entry;
  const heard: Entry = { ...entry, late: { code: answer.code, at } };
  if (isUndone(entry)) return answer.code === '00' ? undoAgain(heard, now) : heard;
  if (standing.at !== 'doubt') return heard;
  if (duty.is === 'none') return { ...heard, standing: { at: 'settled', answer } };
  const isRepeat = duty.is !== 'armed' && duty.kind === 'repeat';
  return isRepeat ? delivered(heard, 'repeat', answer) : heard;
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
