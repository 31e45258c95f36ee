/**
 * The journal's running sums of what is open: how a move changes them, and what they say together. The sums are kept
 * in the same step as the entry, so that reading them costs nothing however much is open.
 */
import type { Entry } from '../domain/entry.ts';
import { NO_TALLY, tallyOf } from '../domain/filing.ts';
import type { IssuerId } from '../domain/ids.ts';
import type { OwedSummary } from './journal.ts';

/** What a move (from null: a birth) adds to each sum by name; names that it leaves alone are not there. */
export function tallyChange(from: Entry | null, to: Entry): ReadonlyMap<string, bigint> {
  const [before, after] = [from ? tallyOf(from) : NO_TALLY, tallyOf(to)];
  if (before.size + after.size === 0) return NO_TALLY;
  const change = new Map(after);
  for (const [name, amount] of before) change.set(name, (change.get(name) ?? 0n) - amount);
  for (const [name, amount] of change) if (amount === 0n) change.delete(name);
  return change;
}

/** The sums as the port gives them. `oldestAgeMs` is 0 where nothing is open. */
export function summaryOf(tally: ReadonlyMap<string, bigint>, oldestAgeMs: number): OwedSummary {
  const count = (name: string) => Number(tally.get(name) ?? 0n);
  const below = (prefix: string): [string, bigint][] =>
    [...tally].flatMap(([name, amount]) =>
      name.startsWith(prefix) && amount !== 0n ? [[name.slice(prefix.length), amount]] : [],
    );
  return {
    doubts: count('doubts'),
    due: count('due'),
    parked: count('parked'),
    oldestAgeMs: Math.max(0, oldestAgeMs),
    money: new Map(below('money:')),
    byIssuer: new Map(below('issuer:').map(([issuer, amount]) => [issuer as IssuerId, Number(amount)])),
  };
}
