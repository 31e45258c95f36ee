/**
 * The issuer's books, which are the oracle: what happened to the money is what is written here, and nothing else. Money
 * moves between accounts in postings, so that it can neither appear nor vanish; every message is done once for as long as
 * the issuer remembers its `tranId`. It shares no code with the gateway.
 */

/** One movement of minor units. `outside` is everything that is not a card. */
export type Posting = { readonly from: string; readonly to: string; readonly minor: bigint };

export type Request = {
  readonly api: string;
  readonly participantId: string;
  readonly tranId: string;
  readonly body: Readonly<Record<string, string>>;
};

export type Transaction = {
  readonly request: Request;
  readonly decidedAt: number;
  readonly code: string;
  readonly approved: bigint;
  readonly postings: readonly Posting[];
  /** What a Reversal does. */
  readonly undoing: readonly Posting[];
  /** How often it was done; more than once only where the issuer had forgotten it. */
  readonly times: number;
  /** The message that undid it. */
  undoneBy: string | undefined;
  /** What a hold still blocks. */
  remaining: bigint;
  refunded: bigint;
};

/** A Reversal exists for these alone. */
const REVERSIBLE: ReadonlySet<string> = new Set(['Purchase', 'Withdraw', 'LoadFund', 'TransferFund']);
export const OUTSIDE = 'outside';
const CENTS = 100n;

export const minorOf = (text: string | undefined): bigint => {
  const [whole = '0', cents = ''] = (text ?? '0').split('.');
  return BigInt(whole) * CENTS + BigInt(cents.padEnd(2, '0'));
};

export const textOf = (minor: bigint): string => `${minor / CENTS}.${String(minor % CENTS).padStart(2, '0')}`;

const nameOf = (participantId: string, tranId: string): string => `${tranId}/${participantId}`;
const availableOf = (card: string | undefined): string => `available ${card}`;
const heldOf = (card: string | undefined): string => `held ${card}`;

type Act = Partial<Pick<Transaction, 'approved' | 'postings' | 'undoing'>> & { readonly code: string };
const refused = (code: string): Act => ({ code });

export class Ledger {
  readonly #accounts = new Map<string, bigint>();
  readonly #transactions = new Map<string, Transaction>();
  readonly #remembersMs: number;

  constructor(remembersMs: number) {
    this.#remembersMs = remembersMs;
  }

  open(card: string, minor: bigint): void {
    this.#post([{ from: OUTSIDE, to: availableOf(card), minor }]);
  }

  /** Books one side only, which no message can: for proving that it would be noticed. */
  mint(minor: bigint): void {
    this.#accounts.set(OUTSIDE, this.balance(OUTSIDE) + minor);
  }

  find(participantId: string, tranId: string): Transaction | undefined {
    return this.#transactions.get(nameOf(participantId, tranId));
  }

  all(): Iterable<Transaction> {
    return this.#transactions.values();
  }

  balance(account: string): bigint {
    return this.#accounts.get(account) ?? 0n;
  }

  available(card: string): bigint {
    return this.balance(availableOf(card));
  }

