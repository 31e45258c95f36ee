/**
 * How the two steps of a call in the journal, claim and settle, grow with the entries that are there already, and what an
 * entry takes up. Measured in this process, on the journal's own port, without a gateway around it.
 */
import { apply } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Steps } from '../../src/journal/steps.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { removeDir, tempDir } from '../../test/support/places.ts';
import { bucketOf, latencyFigures } from '../engine/statistics.ts';
import type { Credentials } from '../peers/types.ts';
import type { Figures, Histogram } from '../results.ts';
import { approvedBy, draftOf, ISSUER, keyOf, newId, sampleTexts, type Texts, vaultOf } from './entries.ts';
import { Growing, type Say } from './growing.ts';
import { type OpenJournal, openJournal, type Taken } from './journals.ts';
import type { JournalName, ScaleOptions } from './options.ts';
import { grouped, inMs, type Table } from './tables.ts';

const BUDGET_MS = 3_000;
/** As many as the bench's connections. */
const IN_FLIGHT = 64;
const MS = 1_000;
type Timed = {
  readonly claim: Figures;
  readonly settle: Figures;
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly serverCpuUs: number;
};

class Times {
  readonly #counts = new Map<number, number>();

  add(us: number): void {
    const bucket = bucketOf(us);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
  }

  get figures(): Figures {
    const histogram: Histogram = [...this.#counts].sort(([a], [b]) => a - b);
    return latencyFigures(histogram);
  }
}

export async function journalTables(options: ScaleOptions, credentials: Credentials, say: Say): Promise<Table[]> {
  const tables: Table[] = [];
  for (const name of options.journals) tables.push(await journalTable(name, options, credentials, say));
  return tables;
}

async function journalTable(
  name: JournalName,
  options: ScaleOptions,
  { sealKeyFile }: Credentials,
  say: Say,
): Promise<Table> {
  const dir = tempDir('scale');
  const texts = sampleTexts(vaultOf(sealKeyFile));
  const open = await openJournal(name, dir);
  try {
    const growing = new Growing(open, { name, dir, texts, say });
    const rows = [['0', ...timedCells(await measured(open, texts, options.seconds)), '', '', '']];
    const left: string[] = [];
    for (const entries of options.entries) {
      const begun = performance.now();
      const lack = await growing.growTo(entries);
      if (lack !== undefined) left.push(`${grouped(entries)} entries: not run, ${lack}.`);
      else {
        const fillSeconds = (performance.now() - begun) / MS;
        const timed = await measured(open, texts, options.seconds);
        rows.push(rowOf(entries, fillSeconds, growing.perEntry, timed));
        say(`${name}: ${rows.at(-1)?.join(' | ')}`);
      }
    }
    const title = `Entries in the journal: ${name === 'redis' ? 'Redis' : 'SQLite'}`;
    return { title, notes: [MEASURED, FILLED, SWITCHED[name], ...left], head: HEAD, rows };
  } finally {
    await open.close();
    removeDir(dir);
  }
}

const MEASURED = `${IN_FLIGHT} calls at a time for the throughput, one at a time for the latency; ids anywhere among those that are there.`;
const FILLED =
  'Filled with approved Purchases: the journal writes 16 of them, and the bench copies what is then in the store, each under an id of its own.';
const SWITCHED: Readonly<Record<JournalName, string>> = {
  redis:
    'Redis is filled with `appendonly no`; then `appendonly yes` and `appendfsync everysec` are set, and it has written all into its file before the measurement.',
  sqlite:
    'SQLite is filled with `journal_mode OFF` and `synchronous OFF`, and synced; for the measurement the journal opens the file with its own settings. As much of the file as the free memory holds is in the cache of the system.',
};

/** The columns of `timedCells`. */
export const TIMED_HEAD = [
  ...['claim p50 ms', 'claim p99 ms', 'settle p50 ms', 'settle p99 ms', 'pairs/s'],
  ...['CPU µs/pair', 'server CPU µs/pair'],
];
const HEAD = ['entries', ...TIMED_HEAD, 'memory B/entry', 'disk B/entry', 'fill s'];

export const timedCells = ({ claim, settle, perSecond, cpuUs, serverCpuUs }: Timed): string[] => [
  ...[claim.p50Us, claim.p99Us, settle.p50Us, settle.p99Us].map(us => inMs(us ?? 0)),
  grouped(perSecond),
  cpuUs.toFixed(1),
  serverCpuUs === 0 ? '' : serverCpuUs.toFixed(1),
];

const rowOf = (entries: number, fillSeconds: number, { memoryBytes, diskBytes }: Taken, timed: Timed): string[] => [
  grouped(entries),
  ...timedCells(timed),
  memoryBytes === undefined ? '' : grouped(memoryBytes),
  grouped(diskBytes),
  grouped(fillSeconds),
];

/** A pair of claim and settle, one at a time for the latency and then many at a time for the throughput. */
export async function measured(
  open: Pick<OpenJournal, 'journal' | 'serverCpuSeconds'>,
  texts: Texts,
  seconds: number,
): Promise<Timed> {
  const pair = pairOn(open.journal, texts);
  await during(seconds * MS * 0.25, IN_FLIGHT, () => pair(new Times(), new Times()));
  const [claims, settles] = [new Times(), new Times()];
  await during(seconds * MS, 1, () => pair(claims, settles));
  const [cpu, server] = [process.cpuUsage(), open.serverCpuSeconds()];
  const { done, perSecond } = await during(seconds * MS, IN_FLIGHT, () => pair(new Times(), new Times()));
  const { user, system } = process.cpuUsage(cpu);
  const serverUs = (open.serverCpuSeconds() - server) * MS * MS;
  return {
    claim: claims.figures,
    settle: settles.figures,
    perSecond,
    cpuUs: (user + system) / done,
    serverCpuUs: serverUs / done,
  };
}

async function during(ms: number, inFlight: number, work: () => Promise<void>) {
  const begun = performance.now();
  let done = 0;
  const lane = async () => {
    while (performance.now() - begun < ms) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { done, perSecond: (done * MS) / (performance.now() - begun) };
}

let given = 0;

/** What a call asks of the journal: one claim, and the settle that ends it. */
function pairOn(journal: Journal, texts: Texts) {
  const steps = new Steps(journal, systemClock, systemRandom);
  return async (claims: Times, settles: Times): Promise<void> => {
    given += 1;
    const deadline = Deadline.in(systemClock, BUDGET_MS);
    const began = performance.now();
    const key = keyOf(newId(systemRandom.fraction(), given));
    const claimed = await steps.claim(draftOf(key, texts.message, ISSUER), deadline);
    // A machine that is too busy for the budget of a call: it counts as done, with all the time that it took.
    if (claimed.kind === 'unsure' || claimed.kind === 'away') return claims.add((performance.now() - began) * MS);
    if (claimed.kind !== 'fresh') throw new Error(`the journal did not take a claim: ${claimed.kind}`);
    const between = performance.now();
    claims.add((between - began) * MS);
    await steps.move(claimed.held, (entry, now) => apply(entry, approvedBy(entry, texts, now)), deadline);
    settles.add((performance.now() - between) * MS);
  };
}
