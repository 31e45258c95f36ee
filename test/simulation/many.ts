/**
 * Many seeds: split over processes, since each run keeps one processor busy, and put together again.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { drawOptions } from './options.ts';
import { run } from './run.ts';

export type Failure = { readonly seed: number; readonly what: readonly string[] };

export type Tally = {
  readonly seeds: number;
  readonly events: number;
  /** Simulated milliseconds. */
  readonly lasted: number;
  readonly failures: readonly Failure[];
  /** What was met, and how often. */
  readonly met: Readonly<Record<string, number>>;
};

export type Range = { readonly from: number; readonly seeds: number };

/** More than this are of no use to whoever reads them. */
const FAILURES_MOST = 20;

/** Runs these seeds one after the other, and stops where there are more failures than anybody reads. */
export async function runRange({ from, seeds }: Range): Promise<Tally> {
  const failures: Failure[] = [];
  const met: Record<string, number> = {};
  let [ran, events, lasted] = [0, 0, 0];
  for (let seed = from; seed < from + seeds && failures.length < FAILURES_MOST; seed += 1) {
    const outcome = await run(seed, drawOptions(seed));
    ran += 1;
    events += outcome.events;
    lasted += outcome.lasted;
    for (const [what, times] of outcome.met) met[what] = (met[what] ?? 0) + times;
    if (outcome.violations.length > 0) failures.push({ seed, what: outcome.violations.map(({ message }) => message) });
    // Between two runs whatever else the process has to do gets its turn.
    await new Promise(setImmediate);
  }
  return { seeds: ran, events, lasted, failures, met };
}

/** Runs these seeds in so many processes. */
export async function runMany({ from, seeds }: Range, processes: number): Promise<Tally> {
  const share = Math.ceil(seeds / processes);
  const ranges = Array.from({ length: processes }, (_, i) => ({
    from: from + i * share,
    seeds: Math.min(share, seeds - i * share),
  }));
  const tallies = await Promise.all(ranges.filter(range => range.seeds > 0).map(inChild));
  const met: Record<string, number> = {};
  for (const tally of tallies) {
    for (const [what, times] of Object.entries(tally.met)) met[what] = (met[what] ?? 0) + times;
  }
  const sum = (of: (tally: Tally) => number) => tallies.reduce((all, each) => all + of(each), 0);
  return {
    seeds: sum(each => each.seeds),
    events: sum(each => each.events),
    lasted: sum(each => each.lasted),
    failures: tallies.flatMap(({ failures }) => failures),
    met,
  };
}

function inChild(range: Range): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), { execArgv: [] });
    child.once('message', tally => resolve(tally as Tally));
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`a process of the simulation ended with ${code}`)));
    child.send(range);
  });
}
