/**
 * Adds up what the test runs of CI counted and prints the closing line. Each argument is `exit code:report`, where the
 * report is what vitest's JSON reporter wrote; a run that failed without a report, or without a failing test in it,
 * counts as one failure, and so does one in which nothing ran.
 */
import { readFileSync } from 'node:fs';

export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

/** The counts of one run: `3:/path/report.json` for a run that ended with exit code 3. */
export function tallyOf(argument: string): Tally {
  const colon = argument.indexOf(':');
  const exitCode = Number(argument.slice(0, colon));
  const counted = readReport(argument.slice(colon + 1));
  const ended = exitCode === 0 && counted.passed + counted.failed > 0;
  return ended || counted.failed > 0 ? counted : { ...counted, failed: 1 };
}

function readReport(file: string): Tally {
  try {
    const report: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const count = (name: string): number => Number((report as Readonly<Record<string, unknown>>)[name] ?? 0);
    return {
      passed: count('numPassedTests'),
      failed: count('numFailedTests'),
      skipped: count('numPendingTests') + count('numTodoTests'),
    };
  } catch {
    return NOTHING;
  }
}

/** `N passed, N failed`, with `, N skipped` where some were. */
export function closingLine(tallies: readonly Tally[]): string {
  const sum = (name: keyof Tally) => tallies.reduce((total, tally) => total + tally[name], 0);
  const skipped = sum('skipped');
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

if (import.meta.main) {
  const tallies = process.argv.slice(2).map(tallyOf);
  console.log(closingLine(tallies));
  process.exitCode = tallies.length > 0 && tallies.every(({ failed }) => failed === 0) ? 0 : 1;
}
