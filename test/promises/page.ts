/**
 * The lists of tests in `docs/promises.md`, made from the tables: `npm run promises` writes them under each promise, and a
 * test says when that was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BORDERS } from '../guards/borders.ts';
import { DOUBTS } from '../guards/doubts.ts';
import { INVARIANTS } from '../simulation/invariants.ts';
import { INVARIANT_TESTS } from './invariants.ts';
import { pathOf } from './titles.ts';

export const PAGE = new URL('../../docs/promises.md', import.meta.url);
const BEGIN = 'Checked in:\n';

/** What stands under the heading of one promise, to the end of its section. */
export function checksOf(number: string): string {
  const tests = (INVARIANT_TESTS[number] ?? []).flatMap(([file, ...titles]) =>
    titles.map(title => `- \`${pathOf(file)}\`: ${title}`),
  );
  const simulated = INVARIANTS[number];
  const simulation =
    simulated && 'asserted' in simulated
      ? `- the simulation: ${simulated.asserted}`
      : `- not in the simulation: ${simulated?.elsewhere}`;
  const guards = [...DOUBTS, ...BORDERS].filter(({ keeps }) => keeps === number).map(({ name }) => name);
  const attacked = guards.length > 0 ? [`- its guards, taken away one at a time: ${guards.join('; ')}`] : [];
  return [BEGIN.trim(), ...tests, simulation, ...attacked, ''].join('\n');
}

/** The numbers of the promises, in the order of the page. */
export const promisesOf = (page: string): string[] =>
  [...page.matchAll(/^### (I\d+) /gm)].map(([, number = '']) => number);

/** The page with its lists anew. @throws Error where a promise has no place for its list. */
export function withChecks(page: string): string {
  return page
    .split(/^(?=##)/m)
    .map(section => {
      const [number] = promisesOf(section);
      if (number === undefined) return section;
      const at = section.indexOf(BEGIN);
      if (at < 0) throw new Error(`${number} has no line ${BEGIN.trim()}`);
      return `${section.slice(0, at)}${checksOf(number)}\n`;
    })
    .join('');
}

if (import.meta.main) writeFileSync(PAGE, withChecks(readFileSync(PAGE, 'utf8')));
