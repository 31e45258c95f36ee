/**
 * The parts of a gateway that a reload exchanges, all or nothing: clients and routes, our keys and the clients', and the
 * issuers, each of which is kept if it is unchanged. With `gateway.ts` the only file that builds adapters.
 */
import type { Site } from './authorize.ts';
import type { ClientConfig, Config, IssuerConfig, OauthConfig, Problem } from './config/config.ts';
import { HOUR_MS, LEASE_MARGIN_MS } from './config/limits.ts';
import { reloadable } from './config/reload.ts';
import type { ClientId, IssuerId } from './domain/ids.ts';
import { Refusal } from './domain/refusal.ts';
import { Secret } from './domain/secret.ts';
import { AllowList } from './edge/allowList.ts';
import { checkScope, createAuthenticator } from './edge/authenticate.ts';
import { createPayloadCipher, type PayloadCipher } from './edge/jwe.ts';
import { isInUse } from './edge/keys.ts';
import { createNodeEngine } from './edge/nodeEngine.ts';
import { createRateLimiter } from './edge/rateLimit.ts';
import type { TokenClient } from './edge/tokenEndpoint.ts';
import { createTokenVerifier, type Revocations, type TokenVerifier } from './edge/tokenVerifier.ts';
import type { Seal } from './http/journey.ts';
import { createGuardedIssuer } from './issuer/breaker.ts';
import { bearerCredentials, type Credentials, noCredentials } from './issuer/credentials.ts';
import { createHttpIssuer } from './issuer/httpIssuer.ts';
import type { IssuerLine, IssuerLines } from './issuer/issuer.ts';
import { oauthCredentials } from './issuer/oauthCredentials.ts';
import { encryptedPayload, type IssuerPayload, plainPayload } from './issuer/payload.ts';
import type { Vault } from './journal/journal.ts';
import { createVault } from './journal/vault.ts';
import { createBulkhead } from './runtime/bulkhead.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';
import type { Metrics } from './runtime/metrics.ts';
import { type Random, systemSecretBytes } from './runtime/random.ts';

/** How often a line that was taken out of use is looked at; its last call ends within its caller's budget. */
const RETIRE_POLL_MS = 100;

export type PartsOptions = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly revocations: Revocations;
};

/** Works with the keys of payloads, towards clients and issuers. */
const ENGINE = createNodeEngine(systemSecretBytes);

/** Says what keeps a configuration from being put to use, given the vault with its keys. */
export type Hindrances = (config: Config, vault: Vault) => Promise<readonly Problem[]>;

export class Parts implements IssuerLines {
  readonly #options: PartsOptions;
  readonly #lines = new Map<IssuerId, { readonly line: IssuerLine; readonly config: IssuerConfig }>();
  readonly #cipher: PayloadCipher = createPayloadCipher(ENGINE);
  readonly #verifier: TokenVerifier | undefined;
  /** Issuers that the configuration has no more, until nothing is open with them. */
  readonly #leaving = new Map<IssuerId, IssuerLine>();
  readonly #closing = new AbortController();
  #config: Config;
  #tokenClients: ReadonlyMap<string, TokenClient>;
  #site: Site;
  #vault: Vault;
  /** The keys that open now: those of the configuration, and older ones for a while. */
  #openKeys: readonly Secret<Uint8Array>[];
  #longestBudgetMs: number;

  constructor(config: Config, options: PartsOptions) {
    this.#options = options;
    this.#config = config;
    this.#tokenClients = tokenClientsOf(config.clients);
    this.#verifier = config.oauth && this.#verifierOf(config.oauth);
    this.#site = this.#siteOf(config);
    this.#openKeys = config.journal.sealKeys;
    this.#longestBudgetMs = longest(config, 0);
    this.#vault = createVault(this.#openKeys);
    for (const issuer of config.issuers) this.#lines.set(issuer.id, { line: this.#open(issuer), config: issuer });
  }

