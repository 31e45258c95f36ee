/**
 * Whether a connection behind sentinels leads to the primary that they agreed on last. They hear of a switch from each
 * other every two seconds, and demote the old primary later still: until then one of them may lead a gateway to it, where
 * all that it writes is lost. So all of them are asked, and the one that knows of the newest switch is believed.
 */
import { lookup } from 'node:dns/promises';
import type { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import { Cluster, type Redis } from 'ioredis';
import type { HostPort } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import type { NoticeSink } from './notice.ts';
import { primariesOf, type RedisClient, type RedisTarget, sentinelsOf } from './redisConnect.ts';

/** How often they are asked while nothing happens; when they say that something does, and at new connections, as well. */
const ASK_MS = 500;
/** How often at the start. */
const ASK_AGAIN_MS = 20;
/** One that does not answer must not hold up those that do. */
const ANSWER_MS = 300;
/** A name server that is slow is asked again, and what it said last holds until then. */
const LOOKUP_MS = 500;
/** What sentinels tell when they have begun, and when they have ended, to replace a primary. */
const EVENTS = ['+promoted-slave', '+switch-master'];

/** Where the primary is, as one sentinel knows, and by how new a switch (`config-epoch`). */
type Said = HostPort & { readonly switches: number };

export type SentinelsOptions = {
  readonly target: Extract<RedisTarget, { kind: 'sentinel' }>;
  /** The connections that are to lead to the primary. */
  readonly clients: readonly RedisClient[];
  readonly place: string;
  readonly clock: Clock;
  readonly onNotice: NoticeSink;
};

export class RedisSentinels {
  readonly #options: Omit<SentinelsOptions, 'clients'>;
  readonly #clients: readonly Redis[];
  readonly #sentinels: readonly Redis[];
  /** Connections that hear what sentinels tell can ask them nothing. */
  readonly #listeners: readonly Redis[];
  /** Sockets that lead to the primary, as far as the sentinels knew when they were asked last. */
  readonly #trusted = new WeakSet<object>();
  #newest: Said | undefined;
  /** What names of servers meant last. At most as many as servers were primaries. */
  readonly #addresses = new Map<string, readonly string[]>();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #isToAskAgain = false;

  constructor(options: SentinelsOptions) {
    this.#options = options;
    this.#clients = options.clients.flatMap(primariesOf);
    this.#sentinels = sentinelsOf(options.target, 'sentinels');
    this.#listeners = sentinelsOf(options.target, 'switches');
    for (const listener of this.#listeners) {
      listener.on('ready', () => void listener.subscribe(...EVENTS).catch(() => {}));
      listener.on('message', () => void this.#ask());
    }
    for (const sentinel of [...this.#sentinels, ...this.#listeners]) {
      // It goes on trying by itself, and nothing depends on a single one.
      sentinel.on('error', () => {});
      sentinel.connect().catch(() => {});
    }
    const connections: readonly EventEmitter[] = [...this.#clients, ...this.#sentinels];
    for (const connection of connections) connection.on('ready', () => void this.#ask());
  }

  /** The primary of the newest switch that any of them knows of. */
  get believed(): HostPort | undefined {
    return this.#newest;
  }

  /** Whether what is written there may be told to anybody. */
  trusts(client: RedisClient): boolean {
    return !(client instanceof Cluster) && client.status === 'ready' && this.#trusted.has(client.stream);
  }

  /** Waits until the connections are led to the primary. False where they are not within that time. */
  async begin(withinMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const until = Deadline.in(clock, withinMs);
    const isDone = () => this.#clients.every(client => this.trusts(client));
    while (!isDone() && until.leftMs() > 0) {
      await this.#ask();
      await clock.sleep(ASK_AGAIN_MS);
    }
    return isDone();
  }

  /** To be done several times a second. */
  look(): void {
    if (this.#options.clock.monotonicMs() >= this.#askedAt + ASK_MS) void this.#ask();
  }

  close(): void {
    for (const sentinel of [...this.#sentinels, ...this.#listeners]) sentinel.disconnect();
  }

  /** One round at a time; whoever comes meanwhile has another one begin, because what is there now may be news to it. */
  #ask(): Promise<void> {
    this.#isToAskAgain = this.#asking !== undefined;
    this.#asking ??= this.#askAll().finally(() => {
      this.#asking = undefined;
      if (this.#isToAskAgain) void this.#ask();
    });
    return this.#asking;
  }

  async #askAll(): Promise<void> {
    this.#askedAt = this.#options.clock.monotonicMs();
    // Judged is what is there now: another connection may go elsewhere.
    const sockets = this.#clients.map(({ stream }) => stream);
    const all = await Promise.all(this.#sentinels.map(sentinel => this.#said(sentinel)));
    const newest = this.#newestOf(all.flatMap(said => said ?? []));
    const addresses = newest && (await this.#addressesOf(newest.host));
    if (!newest || !addresses) return;
    this.#believe(newest);
    for (const [index, client] of this.#clients.entries()) {
      const { stream, status } = client;
      if (status !== 'ready' || stream !== sockets[index]) continue;
      const isPrimary = stream.remotePort === newest.port && addresses.includes(stream.remoteAddress ?? '');
      if (isPrimary) this.#trusted.add(stream);
      else this.#leave(client);
    }
  }

  /**
   * What was believed before is given up for something older only where most of them say so, because they were told to watch
   * anew: else those who knew better are silent now.
   */
  #newestOf(said: readonly Said[]): Said | undefined {
    const [newest] = [...said].sort((a, b) => b.switches - a.switches);
    const isOlder = newest && this.#newest && newest.switches < this.#newest.switches;
    return isOlder && said.length <= this.#sentinels.length / 2 ? this.#newest : newest;
  }

  /** Undefined where it does not answer, or does not know the name. */
  async #said(sentinel: Redis): Promise<Said | undefined> {
    if (sentinel.status !== 'ready') return undefined;
    const { name } = this.#options.target;
    // In this order: what it says of a switch is never older than how new it says that it is. And the second question is
    // about the server that is to be connected now; the first one has the old address until all replicas follow.
    const asked = ['MASTER', 'GET-MASTER-ADDR-BY-NAME'].map(question => sentinel.call('SENTINEL', question, name));
    const late = this.#options.clock.sleep(ANSWER_MS).then(() => []);
    const [known = [], address = []] = (await Promise.race([Promise.all(asked), late]).catch(() => [])).map(textsIn);
    const switches = Number(known[known.indexOf('config-epoch') + 1]);
    const [host, port] = address;
    return host && port && Number.isSafeInteger(switches) ? { host, port: Number(port), switches } : undefined;
  }

  /** Sentinels may know servers by name. Undefined where nobody can say what it means. */
  async #addressesOf(host: string): Promise<readonly string[] | undefined> {
    if (isIP(host) !== 0) return [host];
    const late = this.#options.clock.sleep(LOOKUP_MS).then(() => undefined);
    const found = await Promise.race([lookup(host, { all: true }).catch(() => undefined), late]);
    if (found)
      this.#addresses.set(
        host,
        found.map(({ address }) => address),
      );
    return this.#addresses.get(host);
  }

  #believe(newest: Said): void {
    const { place, onNotice } = this.#options;
    const before = this.#newest;
    this.#newest = newest;
    if (!before || before.switches === newest.switches) return;
    const text = `${place}: the sentinels have agreed on another primary, ${newest.host}:${newest.port}`;
    onNotice({ level: 'info', about: 'connection', text });
  }

  #leave(client: Redis): void {
    this.#trusted.delete(client.stream);
    client.disconnect(true);
  }
}

const textsIn = (reply: unknown): readonly string[] => (Array.isArray(reply) ? reply.map(String) : []);
