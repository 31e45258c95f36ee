/**
 * The soak run itself: that its judges see what they are there for, and a short run of the whole of it with real
 * processes. A soak that could not fail would be worth nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../support/children.ts';
import { newTranId } from '../support/client.ts';
import type { Effect } from '../support/issuerLedger.ts';
import { tempDir } from '../support/places.ts';
import type { IssuerRequest } from '../support/scriptedIssuer.ts';
import { within } from '../support/waitFor.ts';
import { type Books, compareBooks } from './books.ts';
import { growthsOf } from './growth.ts';
import type { Heard, Step } from './load.ts';
import { readOptions } from './options.ts';
import { pageOf, type Run, summaryOf, textOf, violationsOf } from './report.ts';
import type { Sample } from './samples.ts';
import { type Point, trendOf } from './trends.ts';

/** A saw as garbage collection makes it: it goes up by 20 and comes down every fifth time, on a floor of its own. */
const saw = (floor: (index: number) => number): Point[] =>
  Array.from({ length: 60 }, (_, index) => ({ at: index * 5, value: floor(index) + (index % 5) * 4 }));

describe('a trend', () => {
  it.each([
    ['a floor that rises all the time', saw(index => 50 + index), true],
    ['a flat saw', saw(() => 50), false],
    ['a cache that is filled once', saw(index => (index < 30 ? 50 : 95)), false],
    ['a saw that falls', saw(index => 100 - index), false],
    ['a floor that rises less than is allowed', saw(index => 50 + index / 5), false],
  ])('%s climbs or does not', (_, points, climbs) => {
    expect(trendOf(points, 24)?.climbs).toBe(climbs);
  });

  it('is not told from a few points', () => {
    expect(trendOf(saw(index => index * 100).slice(0, 11), 1)).toBeUndefined();
  });
});

const CARD = 'card';
const OPENING = new Map([[CARD, 1000n]]);
const final = (code: string): Heard => ({ kind: 'final', code });

const stepOf = (heard: readonly Heard[], changes: Partial<Step> = {}): Step => ({
  tranId: newTranId(),
  api: 'Purchase',
  card: CARD,
  amount: 100n,
  change: { available: -100n, held: 0n },
  target: undefined,
  original: undefined,
  heard: [...heard],
  ...changes,
});
const effectOf = (step: Step, changes: Partial<Effect> = {}): Effect => {
  const { tranId, api, card, change, original } = step;
  return { tranId, api, card, originalTranId: original?.tranId, ...change, ...changes };
};
let undos = 0;
const undoOf = ({ tranId: originalTranId, amount: available }: Step): Effect => {
  undos += 1;
  const tranId = `RV${String.fromCharCode(64 + undos).repeat(30)}`;
  return { tranId, api: 'Reversal', originalTranId, card: CARD, available, held: 0n };
};

/** Books in which these effects are all that happened. */
const booksWith = (effects: readonly Effect[], requests: readonly Effect[] = effects): Books => ({
  effects,
  requests: requests.map(effect => ({ ...effect }) as unknown as IssuerRequest),
  violations: [],
  balanceOf: () => String(1000n + effects.reduce((total, { available }) => total + available, 0n)),
  heldOf: () => String(effects.reduce((total, { held }) => total + held, 0n)),
});
const judge = (steps: readonly Step[], books: Books): string => compareBooks(steps, books, OPENING).join('\n');

