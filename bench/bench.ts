/**
 * `npm run bench`: measures the gateway and its peers side by side on this machine, shows how far it is while it runs, and
 * ends with tables, a file of results and a page of pictures. A target that was missed is a result like any other, and no
 * failure of the command.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { optionsOrCode } from './engine/command.ts';
import { findWrk } from './engine/loaders.ts';
import { loadNow, occasionHere } from './engine/machine.ts';
import { readOthers } from './engine/other.ts';
import { type Plan, plannedSeconds, planOf } from './engine/plan.ts';
import { Run } from './engine/run.ts';
import { makeSurroundings, type Surroundings } from './engine/surroundings.ts';
import { verdictOf } from './engine/verdicts.ts';
import { type BenchOptions, readOptions, usage } from './options.ts';
import { duration } from './report/numbers.ts';
import { pageOf } from './report/page.ts';
import { progressTo } from './report/progress.ts';
import { textOf } from './report/table.ts';
import type { BenchResult, Machine } from './results.ts';
import { subjectRows } from './subjects.ts';
import { targetRows } from './targets.ts';

/** So many busy processes per core beside the bench, and its rounds are not worth much. */
const LOAD_MOST = 0.5;

async function bench(options: BenchOptions): Promise<BenchResult> {
  const plan = planOf(options, subjectRows());
  const occasion = occasionHere();
  const begun = performance.now();
  const others = readOthers(options.out);
  const around = await makeSurroundings(plan.quick);
  const progress = progressTo(process.stdout);
  console.log(`${plan.rows.length} subjects, ${plan.rounds} rounds: about ${duration(plannedSeconds(plan))}`);
  try {
    const run = new Run(plan, around, progress.tell);
    const subjects = await run.results();
    return {
      ...occasion,
      tookSeconds: Math.round((performance.now() - begun) / 1000),
      quick: plan.quick,
      rounds: plan.rounds,
      method: methodOf(plan, around),
      warnings: [...warningsOf(occasion.machine, plan), ...run.problems],
      subjects,
      verdicts: targetRows().map(row => verdictOf(row, subjects, others)),
    };
  } finally {
    progress.end();
    await around.end();
  }
}

const methodOf = (plan: Plan, { cores }: Surroundings): string[] => [
  cores.what,
  `${plan.rounds} rounds, every other one in reverse order; each figure is the median of its rounds.`,
  plan.quick
    ? `Each peer is started once and measured for ${plan.seconds} s in every round.`
    : `Each measurement starts its peer anew with an empty journal: ${plan.warmUpSeconds} s of warm-up, ${plan.seconds} s measured.`,
  'A CPU-second is user and system time of the whole process tree of what is measured, and of nothing else.',
  findWrk() === undefined
    ? 'Closed loops by autocannon, since wrk is not installed.'
    : 'Closed loops by wrk with one thread; every answer is looked at.',
  'Open loops send at even distances, whatever becomes of earlier requests; latency counts from when a request was due.',
  'The gateway runs with all its checks, seals, metrics and log lines, as it is deployed.',
];

export function warningsOf({ cores, loadBefore }: Machine, { quick, rounds, leftOut }: Plan): string[] {
  const load = Math.max(loadBefore, 0);
  return [
    load > cores * LOAD_MOST
      ? `The machine was busy before the run (load ${load} on ${cores} cores): expect noise.`
      : '',
    quick ? 'A quick run: short measurements, good for a look. Claims need a full run on a quiet machine.' : '',
    leftOut.length > 0
      ? `A quick run leaves out, with all targets that need them: ${leftOut.map(([name]) => name).join(', ')}.`
      : '',
    rounds < 3 ? `${rounds} of the three rounds that a conclusion needs.` : '',
  ].filter(warning => warning !== '');
}

/** Writes both files; the path of the page. */
function write(result: BenchResult, out: string): string {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'results.json'), `${JSON.stringify(result, null, 1)}\n`);
  const page = resolve(out, 'index.html');
  writeFileSync(page, pageOf(result));
  return page;
}

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOrCode(readOptions(args), usage());
  if (typeof options === 'number') return options;
  const result = await bench(options);
  const page = write(result, options.out);
  console.log(`\n${textOf(result)}\n\nLoad of the machine now: ${loadNow()}. ${page}`);
  return 0;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
