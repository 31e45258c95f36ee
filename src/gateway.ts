/**
 * The composition root: it starts a gateway from a valid configuration, wires adapters to their ports, reloads, and ends
 * everything so that nothing in flight is lost. What a reload exchanges is in `parts.ts`.
 */
import { createJourney } from './authorize.ts';
import { APIS } from './catalogue/apis.ts';
import type { Config, Problem } from './config/config.ts';
import { CLOCK_TOLERANCE_SECONDS, HOUR_MS, RETENTION_HOURS_MOST } from './config/limits.ts';
import { Deliveries, type DeliveryObserver } from './delivery/deliveries.ts';
import { keyText } from './domain/ids.ts';
import { ACCESS_TOKEN_LIFE_SECONDS_MAX } from './edge/accessToken.ts';
import { jwksDocument, serverMetadata } from './edge/metadata.ts';
import { createTokenEndpoint } from './edge/tokenEndpoint.ts';
import { ExpiryWatch } from './expiryWatch.ts';
import { startAdmin } from './http/admin.ts';
import type { AdminRevocations } from './http/adminRevocations.ts';
import type { OauthServer } from './http/oauth.ts';
import { type PublicServer, startPublic } from './http/public.ts';
import { isUsableTls } from './http/server.ts';
import { type Journal, type Reply, RevocationsFull, type Vault } from './journal/journal.ts';
import type { NoticeSink } from './journal/notice.ts';
import { createRedisJournal } from './journal/redis.ts';
import { onceOf, RevocationList } from './journal/revocations.ts';
import { createSqliteJournal } from './journal/sqlite.ts';
import { Steps } from './journal/steps.ts';
import { VaultError } from './journal/vault.ts';
import { Parts } from './parts.ts';
import type { Clock } from './runtime/clock.ts';
import { Deadline } from './runtime/deadline.ts';
import type { Log } from './runtime/log.ts';
import { createMetrics, type Metrics, type Snapshot } from './runtime/metrics.ts';
import type { Random } from './runtime/random.ts';

/** How long a start or a reload asks the journal what is still needed: a few hundred calls, on a busy machine. */
const ASK_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 100;
/** A revoked client should be gone from the configuration long before this. */
const CLIENT_REVOKED_MS = RETENTION_HOURS_MOST * HOUR_MS;
/** No token lives longer, whichever of our clocks is asked; and a minute, so that none comes back at the edge. */
const TOKEN_REVOKED_MS = (ACCESS_TOKEN_LIFE_SECONDS_MAX + 2 * CLOCK_TOLERANCE_SECONDS + 60) * 1000;

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
  /** Takes over clients, keys, certificates, issuers and routes; where there are problems, nothing of them. */
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

/** What the whole process shares. */
type Core = Omit<GatewayOptions, 'alsoReady'> & {
  readonly metrics: Metrics;
  readonly journal: Journal;
  readonly revocations: RevocationList;
  readonly parts: Parts;
  readonly expiry: ExpiryWatch;
  readonly onDefect: (error: unknown, requestId?: string) => void;
};

/** Starts a gateway. Rejects with `StartProblem`, or with what a port or the journal said. */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const core = await openCore(config, options);
  const { journal, parts, clock, random, log, metrics, expiry, revocations, onDefect } = core;
  const shared = {
    journal,
    steps: new Steps(journal, clock, random),
    vault: parts.currentVault(),
    issuers: parts,
    clock,
  };
  const deliveries = new Deliveries({ ...shared, random, observer: deliveryObserver(log, metrics) });
  const { host, port, basePath, tls } = config.server;
  const publicServer = await startPublic({
    ...{ host, port, basePath, tls, clock, random, onDefect },
    rows: APIS,
    journey: createJourney({ ...shared, site: () => parts.site, deliveries, onDefect }),
    oauth: oauthServer(core),
    observe: record => {
      log.request(record);
      metrics.request(record);
    },
  });
  const state = { draining: false };
  const ready = options.alsoReady ?? (() => true);
  const readiness = () => ({ config: ready(), journal: journal.isUp(), draining: state.draining, standby: false });
  metrics.onScrape(() => snapshot(core, { inFlight: publicServer.inFlight(), draining: state.draining }));
  const admin = await startAdmin({
    ...{ ...config.admin, metrics, readiness, clock, onDefect },
    revocations: adminRevocations(core),
  });
  deliveries.start();
  log.info('listening', { host, port: publicServer.port });
  expiry.tell();
  return {
    port: publicServer.port,
    adminPort: admin.port,
    reload: next => reload(core, publicServer, next),
    drain: async () => {
      state.draining = true;
      log.info('draining', { count: publicServer.inFlight() });
      publicServer.beginDrain();
      await Promise.all([publicServer.close(parts.longestBudgetMs), deliveries.stop()]);
      expiry.stop();
      await revocations.stop();
      await parts.close();
      await journal.close();
      await admin.close();
    },
  };
}

/** The journal and all that stands on it alone. Nothing accepts calls yet. */
async function openCore(config: Config, { clock, random, log }: GatewayOptions): Promise<Core> {
  const metrics = createMetrics(clock);
  const onNotice = noticeSink(log, metrics);
  const journal = await openJournal(config, clock, onNotice);
  const revocations = new RevocationList({ journal, clock, onNotice });
  const parts = new Parts(config, { clock, random, log, metrics, revocations });
  const problems = await stillNeeded(journal, config, parts.vault, clock);
  if (problems.length > 0) {
    await Promise.all([parts.close(), journal.close()]);
    throw new StartProblem(problems);
  }
  await revocations.start();
  const expiry = new ExpiryWatch(clock, log, () => parts.config);
  const onDefect = defectSink(log, metrics);
  return { clock, random, log, metrics, journal, revocations, parts, expiry, onDefect };
}

