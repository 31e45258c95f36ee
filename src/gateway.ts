/**
 * The composition root: the only file that builds adapters and knows which there are. It starts a gateway from a valid
 * configuration, exchanges what a reload may exchange, all or nothing, and ends it so that nothing in flight is lost.
 */
import { createJourney, type Site } from './authorize.ts';
import { APIS } from './catalogue/apis.ts';
import type { Config, IssuerConfig, Problem } from './config/config.ts';
import { DELIVERIES_PER_ISSUER, HOUR_MS } from './config/limits.ts';
import { reloadable } from './config/reload.ts';
import { Deliveries, type DeliveryObserver } from './delivery/deliveries.ts';
import { type IssuerId, keyText } from './domain/ids.ts';
import { Secret } from './domain/secret.ts';
import { checkScope, createAuthenticator } from './edge/authenticate.ts';
import { createRateLimiter } from './edge/rateLimit.ts';
import { startAdmin } from './http/admin.ts';
import { startPublic } from './http/public.ts';
import { createGuardedIssuer } from './issuer/breaker.ts';
import { bearerCredentials, noCredentials } from './issuer/credentials.ts';
import { createHttpIssuer } from './issuer/httpIssuer.ts';
import type { IssuerLine, IssuerLines } from './issuer/issuer.ts';
import type { Journal, Reply, Vault } from './journal/journal.ts';
import type { NoticeSink } from './journal/notice.ts';
import { createRedisJournal } from './journal/redis.ts';
import { createSqliteJournal } from './journal/sqlite.ts';
import { Steps } from './journal/steps.ts';
import { createVault, VaultError } from './journal/vault.ts';
import { createBulkhead } from './runtime/bulkhead.ts';
import type { Clock } from './runtime/clock.ts';
import { Deadline } from './runtime/deadline.ts';
import type { Log } from './runtime/log.ts';
import { createMetrics, type Metrics, type Snapshot } from './runtime/metrics.ts';
import type { Random } from './runtime/random.ts';

/** How long a start or a reload asks the journal what is still needed: a few hundred calls, on a busy machine. */
const ASK_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 100;
/** How often a line that was taken out of use is looked at; its last call ends within its caller's budget. */
const RETIRE_POLL_MS = 100;

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
      await Promise.all([publicServer.close(parts.longestBudgetMs()), deliveries.stop()]);
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

type PartsOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** What a reload exchanges: clients and routes, the vault's keys, and the issuers, each of which is kept if unchanged. */
class Parts implements IssuerLines {
  readonly #options: PartsOptions;
  readonly #lines = new Map<IssuerId, { readonly line: IssuerLine; readonly config: IssuerConfig }>();
  #config: Config;
  #site: Site;
  #vault: Vault;

  constructor(config: Config, options: PartsOptions) {
    this.#options = options;
    this.#config = config;
    this.#site = this.#siteOf(config);
    this.#vault = createVault(config.journal.sealKeys);
    for (const issuer of config.issuers) this.#lines.set(issuer.id, { line: this.#open(issuer), config: issuer });
  }

  get site(): Site {
    return this.#site;
  }

  get vault(): Vault {
    return this.#vault;
  }

  /** A vault that always seals and opens with the keys of the latest configuration. */
  currentVault(): Vault {
    return {
      sealMessage: (key, message) => this.#vault.sealMessage(key, message),
      openMessage: (key, sealed) => this.#vault.openMessage(key, sealed),
      sealAnswer: (key, answer) => this.#vault.sealAnswer(key, answer),
      openAnswer: (key, sealed) => this.#vault.openAnswer(key, sealed),
      keyOf: sealed => this.#vault.keyOf(sealed),
      keyNames: () => this.#vault.keyNames(),
    };
  }

  get(id: IssuerId): IssuerLine | undefined {
    return this.#lines.get(id)?.line;
  }

  *all(): Iterable<IssuerLine> {
    for (const { line } of this.#lines.values()) yield line;
  }

  longestBudgetMs(): number {
    return Math.max(...this.#config.clients.map(client => client.budgetMs));
  }

  async reload(next: Config, journal: Journal): Promise<readonly Problem[]> {
    const vault = createVault(next.journal.sealKeys);
    const problems = [
      ...reloadable(this.#config, next),
      ...(await stillNeeded(journal, next, vault, this.#options.clock)),
    ];
    if (problems.length > 0) return problems;
    const site = this.#siteOf(next);
    const retired = this.#exchangeLines(next.issuers);
    this.#config = next;
    this.#site = site;
    this.#vault = vault;
    for (const line of retired) void this.#retire(line);
    return [];
  }

  /** Nothing new reaches the line any more; a call that has chosen it may still be at its claim, and ends there. */
  async #retire({ issuer, inFlight, deliveries }: IssuerLine): Promise<void> {
    while (inFlight.inUse + deliveries.inUse > 0) await this.#options.clock.sleep(RETIRE_POLL_MS);
    await issuer.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.all()].map(line => line.issuer.close()));
  }

  #exchangeLines(issuers: readonly IssuerConfig[]): IssuerLine[] {
    const old = new Map(this.#lines);
    this.#lines.clear();
    for (const config of issuers) {
      const present = old.get(config.id);
      const same = present && textOf(present.config) === textOf(config);
      this.#lines.set(config.id, same ? present : { line: this.#open(config), config });
      if (same) old.delete(config.id);
    }
    return [...old.values()].map(({ line }) => line);
  }

  #siteOf(config: Config): Site {
    const authenticator = createAuthenticator(config.clients, config.server.trustedProxies);
    const limiter = createRateLimiter(config.clients, this.#options.clock);
    return {
      authenticate: inbound => authenticator.authenticate(inbound),
      permit: (client, row) => {
        checkScope(client, row);
        limiter.take(client);
      },
      routes: config.routes,
      retentionHours: config.journal.retentionHours,
    };
  }

  #open(config: IssuerConfig): IssuerLine {
    const { clock, log, metrics } = this.#options;
    const { id, credentials } = config;
    const connector = createHttpIssuer({
      baseUrl: config.baseUrl,
      clock,
      connections: config.maxInFlight + DELIVERIES_PER_ISSUER + 1,
      credentials: credentials.kind === 'bearer' ? bearerCredentials(credentials.token) : noCredentials,
      onAlarm: alarm => {
        if (alarm.kind === 'refusedAtTheDoor' || alarm.kind === 'wrongEcho') metrics.alarm(alarm.kind);
        const { kind, ...rest } = alarm;
        const code = 'status' in rest ? rest.status : 'code' in rest ? rest.code : undefined;
        log.warn('alarm', { issuer: id, kind, code, api: 'api' in rest ? rest.api : undefined });
      },
    });
    const onStateChange = (state: string) => log.warn('breaker', { issuer: id, state });
    return {
      id,
      issuer: createGuardedIssuer({ id, connector, settings: config.breaker, clock, onStateChange }),
      inFlight: createBulkhead(config.maxInFlight),
      deliveries: createBulkhead(DELIVERIES_PER_ISSUER),
      timeoutMs: api => config.timeoutMsByApi.get(api) ?? config.timeoutMs,
      maxProcessingMs: config.maxProcessingMs,
      remembersMs: config.remembersHours * HOUR_MS,
    };
  }
}

/** A configuration as a text to compare by; it holds credentials and is never kept or shown. */
function textOf(value: unknown): string {
  if (value instanceof Secret) return textOf(value.reveal());
  if (value instanceof Map || value instanceof Set) return textOf([...value]);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}:${textOf(each)}`)
    .join()}}`;
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
