/**
 * What is set on a card while it lives: blocked and frozen, its limits and where it may be used, its registration for
 * 3-D Secure, and the black and the white list.
 */
import type { WireFields } from '../../domain/message.ts';
import { parseMoney } from '../../domain/money.ts';
import { isObject } from '../body.ts';
import { LIMIT_TYPES } from '../products.ts';
import type { Card, CardLimit } from '../store/records.ts';
import { Decline, livingCard, type Turn } from '../turn.ts';

type Change = Partial<Card>;

/** What each `cardOptFlag` makes of a card; undefined where its status does not allow it. */
const STATUS_MOVES: ReadonlyMap<string, (card: Card) => Change | undefined> = new Map<
  string,
  (card: Card) => Change | undefined
>([
  ['B', ({ cardStatus }) => ('NO'.includes(cardStatus) ? { cardStatus: 'O' } : undefined)],
  ['C', ({ cardStatus }) => ('NO'.includes(cardStatus) ? { cardStatus: 'N' } : undefined)],
  ['D', () => ({ blockStatus: 'B' })],
  ['E', () => ({ blockStatus: 'N' })],
  ['G', () => ({ pinLocked: true })],
  // It ends the counting of wrong PINs too: this is how a card comes back that has used up its tries.
  ['H', () => ({ pinLocked: false, pinTries: 0 })],
]);

/** Setting what is set already is approved. 03: the card is closed, was replaced, or is not active yet. */
export function cardStatusUpdate(turn: Turn): WireFields {
  const card = livingCard(turn);
  const change = STATUS_MOVES.get(turn.fields.cardOptFlag ?? '')?.(card);
  if (!change) throw new Decline('03');
  const next = { ...card, ...change };
  turn.store.records.cards.save(next);
  return { cardToken: next.token, cardStatus: next.cardStatus, blockStatus: next.blockStatus };
}

/**
 * Sets the limits that the call lists and leaves the others; a record with neither amount nor count takes its limit off.
 * 12: no such limit; 13: an amount with more decimals than the card's currency has.
 */
export function cardLimitSetting(turn: Turn): WireFields {
  const card = livingCard(turn);
  const listed = turn.whole.recordList;
  const limits = (Array.isArray(listed) ? listed : []).map(record => limitOf(card, isObject(record) ? record : {}));
  for (const limit of limits) turn.store.records.limits.save(limit);
  turn.store.records.cards.save({ ...card, ...usesOf(turn) });
  return { cardToken: card.token };
}

function limitOf(card: Card, record: Readonly<Record<string, unknown>>): CardLimit {
  const { cardLimitType, limitAmount, limitCount } = record;
  if (typeof cardLimitType !== 'string' || !LIMIT_TYPES.has(cardLimitType)) throw new Decline('12');
  const amount = typeof limitAmount === 'string' ? parseMoney(limitAmount, card.currency) : undefined;
  if (typeof amount === 'string') throw new Decline('13');
  return {
    root: card.root,
    limitType: cardLimitType,
    amount: amount?.minor,
    count: typeof limitCount === 'string' ? Number(limitCount) : undefined,
  };
}

/** The four flags as the call has them; those that it has not are left out. */
function usesOf({ fields }: Turn): Change {
  const flags = {
    domestic: fields.domesticFlag,
    oversea: fields.overseaFlag,
    ecommerce: fields.ecommerceFlag,
    pos: fields.posFlag,
  };
  return Object.fromEntries(
    Object.entries(flags).flatMap(([use, flag]) => (flag === undefined ? [] : [[use, flag === 'Y']])),
  );
}

/**
 * Registers the card for 3-D Secure, by SMS where the call does not say how. Its holder is reached where the call says,
 * else where the customer's record says.
 */
export function cardSecureRegist(turn: Turn): WireFields {
  const card = livingCard(turn);
  const { registFlag, otpType = 'S', custMobile, custEmail } = turn.fields;
  const registered = registFlag === 'R';
  turn.store.records.cards.save({
    ...card,
    secureBy: registered ? otpType : undefined,
    secureMobile: registered ? custMobile : undefined,
    secureEmail: registered ? custEmail : undefined,
  });
  return { cardToken: card.token };
}

/** A blacklisted card pays nothing (05); a whitelisted one has no limits. */
export function updateBlacklist(turn: Turn): WireFields {
  const card = livingCard(turn);
  const listed = turn.fields.linkFlag === 'L';
  const change = turn.fields.listFlag === 'B' ? { blacklisted: listed } : { whitelisted: listed };
  turn.store.records.cards.save({ ...card, ...change });
  return { cardToken: card.token };
}
