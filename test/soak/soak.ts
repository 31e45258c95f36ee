/**
 * `npm run soak`: runs gateways under load and faults for as long as wanted, prints what came of it, writes the page with
 * the curves, and ends with 1 where money or memory went astray.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readOptions, USAGE } from './options.ts';
import { pageOf, textOf, violationsOf } from './report.ts';
import { runSoak } from './run.ts';

const options = readOptions(process.argv.slice(2), Math.floor(Math.random() * 1_000_000));
if (typeof options === 'string') {
  console.error(`${options}\n${USAGE}`);
  process.exit(2);
}
const run = await runSoak(options, line => console.log(line));
mkdirSync(options.out, { recursive: true });
const file = resolve(join(options.out, 'soak.html'));
writeFileSync(file, pageOf(run));
console.log(`${textOf(run)}\n${file}`);
process.exit(violationsOf(run).length === 0 ? 0 : 1);
