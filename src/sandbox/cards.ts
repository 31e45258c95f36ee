/**
 * Cards as the ledger begins with them: the demo cards, made once, when the ledger is new, in a range that belongs to
 * nobody's real card here, with money on them and a demo customer who owns them; and how any card is put into the ledger.
 */
import type { CurrencyCode } from '../domain/currencies.ts';
import { parseMoney } from '../domain/money.ts';
import { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { dayOf, expiryIn, timeOf } from './calendar.ts';
import { CARD_PREFIX, digits, newPan } from './chance.ts';
import { PRODUCTS } from './products.ts';
import type { Card, Customer } from './store/records.ts';
import type { Store } from './store/store.ts';
import { availableOf, outside } from './turn.ts';

export const DEMO_PARTICIPANT = '100000';

/** Who owns the demo cards. */
export const DEMO_CUSTOMER: Customer = {
  participantId: DEMO_PARTICIPANT,
  customerId: 'DEMO-CUSTOMER',
  idType: 'P',
  idNo: 'DEMO-0001',
  name: 'Demo Customer',
  mobile: '+12025550100',
  email: 'demo@example.com',
  address: undefined,
  deliveryAddress: undefined,
  deliveryPostCode: undefined,
  deliveryCountry: undefined,
};

const YEARS_VALID = 4;
const ACCOUNT_DIGITS = 10;
/** The one type of account that the demo issuer has. */
const ACCOUNT_TYPE = '10';

type Seed = {
  readonly product: string;
  readonly balance: string;
  /** A fixed token, for a card that is made to be refused; credentials.json does not name it. */
  readonly token?: string;
  readonly blockStatus?: 'B';
  readonly expired?: true;
};

const SEEDS: readonly Seed[] = [
  { product: 'PREPAID01', balance: '25000.00' },
  { product: 'PREPAID01', balance: '10000.00' },
  { product: 'PREPAID02', balance: '1500000' },
  { product: 'PREPAID03', balance: '5000.000' },
  { product: 'PREPAID01', balance: '1000.00', token: `${CARD_PREFIX}-demo-frozen`, blockStatus: 'B' },
  { product: 'PREPAID01', balance: '1000.00', token: `${CARD_PREFIX}-demo-expired`, expired: true },
];

/** The demo cards that credentials.json promises in US dollars; a start that finds fewer makes more. */
const LISTED_MIN = 2;
const PROMISED = { product: 'PREPAID01', balance: '10000.00' };

/**
 * Makes the demo cards where the ledger has none yet, and new ones in the place of those that were closed or blocked since.
 * All of them or none: a crash half way leaves a new ledger.
 */
export function seedCards(store: Store, clock: Clock, random: Random): void {
  store.inTransaction(() => {
    const cards = store.cards();
    const fit = listedCards(store).filter(({ product }) => product === PROMISED.product);
    const missing: readonly Seed[] = Array.from({ length: Math.max(LISTED_MIN - fit.length, 0) }, () => PROMISED);
    const { participantId, customerId } = DEMO_CUSTOMER;
    if (!store.records.customers.find({ participantId, customerId })) store.records.customers.save(DEMO_CUSTOMER);
    for (const seed of cards.length === 0 ? SEEDS : missing) addDemoCard(store, seed, clock, random);
  });
}

/** The cards that credentials.json names: the demo cards that pay, those in dollars first, as the first call is made in them. */
export const listedCards = (store: Store): readonly Card[] =>
  store
    .cards()
    .filter(card => card.listed && card.cardStatus === 'N' && card.blockStatus === 'N' && card.account !== undefined)
    .toSorted((a, b) => Number(b.product === PROMISED.product) - Number(a.product === PROMISED.product));

function addDemoCard(store: Store, seed: Seed, clock: Clock, random: Random): void {
  const currency = PRODUCTS.get(seed.product)?.currency;
  const opening = currency === undefined ? 'form' : parseMoney(seed.balance, currency);
  if (currency === undefined || typeof opening === 'string') throw new TypeError('a demo card that cannot be made');
  const newDigits = (count: number): string => digits(random, count);
  const card = openCard(store, {
    // As long as the wire allows: 4, a dash and 22 characters of chance.
    token: seed.token ?? `${CARD_PREFIX}-${random.id()}`,
    participantId: DEMO_PARTICIPANT,
    customerId: DEMO_CUSTOMER.customerId,
    number: new Secret(newPan(newDigits)),
    expiry: expiryIn(clock.wallMs(), seed.expired ? -1 : YEARS_VALID),
    flag: 'V',
    product: seed.product,
    currency,
    account: openAccount(store, DEMO_CUSTOMER, currency, newDigits),
    openDate: dayOf(clock.wallMs()),
    cardStatus: 'N',
    blockStatus: seed.blockStatus ?? 'N',
    listed: seed.token === undefined,
    // So that one-time passwords can be tried at once.
    secureBy: 'S',
  });
  bookOpening(store, clock, card, opening.minor);
}

/** A new account of the customer, with nothing on it. Tells its number. */
export function openAccount(
  store: Store,
  { participantId, customerId }: Pick<Customer, 'participantId' | 'customerId'>,
  currency: CurrencyCode,
  newDigits: (count: number) => string,
): string {
  const { accounts } = store.records;
  let accountNo = newDigits(ACCOUNT_DIGITS);
  while (accounts.find({ accountNo })) accountNo = newDigits(ACCOUNT_DIGITS);
  accounts.save({ accountNo, participantId, customerId, accountType: ACCOUNT_TYPE, status: 'N', currency });
  for (const side of ['available', 'held'] as const) store.openAccount(`${side}:${accountNo}`, currency);
  store.openAccount(`external:${currency}`, currency);
  return accountNo;
}

/** What a card is made of: what has to be said, and what is said only where it is not as usual. */
export type CardDraft = Pick<
  Card,
  | 'token'
  | 'participantId'
  | 'customerId'
  | 'number'
  | 'expiry'
  | 'flag'
  | 'product'
  | 'currency'
  | 'account'
  | 'openDate'
  | 'cardStatus'
> &
  Partial<Card>;

/** Puts a new card into the records, the first of its line: unlisted, without PIN or limits, to be used everywhere. */
export function openCard(store: Store, draft: CardDraft): Card {
  const card: Card = {
    root: draft.token,
    picture: undefined,
    embossName: undefined,
    blockStatus: 'N',
    listed: false,
    place: store.records.nextPlace(),
    pin: undefined,
    pinTries: 0,
    pinLocked: false,
    domestic: true,
    oversea: true,
    ecommerce: true,
    pos: true,
    blacklisted: false,
    whitelisted: false,
    secureBy: undefined,
    secureMobile: undefined,
    secureEmail: undefined,
    dcvvCount: 0,
    dcvvUntilMs: 0,
    ...draft,
  };
  store.records.cards.save(card);
  return card;
}

/** Books the money that a card begins with, in minor units. Runs inside the caller's transaction. */
export function bookOpening(store: Store, clock: Clock, card: Card, opening: bigint): void {
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
    cardToken: card.root,
    otherCardToken: undefined,
    account: card.account,
    otherAccount: undefined,
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
