/**
 * A card's life: applied for, activated, replaced, given another expiry date, closed. An issued card is inactive until its
 * holder proves to have it; one that was replaced or closed never comes back, while its tokens for books and history go on.
 */
import { isPan } from '../../domain/card.ts';
import type { WireFields } from '../../domain/message.ts';
import { Secret } from '../../domain/secret.ts';
import { dayOf, expiryIn, hasEnded } from '../calendar.ts';
import { type CardDraft, openAccount, openCard } from '../cards.ts';
import { CARD_PREFIX, newPan } from '../chance.ts';
import { CLOSE_REASONS, PRODUCTS, REPLACE_REASONS } from '../products.ts';
import type { Card, Customer } from '../store/records.ts';
import { Decline, livingCard, mustBeItsCvv2, mustBeItsExpiry, type Turn } from '../turn.ts';
import { contactsOf, mustBeWho } from './customers.ts';
import { endTokens } from './tokens.ts';

const YEARS_VALID = 4;
/** Chance finds a free number at once; a range that is nearly full is a defect of the sandbox. */
const NUMBER_TRIES = 100;

/**
 * Issues a card, inactive and empty, with an account of its own, and makes the customer where it is new. 12: no such
 * product; 02: the named number is not of this issuer's range or is taken; 05: another document than the customer's.
 */
export function cardApplication(turn: Turn): WireFields {
  const { fields, participantId, nowMs } = turn;
  const { cardProdCode = '', cardNumber } = fields;
  const product = PRODUCTS.get(cardProdCode);
  if (!product) throw new Decline('12');
  const number = cardNumber === undefined ? freeNumber(turn) : namedNumber(turn, cardNumber);
  const customer = applicant(turn);
  const draft: CardDraft = {
    token: newToken(turn),
    participantId,
    customerId: customer.customerId,
    number: new Secret(number),
    expiry: expiryIn(nowMs, YEARS_VALID),
    flag: fields.cardFlag ?? 'V',
    product: cardProdCode,
    currency: product.currency,
    account: openAccount(turn.store, customer, product.currency, turn.newDigits),
    openDate: dayOf(nowMs),
    cardStatus: 'U',
    picture: fields.cardPicCode,
    embossName: fields.cardEmbossName,
  };
  const card = openCard(turn.store, draft);
  return {
    cardApplyNo: `AP${turn.seq}`,
    customerId: customer.customerId,
    cardNumber: number,
    cardToken: card.token,
    expiryDate: card.expiry,
  };
}

/** The customer of an application, as it now is. */
function applicant(turn: Turn): Customer {
  const { customerId = '', custIdType = '', custIdNo = '' } = turn.fields;
  const key = { participantId: turn.participantId, customerId };
  const known = turn.store.records.customers.find(key);
  if (known) mustBeWho(turn, known);
  const nothing = {
    name: undefined,
    mobile: undefined,
    email: undefined,
    address: undefined,
    deliveryAddress: undefined,
    deliveryPostCode: undefined,
    deliveryCountry: undefined,
  };
  const customer = { ...nothing, ...known, ...contactsOf(turn), ...key, idType: custIdType, idNo: custIdNo };
  turn.store.records.customers.save(customer);
  return customer;
}

/** As long as the wire allows: 4, a dash and 22 characters of chance. */
const newToken = (turn: Turn): string => `${CARD_PREFIX}-${turn.newId()}`;

const isTaken = (turn: Turn, number: string): boolean =>
  turn.store.records.cards.find({ number: new Secret(number) }) !== undefined;

function freeNumber(turn: Turn): string {
  for (let tries = 0; tries < NUMBER_TRIES; tries++) {
    const number = newPan(turn.newDigits);
    if (!isTaken(turn, number)) return number;
  }
  throw new RangeError('no free card number was found');
}

function namedNumber(turn: Turn, number: string): string {
  if (!isPan(number) || !number.startsWith(CARD_PREFIX) || isTaken(turn, number)) throw new Decline('02');
  return number;
}

