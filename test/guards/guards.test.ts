/**
 * The table of guards against the source: the words that keep each promise are still there, once, and those who have to
 * notice their absence still have these titles. That they do notice is shown by `npm run attack-guards`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { titlesIn } from '../promises/titles.ts';
import { BORDERS } from './borders.ts';
import { DOUBTS } from './doubts.ts';
import type { Guard } from './guard.ts';
import { broken, ROOT } from './scratch.ts';

const GUARDS = [...DOUBTS, ...BORDERS];

/** The suites that run on several journals have their titles in files of their own. */
const CONTRACT = ['contract/journalWrites', 'contract/journalWork', 'contract/journalRestore', 'contract/journalOnce'];

const titlesOf = (file: string): string[] =>
  (file.startsWith('contract/') ? [file, ...CONTRACT] : [file]).flatMap(each => [...titlesIn(each)]);

describe('the guards', () => {
  it.each(GUARDS.map(guard => [guard.name, guard] as const))('%s: its words are there once', (_, guard) => {
    const whole = readFileSync(join(ROOT, guard.file), 'utf8');
    const without = broken(whole, guard);
    expect(without).not.toBe(whole);
    expect(guard.keeps).toMatch(/^I([1-9]|1\d|20)$/);
  });

  it('are missed by tests that are there', () => {
    const gone = GUARDS.flatMap(({ name, red }) =>
      red.flatMap(witness => {
        if (witness.kind === 'seeds') return witness.seeds > 0 ? [] : [name];
        const words = witness.title.trim();
        return titlesOf(witness.file).some(title => title.includes(words))
          ? []
          : [`${name}: ${witness.file}: ${words}`];
      }),
    );
    expect(gone).toEqual([]);
  });

  it('have a name each', () => {
    expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
  });

  it('cannot be taken away where their words are gone, or are there twice', () => {
    const [guard] = GUARDS;
    const gone = { ...guard, source: 'if (', name: 'made up' } as Guard;
    expect(() => broken('nothing of it', gone)).toThrow(/"made up" 0 times/);
    expect(() => broken('if (a) if (b)', gone)).toThrow(/"made up" 2 times/);
  });
});
