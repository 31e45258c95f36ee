/**
 * Watches the Redis behind a journal while it runs: whether it is reachable, and whether somebody switched it to a policy
 * that throws entries away.
 */
import type { EventEmitter } from 'node:events';
import { Cluster, type Redis } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import type { NoticeSink } from './notice.ts';
import { evictionOf } from './redisChecks.ts';
import { primariesOf, type RedisClient } from './redisConnect.ts';

/**
 * After a switch of the primary, sentinels hear of it from each other every two seconds; until the last has, another gateway
 * may be led to the old one and go on there. Then it comes here, sees what was lost, and writes it again: in this time.
 */
const SWITCHING_MS = 5000;

type GuardOptions = { readonly place: string; readonly clock: Clock; readonly onNotice: NoticeSink };

export class RedisGuard {
  readonly #client: RedisClient;
  /** Carries the questions, so that they never stand before a claim. */
  readonly #background: RedisClient;
  readonly #place: string;
  readonly #clock: Clock;
  readonly #onNotice: NoticeSink;
  #isAway = false;
  #backAt = Number.NEGATIVE_INFINITY;
  #switchedAt = Number.NEGATIVE_INFINITY;
  #server: string | undefined;
  #returns = 0;
  /** Those of a Cluster that were there at the last look. */
  #primaries: ReadonlySet<Redis>;
  #evicts = false;
  #isStopped = false;

  constructor(client: RedisClient, background: RedisClient, { place, clock, onNotice }: GuardOptions) {
    this.#client = client;
    this.#background = background;
    this.#place = place;
    this.#clock = clock;
    this.#onNotice = onNotice;
    this.#server = serverOf(client);
    this.#primaries = this.#primariesThere();
    const events: EventEmitter = client;
    events.on('close', () => this.#onClose());
    events.on('ready', () => this.#onReady());
    // The background connection is the one that is asked, and may be back later than the other.
    (background as EventEmitter).on('ready', () => this.#look());
    // A server of a Cluster that was not there before may be another, with other settings.
    (background as EventEmitter).on('+node', () => this.#look());
  }

  /** Whether entries written now would be kept. */
  get isSafe(): boolean {
    return !this.#evicts;
  }

  get isReachable(): boolean {
    return this.#client.status === 'ready';
  }

  /**
   * Looks whether it, or a part of it, was away until moments ago, or is away for one of the connections still: it may be
   * another server now, and others may not know yet. To be asked after what is to be judged by it was read.
   */
  isBackJustNow(): boolean {
    // A Cluster loses primaries and has them back one by one, and is there itself all the time.
    const present = this.#primariesThere();
    const isOneBack = [...present].some(each => !this.#primaries.has(each));
    this.#primaries = present;
    if (isOneBack) this.#noteBack();
    return this.#isAway || this.#clock.monotonicMs() < this.#backAt + SWITCHING_MS;
  }

  /** Whether it was another server until moments ago, where somebody may still be told what this one has never heard. */
  get isSwitchedJustNow(): boolean {
    return this.#clock.monotonicMs() < this.#switchedAt + SWITCHING_MS;
  }

  /** How often it was away and came back. */
  get returns(): number {
    return this.#returns;
  }

  stop(): void {
    this.#isStopped = true;
  }

  #onClose(): void {
    if (this.#isAway || this.#isStopped) return;
    this.#isAway = true;
    this.#onNotice({
      level: 'warning',
      about: 'connection',
      text: `${this.#place} is not reachable: calls are refused`,
    });
  }

  #onReady(): void {
    const server = serverOf(this.#client);
    if (server !== this.#server) this.#switchedAt = this.#clock.monotonicMs();
    this.#server = server;
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#noteBack();
    this.#onNotice({ level: 'info', about: 'connection', text: `${this.#place} is reachable again` });
  }

  #noteBack(): void {
    this.#backAt = this.#clock.monotonicMs();
    this.#returns += 1;
  }

  /** Each by its connection, which is a new one after it was lost; a replica that was promoted is a primary that was not there. */
  #primariesThere(): ReadonlySet<Redis> {
    const clusters = [this.#client, this.#background].filter(client => client instanceof Cluster);
    return new Set(clusters.flatMap(primariesOf).filter(({ status }) => status === 'ready'));
  }

  #look(): void {
    // Where the question itself fails the next connection asks again; until then what was known stands.
    this.#judge().catch(() => {});
  }

  async #judge(): Promise<void> {
    const found = await Promise.all(primariesOf(this.#background).map(evictionOf));
    const reason = found.find(each => each !== undefined);
    if (reason !== undefined && !this.#evicts && !this.#isStopped) {
      this.#onNotice({ level: 'alarm', about: 'eviction', text: `${reason}; until then calls are refused` });
    }
    this.#evicts = reason !== undefined;
  }
}

/** The address of the server behind a connection; undefined in a Cluster, where a primary that was replaced takes no writes. */
function serverOf(client: RedisClient): string | undefined {
  if (client instanceof Cluster) return undefined;
  const { remoteAddress, remotePort } = client.stream;
  return `${remoteAddress} ${remotePort}`;
}
