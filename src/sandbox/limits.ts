/**
 * What a card may be used for: where, by the flags of CardLimitSetting, and how much and how often, by its limits. The
 * flags and limits belong to the card's holder, so that the institution's own bookings do not ask them.
 */
import { dayStart, monthStart } from './calendar.ts';
import { LIMIT_TYPES, type LimitType, SPENDING_APIS, type Spending } from './products.ts';
import type { Card } from './store/records.ts';
import { Decline, type Turn } from './turn.ts';

/** Where the demo cards are at home: `merchantCountry` of a domestic transaction. Without a country it is domestic. */
const HOME_COUNTRY = 'USA';

const CHANNEL_FLAGS: ReadonlyMap<string, 'ecommerce' | 'pos'> = new Map([
  ['ECOM', 'ecommerce'],
  ['POS', 'pos'],
]);

/** Whether the card may be used where the call comes from: 57 where not. */
export function mustBeAllowedHere(turn: Turn, card: Card): void {
  const { merchantCountry = HOME_COUNTRY, msgChannel = '' } = turn.fields;
  const place = merchantCountry.toUpperCase() === HOME_COUNTRY ? 'domestic' : 'oversea';
  const channel = CHANNEL_FLAGS.get(msgChannel.toUpperCase());
  if (!card[place] || (channel && !card[channel])) throw new Decline('57');
}

/** More than the limits that there are. */
const LIMITS_MAX = 100;

/** Whether this amount keeps every limit of the card: 61 by amount, 65 by count. A whitelisted card has no limits. */
export function mustKeepLimits(turn: Turn, card: Card, of: Spending, amount: bigint): void {
  if (card.whitelisted) return;
  const limits = turn.store.records.limits.list({ root: card.root }, { order: 'limit_type', limit: LIMITS_MAX });
  for (const limit of limits) {
    const type = LIMIT_TYPES.get(limit.limitType);
    if (type?.of !== of) continue;
    const before = spentBefore(turn, card, type);
    if (limit.amount !== undefined && before.amount + amount > limit.amount) throw new Decline('61');
    if (limit.count !== undefined && before.count + 1 > limit.count) throw new Decline('65');
  }
}

function spentBefore(
  turn: Turn,
  card: Card,
  { of, per }: LimitType,
): { readonly amount: bigint; readonly count: number } {
  if (per === 'transaction') return { amount: 0n, count: 0 };
  const since = per === 'day' ? dayStart(turn.nowMs) : monthStart(turn.nowMs);
  return turn.store.spent(card.root, SPENDING_APIS[of], since);
}
