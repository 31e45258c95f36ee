/**
 * The journey of one transaction, from the caller's bytes to the caller's answer. Read this file first: it names every
 * step in order, and what may and may not be said at each point. Up to the claim, problems are thrown as refusals;
 * after it nothing is thrown, outcomes are values, and nothing is told that the journal does not hold.
 */
import {
  type Call,
  inProgress,
  plain,
  refuse,
  shed,
  type Told,
  type Trail,
  timed,
  told,
  unsent,
} from './authorize/call.ts';
import { lookUpOriginal, standAside } from './authorize/originals.ts';
import { isJournalled, policyOf, sadValuesOf } from './catalogue/apis.ts';
import { differingFields } from './catalogue/compare.ts';
import type { ApiRow } from './catalogue/row.ts';
import type { ClientConfig } from './config/config.ts';
import { FULL_ISSUER_PAUSE_MS, LEASE_MARGIN_MS, LEAST_BUDGET_MS, SETTLE_RESERVE_MS } from './config/limits.ts';
import type { Deliveries } from './delivery/deliveries.ts';
import { followReversal } from './delivery/follow.ts';
import { maskedCardOf } from './domain/card.ts';
import { apply, type Draft, type Entry, type Policy, type SettleOutcome } from './domain/entry.ts';
import { keyOf } from './domain/message.ts';
import type { IssuerAnswer, Outcome } from './domain/outcome.ts';
import { Refusal } from './domain/refusal.ts';
import { meaningOf } from './domain/responseCode.ts';
import { chooseIssuer, type Route } from './domain/routing.ts';
import { Secret } from './domain/secret.ts';
import type { Caller } from './edge/authenticate.ts';
import { parseMessage, readHeaderFields } from './edge/parse.ts';
import { checkTimestamp } from './edge/timestamp.ts';
import {
  type Answer,
  type Facts,
  type Inbound,
  type Journey,
  type RequestOutcome,
  refusedAnswer,
  type Seal,
  type Served,
} from './http/journey.ts';
import type { IssuerLine, IssuerLines, SendOptions } from './issuer/issuer.ts';
import type { Journal, Vault } from './journal/journal.ts';
import type { Held, Steps } from './journal/steps.ts';
import type { Clock } from './runtime/clock.ts';
import { Deadline } from './runtime/deadline.ts';

/** What a reload of the configuration replaces as a whole. */
export type Site = {
  /** Names the client of a call and what its token allows, or rejects with the refusal: 401 or 403. */
  readonly authenticate: (inbound: Inbound) => Promise<Caller>;
  /** Throws where the caller may not use this API (403), or not so often (429). */
  readonly permit: (caller: Caller, row: ApiRow) => void;
  /**
   * The plain body of what the client sent, or rejects with the refusal: 400, or 503 where too much is being opened. `onKey`
   * hears the `kid` of our key that it was sealed for.
   */
  readonly open: (client: ClientConfig, body: Uint8Array, onKey: (kid: string) => void) => Promise<Uint8Array>;
  /** What seals answers for the client; undefined where they go out plain. */
  readonly sealFor: (client: ClientConfig) => Seal | undefined;
  readonly routes: readonly Route[];
  readonly retentionHours: number;
};

export type JourneyDeps = {
  readonly site: () => Site;
  readonly issuers: IssuerLines;
  readonly journal: Pick<Journal, 'isUp'>;
  readonly steps: Steps;
  readonly vault: Vault;
  readonly deliveries: Pick<Deliveries, 'kick' | 'work' | 'finish' | 'late'>;
  readonly clock: Clock;
  /** Below which address calls go on while this site stands by; undefined while it works. */
  readonly standby: () => string | undefined;
  /** Told of what should never happen; must not throw. */
  readonly onDefect: (error: unknown) => void;
};

