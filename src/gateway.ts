/**
 * The composition root: it starts a gateway from a valid configuration, wires adapters to their ports, reloads, and ends
 * everything so that nothing in flight is lost. What a reload exchanges is in `parts.ts`.
 */
import { createJourney } from './authorize.ts';
import { APIS } from './catalogue/apis.ts';
import type { Config, Problem } from './config/config.ts';
import {
  CONNECTIONS_PER_PROCESS,
  DELIVERIES_PER_ISSUER,
  HOUR_MS,
  MINUTE_MS,
  OWN_DESCRIPTORS,
} from './config/limits.ts';
import { Deliveries, type DeliveryObserver } from './delivery/deliveries.ts';
import { keyText } from './domain/ids.ts';
import { AllowList, callerAddress, callerNetwork } from './edge/allowList.ts';
import { jwksDocument, serverMetadata } from './edge/metadata.ts';
import { createTokenEndpoint } from './edge/tokenEndpoint.ts';
import { ExpiryWatch } from './expiryWatch.ts';
import { type AdminOptions, type AdminServer, startAdmin } from './http/admin.ts';
import { type Docs, openDocs } from './http/docs.ts';
import type { OauthServer } from './http/oauth.ts';
import { type PublicServer, startPublic } from './http/public.ts';
import { isUsableTls } from './http/server.ts';
import type { Journal, Reply, Vault } from './journal/journal.ts';
import type { NoticeSink } from './journal/notice.ts';
import { onceOf, RevocationList } from './journal/revocations.ts';
import { StandbyWatch } from './journal/standby.ts';
import { Steps } from './journal/steps.ts';
import { VaultError } from './journal/vault.ts';
import { Parts } from './parts.ts';
import { adminRevocations } from './revoking.ts';
import type { Clock } from './runtime/clock.ts';
import { Deadline } from './runtime/deadline.ts';
import { connectionsMost } from './runtime/descriptors.ts';
import type { Log } from './runtime/log.ts';
import { createMetrics, type Metrics, type Snapshot } from './runtime/metrics.ts';
import type { Random } from './runtime/random.ts';
import { StartProblem } from './startProblem.ts';

/** How long a start or a reload asks the journal what is still needed: a few hundred calls, on a busy machine. */
const ASK_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 100;

export type GatewayOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A further condition of readiness; the sandbox holds it back until its credentials are written. */
  readonly alsoReady?: () => boolean;
  /** Puts something between the gateway and its journal. */
  readonly wrapJournal?: (journal: Journal) => Journal;
  /** Takes the place of the admin port: that of a worker is its supervisor's. */
  readonly openAdmin?: (options: AdminOptions & { readonly metrics: Metrics }) => Promise<AdminServer>;
  /** False where another process of this gateway tells what ends soon. */
  readonly tellsExpiry?: boolean;
};

export type Gateway = {
  /** The ports in use, which differ from the configured ones where those are 0. */
  readonly port: number;
  readonly adminPort: number;
  /** Takes over clients, keys, certificates, issuers and routes; where there are problems, nothing of them. */
  reload(next: Config): Promise<readonly Problem[]>;
  /** Proves that `reload` can take it over; what it gives then does that, at once. */
  prepare(next: Config): Promise<readonly Problem[] | (() => void)>;
  /** Readiness off, everything in flight answered within its budget, every connection ended. */
  drain(): Promise<void>;
};

/** What the whole process shares. */
type Core = Pick<GatewayOptions, 'clock' | 'random' | 'log'> & {
  readonly metrics: Metrics;
  readonly journal: Journal;
  readonly revocations: RevocationList;
  readonly standby: StandbyWatch;
  readonly parts: Parts;
  readonly expiry: ExpiryWatch;
  readonly onDefect: (error: unknown, requestId?: string) => void;
};

