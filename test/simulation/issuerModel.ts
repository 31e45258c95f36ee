/**
 * A simulated issuer: it decides in its ledger, once for each message, and answers, or does everything else that issuers
 * do instead. What it answers are bytes, which the gateway's own code has to read.
 */
import { type Ledger, minorOf, type Request, type Transaction, textOf } from './ledger.ts';
import type { World } from './world.ts';

export type HttpReply = { readonly status: number; readonly body: string };
type Body = Readonly<Record<string, unknown>>;

export type IssuerObserver = {
  arrived(request: Request, sentAt: number): void;
  /** After the ledger has decided, anew or as before. */
  decided(request: Request, transaction: Transaction): void;
};

/** Codes that an issuer may give and that say nothing. */
const OPEN_CODES = ['09', '68', '91', '94', '96', '99'] as const;
const DECLINES = ['05', '51', '61', '57', '03'] as const;
/** Only what the gateway undoes may be approved in part: a repeat would be answered so for ever. */
const UNDONE_IN_DOUBT: ReadonlySet<string> = new Set(['Purchase', 'Withdraw', 'BlockFund']);
const UNDOS: ReadonlySet<string> = new Set(['Reversal', 'UnblockFund']);
const DYNAMIC_VALUE = { DCVV: '321', expiryDate: '3012' };
const HEADER = ['participantId', 'tranBranch', 'tranChnl', 'tranCode', 'tranDate', 'tranTime', 'tranId'] as const;

export class IssuerModel {
  readonly name: string;
  readonly ledger: Ledger;
  readonly #world: World;
  readonly #observer: IssuerObserver;
  /** `down`: nobody listens. `hanging`: reads and says nothing. */
  mode: 'up' | 'down' | 'hanging' = 'up';

  constructor(world: World, name: string, ledger: Ledger, observer: IssuerObserver) {
    this.name = name;
    this.ledger = ledger;
    this.#world = world;
    this.#observer = observer;
  }

  /**
   * What a message hears at the door, before anything is done; undefined where it is let in. Asked once for each send:
   * whatever doubles a message on its way does not change who it is from.
   */
  atTheDoor(): HttpReply | undefined {
    const chance = this.#world.chance('refusals');
    if (this.#world.fault('doorShut')) return { status: chance.pick([401, 403, 404]), body: '{}' };
    return undefined;
  }

  /** Takes a message in. `answer` is called with what goes back, if anything does. */
  take(request: Request, sentAt: number, answer: (reply: HttpReply) => void): void {
    const world = this.#world;
    this.#observer.arrived(request, sentAt);
    const early = this.#turnedAway();
    if (early) {
      answer(early);
      return;
    }
    const { maxProcessingMs, timeoutMs } = world.options;
    const chance = world.chance('processing');
    const most = world.fault('slow') ? Math.max(2 * timeoutMs, 100) : 20;
    // Past its own limit nothing is processed any more: that is what the gateway relies on.
    const left = sentAt + maxProcessingMs * 0.95 - world.time.now;
    if (left < 0) {
      world.note(this.name, `drops ${request.tranId}: too old`);
      return;
    }
    const takes = Math.min(chance.skewed(0.5, most), left);
    const decidesAfter = takes * chance.fraction();
    world.time.after(decidesAfter, () => {
      const reply = this.#decide(request);
      if (this.mode === 'hanging') world.sometimes('issuer hangs after the effect');
      else if (reply) world.time.after(takes - decidesAfter, () => answer(reply));
    });
  }

  /** Refused before anything was done. */
  #turnedAway(): HttpReply | undefined {
    const world = this.#world;
    const chance = world.chance('refusals');
    if (world.fault('tooBusy')) return { status: 429, body: '{}' };
    if (world.fault('redirect')) return { status: chance.pick([301, 307]), body: '' };
    return undefined;
  }

  #decide(request: Request): HttpReply | undefined {
    const world = this.#world;
    const chance = world.chance('decisions');
    const { now } = world.time;
    // Half of what fails, fails before anything was done.
    const fails = this.#failure(request, chance.hits(0.5));
    if (fails && !fails.acts) return fails.reply;
    const known = this.ledger.find(request.participantId, request.tranId) !== undefined;
    const transaction = this.#ledgerDecides(request, now, known);
    this.#observer.decided(request, transaction);
    world.note(this.name, `${request.api} ${request.tranId}: ${transaction.code}${known ? ' again' : ''}`);
    if (fails) return fails.reply;
    return { status: 200, body: this.#spoilt(request, this.#right(request, transaction)) };
  }

