/**
 * The command line of the overload: what may be said, and what is said back where it may not.
 */
import { describe, expect, it } from 'vitest';
import { readOptions, USAGE } from '../../../bench/overload/options.ts';

const DEFAULTS = { help: false, rounds: 3, seconds: 4, out: 'var/bench' };

describe('the options', () => {
  it.each([
    ['nothing', [], {}],
    ['rounds and seconds', ['--rounds', '1', '--seconds', '2'], { rounds: 1, seconds: 2 }],
    ['a folder', ['--out', '/tmp/x'], { out: '/tmp/x' }],
    ['help', ['--help'], { help: true }],
  ])('take %s', (_, args, expected) => expect(readOptions(args)).toEqual({ ...DEFAULTS, ...expected }));

  it.each([
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 50'],
    [['--seconds', '1.5'], '--seconds must be a whole number from 1 to 600'],
    [['--seconds', 'long'], '--seconds must be a whole number from 1 to 600'],
    [['--nonsense'], expect.stringContaining('--nonsense')],
    [['3'], expect.stringContaining('3')],
  ])('refuse %j', (args, problem) => expect(readOptions(args)).toEqual(problem));

  it('are explained', () => {
    for (const option of ['--rounds', '--seconds', '--out']) expect(USAGE).toContain(option);
  });
});
