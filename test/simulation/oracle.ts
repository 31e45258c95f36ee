/**
 * The judge of a run, at every step: it sees what the store wrote, what left for the issuers, what the issuers' ledgers
 * did and what callers were told, and holds each of them against the invariants. Nothing of it comes from the gateway's
 * own view. What is left for the end of a run is in `verdict.ts`.
 *
 * Where Redis has lost writes about a transaction (a fail-over, a flush, a backup put back), what was promised on the
 * strength of those writes cannot be held: such a transaction is `tainted`, and only what rests on the issuer's memory
 * of its `tranId` is still demanded of it.
 */
import { type Entry, isLegal, placeOf } from '../../src/domain/entry.ts';
import { type EntryKey, keyText } from '../../src/domain/ids.ts';
import type { Served } from '../../src/http/journey.ts';
import type { SendOptions } from '../../src/issuer/issuer.ts';
import type { Claimed, Moved } from '../../src/journal/journal.ts';
import type { GatewayModel } from './gatewayModel.ts';
import type { IssuerModel } from './issuerModel.ts';
import { minorOf, type Request, type Transaction } from './ledger.ts';
import type { StoreObserver, StoreState } from './line.ts';
import { nameOf, originalNameOf, type Sent } from './messages.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** A final answer that left a gateway. */
export type Telling = { readonly code: string; readonly content: string };

/** All that is known about one transaction of a caller. */
export type Fact = {
  readonly name: string;
  /** What callers sent under this id; the journal says whose was first. */
  readonly sent: Sent[];
  told: Telling | undefined;
  /** Every answer that the journal has held. */
  readonly held: Set<string>;
  /** Messages with this id that have reached the issuer. */
  readonly arrived: Request[];
  /** When a call for it last reached each process. */
  readonly calledAt: Map<string, number>;
};

/** Past its budget a call may take as long as one call of the journal that was begun just in time. */
const LATE_MOST_MS = 250;
/** Messages that only the ledger's own answer approves. */
const NOT_OF_THE_ISSUER: ReadonlySet<string> = new Set(['Reversal']);

export class Oracle implements StoreObserver {
  readonly #world: World;
  readonly facts = new Map<string, Fact>();
  /** What the store holds, as it said when it wrote it. */
  readonly present = new Map<string, Entry>();
  readonly tainted = new Set<string>();
  readonly #store: StoreState;
  #issuers: readonly IssuerModel[] = [];

  constructor(world: World, store: StoreState) {
    this.#world = world;
    this.#store = store;
  }

  watch(issuers: readonly IssuerModel[]): void {
    this.#issuers = issuers;
  }

  fact(name: string): Fact {
    const known = this.facts.get(name);
    if (known) return known;
    const made: Fact = { name, sent: [], told: undefined, held: new Set(), arrived: [], calledAt: new Map() };
    this.facts.set(name, made);
    return made;
  }

  meant(sent: Sent): void {
    this.fact(nameOf(sent)).sent.push(sent);
  }

