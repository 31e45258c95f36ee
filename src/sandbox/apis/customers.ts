/**
 * Customers and their accounts: what they have, who they are, and which account a card draws on. A customer is made by
 * the first card application that names it, together with an account for the card.
 */
import type { WireFields } from '../../domain/message.ts';
import { PRODUCTS } from '../products.ts';
import type { Card, Customer, CustomerAccount } from '../store/records.ts';
import { Decline, knownCard, livingCard, type Turn } from '../turn.ts';
import { records, wire } from './inquiries.ts';

/** As many records as one page of a reply may have. */
const LISTED_MAX = 100;
const NEWEST = { order: 'rowid DESC', limit: LISTED_MAX };

/** The customer that the call names: 12 where the participant has none of this id. */
function knownCustomer(turn: Turn): Customer {
  const { customerId = '' } = turn.fields;
  const customer = turn.store.records.customers.find({ participantId: turn.participantId, customerId });
  if (!customer) throw new Decline('12');
  return customer;
}

/** The account that the call names: 12 where the participant has none of this number. */
function knownAccount(turn: Turn): CustomerAccount {
  const { accountNo = '' } = turn.fields;
  const account = turn.store.records.accounts.find({ participantId: turn.participantId, accountNo });
  if (!account) throw new Decline('12');
  return account;
}

/** Whether the call's identity document is the customer's: 05 where not. */
export function mustBeWho(turn: Turn, customer: Customer): void {
  const { custIdType, custIdNo } = turn.fields;
  if (custIdType !== customer.idType || custIdNo !== customer.idNo) throw new Decline('05');
}

/** What is told of a card. */
const cardRecord = (card: Card): WireFields => ({
  cardNumber: card.number.reveal(),
  cardToken: card.token,
  expiryDate: card.expiry,
  cardFlag: card.flag,
  cardProdCode: card.product,
  cardProdType: PRODUCTS.get(card.product)?.type ?? 'P',
  ...(card.picture !== undefined && { cardPicCode: card.picture }),
  openDate: card.openDate,
  cardStatus: card.cardStatus,
  blockStatus: card.blockStatus,
});

export const cardInfoInquiry = (turn: Turn): WireFields => cardRecord(knownCard(turn));

/** The newest first. */
export function customerCardInfoInquiry(turn: Turn): WireFields {
  const { participantId, customerId } = knownCustomer(turn);
  return records(turn.store.records.cards.list({ participantId, customerId }, NEWEST).map(cardRecord));
}

/** The newest first. A balance below zero, which the wire has no sign for, is left out. */
export function customerAccountInfoInquiry(turn: Turn): WireFields {
  const { participantId, customerId } = knownCustomer(turn);
  const accounts = turn.store.records.accounts.list({ participantId, customerId }, NEWEST);
  return records(accounts.map(account => accountRecord(turn, account)));
}

function accountRecord(turn: Turn, { accountNo, accountType, status, currency }: CustomerAccount): WireFields {
  const available = turn.store.balance(`available:${accountNo}`);
  const ledger = available + turn.store.balance(`held:${accountNo}`);
  return {
    accountNo,
    accountType,
    accountStatus: status,
    balanceCurrency: currency,
    ...(available >= 0n && { availableBalance: wire(available, currency) }),
    ...(ledger >= 0n && { ledgerBalance: wire(ledger, currency) }),
  };
}

export function customerInfoUpdate(turn: Turn): WireFields {
  const customer = knownCustomer(turn);
  turn.store.records.customers.save({ ...customer, ...contactsOf(turn) });
  return { customerId: customer.customerId };
}

/** What the call says of the customer, by property; what it does not say is left out. */
export function contactsOf({ fields }: Turn): Partial<Customer> {
  const said = {
    name: fields.custName,
    mobile: fields.custMobile,
    email: fields.custEmail,
    address: fields.custAddress,
    deliveryAddress: fields.deliveryAddress,
    deliveryPostCode: fields.deliveryPostCode,
    deliveryCountry: fields.deliveryCountry,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/**
 * Which account the card draws on from now: one of its own customer in its own currency (57), of the type that the call
 * says (12). What it held and paid before stays with the account that it was.
 */
export function accountLinkage(turn: Turn): WireFields {
  const card = livingCard(turn);
  const account = knownAccount(turn);
  const { accountType = account.accountType, linkFlag } = turn.fields;
  const isItsOwn = account.customerId === card.customerId && account.currency === card.currency;
  if (!isItsOwn || account.status === 'X') throw new Decline('57');
  const isLinked = card.account === account.accountNo;
  if (accountType !== account.accountType || (linkFlag === 'U' && !isLinked)) throw new Decline('12');
  turn.store.records.cards.save({ ...card, account: linkFlag === 'U' ? undefined : account.accountNo });
  return { cardToken: card.token, accountNo: account.accountNo };
}

/** What each `acctOptFlag` asks of the account's status, and makes of it. */
const ACCOUNT_MOVES: ReadonlyMap<string, { readonly from: string; readonly to: string }> = new Map([
  ['B', { from: 'NB', to: 'B' }],
  ['C', { from: 'NB', to: 'N' }],
  ['X', { from: 'NBX', to: 'X' }],
]);

/** A closed account is closed for good, and one with money on it is not closed: 12. */
export function accountStatusUpdate(turn: Turn): WireFields {
  const account = knownAccount(turn);
  const move = ACCOUNT_MOVES.get(turn.fields.acctOptFlag ?? '');
  if (!move?.from.includes(account.status)) throw new Decline('12');
  const { accountNo } = account;
  const isEmpty = [`available:${accountNo}`, `held:${accountNo}`] as const;
  if (move.to === 'X' && isEmpty.some(name => turn.store.balance(name) !== 0n)) throw new Decline('12');
  turn.store.records.accounts.save({ ...account, status: move.to });
  return { accountNo, accountStatus: move.to };
}