async function reload(core: Core, publicServer: PublicServer, next: Config): Promise<readonly Problem[]> {
  const { journal, parts, clock, expiry } = core;
  const { tls } = next.server;
  if (tls && !isUsableTls(tls)) {
    const what = 'certificate and key cannot be put to use';
    return [problemAt(next, 'server.tls', what, 'have OpenSSL check them, algorithms and key sizes too')];
  }
  const problems = await parts.reload(next, (config, vault) => stillNeeded(journal, config, vault, clock));
  if (problems.length > 0) return problems;
  if (tls) publicServer.exchangeTls(tls);
  expiry.tell();
  return [];
}

/** The authorization server, where the configuration has one; whether it has does not change while we run. */
function oauthServer({ parts, journal, revocations, clock, random, log, metrics }: Core): OauthServer | undefined {
  const { oauth } = parts.config;
  if (!oauth) return undefined;
  const { issuer, accessTokenMinutes } = oauth;
  const present = () => parts.config.oauth ?? oauth;
  const token = createTokenEndpoint({
    ...{ issuer, accessTokenMinutes, revocations, clock, random },
    signingKeys: () => present().signingKeys,
    clientOf: id => parts.tokenClient(id),
    once: onceOf(journal),
  });
  return {
    token,
    metadata: () => serverMetadata(issuer),
    jwks: () => jwksDocument(present().signingKeys, present().decryptionKeys),
    observe: record => {
      log.oauth(record);
      metrics.oauth(record);
    },
  };
}

const adminRevocations = ({ parts, journal, revocations, clock, log }: Core): AdminRevocations => ({
  revoke: async (kind, id) => {
    if (kind === 'client' && !parts.config.clients.some(client => client.id === id)) return 'noSuchClient';
    const forMs = kind === 'client' ? CLIENT_REVOKED_MS : TOKEN_REVOKED_MS;
    try {
      const reply = await revocations.revoke(kind, id, clock.wallMs() + forMs);
      log.warn('revoked', { kind, what: id, result: reply.kind });
      return reply.kind === 'done' ? 'revoked' : 'unwritten';
    } catch (error) {
      if (error instanceof RevocationsFull) return 'tooMany';
      throw error;
    }
  },
  list: async () => {
    const reply = await journal.revoked();
    return reply.kind === 'done' ? reply.value : undefined;
  },
});

async function snapshot(
  { journal, parts, expiry }: Core,
  now: { readonly inFlight: number; readonly draining: boolean },
): Promise<Snapshot> {
  const owed = await journal.owed();
  return {
    ...now,
    journalUp: journal.isUp(),
    breakers: new Map([...parts.all()].map(line => [line.id, line.issuer.state])),
    owed: owed.kind === 'done' ? owed.value : undefined,
    expiries: expiry.left(),
  };
}

const openJournal = (config: Config, clock: Clock, onNotice: NoticeSink): Promise<Journal> => {
  const { target, retentionHours } = config.journal;
  const retentionMs = retentionHours * HOUR_MS;
  return target.kind === 'sqlite'
    ? createSqliteJournal({ path: target.file, retentionMs, clock, onNotice })
    : createRedisJournal({ target, retentionMs, clock, onNotice });
};

/** What open calls and obligations still need: the keys that sealed them, and their issuers. */
async function stillNeeded(journal: Journal, config: Config, vault: Vault, clock: Clock): Promise<Problem[]> {
  const until = Deadline.in(clock, ASK_WITHIN_MS);
  const needs = await told(() => journal.needs(), until, clock);
  if (!needs) {
    return [problemAt(config, 'journal.url', 'the journal did not answer', 'see that it runs, then try again')];
  }
  const problems: Problem[] = [];
  for (const name of needs.keys) {
    if (vault.keyNames().has(name)) continue;
    const what = `lacks the key ${name}, which sealed calls that are still open`;
    problems.push(problemAt(config, 'journal.sealKeyFile', what, 'put it back as a further line until they are done'));
  }
  const issuers = new Set(config.issuers.map(issuer => issuer.id));
  for (const issuer of needs.issuers) {
    if (issuers.has(issuer)) continue;
    const what = `lacks the issuer ${issuer}, of which calls or obligations are still open`;
    const mend = 'put it back; take its routes away first, and the issuer once nothing is open';
    problems.push(problemAt(config, 'issuers', what, mend));
  }
  return problems;
}

/** What the journal tells; undefined where it does not until then. A busy one is asked again. */
async function told<T>(ask: () => Promise<Reply<T>>, until: Deadline, clock: Clock): Promise<T | undefined> {
  for (;;) {
    const reply = await ask();
    if (reply.kind === 'done') return reply.value;
    if (until.leftMs() === 0) return undefined;
    await clock.sleep(ASK_EVERY_MS);
  }
}

const problemAt = (config: Config, path: string, what: string, mend: string): Problem => ({
  file: config.file,
  line: config.lines.get(path) ?? 1,
  path,
  what,
  mend,
});

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
