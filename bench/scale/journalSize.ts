/**
 * How the two steps of a call in the journal, claim and settle, grow with the entries that are there already, and what an
 * entry takes up. Measured in this process, on the journal's own port, without a gateway around it.
 */
import { statfsSync } from 'node:fs';
import { freemem } from 'node:os';
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
import { draftOf, filledId, ISSUER, keyOf, newId, sampleTexts, settledEntry, vaultOf } from './entries.ts';
import { fill } from './fill.ts';
import { type OpenJournal, openJournal, type Taken } from './journals.ts';
import type { JournalName, ScaleOptions } from './options.ts';
import { grouped, inMs, type Table } from './tables.ts';

const BUDGET_MS = 3_000;
/** As many as the bench's connections. */
const IN_FLIGHT = 64;
const MS = 1_000;
/** Of an entry, with room to spare: an entry of more than that is not what is filled here. */
const REDIS_BYTES = 2_200;
const SQLITE_BYTES = 2_400;
const MIB = 1024 ** 2;

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

export type Say = (line: string) => void;

async function journalTable(
  name: JournalName,
  options: ScaleOptions,
  { sealKeyFile }: Credentials,
  say: Say,
): Promise<Table> {
  const dir = tempDir('scale');
  const texts = sampleTexts(vaultOf(sealKeyFile));
  const rows: string[][] = [];
  const notes = [
    `${IN_FLIGHT} calls at a time for the throughput, one at a time for the latency; ids anywhere among those that are there.`,
  ];
  const open = await openJournal(name, dir);
  try {
    const empty = await open.taken();
    let filled = 0;
    rows.push(rowOf(0, undefined, empty, empty, await measured(open, texts, options.seconds)));
    for (const entries of options.entries) {
      const lack = lackFor(name, entries - filled, dir);
      if (lack !== undefined) {
        notes.push(`${grouped(entries)} entries: not run, ${lack}.`);
        continue;
      }
      const begun = performance.now();
      const [from, count] = [filled, entries];
      await fill(
        open.journal,
        { from, until: count },
        index => settledEntry(keyOf(filledId(index - from, count - from)), texts, Date.now()),
        done => say(`${name}: ${grouped(from + done)} of ${grouped(count)} entries`),
      );
      const fillSeconds = (performance.now() - begun) / MS;
      filled = entries;
      rows.push(rowOf(entries, fillSeconds, empty, await open.taken(), await measured(open, texts, options.seconds)));
      say(`${name}: ${rows.at(-1)?.join(' | ')}`);
    }
  } finally {
    await open.close();
    removeDir(dir);
  }
  return { title: `Entries in the journal: ${name === 'redis' ? 'Redis' : 'SQLite'}`, notes, head: HEAD, rows };
}

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

const rowOf = (
  entries: number,
  fillSeconds: number | undefined,
  empty: Taken,
  taken: Taken,
  timed: Timed,
): string[] => {
  const perEntry = (kind: keyof Taken) => {
    const [before, after] = [empty[kind], taken[kind]];
    return entries === 0 || before === undefined || after === undefined ? '' : grouped((after - before) / entries);
  };
  return [
    grouped(entries),
    ...timedCells(timed),
    perEntry('memoryBytes'),
    perEntry('diskBytes'),
    fillSeconds === undefined ? '' : grouped(fillSeconds),
  ];
};

/** Why so many more entries do not fit on this machine; undefined where they do. */
export function lackFor(name: JournalName, entries: number, dir: string): string | undefined {
  const { bavail, bsize } = statfsSync(dir);
  const disk = bavail * bsize;
  // Redis writes its file anew while the old one is still there.
  const diskNeeded = entries * (name === 'redis' ? 2 * REDIS_BYTES : SQLITE_BYTES);
  const memoryNeeded = name === 'redis' ? entries * REDIS_BYTES : 0;
  const inMib = (bytes: number) => `${grouped(bytes / MIB)} MiB`;
  if (disk < diskNeeded) return `${inMib(diskNeeded)} of disk are needed and ${inMib(disk)} are free`;
  const memory = freemem();
  if (memory < memoryNeeded) return `${inMib(memoryNeeded)} of memory are needed and ${inMib(memory)} are free`;
  return undefined;
}

/** A pair of claim and settle, one at a time for the latency and then many at a time for the throughput. */
export async function measured(
  open: Pick<OpenJournal, 'journal' | 'serverCpuSeconds'>,
  texts: ReturnType<typeof sampleTexts>,
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
function pairOn(journal: Journal, { message, answer }: ReturnType<typeof sampleTexts>) {
  const steps = new Steps(journal, systemClock, systemRandom);
  return async (claims: Times, settles: Times): Promise<void> => {
    given += 1;
    const deadline = Deadline.in(systemClock, BUDGET_MS);
    const began = performance.now();
    const key = keyOf(newId(systemRandom.fraction(), given));
    const claimed = await steps.claim(draftOf(key, message, ISSUER), deadline);
    // A machine that is too busy for the budget of a call: it counts as done, with all the time that it took.
    if (claimed.kind === 'unsure' || claimed.kind === 'away') return claims.add((performance.now() - began) * MS);
    if (claimed.kind !== 'fresh') throw new Error(`the journal did not take a claim: ${claimed.kind}`);
    const between = performance.now();
    claims.add((between - began) * MS);
    const outcome = { kind: 'answered', answer: { code: '00', sealed: answer } } as const;
    await steps.move(
      claimed.held,
      (entry, now) => apply(entry, { type: 'settle', fence: entry.fence, outcome, now }),
      deadline,
    );
    settles.add((performance.now() - between) * MS);
  };
}
