/**
 * `npm run load`: loads a gateway with real calls at a fixed rate, measures, checks the money, and writes a report. What the
 * options mean is in `arguments`, what becomes of them in `run`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { environment, sandboxPlaces } from '../../src/config/environment.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { UsageError } from '../../src/sandbox/callMessage.ts';
import { USAGE } from './arguments.ts';
import { readOptions } from './options.ts';
import { pageOf } from './page.ts';
import { screenOf } from './progress.ts';
import { type LoadReport, textOf } from './report.ts';
import { runLoad } from './run.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const complain = (text: string): void => void process.stderr.write(`${text}\n`);

/** The exit code of the command. */
async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === 'help') {
    print(USAGE);
    return 0;
  }
  if ('problems' in options) {
    for (const problem of options.problems) complain(problem);
    complain('\nnpm run load -- --help has all options');
    return 2;
  }
  try {
    const report = await runLoad({
      options,
      sandboxDir: resolve(sandboxPlaces(environment).dir),
      clock: systemClock,
      random: systemRandom,
      screen: screenOf(process.stderr),
      signal: untilInterrupted(),
    });
    print(textOf(report));
    print(`\n${write(options.out, report).join('\n')}`);
    return report.verdict.exitCode;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(error.message);
    return 2;
  }
}

/** Writes the report and tells where it is. */
function write(folder: string, report: LoadReport): readonly string[] {
  const json = resolve(join(folder, 'load.json'));
  const page = resolve(join(folder, 'load.html'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(page, pageOf(report));
  return [json, page];
}

/** Aborted by the first Ctrl-C; the second one ends the process. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    complain('\nending the load; the money is checked now (Ctrl-C once more ends at once)');
    interrupted.abort();
  });
  return interrupted.signal;
}

process.exitCode = await main(process.argv.slice(2));
