/**
 * The composition root: with `parts.ts`, which holds what a reload exchanges, the only file that builds adapters and knows
 * which there are. It starts a gateway from a valid configuration and ends it so that nothing in flight is lost.
 */
import { createJourney } from './authorize.ts';
import { APIS } from './catalogue/apis.ts';
import type { Config, Problem } from './config/config.ts';
import { HOUR_MS } from './config/limits.ts';
import { Deliveries, type DeliveryObserver } from './delivery/deliveries.ts';
import { keyText } from './domain/ids.ts';
import { startAdmin } from './http/admin.ts';
import { startPublic } from './http/public.ts';
import type { IssuerLines } from './issuer/issuer.ts';
import type { Journal } from './journal/journal.ts';
import type { NoticeSink } from './journal/notice.ts';
import { createRedisJournal } from './journal/redis.ts';
import { createSqliteJournal } from './journal/sqlite.ts';
import { Steps } from './journal/steps.ts';
import { VaultError } from './journal/vault.ts';
import { Parts, stillNeeded } from './parts.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';
import { createMetrics, type Metrics, type Snapshot } from './runtime/metrics.ts';
import type { Random } from './runtime/random.ts';

export type GatewayOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A further condition of readiness; the sandbox holds it back until its credentials are written. */
  readonly alsoReady?: () => boolean;
};

export type Gateway = {
  /** The ports in use, which differ from the configured ones where those are 0. */
  readonly port: number;
  readonly adminPort: number;
  /** Takes over clients, keys, issuers and routes; where there are problems, nothing of the new configuration. */
  reload(next: Config): Promise<readonly Problem[]>;
  /** Readiness off, everything in flight answered within its budget, every connection ended. */
  drain(): Promise<void>;
};

/** A configuration that cannot be put to use, for a reason that only shows when it is tried. */
export class StartProblem extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(problem => problem.what).join('; '));
    this.problems = problems;
  }
}

/** Starts a gateway. Rejects with `StartProblem`, or with what a port or the journal said. */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { clock, random, log } = options;
  const metrics = createMetrics(clock);
  const journal = await openJournal(config, clock, noticeSink(log, metrics));
  const parts = new Parts(config, { clock, random, log, metrics });
  const problems = await stillNeeded(journal, config, parts.vault, clock);
  if (problems.length > 0) {
    await Promise.all([parts.close(), journal.close()]);
    throw new StartProblem(problems);
  }
  const shared = {
    journal,
    steps: new Steps(journal, clock, random),
    vault: parts.currentVault(),
    issuers: parts,
    clock,
  };
  const deliveries = new Deliveries({ ...shared, random, observer: deliveryObserver(log, metrics) });
  const onDefect = defectSink(log, metrics);
  const { server } = config;
  const publicServer = await startPublic({
    host: server.host,
    port: server.port,
    basePath: server.basePath,
    rows: APIS,
    journey: createJourney({ ...shared, site: () => parts.site, deliveries, onDefect }),
    clock,
    random,
    observe: record => {
      log.request(record);
      metrics.request(record);
    },
    onDefect,
  });
  const state = { draining: false };
  const ready = options.alsoReady ?? (() => true);
  const readiness = () => ({ config: ready(), journal: journal.isUp(), draining: state.draining, standby: false });
  metrics.onScrape(() => snapshot(journal, parts, { inFlight: publicServer.inFlight(), draining: state.draining }));
  const admin = await startAdmin({ ...config.admin, metrics, readiness, clock, onDefect });
  deliveries.start();
  log.info('listening', { host: server.host, port: publicServer.port });
  return {
    port: publicServer.port,
    adminPort: admin.port,
    reload: next => parts.reload(next, journal),
    drain: async () => {
      state.draining = true;
      log.info('draining', { count: publicServer.inFlight() });
      publicServer.beginDrain();
      await Promise.all([publicServer.close(parts.longestBudgetMs), deliveries.stop()]);
      await parts.close();
      await journal.close();
      await admin.close();
    },
  };
}

async function snapshot(
  journal: Journal,
  issuers: IssuerLines,
  now: { readonly inFlight: number; readonly draining: boolean },
): Promise<Snapshot> {
  const owed = await journal.owed();
  return {
    ...now,
    journalUp: journal.isUp(),
    breakers: new Map([...issuers.all()].map(line => [line.id, line.issuer.state])),
    owed: owed.kind === 'done' ? owed.value : undefined,
  };
}

const openJournal = (config: Config, clock: Clock, onNotice: NoticeSink): Promise<Journal> => {
  const { target, retentionHours } = config.journal;
  const retentionMs = retentionHours * HOUR_MS;
  return target.kind === 'sqlite'
    ? createSqliteJournal({ path: target.file, retentionMs, clock, onNotice })
    : createRedisJournal({ target, retentionMs, clock, onNotice });
};

const noticeSink =
  (log: Log, metrics: Metrics): NoticeSink =>
  ({ level, about, text }) => {
    if (level === 'info') log.info('journalWarning', { kind: about, what: text });
    else log.warn('journalWarning', { kind: about, what: text });
    if (level === 'alarm') metrics.alarm(about === 'lostClaims' ? 'amnesia' : 'journal');
  };

const deliveryObserver = (log: Log, metrics: Metrics): DeliveryObserver => ({
  attempted: (issuer, kind, result) => {
    metrics.delivery(kind, result);
    log.info('delivery', { issuer, kind, result });
  },
  takenOver: () => log.warn('takeover'),
  parked: (key, issuer, kind, why) => {
    metrics.delivery(kind, 'parked');
    metrics.alarm('parked');
    log.error('alarm', { kind: 'parked', issuer, what: keyText(key), reason: why });
  },
  failed: defectSink(log, metrics),
});

const defectSink = (log: Log, metrics: Metrics) => (error: unknown, requestId?: string) => {
  metrics.alarm(error instanceof VaultError && error.fault === 'unknownKey' ? 'keyMissing' : 'defect');
  log.defect(error, requestId);
};
