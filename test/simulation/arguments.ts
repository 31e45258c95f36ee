/**
 * What `npm run simulate` can be told on its command line, and what it is without being told.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export type Asked = {
  readonly help: boolean;
  readonly seeds: number;
  readonly from: number;
  readonly processes: number;
  /** Undefined: many. */
  readonly seed: number | undefined;
  /** Replaces options that the seed draws. */
  readonly options: object;
  readonly trace: boolean;
};

const PROCESSES_MOST = 256;

export const USAGE = `npm run simulate -- [--seeds N] [--from S] [--processes N]
npm run simulate -- --seed S [--options JSON] [--trace]

Plays the journey on simulated time, network and chance, one run for each seed, and holds every step against the
promises. Ends with 1 where one is broken, after making the first such run as simple as it can be.

  --seeds N       how many seeds (default 1000)
  --from S        the first of them (default 1)
  --processes N   how many run at a time (default one for each core)
  --seed S        this one alone, with what it drew
  --options JSON  in place of what it draws
  --trace         every step of it
  --help          this text
`;

/** The options, or what is wrong with them. */
export function readArguments(args: readonly string[]): Asked | string {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { help: flag, trace: flag, seeds: text, from: text, processes: text, seed: text, options: text },
    });
    const { help, trace } = values;
    const options: unknown = JSON.parse(values.options ?? '{}');
    if (typeof options !== 'object' || options === null) return '--options must be an object';
    return {
      ...{ help, trace, options },
      seeds: whole('seeds', values.seeds ?? '1000', 1, Number.MAX_SAFE_INTEGER),
      from: whole('from', values.from ?? '1', 0, Number.MAX_SAFE_INTEGER),
      processes: whole('processes', values.processes ?? String(availableParallelism()), 1, PROCESSES_MOST),
      seed: values.seed === undefined ? undefined : whole('seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    };
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw new RangeError(`--${name} must be a whole number from ${least} to ${most}`);
  }
  return value;
}
