/**
 * The parts of a running gateway that a reload exchanges, all or nothing: clients and routes, the keys of the vault, and
 * the issuers. Whoever came in before is served to the end with what was there then.
 */
import type { Site } from './authorize.ts';
import type { Config, IssuerConfig, Problem } from './config/config.ts';
import { DELIVERIES_PER_ISSUER, HOUR_MS, LEASE_MARGIN_MS } from './config/limits.ts';
import { reloadable } from './config/reload.ts';
import type { IssuerId } from './domain/ids.ts';
import { Secret } from './domain/secret.ts';
import { checkScope, createAuthenticator } from './edge/authenticate.ts';
import { createRateLimiter } from './edge/rateLimit.ts';
import { createGuardedIssuer } from './issuer/breaker.ts';
import { bearerCredentials, noCredentials } from './issuer/credentials.ts';
import { createHttpIssuer } from './issuer/httpIssuer.ts';
import type { IssuerLine, IssuerLines } from './issuer/issuer.ts';
import type { Journal, Reply, Vault } from './journal/journal.ts';
import { createVault } from './journal/vault.ts';
import { createBulkhead } from './runtime/bulkhead.ts';
import type { Clock } from './runtime/clock.ts';
import { Deadline } from './runtime/deadline.ts';
import type { Log } from './runtime/log.ts';
import type { Metrics } from './runtime/metrics.ts';
import type { Random } from './runtime/random.ts';

/** How long a start or a reload asks the journal what is still needed: a few hundred calls, on a busy machine. */
const ASK_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 100;
/** How often a line that was taken out of use is looked at; its last call ends within its caller's budget. */
const RETIRE_POLL_MS = 100;

type PartsOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** What a reload exchanges: clients and routes, the vault's keys, and the issuers, each of which is kept if unchanged. */
export class Parts implements IssuerLines {
  readonly #options: PartsOptions;
  readonly #lines = new Map<IssuerId, { readonly line: IssuerLine; readonly config: IssuerConfig }>();
  /** Issuers that the configuration has no more, until nothing is open with them. */
  readonly #leaving = new Map<IssuerId, IssuerLine>();
  readonly #closing = new AbortController();
  #config: Config;
  #site: Site;
  #vault: Vault;
  /** The keys that open now: those of the configuration, and older ones for a while. */
  #openKeys: readonly Secret<Uint8Array>[];
  #longestBudgetMs: number;

  constructor(config: Config, options: PartsOptions) {
    this.#options = options;
    this.#config = config;
    this.#site = this.#siteOf(config);
    this.#openKeys = config.journal.sealKeys;
    this.#longestBudgetMs = longest(config, 0);
    this.#vault = createVault(this.#openKeys);
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
    return this.#lines.get(id)?.line ?? this.#leaving.get(id);
  }

  *all(): Iterable<IssuerLine> {
    for (const { line } of this.#lines.values()) yield line;
    yield* this.#leaving.values();
  }

  /** The longest budget of any client since the start: a call outlives the configuration that it came in under. */
  get longestBudgetMs(): number {
    return this.#longestBudgetMs;
  }

  async reload(next: Config, journal: Journal): Promise<readonly Problem[]> {
    const vault = createVault(next.journal.sealKeys);
    const problems = [
      ...reloadable(this.#config, next),
      ...(await stillNeeded(journal, next, vault, this.#options.clock)),
    ];
    if (problems.length > 0) return problems;
    const site = this.#siteOf(next);
    // A call that was let in before may still be claimed under the old keys and issuers.
    const openKeys = eachOnce([...next.journal.sealKeys, ...this.#openKeys]);
    const openingAll = createVault(openKeys);
    const replaced = this.#exchangeLines(next.issuers);
    this.#config = next;
    this.#site = site;
    this.#longestBudgetMs = longest(next, this.#longestBudgetMs);
    this.#openKeys = openKeys;
    this.#vault = openingAll;
    for (const line of replaced) void this.#retire(line);
    void this.#forgetOld(next, journal);
    return [];
  }

  /** Old keys and issuers go once every call from before has ended and the journal needs them no more. */
  async #forgetOld(config: Config, journal: Journal): Promise<void> {
    const { clock } = this.#options;
    const vault = createVault(config.journal.sealKeys);
    do {
      await clock.sleep(this.#longestBudgetMs + LEASE_MARGIN_MS, this.#closing.signal);
      // A newer configuration has taken this over.
      if (this.#config !== config || this.#closing.signal.aborted) return;
    } while ((await stillNeeded(journal, config, vault, clock)).length > 0);
    if (this.#config !== config) return;
    this.#openKeys = config.journal.sealKeys;
    this.#vault = vault;
    for (const line of this.#leaving.values()) void this.#retire(line);
    this.#leaving.clear();
  }

  /** Nothing new reaches the line any more; a call that has chosen it may still be at its claim, and ends there. */
  async #retire({ issuer, inFlight, deliveries }: IssuerLine): Promise<void> {
    while (inFlight.inUse + deliveries.inUse > 0) await this.#options.clock.sleep(RETIRE_POLL_MS);
    await issuer.close();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.all()].map(line => line.issuer.close()));
  }

  /** Gives the lines that others have taken the place of; those of issuers that are gone go on delivering. */
  #exchangeLines(issuers: readonly IssuerConfig[]): IssuerLine[] {
    const old = new Map(this.#lines);
    const replaced: IssuerLine[] = [];
    this.#lines.clear();
    for (const config of issuers) {
      const present = old.get(config.id);
      const same = present && textOf(present.config) === textOf(config);
      this.#lines.set(config.id, same ? present : { line: this.#open(config), config });
      if (present && !same) replaced.push(present.line);
      const left = this.#leaving.get(config.id);
      if (left) replaced.push(left);
      old.delete(config.id);
      this.#leaving.delete(config.id);
    }
    for (const [id, { line }] of old) this.#leaving.set(id, line);
    return replaced;
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

const eachOnce = (keys: readonly Secret<Uint8Array>[]): Secret<Uint8Array>[] =>
  keys.filter((key, at) => keys.findIndex(other => Buffer.compare(other.reveal(), key.reveal()) === 0) === at);

const longest = (config: Config, atLeast: number): number =>
  Math.max(atLeast, ...config.clients.map(client => client.budgetMs));

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

/** What open calls and obligations still need: the keys that sealed them, and their issuers. */
export async function stillNeeded(journal: Journal, config: Config, vault: Vault, clock: Clock): Promise<Problem[]> {
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
