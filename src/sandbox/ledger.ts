/**
 * The demo issuer's ledger: decides every call exactly once for each (`participantId`, `tranId`), in one transaction
 * that books the money and stores the answer together, so that a repeat gets the first answer again and no second effect.
 */
import { apiByName, withoutSad } from '../catalogue/apis.ts';
import { differingFields } from '../catalogue/compare.ts';
import { fieldRow, isFieldName } from '../catalogue/fields.ts';
import type { ApiRow } from '../catalogue/row.ts';
import { maskPan } from '../domain/card.ts';
import type { Message, WireFields } from '../domain/message.ts';
import { isResponseCode, type ResponseCode } from '../domain/responseCode.ts';
import type { Clock } from '../runtime/clock.ts';
import { blockFund, unblockFund } from './holds.ts';
import {
  authorizationHistory,
  balanceInquiry,
  balancesOf,
  transactionHistory,
  verification,
  wire,
} from './inquiries.ts';
import {
  creditAdjustment,
  institutionDebit,
  loadFund,
  purchase,
  refund,
  reversal,
  transferFund,
  withdraw,
} from './payments.ts';
import type { Card, PastCall } from './rows.ts';
import { openDatabase } from './schema.ts';
import { Store } from './store.ts';
import { Decline, type Done, type Fields, type Turn } from './turn.ts';

export type LedgerAnswer = {
  readonly code: ResponseCode;
  readonly fields: WireFields;
  /** Whether it was decided before and is only said again. */
  readonly replayed: boolean;
};

const OPERATIONS: ReadonlyMap<string, (turn: Turn) => Done> = new Map([
  ['LoadFund', loadFund],
  ['Withdraw', withdraw],
  ['TransferFund', transferFund],
  ['Purchase', purchase],
  ['Refund', refund],
  ['Reversal', reversal],
  ['BlockFund', blockFund],
  ['UnblockFund', unblockFund],
  ['ServiceCharge', institutionDebit],
  ['DebitAdjustment', institutionDebit],
  ['CreditAdjustment', creditAdjustment],
]);

const INQUIRIES: ReadonlyMap<string, (turn: Turn) => WireFields> = new Map([
  ['BalanceInquiry', balanceInquiry],
  ['Verification', verification],
  ['TransactionHistory', transactionHistory],
  ['AuthorizationHistory', authorizationHistory],
]);

const AUTH_CODES = 1_000_000n;

export class Ledger {
  readonly store: Store;
  readonly #clock: Clock;

  /** @param file path of the database, or `:memory:` */
  constructor(file: string, clock: Clock) {
    this.store = new Store(openDatabase(file));
    this.#clock = clock;
  }

  /** Whether this issuer offers the API. */
  static offers(api: string): boolean {
    return OPERATIONS.has(api) || INQUIRIES.has(api);
  }

  /**
   * Decides the call, or says again what was decided. Durable when it returns. 94: the `tranId` was used for something
   * else. Throws only for defects and for a database that cannot be written; nothing is booked then.
   */
  decide(call: Message): LedgerAnswer {
    const inquiry = INQUIRIES.get(call.api);
    if (inquiry) return this.#inquire(call, inquiry);
    const operation = OPERATIONS.get(call.api);
    if (!operation) throw new RangeError(`the demo issuer does not offer ${call.api}`);
    return this.store.inTransaction(() => {
      const past = this.store.pastCall(call.header.participantId, call.header.tranId);
      return past ? replay(past, call) : this.#decideFirst(call, operation);
    });
  }

  close(): void {
    this.store.close();
  }

