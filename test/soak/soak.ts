/**
 * `npm run soak`: runs gateways under load and faults for as long as wanted, prints what came of it, writes the page with
 * the curves, and ends with 1 where money or memory went astray. A calm run that was long enough leaves the growth of memory
 * for the bench's report.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { occasionHere } from '../../bench/engine/machine.ts';
import { leaveOther } from '../../bench/engine/other.ts';
import { growthsOf, growthText } from './growth.ts';
import { readOptions, USAGE } from './options.ts';
import { pageOf, textOf, violationsOf } from './report.ts';
import { runSoak } from './run.ts';

/** Where npm run bench looks for what others have measured. */
const BENCH = 'var/bench';

const options = readOptions(process.argv.slice(2), Math.floor(Math.random() * 1_000_000));
if (typeof options === 'string') {
  console.error(`${options}\n\n${USAGE}`);
  process.exit(2);
}
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const occasion = occasionHere();
const run = await runSoak(options, line => console.log(line));
mkdirSync(options.out, { recursive: true });
const file = resolve(join(options.out, 'soak.html'));
writeFileSync(file, pageOf(run));
console.log(`${textOf(run)}\n${file}`);
const growths = options.calm ? growthsOf(run.samples, run.gateways) : [];
if (growths.length === run.gateways) {
  const rounds = growths.map(({ percent }) => percent);
  const note = [`${options.journal}, ${run.effects} effects`, ...growths.map(growthText)].join('; ');
  leaveOther(BENCH, 'soak', { rounds, note, ...occasion });
}
process.exit(violationsOf(run).length === 0 ? 0 : 1);
