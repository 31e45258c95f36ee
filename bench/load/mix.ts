/**
 * What a load is made of: the kinds of calls, one row each, and the mix of them that was asked for. A kind that acts on an
 * earlier transaction takes one that this load has made and that nothing else was done to.
 */
import type { ApiName } from '../../src/client/client.ts';
import { didYouMean } from '../../src/config/suggest.ts';

/** What a call does to the money of its card, in parts of its amount; `other`: to the card of the other side. */
export type Effect = { readonly available: bigint; readonly held: bigint; readonly other?: bigint };

export type Kind = {
  readonly api: ApiName;
  /** Its name in the report, where the API's name would not do. */
  readonly label?: string;
  readonly effect: Effect;
  /** Keeps its approved transactions for the kinds that take one. */
  readonly keeps?: Pool;
  /** Takes the transaction that it acts on from the first of these that has one. */
  readonly takes?: readonly Pool[];
  /** Made in its place while there is nothing to take. */
  readonly orElse?: KindName;
  /** Not journalled by the gateway: a new question each time. */
  readonly isInquiry?: true;
};

/** Approved transactions that something may still be done to. */
export type Pool = 'paid' | 'drawn' | 'held';

export const KIND_NAMES = [
  'purchase',
  'withdraw',
  'refund',
  'loadFund',
  'transferFund',
  'blockFund',
  'unblockFund',
  'completion',
  'reversal',
  'balance',
] as const;
export type KindName = (typeof KIND_NAMES)[number];

const DEBIT: Effect = { available: -1n, held: 0n };
const CREDIT: Effect = { available: 1n, held: 0n };
export const NO_EFFECT: Effect = { available: 0n, held: 0n };

export const KINDS: Readonly<Record<KindName, Kind>> = {
  purchase: { api: 'Purchase', effect: DEBIT, keeps: 'paid' },
  withdraw: { api: 'Withdraw', effect: DEBIT, keeps: 'drawn' },
  refund: { api: 'Refund', effect: CREDIT, takes: ['paid'], orElse: 'purchase' },
  loadFund: { api: 'LoadFund', effect: CREDIT },
  transferFund: { api: 'TransferFund', effect: { ...DEBIT, other: 1n } },
  blockFund: { api: 'BlockFund', effect: { available: -1n, held: 1n }, keeps: 'held' },
  unblockFund: { api: 'UnblockFund', effect: { available: 1n, held: -1n }, takes: ['held'], orElse: 'blockFund' },
  // The whole hold is spent.
  completion: {
    api: 'Purchase',
    label: 'Purchase of a hold',
    effect: { available: 0n, held: -1n },
    takes: ['held'],
    orElse: 'blockFund',
  },
  // What it does to the money is done by the undo of its original, under an id of the gateway's own.
  reversal: { api: 'Reversal', effect: NO_EFFECT, takes: ['drawn', 'paid'], orElse: 'purchase' },
  balance: { api: 'BalanceInquiry', effect: NO_EFFECT, isInquiry: true },
};

/** A call that was answered is made again as it was: the same answer must come, from the journal. */
export const REPLAY = 'replay';
export const REPLAY_LABEL = 'the same again';
export type Ingredient = KindName | typeof REPLAY;
export const INGREDIENTS: readonly Ingredient[] = [...KIND_NAMES, REPLAY];

export const labelOf = (kind: KindName): string => KINDS[kind].label ?? KINDS[kind].api;

/** The parts of a mix, by weight. */
export type Mix = readonly { readonly what: Ingredient; readonly weight: number }[];

export const MIX_DEFAULT =
  'purchase:50,withdraw:8,loadFund:8,refund:5,blockFund:8,unblockFund:4,completion:4,reversal:5,balance:5,replay:3';

const WEIGHT = /^\d{1,6}(\.\d{1,3})?$/;
const isIngredient = (name: string): name is Ingredient => INGREDIENTS.some(each => each === name);

/** Reads `purchase:70,withdraw:10`; all that is wrong with it where it is none. */
export function parseMix(text: string): Mix | { readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  const weights = new Map<Ingredient, number>();
  for (const part of text.split(',')) {
    const [name = '', weight = '', ...more] = part.trim().split(':');
    if (!isIngredient(name)) {
      wrong.push(
        `has no ${name || 'empty part'}: ${didYouMean(name, INGREDIENTS, `there is ${INGREDIENTS.join(', ')}`)}`,
      );
    } else if (!WEIGHT.test(weight) || more.length > 0) {
      wrong.push(`needs a weight for ${name}, such as ${name}:10`);
    } else if (weights.has(name)) wrong.push(`names ${name} twice`);
    else weights.set(name, Number(weight));
  }
  if (wrong.length > 0) return { wrong };
  const mix = [...weights].flatMap(([what, weight]) => (weight > 0 ? [{ what, weight }] : []));
  return mix.length > 0 ? mix : { wrong: ['needs a weight above 0'] };
}

/** What the next call is; `lot` is in [0, 1). */
export function pick(mix: Mix, lot: number): Ingredient {
  let left = lot * mix.reduce((sum, { weight }) => sum + weight, 0);
  for (const { what, weight } of mix) {
    left -= weight;
    if (left < 0) return what;
  }
  // Only where the sum was rounded.
  return mix.at(-1)?.what ?? 'purchase';
}
