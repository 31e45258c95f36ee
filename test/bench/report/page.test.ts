/**
 * The report in both forms: everything of the result is in it, nothing is fetched from elsewhere, and no text of the result
 * becomes markup.
 */
import { describe, expect, it } from 'vitest';
import { latency, short } from '../../../bench/report/numbers.ts';
import { pageOf } from '../../../bench/report/page.ts';
import { progressTo } from '../../../bench/report/progress.ts';
import { apart, logTicks, ticksTo } from '../../../bench/report/svg.ts';
import { missedLines, textOf } from '../../../bench/report/table.ts';
import { EXAMPLE } from './exampleResult.ts';

const page = pageOf(EXAMPLE);

describe('the page', () => {
  it('needs nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|@import|url\(|src=|https?:\/\//);
  });

  it('has every target with its conclusion, every subject and every warning', () => {
    for (const { target } of EXAMPLE.verdicts) expect(page).toContain(target);
    for (const { what } of EXAMPLE.subjects) expect(page).toContain(what);
    for (const each of ['aim reached', 'met', 'missed', 'too noisy to say', 'not measured'])
      expect(page).toContain(each);
    for (const warning of EXAMPLE.warnings) expect(page).toContain(warning);
  });

  it('has all pictures, with numbers that can be drawn', () => {
    expect(page.match(/role="img"/g)).toHaveLength(4);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows text as text', () => {
    expect(page).toContain('status 503 &lt;b&gt;');
    expect(page).not.toContain('<b>;');
  });

  it('is there even where nothing could be measured', () => {
    const nothing = pageOf({ ...EXAMPLE, subjects: [], verdicts: [], warnings: [] });
    expect(nothing).not.toMatch(/NaN|undefined|Infinity|role="img"/);
  });
});

describe('the tables of the console', () => {
  const text = textOf(EXAMPLE);

  it('have a line for each subject and each target', () => {
    expect(text).toMatch(/^Gateway, bearer, Redis +19\.9k +17\.9k +3\.22 ms +7\.54 ms +180 MiB +4 %$/m);
    expect(text).toMatch(/^bearer path \/ bare node:http \+ undici proxy +0\.59 ± 0\.02 +≥ 0\.55 +≥ 0\.70 +met$/m);
    expect(text).toMatch(/^start to listening +310 ms ± 11 ms +≤ 400 ms +≤ 250 ms +met$/m);
    expect(text).toMatch(
      /^goodput at 5 times capacity \/ capacity +– +≥ 0\.80 +≥ 0\.95 +not measured +run npm run x$/m,
    );
  });

  it('say of each target that is missed where the time goes, as the page does', () => {
    const why =
      'CPU of Gateway, OAuth, JWE both ways, Redis by part: thread pool (RSA, files) 266 µs, gateway: edge 41 µs';
    expect(text).toContain(
      `Missed: whole JWE path, one core / bare RSA private operation, 0.52 ± 0.02 where ≥ 0.55 is asked. ${why}`,
    );
    expect(page).toContain(`<small>${why}`);
    expect(text.match(/Missed:/g)).toHaveLength(1);
  });

  it('say it once of a subject that missed several, and where there is no profile', () => {
    const verdicts = EXAMPLE.verdicts.flatMap(each => {
      if (each.conclusion !== 'missed') return [];
      return [each, { ...each, target: 'another' }, { ...each, target: 'start', subject: 'start' }];
    });
    expect(missedLines({ ...EXAMPLE, verdicts })).toEqual([
      expect.stringMatching(/^Missed: whole JWE path, .* is asked; another, 0\.52 ± 0\.02 where .* asked\. CPU of /),
      'Missed: start, 0.52 ± 0.02 where ≥ 0.55 is asked. No profile was made of it.',
    ]);
  });

  it('say when another command has measured something', () => {
    const measured = { startedAt: '2026-02-04T01:02:03.000Z', machine: EXAMPLE.machine };
    const verdicts = EXAMPLE.verdicts.map(each => ({ ...each, note: 'calm', measured }));
    for (const report of [textOf({ ...EXAMPLE, verdicts }), pageOf({ ...EXAMPLE, verdicts })])
      expect(report).toContain('calm; 2026-02-04, load before 1.4');
  });

  it('say what is missing and what to beware of', () => {
    expect(text).toContain('  Gateway, bearer, SQLite: the first answer: status 503 <b>');
    expect(text).toContain('! The machine was busy');
  });
});

describe('progress', () => {
  const common = { step: 6, steps: 10, stage: 'round 1 of 3', what: 'Gateway' };
  const sample = { round: 1, figures: { perCpuSecond: 19_900 }, count: 1, failed: 0, flaws: ['bad luck'] };

  function shownOn(isTTY: boolean): string {
    let text = '';
    let now = 0;
    const write = (chunk: string) => {
      text += chunk;
      return true;
    };
    const { tell, end } = progressTo({ isTTY, write }, () => now);
    now = 50_000;
    tell(common);
    tell({ ...common, outcome: sample });
    tell({ ...common, problem: 'it fell over' });
    end();
    return text;
  }

  it('is a line for each measurement where nobody watches', () => {
    expect(shownOn(false).split('\n')).toEqual([
      expect.stringMatching(/^\[ 6\/10\] round 1 of 3 {2}Gateway +19\.9k\/CPU-s {2}! bad luck$/),
      expect.stringMatching(/^\[ 6\/10\] round 1 of 3 {2}Gateway +it fell over$/),
      '',
    ]);
  });

  it('tells on a terminal what is under way and how long it may take', () => {
    expect(shownOn(true)).toContain('Gateway …  about 50 s left');
  });
});

describe('numbers', () => {
  it.each([
    [0.5534, '0.55'],
    [12.34, '12.3'],
    [987.4, '987'],
    [9_999, '9999'],
    [45_312, '45.3k'],
    [120_400, '120k'],
    [1_204_000, '1.20M'],
  ])('%d is %s', (value, expected) => expect(short(value)).toBe(expected));

  it('of latency carry their unit', () => expect([870, 1_234].map(latency)).toEqual(['870 µs', '1.23 ms']));
});

describe('axes', () => {
  it.each([
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [34_000, [0, 10_000, 20_000, 30_000, 40_000]],
  ])('reach %d in round steps', (most, expected) => {
    expect(ticksTo(most).map(tick => Math.round(tick * 10) / 10)).toEqual(expected);
  });

  it('of latency lie around what was seen', () =>
    expect(logTicks(3_000, 11_000)).toEqual([2_000, 5_000, 10_000, 20_000]));

  it('keep labels apart', () => expect(apart([10, 12, 50], 16)).toEqual([10, 26, 50]));
});
