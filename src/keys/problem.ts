/**
 * What keeps a command of `npm run keys` from being done: where, what is wrong and how to mend it, in one line, and the
 * exit code that it ends with.
 */
import type { KeyFault } from '../edge/jwk.ts';

/** 1: a file or a key is not as it has to be. 2: the command was not written right. */
export type ExitCode = 1 | 2;

export class KeysProblem extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Something is wrong with a file: `where: what; mend.` */
export const fileProblem = (where: string, { what, mend }: KeyFault): KeysProblem =>
  new KeysProblem(`${where}: ${what}; ${mend}.`, 1);

/** Something is wrong with what was typed. */
export const usageProblem = (message: string): KeysProblem => new KeysProblem(message, 2);
