/**
 * One worker: a gateway without an admin port of its own, which does what its supervisor asks. Signals to the whole group of
 * processes reach it as well: what they mean is the supervisor's to say, but for SIGTERM, which ends it in good order
 * like any gateway. Without its supervisor it answers what it has taken on, and ends.
 */
import cluster from 'node:cluster';
import type { Config, Problem } from '../config/config.ts';
import { BUDGET_MS_MOST } from '../config/limits.ts';
import { shareOf } from '../config/share.ts';
import { loadKept, type Snapshot } from '../config/snapshot.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../gateway.ts';

import { systemClock } from '../runtime/clock.ts';
import { endOnDefect } from '../runtime/defects.ts';
import { createLog, type Log } from '../runtime/log.ts';
import { systemRandom } from '../runtime/random.ts';
import { StartProblem } from '../startProblem.ts';
import type { Ask, Given, Started, Told, WorkerCalls } from './calls.ts';
import { Prepared, type Proof } from './prepared.ts';

export type WorkerOptions = Pick<GatewayOptions, 'wrapJournal'>;

type AdminOptions = Parameters<NonNullable<GatewayOptions['openAdmin']>>[0];

/** What is left over after a supervisor that died answers within the longest budget, or never. */
const ORPHAN_MS = BUDGET_MS_MOST;

/** Serves until it is told to end; it ends the process itself. */
export const runWorker = (options: WorkerOptions = {}): void => {
  const worker = new ServingWorker(options);
  process.on('message', (message: Ask) => void worker.answer(message));
  process.on('SIGHUP', () => undefined).on('SIGINT', () => undefined);
  process.on('SIGTERM', () => worker.beginEnd());
  cluster.worker?.once('disconnect', () => {
    // Else the cluster would end the process here and now.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    worker.endAlone();
  });
};

class ServingWorker {
  readonly #options: WorkerOptions;
  #given: Given | undefined;
  #log: Log | undefined;
  #starting: Promise<Started> | undefined;
  #gateway: Gateway | undefined;
  #admin: AdminOptions | undefined;
  readonly #prepared = new Prepared();
  #isEnding = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Does what is asked. What fails is in the log here; the supervisor hears no more than that. */
  async answer({ ask, call, given }: Ask): Promise<void> {
    try {
      // Name and value come from the same program.
      const act = this.#calls[call] as (given: unknown) => Promise<unknown>;
      const value = await act(given);
      await tell({ to: ask, value });
      if (call === 'start' && (value as Started).kind !== 'listening') await this.#exit(1);
    } catch (error) {
      this.#log?.defect(error);
      await tell({ to: ask, failed: true });
    }
  }

  readonly #calls: WorkerCalls = {
    start: given => {
      this.#starting = this.#start(given);
      return this.#starting;
    },
    prepare: next => this.#prepare(next),
    commit: async () => {
      this.#prepared.commit();
      return null;
    },
    drain: async () => {
      this.beginEnd();
      return null;
    },
    metrics: extent => this.#open().metrics.part(extent),
    readiness: async () => this.#open().readiness(),
    revoke: asked => this.#open().revocations.revoke(asked),
    lift: client => this.#open().revocations.lift(client),
    revoked: async () => (await this.#open().revocations.list()) ?? null,
    setStandby: location => this.#open().standby.set(location),
    standby: async () => this.#open().standby.said(),
  };

  async #start(given: Given): Promise<Started> {
    const { share, snapshot } = given;
    const log = createLog({ clock: systemClock, worker: share.worker });
    this.#given = given;
    this.#log = log;
    endOnDefect(log);
    const config = await this.#configOf(snapshot);
    if (isProblems(config)) return { kind: 'refused', problems: config };
    try {
      this.#gateway = await startGateway(config, {
        ...this.#options,
        ...{ clock: systemClock, random: systemRandom, log },
        tellsExpiry: share.worker === 1,
        openAdmin: async options => {
          this.#admin = options;
          return { port: 0, close: async () => undefined };
        },
      });
      return { kind: 'listening', port: this.#gateway.port };
    } catch (error) {
      if (error instanceof StartProblem) return { kind: 'refused', problems: error.problems };
      return { kind: 'failed', why: error instanceof Error ? error.message : 'unknown' };
    }
  }

  /** This worker's part of what was kept, or what is wrong with it. */
  async #configOf(snapshot: Snapshot): Promise<Config | readonly Problem[]> {
    const loaded = await loadKept(snapshot);
    if (!loaded.ok) return loaded.problems;
    return this.#given ? shareOf(loaded.config, this.#given.share) : loaded.config;
  }

  async #prepare(next: Snapshot | null): Promise<readonly Problem[]> {
    if (next) return this.#prepared.hold(() => this.#prove(next));
    this.#prepared.letGo();
    return [];
  }

  async #prove(next: Snapshot): Promise<Proof> {
    const config = await this.#configOf(next);
    if (isProblems(config)) return config;
    if (!this.#gateway) throw new Error('asked before it was started');
    return this.#gateway.prepare(config);
  }

  #open(): AdminOptions {
    if (!this.#admin) throw new Error('asked before it was started');
    return this.#admin;
  }

  /** The supervisor is gone, and the port with it: no new connection comes any more. */
  endAlone(): void {
    // One that has not served yet owes nobody anything; and whoever ended the supervisor twice will not wait.
    if (this.#isEnding || !this.#gateway) process.exit(1);
    systemClock.after(ORPHAN_MS, () => process.exit(1));
    this.beginEnd();
  }

  beginEnd(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    void this.#end();
  }

  async #end(): Promise<void> {
    try {
      await this.#starting;
      await this.#gateway?.drain();
      this.#log?.info('stopped');
      if (this.#admin) await tell({ last: await this.#admin.metrics.part('counts') });
      await this.#exit(0);
    } catch (error) {
      this.#log?.defect(error);
      await this.#exit(1);
    }
  }

  async #exit(code: number): Promise<void> {
    await this.#log?.flush();
    process.exit(code);
  }
}

const isProblems = (value: Config | readonly Problem[]): value is readonly Problem[] => Array.isArray(value);

/** Resolves when it is on its way, or when nobody is there any more. */
const tell = (told: Told): Promise<void> =>
  new Promise(resolve => {
    if (!process.connected || !process.send) resolve();
    else process.send(told, undefined, undefined, () => resolve());
  });
