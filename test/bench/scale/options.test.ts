/**
 * What a run about growth takes on its command line, and what it refuses.
 */
import { describe, expect, it } from 'vitest';
import { JOURNALS, PARTS, readOptions, usage } from '../../../bench/scale/options.ts';

describe('the options of a run about growth', () => {
  it('measure everything where nothing is said', () => {
    const options = readOptions([]);
    expect(options).toMatchObject({
      only: Object.keys(PARTS),
      entries: [1_000_000],
      journals: JOURNALS,
      owed: 100_000,
    });
  });

  it('take lists, whole or in parts, and sort sizes', () => {
    const options = readOptions(['--only', 'owed,journal', '--entries', '10000000,1000000', '--journals', 'sqlite']);
    expect(options).toMatchObject({
      only: ['journal', 'owed'],
      entries: [1_000_000, 10_000_000],
      journals: ['sqlite'],
    });
    expect(readOptions(['--entries', '5', '--entries', '3'])).toMatchObject({ entries: [3, 5] });
  });

  it.each([
    [['--only', 'speed'], 'there is no speed'],
    [['--journals', 'mysql'], 'there is no mysql'],
    [['--entries', '0'], 'whole numbers from 1'],
    [['--entries', 'many'], 'whole numbers from 1'],
    [['--seconds', '1.5'], 'whole numbers from 1'],
    [['--owed', '-1'], '--owed'],
    [['--other'], '--other'],
  ])('refuse %j', (args, why) => {
    expect(readOptions(args)).toContain(why);
  });

  it('are all in the help', () => {
    for (const name of ['only', 'entries', 'journals', 'owed', 'away-seconds', 'drain-minutes', 'seconds', 'out']) {
      expect(usage()).toContain(`--${name}`);
    }
    for (const part of Object.keys(PARTS)) expect(usage()).toContain(`  ${part}`);
  });
});
