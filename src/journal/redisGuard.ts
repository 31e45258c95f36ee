/**
 * Watches the Redis behind a journal while it runs: whether it is reachable, and whether somebody switched it to a policy
 * that throws entries away.
 */
import type { EventEmitter } from 'node:events';
import type { NoticeSink } from './notice.ts';
import { evictionOf } from './redisChecks.ts';
import { primariesOf, type RedisClient } from './redisConnect.ts';

type GuardOptions = { readonly place: string; readonly onNotice: NoticeSink };

export class RedisGuard {
  readonly #client: RedisClient;
  /** Carries the questions, so that they never stand before a claim. */
  readonly #background: RedisClient;
  readonly #place: string;
  readonly #onNotice: NoticeSink;
  #isAway = false;
  #evicts = false;
  #isStopped = false;

  constructor(client: RedisClient, background: RedisClient, { place, onNotice }: GuardOptions) {
    this.#client = client;
    this.#background = background;
    this.#place = place;
    this.#onNotice = onNotice;
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
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#onNotice({ level: 'info', about: 'connection', text: `${this.#place} is reachable again` });
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
