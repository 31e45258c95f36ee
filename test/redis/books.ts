/**
 * The judge: compares what every caller was told with the issuer's own books, transaction by transaction and card by
 * card. It asks no gateway for anything.
 *
 * Where the store has lost writes that it had acknowledged, two things are excused, and nothing more: a caller may be
 * refused to the end, and learns later what became of its transaction, which is done in full or not at all; and one that
 * its caller has reversed or released may be told 12 or 68 from then on: it was claimed anew, or was in doubt once more.
 */
import type { ApiName } from '../support/apiPaths.ts';
import { type Effect, toMinor } from '../support/issuerLedger.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { finals, type Traffic, type Transaction, toldOf } from './traffic.ts';

export type Circumstances = {
  /** The store has lost acknowledged writes. */
  readonly isLost?: boolean;
};

type Change = { readonly available: bigint; readonly held: bigint };

/** What an approval does to the card, as multiples of the amount: what can be spent, what is held. */
const CHANGES: Partial<Record<ApiName, readonly [available: bigint, held: bigint]>> = {
  Purchase: [-1n, 0n],
  Withdraw: [-1n, 0n],
  Refund: [1n, 0n],
  LoadFund: [1n, 0n],
  BlockFund: [-1n, 1n],
  UnblockFund: [1n, -1n],
};
const NOTHING: Change = { available: 0n, held: 0n };
/** Undone where their end is unknown, and so never sent again. */
const UNDONE: ReadonlySet<ApiName> = new Set(['Purchase', 'Withdraw', 'BlockFund']);
/** All that these callers may be told: done, under way, refused for a reason, undone, not sent, nothing claimed. */
const SAYINGS = /^(00|09|12|25|68|91|503)$/;
const OPENING_BALANCE = '1000.00';
const CURRENCY = '840';

type Facts = {
  readonly transaction: Transaction;
  readonly told: string | undefined;
  /** What an approval of it is. */
  readonly whole: Change;
  /** What its caller may rely on: the whole of it, or nothing. */
  readonly owed: Change;
  readonly effects: readonly Effect[];
  /** Effects that took it back, other than by a caller's own UnblockFund. */
  readonly undos: readonly Effect[];
  /** Sends of it that were not marked as a repeat, and all. */
  readonly firsts: number;
  readonly sends: number;
  /** It was lost, moves no money, and may be sent as new. */
  readonly mayBeReborn: boolean;
  /** Its caller may still be refused, and be told later. */
  readonly mayBeUntold: boolean;
  readonly isReversed: boolean;
  /** Its caller has reversed it, or released the hold. */
  readonly isTakenBack: boolean;
  readonly isLost: boolean;
};

const sumOf = (changes: readonly Change[]): Change => ({
  available: changes.reduce((sum, { available }) => sum + available, 0n),
  held: changes.reduce((sum, { held }) => sum + held, 0n),
});
const same = (a: Change, b: Change): boolean => a.available === b.available && a.held === b.held;
const wholeOf = ({ api, amount }: Transaction): Change => {
  const [available, held] = CHANGES[api] ?? [0n, 0n];
  return { available: available * amount, held: held * amount };
};

/** What must hold of every transaction, by its invariant. */
const RULES: Readonly<Record<string, (facts: Facts) => boolean>> = {
  'I1: done once': ({ effects }) => effects.length <= 1,
  'I1: sent as new once': ({ firsts, mayBeReborn }) => firsts <= (mayBeReborn ? 2 : 1),
  'I1: what is undone in doubt is never sent again': ({ transaction: { api }, sends }) =>
    !UNDONE.has(api) || sends <= 1,
  'I2: an approval is in the books': ({ told, effects, whole, transaction: { card } }) =>
    told !== '00' || (same(sumOf(effects), whole) && effects.every(effect => effect.card === card)),
  'I3: one answer': ({ transaction, isLost, isTakenBack, told }) =>
    finals(transaction).every(
      ({ what }) => what === told || (isLost && isTakenBack && (what === '12' || what === '68')),
    ),
  'I5: what was told is what was done': ({ owed, whole, effects, undos, mayBeUntold, isReversed }) => {
    const net = sumOf([...effects, ...undos]);
    return same(net, owed) || (mayBeUntold && !isReversed && same(net, whole));
  },
  'I8: undone once, and exactly': ({ effects, undos }) =>
    undos.length === 0 || (undos.length === 1 && same(sumOf([...effects, ...undos]), NOTHING)),
  'I9: every call was answered, with what may be said': ({ transaction: { heard } }) =>
    heard.every(({ what }) => SAYINGS.test(what)),
  'I17: told in the end': ({ told, mayBeUntold }) => told !== undefined || mayBeUntold,
};

