/**
 * What an operator sees: the numbers of one doubt from its beginning to its end, money in doubt among them; a parked
 * obligation and its alarm; one log line for each request; and as many series after a thousand ids as after ten.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, call, get, newTranId, post } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import { PATIENCE_MS, waitFor } from '../support/waitFor.ts';
import { breakerOf, codeOf, metric, PATIENT, payment, Rig, samplesOf, untilNothingOwed } from './rig.ts';
import { undosOf } from './support.ts';

const SOON = { timeout: PATIENCE_MS, interval: 50 };
const MONEY = 'gateway_money_in_doubt_minor_units';

/** The gauges of what is open. */
async function owed(gateway: Gateway) {
  const [doubts, due, parked] = await Promise.all(
    ['gateway_doubts_open', 'gateway_obligations_due', 'gateway_obligations_parked'].map(name => metric(gateway, name)),
  );
  return { doubts, due, parked };
}

const amount = (cardToken: string, tranAmount: string, tranCurrency: string) => ({
  cardToken,
  tranAmount,
  tranCurrency,
});

describe.concurrent('a doubt in numbers', PATIENT, () => {
  it.for(['sqlite', 'redis'] as const)('I5 I17: money in doubt rises and falls by currency: %s', async (kind, test) => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const journal = kind === 'redis' ? { journalUrl: (await rig.redis()).url } : {};
    const gateway = await rig.gateway(issuer, journal);
    await vi.waitFor(async () => expect(await owed(gateway)).toEqual({ doubts: 0, due: 0, parked: 0 }), SOON);
    await vi.waitFor(async () => expect(await metric(gateway, 'gateway_obligation_oldest_age_seconds')).toBe(0), SOON);

    issuer.script('Purchase', { kind: 'resetAfterEffect' });
    issuer.script('LoadFund', { kind: 'resetAfterEffect' }, { times: 1 });
    issuer.script('LoadFund', { kind: 'code', code: '96' });
    issuer.script('Reversal', { kind: 'code', code: '96', effect: false });
    await call(gateway, 'Purchase', amount('dollars', '12.50', '840'));
    await call(gateway, 'Purchase', amount('yen', '500', '392'));
    const load = amount('euros', '7.05', '978');
    const { tranId } = await call(gateway, 'LoadFund', load);
    // A scrape that the journal did not answer in time has no such gauges.
    await vi.waitFor(async () => expect(await owed(gateway)).toEqual({ doubts: 3, due: 3, parked: 0 }), SOON);
    const money = async () => Promise.all(['840', '392', '978'].map(currency => metric(gateway, MONEY, { currency })));
    await vi.waitFor(async () => expect(await money()).toEqual([1250, 500, 705]), SOON);
    await vi.waitFor(
      async () => expect(await metric(gateway, 'gateway_obligations', { issuer: 'test-issuer' })).toBe(3),
      SOON,
    );
    const age = (await metric(gateway, 'gateway_obligation_oldest_age_seconds')) ?? 0;
    await waitFor('the oldest to grow older', async () => {
      return ((await metric(gateway, 'gateway_obligation_oldest_age_seconds')) ?? 0) > age;
    });
    await waitFor('tries that change nothing', async () => {
      return ((await metric(gateway, 'gateway_deliveries_total', { result: 'open' })) ?? 0) >= 4;
    });

    issuer.heal();
    await untilNothingOwed(gateway);
    await vi.waitFor(async () => expect(await owed(gateway)).toEqual({ doubts: 0, due: 0, parked: 0 }), SOON);
    await vi.waitFor(async () => expect(await metric(gateway, 'gateway_obligation_oldest_age_seconds')).toBe(0), SOON);
    for (const sum of await money()) expect(sum ?? 0).toBe(0);
    expect(await metric(gateway, 'gateway_deliveries_total', { kind: 'undo', result: 'done' })).toBe(2);
    expect(await metric(gateway, 'gateway_deliveries_total', { kind: 'repeat', result: 'done' })).toBe(1);
    expect(await codeOf(call(gateway, 'LoadFund', load, { tranId }))).toBe('00');
  });

  it('F45 F46 I17 I19: an undo that is refused is parked, alarmed and never sent again; others pass it by', async test => {
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer);
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'resetAfterEffect' });
    issuer.script(
      'Reversal',
      { kind: 'decline', code: '05' },
      { where: ({ originalTranId }) => originalTranId === tranId },
    );
    expect(await codeOf(call(gateway, 'Purchase', payment('poison'), { tranId }))).toBe('68');
    await waitFor('the obligation to be parked', async () => (await owed(gateway)).parked === 1);
    expect(await metric(gateway, 'gateway_alarms_total', { kind: 'parked' })).toBe(1);
    await vi.waitFor(async () => expect(await metric(gateway, MONEY, { currency: '840' })).toBe(1250), SOON);
    const alarm = await waitFor('the alarm in the log', () =>
      gateway.logLines().find(({ event }) => event === 'alarm'),
    );
    expect(alarm).toMatchObject({ level: 'error', kind: 'parked', issuer: 'test-issuer', reason: 'declined' });
    expect(alarm.what).toContain(tranId);

    await gateway.restart();
    issuer.heal();
    issuer.script('Purchase', { kind: 'resetAfterEffect' }, { times: 3 });
    // Doubts that come and go meanwhile show that the deliveries are at work.
    for (let no = 0; no < 3; no += 1) await call(gateway, 'Purchase', payment('other'));
    await issuer.waitFor('the undos of the others', () => issuer.balanceOf('other') === '1000.00');
    await waitFor('nothing but the parked one', async () => (await owed(gateway)).due === 0);
    await vi.waitFor(async () => expect(await owed(gateway)).toEqual({ doubts: 1, due: 0, parked: 1 }), SOON);
    await vi.waitFor(async () => expect(await metric(gateway, MONEY, { currency: '840' })).toBe(1250), SOON);
    expect(undosOf(issuer, tranId)).toHaveLength(1);
    const again = await call(gateway, 'Purchase', payment('poison'), { tranId });
    expect(again.body.responseCode).toBe('68');
  });
});

