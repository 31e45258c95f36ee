/**
 * The scripted issuer's own books: balances, holds and the effect of every message, kept once per `tranId`. Tests
 * compare what callers were told with what really happened here, so it shares no code with the gateway.
 */
import type { ApiName } from './apiPaths.ts';

/** What one message did, in minor units. `available` and `held` are the changes of the card named in it. */
export type Effect = {
  readonly tranId: string;
  readonly api: ApiName;
  readonly originalTranId: string | undefined;
  readonly card: string;
  readonly available: bigint;
  readonly held: bigint;
};

/** A decision: the code, with the fields that go with it. */
export type Decision = { readonly code: string; readonly fields: Readonly<Record<string, string>> };

export type LedgerRequest = {
  readonly api: ApiName;
  readonly participantId: string;
  readonly tranId: string;
  readonly body: Readonly<Record<string, unknown>>;
};

type Account = { available: bigint; held: bigint };
/** What became of a transaction that moved money. */
type Posted = {
  readonly request: LedgerRequest;
  readonly decision: Decision;
  readonly amount: bigint;
  /** What a hold still blocks. */
  remaining: bigint;
  refunded: bigint;
  undone: boolean;
};

/** The exponents that tests need (ISO 4217); all others have two decimals. */
const EXPONENTS: Readonly<Record<string, number>> = { '392': 0, '410': 0, '414': 3, '048': 3 };
const OPENING_BALANCE = '1000.00';

export const exponentOf = (currency: string): number => EXPONENTS[currency] ?? 2;

/** An amount on the wire as minor units: `12.5` in 840 is 1250. */
export function toMinor(amount: string, currency: string): bigint {
  const [whole = '0', decimals = ''] = amount.split('.');
  return BigInt(whole + decimals.padEnd(exponentOf(currency), '0'));
}