/** The first look for another's answer, and the longest time between two. */
const WAIT_FIRST_MS = 10;
const WAIT_MOST_MS = 200;
/** Kept of the caller's budget for writing the answer. */
const ANSWER_RESERVE_MS = 20;
/** Text of `91` for an inquiry that may have arrived. */
const NO_USABLE_ANSWER = 'no usable answer from the issuer in time';

export function createJourney(deps: JourneyDeps): Journey {
  return async inbound => {
    const trail: Trail = {};
    try {
      const call = await admit(deps, inbound, trail);
      try {
        const { answer, outcome } = await (isJournalled(call.row) ? transact(deps, call) : inquire(deps, call));
        return { answer, facts: { ...factsOf(trail), outcome }, seal: trail.seal };
      } finally {
        call.leave();
      }
    } catch (error) {
      return givenUp(deps, trail, error);
    }
  };
}

/** Steps 1 to 5: who calls, what they say, whose it is, and whether there is room. Nothing is claimed here. */
async function admit(deps: JourneyDeps, inbound: Inbound, trail: Trail): Promise<Call> {
  const { row } = inbound;
  const site = deps.site();
  const caller = await site.authenticate(inbound);
  const { client } = caller;
  trail.clientId = client.id;
  site.permit(caller, row);
  trail.seal = site.sealFor(client);
  const deadline = Deadline.at(deps.clock, inbound.arrivedMonotonicMs + client.budgetMs);
  const wallMs = deps.clock.wallMs();
  const body = await site.open(client, await inbound.readBody(client.payload), kid => {
    trail.kid = kid;
  });
  checkTimestamp(inbound.timestamp, wallMs, client.timestampToleranceSeconds, () => readHeaderFields(body));
  const { participants } = client;
  const message = parseMessage(row, body, { participants, wallMs, retentionHours: site.retentionHours });
  trail.maskedCard = maskedCardOf(message);
  if (inbound.idempotencyKey !== undefined && inbound.idempotencyKey !== message.header.tranId) {
    throw refuse('format', message, [{ field: 'idempotency-key', reason: 'must equal tranId' }]);
  }
  await standAside(deps, { row, message, deadline, trail });
  const issuer = chooseIssuer(site.routes, message);
  const line = issuer && deps.issuers.get(issuer);
  if (!line) {
    const reason = 'no issuer is configured for this participant and card';
    throw refuse('invalidTransaction', message, [{ field: 'participantId', reason }]);
  }
  trail.issuer = line.id;
  const leave = row.onUnknown === 'undo' ? () => undefined : await placeAt(deps, line, { message, deadline });
  return { row, client, message, line, leave, deadline, trail };
}

/**
 * A place among the calls at the issuer, and time to use it: claimed with too little left a call could only be declined
 * for good, and refused it can be sent again. A Reversal needs neither: its undo goes in the lane of the deliveries.
 */
async function placeAt(
  { clock }: JourneyDeps,
  { inFlight }: IssuerLine,
  { message, deadline }: Pick<Call, 'message' | 'deadline'>,
): Promise<() => void> {
  // A short burst finds a place after all, and who calls again at once when refused does not keep us from the others.
  if (inFlight.inUse >= inFlight.limit) await clock.sleep(FULL_ISSUER_PAUSE_MS);
  if (deadline.leftMs() < SETTLE_RESERVE_MS + LEAST_BUDGET_MS) throw shed('tooLate', message);
  const leave = inFlight.tryEnter();
  if (!leave) throw shed('issuerFull', message);
  return leave;
}

/** An inquiry changes nothing: it is sent once and not journalled, but without the journal nothing is forwarded. */
async function inquire(deps: JourneyDeps, call: Call): Promise<Told> {
  if (!deps.journal.isUp()) throw refuse('journalAway', call.message);
  const deadline = call.deadline.within(timeoutOf(call), ANSWER_RESERVE_MS);
  const outcome = await send(deps, call, { deadline, repeat: false });
  if (outcome.kind === 'answered') return told(call, outcome.answer);
  // The usual text says that nothing was sent; here it may have been, and a PIN may have cost its holder a try.
  const desc = outcome.kind === 'unknown' ? NO_USABLE_ANSWER : meaningOf('91');
  return told(call, { ...plain('91'), desc }, { outcome: outcome.kind });
}

