/**
 * Starts a gateway of several workers: the supervisor in this process, with the one admin port. From outside it is a gateway
 * like any other.
 */
import type { Config, Problem } from '../config/config.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { AdminOptions, AdminServer } from '../http/admin.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { createMetricsSum } from '../runtime/metricsSum.ts';
import { StartProblem } from '../startProblem.ts';
import type { Fork } from './processes.ts';
import { Supervisor } from './supervisor.ts';
import { together } from './together.ts';

export type WorkersOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly fork: Fork;
  /** A further condition of readiness. */
  readonly alsoReady: () => boolean;
  readonly startAdmin: (options: AdminOptions) => Promise<AdminServer>;
};

export type WorkersGateway = {
  readonly port: number;
  readonly adminPort: number;
  readonly reload: (next: Snapshot) => Promise<readonly Problem[]>;
  /** Whether all workers ended in good order. */
  readonly drain: () => Promise<boolean>;
  /** Resolves with the reason where a worker cannot be kept up: then the gateway is to end. */
  readonly failure: Promise<string>;
};

/** Rejects with `StartProblem`, or with what a worker or the admin port said; then no worker is left. */
export async function startWorkers(
  config: Config,
  snapshot: Snapshot,
  { clock, log, fork, alsoReady, startAdmin }: WorkersOptions,
): Promise<WorkersGateway> {
  const metrics = createMetricsSum();
  const supervisor = new Supervisor({ workers: config.server.workers, fork, snapshot, clock, log, metrics });
  const started = await supervisor.start();
  if (started.kind === 'refused') throw new StartProblem(started.problems);
  if (started.kind === 'failed') throw new Error(started.why);
  const { host } = config.server;
  const admin = await startAdmin({
    ...{ ...config.admin, clock },
    ...together({ supervisor, config, metrics, alsoReady }),
    onDefect: log.defect,
  }).catch(async (error: unknown) => {
    await supervisor.drain();
    throw error;
  });
  log.info('listening', { host, port: started.port, count: config.server.workers });
  return {
    port: started.port,
    adminPort: admin.port,
    reload: next => supervisor.reload(next),
    drain: async () => {
      log.info('draining', { count: supervisor.serving.length });
      const isClean = await supervisor.drain();
      await admin.close();
      return isClean;
    },
    failure: supervisor.failure,
  };
}
