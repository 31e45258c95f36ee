/**
 * Which titles the tests of this project have, read from their syntax trees, so that a table of tests cannot name one that
 * is gone. A row of `it.each` counts as well as a title that is written out.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSource } from '../support/architecture/source.ts';

/** A file below `test/`, without `.test.ts` or `.ts`, and titles of it as they are written there, `%s` and all. */
export type Tests = readonly [file: string, ...titles: readonly string[]];

/** The path of the file from the root; undefined where there is none. */
export const pathOf = (file: string): string | undefined =>
  [`test/${file}.test.ts`, `test/${file}.ts`].find(path => existsSync(absolute(path)));

const absolute = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What declares tests, and what a test is given, which often has the name of one. */
const DECLARES: ReadonlySet<unknown> = new Set(['it', 'describe', 'test']);
/** Members of those that leave every test run and counted, wherever the file is run; all others are taken not to. */
const RUNS_ALL: ReadonlySet<unknown> = new Set(['each', 'for', 'concurrent', 'onTestFinished', 'signal']);

const read = new Map<string, ReadonlySet<string>>();

/** Whether every test of the file is run, and counts; false where there is no such file. */
export const isRunWhole = (file: string): boolean => titlesIn(file).size > 0;

/** All texts of the file that could be a title; empty where there is no such file, or where its tests are not all run. */
export function titlesIn(file: string): ReadonlySet<string> {
  const known = read.get(file);
  if (known) return known;
  const path = pathOf(file);
  const text = path === undefined ? '' : readFileSync(absolute(path), 'utf8');
  const titles = new Set<string>();
  let isRun = true;
  parseSource(path ?? 'none.ts', text).walk(node => {
    if (node.type === 'Literal' && typeof node.value === 'string') titles.add(node.value);
    if (node.type !== 'MemberExpression' || !DECLARES.has(nameOf(rootOf(node.object)))) return;
    if (!RUNS_ALL.has(nameOf(node.property))) isRun = false;
  });
  if (!isRun) titles.clear();
  read.set(file, titles);
  return titles;
}

/** What the members of members belong to. */
const rootOf = (object: unknown): unknown =>
  typeof object === 'object' && object !== null && 'object' in object ? rootOf(object.object) : object;

const nameOf = (property: unknown): unknown =>
  typeof property === 'object' && property !== null && 'name' in property ? property.name : undefined;

/** Whether the title speaks of this number: `F64 I5: ...` of F64 and I5, `F1-F3: ...` of all three. */
export function speaksOf(title: string, number: string): boolean {
  if (new RegExp(`\\b${number}\\b`).test(title)) return true;
  const [letter, at] = [number.slice(0, 1), Number(number.slice(1))];
  const [, from, to] = new RegExp(`\\b${letter}(\\d+)-${letter}(\\d+)\\b`).exec(title) ?? [];
  return from !== undefined && Number(from) <= at && at <= Number(to);
}
