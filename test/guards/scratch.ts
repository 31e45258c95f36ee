/**
 * A copy of the project in a temporary folder, whose source can be broken without breaking anybody's work, and the two
 * programs that notice: the tests, by file and title, and the simulation. Each run has a time limit and ends with it.
 */
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../support/children.ts';
import { tempDir } from '../support/places.ts';
import type { Guard, Witness } from './guard.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['src', 'test', 'config', 'docs', 'README.md', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** Several times what the slowest takes on a machine that has other things to do. */
const LIMIT_MS = 600_000;

/** `stuck`: the time limit ended it, or it said nothing that can be read. */
export type Verdict = 'green' | 'red' | 'stuck';

/** A verdict, and how it came about: how many tests failed, or which seed broke what. */
export type Heard = { readonly verdict: Verdict; readonly how: string };

export class Scratch {
  readonly #root = tempDir('guards');

  constructor() {
    for (const name of COPIED) cpSync(join(ROOT, name), join(this.#root, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#root, 'node_modules'));
  }

  /** Does the work without the guard, which is back afterwards. */
  async without<T>(guard: Guard, work: () => Promise<T>): Promise<T> {
    const path = join(this.#root, guard.file);
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, broken(whole, guard));
    try {
      return await work();
    } finally {
      writeFileSync(path, whole);
    }
  }

  /** What each of them says now. */
  async ask(witnesses: readonly Witness[]): Promise<Map<Witness, Heard>> {
    const verdicts = await this.#askTests(witnesses);
    for (const witness of witnesses) {
      if (witness.kind === 'seeds') verdicts.set(witness, await this.#simulate(witness.seeds));
    }
    return verdicts;
  }

  async #askTests(witnesses: readonly Witness[]): Promise<Map<Witness, Heard>> {
    const tests = witnesses.filter(witness => witness.kind === 'tests');
    if (tests.length === 0) return new Map();
    const files = [...new Set(tests.map(({ file }) => `test/${file}.test.ts`))];
    const titles = tests.map(({ title }) => title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
    const output = join(this.#root, 'report.json');
    rmSync(output, { force: true });
    await this.#run([
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      '-t',
      titles,
      '--reporter=json',
      `--outputFile=${output}`,
    ]);
    const results = resultsIn(output);
    return new Map(tests.map(test => [test, heardFrom(test, results)]));
  }

  async #simulate(seeds: number): Promise<Heard> {
    const text = await this.#run(['test/guards/firstSeed.ts', String(seeds)]);
    const [, seed, what = ''] = /^(\d+|none)(.*)\n$/.exec(text) ?? [];
    if (seed === undefined) return { verdict: 'stuck', how: '' };
    return seed === 'none' ? { verdict: 'green', how: '' } : { verdict: 'red', how: `seed ${seed}:${what}` };
  }

  /** Runs node in the copy, until it ends or its time is over; what it printed. */
  async #run(args: readonly string[]): Promise<string> {
    const child = await startChild(process.execPath, args, { cwd: this.#root, env: { ...process.env, NO_COLOR: '1' } });
    const limit = setTimeout(() => void child.kill(), LIMIT_MS);
    await child.exited;
    clearTimeout(limit);
    return child.stdout();
  }
}

/** The text without the guard. @throws Error where the guard's words are not there exactly once. */
export function broken(whole: string, { file, name, source, replacement }: Guard): string {
  const parts = whole.split(source);
  if (parts.length !== 2) throw new Error(`${file} has the words of the guard "${name}" ${parts.length - 1} times`);
  return parts.join(replacement);
}

type Result = { readonly file: string; readonly title: string; readonly status: string };

/** What vitest reported about each test; empty where it reported nothing. */
function resultsIn(path: string): Result[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  type Report = {
    testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[];
  };
  const report = JSON.parse(text) as Report;
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, status }) => ({ file: name, title: fullName, status })),
  );
}

/** Red only where a test itself failed: a file that cannot even be read proves nothing. */
function heardFrom(test: Extract<Witness, { kind: 'tests' }>, results: readonly Result[]): Heard {
  const mine = results.filter(
    ({ file, title }) => file.endsWith(`/test/${test.file}.test.ts`) && title.includes(test.title),
  );
  const count = (wanted: string): number => mine.filter(({ status }) => status === wanted).length;
  const [failed, passed] = [count('failed'), count('passed')];
  if (failed > 0) return { verdict: 'red', how: `${failed} of ${failed + passed} tests` };
  return { verdict: passed > 0 ? 'green' : 'stuck', how: '' };
}
