/**
 * Which life of which server is behind each connection: every start of a Redis server has a run id of its own. By it the
 * scripts notice that another server holds a shard than before, or that the same one was restarted (see lua/epoch.lua).
 */
import type { EventEmitter } from 'node:events';
import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './redisConnect.ts';

/**
 * How long a shard is calm after its server was switched. Sentinels hear of a switch from each other every two seconds,
 * and a gateway may be led to the old primary until then; then it comes to the new one, shows what it has seen, and writes
 * again what was lost: in this time.
 */
export const CALM_MS = 5000;

/** Half of the run id: still as hard to meet twice as an id of our own, and half as long in every call. */
const RUN_ID = /^run_id:([0-9a-f]{20})/m;

export class RedisServers {
  /** By the socket of the connection. */
  readonly #runIds = new WeakMap<object, string>();

  /** To be made before the clients connect. */
  constructor(clients: readonly RedisClient[]) {
    for (const client of clients) {
      if (client instanceof Cluster) client.on('+node', (node: Redis) => this.#watch(node));
      else this.#watch(client);
    }
  }

  /** The last two arguments of a script that goes out on that socket. */
  wordsFor(socket: object): readonly [server: string, calmMs: string] {
    return [this.#runIds.get(socket) ?? '', String(CALM_MS)];
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
