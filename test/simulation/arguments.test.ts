/**
 * The command line of the simulation: a number that is none must not pass as a run without failures.
 */
import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments.ts';

describe('the command line of the simulation', () => {
  it('has defaults, and takes what it is told', () => {
    const usual = { help: false, trace: false, options: {}, seeds: 1000, from: 1, seed: undefined };
    expect(readArguments([])).toEqual({ ...usual, processes: expect.any(Number) });
    expect(readArguments(['--seeds', '5', '--from', '9', '--processes', '2'])).toMatchObject({
      ...{ seeds: 5, from: 9, processes: 2 },
    });
    expect(readArguments(['--seed', '7', '--options', '{"callers":1}', '--trace'])).toMatchObject({
      ...{ seed: 7, options: { callers: 1 }, trace: true },
    });
  });

  it.each([
    [['--seeds', 'x'], /^--seeds must be a whole number/],
    [['--seeds', '0'], /^--seeds must be a whole number/],
    [['--seeds', ''], /^--seeds must be a whole number/],
    [['--from', '1.5'], /^--from must be/],
    [['--processes', '0'], /^--processes must be/],
    [['--seed', 'x'], /^--seed must be/],
    [['--options', '3'], /^--options must be/],
    [['--options', '{'], /JSON/],
    [['--sedes', '5'], /--sedes/],
  ])('says what is wrong with %j', (args, what) => expect(readArguments(args)).toMatch(what));
});
