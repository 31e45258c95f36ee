/**
 * One run of one seed. Act one: callers call, everything goes wrong as the options say, and the oracle watches each
 * step. Act two: nothing goes wrong any more, and everything must end within bounded time.
 */
import type { Entry } from '../../src/domain/entry.ts';
import { keyText } from '../../src/domain/ids.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { SqliteJournal } from '../../src/journal/sqlite.ts';
import { IN_MEMORY, openJournalFile } from '../../src/journal/sqliteFile.ts';
import { replaced } from '../support/replacedJournal.ts';
import { Callers } from './callers.ts';
import { GatewayModel, issuerOf, PARTICIPANTS, RETENTION_HOURS, type Shared } from './gatewayModel.ts';
import { onSimulatedTime } from './globals.ts';
import { IssuerModel } from './issuerModel.ts';
import { JournalLink } from './journalLink.ts';
import { Ledger } from './ledger.ts';
import { type Line, STORE_LATE_MOST_MS, StoreLine, type StoreState } from './line.ts';
import { cardOf } from './messages.ts';
import { Nemesis } from './nemesis.ts';
import type { Options } from './options.ts';
import { Oracle } from './oracle.ts';
import { SimProcess } from './process.ts';
import { RedisModel } from './redisModel.ts';
import { ModelledRedisJournal } from './redisModelJournal.ts';
import type { Sabotage } from './sabotage.ts';
import { isAtRest, Verdict } from './verdict.ts';
import { EPOCH_MS, type Violation, World } from './world.ts';

export type Outcome = {
  readonly seed: number;
  readonly options: Options;
  readonly violations: readonly Violation[];
  readonly met: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly events: number;
  /** Simulated milliseconds. */
  readonly lasted: number;
};

const RETENTION_MS = RETENTION_HOURS * 3_600_000;
/** Act two ends by then: the longest waits between two tries are a minute, and "not found" needs two of them. */
const CONVERGES_MS = 15 * 60_000;
const LOOK_EVERY_MS = 200;
/** An open breaker, a probe that failed before, and the retries in between. */
const PROBE_MS = 60_000;
const PROBE_CARD = 'card-of-the-probe';

/** Runs the seed. Never rejects: what goes wrong with the run itself is a violation too. */
export async function run(seed: number, options: Options, sabotage: Sabotage = {}): Promise<Outcome> {
  const world = new World(seed, options);
  await onSimulatedTime(world.time, async () => {
    try {
      await new Run(world, sabotage).play();
    } catch (error) {
      world.violate('run', error instanceof Error ? (error.stack ?? error.message) : 'failed');
    }
  });
  const { violations, met, time } = world;
  return {
    ...{ seed, options, violations, met, events: time.events, lasted: time.now },
    // Written out only for whoever reads it.
    get trace() {
      return world.trace;
    },
    get traceHash() {
      return world.traceHash;
    },
  };
}

export class Run {
  readonly world: World;
  readonly oracle: Oracle;
  readonly issuers: readonly IssuerModel[];
  readonly redis: RedisModel | undefined;
  readonly store: StoreState = { mode: 'up', slowMs: 0, generation: 0 };
  readonly gateways: GatewayModel[] = [];
  readonly #embedded: Journal | undefined;
  readonly #sabotage: Sabotage;
  readonly #shared: Shared;
  readonly #callers: Callers;
  readonly #parked = new Set<string>();
  readonly #starts: number[] = [];