/** Starts a gateway. Rejects with `StartProblem`, or with what a port or the journal said. */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const docs = await docsOf(config);
  const core = await openCore(config, options);
  const { journal, parts, clock, random, log, metrics, expiry, revocations, standby, onDefect } = core;
  const { target, amnesiaMinutes } = config.journal;
  // What a file has acknowledged it keeps; only Redis can lose it.
  const rememberMs = target.kind === 'sqlite' ? 0 : amnesiaMinutes * MINUTE_MS;
  const shared = {
    journal,
    steps: new Steps(journal, clock, random, rememberMs),
    vault: parts.currentVault(),
    issuers: parts,
    clock,
  };
  const deliveries = new Deliveries({ ...shared, random, observer: deliveryObserver(log, metrics) });
  const { host, port, basePath, tls } = config.server;
  const publicServer = await startPublic({
    ...{ host, port, basePath, tls, clock, random, onDefect },
    rows: APIS,
    onDropped: metrics.connectionDropped,
    limits: { connections: connectionsFor(config, log) },
    shortestBudgetMs: () => Math.min(...parts.config.clients.map(({ budgetMs }) => budgetMs)),
    // What is retired is there only for clients that name it; a reload counts at once.
    isOffered: ({ retired, name }) => !retired || parts.config.clients.some(({ scopes }) => scopes.has(name)),
    journey: createJourney({
      ...shared,
      site: () => parts.site,
      deliveries,
      standby: () => siteBeside(core),
      onDefect,
    }),
    oauth: oauthServer(core),
    docs,
    observe: record => {
      log.request(record);
      metrics.request(record);
    },
  });
  const state = { draining: false };
  const admin = await openAdmin(core, publicServer, state, options);
  deliveries.start();
  log.info('listening', { host, port: publicServer.port });
  expiry.tell();
  return {
    port: publicServer.port,
    adminPort: admin.port,
    reload: async next => takeOver(await prepare(core, publicServer, next)),
    prepare: next => prepare(core, publicServer, next),
    drain: async () => {
      state.draining = true;
      log.info('draining', { count: publicServer.inFlight() });
      publicServer.beginDrain();
      await Promise.all([publicServer.close(parts.longestBudgetMs), deliveries.stop()]);
      expiry.stop();
      await Promise.all([revocations.stop(), standby.stop()]);
      await parts.close();
      await journal.close();
      await admin.close();
    },
  };
}

/** The operator's side: what there is to see, and what may be said. */
async function openAdmin(
  core: Core,
  publicServer: PublicServer,
  state: { readonly draining: boolean },
  { alsoReady = () => true, openAdmin: open = startAdmin }: GatewayOptions,
): Promise<AdminServer> {
  const { journal, parts, clock, log, metrics, revocations, standby, onDefect } = core;
  const { admin, server } = parts.config;
  metrics.onScrape(withOwed => {
    const { draining } = state;
    const now = { inFlight: publicServer.inFlight(), waiting: publicServer.waiting(), draining };
    return snapshot(core, now, withOwed);
  });
  return open({
    ...{ ...admin, metrics, clock, onDefect },
    readiness: () => ({
      ...{ config: alsoReady(), journal: journal.isUp(), draining: state.draining },
      standby: standby.location !== null,
      amnesia: journal.amnesia().shards > 0,
    }),
    revocations: adminRevocations({ revocations, clients: () => parts.config.clients, clock, log }),
    standby: {
      set: async location => (await standby.set(location)).kind === 'done',
      said: () => standby.said,
      basePath: server.basePath,
    },
  });
}

/** The journal and all that stands on it alone. Nothing accepts calls yet. */
async function openCore(
  config: Config,
  { clock, random, log, wrapJournal, tellsExpiry }: GatewayOptions,
): Promise<Core> {
  const metrics = createMetrics(clock);
  const onNotice = noticeSink(log, metrics);
  const opened = await openJournal(config, clock, random, onNotice);
  const journal = wrapJournal?.(opened) ?? opened;
  const revocations = new RevocationList({ journal, clock, random, onNotice });
  const onChange = (location: string | null) => log.warn('standby', { state: location ?? 'working' });
  const standby = new StandbyWatch({ journal, clock, onNotice, onChange });
  const parts = new Parts(config, { clock, random, log, metrics, revocations });
  const problems = await stillNeeded(journal, config, parts.vault, clock);
  if (problems.length === 0 && !((await revocations.start(ASK_WITHIN_MS)) && (await standby.start(ASK_WITHIN_MS)))) {
    const what = 'the journal does not tell what is revoked, or whether the site stands by';
    problems.push(
      problemAt(config, 'journal.url', what, 'see that it runs, and what the log says about it; then try again'),
    );
  }
  if (problems.length > 0) {
    await Promise.all([revocations.stop(), standby.stop(), parts.close()]);
    await journal.close();
    throw new StartProblem(problems);
  }
  const expiry = new ExpiryWatch({ clock, log, metrics, config: () => parts.config, tells: tellsExpiry });
  const onDefect = defectSink(log, metrics);
  return { clock, random, log, metrics, journal, revocations, standby, parts, expiry, onDefect };
}

/** Connections of callers at most, which may be fewer than usual where the system lets us open few files. */
function connectionsFor({ issuers }: Config, log: Log): number {
  const needed = issuers.reduce((sum, { maxInFlight }) => sum + maxInFlight + DELIVERIES_PER_ISSUER, OWN_DESCRIPTORS);
  const most = connectionsMost(CONNECTIONS_PER_PROCESS, needed);
  if (most < CONNECTIONS_PER_PROCESS) {
    const mend = `let the process open ${CONNECTIONS_PER_PROCESS + needed} files (ulimit -n)`;
    log.warn('configWarning', { what: `takes ${most} connections at most, for want of descriptors`, mend });
  }
  return most;
}

