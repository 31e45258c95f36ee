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
import { type Random, systemRandom } from '../runtime/random.ts';
import { balancesOf, wire } from './apis/inquiries.ts';
import { digits } from './chance.ts';
import { type Command, handlerOf, type MoneyApi } from './handlers.ts';
import { IssuerKey } from './issuerKey.ts';
import type { Card } from './store/records.ts';
import type { PastCall } from './store/rows.ts';
import { openDatabase } from './store/schema.ts';
import { Store } from './store/store.ts';
import { Decline, type Done, type Fields, type Turn } from './turn.ts';

export type LedgerAnswer = {
  readonly code: ResponseCode;
  readonly fields: WireFields;
  /** Whether it was decided before and is only said again. */
  readonly replayed: boolean;
};

const AUTH_CODES = 1_000_000n;

/** How a first decision ended, to be kept. */
type End = {
  readonly code: ResponseCode;
  readonly fields: WireFields;
  readonly done?: Done;
  readonly authCode?: string;
};

export class Ledger {
  readonly store: Store;
  readonly key: IssuerKey;
  readonly #clock: Clock;
  readonly #random: Random;

  /** @param file path of the database, or `:memory:` */
  constructor(file: string, clock: Clock, random: Random = systemRandom) {
    this.store = new Store(openDatabase(file));
    this.key = new IssuerKey(this.store.records.key(() => random.id() + random.id()));
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Decides the call, or says again what was decided. Durable when it returns. 94: the `tranId` was used for something
   * else. An inquiry is answered afresh each time, so that a PIN that is tried twice is two tries. Throws only for defects
   * and for a database that cannot be written; nothing is booked then.
   */
  decide(call: Message): LedgerAnswer {
    const handler = handlerOf(call.api);
    if (!handler) throw new RangeError(`the demo issuer does not know ${call.api}`);
    return this.store.inTransaction(() => {
      if (handler.kind === 'inquiry') return this.#inquire(call, handler.run);
      const past = this.store.pastCall(call.header.participantId, call.header.tranId);
      if (past) return this.#again(past, call, handler);
      const turn = this.#turn(call, { seq: this.store.nextSeq() });
      return handler.kind === 'money' ? this.#book(call, turn, handler.run) : this.#execute(call, turn, handler);
    });
  }

  close(): void {
    this.store.close();
  }

  #inquire(call: Message, inquiry: (turn: Turn) => WireFields): LedgerAnswer {
    return orDecline(
      () => ({ code: '00', fields: inquiry(this.#turn(call, { seq: 0n })), replayed: false }),
      code => ({ code, fields: {}, replayed: false }),
    );
  }

  #book(call: Message, turn: Turn, operation: MoneyApi['run']): LedgerAnswer {
    const end = orDecline<End>(
      () => {
        const done = operation(turn);
        const authCode = String(turn.seq % AUTH_CODES).padStart(6, '0');
        return { code: '00', fields: approvedFields(turn, done, authCode), done, authCode };
      },
      code => ({ code, fields: amountsAsSent(turn.fields) }),
    );
    this.#keep(call, turn, end, call.amount);
    return { code: end.code, fields: end.fields, replayed: false };
  }

  #execute(call: Message, turn: Turn, command: Command): LedgerAnswer {
    const end = orDecline<End>(
      () => ({ code: '00', fields: command.run(turn) }),
      code => ({ code, fields: {} }),
    );
    this.#keep(call, turn, end, undefined);
    return { code: end.code, fields: withSecrets(command, turn, end), replayed: false };
  }

  /**
   * Says again what was decided. What is secret in an approval was not kept and is told again from the key; where it is
   * the whole point, the command looks again at what is good now.
   */
  #again(past: PastCall, call: Message, handler: MoneyApi | Command): LedgerAnswer {
    const row = apiByName(call.api);
    if (!row || !isSame(row, past, call)) return { code: '94', fields: {}, replayed: false };
    if (!isResponseCode(past.code)) throw new TypeError('the ledger holds a code that is not in the list');
    const kept = { code: past.code, fields: JSON.parse(past.answer) };
    if (handler.kind === 'money') return { ...kept, replayed: true };
    const turn = this.#turn(call, { seq: past.seq, repeated: true });
    const end =
      row.askAgain && past.code === '00'
        ? orDecline<End>(
            () => ({ code: '00', fields: handler.run(turn) }),
            code => ({ code, fields: {} }),
          )
        : kept;
    return { code: end.code, fields: withSecrets(handler, turn, end), replayed: true };
  }

  #turn(call: Message, { seq, repeated = false }: { readonly seq: bigint; readonly repeated?: boolean }): Turn {
    const { participantId, tranId } = call.header;
    const whole = call.fields.reveal();
    const fields = textsOf(whole);
    return {
      store: this.store,
      key: this.key,
      newId: () => this.#random.id(),
      newDigits: count => digits(this.#random, count),
      repeated,
      seq,
      nowMs: this.#clock.wallMs(),
      participantId,
      tranId,
      fields,
      whole,
      sent: call.amount,
      card: this.#cardOf(participantId, fields),
    };
  }

  #cardOf(participantId: string, { cardToken: token, cardNumber: number }: Fields): Card | undefined {
    if (token !== undefined) return this.store.cardOf(participantId, { token });
    return number === undefined ? undefined : this.store.cardOf(participantId, { number });
  }

  #keep(call: Message, turn: Turn, end: End, amount: Message['amount']): void {
    this.store.addCall({
      seq: turn.seq,
      participantId: turn.participantId,
      tranId: turn.tranId,
      api: call.api,
      content: JSON.stringify(keepable(call.fields.reveal())),
      cardToken: turn.card?.root,
      otherCardToken: end.done?.otherCard?.root,
      account: (end.done?.card ?? turn.card)?.account,
      otherAccount: end.done?.otherCard?.account,
      code: end.code,
      answer: JSON.stringify(withoutSad(end.fields)),
      authCode: end.authCode,
      amount: amount?.minor,
      currency: amount?.currency,
      booked: end.done?.booked,
      originalTranId: call.originalTranId,
      tranDate: call.header.tranDate,
      tranTime: call.header.tranTime,
      atMs: turn.nowMs,
    });
  }
}

/** What the work gives, or what becomes of the code with which it declines. */
function orDecline<T>(work: () => T, declined: (code: ResponseCode) => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Decline) return declined(error.code);
    throw error;
  }
}

/** An answer as it is told: with the secrets of an approval. */
const withSecrets = (command: Command, turn: Turn, { code, fields }: Pick<End, 'code' | 'fields'>): WireFields =>
  code === '00' && command.secrets ? { ...fields, ...command.secrets(turn, fields) } : fields;

/** Whether the call has the content of the one that was decided under its `tranId`. */
const isSame = (row: ApiRow, past: PastCall, call: Message): boolean =>
  past.api === call.api && differingFields(row, JSON.parse(past.content), keepable(call.fields.reveal())).length === 0;

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

/** The fields that are no lists. */
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
    ...(card?.account !== undefined && balancesOf(turn, card)),
    ...(card && done.blocked !== undefined && { blockedAmount: wire(done.blocked, card.currency) }),
  };
}
