/**
 * The money check: what the callers were told against the issuer's books, transaction by transaction and card by card. What
 * was told `00` and not reversed has happened once, as it was asked; nothing else has happened.
 */
import { looksDerived } from '../../src/domain/ids.ts';
import { formatMoney } from '../../src/domain/money.ts';
import type { Balance, LedgerCard, LedgerEffect } from './ledger.ts';
import { changesOf, type LoadCall, type LoadCard } from './loadCall.ts';

/** What can be wrong. */
export const KINDS_OF_DIFFERENCE = {
  doubled: 'booked more than once',
  lost: 'told approved, never booked',
  madeUp: 'booked, though nobody was told so',
  wrongAmount: 'booked with another amount than it was told',
  notUndone: 'still booked, though it was to be undone',
  undone: 'undone, though nobody asked for it',
  changed: 'told one thing and then another',
  balance: "a card's balance is not what its transactions make",
} as const;
export type DifferenceKind = keyof typeof KINDS_OF_DIFFERENCE;

export type Difference = {
  readonly kind: DifferenceKind;
  /** The transaction or the card, and what was seen. */
  readonly what: string;
  /** An undo may still be on its way. */
  readonly mayPass: boolean;
};

/** One card's account of the run, as wire amounts. */
export type CardLine = {
  readonly cardToken: string;
  readonly currency: string;
  readonly before: string;
  /** What the answers told add up to. */
  readonly told: string;
  readonly expected: string;
  readonly after: string;
  readonly difference: string;
};

export type Comparison = {
  readonly differences: readonly Difference[];
  readonly cards: readonly CardLine[];
  /** Effects that belong to no call of this run. */
  readonly strangers: number;
};

export type Books = {
  readonly calls: readonly LoadCall[];
  readonly cards: readonly LoadCard[];
  readonly ledger: readonly LedgerCard[];
  /** Others use the cards too: what is not ours is left alone. */
  readonly areShared: boolean;
};

/** What the books have of one call on one card: its own effects, and those that undo it. */
type Booked = { readonly own: LedgerEffect[]; readonly undos: LedgerEffect[] };

/** What should have become of a call. */
type Should = 'stand' | 'beUndone' | 'beNothing' | 'beEither';

/** Compares; nothing is asked of anybody. */
export function compareBooks(books: Books): Comparison {
  const { booked, strangers } = sortEffects(books);
  const differences = books.calls.flatMap(call => [...changedAnswers(call), ...judgeCall(call, booked)]);
  const accounts = { books, told: toldTotals(books.calls, booked), strangers, isPending: isPending(books.calls) };
  const cards = books.ledger.map(card => cardLine(card, accounts));
  const unexplained = books.areShared ? [] : strangers.map(({ card, effect }) => stranger(card, effect));
  const off = cards.flatMap(({ difference }) => difference);
  return {
    differences: [...differences, ...unexplained, ...off],
    cards: cards.map(({ line }) => line),
    strangers: strangers.length,
  };
}

type Stranger = { readonly card: string; readonly effect: LedgerEffect };
type Sorted = { readonly booked: BookedByCall; readonly strangers: readonly Stranger[] };
export type BookedByCall = ReadonlyMap<LoadCall, ReadonlyMap<string, Booked>>;

/** Gives every effect to the call that it belongs to. */
function sortEffects({ calls, ledger }: Books): Sorted {
  const byId = new Map(calls.map(call => [call.parts.tranId, call]));
  const booked = new Map<LoadCall, Map<string, Booked>>();
  const strangers: Stranger[] = [];
  for (const { cardToken, effects } of ledger) {
    for (const effect of effects) {
      const owner = ownerOf(effect, byId);
      if (!owner) {
        strangers.push({ card: cardToken, effect });
        continue;
      }
      const ofCall = booked.get(owner.call) ?? new Map<string, Booked>();
      const onCard = ofCall.get(cardToken) ?? { own: [], undos: [] };
      (owner.isUndo ? onCard.undos : onCard.own).push(effect);
      booked.set(owner.call, ofCall.set(cardToken, onCard));
    }
  }
  return { booked, strangers };
}

/** The call that an effect is of. An undo has an id that the gateway derived, or that of the caller's own Reversal. */
function ownerOf(
  { tranId, originalTranId = '' }: LedgerEffect,
  byId: ReadonlyMap<string, LoadCall>,
): { readonly call: LoadCall; readonly isUndo: boolean } | undefined {
  const call = byId.get(tranId);
  if (call?.parts.kind === 'reversal' && call.parts.original) return { call: call.parts.original, isUndo: true };
  if (call) return { call, isUndo: false };
  const original = looksDerived(tranId) ? byId.get(originalTranId) : undefined;
  return original && { call: original, isUndo: true };
}

function shouldOf({ told, follower }: LoadCall): Should {
  if (told.kind === 'open') return 'beEither';
  if (told.kind === 'nothing' || told.code !== '00') return 'beNothing';
  // Only a Reversal takes back what it acts on; the others book money of their own.
  if (follower?.parts.kind !== 'reversal') return 'stand';
  if (follower.told.kind === 'open') return 'beEither';
  return follower.isApproved ? 'beUndone' : 'stand';
}

const sum = (effects: readonly LedgerEffect[]): Balance => ({
  available: effects.reduce((total, { available }) => total + available, 0n),
  held: effects.reduce((total, { held }) => total + held, 0n),
});
const isSame = (a: Balance, b: Balance): boolean => a.available === b.available && a.held === b.held;
const isZero = ({ available, held }: Balance): boolean => available === 0n && held === 0n;

const NONE: Booked = { own: [], undos: [] };

