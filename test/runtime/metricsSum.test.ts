/**
 * One page of several processes: what is counted is added up and never goes back, and what they share is told once.
 */
import { describe, expect, it } from 'vitest';
import type { ApiName, IssuerId } from '../../src/domain/ids.ts';
import type { BreakerState } from '../../src/issuer/issuer.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics, type Metrics, type Snapshot } from '../../src/runtime/metrics.ts';
import { createMetricsSum, type MetricsPart } from '../../src/runtime/metricsSum.ts';

/** A process that finished so many purchases, with this state. */
function processOf(purchases: number, state: Partial<Snapshot> = {}): Metrics {
  const metrics = createMetrics(systemClock);
  for (let made = 0; made < purchases; made += 1) {
    metrics.request({
      ...{ requestId: 'r', peer: '127.0.0.1', api: 'Purchase' as ApiName, outcome: 'approved' },
      ...{ status: 200, code: '00', replayed: false, totalMs: 42 },
    });
  }
  const owed = { doubts: 3, due: 2, parked: 1, oldestAgeMs: 61_500, money: new Map([['840', 12_345n]]) };
  metrics.onScrape(async withOwed => ({
    ...{ inFlight: 7, waiting: 0, draining: false, standby: false, journalUp: true, expiries: new Map() },
    amnesia: { losses: 1, shards: 64, unconfirmed: 2 },
    breakers: new Map<IssuerId, BreakerState>(),
    owed: withOwed ? { ...owed, byIssuer: new Map([['bank' as IssuerId, 3]]) } : undefined,
    ...state,
  }));
  return metrics;
}

/** What travels. */
const sent = (part: MetricsPart): MetricsPart => JSON.parse(JSON.stringify(part));
const valueIn = (page: string, series: string): number | undefined => {
  const line = page.split('\n').find(each => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};
const REQUESTS = 'gateway_requests_total{api="Purchase",outcome="approved",code="00"}';

describe('a page of two processes', () => {
  it('adds up what they counted and what each has, and tells once what they share', async () => {
    const bank = 'bank' as IssuerId;
    const one = processOf(3, { breakers: new Map([[bank, 'closed']]), standby: true });
    const other = processOf(4, { breakers: new Map([[bank, 'open']]), journalUp: false });
    const parts = [sent(await one.part('whole')), sent(await other.part('own'))];
    const page = await createMetricsSum().text(() => parts);
    const told = (series: string) => valueIn(page, series);
    expect(told(REQUESTS)).toBe(7);
    expect(told('gateway_request_duration_seconds_count{api="Purchase"}')).toBe(7);
    expect(told('gateway_request_duration_seconds_bucket{le="0.05",api="Purchase"}')).toBe(7);
    expect(told('gateway_request_duration_seconds_bucket{le="0.025",api="Purchase"}')).toBe(0);
    expect([told('gateway_in_flight'), told('gateway_workers')]).toEqual([14, 2]);
    const shared = ['gateway_doubts_open', 'gateway_obligations_due', 'gateway_obligations_parked'];
    expect(shared.map(told)).toEqual([3, 2, 1]);
    expect(told('gateway_money_in_doubt_minor_units{currency="840"}')).toBe(12_345);
    expect(told('gateway_obligations{issuer="bank"}')).toBe(3);
    expect(told('gateway_obligation_oldest_age_seconds')).toBe(61.5);
    // Either sees 64 shards, which are the same; a journal that one of them cannot reach is not up.
    expect([told('gateway_journal_amnesia_shards'), told('gateway_journal_up'), told('gateway_standby')]).toEqual([
      64, 0, 1,
    ]);
    const states = ['open', 'closed', 'halfOpen'];
    expect(states.map(state => told(`gateway_breaker_state{issuer="bank",state="${state}"}`))).toEqual([1, 1, 0]);
    expect(told('process_start_time_seconds')).toBeGreaterThan(0);
    expect(told('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('has what is in the journal once even where two of them tell it; one that is not asked does not', async () => {
    const process = processOf(1);
    const own = sent(await process.part('own'));
    expect(own.find(({ name }) => name === 'gateway_doubts_open')?.values).toEqual([]);
    const whole = sent(await process.part('whole'));
    const page = await createMetricsSum().text(() => [whole, whole]);
    expect(valueIn(page, 'gateway_doubts_open')).toBe(3);
    expect(valueIn(page, 'gateway_money_in_doubt_minor_units{currency="840"}')).toBe(12_345);
  });

  it('has no series twice', async () => {
    const parts = [sent(await processOf(1).part('whole')), sent(await processOf(1).part('own'))];
    const page = await createMetricsSum().text(() => parts);
    const series = page
      .split('\n')
      .flatMap(line => (/^[a-z]/.test(line) ? [line.slice(0, line.lastIndexOf(' '))] : []));
    expect(new Set(series).size).toBe(series.length);
  });
});

describe('a process that has ended', () => {
  it('stays in what was counted and in nothing else, however many there were', async () => {
    const sum = createMetricsSum();
    for (const purchases of [3, 4, 5]) {
      sum.keep(sent(await processOf(purchases).part('whole')));
      sum.ended('signal');
    }
    sum.ended('drained');
    const page = await sum.text(() => []);
    const told = (series: string) => valueIn(page, series);
    expect(told(REQUESTS)).toBe(12);
    expect(told('gateway_request_duration_seconds_count{api="Purchase"}')).toBe(12);
    expect([told('gateway_in_flight'), told('gateway_doubts_open'), told('gateway_workers')]).toEqual([
      undefined,
      undefined,
      0,
    ]);
    expect(told('gateway_worker_ends_total{how="signal"}')).toBe(3);
    expect(told('gateway_alarms_total{kind="worker"}')).toBe(3);
  });

  it('is never in the sum twice, nor missing, even if it ends while the page is being made', async () => {
    const sum = createMetricsSum();
    const last = sent(await processOf(3).part('counts'));
    let present: readonly MetricsPart[] = [last];
    const page = sum.text(() => present);
    sum.keep(last);
    present = [];
    expect(valueIn(await page, REQUESTS)).toBe(3);
  });
});
