/**
 * The command `npm run simulate`. With `--seeds N --from S` it runs many seeds and says what was met and how fast, and
 * makes the first failing one as simple as it can be; with `--seed S` it runs one, `--trace` showing each step.
 */
import { readArguments, USAGE } from './arguments.ts';
import { runMany, type Tally } from './many.ts';
import { drawOptions, type Options } from './options.ts';
import { RARE, REQUIRED } from './required.ts';
import { run } from './run.ts';
import { replayOf, shrink } from './shrink.ts';

const asked = readArguments(process.argv.slice(2));
if (typeof asked === 'string' || asked.help) {
  console.log(typeof asked === 'string' ? `${asked}\n\n${USAGE}` : USAGE);
  process.exit(typeof asked === 'string' ? 2 : 0);
}
const { seed: alone, options: given, trace: isTraced, processes, ...range } = asked;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const failed = alone === undefined ? await many() : await one(alone);
process.exitCode = failed ? 1 : 0;

async function one(seed: number): Promise<boolean> {
  const options: Options = { ...drawOptions(seed), ...given };
  const { trace, traceHash, events, lasted, violations } = await run(seed, options);
  if (isTraced) for (const line of trace) say(line);
  say(JSON.stringify(options, null, 1));
  say(`seed ${seed}: ${events} events, ${lasted.toFixed()} simulated ms, trace ${traceHash}`);
  for (const { message } of violations) say(message);
  return violations.length > 0;
}

async function many(): Promise<boolean> {
  const began = performance.now();
  const tally = await runMany(range, processes);
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