describe('the comparison with the books', () => {
  it('has nothing to say where all is as it was told', () => {
    const [bought, undone, declined, unknown] = [final('00'), final('68'), final('51'), final('68')].map(heard =>
      stepOf([heard]),
    );
    if (!bought || !undone || !declined || !unknown) throw new Error('unreachable');
    const reversal = stepOf([final('00')], { api: 'Reversal', original: unknown, change: { available: 0n, held: 0n } });
    const effects = [effectOf(bought), effectOf(undone), undoOf(undone), effectOf(unknown), undoOf(unknown)];
    expect(judge([bought, undone, declined, unknown, reversal], booksWith(effects))).toBe('');
  });

  it('I1: sees money that was doubled', () => {
    const step = stepOf([final('00')]);
    expect(judge([step], booksWith([effectOf(step), effectOf(step)]))).toMatch(/was done 2 times/);
  });

  it('I2: sees money that was lost: told 00 and not done, or told 68 and not undone', () => {
    expect(judge([stepOf([final('00')])], booksWith([]))).toMatch(
      /available changed by 0 at the issuer, and by -100 as told: Purchase/,
    );
    const step = stepOf([final('68')]);
    expect(judge([step], booksWith([effectOf(step)]))).toMatch(/by what was told it has 1000/);
  });

  it('I2: sees a reversal that was promised and not carried out', () => {
    const step = stepOf([final('00')]);
    const reversal = stepOf([final('00')], { api: 'Reversal', original: step, change: { available: 0n, held: 0n } });
    expect(judge([step, reversal], booksWith([effectOf(step)]))).toMatch(
      /available changed by -100 at the issuer, and by 0 as told/,
    );
  });

  it('sees what nobody asked for, what was refused and sent, and an answer that changed', () => {
    const other = effectOf(stepOf([]));
    expect(judge([], booksWith([], [other]))).toMatch(/nobody asked for Purchase/);
    const refused = stepOf([{ kind: 'refused' }]);
    expect(judge([refused], booksWith([], [effectOf(refused)]))).toMatch(/refused with 503 and reached the issuer/);
    expect(judge([stepOf([final('68'), final('91')])], booksWith([]))).toMatch(/was told 68 and then 91/);
  });
});

const sampleAt = (at: number, heap: number): Sample => ({ at, gateway: 0, pid: 1, values: { heap, series: 400 } });
const runWith = (changes: Partial<Run>): Run => ({
  options: { help: false, seconds: 100, seed: 1, journal: 'sqlite', calm: false, out: 'x' },
  gateways: 1,
  samples: Array.from({ length: 100 }, (_, at) => sampleAt(at, 50)),
  counts: [],
  marks: [{ name: '<garbage>', where: 'issuer', from: 1, to: 2 }],
  loadEnd: 100,
  end: 110,
  told: new Map([['00', 3]]),
  effects: 3,
  wrong: [],
  ...changes,
});

describe('the report', () => {
  it('names what climbs, in one sentence, and what the books say', () => {
    const samples = Array.from({ length: 100 }, (_, at) => sampleAt(at, 50 + at * 2));
    const run = runWith({ samples, wrong: ['P1 was done 2 times'] });
    const [books = '', heap = ''] = violationsOf(run);
    expect(books).toBe('P1 was done 2 times');
    expect(heap).toMatch(/^heap of gateway 1 climbed from \d+ MiB to \d+ MiB in [\d.]+ s and went on/);
    expect(textOf(run)).toContain('VIOLATION P1 was done 2 times');
    expect(pageOf(run)).toContain('2 violations');
  });

  it('does not judge a life that began too late, and quotes no markup', () => {
    const late = Array.from({ length: 100 }, (_, at) => ({ ...sampleAt(at, 50 + at * 2), pid: at > 95 ? 2 : 1 }));
    expect(violationsOf(runWith({ samples: late }))).toEqual([]);
    expect(new Map(summaryOf(runWith({ samples: late }))).get('gateway 1, heap')).toBe('watched too briefly to say');
    expect(pageOf(runWith({}))).toContain('issuer: &lt;garbage&gt;');
  });
});

