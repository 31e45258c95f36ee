/**
 * What a run concludes and how it says so: the exit code, the sentence about the money, and a page that needs nothing from
 * elsewhere.
 */
import { describe, expect, it } from 'vitest';
import { Latencies } from '../../../bench/load/latencies.ts';
import { pageOf } from '../../../bench/load/page.ts';
import { type LoadReport, textOf } from '../../../bench/load/report.ts';
import { type Found, verdictOf } from '../../../bench/load/verdict.ts';

const latencies = new Latencies();
for (let ms = 1; ms <= 100; ms += 1) latencies.add(ms);
const LINE = { cardToken: '4220-a', currency: '840', before: '1.00', told: '0.00', expected: '1.00', after: '1.00' };
const BALANCE = { kind: 'balance', what: '4220-a: available is <b>2</b>', mayPass: false } as const;

const FOUND: Found = {
  loop: { due: 100, made: 100, heldBack: 0, late: new Latencies().percentiles(), tookMs: 1000 },
  totals: { done: 100, failed: 0 },
  kinds: [
    {
      label: 'Purchase',
      told: latencies.percentiles(),
      histogram: latencies.histogram(),
      outcomes: [{ what: 'approved', count: 100 }],
    },
  ],
  stillOpen: [],
  money: { witness: 'ledger', why: '', differences: [], cards: [{ ...LINE, difference: '0.00' }], strangers: 0 },
};
const ANY = { p99Ms: undefined, failedPercent: undefined };

const reportOf = (found: Found): LoadReport => ({
  ...found,
  totals: { ...found.totals, repeats: 0 },
  startedAt: '2026-01-01T00:00:00.000Z',
  target: 'https://cards.example/card-api',
  caller: 'bank: OAuth, encrypted both ways',
  cards: 1,
  asked: {
    ratePerSecond: 100,
    rampMs: 0,
    durationMs: 1000,
    mix: 'purchase:1',
    maxOutstanding: 1,
    tries: 1,
    timeoutMs: 1000,
  },
  answers: [{ what: '200 00', api: 'Purchase', status: '200', code: '00', count: 100 }],
  requests: latencies.percentiles(),
  slots: [{ at: 0, perSecond: 100, failedPerSecond: 0, p50Ms: 50, p99Ms: 99 }],
  calls: 100,
  askedAgain: 0,
  replays: { made: 0, unmarked: 0 },
  verdict: verdictOf(found, ANY),
});

describe('the verdict', () => {
  it('is 0 where the money is right', () => {
    expect(verdictOf(FOUND, ANY)).toEqual({
      exitCode: 0,
      money: expect.stringContaining('nothing doubled, lost or made up'),
      wrong: [],
      notes: [],
    });
  });

  it('is 1 for a difference, and for an outcome that nobody could learn, whatever else is wrong', () => {
    const off = { ...FOUND, money: { ...FOUND.money, differences: [BALANCE] } };
    expect(verdictOf(off, { p99Ms: 1, failedPercent: 0 })).toMatchObject({
      exitCode: 1,
      money: 'THE MONEY IS NOT RIGHT: 1 difference.',
    });
    const open = { ...FOUND, stillOpen: ['Refund Lx-1'] };
    expect(verdictOf(open, ANY)).toMatchObject({ exitCode: 1, money: expect.stringContaining('could not be learnt') });
  });

  it('is 3 where only what was asked for is not kept', () => {
    expect(verdictOf(FOUND, { p99Ms: 98, failedPercent: undefined })).toMatchObject({
      exitCode: 3,
      wrong: [expect.stringMatching(/^p99 of Purchase is 9\d\.\d ms; accepted are 98 ms$/)],
    });
    const failed = { ...FOUND, totals: { done: 1000, failed: 2 } };
    expect(verdictOf(failed, { p99Ms: 100, failedPercent: 0.1 })).toMatchObject({
      exitCode: 3,
      wrong: ['0.200 % of the calls had no final answer; accepted are 0.1 %'],
    });
    expect(verdictOf(failed, { p99Ms: 100, failedPercent: 0.2 }).exitCode).toBe(0);
  });

  it('says clearly when the ledger was not read', () => {
    for (const witness of ['balances', 'none'] as const) {
      const { money } = verdictOf({ ...FOUND, money: { ...FOUND.money, witness, why: 'none was named' } }, ANY);
      expect(money).toMatch(/^The ledger was not read \(none was named\)/);
    }
  });

  it('says what to know about the figures', () => {
    const late = new Latencies();
    late.add(50);
    const loop = { ...FOUND.loop, made: 90, heldBack: 5, late: late.percentiles() };
    expect(verdictOf({ ...FOUND, loop }, ANY).notes).toEqual([
      expect.stringContaining('10 calls not made when due'),
      expect.stringContaining('5 calls waited for a place'),
      expect.stringContaining('too busy to measure with'),
    ]);
  });
});

describe('the report', () => {
  const off = reportOf({ ...FOUND, money: { ...FOUND.money, differences: [BALANCE] } });

  it('is a page that loads nothing and trusts nothing', () => {
    const page = pageOf(off);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('&lt;b&gt;2&lt;/b&gt;');
    expect(page).not.toMatch(/<b>2|<script|<link|src=|url\(|NaN|undefined/);
  });

  it('is a table for the terminal, with the differences', () => {
    const text = textOf(off);
    expect(text).toMatch(/Purchase +100 +49\.9 +89\.6 +/);
    expect(text).toContain('1 x balance');
    expect(text).not.toMatch(/NaN|undefined/);
  });
});