describe('counters, histograms, series and log lines', () => {
  const rig = new Rig();
  let gateway: Gateway;
  let issuer: Awaited<ReturnType<Rig['issuer']>>;
  beforeAll(async () => {
    issuer = await rig.issuer();
    gateway = await rig.gateway(issuer);
  });
  afterAll(() => rig.end());

  const requests = (api: string, outcome: string, code: string) =>
    metric(gateway, 'gateway_requests_total', { api, outcome, code });

  it('counts requests by API, outcome and response code, and measures them', async () => {
    const { tranId } = await call(gateway, 'Purchase', payment('card'));
    await call(gateway, 'Purchase', payment('card'), { tranId });
    await call(gateway, 'Purchase', payment('card', '99999.00'));
    await call(gateway, 'BalanceInquiry', { cardToken: 'card' });
    await call(gateway, 'Purchase', payment('card', '-1'));
    await call(gateway, 'Purchase', payment('card'), { token: 'unknown' });
    issuer.script('Withdraw', { kind: 'resetAfterEffect' }, { times: 1 });
    await call(gateway, 'Withdraw', payment('card'));
    expect(await requests('Purchase', 'approved', '00')).toBe(1);
    expect(await requests('Purchase', 'replayed', '00')).toBe(1);
    expect(await requests('Purchase', 'declined', '51')).toBe(1);
    expect(await requests('BalanceInquiry', 'approved', '00')).toBe(1);
    expect(await requests('Withdraw', 'unknown', '68')).toBe(1);
    expect(await metric(gateway, 'gateway_refusals_total')).toBe(2);
    expect(await metric(gateway, 'gateway_request_duration_seconds_count', { api: 'Purchase' })).toBe(5);
    // Two purchases, one inquiry and one withdrawal were sent.
    expect(await metric(gateway, 'gateway_issuer_duration_seconds_count', { issuer: 'test-issuer' })).toBe(4);
    expect(await metric(gateway, 'gateway_journal_duration_seconds_count')).toBe(4);
    expect(await breakerOf(gateway)).toBe('closed');
    expect(await metric(gateway, 'gateway_breaker_state')).toBe(1);
    expect(await metric(gateway, 'gateway_journal_up')).toBe(1);
    await untilNothingOwed(gateway);
  });

  it('shows what is in flight, and that it ends', async () => {
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { times: 2 });
    const calls = [1, 2].map(() => call(gateway, 'Purchase', payment('slow')));
    await issuer.waitFor('both purchases', () => issuer.queued() === 2);
    expect(await metric(gateway, 'gateway_in_flight')).toBe(2);
    issuer.release();
    await Promise.all(calls);
    expect(await metric(gateway, 'gateway_in_flight')).toBe(0);
    await untilNothingOwed(gateway);
  });

  it('writes one log line for each request, which names it and how it ended', async () => {
    const answers: Answer[] = [];
    const said = (line: Readonly<Record<string, unknown>>) => [line.api, line.status, line.code, line.outcome];
    answers.push(await call(gateway, 'Purchase', payment('logged')));
    answers.push(await call(gateway, 'Purchase', payment('logged'), { tranId: answers[0]?.tranId ?? '' }));
    answers.push(await call(gateway, 'Purchase', { ...payment('logged'), tranCurrency: 'USD' }));
    answers.push(await call(gateway, 'Purchase', payment('logged'), { headers: { authorization: undefined } }));
    answers.push(await get(`${gateway.url}/nothing`));
    const lines = async () => {
      const ids = answers.map(({ headers }) => headers['x-request-id']);
      const all = gateway.logLines().filter(({ event }) => event === 'request');
      const found = ids.map(id => all.filter(({ requestId }) => requestId === id));
      return found.every(each => each.length > 0) ? found : undefined;
    };
    const found = await waitFor('all lines', lines);
    expect(found.map(each => each.length)).toEqual([1, 1, 1, 1, 1]);
    expect(found.flat().map(said)).toEqual([
      ['Purchase', 200, '00', 'approved'],
      ['Purchase', 200, '00', 'replayed'],
      ['Purchase', 400, '30', 'refused'],
      ['Purchase', 401, '10', 'refused'],
      [undefined, 404, '12', 'refused'],
    ]);
    expect(found[0]?.[0]).toMatchObject({
      level: 'info',
      clientId: 'test-client',
      peer: expect.stringContaining('127.0.0.1'),
      issuer: 'test-issuer',
      replayed: false,
      ms: expect.any(Number),
      issuerMs: expect.any(Number),
      journalMs: expect.any(Number),
    });
  });

  it('F88 I10: the number of series does not grow with ids, cards, paths, tokens and amounts', async () => {
    const many = async (count: number): Promise<void> => {
      for (let no = 0; no < count; no += 1) {
        const id = newTranId();
        await Promise.all([
          call(gateway, 'Purchase', payment(id, `${no + 1}.00`)),
          call(gateway, 'Purchase', payment(id, '5000.00')),
          call(gateway, 'BalanceInquiry', { cardToken: id }),
          call(gateway, 'Purchase', { ...payment('card'), [id]: 'x' }),
          call(gateway, 'Purchase', payment('card'), { token: id }),
          post(`${gateway.url}/${id}/${id}`, '{}', { headers: { authorization: `Bearer ${id}` } }),
          get(`${gateway.url}/${id}`),
        ]);
      }
    };
    const series = async () =>
      (await samplesOf(gateway)).map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
    // Node's own gauges name the kinds of handles that are open at the moment.
    const ours = async () => (await series()).filter(text => text.startsWith('gateway_')).sort();
    await many(5);
    const before = await ours();
    await many(40);
    expect(await ours()).toEqual(before);
    expect((await series()).length).toBeLessThan(1000);
  });

  it('F87 I10: a flood of refusals is counted in full and logged in samples', async () => {
    const reason = 'noSuchApi';
    const logged = () => {
      const lines = gateway.logLines();
      const single = lines.filter(({ event, refusal }) => event === 'request' && refusal === reason).length;
      const sums = lines.filter(line => line.event === 'linesNotLogged' && line.reason === reason);
      return { single, whole: sums.reduce((sum, { count }) => sum + Number(count), single) };
    };
    await Promise.all(Array.from({ length: 200 }, () => get(`${gateway.url}/nothing`)));
    const all = await metric(gateway, 'gateway_refusals_total', { reason });
    expect(all).toBeGreaterThanOrEqual(200);
    await waitFor('the sums in the log', () => logged().whole === all);
    expect(logged().single).toBeLessThan(all ?? 0);
  });
});