  called(gateway: GatewayModel, sent: Sent): void {
    this.fact(nameOf(sent)).calledAt.set(gateway.process.name, this.#world.time.now);
  }

  /** What the ledgers say of a transaction of a caller. */
  ledgerOf(name: string): Transaction | undefined {
    const [tranId = '', participantId = ''] = name.split('/');
    for (const { ledger } of this.#issuers) {
      const found = ledger.find(participantId, tranId);
      if (found) return found;
    }
    return undefined;
  }

  /** Whether what was promised about it may rest on writes that the store has lost. */
  isTainted(name: string): boolean {
    if (this.tainted.has(name)) return true;
    const related = this.fact(name).sent.map(originalNameOf);
    return related.some(original => this.tainted.has(original));
  }

  /**
   * Whether nobody can bring this to an end any more: the store lost it, and the caller, who may do so to an id that is
   * new again, sent it with another content than the one that the issuer remembers.
   */
  isBeyondRepair(name: string): boolean {
    const contents = new Set(this.fact(name).sent.map(({ body }) => JSON.stringify(body)));
    return this.isTainted(name) && contents.size > 1;
  }

  claimed(key: EntryKey, kind: Claimed['kind'], entry: Entry | undefined): void {
    const name = keyText(key);
    const before = this.present.get(name);
    if (!entry) {
      this.#world.sometimes('a claim was refused after data was lost');
      return;
    }
    if (kind === 'exists') {
      this.#demand(before?.version === entry.version, 'I18', () => `${name}: the store shows another version`);
      return;
    }
    // A claim that is asked for again under the same writeId is fresh again.
    this.#demand(!before || before.version === 1, 'I1', () => `${name} was claimed twice`);
    if (!before) this.#world.sometimes(`born ${placeOf(entry)}`);
    this.present.set(name, before ?? entry);
  }

  refused(what: 'claim' | 'takeover'): void {
    this.#world.sometimes(`${what} refused after a switch`);
  }

  amnesia(kind: 'lost' | 'known' | 'kept'): void {
    this.#world.sometimes(`amnesia ${kind}`);
  }

  moved(from: Entry, to: Entry, reply: Moved): void {
    if (reply.kind !== 'moved') {
      this.#world.sometimes('a move lost its race');
      return;
    }
    const name = keyText(from.key);
    const before = this.present.get(name);
    if (before?.version === to.version) {
      this.#world.sometimes('a move was written twice');
      return;
    }
    this.#demand(isLegal(from, to), 'I18', () => `${name}: ${placeOf(from)} became ${placeOf(to)}`);
    const isNext = before?.version === from.version && placeOf(before) === placeOf(from);
    const fits = isNext && before.claimedAt === from.claimedAt;
    this.#demand(fits, 'I18', () => `${name}: ${before && placeOf(before)} became ${placeOf(to)}`);
    this.#world.sometimes(`move ${placeOf(from)} > ${placeOf(to)}`);
    this.present.set(name, to);
    const code = answerCodeOf(to);
    if (code) this.fact(name).held.add(code);
  }

  /** What the store had lost is there again, as one of those who wrote it remembers it. */
  restored(entry: Entry): void {
    const name = keyText(entry.key);
    const before = this.present.get(name);
    const isOlder = before === undefined || before.version < entry.version;
    this.#demand(isOlder && this.tainted.has(name), 'I18', () => `${name}: restored over what was there`);
    this.#world.sometimes('lost data was written again');
    this.present.set(name, entry);
    const code = answerCodeOf(entry);
    if (code) this.fact(name).held.add(code);
  }

  /** The store has lost what it had written about these. `now` is what it holds of them. */
  lost(names: Iterable<string>, now: (name: string) => Entry | undefined): void {
    for (const name of names) {
      this.tainted.add(name);
      const entry = now(name);
      if (entry) this.present.set(name, entry);
      else this.present.delete(name);
    }
  }

  /** The first byte of a message leaves. */
  sends(process: SimProcess, request: Request, options: SendOptions): void {
    const isDerived = request.tranId.startsWith('RV');
    const tranId = isDerived ? request.body.originalTranId : request.tranId;
    const name = `${tranId}/${request.participantId}`;
    const entry = this.present.get(name);
    this.#demand(options.deadline.leftMs() >= 1, 'I11', () => `${name} was sent after its deadline`);
    if (request.api === 'BalanceInquiry') return;
    if (this.isTainted(name)) return;
    const rule = this.#store.mode === 'up' ? 'I6' : 'I12';
    this.#demand(entry !== undefined, rule, () => `${request.tranId} left without an entry in the journal`);
    if (!entry) return;
    if (isDerived) {
      const isOwed = entry.duty.is !== 'none' && entry.duty.is !== 'armed' && entry.duty.kind === 'undo';
      this.#demand(isOwed, 'I8', () => `${name} is undone and nobody owed that: ${placeOf(entry)}`);
      return;
    }
    const { at } = entry.standing;
    this.#demand(at === 'claimed' || at === 'doubt' || entry.policy === 'repeat', 'I1', () => `${name} left as ${at}`);
    if (at === 'claimed' && !options.repeat) this.#demandInTime(process, name);
  }

  #demandInTime(process: SimProcess, name: string): void {
    const { budgetMs, drift } = this.#world.options;
    const calledAt = this.fact(name).calledAt.get(process.name) ?? Number.NEGATIVE_INFINITY;
    const since = this.#world.time.now - calledAt;
    this.#demand(since <= budgetMs * (1 + drift), 'I11', () => `${name} was sent ${since} ms after its call`);
  }

  arrived(request: Request): void {
    if (request.tranId.startsWith('RV')) return;
    const name = `${request.tranId}/${request.participantId}`;
    const fact = this.fact(name);
    const [first] = fact.arrived;
    fact.arrived.push(request);
    if (!first || this.isTainted(name)) return;
    const same = sameMoney(first, request);
    this.#demand(same, 'I4', () => `${name} reached the issuer with two contents`);
  }

