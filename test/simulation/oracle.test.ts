/**
 * The oracle can say no: each guard that is broken on purpose makes a run fail with the invariant that the guard keeps.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { INVARIANTS } from './invariants.ts';
import { drawOptions } from './options.ts';
import { run } from './run.ts';
import { SABOTAGE, type Sabotage } from './sabotage.ts';

const SEEDS_MOST = 150;

/** The first seed at which the invariant is violated; undefined where none is. */
async function seedThatSees(invariant: string, sabotage: Sabotage): Promise<number | undefined> {
  for (let seed = 1; seed <= SEEDS_MOST; seed += 1) {
    const { violations } = await run(seed, drawOptions(seed), sabotage);
    if (violations.some(each => each.invariant === invariant)) return seed;
  }
  return undefined;
}

describe('the oracle', () => {
  it.each(SABOTAGE)(
    '%s sees it: %s',
    async (invariant, _what, sabotage) => {
      expect(await seedThatSees(invariant, sabotage)).toBeTypeOf('number');
    },
    60_000,
  );

  it('has a guard broken for each invariant that it asserts', () => {
    const asserted = Object.entries(INVARIANTS).flatMap(([name, each]) => ('asserted' in each ? [name] : []));
    expect([...new Set(SABOTAGE.map(([invariant]) => invariant))].sort()).toEqual(asserted.sort());
  });

  it('knows all twenty invariants, and names no other', () => {
    expect(Object.keys(INVARIANTS)).toEqual(Array.from({ length: 20 }, (_, i) => `I${i + 1}`));
    const sources = ['oracle.ts', 'verdict.ts', 'run.ts'].map(name =>
      readFileSync(new URL(name, import.meta.url), 'utf8'),
    );
    const used = new Set(
      sources
        .join('\n')
        .match(/'I\d+'/g)
        ?.map(name => name.slice(1, -1)),
    );
    const asserted = Object.entries(INVARIANTS).flatMap(([name, each]) => ('asserted' in each ? [name] : []));
    expect([...used].sort()).toEqual(asserted.sort());
  });
});
