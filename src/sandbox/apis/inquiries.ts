/**
 * The APIs that only ask: balance, card verification and the two histories. They change nothing and are not kept, so a
 * repeated `tranId` is answered afresh.
 */
import type { CurrencyCode } from '../../domain/currencies.ts';
import type { WireFields } from '../../domain/message.ts';
import { formatMoney } from '../../domain/money.ts';
import { mustBeAllowedHere } from '../limits.ts';
import type { Card } from '../store/records.ts';
import type { PastCall } from '../store/rows.ts';
import { availableOf, type Fields, heldOf, knownCard, payingCard, type Turn } from '../turn.ts';

/** Page sizes as in the catalogue: 20 unless asked, never more than 100. */
const PAGE_SIZE = 20;
const PAGE_SIZE_MAX = 100;

/**
 * The balances as the wire tells them. It has no sign: below zero nothing is available, and a negative ledger balance is
 * left out rather than told wrong.
 */
export function balancesOf(turn: Pick<Turn, 'store'>, card: Card): Fields {
  const available = turn.store.balance(availableOf(card));
  const ledger = available + turn.store.balance(heldOf(card));
  return {
    availableBalance: wire(available < 0n ? 0n : available, card.currency),
    ...(ledger >= 0n && { ledgerBalance: wire(ledger, card.currency) }),
    balanceCurrency: card.currency,
  };
}

/** An amount of minor units in wire form. */
export const wire = (minor: bigint, currency: CurrencyCode): string => formatMoney({ minor, currency });

export function balanceInquiry(turn: Turn): WireFields {
  const card = knownCard(turn);
  return { ...balancesOf(turn, card), blockedAmount: wire(turn.store.balance(heldOf(card)), card.currency) };
}

/** An account status inquiry: says what a Purchase would say of the card, its expiry date and CVV2, without an amount. */
export function verification(turn: Turn): WireFields {
  const card = payingCard(turn);
  mustBeAllowedHere(turn, card);
  return { cardStatus: card.cardStatus };
}

export function transactionHistory(turn: Turn): WireFields {
  const card = knownCard(turn);
  return records(
    turn.store.history(card.root, pageOf(turn.fields), 'booked').map(call => transactionRecord(call, card)),
  );
}

export function authorizationHistory(turn: Turn): WireFields {
  const card = knownCard(turn);
  return records(
    turn.store.history(card.root, pageOf(turn.fields), 'authorized').map(call => authorizationRecord(call, card)),
  );
}

/** A page of records as the wire has it. */
export const records = (recordList: readonly WireFields[]): WireFields => ({
  recordNum: String(recordList.length),
  recordList,
});

/** Days are the senders' own `tranDate`, both ends included. */
function pageOf(fields: Fields): { from: string; to: string; limit: number; offset: number } {
  const limit = Math.min(Math.max(Number(fields.pageSize ?? PAGE_SIZE), 1), PAGE_SIZE_MAX);
  const page = Math.max(Number(fields.pageNum ?? 1), 1);
  return { from: fields.startDate ?? '00000000', to: fields.endDate ?? '99999999', limit, offset: (page - 1) * limit };
}

/** What every record begins with. The amount is what was booked where that can be told in the transaction's currency. */
function recordHead(call: PastCall, card: Card): WireFields {
  const currency = call.currency ?? card.currency;
  const minor = currency === card.currency ? (call.booked ?? call.amount) : call.amount;
  return {
    tranId: call.tranId,
    tranDate: call.tranDate,
    tranTime: call.tranTime,
    tranType: call.api,
    tranAmount: wire(minor ?? 0n, currency),
    tranCurrency: currency,
  };
}

function transactionRecord(call: PastCall, card: Card): WireFields {
  const sent = sentFields(call);
  // The currency of a transfer is that of both cards, so that only the card's own calls can have been billed.
  const billed = call.currency !== card.currency && call.booked !== undefined;
  return {
    ...recordHead(call, card),
    ...(billed && { billAmount: wire(call.booked, card.currency), billCurrency: card.currency }),
    ...copied(sent, 'merchantName', 'merchantCategoryCode', 'originalTranId'),
    ...(call.authCode !== undefined && { authCode: call.authCode }),
    ...copied(sent, 'memo'),
  };
}

function authorizationRecord(call: PastCall, card: Card): WireFields {
  return {
    ...recordHead(call, card),
    responseCode: call.code,
    ...(call.authCode !== undefined && { authCode: call.authCode }),
    ...copied(sentFields(call), 'merchantName', 'originalTranId'),
    ...(call.code === '00' && { reversed: call.reversedBy === undefined ? 'N' : 'Y' }),
  };
}

const sentFields = (call: PastCall): WireFields => JSON.parse(call.content);

const copied = (from: WireFields, ...names: readonly string[]): WireFields =>
  Object.fromEntries(names.flatMap(name => (from[name] === undefined ? [] : [[name, from[name]]])));