/** Steps 6 to 9 of everything that may move money or change something. */
async function transact(deps: JourneyDeps, call: Call): Promise<Told> {
  const named = await lookUpOriginal(deps, call);
  if (named.kind === 'known') return answerAgain(deps, call, named.held);
  if (named.kind === 'open') return inProgress(call);
  call.trail.claiming = call.message;
  const claimed = await timed(deps, call, 'journalMs', () => deps.steps.claim(draftOf(deps, call), call.deadline));
  if (claimed.kind === 'away') throw refuse('journalAway', call.message);
  if (claimed.kind === 'amnesia') throw refuse('amnesia', call.message);
  if (claimed.kind === 'unsure') return inProgress(call);
  if (claimed.kind === 'exists') return answerAgain(deps, call, claimed.held);
  if (named.kind === 'refused') return settle(deps, call, claimed.held, unsent(named.code));
  if (claimed.held.entry.policy === 'undo') return reverse(deps, call, claimed.held, named.original);
  // Not to be sent: a failover could lose the claim, and a retry would be sent as if it were the first.
  if (!claimed.isReplicated) return settle(deps, call, claimed.held, { kind: 'notSent', reason: 'notReplicated' });
  return forward(deps, call, claimed.held, false);
}

function draftOf(deps: JourneyDeps, { row, client, message, line }: Call): Draft {
  const key = keyOf(message);
  return {
    birth: 'claim',
    key,
    client: client.id,
    issuer: line.id,
    api: message.api,
    policy: policyOf(row, message.originalTranId !== undefined) as Policy,
    amount: message.amount ?? null,
    message: deps.vault.sealMessage(key, message),
    leaseMs: leaseMsOf(client),
  };
}

const leaseMsOf = ({ budgetMs }: ClientConfig): number => budgetMs + LEASE_MARGIN_MS;

/** Step 7: sends what is claimed, and settles what became of it. An answer that comes later waits for the settle. */
async function forward(deps: JourneyDeps, call: Call, held: Held, repeat: boolean): Promise<Told> {
  const settled = Promise.withResolvers<void>();
  const onLate = (answer: IssuerAnswer) => void settled.promise.then(() => deps.deliveries.late(held, answer));
  const deadline = call.deadline.within(timeoutOf(call), SETTLE_RESERVE_MS);
  try {
    // Point of no return: the next line may move money.
    const outcome = await send(deps, call, { deadline, repeat, onLate });
    return await settle(deps, call, held, outcome);
  } finally {
    settled.resolve();
  }
}

async function send(deps: JourneyDeps, call: Call, options: SendOptions): Promise<Outcome> {
  const outcome = await timed(deps, call, 'issuerMs', () => call.line.issuer.send(call.message, options));
  if (outcome.kind !== 'answered') call.trail.detail = outcome.reason;
  return outcome;
}

/**
 * A Reversal is not forwarded: it marks its original, whose one undo is delivered under a derived id. The first try is
 * awaited for its balances; the answer is 00 with or without them, since the undo goes on until it is acknowledged.
 */
async function reverse(deps: JourneyDeps, call: Call, held: Held, known: Held | null | undefined): Promise<Told> {
  const deadline = call.deadline.within(call.client.budgetMs, SETTLE_RESERVE_MS);
  const followed = await timed(deps, call, 'journalMs', () =>
    followReversal(deps.steps, deps.vault, held.entry, deadline, known),
  );
  // The claim's lease brings the Reversal to its original later.
  if (followed.kind === 'unsure') return inProgress(call);
  const { original, code } = followed;
  const firstTry =
    original && timed(deps, call, 'issuerMs', () => soon(deps, deadline, deps.deliveries.work(original)));
  const fields = (await firstTry)?.fields ?? new Secret({});
  return settle(deps, call, held, { kind: 'answered', status: 200, answer: { ...plain(code), fields } });
}

