/**
 * What is concluded from a run, in sentences, and with what exit code: first the money, then what the user asked for.
 */
import type { LoopReport } from './openLoop.ts';
import type { LoadOptions } from './options.ts';
import type { KindReport } from './tally.ts';
import type { MoneyReport } from './witness.ts';
import { many, ms } from './words.ts';

/** 0: in order. 1: the money is wrong, or an outcome cannot be learnt. 3: the money is right, the limits are not kept. */
export type ExitCode = 0 | 1 | 3;
export type Verdict = {
  readonly exitCode: ExitCode;
  /** The money in one sentence. */
  readonly money: string;
  /** What is wrong beside it. */
  readonly wrong: readonly string[];
  /** What to know when reading the figures. */
  readonly notes: readonly string[];
};

export type Found = {
  readonly loop: LoopReport;
  readonly totals: { readonly done: number; readonly failed: number };
  readonly kinds: readonly KindReport[];
  readonly stillOpen: readonly string[];
  readonly money: MoneyReport;
};

/** Beyond it the loader itself shows in the latencies. */
const LATE_MS = 20;
/** So many declines for want of money, and the load is another one than the mix says. */
const POOR_PART = 0.05;

export function verdictOf(found: Found, accept: LoadOptions['accept']): Verdict {
  const wrong = breachesOf(found, accept);
  const { money, stillOpen } = found;
  const isMoneyWrong = money.differences.length > 0 || stillOpen.length > 0;
  const otherwise = wrong.length > 0 ? 3 : 0;
  return { exitCode: isMoneyWrong ? 1 : otherwise, money: moneySentence(found), wrong, notes: notesOf(found) };
}

function moneySentence({ money, stillOpen }: Found): string {
  const { differences, witness, why, cards } = money;
  const open = stillOpen.length === 0 ? [] : [`${many(stillOpen.length, 'outcome')} could not be learnt`];
  const off = differences.length === 0 ? [] : [many(differences.length, 'difference')];
  const bad = [...off, ...open].join(', ');
  if (witness === 'ledger') {
    return bad === ''
      ? `The money is right: nothing doubled, lost or made up; every transaction and ${many(cards.length, 'card')} agree with the ledger.`
      : `THE MONEY IS NOT RIGHT: ${bad}.`;
  }
  const balances = `${many(cards.length, 'card balance')}, as the gateway tells them`;
  const compared = witness === 'balances' ? balances : 'repeated answers';
  const limits = `The ledger was not read (${why}). All that was compared: ${compared}.`;
  return bad === '' ? `${limits} No difference was found.` : `THE MONEY IS NOT RIGHT: ${bad}. ${limits}`;
}

function breachesOf({ kinds, totals }: Found, { p99Ms, failedPercent }: LoadOptions['accept']): string[] {
  const slow = kinds.filter(({ told }) => p99Ms !== undefined && told.p99Ms > p99Ms);
  const failed = totals.done === 0 ? 0 : (100 * totals.failed) / totals.done;
  return [
    ...slow.map(({ label, told }) => `p99 of ${label} is ${ms(told.p99Ms)} ms; accepted are ${p99Ms} ms`),
    ...(failedPercent !== undefined && failed > failedPercent
      ? [`${failed.toFixed(3)} % of the calls had no final answer; accepted are ${failedPercent} %`]
      : []),
  ];
}

function notesOf({ loop, kinds, money }: Found): string[] {
  const { due, made, heldBack, late } = loop;
  const all = kinds.reduce((sum, { told }) => sum + told.count, 0);
  const poor = kinds
    .flatMap(({ outcomes }) => outcomes)
    .reduce((sum, { what, count }) => sum + (what === 'declined 51' ? count : 0), 0);
  return [
    ...(made < due
      ? [`${many(due - made, 'call')} not made when due: the load was ended, or the target did not keep up`]
      : []),
    ...(heldBack > 0
      ? [`${many(heldBack, 'call')} waited for a place among the outstanding ones; the wait is in the latencies`]
      : []),
    ...(late.p99Ms > LATE_MS
      ? [`this machine made calls late itself (p99 ${ms(late.p99Ms)} ms): it is too busy to measure with`]
      : []),
    ...(poor > all * POOR_PART
      ? [`${poor} calls were declined for want of money (51): more loadFund, or smaller --amounts`]
      : []),
    ...(money.strangers > 0 && money.differences.length === 0
      ? [`${many(money.strangers, 'booking')} of others, who use the cards too`]
      : []),
  ];
}
