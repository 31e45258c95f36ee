/**
 * The judgement at the end of a run, when nothing goes wrong any more and everything had time to end: every doubt ended,
 * every obligation carried out or parked where people see it, and the ledgers agreeing with what callers were told.
 */
import type { Entry } from '../../src/domain/entry.ts';
import { keyText } from '../../src/domain/ids.ts';
import type { GatewayModel } from './gatewayModel.ts';
import { minorOf, type Transaction } from './ledger.ts';
import { nameOf, originalNameOf, type Sent } from './messages.ts';
import { answerCodeOf, type Fact, type Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** Whether nothing is left to do about the entry, but perhaps for its caller or an operator. */
export const isAtRest = ({ standing, duty }: Entry): boolean =>
  standing.at !== 'claimed' && duty.is !== 'due' && duty.is !== 'armed';

export class Verdict {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #parked: ReadonlySet<string>;

  /** `parked`: the names for which an alarm was raised. */
  constructor(world: World, oracle: Oracle, parked: ReadonlySet<string>) {
    this.#world = world;
    this.#oracle = oracle;
    this.#parked = parked;
  }

  /** `stored` is what the journal holds, read from the store itself; `shown` is what it says is parked. */
  judge(stored: ReadonlyMap<string, Entry>, shown: number | undefined, gateways: readonly GatewayModel[]): void {
    const parked = [...stored.values()].filter(({ duty }) => duty.is === 'parked').length;
    this.#demand(shown === parked, 'I17', () => `${parked} are parked, and ${shown} are shown`);
    for (const [name, entry] of this.#oracle.present) {
      const same = stored.get(name)?.version === entry.version;
      this.#demand(same, 'I17', () => `${name} is not in the journal as it was written`);
    }
    for (const entry of stored.values()) this.#judgeEntry(entry);
    for (const fact of this.#oracle.facts.values()) this.#judgeFact(fact, stored.get(fact.name));
    for (const gateway of gateways) this.#judgeGateway(gateway);
  }

  #judgeGateway({ lines, process, waiting }: GatewayModel): void {
    this.#demand(waiting.size === 0, 'I9', () => `${process.name} has not answered ${waiting.size} calls`);
    for (const { id, inFlight, deliveries } of lines) {
      const inUse = inFlight.inUse + deliveries.inUse;
      this.#demand(inUse === 0, 'I10', () => `${process.name} still has ${inUse} calls at ${id}`);
    }
  }

  #judgeEntry(entry: Entry): void {
    const name = keyText(entry.key);
    if (this.#oracle.isBeyondRepair(name)) {
      this.#world.sometimes('the store lost it and its caller changed it');
      return;
    }
    this.#demand(isAtRest(entry), 'I17', () => `${name} has not ended: ${entry.standing.at}+${entry.duty.is}`);
    if (entry.duty.is === 'parked' && !this.#parked.has(name)) {
      const { events, longOutage } = this.#world.options;
      // The alarm may be lost with its process; the sum is not.
      this.#demand(Boolean(events.crash) || longOutage, 'I17', () => `${name} is parked without an alarm`);
      this.#world.sometimes('parked without an alarm');
    }
    if (this.#oracle.isTainted(name)) {
      this.#countBroken(entry);
      return;
    }
    const fault = this.#faultOf(entry);
    if (fault) this.#world.violate('I5', `${name}: ${fault}`);
  }

  /** How often lost writes did break what had been promised: the limit, measured. */
  #countBroken(entry: Entry): void {
    this.#world.sometimes(this.#faultOf(entry) ? 'lost writes broke a promise' : 'lost writes broke nothing');
  }

  /** What is wrong with where an entry has come to, by the ledger; undefined where nothing is. */
  #faultOf(entry: Entry): string | undefined {
    const done = this.#oracle.ledgerOf(keyText(entry.key));
    const stands = done !== undefined && done.code === '00' && !isUndone(done);
    // A command moves nothing, and a Reversal's own id is never sent.
    if (entry.policy === 'resend') return undefined;
    if (entry.duty.is === 'parked') return undefined;
    if (entry.duty.is === 'delivered' && entry.duty.kind === 'undo')
      return stands ? 'was undone, and stands' : undefined;
    if (entry.policy === 'undo') return this.#reversalFault(entry);
    const code = answerCodeOf(entry);
    if (code !== '00') return stands ? `says ${code}, and stands` : undefined;
    // A hold that its caller has released or completed is no hold any more, and was one.
    const wasDone = done?.code === '00' && done.undoneBy === undefined;
    return wasDone ? undefined : `says 00, and the issuer ${done ? `undid it (${done.undoneBy})` : 'never saw it'}`;
  }

  /** Told 00, a Reversal has brought its original to nothing; unless an operator has to look at that. */
  #reversalFault(entry: Entry): string | undefined {
    if (answerCodeOf(entry) !== '00') return undefined;
    const [sent] = this.#oracle.fact(keyText(entry.key)).sent;
    if (!sent) return 'nobody asked for it';
    const original = originalNameOf(sent);
    const done = this.#oracle.ledgerOf(original);
    const isParked = this.#oracle.present.get(original)?.duty.is === 'parked';
    return done?.code === '00' && !isUndone(done) && !isParked ? `is done, and ${original} stands` : undefined;
  }

  #judgeFact(fact: Fact, entry: Entry | undefined): void {
    const { name, told, arrived, sent } = fact;
    if (this.#oracle.isTainted(name) || sent[0]?.row.onUnknown === 'none') return;
    this.#demand(
      entry !== undefined || arrived.length === 0,
      'I6',
      () => `${name} was sent and the journal knows nothing`,
    );
    if (!entry) return;
    // An answer that is asked for again may be open again.
    const code = answerCodeOf(entry) ?? (entry.policy === 'resend' ? told?.code : undefined);
    this.#demand(
      !told || told.code === code,
      'I3',
      () => `${name} was told ${told?.code}, and would now be told ${code}`,
    );
    if (told?.code === '91') {
      const done = this.#oracle.ledgerOf(name);
      this.#demand(done === undefined, 'I5', () => `${name} was told 91, and the issuer decided ${done?.code}`);
    }
    if (told?.code === '00' && !this.#mayBeReversed(fact)) {
      const done = this.#oracle.ledgerOf(name);
      this.#demand(
        !done || !isUndone(done) || done.request.api === 'BlockFund',
        'I8',
        () => `${name} was undone unasked`,
      );
    }
  }

  /** Whether anybody who may has asked for it to be reversed. */
  #mayBeReversed({ name, sent }: Fact): boolean {
    const asks = (each: Sent) =>
      each.row.name === 'Reversal' &&
      originalNameOf(each) === name &&
      sent.some(
        ({ client, body }) => client === each.client && minorOf(body.tranAmount) === minorOf(each.body.tranAmount),
      );
    return [...this.#oracle.facts.values()].some(fact => fact.sent.some(each => nameOf(each) !== name && asks(each)));
  }

  #demand(holds: boolean, invariant: string, what: () => string): void {
    this.#world.demand(holds, invariant, what);
  }
}

/** A hold is undone when nothing of it is blocked any more. */
const isUndone = (done: Transaction): boolean =>
  done.undoneBy !== undefined || (done.request.api === 'BlockFund' && done.remaining === 0n);