  /** All of it: nothing, if no money was made or lost. */
  total(): bigint {
    return [...this.#accounts.values()].reduce((sum, minor) => sum + minor, 0n);
  }

  /** What is held on cards, and what the holds say that it should be. */
  held(): { readonly booked: bigint; readonly wanted: bigint; readonly least: bigint } {
    const booked = [...this.#accounts].filter(([account]) => account.startsWith('held '));
    const sum = (all: readonly bigint[]) => all.reduce((one, other) => one + other, 0n);
    const remaining = [...this.#transactions.values()].map(each => each.remaining);
    const least = remaining.reduce((one, other) => (other < one ? other : one), 0n);
    return { booked: sum(booked.map(([, minor]) => minor)), wanted: sum(remaining), least };
  }

  /** Does the message, or gives what was decided before. `most` is approved at the most. */
  decide(request: Request, now: number, most?: bigint): Transaction {
    const before = this.find(request.participantId, request.tranId);
    if (before && now - before.decidedAt <= this.#remembersMs) return before;
    return this.#write(request, now, this.#act(request, most), before);
  }

  /** Decides against a message for good. */
  refuse(request: Request, now: number, code: string): Transaction {
    const before = this.find(request.participantId, request.tranId);
    return before ?? this.#write(request, now, refused(code), undefined);
  }

  #write(request: Request, decidedAt: number, act: Act, before: Transaction | undefined): Transaction {
    const { code, postings = [], approved = 0n } = act;
    const undoing = act.undoing ?? postings.map(({ from, to, minor }) => ({ from: to, to: from, minor }));
    this.#post(postings);
    // Done twice, after it was forgotten, there are two holds of this name.
    const remaining = (before?.remaining ?? 0n) + (request.api === 'BlockFund' ? approved : 0n);
    const times = (before?.times ?? 0) + (postings.length > 0 ? 1 : 0);
    const state = { undoneBy: undefined, remaining, refunded: 0n };
    const written = { request, decidedAt, code, approved, postings, undoing, times, ...state };
    this.#transactions.set(nameOf(request.participantId, request.tranId), written);
    return written;
  }

  #act(request: Request, most: bigint | undefined): Act {
    const { body } = request;
    const asked = minorOf(body.tranAmount);
    const minor = most !== undefined && most < asked ? most : asked;
    const available = availableOf(body.cardToken);
    switch (request.api) {
      case 'Purchase':
        return body.originalTranId ? this.#complete(request, minor) : this.#spend(available, OUTSIDE, minor);
      case 'Withdraw':
      case 'ServiceCharge':
      case 'DebitAdjustment':
        return this.#spend(available, OUTSIDE, minor);
      case 'TransferFund':
        return this.#spend(available, availableOf(body.toCardToken), minor);
      case 'LoadFund':
      case 'CreditAdjustment':
        return done(minor, { from: OUTSIDE, to: available, minor });
      case 'BlockFund':
        return this.#spend(available, heldOf(body.cardToken), minor);
      case 'UnblockFund':
        return this.#unblock(request);
      case 'Refund':
        return this.#refund(request, minor);
      case 'Reversal':
        return this.#reverse(request);
      default:
        return { code: '00' };
    }
  }

  #spend(from: string, to: string, minor: bigint): Act {
    return this.balance(from) < minor ? refused('51') : done(minor, { from, to, minor });
  }

  /** The hold and what was added to it are freed, and the amount is spent. */
  #complete(request: Request, minor: bigint): Act {
    const { cardToken } = request.body;
    const holds = this.#holds(request);
    if (holds.length === 0) return refused('25');
    const blocked = sumOf(holds);
    if (blocked === 0n) return refused('12');
    if (this.available(cardToken ?? '') + blocked < minor) return refused('51');
    for (const hold of holds) hold.remaining = 0n;
    const freed = { from: heldOf(cardToken), to: availableOf(cardToken), minor: blocked };
    const spent = { from: availableOf(cardToken), to: OUTSIDE, minor };
    // A hold that was completed does not come back.
    return { ...done(minor, freed, spent), undoing: [{ from: spent.to, to: spent.from, minor }] };
  }

  #unblock(request: Request): Act {
    const { cardToken, tranAmount } = request.body;
    const holds = this.#holds(request);
    if (holds.length === 0) return refused('25');
    const blocked = sumOf(holds);
    const minor = tranAmount === undefined ? blocked : minorOf(tranAmount);
    // Nothing is left to free: what the caller wants is so already.
    if (blocked === 0n) return { code: '00' };
    if (minor > blocked) return refused('12');
    let left = minor;
    for (const hold of holds) {
      const freed = left < hold.remaining ? left : hold.remaining;
      hold.remaining -= freed;
      left -= freed;
    }
    return done(minor, { from: heldOf(cardToken), to: availableOf(cardToken), minor });
  }

  #refund(request: Request, minor: bigint): Act {
    const original = this.#original(request);
    if (!original) return refused('25');
    if (original.undoneBy !== undefined || original.code !== '00') return refused('12');
    if (original.refunded + minor > original.approved) return refused('13');
    original.refunded += minor;
    return done(minor, { from: OUTSIDE, to: availableOf(request.body.cardToken), minor });
  }

  /** 25 while the original has not been seen; and under this `tranId` for ever, as for every other message. */
  #reverse(request: Request): Act {
    const original = this.#original(request);
    if (!original) return refused('25');
    if (!REVERSIBLE.has(original.request.api)) return refused('12');
    if (original.undoneBy !== undefined || original.code !== '00') return { code: '00' };
    original.undoneBy = request.tranId;
    return done(original.approved, ...original.undoing);
  }

  #original({ participantId, body }: Request): Transaction | undefined {
    return this.find(participantId, body.originalTranId ?? '');
  }

  /** The hold that a message names, and the holds that were added to it. */
  #holds(request: Request): Transaction[] {
    const named = this.#original(request);
    if (named?.request.api !== 'BlockFund') return [];
    const added = [...this.#transactions.values()].filter(
      ({ request: { api, participantId, body } }) =>
        api === 'BlockFund' && participantId === request.participantId && body.originalTranId === named.request.tranId,
    );
    return [named, ...added];
  }

  #post(postings: readonly Posting[]): void {
    for (const { from, to, minor } of postings) {
      this.#accounts.set(from, this.balance(from) - minor);
      this.#accounts.set(to, this.balance(to) + minor);
    }
  }
}

const done = (approved: bigint, ...postings: readonly Posting[]): Act => ({ code: '00', approved, postings });
const sumOf = (holds: readonly Transaction[]): bigint => holds.reduce((sum, hold) => sum + hold.remaining, 0n);