const soon = <T>(deps: JourneyDeps, deadline: Deadline, work: Promise<T>): Promise<T | undefined> => {
  const done = new AbortController();
  const late = deps.clock.sleep(deadline.leftMs(), done.signal).then(() => undefined);
  return Promise.race([work, late]).finally(() => done.abort());
};

/** Step 8 and 9: the outcome goes into the journal, and only what the journal then holds is told. */
async function settle(deps: JourneyDeps, call: Call, held: Held, outcome: Outcome): Promise<Told> {
  const { fence } = held.entry;
  const settled = settleOutcome(deps, call, held.entry, outcome);
  const decide = (entry: Entry, now: number) => apply(entry, { type: 'settle', fence, outcome: settled, now });
  const moved = await timed(deps, call, 'journalMs', () => deps.steps.move(held, decide, call.deadline));
  // Too late for the caller, or not taken: it is written all the same, and nobody waits for that.
  if (moved.kind === 'unsure') deps.deliveries.finish(held, decide);
  if (moved.kind !== 'done') return inProgress(call);
  deps.deliveries.kick(moved.held);
  const { entry } = moved.held;
  // Taken over meanwhile: the answer is what the new owner wrote.
  if (entry.fence !== fence) return tellEntry(deps, call, entry, true);
  if (outcome.kind !== 'answered') return tellEntry(deps, call, entry, false, outcome.kind);
  // Another answer than ours: a Reversal came meanwhile, and an approval must not be told.
  return holds(entry, settled) ? told(call, outcome.answer) : tellEntry(deps, call, entry, false, 'unknown');
}

/** Whether the entry holds this very answer: no two are sealed to the same text. */
const holds = ({ standing }: Entry, settled: SettleOutcome): boolean =>
  standing.at === 'settled' && settled.kind === 'answered' && standing.answer.sealed === settled.answer.sealed;

function settleOutcome(deps: JourneyDeps, { message }: Call, { key, fence }: Entry, outcome: Outcome): SettleOutcome {
  if (outcome.kind !== 'answered') return { kind: outcome.kind };
  // Sent before: that this message is refused as malformed does not say what became of that one.
  if (fence > 1 && outcome.status !== 200) return { kind: 'unknown' };
  const { code, desc, fields } = outcome.answer;
  // The vault leaves out sad fields; the issuer's text may quote their values.
  const sad = [message.fields, fields].flatMap(each => sadValuesOf(each.reveal()));
  const kept = sad.some(value => desc.includes(value)) ? meaningOf(code) : desc;
  return { kind: 'answered', answer: { code, sealed: deps.vault.sealAnswer(key, { code, desc: kept, fields }) } };
}

/**
 * The `tranId` has an entry already: its answer again, if this is the same message of the same client. Only a command goes
 * out again; a retry that came before its doubt waits for the answer like all others.
 */
async function answerAgain(deps: JourneyDeps, call: Call, found: Held): Promise<Told> {
  call.leave();
  refuseOtherContent(deps, call, found.entry);
  for (let held = found; ; ) {
    const present = await sendAgain(deps, call, held);
    if ('answer' in present) return present;
    const ended = await waitForEnd(deps, call, present);
    if (!ended) return inProgress(call);
    const hasWaited = present.entry.standing.at === 'claimed';
    // What another one was given meanwhile is not in the journal: this one asks for its own.
    if (!hasWaited || !call.row.askAgain) return tellEntry(deps, call, ended.entry, true);
    held = ended;
  }
}

/**
 * Forwards a command once more, as this caller sent it now, with its `sad` fields: one that is in doubt, or whose answer
 * is not kept. One at a time; where another call has it, or nothing is to be sent, the entry as it is.
 */