/** Minor units as an amount on the wire. */
export function toWire(minor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  const cut = digits.length - exponent;
  return `${minor < 0n ? '-' : ''}${digits.slice(0, cut)}${exponent > 0 ? `.${digits.slice(cut)}` : ''}`;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export class IssuerLedger {
  readonly #accounts = new Map<string, Account>();
  readonly #posted = new Map<string, Posted>();
  readonly #effects: Effect[] = [];
  readonly #currency: string;
  /** False: a repeated `tranId` is done again, as by an issuer that breaks the one rule we ask of it. */
  readonly #remembers: boolean;

  constructor(currency: string, remembers: boolean) {
    this.#currency = currency;
    this.#remembers = remembers;
  }

  get effects(): readonly Effect[] {
    return this.#effects;
  }

  open(card: string, balance = OPENING_BALANCE): void {
    this.#accounts.set(card, { available: toMinor(balance, this.#currency), held: 0n });
  }

  /** What can be spent, such as `1000.00`. */
  available(card: string): string {
    return toWire(this.#account(card).available, this.#currency);
  }

  held(card: string): string {
    return toWire(this.#account(card).held, this.#currency);
  }

  /** Decides once per `tranId` and gives the same decision again when it is repeated. */
  decide(request: LedgerRequest): Decision {
    const key = keyOf(request.participantId, request.tranId);
    const before = this.#remembers ? this.#posted.get(key) : undefined;
    if (before) return before.decision;
    const account = this.#account(cardOf(request));
    const start = { ...account };
    const code = this.#act(request, account);
    const decision = { code, fields: code === '00' ? this.#fields(request, account) : {} };
    const amount = this.#amount(request);
    const remaining = request.api === 'BlockFund' && code === '00' ? amount : 0n;
    this.#posted.set(key, { request, decision, amount, remaining, refunded: 0n, undone: false });
    this.#note(request, account.available - start.available, account.held - start.held);
    return decision;
  }

  /** Decides against a message for good: a repeat gets the same code. */
  refuse(request: LedgerRequest, code: string): Decision {
    const key = keyOf(request.participantId, request.tranId);
    const before = this.#posted.get(key);
    if (before) return before.decision;
    const decision = { code, fields: {} };
    this.#posted.set(key, { request, decision, amount: 0n, remaining: 0n, refunded: 0n, undone: false });
    return decision;
  }

  #note(request: LedgerRequest, available: bigint, held: bigint): void {
    if (available === 0n && held === 0n) return;
    const originalTranId = text(request.body.originalTranId) || undefined;
    const { tranId, api } = request;
    this.#effects.push({ tranId, api, originalTranId, card: cardOf(request), available, held });
  }

  #act(request: LedgerRequest, account: Account): string {
    const amount = this.#amount(request);
    switch (request.api) {
      case 'Purchase':
        return text(request.body.originalTranId) ? this.#complete(request, account, amount) : spend(account, amount);
      case 'Withdraw':
      case 'ServiceCharge':
      case 'DebitAdjustment':
        return spend(account, amount);
      case 'TransferFund':
        return this.#transfer(request, account, amount);
      case 'LoadFund':
      case 'CreditAdjustment':
        account.available += amount;
        return '00';
      case 'Refund':
        return this.#refund(request, account, amount);
      case 'Reversal':
        return this.#reverse(request, account);
      case 'BlockFund':
        return block(account, amount);
      case 'UnblockFund':
        return this.#unblock(request, account);
      default:
        return '00';
    }
  }

  /** The hold and its additions are spent together; what is not spent is free again. */
  #complete(request: LedgerRequest, account: Account, amount: bigint): string {
    const holds = this.#holds(request);
    const blocked = sumOf(holds);
    if (holds.length === 0) return '25';
    if (blocked === 0n) return '12';
    if (account.available + blocked < amount) return '51';
    account.held -= blocked;
    account.available += blocked - amount;
    release(holds, blocked);
    return '00';
  }

  #transfer(request: LedgerRequest, account: Account, amount: bigint): string {
    const code = spend(account, amount);
    if (code === '00') this.#account(targetOf(request)).available += amount;
    return code;
  }

  #refund(request: LedgerRequest, account: Account, amount: bigint): string {
    const original = this.#original(request);
    if (!original) return '25';
    if (original.undone || original.decision.code !== '00') return '12';
    if (original.refunded + amount > original.amount) return '13';
    original.refunded += amount;
    account.available += amount;
    return '00';
  }

  /** Approved when the original is undone afterwards, whoever undid it; `25` while it has not been seen. */
  #reverse(request: LedgerRequest, account: Account): string {
    const original = this.#original(request);
    if (!original) return '25';
    if (original.undone || original.decision.code !== '00') return '00';
    original.undone = true;
    const { api } = original.request;
    if (api === 'LoadFund') account.available -= original.amount;
    else account.available += original.amount;
    if (api === 'TransferFund') this.#account(targetOf(original.request)).available -= original.amount;
    return '00';
  }

  #unblock(request: LedgerRequest, account: Account): string {
    const holds = this.#holds(request);
    const blocked = sumOf(holds);
    const amount = request.body.tranAmount === undefined ? blocked : this.#amount(request);
    if (holds.length === 0) return '25';
    // Nothing is left to release: what the caller wants holds already.
    if (blocked === 0n) return '00';
    if (amount > blocked) return '12';
    release(holds, amount);
    account.held -= amount;
    account.available += amount;
    return '00';
  }

  #fields(request: LedgerRequest, account: Account): Record<string, string> {
    const currency = this.#currency;
    const balance = { availableBalance: toWire(account.available, currency), balanceCurrency: currency };
    if (request.api === 'BalanceInquiry') return balance;
    if (request.api.endsWith('History')) return { recordNum: '0' };
    if (!request.api.match(/Purchase|Withdraw|Fund|Refund|Reversal|ServiceCharge|Adjustment/)) return {};
    const { tranAmount, tranCurrency } = request.body;
    const asked = tranAmount === undefined ? {} : { tranAmount: text(tranAmount), tranCurrency: text(tranCurrency) };
    return {
      authCode: 'A00001',
      ...asked,
      ...balance,
      ledgerBalance: toWire(account.available + account.held, currency),
    };
  }

  #amount(request: LedgerRequest): bigint {
    const { tranAmount, tranCurrency } = request.body;
    return toMinor(text(tranAmount) || '0', text(tranCurrency) || this.#currency);
  }

  #original(request: LedgerRequest): Posted | undefined {
    return this.#posted.get(keyOf(request.participantId, text(request.body.originalTranId)));
  }

  /** The hold that a message names, and the holds that were added to it. */
  #holds(request: LedgerRequest): Posted[] {
    const named = this.#original(request);
    if (named?.request.api !== 'BlockFund') return [];
    const added = [...this.#posted.values()].filter(
      ({ request: { api, participantId, body } }) =>
        api === 'BlockFund' &&
        participantId === request.participantId &&
        text(body.originalTranId) === named.request.tranId,
    );
    return [named, ...added];
  }

  #account(card: string): Account {
    const known = this.#accounts.get(card);
    if (known) return known;
    this.open(card);
    return this.#account(card);
  }
}

const keyOf = (participantId: string, tranId: string): string => `${participantId}/${tranId}`;
const cardOf = ({ body }: LedgerRequest): string => text(body.cardToken) || text(body.cardNumber);
const targetOf = ({ body }: LedgerRequest): string => text(body.toCardToken) || text(body.toCardNumber);

function spend(account: Account, amount: bigint): string {
  if (account.available < amount) return '51';
  account.available -= amount;
  return '00';
}

function block(account: Account, amount: bigint): string {
  const code = spend(account, amount);
  if (code === '00') account.held += amount;
  return code;
}

const sumOf = (holds: readonly Posted[]): bigint => holds.reduce((sum, hold) => sum + hold.remaining, 0n);

function release(holds: readonly Posted[], amount: bigint): void {
  let left = amount;
  for (const hold of holds) {
    if (left < hold.remaining) {
      hold.remaining -= left;
      return;
    }
    left -= hold.remaining;
    hold.remaining = 0n;
  }
}
