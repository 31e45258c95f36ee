/**
 * The process: reads the configuration, starts the gateway, reloads on SIGHUP, drains on SIGTERM and SIGINT, and ends
 * with 0 after a clean drain and 1 after anything else. Where the configuration asks for several workers, the gateway is
 * those, and this process keeps them.
 */
import { fileURLToPath } from 'node:url';
import { type Config, formatProblem, type Problem } from './config/config.ts';
import { configFile, environment, settlePool } from './config/environment.ts';
import { loadAndKeep, type Snapshot } from './config/snapshot.ts';
import type { Env } from './config/substitute.ts';
import type { Gateway, GatewayOptions } from './gateway.ts';
import { systemClock } from './runtime/clock.ts';
import { endOnDefect } from './runtime/defects.ts';
import { createLog, type Log } from './runtime/log.ts';
import { BatchSink } from './runtime/logSink.ts';
import { systemRandom } from './runtime/random.ts';
import { StartProblem } from './startProblem.ts';

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
  readonly onListening?: (gateway: Pick<Gateway, 'port' | 'adminPort'>, config: Config) => Promise<void>;
  /** What each of several workers runs, where it is not the plain one: this process has no journal that could be wrapped. */
  readonly workerProgram?: string;
};

const WORKER_PROGRAM = fileURLToPath(new URL('workers/main.ts', import.meta.url));

/** A configuration as it was loaded, and what it was made of. */
type Loaded = { readonly config: Config; readonly snapshot: Snapshot };

/** A gateway that serves, whatever it is made of. */
type Running = Pick<Gateway, 'port' | 'adminPort'> & {
  readonly reload: (next: Loaded) => Promise<readonly Problem[]>;
  /** Whether it ended in good order. */
  readonly drain: () => Promise<boolean>;
  /** Where something in it cannot be kept up: the reason, and the gateway is to end. */
  readonly failure?: Promise<string>;
};

/** Runs a gateway until a signal ends it; resolves to the exit code. What kept it from starting is on standard error. */
export async function serve(options: ServeOptions): Promise<number> {
  const { file, env } = options;
  const { result, snapshot } = await loadAndKeep(file, env);
  print([...result.disabled, ...result.warnings], 'warning');
  if (!result.ok) {
    print(result.problems, 'problem');
    return 1;
  }
  const { config } = result;
  const sink = new BatchSink({
    destination: 1,
    clock: systemClock,
    onDropped: count => log.warn('linesDropped', { count }),
  });
  const log = createLog({ clock: systemClock, destination: sink });
  endOnDefect(log);
  // A reload asked for before there is anything to reload would end the process; the configuration is new anyway.
  process.on('SIGHUP', () => undefined);
  try {
    const start = config.server.workers === 1 ? alone : withWorkers;
    const running = await start({ config, snapshot }, options, log, sink);
    const ended = untilEnded(running, { file, env, log });
    await options.onListening?.(running, config);
    return await ended;
  } catch (error) {
    if (error instanceof StartProblem) print(error.problems, 'problem');
    else complain('did not start', error instanceof Error ? error.message : 'unknown');
    return 1;
  } finally {
    await log.flush();
  }
}

const print = (problems: readonly Problem[], kind: 'problem' | 'warning'): void => {
  for (const problem of problems) process.stderr.write(`${kind}  ${formatProblem(problem)}\n`);
};

const complain = (what: string, why: string): void => void process.stderr.write(`the gateway ${what}: ${why}\n`);

type Start = (loaded: Loaded, options: ServeOptions, log: Log, sink: BatchSink) => Promise<Running>;

const alone: Start = async ({ config }, { alsoReady, wrapJournal }, log) => {
  // Not loaded where this process only keeps those that serve.
  const { startGateway } = await import('./gateway.ts');
  const gateway = await startGateway(config, {
    ...{ clock: systemClock, random: systemRandom, log },
    ...(alsoReady && { alsoReady }),
    ...(wrapJournal && { wrapJournal }),
  });
  return {
    ...gateway,
    reload: next => gateway.reload(next.config),
    drain: async () => {
      await gateway.drain();
      return true;
    },
  };
};

const withWorkers: Start = async ({ config, snapshot }, { alsoReady = () => true, workerProgram }, log, sink) => {
  const [{ startAdmin }, { forkOf }, { startWorkers }] = await Promise.all([
    import('./http/admin.ts'),
    import('./workers/processes.ts'),
    import('./workers/start.ts'),
  ]);
  const fork = forkOf(workerProgram ?? WORKER_PROGRAM, lines => sink.write(lines));
  const workers = await startWorkers(config, snapshot, { clock: systemClock, log, fork, alsoReady, startAdmin });
  return { ...workers, reload: next => workers.reload(next.snapshot) };
};

type Source = { readonly file: string; readonly env: Env; readonly log: Log };

function untilEnded(running: Running, source: Source): Promise<number> {
  // One reload at a time, in the order asked for.
  let reloading = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => reload(running, source));
  });
  return new Promise(resolve => {
    const end = async (signal: NodeJS.Signals | undefined) => {
      process.removeListener('SIGTERM', end).removeListener('SIGINT', end);
      try {
        const isClean = await running.drain();
        if (isClean) source.log.info('stopped', { signal });
        resolve(isClean && signal ? 0 : 1);
      } catch (error) {
        source.log.defect(error);
        resolve(1);
      }
    };
    process.on('SIGTERM', end).on('SIGINT', end);
    void running.failure?.then(why => {
      complain('ended', why);
      return end(undefined);
    });
  });
}

async function reload(running: Running, { file, env, log }: Source): Promise<void> {
  const { result, snapshot } = await loadAndKeep(file, env);
  const problems = result.ok ? await running.reload({ config: result.config, snapshot }) : result.problems;
  for (const warning of [...result.disabled, ...result.warnings]) log.warn('configWarning', warning);
  for (const problem of problems) log.error('configProblem', problem);
  if (problems.length > 0) log.error('reloadRefused', { count: problems.length });
  else log.info('reloaded');
}

async function main(args: readonly string[]): Promise<number> {
  settlePool();
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