async function sendAgain(deps: JourneyDeps, call: Call, held: Held): Promise<Told | Held> {
  // The issuer of the first time, whatever the routes say now: another one knows nothing of it.
  const line = deps.issuers.get(held.entry.issuer);
  const [leaseMs, askAgain, remembersMs] = [leaseMsOf(call.client), call.row.askAgain === true, line?.remembersMs ?? 0];
  const again = (entry: Entry, now: number) =>
    apply(entry, { type: 'claimAgain', now, leaseMs, remembersMs, askAgain });
  if (again(held.entry, deps.steps.nowOf(held)) === held.entry) return held;
  const leave = line?.inFlight.tryEnter();
  if (!line || !leave) return inProgress(call);
  try {
    const claimed = await timed(deps, call, 'journalMs', () => deps.steps.move(held, again, call.deadline));
    if (claimed.kind !== 'done') return inProgress(call);
    if (!claimed.moved) return claimed.held;
    call.trail.issuer = line.id;
    return await forward(deps, { ...call, line }, claimed.held, true);
  } finally {
    leave();
  }
}

/** The entry once its claim has ended; undefined where it did not in this caller's time. */
async function waitForEnd(deps: JourneyDeps, call: Call, held: Held): Promise<Held | undefined> {
  let present = held;
  for (let pause = WAIT_FIRST_MS; present.entry.standing.at === 'claimed'; pause = Math.min(pause * 2, WAIT_MOST_MS)) {
    if (call.deadline.leftMs() <= pause + ANSWER_RESERVE_MS) return undefined;
    await deps.clock.sleep(pause);
    const found = await timed(deps, call, 'journalMs', () => deps.steps.read(held.entry.key, call.deadline));
    if (!found) return undefined;
    present = found;
  }
  return present;
}

function refuseOtherContent(deps: JourneyDeps, { row, client, message }: Call, entry: Entry): void {
  // Another client of the participant learns nothing but that the id is taken.
  if (entry.client !== client.id) throw refuse('tranIdReused', message);
  if (entry.standing.at === 'tombstone') return;
  const stored = deps.vault.openMessage(entry.key, entry.message);
  const other =
    stored.api === message.api ? differingFields(row, stored.fields, message.fields.reveal()) : (['tranId'] as const);
  if (other.length === 0) return;
  const reason = stored.api === message.api ? 'differs from the first use of this tranId' : 'was used for another API';
  throw refuse(
    'tranIdReused',
    message,
    other.map(field => ({ field, reason })),
  );
}

/** What an entry has to say now. `09` is never kept, so it is never a replay. */
function tellEntry(deps: JourneyDeps, call: Call, entry: Entry, replayed: boolean, outcome?: RequestOutcome): Told {
  const { standing, key } = entry;
  if (standing.at === 'tombstone') return told(call, plain('12'), { outcome: 'declined' });
  const stored = standing.at === 'claimed' ? null : standing.answer;
  if (!stored) return inProgress(call);
  const answer = stored.sealed ? deps.vault.openAnswer(key, stored.sealed) : plain(stored.code);
  return told(call, answer, { replayed, outcome: replayed ? 'replayed' : outcome });
}

/** A refusal is the answer; anything else is our defect, and once a claim was begun nobody may be told that it failed. */
function givenUp(deps: JourneyDeps, trail: Trail, error: unknown): Served {
  const facts = factsOf(trail);
  if (error instanceof Refusal) {
    const { reason: refusal, detail = facts.detail } = error;
    return { answer: refusedAnswer(error), facts: { ...facts, outcome: 'refused', refusal, detail } };
  }
  deps.onDefect(error);
  if (!trail.claiming)
    return { answer: refusedAnswer(new Refusal('internal')), facts: { ...facts, outcome: 'failed' } };
  const { header } = trail.claiming;
  const answer: Answer = { status: 200, header, ...plain('09'), errors: [], replayed: false };
  return { answer, facts: { ...facts, outcome: 'failed' }, seal: trail.seal };
}

const factsOf = ({ claiming: _message, seal: _seal, ...facts }: Trail): Omit<Facts, 'outcome'> => facts;

const timeoutOf = ({ line, message }: Call): number => line.timeoutMs(message.api);
