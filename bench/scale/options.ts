/**
 * What a run about growth can be told on its command line, and what it does without being told.
 */
import { parseArgs } from 'node:util';

/** What may grow, in the order in which it is measured. */
export const PARTS = {
  payload: 'size of a message, plain and encrypted (JWE)',
  clients: 'number of clients: 1, 100 and 1,000',
  cards: 'number of cards: 1, 1,000 and one for each message',
  journal: 'entries in the journal: time, CPU, memory and disk',
  replicas: 'waiting for a replica (journal.replicas), and not',
  owed: 'obligations due at an issuer that is away, and then is back',
} as const;

export type PartName = keyof typeof PARTS;
export const JOURNALS = ['redis', 'sqlite'] as const;
export type JournalName = (typeof JOURNALS)[number];

export type ScaleOptions = {
  readonly help: boolean;
  readonly only: readonly PartName[];
  /** Sizes of the journal, ascending; it is measured empty first. */
  readonly entries: readonly number[];
  readonly journals: readonly JournalName[];
  readonly owed: number;
  readonly awaySeconds: number;
  /** The longest that is waited until nothing is owed any more. */
  readonly drainMinutes: number;
  /** Of each measurement. */
  readonly seconds: number;
  readonly out: string;
};

/** Past this a fill takes hours. */
const ENTRIES_MOST = 100_000_000;
const OWED_MOST = 5_000_000;
const SECONDS_MOST = 600;
const MINUTES_MOST = 600;

export const usage = (): string => `npm run scale -- [options]

How the cost of a call grows with what a gateway has to deal with. Prints tables in Markdown, and writes them to
scale.json. Needs redis-server for everything but the SQLite journal. Leaves nothing else behind.

  --only PART,PART      these parts alone (default all)
  --entries N,N         sizes of the journal, after an empty one (default 1000000); what has no room is
                        left out. 10 million take 17 GB of memory and 11 GB of disk in Redis, 15 GB of
                        disk in SQLite, in the folder for temporary files (TMPDIR)
  --journals NAME,NAME  redis, sqlite (default both)
  --owed N              obligations due (default 100000)
  --away-seconds N      how long their issuer stays away (default 15)
  --drain-minutes N     how long is waited until nothing is owed any more (default 30)
  --seconds N           length of each measurement (default 4)
  --out DIR             folder of scale.json (default var/bench)

Parts:
${Object.entries(PARTS)
  .map(([name, what]) => `  ${name.padEnd(10)}${what}`)
  .join('\n')}
`;

class Wrong extends Error {}

const text = { type: 'string' } as const;
const list = { type: 'string', multiple: true } as const;

/** The options, or what is wrong with them. */
export function readOptions(args: readonly string[]): ScaleOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...{ help: { type: 'boolean', default: false }, only: list, entries: list, journals: list, owed: text },
        ...{ 'away-seconds': text, 'drain-minutes': text, seconds: text, out: text },
      },
    });
    const entries = wordsOf(values.entries ?? ['1000000']).map(word => whole('--entries', word, 1, ENTRIES_MOST));
    return {
      help: values.help,
      only: namesOf('--only', values.only, Object.keys(PARTS) as PartName[]),
      entries: entries.sort((a, b) => a - b),
      journals: namesOf('--journals', values.journals, JOURNALS),
      owed: whole('--owed', values.owed ?? '100000', 1, OWED_MOST),
      awaySeconds: whole('--away-seconds', values['away-seconds'] ?? '15', 1, SECONDS_MOST),
      drainMinutes: whole('--drain-minutes', values['drain-minutes'] ?? '30', 1, MINUTES_MOST),
      seconds: whole('--seconds', values.seconds ?? '4', 1, SECONDS_MOST),
      out: values.out ?? 'var/bench',
    };
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown option';
  }
}

const wordsOf = (texts: readonly string[]): string[] =>
  texts.flatMap(each => each.split(',')).filter(word => word !== '');

/** All of them where none is named. */
function namesOf<Name extends string>(
  option: string,
  texts: readonly string[] | undefined,
  known: readonly Name[],
): readonly Name[] {
  const words = wordsOf(texts ?? []);
  const unknown = words.find(word => !known.some(name => name === word));
  if (unknown !== undefined) throw new Wrong(`${option}: there is no ${unknown}; it takes ${known.join(', ')}`);
  return words.length === 0 ? known : known.filter(name => words.includes(name));
}

function whole(option: string, word: string, least: number, most: number): number {
  const value = Number(word);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Wrong(`${option} takes whole numbers from ${least} to ${most}`);
  }
  return value;
}