describe('the growth of resident memory', () => {
  /** One that is cold, a saw around 100 from minute 1 on, and `more` from minute 10 on; every 5 s. */
  const lifeOf = (seconds: number, more: number, pidAt: (at: number) => number = () => 1): Sample[] =>
    Array.from({ length: seconds / 5 + 1 }, (_, index) => {
      const at = index * 5;
      const warm = 100 + (index % 3) - 1;
      return { at, gateway: 0, pid: pidAt(at), values: { rss: at < 60 ? 50 : at < 600 ? warm : warm + more } };
    });

  it('is that of the medians around minute 2 and minute 12, of each gateway', () => {
    const both = [...lifeOf(750, 4), ...lifeOf(750, -2).map(sample => ({ ...sample, gateway: 1 }))];
    expect(growthsOf(both, 2)).toEqual([
      { gateway: 0, from: 100, to: 104, peakFrom: 101, peakTo: 105, percent: expect.closeTo(4) },
      { gateway: 1, from: 100, to: 98, peakFrom: 101, peakTo: 99, percent: expect.closeTo(-2) },
    ]);
  });

  it.each([
    ['ends too early', lifeOf(690, 4)],
    ['has two lives', lifeOf(750, 4, at => (at < 700 ? 1 : 2))],
    ['was not seen at minute 2', lifeOf(750, 4).filter(({ at }) => at > 200)],
  ])('is not told of a run that %s', (_, samples) => expect(growthsOf(samples, 1)).toEqual([]));

  it('is a row of a calm run, and of no other', () => {
    const calm = { ...runWith({}).options, calm: true };
    const rowOf = (run: Run) => new Map(summaryOf(run)).get('gateway 1, resident memory');
    expect(rowOf(runWith({ options: calm, samples: lifeOf(750, 4) }))).toBe(
      '100 MiB at minute 2, 104 MiB at minute 12: +4.0 % (at most 101 and 105 MiB)',
    );
    expect(rowOf(runWith({ options: calm }))).toMatch(/^not one life/);
    expect(rowOf(runWith({}))).toBeUndefined();
  });
});

describe('the command line', () => {
  it('has defaults, and says what is wrong', () => {
    const usual = { help: false, seconds: 600, seed: 5, journal: 'sqlite', calm: false, out: 'var/soak' };
    expect(readOptions([], 5)).toEqual(usual);
    expect(readOptions(['--calm'], 5)).toEqual({ ...usual, calm: true, seconds: 750 });
    expect(readOptions(['--minutes', '0.5', '--seed', '9', '--journal', 'redis', '--out', 'x'], 5)).toEqual({
      ...{ ...usual, seconds: 30, seed: 9, journal: 'redis', out: 'x' },
    });
    for (const [argument = '', value = ''] of [
      ['--minutes', '0'],
      ['--minutes', 'x'],
      ['--seed', '1.5'],
      ['--journal', 'x'],
    ]) {
      expect(readOptions([argument, value], 5)).toMatch(new RegExp(`^${argument} must be`));
    }
    expect(readOptions(['--hours', '1'], 5)).toMatch(/--hours/);
  });
});

describe('a short run', () => {
  it('I1-I7 F83: loses, doubles and makes up no money, drains, and draws what it saw', {
    timeout: 300_000,
  }, async () => {
    const out = tempDir('soak');
    const args = ['test/soak/soak.ts', '--minutes', '0.2', '--seed', '7', '--out', out];
    const child = await startChild(process.execPath, args);
    const code = await within('the soak run', child.exited, 280_000);
    expect([code, child.stderr()], child.stdout()).toEqual([0, '']);
    expect(child.stdout()).toContain('nothing doubled, lost or made up; nothing climbs');
    const page = readFileSync(join(out, 'soak.html'), 'utf8');
    expect(page).toContain('<h1>Soak run: in order</h1>');
    expect(page).not.toMatch(/(?:src|href)=|NaN|undefined/);
    for (const title of ['Memory', 'Open files and handles', 'Series of metrics', 'In doubt and owed', 'Answers']) {
      expect(page).toContain(`>${title}`);
    }
    expect(page).toMatch(/<title>(?:issuer|gateway): /);
    for (const label of ['heap', 'fds', 'series', 'doubts', 'final']) {
      expect(page).toMatch(new RegExp(`<polyline points="[\\d.]+,[\\d.]+ [^"]+"[^>]*/>\\n<text[^>]*>${label}<`));
    }
    expect(page).toMatch(/told in the end<\/th><td>00: \d+/);
  });
});
