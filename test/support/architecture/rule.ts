/**
 * What an architecture rule is: a pure function from sources to violations. A violation says where, what, and what to do
 * instead.
 */
import type { Source } from './source.ts';

export type Violation = {
  readonly path: string;
  readonly line: number;
  readonly what: string;
  readonly instead: string;
};

export type Rule = {
  readonly name: string;
  check(sources: readonly Source[]): Violation[];
};

/** A rule that looks at one file at a time; `applies` chooses the files by their path. */
export const fileRule = (
  name: string,
  applies: (path: string) => boolean,
  check: (source: Source, found: (line: number, what: string, instead: string) => void) => void,
): Rule => ({
  name,
  check: sources =>
    sources
      .filter(({ path }) => applies(path))
      .flatMap(source => {
        const violations: Violation[] = [];
        check(source, (line, what, instead) => violations.push({ path: source.path, line, what, instead }));
        return violations;
      }),
});

/** One line for one violation: `path:line: what; instead`. */
export const formatViolation = ({ path, line, what, instead }: Violation): string =>
  `${path}:${line}: ${what}; ${instead}`;

export const inSrc = (path: string): boolean => path.startsWith('src/');
