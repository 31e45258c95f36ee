/**
 * What the bench can be told on its command line, and what it is without being told.
 */
import { parseArgs } from 'node:util';
import { plannedSeconds, planOf } from './engine/plan.ts';
import { duration } from './report/numbers.ts';
import { SUBJECTS, type SubjectName, subjectRows } from './subjects.ts';

export type BenchOptions = {
  readonly help: boolean;
  readonly quick: boolean;
  /** Undefined: as many as that kind of run has. */
  readonly rounds: number | undefined;
  /** None: all. */
  readonly only: readonly SubjectName[];
  /** Folder of the results; made where it is missing. */
  readonly out: string;
};

/** More would take hours, and say no more. */
const ROUNDS_MOST = 50;

/** How long such a run takes. */
const about = (quick: boolean): string =>
  duration(plannedSeconds(planOf({ quick, rounds: undefined, only: [] }, subjectRows())));

export const usage = (): string => `npm run bench -- [--quick] [--rounds N] [--only NAME,NAME ...] [--out DIR]

Measures the gateway and its peers side by side, in rounds, and prints what it may say about the targets. Nothing on
the machine is changed but the folder of results, where results.json and index.html are written.

  --quick     shorter, and without the subjects marked *: about ${about(true)} instead of ${about(false)}
  --rounds N  how often each subject is measured; three at least for a conclusion (default 3)
  --only ...  these subjects alone, by name
  --out DIR   where the results go (default var/bench)

Subjects:
${subjectRows()
  .map(([name, { what, slow }]) => `${slow ? '* ' : '  '}${name.padEnd(24)}${what}`)
  .join('\n')}
`;

/** The options, or what is wrong with them. */
export function readOptions(args: readonly string[]): BenchOptions | string {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { help: flag, quick: flag, rounds: text, only: { ...text, multiple: true }, out: text },
    });
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MOST)) {
      return `--rounds must be a whole number from 1 to ${ROUNDS_MOST}`;
    }
    const names = (values.only ?? []).flatMap(each => each.split(',')).filter(name => name !== '');
    const unknown = names.find(name => !isSubject(name));
    if (unknown !== undefined) return `--only: there is no subject ${unknown}`;
    const { help, quick, out = 'var/bench' } = values;
    return { help, quick, rounds, only: names.filter(isSubject), out };
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}

const isSubject = (name: string): name is SubjectName => Object.hasOwn(SUBJECTS, name);
