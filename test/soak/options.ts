/**
 * What a soak run can be told on its command line, and what it is without being told.
 */
import { parseArgs } from 'node:util';

export const JOURNALS = ['sqlite', 'redis'] as const;

export type SoakOptions = {
  /** How long there are load and faults; healing and draining come on top. */
  readonly seconds: number;
  /** Decides what is drawn. How processes and network interleave it does not. */
  readonly seed: number;
  /** `sqlite`: one gateway. `redis`: two gateways, with a proxy before the server that misbehaves. */
  readonly journal: (typeof JOURNALS)[number];
  /** Folder of the report; made where it is missing. */
  readonly out: string;
};

export const USAGE =
  'npm run soak -- [--minutes 10] [--seed N] [--journal sqlite|redis] [--out var/soak]   (minutes may be a fraction)';
const MINUTES_DEFAULT = '10';
const MINUTES_MOST = 7 * 24 * 60;
const SEED_MOST = 2 ** 31;

/** The options, or what is wrong with them. `anySeed` is taken where none is given. */
export function readOptions(args: readonly string[], anySeed: number): SoakOptions | string {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ args: [...args], options: { minutes: text, seed: text, journal: text, out: text } });
    const minutes = Number(values.minutes ?? MINUTES_DEFAULT);
    if (!(minutes > 0 && minutes <= MINUTES_MOST)) return `--minutes must be above 0 and at most ${MINUTES_MOST}`;
    const seed = Number(values.seed ?? anySeed);
    if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MOST) return '--seed must be a whole number';
    const journal = JOURNALS.find(each => each === (values.journal ?? 'sqlite'));
    if (!journal) return `--journal must be ${JOURNALS.join(' or ')}`;
    return { seconds: minutes * 60, seed, journal, out: values.out ?? 'var/soak' };
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}
