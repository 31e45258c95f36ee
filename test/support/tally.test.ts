/**
 * CI's closing line: it must never say that all is well when something failed, or when nothing ran.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from './places.ts';
import { closingLine, tallyOf } from './tally.ts';

const file = join(tempDir('tally'), 'report.json');

it.each([
  ['all passed', 0, { numPassedTests: 3, numFailedTests: 0 }, '3 passed, 0 failed'],
  ['some failed', 1, { numPassedTests: 3, numFailedTests: 2 }, '3 passed, 2 failed'],
  ['some were skipped', 0, { numPassedTests: 3, numPendingTests: 1, numTodoTests: 1 }, '3 passed, 0 failed, 2 skipped'],
  ['failed without a failing test', 1, { numPassedTests: 3, numFailedTests: 0 }, '3 passed, 1 failed'],
  ['nothing ran', 0, { numPassedTests: 0, numFailedTests: 0 }, '0 passed, 1 failed'],
  ['failing tests and yet exit code 0', 0, { numPassedTests: 1, numFailedTests: 1 }, '1 passed, 1 failed'],
  ['a report that is none', 0, 'broken', '0 passed, 1 failed'],
])('%s', (_, exitCode, report, line) => {
  writeFileSync(file, report === 'broken' ? '{' : JSON.stringify(report));
  expect(closingLine([tallyOf(`${exitCode}:${file}`)])).toBe(line);
});

it('a run that wrote no report failed; runs are added up', () => {
  writeFileSync(file, JSON.stringify({ numPassedTests: 3, numFailedTests: 0 }));
  expect(closingLine([tallyOf(`0:${file}`), tallyOf('2:/nowhere/report.json')])).toBe('3 passed, 1 failed');
});
