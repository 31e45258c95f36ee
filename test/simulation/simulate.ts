/**
 * The command `npm run simulate`. With `--seeds N --from S` it runs many seeds and says what was met and how fast, and
 * makes the first failing one as simple as it can be; with `--seed S` it runs one, `--trace` showing each step.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runMany, type Tally } from './many.ts';
import { drawOptions, type Options } from './options.ts';
import { RARE, REQUIRED } from './required.ts';
import { run } from './run.ts';
import { replayOf, shrink } from './shrink.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    /** JSON: replaces options that the seed draws. */
    options: { type: 'string', default: '{}' },
    trace: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const failed = values.seed === undefined ? await many() : await one(Number(values.seed));
process.exitCode = failed ? 1 : 0;

async function one(seed: number): Promise<boolean> {
  const options: Options = { ...drawOptions(seed), ...JSON.parse(values.options) };
  const { trace, traceHash, events, lasted, violations } = await run(seed, options);
  if (values.trace) for (const line of trace) say(line);
  say(JSON.stringify(options, null, 1));
  say(`seed ${seed}: ${events} events, ${lasted.toFixed()} simulated ms, trace ${traceHash}`);
  for (const { message } of violations) say(message);
  return violations.length > 0;
}

async function many(): Promise<boolean> {
  const range = { from: Number(values.from), seeds: Number(values.seeds) };
  const began = performance.now();
  const tally = await runMany(range, Number(values.processes));
  report(tally, (performance.now() - began) / 1000);
  const [first] = tally.failures;
  if (first) await explain(first.seed);
  return tally.failures.length > 0;
}

function report({ seeds, events, lasted, failures, met }: Tally, seconds: number): void {
  for (const [what, times] of Object.entries(met).sort(([a], [b]) => (a < b ? -1 : 1))) {
    say(`${String(times).padStart(10)} ${what}`);
  }
  for (const what of [...REQUIRED, ...Object.keys(RARE)]) if (!met[what]) say(`     never ${what}`);
  for (const { seed, what } of failures) say(`seed ${seed} failed: ${what.join('; ')}`);
  const days = (lasted / 86_400_000).toFixed(1);
  say(`${seeds} seeds, ${failures.length} failed, ${events} events, ${days} simulated days`);
  say(`${seconds.toFixed(1)} s, ${(seeds / seconds).toFixed(1)} seeds a second`);
}

async function explain(seed: number): Promise<void> {
  const outcome = await shrink(await run(seed, drawOptions(seed)));
  say(`seed ${seed}, as simple as it still fails:`);
  for (const { message } of outcome.violations) say(`  ${message}`);
  say(`  ${replayOf(seed, outcome.options)}`);
}
