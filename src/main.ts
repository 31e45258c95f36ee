/**
 * The process: reads the configuration, starts the gateway, reloads on SIGHUP, drains on SIGTERM and SIGINT, and ends
 * with 0 after a clean drain and 1 after anything else. Nothing is caught to go on with: what is unexpected ends the
 * process, and the journal knows what it left behind (F66).
 */
import { type Config, formatProblem, type Problem } from './config/config.ts';
import { configFile, environment } from './config/environment.ts';
import { loadConfig } from './config/load.ts';
import type { Env } from './config/substitute.ts';
import { type Gateway, type GatewayOptions, StartProblem, startGateway } from './gateway.ts';
import { systemClock } from './runtime/clock.ts';
import { createLog, type Log } from './runtime/log.ts';
import { systemRandom } from './runtime/random.ts';

const HELP = `Usage: node src/main.ts [--config FILE]

Runs the authorization gateway until SIGTERM. The configuration is FILE, else $GATEWAY_CONFIG, else
config/sandbox.yaml. SIGHUP reloads clients, keys, certificates, issuers and
routes, all or nothing.
`;

export type ServeOptions = Pick<GatewayOptions, 'alsoReady' | 'wrapJournal'> & {
  /** The configuration file. */
  readonly file: string;
  readonly env: Env;
  /** Called once both ports accept calls. */
  readonly onListening?: (gateway: Gateway, config: Config) => Promise<void>;
};

/** Runs a gateway until a signal ends it; resolves to the exit code. What kept it from starting is on standard error. */
export async function serve({ file, env, onListening, ...rest }: ServeOptions): Promise<number> {
  const config = await configAt(file, env);
  if (!config) return 1;
  const log = createLog({ clock: systemClock });
  endOnDefect(log);
  // A reload asked for before there is anything to reload would end the process; the configuration is new anyway.
  process.on('SIGHUP', () => undefined);
  try {
    const gateway = await startGateway(config, { clock: systemClock, random: systemRandom, log, ...rest });
    const ended = untilSignalled(gateway, { file, env, log });
    await onListening?.(gateway, config);
    return await ended;
  } catch (error) {
    if (error instanceof StartProblem) print(error.problems, 'problem');
    else process.stderr.write(`the gateway did not start: ${error instanceof Error ? error.message : 'unknown'}\n`);
    return 1;
  } finally {
    await log.flush();
  }
}

async function configAt(file: string, env: Env): Promise<Config | undefined> {
  const result = await loadConfig(file, env);
  print([...result.disabled, ...result.warnings], 'warning');
  if (result.ok) return result.config;
  print(result.problems, 'problem');
  return undefined;
}

const print = (problems: readonly Problem[], kind: 'problem' | 'warning'): void => {
  for (const problem of problems) process.stderr.write(`${kind}  ${formatProblem(problem)}\n`);
};

type Source = { readonly file: string; readonly env: Env; readonly log: Log };

function untilSignalled(gateway: Gateway, source: Source): Promise<number> {
  // One reload at a time, in the order asked for.
  let reloading = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => reload(gateway, source));
  });
  return new Promise(resolve => {
    const end = (signal: NodeJS.Signals) => {
      process.removeListener('SIGTERM', end).removeListener('SIGINT', end);
      gateway.drain().then(
        () => {
          source.log.info('stopped', { signal });
          resolve(0);
        },
        error => {
          source.log.defect(error);
          resolve(1);
        },
      );
    };
    process.on('SIGTERM', end).on('SIGINT', end);
  });
}

async function reload(gateway: Gateway, { file, env, log }: Source): Promise<void> {
  const loaded = await loadConfig(file, env);
  const problems = loaded.ok ? await gateway.reload(loaded.config) : loaded.problems;
  for (const warning of [...loaded.disabled, ...loaded.warnings]) log.warn('configWarning', warning);
  for (const problem of problems) log.error('configProblem', problem);
  if (problems.length > 0) log.error('reloadRefused', { count: problems.length });
  else log.info('reloaded');
}

function endOnDefect(log: Log): void {
  const end = (error: unknown) => {
    log.defect(error);
    // The log writes its last lines as the process exits.
    process.exit(1);
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
}

async function main(args: readonly string[]): Promise<number> {
  const file = configFile(args, environment);
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (file !== undefined) return serve({ file, env: environment });
  process.stderr.write(`--config needs a file\n\n${HELP}`);
  return 1;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
