/**
 * Short names for what the tests of journals do all the time: claim, let something happen, look at what is there.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { apply, type Draft, type Entry, type Event, type Sealed } from '../../src/domain/entry.ts';
import { type Lane, RECOVERY } from '../../src/domain/filing.ts';
import type { IssuerId } from '../../src/domain/ids.ts';
import type { Money } from '../../src/domain/money.ts';
import type { Claimed, Journal, Reply } from '../../src/journal/journal.ts';
import type { Span } from '../../src/runtime/clock.ts';

export const DAY_MS = 86_400_000;
/** Of a name that nobody can have taken before now. */
export const spanTo = (untilMs: number): Span => ({ sinceMs: Date.now(), untilMs });
export const ISSUER_A = 'issuer-a' as IssuerId;
export const ISSUER_B = 'issuer-b' as IssuerId;
const LANE_NAMES: readonly Lane[] = [RECOVERY, ISSUER_A, ISSUER_B];
export const LANES = LANE_NAMES.map(lane => ({ lane, limit: 100 }));

/** Calls that a machine which stood still for a moment may leave open; more is a journal that does not answer. */
const CALLS_MOST = 25;
const PAUSE_MS = 20;

/**
 * The value of a call, made again under the same `writeId` until there is one: what the port asks of its users. A busy
 * machine may keep a reply longer than a call waits for it, or a connection longer than it may be silent.
 */
export async function insist<T>(call: (writeId: string) => Promise<Reply<T>>): Promise<T> {
  const id = writeId();
  let kind = 'nothing';
  for (let i = 0; i < CALLS_MOST; i += 1) {
    const reply = await call(id);
    if (reply.kind === 'done') return reply.value;
    kind = reply.kind;
    await sleep(PAUSE_MS);
  }
  throw new Error(`the journal answered ${kind}`);
}

/** The first reply to a call that is not unsure, or the last of too many that are. */
export async function certain<T>(call: (writeId: string) => Promise<Reply<T>>): Promise<Reply<T>> {
  const id = writeId();
  let reply = await call(id);
  for (let i = 1; i < CALLS_MOST && reply.kind === 'unsure'; i += 1) reply = await call(id);
  return reply;
}

let writes = 0;
/** A new id for one write. */
export function writeId(): string {
  writes += 1;
  return `write-${writes}`;
}

/** What a claim gives, under a fresh `writeId` unless one is named. @throws Error where the store has lost data. */
export async function claimOnce(
  journal: Journal,
  draft: Draft,
  id = writeId(),
): Promise<Exclude<Claimed, { kind: 'amnesia' }>> {
  const claimed = await insist(() => journal.claim(draft, id));
  if (claimed.kind === 'amnesia') throw new Error('the journal has lost data');
  return claimed;
}

export async function claimFresh(journal: Journal, draft: Draft): Promise<Extract<Claimed, { kind: 'fresh' }>> {
  const claimed = await claimOnce(journal, draft);
  if (claimed.kind !== 'fresh') throw new Error('the entry was there already');
  return claimed;
}

/** Applies the event and writes what it makes of the entry. */
export async function happen(journal: Journal, from: Entry, event: Event): Promise<Entry> {
  const to = apply(from, event);
  expect(await insist(id => journal.move(from, to, id))).toEqual({ kind: 'moved' });
  return to;
}

export const settled = (fence: number, code: '00' | '51', now: number, sealed: Sealed | null = null): Event => ({
  type: 'settle',
  fence,
  outcome: { kind: 'answered', answer: { code, sealed } },
  now,
});
export const unknown = (fence: number, now: number): Event => ({
  type: 'settle',
  fence,
  outcome: { kind: 'unknown' },
  now,
});
export const attempted = (result: Extract<Event, { type: 'attempted' }>['result'], nextAt = 0): Event => ({
  type: 'attempted',
  result,
  nextAt,
  maxProcessingMs: 0,
});
export const DONE = attempted({ kind: 'done', answer: null });
export const lease = (now: number, leaseMs = 60_000): Event => ({
  type: 'lease',
  now,
  leaseMs,
  limits: { remembersMs: DAY_MS, parkAfterMs: DAY_MS },
});
/** A command that goes out again. */
export const claimAgain = (now: number, { leaseMs = 60_000, askAgain = false } = {}): Event => ({
  type: 'claimAgain',
  now,
  leaseMs,
  remembersMs: DAY_MS,
  askAgain,
});
export const usd = (minor: bigint): Money => ({ minor, currency: '840' }) as Money;

export async function presentOf(journal: Journal, { key }: { key: Entry['key'] }): Promise<Entry | null> {
  return (await insist(() => journal.read(key))).entry;
}
