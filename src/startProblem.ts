/** Why a gateway did not start, where that is the configuration's fault and only showed when it was tried. */
import type { Problem } from './config/config.ts';

/** A configuration that cannot be put to use, for a reason that only shows when it is tried. */
export class StartProblem extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problem => problem.what).join('; '));
    this.problems = problems;
  }
}