  /** After each decision of a ledger. */
  decided({ ledger }: IssuerModel, request: Request, transaction: Transaction): void {
    const name = `${request.tranId}/${request.participantId}`;
    const isForgetful = this.isTainted(name) && this.#world.options.remembersMs < this.#world.time.now;
    if (isForgetful && transaction.times > 1) {
      this.#world.sometimes('done twice after the store and the issuer forgot');
      return;
    }
    this.#demand(transaction.times <= 1, 'I1', () => `${name} was done ${transaction.times} times`);
    this.#demand(ledger.total() === 0n, 'I13', () => `the ledger is off by ${ledger.total()}`);
    const { booked, wanted, least } = ledger.held();
    this.#demand(booked === wanted && least >= 0n, 'I7', () => `${booked} is held and ${wanted} should be`);
  }

  /** An answer leaves a gateway; whether it reaches anybody makes no difference. */
  told(gateway: GatewayModel, sent: Sent, { answer, facts }: Served, arrivedAt: number, pausedMs: number): void {
    const name = nameOf(sent);
    const { budgetMs, drift } = this.#world.options;
    const took = this.#world.time.now - arrivedAt - pausedMs;
    const bound = budgetMs * (1 + drift) + LATE_MOST_MS;
    this.#demand(took <= bound, 'I9', () => `${name} was answered after ${took} ms at ${gateway.process.name}`);
    if (facts.detail) this.#world.sometimes(`detail ${facts.detail}`);
    this.#world.sometimes(`told ${answer.status} ${answer.code}${answer.replayed ? ' again' : ''}`);
    this.#demand(answer.status !== 500, 'defect', () => `${name} was told 500`);
    if (answer.status !== 200 || answer.code === '09' || sent.row.onUnknown === 'none') return;
    // A value that may not be stored is not in an answer that is given again.
    const fields = sent.row.askAgain ? {} : answer.fields.reveal();
    const content = JSON.stringify([answer.code, answer.desc, fields]);
    const fact = this.fact(name);
    if (this.isTainted(name)) return;
    this.#judgeAnswer(sent, fact, answer.code);
    const { told } = fact;
    this.#demand(!told || told.content === content, 'I3', () => `${name} was told ${told?.content}, then ${content}`);
    fact.told = { code: answer.code, content };
  }

  #judgeAnswer(sent: Sent, { name, arrived, held }: Fact, code: string): void {
    const entry = this.present.get(name);
    // A command whose answer is asked for again is open again for whoever asks, and was told to others before.
    const isOpenAgain = entry?.policy === 'resend' && held.has(code);
    const known = isOpenAgain ? code : entry && answerCodeOf(entry);
    this.#demand(known === code, 'I6', () => `${name} was told ${code}, and the journal holds ${known}`);
    this.#demand(entry?.client === `client-${sent.client}`, 'I16', () => `${name} was told to another client`);
    const done = this.ledgerOf(name);
    if (code === '00' && !NOT_OF_THE_ISSUER.has(sent.row.name)) {
      this.#demand(done?.code === '00', 'I2', () => `${name} was told approved and the issuer says ${done?.code}`);
      if (done) this.#demand(isOf(sent, done), 'I20', () => `${name} was approved for something else`);
    }
    if (entry?.standing.at === 'tombstone') {
      this.#demand(arrived.length === 0, 'I8', () => `${name} came after its Reversal and was sent`);
    }
  }

  #demand(holds: boolean, invariant: string, what: () => string): void {
    this.#world.demand(holds, invariant, what);
  }
}

/** The code that callers hear of an entry; undefined where they hear 09. */
export function answerCodeOf({ standing }: Entry): string | undefined {
  if (standing.at === 'tombstone') return '12';
  return standing.at === 'claimed' ? undefined : standing.answer?.code;
}

const MONEY = ['cardToken', 'toCardToken', 'tranAmount', 'tranCurrency', 'originalTranId'];
const sameMoney = (a: Request, b: Request): boolean =>
  a.api === b.api && MONEY.every(each => a.body[each] === b.body[each]);

function isOf({ row, body }: Sent, { request, approved }: Transaction): boolean {
  const [least, most] = [body.partialAllowed === 'Y' ? 1n : minorOf(body.tranAmount), minorOf(body.tranAmount)];
  const isAmount =
    body.tranAmount === undefined || row.name === 'UnblockFund' || (approved >= least && approved <= most);
  return request.api === row.name && MONEY.every(each => request.body[each] === body[each]) && isAmount;
}