  constructor(world: World, sabotage: Sabotage) {
    const { options, time } = world;
    this.world = world;
    this.#sabotage = sabotage;
    this.oracle = new Oracle(world, this.store);
    this.issuers = Array.from({ length: options.issuers }, (_, i) => this.#issuer(`issuer-${i}`));
    this.oracle.watch(this.issuers);
    const isRedis = options.journal === 'redis';
    this.redis = isRedis ? new RedisModel(() => EPOCH_MS + time.now, RETENTION_MS) : undefined;
    this.#embedded = isRedis ? undefined : embedded(world);
    this.#shared = {
      world,
      journalOf: process => this.#journalOf(process),
      issuers: this.issuers,
      onSend: (process, request, sending) => this.oracle.sends(process, request, sending),
      onParked: name => this.#parked.add(name),
      sabotage,
    };
    this.#callers = new Callers(world, {
      gateways: () => this.gateways,
      arrived: (gateway, sent) => this.oracle.called(gateway, sent),
      told: (...told) => this.oracle.told(...told),
      meant: sent => this.oracle.meant(sent),
    });
  }

  async play(): Promise<void> {
    const { world } = this;
    const { options, time } = world;
    for (let i = 0; i < options.gateways; i += 1) this.start(i);
    const nemesis = new Nemesis(this);
    nemesis.begin();
    this.#callers.begin();
    await this.#until(() => time.now >= options.actOneMs && !nemesis.isAway);
    world.note('world', 'heals');
    nemesis.heal();
    world.healed = true;
    // Calls of before may still reach the store, and answers of before may still come.
    const quietMs = options.maxProcessingMs + options.timeoutMs + 1000;
    let look = time.now + (options.rates.journalLate ? STORE_LATE_MOST_MS : 0);
    let quietSince = time.now;
    const isDone = () => {
      if (time.now < look) return false;
      look = time.now + LOOK_EVERY_MS;
      if (!this.#isQuiet()) quietSince = time.now;
      return time.now - quietSince >= quietMs;
    };
    const converged = await this.#until(isDone, time.now + CONVERGES_MS);
    const isLeaking = this.#callers.busy === 0 && this.#areAllAtRest();
    world.demand(converged, isLeaking ? 'I10' : 'I17', () => 'not everything has ended in time');
    await this.#probe();
    for (const gateway of this.gateways) world.time.after(0, () => void gateway.stop());
    await this.#until(() => false, time.now + 2 * options.budgetMs + 5000);
    if (world.violations.length > 0) return;
    const shown = await this.#parkedShown();
    new Verdict(world, this.oracle, this.#parked).judge(await this.#stored(), shown, this.gateways);
  }

  /** Starts a gateway in this place, anew where there was one. */
  start(place: number): void {
    const { world } = this;
    const { skewMs, drift } = world.options;
    const chance = world.chance(`machine ${place}`);
    const starts = (this.#starts[place] ?? 0) + 1;
    this.#starts[place] = starts;
    const machine = { aheadMs: chance.between(-skewMs, skewMs), drift: chance.between(-drift, drift) };
    this.gateways[place] = new GatewayModel(this.#shared, `g${place}.${starts}`, machine);
    world.note('world', `starts g${place}.${starts}`);
  }

  /** Every gateway takes a good call and carries it through. */
  async #probe(): Promise<void> {
    const { time } = this.world;
    if (this.world.violations.length > 0) return;
    for (const place of this.gateways.keys()) {
      let passed: boolean | undefined;
      time.after(0, () => void this.#callers.probe(place, PROBE_CARD, PROBE_MS).then(ok => (passed = ok)));
      await this.#until(() => passed !== undefined, time.now + 2 * PROBE_MS);
      this.world.demand(passed === true, 'I19', () => `a good call does not go through at g${place}`);
    }
  }

  /** Nobody has anything to do: no caller, no gateway, no entry. */
  #isQuiet(): boolean {
    const { now } = this.world.time;
    const isIdle = ({ process, lines }: GatewayModel) =>
      process.pausedUntil <= now && lines.every(({ inFlight, deliveries }) => inFlight.inUse + deliveries.inUse === 0);
    return this.#callers.busy === 0 && this.gateways.every(isIdle) && this.#areAllAtRest();
  }

  #areAllAtRest(): boolean {
    const { oracle } = this;
    return [...oracle.present.values()].every(entry => isAtRest(entry) || oracle.isBeyondRepair(keyText(entry.key)));
  }

  #until(done: () => boolean, untilMs = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { world } = this;
    const broken = () => world.violations.length > 0;
    return world.time.run(
      () => broken() || done(),
      untilMs,
      () => this.#afterEach(),
    );
  }

  #afterEach(): void {
    for (const { lines, process } of this.gateways) {
      for (const { inFlight, deliveries } of lines) {
        const isFull = inFlight.inUse > inFlight.limit || deliveries.inUse > deliveries.limit;
        // Asked after every event: not even a closure is made for it.
        if (isFull) this.world.violate('I10', `${process.name} has more in flight than it may`);
      }
    }
  }

  #journalOf(process: SimProcess, line: Line = new StoreLine(this.world, process, this.store)): Journal {
    const { redis: server, oracle: observer, world } = this;
    const { clock, random } = process;
    const { amnesiaMs } = world.options;
    if (this.#embedded) return new JournalLink(this.#embedded, line, observer);
    if (!server) throw new Error('a run without a store');
    const journal = new ModelledRedisJournal({ server, line, observer, clock, random, amnesiaMs });
    return replaced(journal, this.#sabotage.store?.(server, observer));
  }

  /** What an operator sees of it. */
  async #parkedShown(): Promise<number | undefined> {
    const line = { ask: <T>(_what: string, work: () => Promise<T>) => work(), isUp: () => true, nameOf: () => 'move' };
    const process = new SimProcess(this.world, 'operator', { aheadMs: 0, drift: 0 });
    const owed = await this.#journalOf(process, line).owed();
    return owed.kind === 'done' ? owed.value.parked : undefined;
  }

  /** What the store holds, asked of itself. */
  async #stored(): Promise<ReadonlyMap<string, Entry>> {
    if (this.redis) return new Map(this.redis.entries().map(entry => [keyText(entry.key), entry]));
    const entries: Entry[] = [];
    for (const { key } of this.oracle.present.values()) {
      const found = await this.#embedded?.read(key);
      if (found?.kind === 'done' && found.value.entry) entries.push(found.value.entry);
    }
    return new Map(entries.map(entry => [keyText(entry.key), entry]));
  }

  #issuer(name: string): IssuerModel {
    const { options } = this.world;
    const ledger = new Ledger(this.#sabotage.remembersMs ?? options.remembersMs);
    ledger.open(PROBE_CARD, 100_000n);
    const place = Number(name.slice('issuer-'.length));
    for (const [i, participant] of PARTICIPANTS.entries()) {
      if (issuerOf(i, options.issuers) !== place) continue;
      for (let card = 0; card < options.cards; card += 1) {
        ledger.open(cardOf(participant, card), BigInt(options.openingMinor));
      }
    }
    const issuer: IssuerModel = new IssuerModel(this.world, name, ledger, {
      arrived: request => this.oracle.arrived(request),
      decided: (request, transaction) => {
        this.#sabotage.decided?.(ledger, transaction);
        this.oracle.decided(issuer, request, transaction);
      },
    });
    return issuer;
  }
}

/** The embedded journal, on a machine of its own whose clock is right. */
function embedded({ time }: World): Journal {
  const clock = {
    wallMs: () => EPOCH_MS + time.now,
    monotonicMs: () => time.now,
    sleep: (ms: number) => time.sleep(ms),
    after: (ms: number, run: () => void) => time.after(ms, run),
  };
  const options = { path: IN_MEMORY, retentionMs: RETENTION_MS, onNotice: () => {}, clock };
  return new SqliteJournal(openJournalFile(IN_MEMORY), options);
}