  #ledgerDecides(request: Request, now: number, known: boolean): Transaction {
    const world = this.#world;
    const isDerived = request.tranId.startsWith('RV');
    if (isDerived && !known && world.fault('undoRefused')) return this.ledger.refuse(request, now, '57');
    if (!isDerived && !UNDOS.has(request.api) && !known && world.fault('declines')) {
      return this.ledger.refuse(request, now, world.chance('declines').pick(DECLINES));
    }
    const asked = minorOf(request.body.tranAmount);
    const mayBePart = UNDONE_IN_DOUBT.has(request.api) && !request.body.originalTranId && asked > 1n;
    const isPart = mayBePart && !known && !isDerived && world.fault('partialApproval');
    return this.ledger.decide(request, now, isPart ? asked / 2n : undefined);
  }

  /** A failure with the reply that shows it; `acts` where it strikes after the effect. */
  #failure(
    request: Request,
    acts: boolean,
  ): { readonly acts: boolean; readonly reply: HttpReply | undefined } | undefined {
    const world = this.#world;
    const chance = world.chance('failures');
    if (this.mode === 'hanging') return { acts, reply: undefined };
    if (world.fault('serverError')) return { acts, reply: { status: chance.pick([500, 502, 503, 504]), body: 'oops' } };
    if (world.fault('openCode')) {
      const code = chance.pick(OPEN_CODES);
      return { acts, reply: { status: chance.pick([200, 200, 400]), body: JSON.stringify(answerOf(request, code)) } };
    }
    return undefined;
  }

  #right(request: Request, { code, approved }: Transaction): Body {
    if (code !== '00') return answerOf(request, code);
    if (request.api === 'GenerateDCVV') return { ...answerOf(request, code), ...DYNAMIC_VALUE };
    const { tranAmount, tranCurrency, cardToken } = request.body;
    const asked = minorOf(tranAmount);
    const balance = textOf(max0(this.ledger.available(cardToken ?? '')));
    return {
      ...answerOf(request, code),
      authCode: request.tranId.slice(-6).replace(/[^A-Za-z0-9]/g, '0'),
      ...(tranAmount === undefined ? {} : { tranAmount, tranCurrency }),
      ...(approved < asked && approved > 0n ? { approvedAmount: textOf(approved) } : {}),
      availableBalance: balance,
      balanceCurrency: '840',
    };
  }

  /** The right answer, or what becomes of it. */
  #spoilt(request: Request, right: Body): string {
    const world = this.#world;
    const chance = world.chance('spoiling');
    if (world.fault('garbage')) return chance.pick(['', '<html>', '{"responseCode":"00"', 'null', '[]']);
    if (world.fault('unknownCode')) return JSON.stringify({ ...right, responseCode: chance.pick(['ZZ', '1', '100']) });
    if (world.fault('wrongEcho')) {
      const name = chance.pick(['tranId', 'participantId']);
      return JSON.stringify({ ...right, responseCode: chance.pick(['00', '05', '25']), [name]: `${request.tranId}x` });
    }
    // What names no amount has nothing to check a decision by.
    if (request.body.tranAmount === undefined) return JSON.stringify(right);
    if (world.fault('wrongField')) return JSON.stringify({ ...right, responseCode: '00', authCode: '€'.repeat(99) });
    if (world.fault('wrongAmount')) {
      return JSON.stringify({ ...right, responseCode: '00', tranAmount: '0.01', tranCurrency: '978' });
    }
    return JSON.stringify(right);
  }
}

const max0 = (minor: bigint): bigint => (minor < 0n ? 0n : minor);

const answerOf = ({ body }: Request, responseCode: string): Body => ({
  ...Object.fromEntries(HEADER.flatMap(name => (body[name] === undefined ? [] : [[name, body[name]]]))),
  responseCode,
  responseDesc: responseCode === '00' ? 'approved' : `declined ${responseCode}`,
});
