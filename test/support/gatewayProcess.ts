/**
 * The gateway as tests meet it: the built program in a process of its own, reached over HTTP, and ended, frozen and
 * killed like one. Nothing of `src` is imported here.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from './children.ts';
import { type Answer, type Callee, get } from './client.ts';
import { CLIENT, type GatewayOptions, PARTICIPANT, type TestConfig, testConfig, testKeys } from './gatewayConfig.ts';
import { freePort, tempDir } from './places.ts';
import { waitFor, within } from './waitFor.ts';

export type Gateway = Callee & {
  readonly port: number;
  /** `http://127.0.0.1:<adminPort>`. */
  readonly adminUrl: string;
  readonly adminPort: number;
  readonly clientId: string;
  readonly configFile: string;
  readonly pid: number;
  /** Everything printed so far, by all its processes; `log` has both streams. */
  stdout(): string;
  stderr(): string;
  log(): string;
  /** The lines of standard output that are JSON objects. */
  logLines(): readonly Readonly<Record<string, unknown>>[];
  /** What `/metrics` says now. */
  metrics(): Promise<string>;
  alive(): boolean;
  /** SIGSTOP and SIGCONT: the process freezes and goes on. */
  sigstop(): void;
  sigcont(): void;
  /** SIGHUP: reload. */
  sighup(): void;
  /** SIGKILL; resolves when it is gone. */
  kill9(): Promise<void>;
  /** Until it has ended by itself. */
  untilGone(): Promise<void>;
  /** SIGTERM; resolves with the exit code, null where a signal ended it. */
  sigterm(timeoutMs?: number): Promise<number | null>;
  /** Starts it again after it ended, or ends it with SIGKILL first: same ports, same configuration. */
  restart(waitForReady?: boolean): Promise<void>;
  /** Writes the configuration file anew, for the next start or reload. */
  configure(change: (config: TestConfig) => void): void;
  /** Until `/readyz` answers 200. */
  untilReady(timeoutMs?: number): Promise<void>;
};

export type StartOptions = GatewayOptions & {
  /** False: do not wait for readiness, only for the process. */
  readonly waitForReady?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Another program that takes `--config FILE`, from the project's folder; default `src/main.ts`. */
  readonly program?: string;
};

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A start takes about a second; a machine under load may need many. */
const READY_MS = 20_000;
const EXIT_MS = 20_000;

/**
 * Starts `node src/main.ts --config FILE` and waits until it is ready. Give two gateways the same `journalUrl` to have
 * them work on one journal.
 *
 * @throws Error with what it printed, when it ends or does not get ready.
 */
export async function startGateway(options: StartOptions): Promise<Gateway> {
  const port = await freePort();
  const adminPort = await freePort();
  const config = testConfig(options, port, adminPort);
  const configFile = join(tempDir('gateway'), 'gateway.yaml');
  // JSON is YAML, too.
  const write = () => writeFileSync(configFile, JSON.stringify(config, null, 2));
  write();
  const run = new GatewayRun(configFile, adminPort, options.env ?? {}, options.program ?? 'src/main.ts');
  await run.start(options.waitForReady ?? true);
  return {
    ...run.controls(),
    url: `http://127.0.0.1:${port}${String(config.server.basePath)}`,
    port,
    adminUrl: run.adminUrl,
    adminPort,
    token: testKeys().token,
    participantId: PARTICIPANT,
    clientId: CLIENT,
    configFile,
    get pid() {
      return run.child.pid;
    },
    configure: change => {
      change(config);
      write();
    },
  };
}

/** Several gateways with the same configuration but for their ports. */
export const startGateways = (count: number, options: StartOptions): Promise<Gateway[]> =>
  Promise.all(Array.from({ length: count }, () => startGateway(options)));

/** What is in a `Gateway` by virtue of its process alone. */
type Controls = Omit<
  Gateway,
  | 'url'
  | 'port'
  | 'adminUrl'
  | 'adminPort'
  | 'token'
  | 'participantId'
  | 'clientId'
  | 'configFile'
  | 'pid'
  | 'configure'
>;

/** One gateway through all its starts. */
class GatewayRun {
  readonly adminUrl: string;
  readonly #configFile: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #program: string;
  readonly #processes: Child[] = [];

  constructor(configFile: string, adminPort: number, env: Readonly<Record<string, string>>, program: string) {
    this.#configFile = configFile;
    this.adminUrl = `http://127.0.0.1:${adminPort}`;
    this.#env = env;
    this.#program = program;
  }

  get child(): Child {
    const child = this.#processes.at(-1);
    if (!child) throw new Error('the gateway was never started');
    return child;
  }

  async start(waitForReady: boolean): Promise<void> {
    const args = [this.#program, '--config', this.#configFile];
    this.#processes.push(await startChild(process.execPath, args, { cwd: ROOT, env: { ...baseEnv(), ...this.#env } }));
    if (waitForReady) await this.untilReady(READY_MS);
  }

  async untilReady(timeoutMs: number): Promise<void> {
    const ready = async () => !this.child.alive() || (await get(`${this.adminUrl}/readyz`)).status === 200;
    const failure = await waitFor('/readyz', ready, { timeoutMs, everyMs: 25 }).then(
      () => (this.child.alive() ? undefined : 'ended'),
      () => 'did not get ready',
    );
    if (failure === undefined) return;
    await this.child.kill();
    throw new Error(`the gateway ${failure}\n${this.child.stdout()}\n${this.child.stderr()}`);
  }

  async #restart(waitForReady = true): Promise<void> {
    await this.child.kill();
    await this.start(waitForReady);
  }

  async #sigterm(timeoutMs: number): Promise<number | null> {
    this.child.signal('SIGTERM');
    return within('the gateway to end', this.child.exited, timeoutMs);
  }

  #printed(stream: 'stdout' | 'stderr'): string {
    return this.#processes.map(child => child[stream]()).join('');
  }

  controls(): Controls {
    return {
      stdout: () => this.#printed('stdout'),
      stderr: () => this.#printed('stderr'),
      log: () => this.#printed('stdout') + this.#printed('stderr'),
      logLines: () => this.#printed('stdout').split('\n').flatMap(jsonObject),
      metrics: async () => okText(await get(`${this.adminUrl}/metrics`)),
      alive: () => this.child.alive(),
      sigstop: () => this.child.signal('SIGSTOP'),
      sigcont: () => this.child.signal('SIGCONT'),
      sighup: () => this.child.signal('SIGHUP'),
      kill9: () => this.child.kill(),
      untilGone: async () => void (await within('the gateway to end', this.child.exited, EXIT_MS)),
      sigterm: (timeoutMs = EXIT_MS) => this.#sigterm(timeoutMs),
      restart: waitForReady => this.#restart(waitForReady),
      untilReady: (timeoutMs = READY_MS) => this.untilReady(timeoutMs),
    };
  }
}

/** The environment without what belongs to the test runner or would change the configuration. */
function baseEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(NODE_OPTIONS|NODE_ENV|VITEST|JOURNAL_|GATEWAY_|SANDBOX_)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1' };
}

function okText({ status, text }: Answer): string {
  if (status !== 200) throw new Error(`status ${status}: ${text}`);
  return text;
}

function jsonObject(line: string): Readonly<Record<string, unknown>>[] {
  if (!line.startsWith('{')) return [];
  try {
    const value: unknown = JSON.parse(line);
    return value !== null && typeof value === 'object' ? [{ ...value }] : [];
  } catch {
    return [];
  }
}
