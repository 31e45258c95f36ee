/**
 * What an operator can see in numbers, in Prometheus' form. Every label comes from a closed list or from the
 * configuration, never from a request, so that the number of series is bounded (F88); and no method here ever throws
 * into the path of money.
 */
import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LateEffect } from '../delivery/lateAnswer.ts';
import type { AttemptResult, DutyKind } from '../domain/entry.ts';
import type { IssuerId } from '../domain/ids.ts';
import { SHED_REASONS } from '../domain/refusal.ts';
import type { OauthRecord, RequestRecord } from '../http/journey.ts';
import type { BreakerState } from '../issuer/issuer.ts';
import type { Amnesia, OwedSummary } from '../journal/journal.ts';
import type { Clock } from './clock.ts';
import { Durations } from './metricsDurations.ts';
import type { MetricsPart } from './metricsSum.ts';

/** What became of one try of a delivery; `parked` is final until an operator acts. */
export type DeliveryEnd = AttemptResult['kind'] | 'parked';

/** What somebody has to look at. */
export type AlarmKind =
  /** The issuer refused the gateway itself: credentials or routes are wrong. */
  | 'refusedAtTheDoor'
  /** A reply that belongs to another message. */
  | 'wrongEcho'
  /** An obligation that cannot be carried out. */
  | 'parked'
  /** The journal has forgotten claims that it had counted. */
  | 'amnesia'
  /** The journal's store is in a state in which promises may be broken. */
  | 'journal'
  /** An entry that no key of ours opens. */
  | 'keyMissing'
  /** A certificate that has ended: what it stands for is out of use. */
  | 'expired'
  /** A process of the gateway that ended without being told to. */
  | 'worker'
  /** A defect of ours. */
  | 'defect';

/** The state of the gateway at one moment. */
export type Snapshot = {
  readonly inFlight: number;
  readonly waiting: number;
  readonly draining: boolean;
  readonly standby: boolean;
  readonly journalUp: boolean;
  readonly amnesia: Amnesia;
  readonly breakers: ReadonlyMap<IssuerId, BreakerState>;
  /** Undefined where the journal cannot be asked now: unknown, which is not none. */
  readonly owed: OwedSummary | undefined;
  /** What ends by itself, in words made of the configuration, with the milliseconds that are left. */
  readonly expiries: ReadonlyMap<string, number>;
};

export type Metrics = {
  readonly request: (record: RequestRecord) => void;
  readonly oauth: (record: OauthRecord) => void;
  readonly delivery: (kind: DutyKind, end: DeliveryEnd) => void;
  readonly lateAnswer: (issuer: IssuerId, effect: LateEffect) => void;
  /** A connection to the public port that was one too many. */
  readonly connectionDropped: () => void;
  readonly alarm: (kind: AlarmKind) => void;
  /** Takes the state from here whenever it is asked for; `withOwed`: what is open in the whole journal, too. */
  readonly onScrape: (read: (withOwed: boolean) => Promise<Snapshot>) => void;
  /** Everything, in Prometheus' text form. */
  readonly text: () => Promise<string>;
  /** Media type of `text`. */
  readonly contentType: string;
  /** Everything, or less, for a sum over several processes. */
  readonly part: (extent: Extent) => Promise<MetricsPart>;
};

/**
 * `whole`: everything. `own`: without what is open in the journal, which is the same for all processes that share it.
 * `counts`: without the state of this moment, which costs something.
 */
export type Extent = 'whole' | 'own' | 'counts';

const BREAKER_STATES = ['closed', 'open', 'halfOpen'] as const satisfies readonly BreakerState[];

/** A scrape waits no longer than this for the journal; Prometheus gives up after 10 s. */
const SCRAPE_WAIT_MS = 2000;

