/**
 * The demo cards: made once, when the ledger is new, with numbers that pass the Luhn check in a range that belongs to
 * nobody's real card here, and with money on them. Later starts find them as they were left.
 */
import { isPan } from '../domain/card.ts';
import { type CurrencyCode, isCurrencyCode } from '../domain/currencies.ts';
import { parseMoney } from '../domain/money.ts';
import { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Card } from './rows.ts';
import type { Store } from './store.ts';
import { availableOf, heldOf, outside } from './turn.ts';

/** Where the demo cards begin: the prefix that the sandbox's routes know. */
export const CARD_PREFIX = '4220';
export const DEMO_PARTICIPANT = '100000';

const PAN_LENGTH = 16;
const YEARS_VALID = 4;

type Seed = {
  readonly currency: string;
  readonly balance: string;
  /** A fixed token, for a card that is made to be refused; credentials.json does not name it. */
  readonly token?: string;
  readonly blockStatus?: 'B';
  readonly expired?: true;
};

const SEEDS: readonly Seed[] = [
  { currency: '840', balance: '25000.00' },
  { currency: '840', balance: '10000.00' },
  { currency: '392', balance: '1500000' },
  { currency: '414', balance: '5000.000' },
  { currency: '840', balance: '1000.00', token: `${CARD_PREFIX}-demo-frozen`, blockStatus: 'B' },
  { currency: '840', balance: '1000.00', token: `${CARD_PREFIX}-demo-expired`, expired: true },
];

/** A card to put into the ledger, with what is on it in minor units. */
export type CardToAdd = { readonly card: Card; readonly opening: bigint };

/** Makes the demo cards where the ledger has none yet. All of them or none: a crash half way leaves a new ledger. */
export function seedCards(store: Store, clock: Clock, random: Random): void {
  store.inTransaction(() => {
    if (store.cards().length > 0) return;
    SEEDS.forEach((seed, place) => {
      addCard(store, clock, demoCard(seed, clock, random), place);
    });
  });
}

/** Puts one card into the ledger and its money on it. Runs inside the caller's transaction. */
export function addCard(store: Store, clock: Clock, { card, opening }: CardToAdd, place: number): void {
  store.addCard(card, place);
  for (const account of [availableOf(card), heldOf(card), outside(card)]) store.openAccount(account, card.currency);
  if (opening === 0n) return;
  const seq = store.nextSeq();
  const nowMs = clock.wallMs();
  store.addCall({
    seq,
    participantId: card.participantId,
    // No caller's tranId has a slash, so this row can be named by nobody.
    tranId: `opening/${card.token}`,
    api: 'Opening',
    content: '{}',
    cardToken: card.token,
    otherCardToken: undefined,
    code: '00',
    answer: '{}',
    authCode: undefined,
    amount: opening,
    currency: card.currency,
    booked: opening,
    originalTranId: undefined,
    tranDate: dayOf(nowMs),
    tranTime: timeOf(nowMs),
    atMs: nowMs,
  });
  store.move(seq, outside(card), availableOf(card), opening);
}

function demoCard(seed: Seed, clock: Clock, random: Random): CardToAdd {
  const card: Card = {
    // As long as the wire allows: 4, a dash and 22 characters of chance.
    token: seed.token ?? `${CARD_PREFIX}-${random.id()}`,
    participantId: DEMO_PARTICIPANT,
    number: new Secret(makePan(random)),
    expiry: expiryIn(clock, seed.expired ? -1 : YEARS_VALID),
    cvv2: new Secret(digits(random, 3)),
    currency: currencyOf(seed),
    cardStatus: 'N',
    blockStatus: seed.blockStatus ?? 'N',
    listed: seed.token === undefined,
  };
  const opening = parseMoney(seed.balance, card.currency);
  if (typeof opening === 'string') throw new TypeError('a demo card has a balance that is no amount');
  return { card, opening: opening.minor };
}

function currencyOf(seed: Seed): CurrencyCode {
  if (!isCurrencyCode(seed.currency)) throw new TypeError('a demo card has a currency that is none');
  return seed.currency;
}

/** A number with the demo prefix and a good check digit (Luhn). */
function makePan(random: Random): string {
  const body = CARD_PREFIX + digits(random, PAN_LENGTH - CARD_PREFIX.length - 1);
  const check = [...'0123456789'].find(digit => isPan(body + digit));
  if (check === undefined) throw new TypeError('one of ten digits is always the check digit');
  return body + check;
}

const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random.fraction() * 10)).join('');

/** YYMM so many years from now. */
function expiryIn(clock: Clock, years: number): string {
  const day = dayOf(clock.wallMs());
  return String(Number(day.slice(2, 4)) + years).padStart(2, '0') + day.slice(4, 6);
}

const stamp = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:T]/g, '');

/** The UTC day, YYYYMMDD. */
export const dayOf = (ms: number): string => stamp(ms).slice(0, 8);
/** The UTC time of day, HHMMSS. */
export const timeOf = (ms: number): string => stamp(ms).slice(8, 14);
