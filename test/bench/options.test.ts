/**
 * The command line of the bench: what may be said, and what is said back where it may not.
 */
import { describe, expect, it } from 'vitest';
import { readOptions, usage } from '../../bench/options.ts';
import { SUBJECTS } from '../../bench/subjects.ts';

const DEFAULTS = { help: false, quick: false, rounds: undefined, only: [], out: 'var/bench' };

describe('the options', () => {
  it.each([
    ['nothing', [], {}],
    ['a quick run', ['--quick'], { quick: true }],
    ['rounds', ['--rounds', '5'], { rounds: 5 }],
    ['subjects', ['--only', 'bearer,nginx', '--only', 'jwe'], { only: ['bearer', 'nginx', 'jwe'] }],
    ['a folder', ['--out', '/tmp/x'], { out: '/tmp/x' }],
    ['help', ['--help'], { help: true }],
  ])('take %s', (_, args, expected) => expect(readOptions(args)).toEqual({ ...DEFAULTS, ...expected }));

  it.each([
    [['--rounds', '0'], '--rounds must be a whole number from 1 to 50'],
    [['--rounds', '2.5'], '--rounds must be a whole number from 1 to 50'],
    [['--rounds', 'many'], '--rounds must be a whole number from 1 to 50'],
    [['--only', 'bearer,nothing'], '--only: there is no subject nothing'],
    [['--only', 'toString'], '--only: there is no subject toString'],
    [['--fast'], expect.stringContaining('--fast')],
  ])('refuse %j', (args, problem) => expect(readOptions(args)).toEqual(problem));

  it('are explained, with every subject', () => {
    for (const [name, row] of Object.entries(SUBJECTS))
      expect(usage()).toContain(`${'slow' in row ? '*' : ' '} ${name} `);
    expect(usage()).toMatch(/about \d\d s instead of 1[23] min\n/);
    for (const option of ['--quick', '--rounds', '--only', '--out']) expect(usage()).toContain(option);
  });
});
