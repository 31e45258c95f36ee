/**
 * What the measurement of overload can be told on its command line, and what it is without being told.
 */
import { parseArgs } from 'node:util';

export type OverloadOptions = {
  readonly help: boolean;
  readonly rounds: number;
  /** Of each of the six loads of a round. */
  readonly seconds: number;
  /** Folder of the results; made where it is missing. */
  readonly out: string;
};

/** More would take hours, and say no more. */
const ROUNDS_MOST = 50;
const SECONDS_MOST = 600;

export const USAGE = `npm run overload -- [--rounds N] [--seconds N] [--out DIR]

What is left of the gateway's work when five times its capacity is asked of it. The ratio goes into the next reports of
npm run bench and npm run performance. Pins the gateway to a core of its own where it can.

  --rounds N   how often all is measured (default 3)
  --seconds N  length of each measurement (default 4)
  --out DIR    where the results go (default var/bench)
`;

/** The options, or what is wrong with them. */
export function readOptions(args: readonly string[]): OverloadOptions | string {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', default: false }, rounds: text, seconds: text, out: text },
    });
    const [rounds, seconds] = [Number(values.rounds ?? 3), Number(values.seconds ?? 4)];
    if (!isWhole(rounds, ROUNDS_MOST)) return `--rounds must be a whole number from 1 to ${ROUNDS_MOST}`;
    if (!isWhole(seconds, SECONDS_MOST)) return `--seconds must be a whole number from 1 to ${SECONDS_MOST}`;
    return { help: values.help, rounds, seconds, out: values.out ?? 'var/bench' };
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}

const isWhole = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
