/**
 * How the journal lies in Redis. Entries are spread over shards by a hash of their key, and every key of a shard carries
 * the same hash tag: each transition touches one slot of a Cluster, whatever it touches.
 */
import { hash } from 'node:crypto';
import type { Lane } from '../domain/filing.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';

/**
 * Enough to spread over any Cluster that a gateway needs, few enough to look through all of them several times a second.
 * Must never change: entries would no longer be found.
 */
export const SHARD_COUNT = 64;

/** The shard of a name, 0 to 63. */
export const shardOfName = (name: string): number =>
  Number.parseInt(hash('sha256', name).slice(0, 2), 16) % SHARD_COUNT;

/** The shard of an entry, 0 to 63. */
export const shardOf = (key: EntryKey): number => shardOfName(keyText(key));

/** The names of the Redis keys of one shard. */
export class ShardKeys {
  /** How many writes the shard has counted; older versions count claims alone. */
  readonly claims: string;
  /** What its present history is called, and until when it takes no money after a loss. */
  readonly epoch: string;
  /** Written for its place in the stream to the replicas alone. */
  readonly waited: string;
  /** Entries that are owed, by the time since when. */
  readonly owed: string;
  /** The sums of what is owed. */
  readonly sums: string;
  /** 0 to 63. */
  readonly number: number;
  readonly #tag: string;

  constructor(shard: number) {
    this.number = shard;
    this.#tag = `gw:{${String(shard).padStart(2, '0')}}`;
    this.claims = `${this.#tag}:claims`;
    this.epoch = `${this.#tag}:epoch`;
    this.waited = `${this.#tag}:waited`;
    this.owed = `${this.#tag}:owed`;
    this.sums = `${this.#tag}:tally`;
  }

  /** The entry of that name (`keyText` of its key). */
  entry(name: string): string {
    return `${this.#tag}:e:${name}`;
  }

  /** A name that is taken once. */
  once(name: string): string {
    return `${this.#tag}:once:${name}`;
  }

  /** Entries that wait in that lane, by the time at which they wake. */
  lane(lane: Lane): string {
    return `${this.#tag}:lane:${lane}`;
  }
}

/** What is revoked, all in one place: it is small, and read as a whole. */
export const REVOKED = 'gw:{00}:revoked';

/** Whether the site stands by. */
export const STANDBY = 'gw:{00}:standby';

const SHARDS: readonly ShardKeys[] = Array.from({ length: SHARD_COUNT }, (_, shard) => new ShardKeys(shard));

export const allShards = (): readonly ShardKeys[] => SHARDS;

export function keysOfShard(shard: number): ShardKeys {
  const keys = SHARDS[shard];
  if (!keys) throw new RangeError(`no shard ${shard}`);
  return keys;
}

/**
 * Sums are kept by Redis as 64-bit integers. An amount of the wire's 16 digits goes in a few hundred times before that
 * overflows, so sums are kept in two parts: what is below this, and, under a name of its own, how often this goes in.
 */
const PART = 1_000_000_000n;
const HIGH = 'e9:';

/** A change of the sums as the scripts take it: pairs of name and decimal text. */
export function sumArguments(change: ReadonlyMap<string, bigint>): string[] {
  return [...change].flatMap(([name, amount]) => [
    ...pairOf(name, amount % PART),
    ...pairOf(HIGH + name, amount / PART),
  ]);
}

const pairOf = (name: string, amount: bigint): string[] => (amount === 0n ? [] : [name, amount.toString()]);

/** Adds pairs of name and decimal text, as a shard holds them, to the sums of all shards. */
export function addSums(sums: Map<string, bigint>, pairs: readonly string[]): void {
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const [name = '', text = '0'] = pairs.slice(i, i + 2);
    const isHigh = name.startsWith(HIGH);
    const plain = isHigh ? name.slice(HIGH.length) : name;
    sums.set(plain, (sums.get(plain) ?? 0n) + BigInt(text) * (isHigh ? PART : 1n));
  }
}