  #inquire(call: Message, inquiry: (turn: Turn) => WireFields): LedgerAnswer {
    try {
      return { code: '00', fields: inquiry(this.#turn(call, 0n)), replayed: false };
    } catch (error) {
      if (error instanceof Decline) return { code: error.code, fields: {}, replayed: false };
      throw error;
    }
  }

  #decideFirst(call: Message, operation: (turn: Turn) => Done): LedgerAnswer {
    const turn = this.#turn(call, this.store.nextSeq());
    try {
      const done = operation(turn);
      const authCode = String(turn.seq % AUTH_CODES).padStart(6, '0');
      const fields = approvedFields(turn, done, authCode);
      this.#keep(call, turn, { code: '00', fields, done, authCode });
      return { code: '00', fields, replayed: false };
    } catch (error) {
      if (!(error instanceof Decline)) throw error;
      const fields = amountsAsSent(turn.fields);
      this.#keep(call, turn, { code: error.code, fields });
      return { code: error.code, fields, replayed: false };
    }
  }

  #turn(call: Message, seq: bigint): Turn {
    const { participantId, tranId } = call.header;
    const fields = textsOf(call.fields.reveal());
    const { cardToken: token, cardNumber: number } = fields;
    let card: Card | undefined;
    if (token !== undefined) card = this.store.card(participantId, { token });
    else if (number !== undefined) card = this.store.card(participantId, { number });
    return {
      store: this.store,
      seq,
      nowMs: this.#clock.wallMs(),
      participantId,
      tranId,
      fields,
      sent: call.amount,
      card,
    };
  }

  #keep(
    call: Message,
    turn: Turn,
    end: { readonly code: ResponseCode; readonly fields: WireFields; readonly done?: Done; readonly authCode?: string },
  ): void {
    this.store.addCall({
      seq: turn.seq,
      participantId: turn.participantId,
      tranId: turn.tranId,
      api: call.api,
      content: JSON.stringify(keepable(call.fields.reveal())),
      cardToken: turn.card?.token,
      otherCardToken: end.done?.otherCard?.token,
      code: end.code,
      answer: JSON.stringify(end.fields),
      authCode: end.authCode,
      amount: call.amount?.minor,
      currency: call.amount?.currency,
      booked: end.done?.booked,
      originalTranId: call.originalTranId,
      tranDate: call.header.tranDate,
      tranTime: call.header.tranTime,
      atMs: turn.nowMs,
    });
  }
}

function replay(past: PastCall, call: Message): LedgerAnswer {
  const row = apiByName(call.api);
  const same = row && past.api === call.api && isSame(row, JSON.parse(past.content), keepable(call.fields.reveal()));
  if (!same) return { code: '94', fields: {}, replayed: false };
  if (!isResponseCode(past.code)) throw new TypeError('the ledger holds a code that is not in the list');
  return { code: past.code, fields: JSON.parse(past.answer), replayed: true };
}

const isSame = (row: ApiRow, a: WireFields, b: WireFields): boolean => differingFields(row, a, b).length === 0;

const isPanField = (name: string): boolean => isFieldName(name) && fieldRow(name).data === 'pan';

/**
 * What is kept of a call and compared when it comes again: its own fields less the sensitive ones. Card numbers are
 * masked, so that the only ones in the database are those of its own cards.
 */
const keepable = (fields: WireFields): WireFields =>
  Object.fromEntries(
    Object.entries(withoutSad(fields)).map(([name, value]) => [
      name,
      isPanField(name) && typeof value === 'string' ? maskPan(value) : value,
    ]),
  );

/** None of this issuer's APIs has lists in its request. */
const textsOf = (fields: WireFields): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );

const amountsAsSent = (fields: Fields): Fields => ({
  ...(fields.tranAmount !== undefined && { tranAmount: fields.tranAmount }),
  ...(fields.tranCurrency !== undefined && { tranCurrency: fields.tranCurrency }),
});

function approvedFields(turn: Turn, done: Done, authCode: string): Fields {
  const { card, booked } = done;
  return {
    authCode,
    ...amountsAsSent(turn.fields),
    ...(card && done.partly && booked !== undefined && { approvedAmount: wire(booked, card.currency) }),
    ...(card && balancesOf(turn, card)),
    ...(card && done.blocked !== undefined && { blockedAmount: wire(done.blocked, card.currency) }),
  };
}
