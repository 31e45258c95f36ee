/**
 * Every invariant and every fault of the catalogue has tests that are there, or a reason why it has none; and the page of
 * promises names all of them, with files that are there, too.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULTS } from './faults.ts';
import { INVARIANT_TESTS } from './invariants.ts';
import { PAGE, promisesOf, withChecks } from './page.ts';
import { speaksOf, type Tests, titlesIn } from './titles.ts';

const CATALOGUE = new URL('../../../shared/reliability-security.md', import.meta.url);
const numbers = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
const [ALL_FAULTS, ALL_INVARIANTS] = [numbers('F', 88), numbers('I', 20)];

/** What is wrong with the tests named for a number. */
const faultsIn = (number: string, named: readonly Tests[]): string[] =>
  named.flatMap(([file, ...titles]) => {
    const known = titlesIn(file);
    const gone = titles.filter(title => !known.has(title)).map(title => `${file} has no test: ${title}`);
    const silent = titles.filter(title => !speaksOf(title, number)).map(title => `not about ${number}: ${title}`);
    return [...gone, ...silent, ...(titles.length === 0 ? [`${file} without a title`] : [])];
  });

describe('the faults', () => {
  it('are those of the catalogue, in its order', () => {
    expect(Object.keys(FAULTS)).toEqual(ALL_FAULTS);
    if (!existsSync(CATALOGUE)) return;
    const listed = [...readFileSync(CATALOGUE, 'utf8').matchAll(/^\* \*\*(F\d+)\*\*/gm)].map(([, number]) => number);
    expect(Object.keys(FAULTS)).toEqual(listed);
  });

  it.each(Object.entries(FAULTS))('%s has its tests, or a reason', (number, fault) => {
    if ('why' in fault) return expect(fault.why.length).toBeGreaterThan(40);
    const [what, ...tests] = fault;
    expect(what).not.toBe('');
    expect(tests).not.toEqual([]);
    expect(faultsIn(number, tests)).toEqual([]);
  });
});

describe('the invariants', () => {
  it('are those of the catalogue, in its order', () => {
    expect(Object.keys(INVARIANT_TESTS)).toEqual(ALL_INVARIANTS);
    if (!existsSync(CATALOGUE)) return;
    const listed = [...readFileSync(CATALOGUE, 'utf8').matchAll(/^\| (I\d+) \|/gm)].map(([, number]) => number);
    expect(Object.keys(INVARIANT_TESTS)).toEqual(listed);
  });

  it.each(Object.entries(INVARIANT_TESTS))('%s has its tests', (number, tests) => {
    expect(faultsIn(number, tests)).toEqual([]);
  });
});

describe('the page of promises', () => {
  const page = readFileSync(PAGE, 'utf8');

  it('has every invariant, with the tests of the table (npm run promises)', () => {
    expect(promisesOf(page)).toEqual(ALL_INVARIANTS);
    expect(withChecks(page)).toBe(page);
  });

  it('names files that are there', () => {
    const named = [...page.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(path => !/^https?:/.test(path) && !existsSync(new URL(path, PAGE)))).toEqual([]);
  });

  it('says for each promise what it rests on', () => {
    const sections = page.split(/^(?=##)/m).filter(section => promisesOf(section).length === 1);
    expect(sections.filter(section => !section.includes('\nRests on: ')).map(section => section.slice(0, 30))).toEqual(
      [],
    );
  });
});

describe('a table that has gone wrong', () => {
  it('is seen: a title that is gone, one about something else, a file that is gone or left out', () => {
    expect(faultsIn('F4', [['journey/replay', 'F4 something that nobody tests']])).toHaveLength(1);
    expect(faultsIn('F5', [['http/connection', 'F1-F3: clients that hang up']])).toHaveLength(1);
    expect(faultsIn('F2', [['http/connection', 'F1-F3: clients that hang up']])).toEqual([]);
    expect(faultsIn('F1', [['http/gone', 'F1: a client that leaves while it is served stops nothing']])).toHaveLength(
      1,
    );
    expect(faultsIn('F1', [['http/connection']])).toHaveLength(1);
  });

  it('is seen: a page without the list of a promise', () => {
    expect(() => withChecks('### I1 One effect\n\nText.\n')).toThrow(/I1/);
  });
});
