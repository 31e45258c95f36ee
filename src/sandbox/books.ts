/**
 * What the sandbox shows of its ledger: one card with its balances, holds and every effect under its `tranId`, and the
 * books as a whole, which always add up to zero. Amounts are text with a sign where they are negative; they are the truth, not the wire.
 */
import type { CurrencyCode } from '../domain/currencies.ts';
import { wire } from './apis/inquiries.ts';
import type { Card } from './store/records.ts';
import type { HoldPart } from './store/rows.ts';
import type { Store } from './store/store.ts';
import { availableOf, heldOf } from './turn.ts';

/** Newest effects and hold parts that one answer shows: a bound on its size, far beyond what a person reads. */
const SHOWN_MAX = 10_000;

export type CardView = {
  readonly cardToken: string;
  readonly participantId: string;
  /** The one that it draws on; absent while it is linked to none. */
  readonly accountNo?: string;
  readonly balanceCurrency: string;
  readonly availableBalance: string;
  readonly ledgerBalance: string;
  readonly blockedAmount: string;
  readonly holds: readonly HoldView[];
  /** Oldest first; of more than the limit only the newest, or the first of those that were asked for. */
  readonly effects: readonly EffectView[];
  readonly effectsTotal: number;
};

export type HoldView = {
  /** The first BlockFund. */
  readonly tranId: string;
  readonly state: 'open' | 'released' | 'completed';
  readonly amount: string;
  readonly remaining: string;
  readonly completedBy?: string;
  readonly parts: readonly { readonly tranId: string; readonly amount: string; readonly remaining: string }[];
};

export type EffectView = {
  readonly tranId: string;
  readonly tranType: string;
  readonly originalTranId?: string;
  readonly reversedBy?: string;
  /** What it changed on this card. */
  readonly availableChange: string;
  readonly blockedChange: string;
  readonly at: string;
};

/**
 * The card as the ledger has it; undefined where there is none. With `after`, its first so many effects are left out, so
 * that all of them can be read in turns.
 */
export function viewCard(store: Store, cardToken: string, after?: number): CardView | undefined {
  const card = store.cardByToken(cardToken);
  if (!card) return undefined;
  const isLinked = card.account !== undefined;
  const available = isLinked ? store.balance(availableOf(card)) : 0n;
  const held = isLinked ? store.balance(heldOf(card)) : 0n;
  return {
    cardToken,
    participantId: card.participantId,
    ...(card.account !== undefined && { accountNo: card.account }),
    balanceCurrency: card.currency,
    availableBalance: wire(available, card.currency),
    ledgerBalance: wire(available + held, card.currency),
    blockedAmount: wire(held, card.currency),
    holds: viewHolds(store, card),
    effects: viewEffects(store, card, after),
    effectsTotal: store.countEffects(card.root),
  };
}

function viewEffects(store: Store, card: Card, after: number | undefined): readonly EffectView[] {
  return store.effects(card.root, SHOWN_MAX, after).map(call => ({
    tranId: call.tranId,
    tranType: call.api,
    ...(call.originalTranId !== undefined && { originalTranId: call.originalTranId }),
    ...(call.reversedBy !== undefined && { reversedBy: call.reversedBy }),
    availableChange: wire(call.available, card.currency),
    blockedChange: wire(call.held, card.currency),
    at: new Date(call.atMs).toISOString(),
  }));
}

function viewHolds(store: Store, card: Card): readonly HoldView[] {
  const byRoot = Map.groupBy(store.holdPartsOfCard(card.root, SHOWN_MAX), part => part.rootSeq);
  return [...byRoot.values()].flatMap(parts => {
    const root = parts.find(part => part.seq === part.rootSeq);
    return root ? [viewHold(root, parts, card.currency)] : [];
  });
}

function viewHold(root: HoldPart, parts: readonly HoldPart[], currency: CurrencyCode): HoldView {
  const remaining = parts.reduce((sum, part) => sum + part.remaining, 0n);
  const open = remaining > 0n ? 'open' : 'released';
  return {
    tranId: root.tranId,
    state: root.completedBy === undefined ? open : 'completed',
    amount: wire(
      parts.reduce((sum, part) => sum + part.amount, 0n),
      currency,
    ),
    remaining: wire(remaining, currency),
    ...(root.completedBy !== undefined && { completedBy: root.completedBy }),
    parts: parts.map(part => ({
      tranId: part.tranId,
      amount: wire(part.amount, currency),
      remaining: wire(part.remaining, currency),
    })),
  };
}

export type BooksView = {
  /** The cards' tokens, in the order in which they were made. */
  readonly cards: readonly string[];
  /** One line per currency; `sum` is always zero. */
  readonly currencies: readonly {
    readonly currency: string;
    readonly available: string;
    readonly held: string;
    readonly external: string;
    readonly sum: string;
  }[];
};

/** The books as a whole: what is on the cards is what came from outside, to the minor unit. */
export function viewBooks(store: Store): BooksView {
  const byCurrency = Map.groupBy(store.accounts(), account => account.currency);
  const currencies = [...byCurrency].map(([currency, accounts]) => {
    const sumOf = (prefix: string): bigint =>
      accounts.filter(({ name }) => name.startsWith(prefix)).reduce((sum, { balance }) => sum + balance, 0n);
    return {
      currency,
      available: wire(sumOf('available:'), currency),
      held: wire(sumOf('held:'), currency),
      external: wire(sumOf('external:'), currency),
      sum: wire(sumOf(''), currency),
    };
  });
  return { cards: store.cards().map(card => card.token), currencies };
}
