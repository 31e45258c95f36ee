/**
 * Waits until replicas have what was written (`WAIT`). It has a connection of its own, because whatever is sent on a
 * connection that waits stands behind it; a small write on it comes after all that was answered before, and one round of
 * waiting serves everybody who asks meanwhile.
 */
import { Cluster, type Redis } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import type { NoticeSink } from './notice.ts';
import { replicasOf } from './redisChecks.ts';
import { primariesOf, type RedisClient } from './redisConnect.ts';
import { keysOfShard } from './redisKeys.ts';

/** A replica on the same network needs a millisecond or two; the caller's budget has to hold this beside the write. */
export const REPLICA_WAIT_MS = 100;
/** How old what is known of the replicas may be; they come and go seldom. */
const LOOK_AGAIN_MS = 5000;
/** The key of the small write vanishes by itself. */
const MARK_MS = '60000';

type Round = { replicas: number; readonly acknowledged: Promise<number> };

export class RedisReplicas {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #place: string;
  readonly #onNotice: NoticeSink;
  /** The round that has not begun yet, by server. */
  readonly #next = new Map<Redis, Round>();
  readonly #running = new Map<Redis, Promise<unknown>>();
  readonly #slots = new Map<number, number>();
  #counts = new Map<string, number>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #unconfirmed = 0;
  #isConfirming = true;

  constructor(client: RedisClient, clock: Clock, place: string, onNotice: NoticeSink) {
    this.#client = client;
    this.#place = place;
    this.#onNotice = onNotice;
    this.#clock = clock;
  }

  /** Writes that were to be confirmed and were not. */
  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  /**
   * Whether so many replicas have what was written to the shard before this call. Takes `REPLICA_WAIT_MS` at the most, also
   * where it stands behind a round that fails; never rejects.
   */
  async confirm(shard: number, replicas: number): Promise<boolean> {
    const enough = new AbortController();
    const late = this.#clock.sleep(REPLICA_WAIT_MS, enough.signal).then(() => false);
    const confirmed = this.#confirm(shard, replicas).catch(() => false);
    const isConfirmed = await Promise.race([confirmed, late]).finally(() => enough.abort());
    this.#note(isConfirmed);
    return isConfirmed;
  }

  /** As `confirm` by one replica, where the server of the shard has any. */
  async confirmWherePossible(shard: number): Promise<boolean> {
    if (this.#clock.monotonicMs() - this.#lookedAt >= LOOK_AGAIN_MS) void this.look();
    const server = await this.#serverOf(shard).catch(() => undefined);
    return server === undefined || (this.#counts.get(nameOf(server)) ?? 0) === 0 || this.confirm(shard, 1);
  }

  /** Finds out which servers have replicas. Never rejects: what was known stands where one does not answer. */
  async look(): Promise<void> {
    this.#lookedAt = this.#clock.monotonicMs();
    const counts = await Promise.all(
      primariesOf(this.#client).map(async server => {
        const count = await replicasOf(server).catch(() => this.#counts.get(nameOf(server)) ?? 0);
        return [nameOf(server), count] as const;
      }),
    );
    this.#counts = new Map(counts);
  }

  /** Tells the operator once when replicas do not follow, and once when they do again. */
  #note(isConfirmed: boolean): void {
    if (!isConfirmed) this.#unconfirmed += 1;
    if (isConfirmed === this.#isConfirming) return;
    this.#isConfirming = isConfirmed;
    if (isConfirmed)
      this.#onNotice({ level: 'info', about: 'replicas', text: `${this.#place}: replicas confirm again` });
    else {
      const text = `${this.#place}: replicas do not confirm writes within ${REPLICA_WAIT_MS} ms; a failover now may lose some`;
      this.#onNotice({ level: 'warning', about: 'replicas', text });
    }
  }

  async #confirm(shard: number, replicas: number): Promise<boolean> {
    const server = await this.#serverOf(shard);
    if (!server) return false;
    const round = this.#next.get(server) ?? this.#open(server, shard);
    round.replicas = Math.max(round.replicas, replicas);
    return (await round.acknowledged) >= replicas;
  }

  #open(server: Redis, shard: number): Round {
    const before = this.#running.get(server) ?? Promise.resolve();
    const round: Round = {
      replicas: 0,
      acknowledged: before.then(() => {
        this.#next.delete(server);
        const acknowledged = this.#wait(server, keysOfShard(shard).waited, round);
        const ended = acknowledged.catch(() => undefined);
        this.#running.set(server, ended);
        return acknowledged;
      }),
    };
    this.#next.set(server, round);
    return round;
  }

  async #wait(server: Redis, mark: string, round: Round): Promise<number> {
    // In one go: replies come in order, and so does what the server does.
    const written = server.call('SET', mark, '', 'PX', MARK_MS);
    const waited = server.call('WAIT', String(round.replicas), String(REPLICA_WAIT_MS));
    const [, acknowledged] = await Promise.all([written, waited]);
    return Number(acknowledged);
  }

  /** The primary that holds the shard; undefined while nobody knows. */
  async #serverOf(shard: number): Promise<Redis | undefined> {
    const client = this.#client;
    if (!(client instanceof Cluster)) return client;
    const slot = this.#slots.get(shard) ?? Number(await client.cluster('KEYSLOT', keysOfShard(shard).claims));
    this.#slots.set(shard, slot);
    const [owner] = client.slots[slot] ?? [];
    return primariesOf(client).find(server => nameOf(server) === owner);
  }
}

const nameOf = ({ options }: Redis): string => `${options.host}:${options.port}`;
