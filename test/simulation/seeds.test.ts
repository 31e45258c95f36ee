/**
 * A thousand seeds in every run of the tests: none breaks an invariant, and together they meet every fault, every outcome
 * and every row of the table of moves. And one seed is one run, or nothing of this could be replayed.
 */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runMany } from './many.ts';
import { drawOptions, simpler } from './options.ts';
import { RARE, REQUIRED } from './required.ts';
import { run } from './run.ts';
import { SABOTAGE } from './sabotage.ts';
import { replayOf, shrink } from './shrink.ts';

const SEEDS = 1000;
/** On two cores that have nothing else to do it is half a minute. */
const WITHIN_MS = 600_000;
/** As many as the rest of the tests leave room for. */
const PROCESSES = Math.min(2, availableParallelism());

describe('a thousand seeds', () => {
  it(
    'break no invariant, and meet all that there is to meet',
    async () => {
      const { seeds, failures, met } = await runMany({ from: 1, seeds: SEEDS }, PROCESSES);
      const told = failures.map(({ seed, what }) => `${what.join('; ')}: npm run simulate -- --seed ${seed} --trace`);
      expect(told).toEqual([]);
      expect(seeds).toBe(SEEDS);
      expect(REQUIRED.filter(what => !met[what])).toEqual([]);
    },
    WITHIN_MS,
  );

  it('are asked for each row but those that are said to be rare', () => {
    expect(Object.keys(RARE).filter(what => REQUIRED.includes(what))).toEqual([]);
  });
});

describe('seeds that have found a defect', () => {
  it.each([59, 68, 90, 339, 458, 1216, 3953, 6923, 23_059, 61_617])('stay without a violation: %d', async seed => {
    expect((await run(seed, drawOptions(seed))).violations.map(({ message }) => message)).toEqual([]);
  });
});

describe('one seed', () => {
  it.each([1, 9, 64, 135])('is one run: seed %d leaves the same trace every time', async seed => {
    const [first, second] = [await run(seed, drawOptions(seed)), await run(seed, drawOptions(seed))];
    expect(first.trace.length).toBeGreaterThan(10);
    expect(second.traceHash).toBe(first.traceHash);
  });

  it('differs from another', async () => {
    const [one, other] = [await run(1, drawOptions(1)), await run(2, drawOptions(1))];
    expect(other.traceHash).not.toBe(one.traceHash);
  });

  it('is changed by each option that is made simpler', () => {
    const options = drawOptions(43);
    const drawn = JSON.stringify(options);
    const all = [...simpler(options)].map(each => JSON.stringify(each));
    expect(all.length).toBeGreaterThan(5);
    expect(all).not.toContain(drawn);
  });
});

describe('a failing seed', () => {
  it('is made simple, and replayed by one command', async () => {
    const sabotage = SABOTAGE.find(([, what]) => what === 'undos are never sent')?.[2] ?? {};
    let seed = 1;
    let failing = await run(seed, drawOptions(seed), sabotage);
    for (; failing.violations.length === 0; seed += 1) failing = await run(seed, drawOptions(seed), sabotage);
    const { options, violations } = await shrink(failing, sabotage);
    const faults = (of: typeof options) => Object.keys(of.rates).length + Object.keys(of.events).length;
    expect(violations[0]?.invariant).toBe(failing.violations[0]?.invariant);
    expect(faults(options)).toBeLessThan(Math.max(faults(failing.options), 4));
    expect(replayOf(failing.seed, options)).toMatch(/^npm run simulate -- --seed \d+ --options '\{.*\}' --trace$/);
  }, 120_000);
});
