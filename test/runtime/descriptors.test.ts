/**
 * How many callers may be connected where the system lets the process open few files.
 */
import { expect, it } from 'vitest';
import { connectionsMost, openFilesMost } from '../../src/runtime/descriptors.ts';

const limitsOf = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                20000                files\n`;

it('F71: reads the soft limit, and none where there is none', () => {
  expect(openFilesMost(limitsOf('1024'))).toBe(1024);
  expect(openFilesMost(limitsOf('unlimited'))).toBeUndefined();
  expect(openFilesMost('')).toBeUndefined();
});

it.each([
  ['all that are wanted, where there are enough', 8192, 400, 20_000, 8192],
  ['what the others leave', 8192, 400, 1024, 624],
  ['a quarter, where the others could use up all', 8192, 4000, 1024, 256],
  ['all that are wanted, where nobody knows', 8192, 400, undefined, 8192],
])('F71 I10: %s', (_, wanted, needed, files, most) => {
  expect(connectionsMost(wanted, needed, files)).toBe(most);
});