/** Below which address the APIs are at the site that callers are sent to; undefined while this one works. */
const siteBeside = ({ standby, parts }: Core): string | undefined =>
  standby.location === null ? undefined : `${standby.location}${parts.config.server.basePath}`;

/** Takes over what was proved. */
const takeOver = (prepared: readonly Problem[] | (() => void)): readonly Problem[] => {
  if (typeof prepared !== 'function') return prepared;
  prepared();
  return [];
};

async function prepare(
  core: Core,
  publicServer: PublicServer,
  next: Config,
): Promise<readonly Problem[] | (() => void)> {
  const { journal, parts, clock, expiry } = core;
  const { tls } = next.server;
  if (tls && !isUsableTls(tls)) {
    const what = 'certificate and key cannot be put to use';
    return [problemAt(next, 'server.tls', what, 'have OpenSSL check them, algorithms and key sizes too')];
  }
  const prepared = await parts.prepare(next, (config, vault) => stillNeeded(journal, config, vault, clock));
  if (typeof prepared !== 'function') return prepared;
  return () => {
    prepared();
    if (tls) publicServer.exchangeTls(tls);
    expiry.tell();
  };
}

/** The description of the API, for programs and for people, as far as it is switched on. */
async function docsOf({ server, oauth }: Config): Promise<Docs | undefined> {
  const { openapi, docs, basePath } = server;
  if (!openapi) return undefined;
  const document = async () => {
    const { openapiText } = await import('./openapi/document.ts');
    return openapiText({ basePath, oauth: oauth !== undefined });
  };
  return openDocs({ openapi: document, page: docs });
}

/** The authorization server, where the configuration has one; whether it has does not change while we run. */
function oauthServer({ parts, journal, revocations, clock, random, log, metrics }: Core): OauthServer | undefined {
  const { oauth } = parts.config;
  if (!oauth) return undefined;
  const { issuer, accessTokenMinutes } = oauth;
  const present = () => parts.config.oauth ?? oauth;
  const proxies = new AllowList(parts.config.server.trustedProxies);
  const token = createTokenEndpoint({
    ...{ issuer, accessTokenMinutes, revocations, clock, random },
    signingKeys: () => present().signingKeys,
    clientOf: id => parts.tokenClient(id),
    once: onceOf(journal),
  });
  return {
    callerOf: (peer, forwardedFor) => ({
      caller: callerNetwork(peer, forwardedFor, proxies),
      address: callerAddress(peer, forwardedFor, proxies),
    }),
    token,
    metadata: () => serverMetadata(issuer),
    jwks: () => jwksDocument(present().signingKeys, present().decryptionKeys),
    observe: record => {
      log.oauth(record);
      metrics.oauth(record);
    },
  };
}

async function snapshot(
  { journal, parts, expiry, standby }: Core,
  now: Pick<Snapshot, 'inFlight' | 'waiting' | 'draining'>,
  withOwed: boolean,
): Promise<Snapshot> {
  const owed = withOwed ? await journal.owed() : undefined;
  return {
    ...now,
    standby: standby.location !== null,
    journalUp: journal.isUp(),
    amnesia: journal.amnesia(),
    breakers: new Map([...parts.all()].map(line => [line.id, line.issuer.state])),
    owed: owed?.kind === 'done' ? owed.value : undefined,
    expiries: expiry.left(),
  };
}

/** Of the two kinds only the one that is used is loaded. */
async function openJournal(config: Config, clock: Clock, random: Random, onNotice: NoticeSink): Promise<Journal> {
  const { target, retentionHours, amnesiaMinutes, replicas } = config.journal;
  const retentionMs = retentionHours * HOUR_MS;
  if (target.kind === 'sqlite') {
    const { createSqliteJournal } = await import('./journal/sqlite.ts');
    return createSqliteJournal({ path: target.file, retentionMs, clock, onNotice });
  }
  const { createRedisJournal } = await import('./journal/redis.ts');
  const amnesiaMs = amnesiaMinutes * MINUTE_MS;
  return createRedisJournal({ target, retentionMs, amnesiaMs, replicas, clock, random, onNotice });
}

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
    if (level === 'alarm') metrics.alarm(about.startsWith('lost') ? 'amnesia' : 'journal');
  };

const deliveryObserver = (log: Log, metrics: Metrics): DeliveryObserver => ({
  attempted: (issuer, kind, result) => {
    metrics.delivery(kind, result);
    log.info('delivery', { issuer, kind, result });
  },
  takenOver: () => log.warn('takeover'),
  late: ({ issuer, api, key }, code, result) => {
    metrics.lateAnswer(issuer, result);
    log.info('lateAnswer', { issuer, api: api ?? undefined, what: keyText(key), code, result });
  },
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
