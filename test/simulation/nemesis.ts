/**
 * What happens to the whole in act one: gateways end and stand still, clocks are set, stores and issuers go away, data is
 * lost. Each comes by chance as often as the options say, and all of it is over when act two begins.
 */
import { keyText } from '../../src/domain/ids.ts';
import type { Chance } from './chance.ts';
import type { EventName } from './options.ts';
import type { Run } from './run.ts';
import type { World } from './world.ts';

/** Longer than any delivery is tried, and any issuer remembers. */
const LONG_MS = 73 * 3_600_000;
const EVENT_NAMES = [
  ...(['crash', 'pause', 'clockJump', 'journalOutage', 'journalReadOnly', 'journalSlow', 'failOver'] as const),
  ...(['issuerOutage', 'issuerHang', 'flush', 'restore'] as const),
] satisfies readonly EventName[];

export class Nemesis {
  readonly #run: Run;
  readonly #world: World;
  readonly #chance: Chance;
  /** Whether all gateways are away for long. */
  isAway = false;

  constructor(run: Run) {
    this.#run = run;
    this.#world = run.world;
    this.#chance = run.world.chance('nemesis');
  }

  begin(): void {
    const { options, time } = this.#world;
    for (const name of EVENT_NAMES) this.#expect(name);
    if (options.longOutage) time.after(options.actOneMs * this.#chance.between(0.3, 0.9), () => this.#goAway());
  }

  /** Ends all of it. */
  heal(): void {
    const { gateways, issuers, store } = this.#run;
    store.mode = 'up';
    store.slowMs = 0;
    for (const issuer of issuers) issuer.mode = 'up';
    for (const [place, { process }] of gateways.entries()) if (!process.alive) this.#run.start(place);
  }

  #expect(name: EventName): void {
    const after = this.#world.nextAfterMs(name);
    if (after === undefined) return;
    this.#world.time.after(after, () => {
      // Nobody is there to be struck, and by the time they are back act one is over.
      if (this.#world.healed || this.isAway) return;
      this.#strike(name);
      this.#expect(name);
    });
  }

  #strike(name: EventName): void {
    const world = this.#world;
    world.sometimes(`event ${name}`);
    const chance = this.#chance;
    switch (name) {
      case 'crash':
        this.#crash(chance.whole(0, this.#run.gateways.length - 1), chance.skewed(10, 8000));
        break;
      case 'pause':
        this.#pause(chance.skewed(50, 15_000));
        break;
      case 'clockJump':
        this.#gateway()?.process.setWallClock(chance.between(-20_000, 20_000));
        break;
      case 'journalOutage':
        this.#storeIs(chance.pick(['away', 'silent']), chance.skewed(50, 5000));
        break;
      case 'journalReadOnly':
        this.#storeIs('readOnly', chance.skewed(50, 3000));
        break;
      case 'journalSlow':
        this.#slow(chance.skewed(20, 300), chance.skewed(200, 5000));
        break;
      case 'issuerOutage':
        this.#issuerIs('down', chance.skewed(100, 8000));
        break;
      case 'issuerHang':
        this.#issuerIs('hanging', chance.skewed(100, 8000));
        break;
      default:
        this.#loseData(name);
        break;
    }
  }

  #crash(place: number, forMs: number): void {
    const process = this.#run.gateways[place]?.process;
    if (!process?.alive) return;
    this.#world.note('world', `ends ${process.name}`);
    process.end();
    this.#world.time.after(forMs, () => {
      if (!this.isAway && this.#run.gateways[place]?.process.alive === false) this.#run.start(place);
    });
  }

  #pause(ms: number): void {
    const gateway = this.#gateway();
    if (!gateway) return;
    this.#world.note('world', `${gateway.process.name} stands still for ${ms.toFixed()} ms`);
    gateway.process.pause(ms);
  }

  #gateway() {
    const gateway = this.#chance.pick(this.#run.gateways);
    return gateway.process.alive ? gateway : undefined;
  }

  #storeIs(mode: 'away' | 'silent' | 'readOnly', forMs: number): void {
    const { store } = this.#run;
    this.#world.note('world', `the journal is ${mode} for ${forMs.toFixed()} ms`);
    store.mode = mode;
    this.#world.time.after(forMs, () => {
      if (store.mode === mode) store.mode = 'up';
    });
  }

  #slow(byMs: number, forMs: number): void {
    const { store } = this.#run;
    this.#world.note('world', `the journal is slow by ${byMs.toFixed()} ms for ${forMs.toFixed()} ms`);
    store.slowMs = byMs;
    this.#world.time.after(forMs, () => {
      store.slowMs = 0;
    });
  }

  #issuerIs(mode: 'down' | 'hanging', forMs: number): void {
    const issuer = this.#chance.pick(this.#run.issuers);
    this.#world.note('world', `${issuer.name} is ${mode} for ${forMs.toFixed()} ms`);
    issuer.mode = mode;
    this.#world.time.after(forMs, () => {
      if (issuer.mode === mode) issuer.mode = 'up';
    });
  }

  /** A fail-over has an outage, then a server that lacks the last writes and has another clock. */
  #loseData(name: 'failOver' | 'flush' | 'restore'): void {
    const { redis, oracle } = this.#run;
    const world = this.#world;
    if (!redis) return;
    const chance = this.#chance;
    const lost =
      name === 'failOver'
        ? redis.failOver(chance.hits(0.3) ? 0 : chance.skewed(0.5, 1500), chance.between(-100, 100))
        : name === 'flush'
          ? redis.flush()
          : redis.putBack(chance.skewed(100, 10_000));
    const names = new Set(lost.map(keyText));
    world.note('world', `${name}: the journal has lost writes about ${[...names].join(' ') || 'nothing'}`);
    world.sometimes(names.size > 0 ? `${name} loses writes` : `${name} loses nothing`);
    oracle.lost(names, each => redis.find(each)?.entry);
    this.#run.store.generation += 1;
    if (name === 'failOver') this.#storeIs(chance.pick(['away', 'silent', 'readOnly']), chance.skewed(20, 3000));
  }

  /** Every gateway ends, and is away for longer than anything is tried or remembered. */
  #goAway(): void {
    if (this.#world.healed) return;
    this.isAway = true;
    this.#world.sometimes('event longOutage');
    for (const place of this.#run.gateways.keys()) this.#crash(place, 0);
    this.#world.time.after(LONG_MS, () => {
      this.isAway = false;
      for (const place of this.#run.gateways.keys()) this.#run.start(place);
    });
  }
}