/** Metrics in a registry of their own. */
export const createMetrics = (clock: Clock): Metrics => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const counters = countersIn(registry);
  const gauges = gaugesIn(registry);
  let read: ((withOwed: boolean) => Promise<Snapshot>) | undefined;
  const safely = (run: () => void): void => {
    try {
      run();
    } catch {
      counters.failures.inc();
    }
  };
  const showNow = async (withOwed: boolean): Promise<void> => {
    const reader = read;
    const snapshot = reader && (await within(clock, () => reader(withOwed)));
    if (reader && !snapshot) counters.failures.inc();
    safely(() => showState(gauges, snapshot));
  };
  return {
    request: record => safely(() => countRequest(counters, record)),
    oauth: ({ endpoint, result }) => safely(() => counters.oauth.inc({ endpoint, result })),
    delivery: (kind, result) => safely(() => counters.deliveries.inc({ kind, result })),
    lateAnswer: (issuer, effect) => safely(() => counters.lateAnswers.inc({ issuer, effect })),
    connectionDropped: () => safely(() => counters.shed.inc({ reason: 'connections' })),
    alarm: kind => safely(() => counters.alarms.inc({ kind })),
    onScrape: reader => {
      read = reader;
    },
    text: async () => {
      await showNow(true);
      return registry.metrics();
    },
    contentType: registry.contentType,
    part: async extent => {
      if (extent !== 'counts') await showNow(extent === 'whole');
      return registry.getMetricsAsJSON();
    },
  };
};

/** What Node and the system know of this process. Of several processes the slowest event loop is what counts. */
export const collectProcessMetrics = (registry: Registry): void => {
  collectDefaultMetrics({ register: registry });
  for (const metric of registry.getMetricsAsArray()) {
    if (/^nodejs_eventloop_lag_(?!min)/.test(metric.name)) Object.assign(metric, { aggregator: 'max' });
  }
};

export const alarmsIn = (registry: Registry) =>
  new Counter({
    name: 'gateway_alarms_total',
    help: 'What somebody has to look at.',
    labelNames: ['kind'],
    registers: [registry],
  });

const countersIn = (registry: Registry) => {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'gateway_requests_total',
      help: 'Finished requests by API, how they ended, and the response code that the caller was given.',
      labelNames: ['api', 'outcome', 'code'],
      registers,
    }),
    refusals: new Counter({
      name: 'gateway_refusals_total',
      help: 'Requests that the gateway itself turned away, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    shed: new Counter({
      name: 'gateway_shed_total',
      help: 'Requests refused with 503 for want of room, and connections closed unread, by reason; nothing was claimed.',
      labelNames: ['reason'],
      registers,
    }),
    oauth: new Counter({
      name: 'gateway_oauth_requests_total',
      help: 'Finished requests to the authorization server, by what came of them.',
      labelNames: ['endpoint', 'result'],
      registers,
    }),
    whole: new Durations({
      name: 'gateway_request_duration_seconds',
      help: 'From the arrival of a request to its answer.',
      label: 'api',
      registry,
    }),
    issuer: new Durations({
      name: 'gateway_issuer_duration_seconds',
      help: 'What a request waited for the issuer.',
      label: 'issuer',
      registry,
    }),
    journal: new Durations({
      name: 'gateway_journal_duration_seconds',
      help: 'What a request waited for the journal, all its steps together.',
      registry,
    }),
    deliveries: new Counter({
      name: 'gateway_deliveries_total',
      help: 'Tries of deliveries by kind of obligation and result.',
      labelNames: ['kind', 'result'],
      registers,
    }),
    lateAnswers: new Counter({
      name: 'gateway_late_answers_total',
      help: 'Answers of issuers after the deadline, by what they did: ended a doubt, had an undo sent again, or were noted.',
      labelNames: ['issuer', 'effect'],
      registers,
    }),
    alarms: alarmsIn(registry),
    failures: new Counter({
      name: 'gateway_metrics_failures_total',
      help: 'Observations that could not be taken; the state of the journal is missing from that scrape.',
      registers,
    }),
  };
};

/**
 * `over` is how values of several processes make one: what is open in the journal is told by one process alone (`first`),
 * and what each of them sees of something that they share is never added up.
 */
