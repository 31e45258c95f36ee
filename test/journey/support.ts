/**
 * The stage of the journey's tests: one scripted issuer, one real gateway process on a journal of either kind, and the
 * few questions that all of them ask: what was the caller told, what did the issuer see, and is anything still owed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import type { ApiName } from '../support/apiPaths.ts';
import { type ChaosProxy, startChaosProxy } from '../support/chaosProxy.ts';
import { type Answer, type CallOptions, call, type Fields, newTranId } from '../support/client.ts';
import {
  clientOf,
  type GatewayOptions,
  ISSUER,
  newSqliteUrl,
  newToken,
  PARTICIPANT,
} from '../support/gatewayConfig.ts';
import { type Gateway, startGateway } from '../support/gatewayProcess.ts';
import { startRedis } from '../support/redis.ts';
import { type IssuerRequest, type ScriptedIssuer, startScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';

export const JOURNALS = ['SQLite', 'Redis'] as const;
export type JournalKind = (typeof JOURNALS)[number];

/** Nothing runs out of time by accident, however busy the machine is: for all but the tests of time-outs. */
const PATIENT: Pace = { issuer: { timeoutMs: 4000, maxProcessingMs: 4000 }, client: { budgetMs: 8000 } };

/** What is never answered times out soon. */
export const HASTY: Pace = { issuer: { timeoutMs: 2500, maxProcessingMs: 2500 }, client: { budgetMs: 6000 } };

/** What was never sent can no longer come some four seconds later. */
export const BRIEF: Pace = { issuer: { timeoutMs: 1000, maxProcessingMs: 1000 }, client: { budgetMs: 1300 } };

/** A claim is leased for the budget and this (design, section 7). */
export const LEASE_MARGIN_MS = 2000;
/** Starts, waits for deliveries that back off, and a busy machine. */
const PLAY_MS = 120_000;
/** Longer than a round of looking for due work, several times over. */
const QUIET_MS = 1000;

type Pace = Required<Pick<GatewayOptions, 'issuer' | 'client'>>;

const OTHER_CLIENT = { id: 'other-client', token: newToken() };
/** Options of a call that makes it the second client's. */
export const AS_OTHER = { token: OTHER_CLIENT.token };
export const OTHER_PARTICIPANT = '200000';

export type Stage = {
  readonly issuer: ScriptedIssuer;
  readonly gateway: Gateway;
  /** Between the two. */
  readonly proxy: ChaosProxy;
  /** Calls the gateway as the first client. */
  readonly call: (api: ApiName, fields: Fields, options?: CallOptions) => Promise<Answer>;
  readonly stop: () => Promise<void>;
};

export type StageOptions = {
  readonly journal?: JournalKind;
  readonly pace?: Pace;
  /** Of both clients; default the Transaction module. */
  readonly scopes?: readonly string[];
};

/** Starts an issuer and a gateway with two clients and two participants. The breaker never opens. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { journal = 'SQLite', pace = PATIENT, scopes = ['Transaction'] } = options;
  const redis = journal === 'Redis' ? await startRedis() : undefined;
  const issuer = await startScriptedIssuer();
  const proxy = await startChaosProxy(issuer);
  const gateway = await startGateway({
    issuerUrl: issuer.baseUrl.replace(`:${issuer.port}`, `:${proxy.port}`),
    journalUrl: redis?.url ?? newSqliteUrl(),
    issuer: { ...pace.issuer, breaker: { minimumCalls: 100_000 } },
    client: { ...pace.client, scopes, participants: [PARTICIPANT, OTHER_PARTICIPANT] },
    change: config => {
      config.clients.push({ ...clientOf(OTHER_CLIENT.id, OTHER_CLIENT.token), ...pace.client, scopes });
      config.routes.push({ participant: OTHER_PARTICIPANT, issuer: ISSUER });
    },
  });
  return {
    issuer,
    gateway,
    proxy,
    call: (api, fields, options) => call(gateway, api, fields, options),
    stop: async () => {
      await gateway.kill9();
      await proxy.stop();
      await Promise.all([issuer.stop(), redis?.stop()]);
    },
  };
}

/** Plays something on both journals at once before the tests of a file; gives what was played on one of them. */
export function onBoth<Played extends { readonly stage: Stage }>(
  play: (journal: JournalKind) => Promise<Played>,
): (journal: JournalKind) => Played {
  const plays = new Map<JournalKind, Played>();
  beforeAll(async () => {
    await Promise.all(JOURNALS.map(async journal => plays.set(journal, await play(journal))));
  }, PLAY_MS);
  afterAll(async () => {
    await Promise.all([...plays.values()].map(({ stage }) => stage.stop()));
  });
  return journal => {
    const played = plays.get(journal);
    if (!played) throw new Error(`nothing was played on ${journal}`);
    return played;
  };
}

/** A stage on each journal. */
export function stages(): (journal: JournalKind) => Stage {
  const on = onBoth(async journal => ({ stage: await openStage({ journal }) }));
  return journal => on(journal).stage;
}

/** The Reversal of an original. */
export const reverse = (
  { call }: Stage,
  originalTranId: string,
  fields: Fields,
  options?: CallOptions,
): Promise<Answer> => call('Reversal', { ...fields, originalTranId }, options);

/** A call that is at the issuer and not answered yet, until `issuer.release()`. */
export async function inFlight({ issuer, call }: Stage, api: ApiName, fields: Fields) {
  const tranId = newTranId();
  issuer.script(api, { kind: 'queueUntilReleased' }, { tranId, times: 1 });
  const answer = call(api, fields, { tranId });
  await issuer.waitFor('the original at the issuer', () => issuer.requestsOf(api, tranId).length === 1);
  return { tranId, answer };
}

