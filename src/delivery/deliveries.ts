/**
 * Makes every doubt end. It looks for claims whose lease is over and takes them over, carries obligations to their
 * issuers until they are acknowledged, and finishes Reversals that lost their gateway: live work and recovered work go
 * through the same code, and any number of gateways may do this on one journal, because every step is a fenced move.
 */
import { DELIVERY_PARK_AFTER_MS, IN_FLIGHT_PER_PROCESS } from '../config/limits.ts';
import { type AttemptResult, apply, type Duty, type Entry, type ParkReason } from '../domain/entry.ts';
import { filingOf, type Lane, RECOVERY } from '../domain/filing.ts';
import { type EntryKey, type IssuerId, keyText } from '../domain/ids.ts';
import type { IssuerAnswer, Outcome } from '../domain/outcome.ts';
import type { ResponseCode } from '../domain/responseCode.ts';
import type { IssuerLine, IssuerLines } from '../issuer/issuer.ts';
import type { Journal, Vault } from '../journal/journal.ts';
import type { Held, Steps } from '../journal/steps.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import type { Random } from '../runtime/random.ts';
import { Backlog } from './backlog.ts';
import { backoffMs } from './backoff.ts';
import { apiOfDuty, dutyMessage } from './derive.ts';
import { followReversal, isApprovedReversal } from './follow.ts';
import { type LateEffect, takeInLate } from './lateAnswer.ts';

/** What the deliveries report; none of it may throw. */
export type DeliveryObserver = {
  attempted(issuer: IssuerId, kind: DueKind, result: AttemptResult['kind']): void;
  takenOver(): void;
  /** The issuer's answer to a claim came after its deadline. */
  late(entry: Entry, code: ResponseCode, effect: LateEffect): void;
  /** An operator has to look. */
  parked(key: EntryKey, issuer: IssuerId, kind: DueKind, why: ParkReason): void;
  failed(error: unknown): void;
};

type DueKind = Extract<Duty, { is: 'due' }>['kind'];

export type DeliveryDeps = {
  readonly journal: Journal;
  readonly steps: Steps;
  readonly vault: Vault;
  readonly issuers: IssuerLines;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: DeliveryObserver;
};

/** How often the journal is asked for due work. What this process makes due itself is begun at once. */
const POLL_MS = 250;
/** The least time between two polls while there is more to do than can be begun at once. */
const BUSY_POLL_MS = 10;
/** Ten seconds: a failover is over by then, or takes so long that other doubts should not wait for it. */
const RESTORING_POLLS_MOST = 40;
/** Steps of recovery at a time: enough to be quick, few enough to leave the journal to the journey. */
const RECOVERY_AT_ONCE = 8;
/** A try is leased for the issuer's time-out and this, so that nobody else starts while it may still be under way. */
const ATTEMPT_LEASE_MARGIN_MS = 2000;
/** How long a journal step of a delivery goes on trying; after that the entry comes back by its lease. */
const STEP_BUDGET_MS = 1000;
/** The fence of nobody: claims count theirs from 1. */
const NO_OWNER = 0;
/** Ends of claims that wait for the journal: those in flight when it went away, and no more. */
const FINISHING_MOST = IN_FLIGHT_PER_PROCESS;
/** How often the end of a claim is tried again: thousands of them may wait for one journal that is away. */
const FINISH_EVERY_MS = 2000;

