/**
 * What a guard is, for the tables beside this file: a few words of source text that keep a promise, what stands there once
 * somebody has taken them out, and who has to notice.
 */

/** Who notices: tests of one file whose full title contains `title`, or the simulation within so many seeds from 1. */
export type Witness =
  | { readonly kind: 'tests'; readonly file: string; readonly title: string }
  | { readonly kind: 'seeds'; readonly seeds: number };

export type Guard = {
  readonly name: string;
  /** The invariant that it keeps, such as `I5`. */
  readonly keeps: string;
  /** From the root. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly source: string;
  readonly replacement: string;
  /** Each of them alone has to turn red. */
  readonly red: readonly [Witness, ...Witness[]];
};

/** A file below `test/`, without `.test.ts`, and what its titles contain, as written there up to the first `%` or `$`. */
export const tests = (file: string, title: string): Witness => ({ kind: 'tests', file, title });

export const seeds = (count: number): Witness => ({ kind: 'seeds', seeds: count });