let cards = 0;
/** A card of its own for each case, so that its balance tells of this case alone. It opens with 1000.00. */
export function newCard(): string {
  cards += 1;
  return `card-${cards}`;
}

/** The usual fields of a money call. */
export const money = (card: string, tranAmount = '10.00'): Fields => ({
  cardToken: card,
  tranAmount,
  tranCurrency: '840',
});

/** What the caller was told, in short: `200 68`, or `200 68 replayed`. */
export const said = ({ status, body, headers }: Answer): string =>
  `${status} ${String(body.responseCode)}${headers['idempotent-replayed'] === undefined ? '' : ' replayed'}`;

/** The names of the fields that a 400 complains about. */
export const blamed = ({ body }: Answer): unknown[] =>
  Array.isArray(body.errors) ? body.errors.map((error: { field?: unknown }) => error.field) : [];

/** What was done for a transaction, its undos included, in minor units of its card. */
export function netOf(issuer: ScriptedIssuer, tranId: string): { available: bigint; held: bigint } {
  const about = issuer.effects.filter(effect => effect.tranId === tranId || effect.originalTranId === tranId);
  return {
    available: about.reduce((sum, { available }) => sum + available, 0n),
    held: about.reduce((sum, { held }) => sum + held, 0n),
  };
}

export const NOTHING_DONE = { available: 0n, held: 0n };

/** The ids of messages, each once. */
export const idsOf = (requests: readonly IssuerRequest[]): string[] => [
  ...new Set(requests.map(({ tranId }) => tranId)),
];

/** Messages by which a transaction is undone. */
export const undosOf = (issuer: ScriptedIssuer, tranId: string): readonly IssuerRequest[] =>
  issuer.requests.filter(
    ({ api, originalTranId }) => (api === 'Reversal' || api === 'UnblockFund') && originalTranId === tranId,
  );

export type Owed = {
  readonly doubts: number;
  readonly due: number;
  readonly parked: number;
  /** Minor units, all currencies together. */
  readonly money: number;
};

export const NOTHING_OWED: Owed = { doubts: 0, due: 0, parked: 0, money: 0 };

/** What the gateway says that it owes. @throws Error where a number is missing. */
export async function owed(gateway: Gateway): Promise<Owed> {
  const text = await gateway.metrics();
  return {
    doubts: sumOf(text, 'gateway_doubts_open'),
    due: sumOf(text, 'gateway_obligations_due'),
    parked: sumOf(text, 'gateway_obligations_parked'),
    // No series at all where no money is in doubt.
    money: sumOf(text, 'gateway_money_in_doubt_minor_units', 0),
  };
}

export const alarms = async (gateway: Gateway, kind: string): Promise<number> =>
  sumOf(await gateway.metrics(), `gateway_alarms_total{kind="${kind}"}`, 0);

/** The sum over all series of a metric, or the value of the one series that is named with its labels. */
function sumOf(text: string, name: string, ifNone?: number): number {
  const values = text
    .split('\n')
    .filter(line => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map(line => Number(line.slice(line.lastIndexOf(' ') + 1)));
  if (values.length === 0 && ifNone === undefined) throw new Error(`no ${name} in the metrics`);
  return values.reduce((sum, value) => sum + value, 0);
}

/** A `tranId` that the gateway has derived. */
export const DERIVED = /^RV[A-Z2-7]{30}$/;

/** Until no delivery is due and no doubt is open. */
export async function untilNothingDue({ gateway }: Stage): Promise<void> {
  const nothing = async () => {
    const { doubts, due } = await owed(gateway);
    return doubts + due === 0;
  };
  await waitFor('an end of all that is owed', nothing, { everyMs: 100 });
}

/** Asks again until the answer is no longer 09. */
export const untilTold = (ask: () => Promise<Answer>): Promise<Answer> => {
  const told = async () => {
    const answer = await ask();
    return said(answer) === '200 09' ? undefined : answer;
  };
  return waitFor('an answer other than 09', told, { everyMs: 50 });
};

/** How many messages reach the issuer in the next second. */
export async function messagesInASecond({ issuer }: Stage): Promise<number> {
  const before = issuer.requests.length;
  await sleep(QUIET_MS);
  return issuer.requests.length - before;
}

/** Enough that waiting overlaps, few enough that a busy machine does not run into the time limits of the stage. */
const AT_A_TIME = 12;

/**
 * Starts the cases before their tests, several at a time, since nearly all of their time is waiting, and hands each
 * test the end of its own. A case that fails fails its own test alone.
 */
export function allAtOnce<Case, Result>(cases: readonly Case[], run: (one: Case) => Promise<Result>) {
  const ends = new Map<Case, PromiseSettledResult<Result>>();
  const queue = [...cases];
  const work = async () => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const [end] = await Promise.allSettled([run(one)]);
      ends.set(one, end);
    }
  };
  const all = Promise.all(Array.from({ length: AT_A_TIME }, work));
  return {
    /** The end of one case. @throws what the case threw. */
    async of(one: Case): Promise<Result> {
      await all;
      const end = ends.get(one);
      if (end?.status === 'fulfilled') return end.value;
      throw end?.reason ?? new Error('no such case');
    },
    /** Until every case has ended, well or badly. */
    all: async (): Promise<void> => void (await all),
  };
}