function judgeCall(call: LoadCall, booked: BookedByCall): Difference[] {
  const should = shouldOf(call);
  return changesOf(call).flatMap(({ cardToken, ...change }) => {
    const found = booked.get(call)?.get(cardToken) ?? NONE;
    const kind = judge(should, call, change, found);
    if (kind === undefined) return [];
    const seen = `asked ${said(change)}, booked ${found.own.map(said).join(' and ') || 'nothing'}`;
    const undone = found.undos.length === 0 ? '' : `, undone ${found.undos.map(said).join(' and ')}`;
    return [
      {
        kind,
        what: `${call.name} on ${cardToken}, told ${toldOf(call)}: ${seen}${undone}`,
        mayPass: kind === 'notUndone',
      },
    ];
  });
}

/** What is wrong with one call on one card, if anything is. */
function judge(should: Should, call: LoadCall, change: Balance, { own, undos }: Booked): DifferenceKind | undefined {
  const [first] = own;
  const net = sum([...own, ...undos]);
  if (own.length > 1) return 'doubled';
  if (first && !isSame(first, change)) return 'wrongAmount';
  if (should === 'beEither') return isZero(net) || isSame(net, change) ? undefined : 'doubled';
  const isApproved = should === 'stand' || should === 'beUndone';
  if (isApproved && !first) return 'lost';
  if (should === 'stand') return undos.length > 0 ? 'undone' : undefined;
  if (isZero(net)) return undefined;
  if (undos.length > 0) return 'doubled';
  return should === 'beUndone' || isBeingUndone(call) ? 'notUndone' : 'madeUp';
}

/** 68: whatever the issuer did is being undone. */
const isBeingUndone = ({ told }: LoadCall): boolean => told.kind === 'final' && told.code === '68';

/** Two final answers to one call. */
export const changedAnswers = (call: LoadCall): Difference[] =>
  call.otherAnswers.length === 0
    ? []
    : [
        {
          kind: 'changed',
          what: `${call.name}: ${[toldOf(call), ...call.otherAnswers].join(', then ')}`,
          mayPass: false,
        },
      ];

function toldOf({ told }: LoadCall): string {
  if (told.kind === 'nothing') return 'that nothing was taken';
  return told.kind === 'open' ? 'nothing for certain' : told.code;
}

const said = ({ available, held }: Balance): string => `${available}${held === 0n ? '' : ` (held ${held})`}`;

const stranger = (card: string, { tranId, type, available, held }: LedgerEffect): Difference => ({
  kind: 'madeUp',
  what: `${type} ${tranId} on ${card}, ${said({ available, held })}: no call of this run asked for it (if others use the card, say --shared-cards)`,
  mayPass: false,
});

/** What is compared on each card. */
type Accounts = {
  readonly books: Books;
  readonly told: ReadonlyMap<string, Balance>;
  readonly strangers: readonly Stranger[];
  readonly isPending: boolean;
};

/** What the books should say of the card by what was told. */
function cardLine(
  { cardToken, before, after }: LedgerCard,
  { books: { cards, areShared }, told, strangers, isPending }: Accounts,
): { readonly line: CardLine; readonly difference: readonly Difference[] } {
  const card = cards.find(each => each.cardToken === cardToken);
  if (!card) throw new TypeError('the ledger has a card that was not asked for');
  const others = areShared ? sum(strangers.filter(each => each.card === cardToken).map(({ effect }) => effect)) : ZERO;
  const change = add(told.get(cardToken) ?? ZERO, others);
  return accountFor(card, { before, change, after, isPending });
}

export type Account = {
  readonly before: Balance;
  /** What was told, and what others did. */
  readonly change: Balance;
  readonly after: Balance;
  /** Undos may still be on their way. */
  readonly isPending: boolean;
};

/** A card's line, and what is wrong with it. */
export function accountFor(
  { cardToken, currency }: LoadCard,
  { before, change, after, isPending }: Account,
): { readonly line: CardLine; readonly difference: readonly Difference[] } {
  const expected = add(before, change);
  const wire = (minor: bigint): string => formatMoney({ minor, currency });
  const off = { available: after.available - expected.available, held: after.held - expected.held };
  const line = {
    cardToken,
    currency,
    before: wire(before.available),
    told: wire(change.available),
    expected: wire(expected.available),
    after: wire(after.available),
    difference: wire(off.available),
  };
  if (isZero(off)) return { line, difference: [] };
  const held = off.held === 0n ? '' : `; held is off by ${wire(off.held)}`;
  const what = `${cardToken}: available is ${line.after}, should be ${line.expected}${held}`;
  return { line, difference: [{ kind: 'balance', what, mayPass: isPending }] };
}

const ZERO: Balance = { available: 0n, held: 0n };
const add = (a: Balance, b: Balance): Balance => ({ available: a.available + b.available, held: a.held + b.held });

/** Whether undos may still be on their way. */
export const isPending = (calls: readonly LoadCall[]): boolean =>
  calls.some(call => isBeingUndone(call) || shouldOf(call) === 'beUndone');

/** What the answers add up to, card by card. What nobody could tell counts as the books have it. */
export function toldTotals(calls: readonly LoadCall[], booked: BookedByCall): ReadonlyMap<string, Balance> {
  const totals = new Map<string, Balance>();
  for (const call of calls) {
    const should = shouldOf(call);
    if (should !== 'stand' && should !== 'beEither') continue;
    for (const { cardToken, ...change } of changesOf(call)) {
      const { own, undos } = booked.get(call)?.get(cardToken) ?? NONE;
      const counts = should === 'stand' ? change : sum([...own, ...undos]);
      totals.set(cardToken, add(totals.get(cardToken) ?? ZERO, counts));
    }
  }
  return totals;
}
