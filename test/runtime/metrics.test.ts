/**
 * The numbers on the metrics page, and that their series do not grow with what callers send.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import type { ApiName, ClientId, IssuerId } from '../../src/domain/ids.ts';
import { REFUSALS, type RefusalReason } from '../../src/domain/refusal.ts';
import { RESPONSE_CODES, type ResponseCode } from '../../src/domain/responseCode.ts';
import type { RequestOutcome, RequestRecord } from '../../src/http/journey.ts';
import type { OwedSummary } from '../../src/journal/journal.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { createMetrics, type Metrics, type Snapshot } from '../../src/runtime/metrics.ts';

const record = (changes: Partial<RequestRecord> = {}): RequestRecord => ({
  requestId: 'r',
  peer: '127.0.0.1',
  api: 'Purchase' as ApiName,
  outcome: 'approved',
  status: 200,
  code: '00',
  replayed: false,
  totalMs: 42,
  ...changes,
});

const owed: OwedSummary = {
  doubts: 3,
  due: 2,
  parked: 1,
  oldestAgeMs: 61_500,
  money: new Map([
    ['840', 12_345n],
    ['392', 700n],
  ]),
  byIssuer: new Map([['bank' as IssuerId, 3]]),
};

const snapshot = (changes: Partial<Snapshot> = {}): Snapshot => ({
  amnesia: { losses: 1, shards: 64, unconfirmed: 2 },
  inFlight: 7,
  waiting: 3,
  draining: false,
  standby: true,
  journalUp: true,
  breakers: new Map([['bank' as IssuerId, 'open']]),
  owed,
  expiries: new Map([['certificate of client bank', 86_400_500]]),
  ...changes,
});

/** The samples of our own metrics: name and labels to value. */
const samplesOf = async (metrics: Metrics): Promise<Map<string, string>> =>
  new Map(
    (await metrics.text())
      .split('\n')
      .filter(line => line.startsWith('gateway_'))
      .map(line => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), line.slice(space + 1)] as const;
      }),
  );