  get config(): Config {
    return this.#config;
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

  /** The client of OAuth with this id, as it is configured now. */
  tokenClient(id: string): TokenClient | undefined {
    return this.#tokenClients.get(id);
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

  /** What keeps the configuration from being taken over, or what takes it over, at once and for certain. */
  async prepare(next: Config, hindrances: Hindrances): Promise<readonly Problem[] | (() => void)> {
    const vault = createVault(next.journal.sealKeys);
    const problems = [...reloadable(this.#config, next), ...(await hindrances(next, vault))];
    return problems.length > 0 ? problems : () => this.#takeOver(next, hindrances);
  }

  #takeOver(next: Config, hindrances: Hindrances): void {
    const site = this.#siteOf(next);
    // A call that was let in before may still be claimed under the old keys and issuers.
    const openKeys = eachOnce([...next.journal.sealKeys, ...this.#openKeys]);
    const openingAll = createVault(openKeys);
    const replaced = this.#exchangeLines(next.issuers);
    this.#config = next;
    this.#tokenClients = tokenClientsOf(next.clients);
    this.#site = site;
    this.#longestBudgetMs = longest(next, this.#longestBudgetMs);
    this.#openKeys = openKeys;
    this.#vault = openingAll;
    for (const line of replaced) void this.#retire(line);
    void this.#forgetOld(next, hindrances);
  }

  /** Old keys and issuers go once every call from before has ended and the journal needs them no more. */
  async #forgetOld(config: Config, hindrances: Hindrances): Promise<void> {
    const { clock } = this.#options;
    const vault = createVault(config.journal.sealKeys);
    do {
      await clock.sleep(this.#longestBudgetMs + LEASE_MARGIN_MS, this.#closing.signal);
      // A newer configuration has taken this over.
      if (this.#config !== config || this.#closing.signal.aborted) return;
    } while ((await hindrances(config, vault)).length > 0);
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

  /**
   * One for all configurations: tokens that it has seen stay known, and keys and clients are asked for each time. A client
   * whose keys have all ended has no tokens any more, as if it were unknown.
   */
  #verifierOf({ issuer }: OauthConfig): TokenVerifier {
    const { clock, revocations } = this.#options;
    return createTokenVerifier({
      issuer,
      clock,
      revocations,
      signingKeys: () => this.#config.oauth?.signingKeys ?? [],
      clientId: id => {
        const client = this.#tokenClients.get(id);
        return client && isInUse(client.keys, clock.wallMs()) ? client.id : undefined;
      },
    });
  }

  #siteOf(config: Config): Site {
    const authenticator = createAuthenticator(config.clients, config.server.trustedProxies, this.#verifier);
    const limiter = createRateLimiter(config.clients, this.#options.clock);
    const seals = new Map(config.clients.flatMap(client => this.#sealOf(client)));
    const openWith = config.oauth?.decryptionKeys ?? [];
    return {
      authenticate: async inbound => {
        const caller = await authenticator.authenticate(inbound);
        // Tokens of ours were looked at already; a revoked client with opaque tokens is out as well.
        if (this.#options.revocations.isRevoked('client', caller.client.id)) throw new Refusal('token');
        return caller;
      },
      permit: (caller, row) => {
        checkScope(caller, row);
        limiter.take(caller.client);
      },
      open: async ({ id, payload }, body, onKey) =>
        payload === 'plain' ? body : this.#cipher.open(body, openWith, id, onKey),
      sealFor: client => seals.get(client.id),
      routes: config.routes,
      retentionHours: config.journal.retentionHours,
    };
  }

  /** Seals for the key that the client registered, whatever the request may say. */
  #sealOf({ id, payload, access }: ClientConfig): [ClientId, Seal][] {
    const to = access.kind === 'oauth' ? access.keys.encryption : undefined;
    if (payload === 'plain' || !to) return [];
    return [[id, body => this.#cipher.seal(Buffer.from(body), to)]];
  }

  #open(config: IssuerConfig): IssuerLine {
    const { clock, log, metrics } = this.#options;
    const { id, maxInFlight, maxDeliveries } = config;
    const sendsMost = maxInFlight + maxDeliveries;
    const connector = createHttpIssuer({
      baseUrl: config.baseUrl,
      clock,
      connections: sendsMost + 1,
      credentials: this.#credentialsOf(config),
      payload: payloadOf(config, sendsMost),
      tls: config.tls ?? {},
      // Until then the issuer may still act on the message, and so answer it.
      lateReadingMs: config.maxProcessingMs,
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
      inFlight: createBulkhead(maxInFlight),
      deliveries: createBulkhead(maxDeliveries),
      timeoutMs: api => config.timeoutMsByApi.get(api) ?? config.timeoutMs,
      maxProcessingMs: config.maxProcessingMs,
      remembersMs: config.remembersHours * HOUR_MS - config.maxProcessingMs,
    };
  }

  #credentialsOf(config: IssuerConfig): Credentials {
    const { clock, random, log } = this.#options;
    const { credentials, id } = config;
    if (credentials.kind === 'none') return noCredentials;
    if (credentials.kind === 'bearer') return bearerCredentials(credentials.token);
    const { kind: _, ...oauth } = credentials;
    const onFailure = (code: string) => log.warn('alarm', { issuer: id, kind: 'noToken', code });
    return oauthCredentials({ ...oauth, tls: config.tls ?? {}, clock, random, onFailure });
  }
}

const tokenClientsOf = (clients: readonly ClientConfig[]): ReadonlyMap<string, TokenClient> =>
  new Map(
    clients.flatMap(({ id, product, scopes, access, allowFrom }) =>
      access.kind === 'oauth'
        ? [[id, { id, product, scopes, keys: access.keys, allowFrom: allowFrom && new AllowList(allowFrom) }]]
        : [],
    ),
  );

const payloadOf = ({ payload }: IssuerConfig, inFlightMost: number): IssuerPayload =>
  payload.kind === 'plain' ? plainPayload : encryptedPayload({ ...payload, inFlightMost, engine: ENGINE });

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
  // A key object says nothing of itself; the thumbprint beside it does.
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}:${textOf(each)}`)
    .join()}}`;
}
