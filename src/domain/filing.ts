/**
 * Where a journal files an entry so that it is found again, and what the entry adds to the journal's sums: both follow
 * from its state alone, so that an index can never say something else than the entry it points to.
 */
import type { Entry } from './entry.ts';
import type { IssuerId } from './ids.ts';

/** Whose work an entry waits for: `RECOVERY` ends leases and follows Reversals, an issuer's lane carries deliveries. */
export type Lane = typeof RECOVERY | IssuerId;

/** No id of an issuer begins with a dot. */
export const RECOVERY = '.recovery';

/** Where the journal must file the entry so that it is found again; `expires` once nothing is owed any more. */
export type Filing = {
  readonly wake: { readonly lane: Lane; readonly at: number } | null;
  readonly owedSince: number | null;
  readonly expires: boolean;
};

export function filingOf(entry: Entry): Filing {
  const { standing, duty } = entry;
  if (standing.at === 'claimed') {
    return { wake: { lane: RECOVERY, at: standing.leaseUntil }, owedSince: null, expires: false };
  }
  if (duty.is === 'due') {
    const lane = duty.kind === 'follow' ? RECOVERY : entry.issuer;
    return { wake: { lane, at: duty.nextAt }, owedSince: duty.since, expires: false };
  }
  if (duty.is === 'parked') return { wake: null, owedSince: duty.since, expires: false };
  return { wake: null, owedSince: null, expires: true };
}

/** What nearly every entry adds to the sums. */
export const NO_TALLY: ReadonlyMap<string, bigint> = new Map();

/** What the entry adds to the journal's sums, by name; amounts in minor units. */
export function tallyOf(entry: Entry): ReadonlyMap<string, bigint> {
  const { duty, standing } = entry;
  if (standing.at !== 'doubt' && duty.is !== 'due' && duty.is !== 'parked') return NO_TALLY;
  const tally = new Map<string, bigint>();
  // A doubt that only its caller's retry ends may expire, and nobody would take it off the sum.
  if (standing.at === 'doubt' && duty.is !== 'none') tally.set('doubts', 1n);
  if (duty.is !== 'due' && duty.is !== 'parked') return tally;
  tally.set(duty.is, 1n);
  tally.set(`issuer:${entry.issuer}`, 1n);
  if (duty.kind !== 'follow' && entry.amount) tally.set(`money:${entry.amount.currency}`, entry.amount.minor);
  return tally;
}