export class Deliveries {
  readonly #deps: DeliveryDeps;
  readonly #stop = new AbortController();
  /** Entries in work here, so that a poll does not take up what is already under way. */
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<unknown>>();
  #loop: Promise<void> | undefined;
  #recovering = 0;
  #finishing = 0;
  /** Polls that found data to be restored still. */
  #restoring = 0;
  /** Losses of the store when what was found last was found. */
  #lossesKnown = 0;
  readonly #found: Backlog<Held>;
  /** Whether the last poll filled a lane, so that there may be more. */
  #more = false;
  /** Aborted when all that was found for a lane is begun and the next poll need not wait. */
  #roomAgain = new AbortController();

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    const lineOf = (lane: Lane) => (lane === RECOVERY ? undefined : deps.issuers.get(lane));
    const places = {
      lanes: (): Lane[] => [RECOVERY, ...[...deps.issuers.all()].map(({ id }) => id)],
      free: (lane: Lane) => {
        const line = lineOf(lane);
        if (line) return freeTries(line);
        return lane === RECOVERY ? RECOVERY_AT_ONCE - this.#recovering : 0;
      },
      isProbing: (lane: Lane) => (lineOf(lane)?.issuer.state ?? 'closed') !== 'closed',
    };
    this.#found = new Backlog(places, held => this.#workFound(held));
  }

  start(): void {
    this.#loop ??= this.#poll();
  }

  /** Begins nothing more, and waits for what is under way; each try is bounded by its issuer's time-out. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#roomAgain.abort();
    await this.#loop;
    await Promise.all(this.#running);
  }

  /** Starts on what an entry owes at once, without waiting for it. */
  kick(held: Held): void {
    if (held.entry.duty.is === 'due') this.#spawn(this.work(held));
  }

  /**
   * Goes on with the end of a claim that the journal did not take within its caller's budget. It is known here and
   * nowhere else; and if the claim was taken over, only this makes its undo due again (F68).
   */
  finish(held: Held, decide: (entry: Entry, now: number) => Entry): void {
    if (this.#finishing < FINISHING_MOST) this.#spawn(this.#finish(held, decide));
  }

  /** Takes in an answer to the claim's own send that came after its deadline (F25); the settle has been tried by now. */
  late(held: Held, answer: IssuerAnswer): void {
    if (this.#finishing < FINISHING_MOST) this.#spawn(this.#late(held, answer));
  }

  /**
   * One step for an entry whose time has come. Resolves to the issuer's answer where it acknowledged an undo just now;
   * never rejects.
   */
  async work(held: Held): Promise<IssuerAnswer | undefined> {
    const name = keyText(held.entry.key);
    if (this.#stop.signal.aborted || this.#busy.has(name)) return undefined;
    this.#busy.add(name);
    try {
      return await this.#step(held);
    } catch (error) {
      this.#deps.observer.failed(error);
      return undefined;
    } finally {
      this.#busy.delete(name);
    }
  }

  async #finish(held: Held, decide: (entry: Entry, now: number) => Entry): Promise<void> {
    const { journal, steps, clock, random, observer } = this.#deps;
    // For as long as any delivery is tried.
    const until = Deadline.in(clock, DELIVERY_PARK_AFTER_MS);
    this.#finishing += 1;
    try {
      while (!this.#stop.signal.aborted && until.leftMs() > 0) {
        const moved = journal.isUp() ? await steps.move(held, decide, this.#stepDeadline()) : undefined;
        if (moved?.kind === 'done') this.kick(moved.held);
        if (moved && moved.kind !== 'unsure') return;
        await clock.sleep(FINISH_EVERY_MS * random.fraction(), this.#stop.signal);
      }
    } catch (error) {
      observer.failed(error);
    } finally {
      this.#finishing -= 1;
    }
  }

  async #late(held: Held, { code, ...answer }: IssuerAnswer): Promise<void> {
    const { vault, observer } = this.#deps;
    this.#finishing += 1;
    try {
      const stored = { code, sealed: vault.sealAnswer(held.entry.key, { code, ...answer }) };
      const taken = await takeInLate(this.#deps, held, stored, this.#stop.signal);
      if (!taken) return;
      observer.late(taken.held.entry, code, taken.effect);
      this.kick(taken.held);
    } catch (error) {
      observer.failed(error);
    } finally {
      this.#finishing -= 1;
    }
  }

  async #poll(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#lookOnce();
      } catch (error) {
        this.#deps.observer.failed(error);
      }
      await this.#pause();
    }
  }

  /** Until the next poll is due; only until a try has ended where the last poll found more than could be begun. */
  async #pause(): Promise<void> {
    const { clock } = this.#deps;
    if (!this.#more) return clock.sleep(POLL_MS, this.#stop.signal);
    this.#roomAgain = new AbortController();
    await clock.sleep(POLL_MS, this.#roomAgain.signal);
    await clock.sleep(BUSY_POLL_MS, this.#stop.signal);
  }

  async #lookOnce(): Promise<void> {
    const wanted = this.#found.wanted();
    const found = await this.#deps.journal.due(wanted);
    const due = found.kind === 'done' ? found.value.map(each => this.#deps.steps.hold(each)) : [];
    const { losses } = this.#deps.journal.amnesia();
    if (losses !== this.#lossesKnown) this.#found.drop();
    // What was found may have ended in what the store has lost: that is written again before anything is done about it.
    if (await this.#isRestoring()) return;
    this.#lossesKnown = losses;
    this.#more = false;
    for (const { lane, limit } of wanted) {
      const ofLane = due.filter(({ entry }) => filingOf(entry).wake?.lane === lane);
      this.#found.put(lane, ofLane);
      this.#more ||= ofLane.length >= limit;
    }
    for (const begun of this.#found.begin()) this.#spawn(begun.finally(() => this.#roomAgain.abort()));
    this.#more ||= !this.#found.isEmpty;
  }

  /** Whether all else is to wait until more is restored; a part of the store that stays away holds up the rest for a while. */
  async #isRestoring(): Promise<boolean> {
    const restored = await this.#deps.steps.restoreLost(entry => this.#followAgain(entry));
    this.#restoring = restored === 'incomplete' ? this.#restoring + 1 : 0;
    return restored === 'restored' || (restored === 'incomplete' && this.#restoring < RESTORING_POLLS_MOST);
  }

  /** A Reversal that was told `00` marks its original once more: the mark may be lost where the Reversal is not. */
  async #followAgain(entry: Entry): Promise<boolean> {
    const { steps, vault } = this.#deps;
    if (!isApprovedReversal(entry)) return true;
    const followed = await followReversal(steps, vault, entry, this.#stepDeadline());
    if (followed.kind === 'followed' && followed.original) this.kick(followed.original);
    return followed.kind === 'followed';
  }

  async #workFound(held: Held): Promise<void> {
    // Found before a loss: it is found again once what was lost is restored.
    if (this.#deps.journal.amnesia().losses !== this.#lossesKnown) return;
    const recovers = filingOf(held.entry).wake?.lane === RECOVERY ? 1 : 0;
    this.#recovering += recovers;
    await this.work(held);
    this.#recovering -= recovers;
  }

  #spawn(work: Promise<unknown>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #step(held: Held): Promise<IssuerAnswer | undefined> {
    const { standing, duty } = held.entry;
    if (standing.at === 'claimed') return this.#takeOver(held);
    if (duty.is !== 'due') return undefined;
    if (duty.kind === 'follow') return this.#follow(held);
    const line = this.#deps.issuers.get(held.entry.issuer);
    const leave = line && freeTries(line) > 0 ? line.deliveries.tryEnter() : undefined;
    if (!line || !leave) return undefined;
    try {
      return await this.#attempt(held, line);
    } finally {
      leave();
    }
  }

  /**
   * The lease of a claim is over: what its owner left behind becomes a doubt. The next poll finds what that makes due,
   * because recovery must not wait for an issuer: one that hangs would hold up the doubts about all others.
   */
  async #takeOver(held: Held): Promise<undefined> {
    const taken = await this.#deps.steps.move(
      held,
      (entry, now) => apply(entry, { type: 'takeOver', now }),
      this.#stepDeadline(),
    );
    if (taken.kind === 'done' && taken.moved) this.#deps.observer.takenOver();
  }

  async #follow(held: Held): Promise<undefined> {
    const leased = await this.#lease(held, STEP_BUDGET_MS + ATTEMPT_LEASE_MARGIN_MS, Number.POSITIVE_INFINITY);
    if (!leased) return;
    const { steps, vault, observer } = this.#deps;
    const followed = await followReversal(steps, vault, leased.entry, this.#stepDeadline());
    const result: AttemptResult =
      followed.kind === 'unsure' ? { kind: 'open' } : { kind: 'done', answer: { code: followed.code, sealed: null } };
    await this.#report(leased, result, 0);
    observer.attempted(leased.entry.issuer, 'follow', result.kind);
    if (followed.kind === 'followed' && followed.original) this.kick(followed.original);
  }

  async #attempt(held: Held, line: IssuerLine): Promise<IssuerAnswer | undefined> {
    const { vault, clock, observer } = this.#deps;
    const timeoutMs = line.timeoutMs(apiOfDuty(held.entry));
    // Counted from before the lease is asked for: a process that is frozen over it must not send after its end (F68).
    const latest = Deadline.in(clock, timeoutMs + STEP_BUDGET_MS);
    const leased = await this.#lease(held, timeoutMs + ATTEMPT_LEASE_MARGIN_MS, line.remembersMs);
    if (leased?.entry.duty.is !== 'due') return undefined;
    const { kind, triesOfId } = leased.entry.duty;
    const stored = vault.openMessage(leased.entry.key, leased.entry.message);
    const outcome = await line.issuer.deliver(dutyMessage(leased.entry, stored), {
      deadline: latest.within(timeoutMs, 0),
      repeat: kind === 'repeat' || triesOfId > 1,
    });
    const result = this.#resultOf(leased.entry, kind, outcome);
    observer.attempted(line.id, kind, result.kind);
    const reported = await this.#report(leased, result, line.maxProcessingMs);
    if (!reported && outcome.kind !== 'notSent') await this.#afterLease(leased);
    return result.kind === 'done' && outcome.kind === 'answered' ? outcome.answer : undefined;
  }

  /** Takes the entry's duty for one try; undefined where somebody else has it, or where it was parked instead. */
  async #lease(held: Held, leaseMs: number, remembersMs: number): Promise<Held | undefined> {
    const limits = { remembersMs, parkAfterMs: DELIVERY_PARK_AFTER_MS };
    const now = this.#deps.steps.nowOf(held);
    const to = apply(held.entry, { type: 'lease', now, leaseMs, limits });
    if (to === held.entry) return undefined;
    const leased = await this.#moveOnce(held, to);
    return leased?.entry.duty.is === 'due' ? leased : undefined;
  }

  /** Whether the journal took the report; it does not where the duty has changed hands meanwhile. */
  async #report(leased: Held, result: AttemptResult, maxProcessingMs: number): Promise<boolean> {
    const { steps, random } = this.#deps;
    const tries = leased.entry.duty.is === 'due' ? leased.entry.duty.tries : 1;
    const nextAt = steps.nowOf(leased) + backoffMs(tries, random.fraction());
    const to = apply(leased.entry, { type: 'attempted', result, nextAt, maxProcessingMs });
    return (await this.#moveOnce(leased, to)) !== undefined;
  }

  async #moveOnce(held: Held, to: Entry): Promise<Held | undefined> {
    const moved = await this.#deps.steps.moveOnce(held, to, this.#stepDeadline());
    if (moved) this.#noteParked(moved.entry);
    else if (to.duty.is === 'parked' && this.#finishing < FINISHING_MOST) this.#spawn(this.#findParked(to));
    return moved;
  }

  /** Nobody has told whether the entry was parked, and what is parked wakes nobody: the alarm must not be lost with it. */
  async #findParked({ key, version }: Entry): Promise<void> {
    const { steps, clock, random, observer } = this.#deps;
    const until = Deadline.in(clock, DELIVERY_PARK_AFTER_MS);
    this.#finishing += 1;
    try {
      while (!this.#stop.signal.aborted && until.leftMs() > 0) {
        const present = await steps.read(key, this.#stepDeadline());
        if (present?.entry.version === version) this.#noteParked(present.entry);
        // Before that version it may still be written, or else it is tried again.
        if (present === null || (present && present.entry.version >= version)) return;
        await clock.sleep(FINISH_EVERY_MS * random.fraction(), this.#stop.signal);
      }
    } catch (error) {
      observer.failed(error);
    } finally {
      this.#finishing -= 1;
    }
  }

  /**
   * A try that ends after its lease may have reached the issuer after a doubt was closed, as a late settle may: a
   * repeat that was replaced by its undo meanwhile is undone again.
   */
  async #afterLease(leased: Held): Promise<void> {
    const { steps } = this.#deps;
    const { duty, key, claimedAt } = leased.entry;
    if (duty.is !== 'due' || duty.kind !== 'repeat' || steps.nowOf(leased) <= duty.nextAt) return;
    const late = (entry: Entry, now: number) =>
      apply(entry, { type: 'settle', fence: NO_OWNER, outcome: { kind: 'unknown' }, now });
    // What is there now decides: in the version that was leased it is still a repeat, which needs nothing.
    const present = await steps.read(key, this.#stepDeadline());
    if (present?.entry.claimedAt !== claimedAt) return;
    const moved = await steps.move(present, late, this.#stepDeadline());
    if (moved.kind === 'done') this.kick(moved.held);
  }

  #noteParked({ key, issuer, duty }: Entry): void {
    if (duty.is === 'parked') this.#deps.observer.parked(key, issuer, duty.kind, duty.why);
  }

  /** What an outcome means for a duty: only a definite answer with HTTP 200 ends it. */
  #resultOf(entry: Entry, kind: DueKind, outcome: Outcome): AttemptResult {
    if (outcome.kind !== 'answered' || outcome.status !== 200) return { kind: 'open' };
    const { answer } = outcome;
    if (kind === 'repeat') {
      return { kind: 'done', answer: { code: answer.code, sealed: this.#deps.vault.sealAnswer(entry.key, answer) } };
    }
    if (answer.code === '00') return { kind: 'done', answer: null };
    return answer.code === '25' ? { kind: 'absent' } : { kind: 'refused' };
  }

  #stepDeadline(): Deadline {
    return Deadline.in(this.#deps.clock, STEP_BUDGET_MS);
  }
}

/** How many more tries an issuer may be sent now: while its breaker is not closed they go one at a time, as its probes. */
function freeTries({ issuer, deliveries }: IssuerLine): number {
  const most = issuer.state === 'closed' ? deliveries.limit : 1;
  return Math.max(0, most - deliveries.inUse);
}
