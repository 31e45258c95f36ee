/**
 * What a soak run can be told on its command line, and what it is without being told.
 */
import { parseArgs } from 'node:util';
import { TELLING_SECONDS } from './growth.ts';

export const JOURNALS = ['sqlite', 'redis'] as const;

export type SoakOptions = {
  readonly help: boolean;
  /** How long there is load; healing and draining come on top. */
  readonly seconds: number;
  /** Decides what is drawn. How processes and network interleave it does not. */
  readonly seed: number;
  /** `sqlite`: one gateway. `redis`: two gateways, with a proxy before the server that misbehaves. */
  readonly journal: (typeof JOURNALS)[number];
  /** Load alone: nothing fails, and each gateway has one life. */
  readonly calm: boolean;
  /** Folder of the report; made where it is missing. */
  readonly out: string;
};

const MINUTES_DEFAULT = 10;
const MINUTES_CALM = TELLING_SECONDS / 60;
const MINUTES_MOST = 7 * 24 * 60;
const SEED_MOST = 2 ** 31;

export const USAGE = `npm run soak -- [--minutes N] [--seed N] [--journal sqlite|redis] [--calm] [--out DIR]

Runs gateways under a mix of calls while issuer, store and processes fail, heals, drains, and compares what callers were
told with the issuer's books. Needs redis-server for --journal redis.

  --minutes N     how long there is load, also a fraction (default ${MINUTES_DEFAULT}; ${MINUTES_CALM} with --calm)
  --seed N        draws the same faults and calls again (default any)
  --journal NAME  sqlite: one gateway; redis: two, on one server (default sqlite)
  --calm          no faults and no restarts, and more calls: tells how resident memory grows from minute 2 to minute 12,
                  and leaves it for the report of npm run bench
  --out DIR       where soak.html goes (default var/soak)

Exit code: 0 in order; 1 money went astray or a curve keeps climbing; 2 it could not begin.
`;

/** The options, or what is wrong with them. `anySeed` is taken where none is given. */
export function readOptions(args: readonly string[], anySeed: number): SoakOptions | string {
  try {
    const text = { type: 'string' } as const;
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { help: flag, calm: flag, minutes: text, seed: text, journal: text, out: text },
    });
    const { help, calm, out = 'var/soak' } = values;
    const minutes = Number(values.minutes ?? (calm ? MINUTES_CALM : MINUTES_DEFAULT));
    if (!(minutes > 0 && minutes <= MINUTES_MOST)) return `--minutes must be above 0 and at most ${MINUTES_MOST}`;
    const seed = Number(values.seed ?? anySeed);
    if (!Number.isInteger(seed) || seed < 0 || seed > SEED_MOST) return '--seed must be a whole number';
    const journal = JOURNALS.find(each => each === (values.journal ?? 'sqlite'));
    if (!journal) return `--journal must be ${JOURNALS.join(' or ')}`;
    return { help, seconds: minutes * 60, seed, journal, calm, out };
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}
