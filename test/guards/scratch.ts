/**
 * A copy of the project in a temporary folder, whose source can be broken without breaking anybody's work, and the two
 * programs that notice: the tests, by file and title, and the simulation. Each run has a time limit and ends with it.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../support/children.ts';
import type { Guard, Witness } from './guard.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['src', 'test', 'config', 'docs', 'README.md', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** Several times what the slowest takes on a machine that has other things to do. */
const LIMIT_MS = 240_000;

/** `stuck`: the time limit ended it, or it said nothing that can be read. */
export type Verdict = 'green' | 'red' | 'stuck';

export class Scratch {
  readonly #root = mkdtempSync(join(tmpdir(), 'guards-'));

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
  async ask(witnesses: readonly Witness[]): Promise<Map<Witness, Verdict>> {
    const verdicts = await this.#askTests(witnesses);
    for (const witness of witnesses) {
      if (witness.kind === 'seeds') verdicts.set(witness, await this.#simulate(witness.seeds));
    }
    return verdicts;
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #askTests(witnesses: readonly Witness[]): Promise<Map<Witness, Verdict>> {
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
    return new Map(tests.map(test => [test, verdictOf(test, results)]));
  }

  async #simulate(seeds: number): Promise<Verdict> {
    const args = ['test/simulation/simulate.ts', '--seeds', String(seeds), '--processes', '1'];
    const { code, text } = await this.#run(args);
    const failed = /^\d+ seeds, (\d+) failed/m.exec(text)?.[1];
    if (failed === undefined) return 'stuck';
    return failed !== '0' ? 'red' : code === 0 ? 'green' : 'stuck';
  }

  /** Runs node in the copy, until it ends or its time is over. */
  async #run(args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
    const child = await startChild(process.execPath, args, { cwd: this.#root, env: { ...process.env, NO_COLOR: '1' } });
    const limit = setTimeout(() => void child.kill(), LIMIT_MS);
    const code = await child.exited;
    clearTimeout(limit);
    return { code, text: child.stdout() };
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
function verdictOf(test: Extract<Witness, { kind: 'tests' }>, results: readonly Result[]): Verdict {
  const mine = results.filter(
    ({ file, title }) => file.endsWith(`/test/${test.file}.test.ts`) && title.includes(test.title),
  );
  if (mine.some(({ status }) => status === 'failed')) return 'red';
  return mine.some(({ status }) => status === 'passed') ? 'green' : 'stuck';
}
