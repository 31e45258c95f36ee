/**
 * The composition root: the only file that builds adapters and knows which there are. It starts a gateway from a valid
 * configuration, exchanges what a reload may exchange, all or nothing, and ends it so that nothing in flight is lost.
 */
import { createJourney, type Site } from './authorize.ts';
import { APIS } from './catalogue/apis.ts';
import type { Config, IssuerConfig, Problem } from './config/config.ts';
import { DELIVERIES_PER_ISSUER } from './config/limits.ts';
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
import type { Journal, Vault } from './journal/journal.ts';
import type { NoticeSink } from './journal/notice.ts';
import { createRedisJournal } from './journal/redis.ts';
import { createSqliteJournal } from './journal/sqlite.ts';
import { Steps } from './journal/steps.ts';
import { createVault } from './journal/vault.ts';
import { createBulkhead } from './runtime/bulkhead.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';
import { createMetrics, type Metrics } from './runtime/metrics.ts';
import type { Random } from './runtime/random.ts';

const HOUR_MS = 3_600_000;

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
  const problems = await stillNeeded(journal, config, parts.vault);
  if (problems.length > 0) {
    await journal.close();
    throw new StartProblem(problems);
  }
  const steps = new Steps(journal, clock, random);
  const vault = parts.currentVault();
  const observer = deliveryObserver(log, metrics);
  const deliveries = new Deliveries({ journal, steps, vault, issuers: parts, clock, random, observer });
  const onDefect = defectSink(log, metrics);
  const site = () => parts.site;
  const journey = createJourney({ site, issuers: parts, journal, steps, vault, deliveries, clock, onDefect });

  let draining = false;
  const publicServer = await startPublic({
    host: config.server.host,
    port: config.server.port,
    basePath: config.server.basePath,
    rows: APIS,
    journey,
    clock,
    random,
    observe: record => {
      log.request(record);
      metrics.request(record);
    },
    onDefect,
  });
  metrics.onScrape(async () => {
    const owed = await journal.owed();
    return {
      inFlight: publicServer.inFlight(),
      draining,
      journalUp: journal.isUp(),
      breakers: new Map([...parts.all()].map(line => [line.id, line.issuer.state])),
      owed: owed.kind === 'done' ? owed.value : undefined,
    };
  });
  const ready = options.alsoReady ?? (() => true);
  const admin = await startAdmin({
    ...config.admin,
    metrics,
    readiness: () => ({ config: ready(), journal: journal.isUp(), draining, standby: false }),
    clock,
    onDefect,
  });
  deliveries.start();
  log.info('listening', { host: config.server.host, port: publicServer.port });

  return {
    port: publicServer.port,
    adminPort: admin.port,
    reload: next => parts.reload(next, journal),
    drain: async () => {
      draining = true;
      log.info('draining', { count: publicServer.inFlight() });
      publicServer.beginDrain();
      await Promise.all([publicServer.close(parts.longestBudgetMs()), deliveries.stop()]);
      await parts.close();
      await journal.close();
      await admin.close();
    },
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
    const problems = [...reloadable(this.#config, next), ...(await stillNeeded(journal, next, vault))];
    if (problems.length > 0) return problems;
    const site = this.#siteOf(next);
    const retired = this.#exchangeLines(next.issuers);
    this.#config = next;
    this.#site = site;
    this.#vault = vault;
    // What is in flight on them still ends; nothing new reaches them.
    for (const line of retired) void line.issuer.close();
    return [];
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
      authenticate: inbound => {
        const client = authenticator.authenticate(inbound);
        checkScope(client, inbound.row);
        limiter.take(client);
        return client;
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

/** What open obligations still need: the keys that sealed them, and the issuers that they are owed to. */
async function stillNeeded(journal: Journal, config: Config, vault: Vault): Promise<Problem[]> {
  const [keys, owed] = [await journal.keysInUse(), await journal.owed()];
  if (keys.kind !== 'done' || owed.kind !== 'done') {
    return [problemAt(config, 'journal.url', 'the journal did not answer', 'see that it runs, then try again')];
  }
  const problems: Problem[] = [];
  for (const name of keys.value) {
    if (vault.keyNames().has(name)) continue;
    const what = `lacks the key ${name}, which sealed calls that are still open`;
    problems.push(problemAt(config, 'journal.sealKeyFile', what, 'put it back as a further line until they are done'));
  }
  const issuers = new Set(config.issuers.map(issuer => issuer.id));
  for (const [issuer, count] of owed.value.byIssuer) {
    if (issuers.has(issuer) || count === 0) continue;
    const what = `lacks the issuer ${issuer}, to which ${count} obligations are still owed`;
    problems.push(problemAt(config, 'issuers', what, 'put it back until they are delivered'));
  }
  return problems;
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
  metrics.alarm('defect');
  log.defect(error, requestId);
};