describe('metrics', () => {
  it('counts requests by API, outcome and code, with how long they took', async () => {
    const metrics = createMetrics(systemClock);
    metrics.request(record({ issuer: 'bank' as IssuerId, issuerMs: 30, journalMs: 2 }));
    metrics.request(record({ outcome: 'declined', code: '51', totalMs: 2999 }));
    metrics.request(record({ api: undefined, outcome: 'refused', refusal: 'noSuchApi', status: 404, code: '12' }));
    const samples = await samplesOf(metrics);
    expect(samples.get('gateway_requests_total{api="Purchase",outcome="approved",code="00"}')).toBe('1');
    expect(samples.get('gateway_requests_total{api="Purchase",outcome="declined",code="51"}')).toBe('1');
    expect(samples.get('gateway_requests_total{api="none",outcome="refused",code="12"}')).toBe('1');
    expect(samples.get('gateway_refusals_total{reason="noSuchApi"}')).toBe('1');
    expect(samples.get('gateway_request_duration_seconds_bucket{le="0.025",api="Purchase"}')).toBe('0');
    expect(samples.get('gateway_request_duration_seconds_bucket{le="0.05",api="Purchase"}')).toBe('1');
    expect(samples.get('gateway_request_duration_seconds_bucket{le="2.5",api="Purchase"}')).toBe('1');
    expect(samples.get('gateway_request_duration_seconds_bucket{le="3",api="Purchase"}')).toBe('2');
    expect(samples.get('gateway_issuer_duration_seconds_sum{issuer="bank"}')).toBe('0.03');
    expect(samples.get('gateway_journal_duration_seconds_sum')).toBe('0.002');
  });

  it('counts requests to the authorization server by what came of them', async () => {
    const metrics = createMetrics(systemClock);
    const seen = { requestId: 'r', peer: '127.0.0.1', clientId: undefined, totalMs: 1 };
    metrics.oauth({ ...seen, endpoint: 'token', status: 200, result: 'issued' });
    metrics.oauth({ ...seen, endpoint: 'token', status: 401, result: 'assertion.again' });
    const samples = await samplesOf(metrics);
    expect(samples.get('gateway_oauth_requests_total{endpoint="token",result="issued"}')).toBe('1');
    expect(samples.get('gateway_oauth_requests_total{endpoint="token",result="assertion.again"}')).toBe('1');
  });

  it('counts deliveries and alarms', async () => {
    const metrics = createMetrics(systemClock);
    metrics.delivery('undo', 'done');
    metrics.delivery('repeat', 'open');
    metrics.alarm('parked');
    const samples = await samplesOf(metrics);
    expect(samples.get('gateway_deliveries_total{kind="undo",result="done"}')).toBe('1');
    expect(samples.get('gateway_deliveries_total{kind="repeat",result="open"}')).toBe('1');
    expect(samples.get('gateway_alarms_total{kind="parked"}')).toBe('1');
  });

  it('shows the state of the moment, money in doubt by currency among it', async () => {
    const metrics = createMetrics(systemClock);
    metrics.onScrape(async () => snapshot());
    const samples = await samplesOf(metrics);
    expect(samples.get('gateway_in_flight')).toBe('7');
    expect(samples.get('gateway_draining')).toBe('0');
    expect(samples.get('gateway_standby')).toBe('1');
    expect(samples.get('gateway_journal_up')).toBe('1');
    expect(samples.get('gateway_journal_amnesia_shards')).toBe('64');
    expect(samples.get('gateway_journal_unconfirmed_writes')).toBe('2');
    expect(samples.get('gateway_doubts_open')).toBe('3');
    expect(samples.get('gateway_obligations_due')).toBe('2');
    expect(samples.get('gateway_obligations_parked')).toBe('1');
    expect(samples.get('gateway_obligation_oldest_age_seconds')).toBe('61.5');
    expect(samples.get('gateway_obligations{issuer="bank"}')).toBe('3');
    expect(samples.get('gateway_money_in_doubt_minor_units{currency="840"}')).toBe('12345');
    expect(samples.get('gateway_money_in_doubt_minor_units{currency="392"}')).toBe('700');
    expect(samples.get('gateway_breaker_state{issuer="bank",state="open"}')).toBe('1');
    expect(samples.get('gateway_breaker_state{issuer="bank",state="closed"}')).toBe('0');
    expect(samples.get('gateway_breaker_state{issuer="bank",state="halfOpen"}')).toBe('0');
    expect(samples.get('gateway_expiry_seconds{what="certificate of client bank"}')).toBe('86400.5');
  });

  it('F47: shows nothing where the journal cannot be asked: unknown is not zero, and not what it was', async () => {
    const metrics = createMetrics(systemClock);
    let present = snapshot();
    metrics.onScrape(async () => present);
    await metrics.text();
    present = snapshot({ owed: undefined, journalUp: false, breakers: new Map() });
    const samples = await samplesOf(metrics);
    expect(samples.get('gateway_journal_up')).toBe('0');
    expect(samples.get('gateway_in_flight')).toBe('7');
    const unknown = /doubts|obligation|money|breaker/;
    expect([...samples.keys()].filter(name => unknown.test(name))).toEqual([]);
    present = snapshot();
    expect((await samplesOf(metrics)).get('gateway_doubts_open')).toBe('3');
  });

  it.each<[string, () => Promise<Snapshot>]>([
    ['rejects', () => Promise.reject(new Error('away'))],
    [
      'throws',
      () => {
        throw new Error('away');
      },
    ],
  ])('F72: is scraped also when asking for the state %s', async (_what, read) => {
    const metrics = createMetrics(systemClock);
    metrics.request(record());
    metrics.onScrape(read);
    const samples = await samplesOf(metrics);
    expect(samples.get('gateway_requests_total{api="Purchase",outcome="approved",code="00"}')).toBe('1');
    expect(samples.has('gateway_in_flight')).toBe(false);
    expect(samples.get('gateway_metrics_failures_total')).toBe('1');
  });

  it('F49: is scraped also when asking for the state hangs', async () => {
    // Time is up at once: what matters is that it is waited for at all.
    const clock: Clock = { ...systemClock, sleep: async () => undefined };
    const metrics = createMetrics(clock);
    metrics.onScrape(() => new Promise(() => undefined));
    expect((await samplesOf(metrics)).get('gateway_metrics_failures_total')).toBe('1');
  });

  it('never throws into its callers', async () => {
    const metrics = createMetrics(systemClock);
    metrics.request(record({ totalMs: Number.NaN }));
    metrics.request(record({ issuer: 'bank' as IssuerId, issuerMs: Number.POSITIVE_INFINITY }));
    expect((await samplesOf(metrics)).get('gateway_metrics_failures_total')).toBe('2');
  });

  it('measures the process too, the lag of its event loop among it', async () => {
    const text = await createMetrics(systemClock).text();
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('keeps each instance for itself', async () => {
    const [one, other] = [createMetrics(systemClock), createMetrics(systemClock)];
    one.alarm('defect');
    expect((await samplesOf(other)).has('gateway_alarms_total{kind="defect"}')).toBe(false);
  });
});

describe('F88: the number of series', () => {
  const outcomes: readonly RequestOutcome[] = [
    'approved',
    'declined',
    'replayed',
    'inProgress',
    'notSent',
    'unknown',
    'refused',
    'failed',
  ];
  const records = fc.record({
    requestId: fc.string(),
    peer: fc.string(),
    api: fc.constantFrom(...APIS.map(row => row.name), undefined),
    clientId: fc.string().map(text => text as ClientId),
    issuer: fc.constant('bank' as IssuerId),
    outcome: fc.constantFrom(...outcomes),
    refusal: fc.constantFrom(...(Object.keys(REFUSALS) as RefusalReason[]), undefined),
    maskedCard: fc.string(),
    status: fc.constant(200 as const),
    code: fc.constantFrom(...(Object.keys(RESPONSE_CODES) as ResponseCode[])),
    replayed: fc.boolean(),
    totalMs: fc.nat(10_000),
    issuerMs: fc.nat(10_000),
    journalMs: fc.nat(10_000),
  });

  const namesOf = async (metrics: Metrics): Promise<string[]> => [...(await samplesOf(metrics)).keys()];

  it('F88: is bounded by the catalogue, whatever callers send', async () => {
    const metrics = createMetrics(systemClock);
    // Every label that there can be, first; then random requests must not add one.
    for (const api of [...APIS.map(row => row.name), undefined]) {
      for (const outcome of outcomes) {
        for (const code of Object.keys(RESPONSE_CODES) as ResponseCode[])
          metrics.request(record({ api, outcome, code }));
      }
    }
    for (const refusal of Object.keys(REFUSALS) as RefusalReason[]) metrics.request(record({ refusal }));
    metrics.request(record({ issuer: 'bank' as IssuerId, issuerMs: 1, journalMs: 1 }));
    const all = await namesOf(metrics);
    fc.assert(
      fc.property(records, one => metrics.request(one)),
      { numRuns: 2000 },
    );
    expect(await namesOf(metrics)).toEqual(all);
  });

  it('F88: no label holds what a caller chose', async () => {
    const metrics = createMetrics(systemClock);
    const canary = 'canary4111111111111111';
    metrics.request(record({ requestId: canary, peer: canary, clientId: canary as ClientId, maskedCard: canary }));
    expect(await metrics.text()).not.toContain(canary);
  });
});