/** Whoever activates a card has it in hand and is its customer: 54, 82, 05. A card that is active already: 03. */
export function cardActivation(turn: Turn): WireFields {
  const card = livingCard(turn);
  if (card.cardStatus !== 'U') throw new Decline('03');
  mustBeItsExpiry(turn, card);
  if (hasEnded(card.expiry, turn.nowMs)) throw new Decline('54');
  mustBeItsCvv2(turn, card);
  const { customerId } = card;
  const customer = turn.store.records.customers.find({ participantId: card.participantId, customerId });
  if (!customer || turn.fields.customerId !== customerId) throw new Decline('05');
  mustBeWho(turn, customer);
  turn.store.records.cards.save({ ...card, cardStatus: 'N' });
  return { cardToken: card.token, cardStatus: 'N' };
}

type Replace = (turn: Turn, card: Card, leaves: string) => Card;

/** What becomes of the card by `replaceType`. The money, the limits, the PIN and the history stay with its line. */
const REPLACEMENTS: ReadonlyMap<string, Replace> = new Map<string, Replace>([
  /** The same number and token on a new card: a new expiry date and so a new CVV2, to be activated. */
  ['S', (turn, card) => renewed(turn, { ...card, expiry: expiryIn(turn.nowMs, YEARS_VALID), cardStatus: 'U' })],
  ['N', (turn, card, leaves) => succeeded(turn, card, namedNumber(turn, turn.fields.newCardNumber ?? ''), leaves)],
  ['R', (turn, card, leaves) => succeeded(turn, card, freeNumber(turn), leaves)],
  /** The same card, in plastic too; it goes on as it is. 12 where it is physical already. */
  [
    'P',
    (turn, card) => {
      if (card.flag !== 'V') throw new Decline('12');
      return renewed(turn, { ...card, flag: 'P' });
    },
  ],
]);

/** 03: the card is closed or was replaced before; 12: no such reason. */
export function cardReplacement(turn: Turn): WireFields {
  const card = livingCard(turn);
  const reason = REPLACE_REASONS.get(turn.fields.reasonCode ?? '');
  const replace = REPLACEMENTS.get(turn.fields.replaceType ?? '');
  if (!reason || !replace) throw new Decline('12');
  const next = replace(turn, card, reason.leaves);
  return { cardToken: next.token, cardNumber: next.number.reveal(), expiryDate: next.expiry };
}

function renewed(turn: Turn, card: Card): Card {
  // A dynamic CVV was made for the card as it was.
  const saved = { ...card, dcvvUntilMs: 0 };
  turn.store.records.cards.save(saved);
  return saved;
}

/** A new card, number and token in the line of the old one, which ends as `leaves` says. */
function succeeded(turn: Turn, card: Card, number: string, leaves: string): Card {
  const { cards } = turn.store.records;
  cards.save({ ...card, cardStatus: leaves, listed: false });
  return renewed(turn, {
    ...card,
    token: newToken(turn),
    number: new Secret(number),
    expiry: expiryIn(turn.nowMs, YEARS_VALID),
    openDate: dayOf(turn.nowMs),
    cardStatus: 'U',
    blockStatus: 'N',
    place: turn.store.records.nextPlace(),
  });
}

/** Closes the card for good, with its network tokens. What is on its account stays there. 12: no such reason. */
export function cardCancellation(turn: Turn): WireFields {
  const card = livingCard(turn);
  if (!CLOSE_REASONS.has(turn.fields.reasonCode ?? '')) throw new Decline('12');
  turn.store.records.cards.save({ ...card, cardStatus: 'X' });
  endTokens(turn, card);
  return { cardToken: card.token, cardStatus: 'X' };
}

/** 54: a date that is over. The CVV2 changes with the date. */
export function cardExpiryDateUpdate(turn: Turn): WireFields {
  const card = livingCard(turn);
  const { expiryDate = '' } = turn.fields;
  if (hasEnded(expiryDate, turn.nowMs)) throw new Decline('54');
  renewed(turn, { ...card, expiry: expiryDate });
  return { cardToken: card.token, expiryDate };
}