/** Everything in which the books and the callers disagree; empty where all is well. */
export function disagreements(
  issuer: ScriptedIssuer,
  traffic: Traffic,
  { isLost = false }: Circumstances = {},
): string[] {
  const facts = traffic.transactions.map(transaction => factsOf(issuer, traffic, transaction, isLost));
  const broken = facts.flatMap(each => {
    const { api, tranId, heard } = each.transaction;
    const said = [...new Set(heard.map(({ what }) => what))].join(' ');
    const what = `${api} ${tranId}, heard ${said}; ${each.effects.length} effects, ${each.undos.length} undone`;
    return Object.entries(RULES).flatMap(([name, holds]) => (holds(each) ? [] : [`${name}: ${what}`]));
  });
  return [
    ...broken,
    ...breaches(issuer, traffic, facts),
    ...traffic.cards.flatMap(card => cardFaults(issuer, card, facts)),
  ];
}

function factsOf(issuer: ScriptedIssuer, { transactions }: Traffic, transaction: Transaction, isLost: boolean): Facts {
  const { tranId, api, heard } = transaction;
  const ownIds = new Set(transactions.map(each => each.tranId));
  const told = toldOf(transaction);
  const isFollowedBy = (follower: ApiName) =>
    transactions.some(each => each.api === follower && each.original === transaction && toldOf(each) === '00');
  const isReversed = isFollowedBy('Reversal');
  const isTakenBack = isReversed || isFollowedBy('UnblockFund');
  const whole = wholeOf(transaction);
  const sends = issuer.requestsOf(api, tranId);
  return {
    ...{ transaction, told, whole, isReversed, isTakenBack, isLost },
    owed: told === '00' && !isReversed ? whole : NOTHING,
    effects: issuer.effectsOf(tranId),
    undos: issuer.effects.filter(effect => effect.originalTranId === tranId && !ownIds.has(effect.tranId)),
    firsts: sends.filter(({ repeat }) => !repeat).length,
    sends: sends.length,
    mayBeReborn: isLost && CHANGES[api] === undefined,
    mayBeUntold: isLost && told === undefined && heard.at(-1)?.what === '503',
  };
}

/** What the issuer itself complains of; that an id is new to us again is what a loss does. */
function breaches({ violations }: ScriptedIssuer, { transactions }: Traffic, facts: readonly Facts[]): string[] {
  const reborn = facts.flatMap(({ transaction, mayBeReborn }) => (mayBeReborn ? [transaction.tranId] : []));
  const own = violations.filter(text => transactions.some(({ tranId }) => text.includes(tranId)));
  return own.filter(text => !(text.endsWith('without Repeat: true') && reborn.some(id => text.includes(id))));
}

/** I13: the card has what its caller can add up. */
function cardFaults(issuer: ScriptedIssuer, card: string, facts: readonly Facts[]): string[] {
  const own = facts.filter(({ transaction }) => transaction.card === card);
  if (own.some(({ mayBeUntold }) => mayBeUntold)) return [];
  const { available, held } = sumOf(own.map(({ owed }) => owed));
  const found = [toMinor(issuer.balanceOf(card), CURRENCY), toMinor(issuer.heldOf(card), CURRENCY)];
  const wanted = [toMinor(OPENING_BALANCE, CURRENCY) + available, held];
  return String(found) === String(wanted)
    ? []
    : [`I13: ${card} has ${String(found)} and should have ${String(wanted)}`];
}