const gaugesIn = (registry: Registry) => {
  const gauge = <Label extends string>(
    over: Aggregator,
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ) => new Gauge<Label>({ name, help, labelNames, aggregator: over, registers: [registry] });
  return {
    inFlight: gauge('sum', 'gateway_in_flight', 'Requests being served now.'),
    waiting: gauge('sum', 'gateway_waiting', 'Requests that wait for their turn to be begun.'),
    draining: gauge('max', 'gateway_draining', '1 while the gateway is about to end.'),
    standby: gauge('max', 'gateway_standby', '1 while the site sends its callers to another one.'),
    journalUp: gauge('min', 'gateway_journal_up', '1 while the journal can be used.'),
    amnesia: gauge(
      'max',
      'gateway_journal_amnesia_shards',
      'Shards that take no new money because the journal lost data there.',
    ),
    unconfirmed: gauge(
      'sum',
      'gateway_journal_unconfirmed_writes',
      'Writes that replicas did not confirm in time, since the start.',
    ),
    breaker: gauge('max', 'gateway_breaker_state', '1 for the state that the breaker of the issuer is in.', [
      'issuer',
      'state',
    ]),
    doubts: gauge('first', 'gateway_doubts_open', 'Transactions whose outcome is unknown.'),
    due: gauge('first', 'gateway_obligations_due', 'Obligations that are being delivered.'),
    parked: gauge('first', 'gateway_obligations_parked', 'Obligations that wait for an operator.'),
    oldest: gauge('first', 'gateway_obligation_oldest_age_seconds', 'Age of the oldest obligation; 0 with none.'),
    byIssuer: gauge('first', 'gateway_obligations', 'Obligations, due or parked, by issuer.', ['issuer']),
    expiry: gauge('min', 'gateway_expiry_seconds', 'What is left until a certificate ends; below 0 it has ended.', [
      'what',
    ]),
    money: gauge(
      'first',
      'gateway_money_in_doubt_minor_units',
      'Amounts owed or in doubt, by ISO 4217 numeric currency.',
      ['currency'],
    ),
  };
};

type Counters = ReturnType<typeof countersIn>;
type Gauges = ReturnType<typeof gaugesIn>;

const countRequest = (counters: Counters, record: RequestRecord): void => {
  const api = record.api ?? 'none';
  counters.requests.inc({ api, outcome: record.outcome, code: record.code });
  counters.whole.took(record.totalMs, api);
  if (record.refusal) counters.refusals.inc({ reason: record.refusal });
  if (record.refusal === 'overloaded') counters.shed.inc({ reason: shedReasonOf(record) });
  if (record.issuer && record.issuerMs !== undefined) counters.issuer.took(record.issuerMs, record.issuer);
  if (record.journalMs !== undefined) counters.journal.took(record.journalMs);
};

const shedReasonOf = ({ detail }: RequestRecord): string => SHED_REASONS.find(reason => reason === detail) ?? 'unnamed';

const showState = (gauges: Gauges, snapshot: Snapshot | undefined): void => {
  // What is not known any more disappears; a stale number, or a zero, would be a lie.
  for (const labelled of [gauges.breaker, gauges.byIssuer, gauges.money, gauges.expiry]) labelled.reset();
  show(gauges.inFlight, snapshot?.inFlight);
  show(gauges.waiting, snapshot?.waiting);
  show(gauges.draining, snapshot && Number(snapshot.draining));
  show(gauges.standby, snapshot && Number(snapshot.standby));
  show(gauges.journalUp, snapshot && Number(snapshot.journalUp));
  show(gauges.amnesia, snapshot?.amnesia.shards);
  show(gauges.unconfirmed, snapshot?.amnesia.unconfirmed);
  for (const [issuer, present] of snapshot?.breakers ?? []) {
    for (const state of BREAKER_STATES) gauges.breaker.set({ issuer, state }, Number(state === present));
  }
  for (const [what, leftMs] of snapshot?.expiries ?? []) gauges.expiry.set({ what }, leftMs / 1000);
  const owed = snapshot?.owed;
  show(gauges.doubts, owed?.doubts);
  show(gauges.due, owed?.due);
  show(gauges.parked, owed?.parked);
  show(gauges.oldest, owed && owed.oldestAgeMs / 1000);
  for (const [issuer, count] of owed?.byIssuer ?? []) gauges.byIssuer.set({ issuer }, count);
  for (const [currency, minor] of owed?.money ?? []) gauges.money.set({ currency }, Number(minor));
};

const show = (gauge: Gauge<never>, value: number | undefined): void => {
  if (value === undefined) gauge.remove({});
  else gauge.set(value);
};

/** What the reader gives in time; undefined where it fails or hangs. */
const within = async (clock: Clock, read: () => Promise<Snapshot>): Promise<Snapshot | undefined> => {
  const enough = new AbortController();
  const late = clock.sleep(SCRAPE_WAIT_MS, enough.signal).then(() => undefined);
  try {
    return await Promise.race([read(), late]);
  } catch {
    return undefined;
  } finally {
    enough.abort();
  }
};
