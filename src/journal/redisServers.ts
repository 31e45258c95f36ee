/**
 * Which life of which server is behind each connection: every start of a Redis server has a run id of its own. By it the
 * scripts notice that another server holds a shard than before, or that the same one was restarted (see lua/epoch.lua).
 */
import type { EventEmitter } from 'node:events';
import { Cluster, type Redis } from 'ioredis';
import type { Clock } from '../runtime/clock.ts';
import { primariesOf, type RedisClient } from './redisConnect.ts';

/**
 * How long a shard is calm after its server was switched. Sentinels hear of a switch from each other every two seconds;
 * until the last has, another gateway may be led to the old primary and go on there. Then it comes to the new one, shows
 * what it has seen, and writes again what was lost: in this time.
 */
export const CALM_MS = 5000;

/** Half of the run id: still as hard to meet twice as an id of our own, and half as long in every call. */
const RUN_ID = /^run_id:([0-9a-f]{20})/m;

export class RedisServers {
  readonly #clients: readonly RedisClient[];
  readonly #clock: Clock;
  /** By the socket of the connection. */
  readonly #runIds = new WeakMap<object, string>();
  /** Since when servers that hold shards have carried out what they were asked. */
  readonly #since = new Map<string, number>();

  /** To be made before the clients connect. */
  constructor(clients: readonly RedisClient[], clock: Clock) {
    this.#clients = clients;
    this.#clock = clock;
    for (const client of clients) {
      if (client instanceof Cluster) client.on('+node', (node: Redis) => this.#watch(node));
      else this.#watch(client);
    }
  }

  /**
   * The last two arguments of a script that goes out on that socket. A server that has served shards for long gets another
   * one only by a move of slots, which loses nothing: then there is nothing to wait for.
   */
  wordsFor(socket: object): readonly [server: string, calmMs: string] {
    const runId = this.#runIds.get(socket) ?? '';
    const since = this.#since.get(runId) ?? Number.POSITIVE_INFINITY;
    return [runId, String(this.#clock.monotonicMs() >= since + CALM_MS ? 0 : CALM_MS)];
  }

  /** A script was carried out there, and not refused as on a server that is no primary yet, or misses its replicas. */
  noteServed(socket: object): void {
    const runId = this.#runIds.get(socket);
    if (runId !== undefined && !this.#since.has(runId)) this.#since.set(runId, this.#clock.monotonicMs());
  }

  /** To be done several times a second: a server that is not there, or no primary any more, may come back as another. */
  look(): void {
    const present = this.#clients
      .flatMap(primariesOf)
      .flatMap(({ stream, status }) => (status === 'ready' ? (this.#runIds.get(stream) ?? []) : []));
    for (const runId of this.#since.keys()) if (!present.includes(runId)) this.#since.delete(runId);
  }

  #watch(connection: Redis): void {
    (connection as EventEmitter).on('connect', () => this.#ask(connection));
  }

  /** Before the library's own question, after which the connection is ready for calls; answers come in order. */
  #ask(connection: Redis): void {
    const { stream } = connection;
    connection.info('server').then(
      text => void this.#runIds.set(stream, RUN_ID.exec(text)?.[1] ?? ''),
      error => {
        // Forbidden: then nothing is known of this server. Anything else may be answered by the next connection.
        const isAnswer = error instanceof Error && error.name === 'ReplyError';
        if (!isAnswer && connection.status === 'connect' && connection.stream === stream) connection.disconnect(true);
      },
    );
  }
}
