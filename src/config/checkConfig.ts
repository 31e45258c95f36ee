/**
 * `npm run check-config -- FILE`: says everything that is wrong with a configuration, one line each, before it is put to
 * use. It opens no port and calls nobody.
 */
import { formatProblem } from './config.ts';
import { loadConfig } from './load.ts';
import type { Env } from './substitute.ts';

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/**
 * Checks one file and prints what was found. Returns the exit code: 0 when the gateway would start with all of it, else 1;
 * it starts without a client's certificate that has expired, but nobody who checks a file wants that.
 */
export const checkConfig = async (path: string, env: Env, print: (line: string) => void): Promise<number> => {
  const result = await loadConfig(path, env);
  const problems = [...(result.ok ? [] : result.problems), ...result.disabled];
  for (const problem of problems) print(`problem  ${formatProblem(problem)}`);
  for (const warning of result.warnings) print(`warning  ${formatProblem(warning)}`);
  print(`${path}: ${count(problems.length, 'problem')}, ${count(result.warnings.length, 'warning')}`);
  return problems.length === 0 ? 0 : 1;
};
