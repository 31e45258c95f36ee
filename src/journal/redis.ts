/**
 * The journal in Redis: single, behind sentinels, or a Cluster. Each transition is one Lua script that compares and
 * writes in one step; which transitions there are is `domain/entry`'s business. Calls of the journey and the search for
 * due work have connections of their own, so that neither waits behind the other.
 */
import { AMNESIA_MINUTES_DEFAULT, MINUTE_MS } from '../config/limits.ts';
import { born, type Draft, type Entry, isLegal, isOlder, isTakeover } from '../domain/entry.ts';
import { filingOf, type Lane, RECOVERY } from '../domain/filing.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';
import { type Clock, type Span, systemClock } from '../runtime/clock.ts';
import { type Random, systemRandom } from '../runtime/random.ts';
import type {
  Amnesia,
  Claimed,
  Found,
  Journal,
  LaneLimit,
  Moved,
  Needs,
  OwedSummary,
  Reply,
  Revocation,
  Standby,
} from './journal.ts';
import { BrokenEntries, JournalDefect, type NoticeSink } from './notice.ts';
import { keyOfName, NeedsOfRecords } from './record.ts';
import { RedisAmnesia } from './redisAmnesia.ts';
import { claimCall, entryOf, type Move, moveCall, otherWordsFor, restoreCall } from './redisCalls.ts';
import { close, primariesOf, type RedisClient, type RedisTarget } from './redisConnect.ts';
import type { RedisGuard } from './redisGuard.ts';
import { addSums, allShards, keysOfShard, type ShardKeys, shardOf } from './redisKeys.ts';
import { addRevocation, readRevocations, readStandby, takeOnce, writeStandby } from './redisMarks.ts';
import { addNeeds } from './redisNeeds.ts';
import { openRedis, type RedisParts } from './redisParts.ts';
import { RedisReplicas } from './redisReplicas.ts';
import {
  listOf,
  numberOf,
  runScript,
  SCRIPTS,
  type Script,
  type ScriptReply,
  textOf,
  textsOf,
  wordsOf,
} from './redisScripts.ts';
import type { RedisSentinels } from './redisSentinels.ts';
import type { RedisServers } from './redisServers.ts';
import { summaryOf } from './tally.ts';

export type RedisJournalOptions = {
  readonly target: RedisTarget;
  /** How long entries live after their last move; they never expire while something is owed. */
  readonly retentionMs: number;
  readonly onNotice: NoticeSink;
  /** How long a shard that has lost data takes no money; default `AMNESIA_MINUTES_DEFAULT`. */
  readonly amnesiaMs?: number;
  /** How many replicas must have a claim before it is given; default none. */
  readonly replicas?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How long to wait at start for Redis to answer. */
  readonly startWithinMs?: number;
};

const AWAY = { kind: 'away' } as const;
const done = <T>(value: T): Reply<T> => ({ kind: 'done', value });

/**
 * Connects to Redis, checks that it can be trusted with a journal, and gives the journal.
 *
 * @throws Error that says what, where and how to mend it: unreachable, evicting, a replica, or too old.
 */
export async function createRedisJournal(options: RedisJournalOptions): Promise<Journal> {
  const { clock = systemClock } = options;
  const journal = new RedisJournal(await openRedis({ ...options, clock }), { ...options, clock });
  try {
    await journal.begin();
  } catch (error) {
    await journal.close();
    throw error;
  }
  return journal;
}

type Waiting = { readonly shard: ShardKeys; readonly lane: Lane; readonly name: string; readonly at: number };

class RedisJournal implements Journal {
  readonly #hot: RedisClient;
  readonly #background: RedisClient;
  readonly #confirming: RedisClient;
  readonly #servers: RedisServers;
  readonly #sentinels: RedisSentinels | undefined;
  readonly #guard: RedisGuard;
  readonly #amnesia: RedisAmnesia;
  readonly #replicas: RedisReplicas;
  readonly #replicasLeast: number;
  readonly #retention: string;
  readonly #clock: Clock;
  readonly #broken: BrokenEntries;
  #isClosed = false;

  constructor(parts: RedisParts, options: RedisJournalOptions & { readonly clock: Clock }) {
    const { hot, background, confirming, servers, sentinels, guard, place } = parts;
    const { retentionMs, onNotice, clock, random = systemRandom, replicas = 0 } = options;
    const { amnesiaMs: forMs = AMNESIA_MINUTES_DEFAULT * MINUTE_MS } = options;
    this.#hot = hot;
    this.#background = background;
    this.#confirming = confirming;
    this.#servers = servers;
    this.#sentinels = sentinels;
    this.#guard = guard;
    this.#retention = String(retentionMs);
    this.#clock = clock;
    this.#broken = new BrokenEntries(onNotice);
    this.#amnesia = new RedisAmnesia({ run: (...call) => this.#run(...call), clock, random, forMs, place, onNotice });
    this.#replicas = new RedisReplicas(confirming, clock, place, onNotice);
    this.#replicasLeast = replicas;
  }

  async begin(): Promise<void> {
    await Promise.all([this.#replicas.look(), this.#amnesia.begin()]);
  }

  async claim(draft: Draft, writeId: string): Promise<Reply<Claimed>> {
    // Fail closed: an entry that would be thrown away protects nobody.
    if (!this.#guard.isSafe) return AWAY;
    const shard = shardOf(draft.key);
    return this.#amnesia.claiming(shard, () => this.#claim(shard, draft, writeId));
  }

  async #claim(shard: number, draft: Draft, writeId: string): Promise<Reply<Claimed> | 'missed'> {
    const call = claimCall(shard, draft, writeId, this.#amnesia.seen(shard), this.#amnesia.epochToBegin());
    const reply = await this.#run(SCRIPTS.claim, ...call);
    if (reply.kind !== 'done') return reply;
    const [kind, now, ...rest] = wordsOf(reply.value);
    if (kind === 'exists') return done({ kind, entry: entryOf(draft.key, rest), now: numberOf(now) });
    if (kind === 'amnesia') {
      const [until] = rest;
      return until === '' ? 'missed' : done({ kind, now: numberOf(now), untilMs: numberOf(until) });
    }
    // What the server before may still acknowledge to others must not be begun here as new.
    if (kind === 'calm') return AWAY;
    const [at, writes, epoch] = rest;
    const claims = numberOf(writes);
    this.#amnesia.noteWritten(shard, claims, textOf(epoch));
    const isReplicated = await this.#isReplicated(shard, draft);
    return done({ kind: 'fresh', entry: born(draft, numberOf(at)), now: numberOf(now), claims, isReplicated });
  }

  /** A tombstone owes its undo already; what is about to be forwarded waits for as many replicas as was asked for. */
  async #isReplicated(shard: number, { birth, policy }: Draft): Promise<boolean> {
    if (birth === 'tombstone') return this.#replicas.confirmWherePossible(shard);
    if (this.#replicasLeast === 0 || policy === 'undo') return true;
    return this.#leads(this.#confirming) && this.#replicas.confirm(shard, this.#replicasLeast);
  }

  async read(key: EntryKey): Promise<Reply<{ readonly entry: Entry | null; readonly now: number }>> {
    return this.#read(this.#hot, key);
  }

  async move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>> {
    if (!isLegal(from, to)) throw new JournalDefect(`no such move of entry ${keyText(from.key)}`);
    return this.#move({
      from,
      to,
      writeId,
      takenOverIn: isTakeover(from, to) ? this.#amnesia.seen(shardOf(from.key)).epoch : '=',
    });
  }

  async #move(move: Omit<Move, 'retention'>, before?: string): Promise<Reply<Moved>> {
    const { from, to } = move;
    const shard = shardOf(from.key);
    const seen = this.#amnesia.seen(shard);
    const call = moveCall(shard, { ...move, retention: this.#retention }, before);
    const reply = await this.#run(SCRIPTS.move, ...call);
    if (reply.kind !== 'done') return reply;
    const [kind, now, ...rest] = wordsOf(reply.value);
    if (kind === 'moved') {
      const [epoch] = rest;
      if (now !== null && typeof epoch === 'string') this.#amnesia.noteMoved(shard, seen, numberOf(now), epoch);
      const becameOwed = filingOf(to).owedSince !== null && filingOf(from).owedSince === null;
      if (becameOwed) await this.#replicas.confirmWherePossible(shard);
      return done({ kind });
    }
    if (kind === 'held') return AWAY;
    const otherWords = before === undefined ? otherWordsFor(from, rest) : undefined;
    if (otherWords !== undefined) return this.#move(move, otherWords);
    return done({ kind: 'lost', entry: rest.length > 0 ? entryOf(from.key, rest) : null, now: numberOf(now) });
  }

  async restore(entry: Entry): Promise<Reply<'restored' | 'there'>> {
    if (!this.#guard.isSafe) return AWAY;
    const writeId = this.#amnesia.epochToBegin();
    const reply = await this.#run(SCRIPTS.restore, ...restoreCall(entry, writeId, this.#retention));
    if (reply.kind !== 'done') return reply;
    const [kind, , ...rest] = listOf(reply.value);
    if (kind === 'restored') return done(kind);
    const present = entryOf(entry.key, rest);
    if (!isOlder(present, entry)) return done('there');
    const moved = await this.#move({ from: present, to: entry, writeId, takenOverIn: '=' });
    return moved.kind === 'done' ? done(moved.value.kind === 'moved' ? 'restored' : 'there') : moved;
  }

  amnesia(): Amnesia {
    return { ...this.#amnesia.state, unconfirmed: this.#replicas.unconfirmed };
  }

  /** Looks through all shards; where some are out of reach, the work of the others still goes on. */
  async due(lanes: readonly LaneLimit[]): Promise<Reply<readonly Found[]>> {
    const wanted = lanes.filter(({ limit }) => limit > 0);
    this.#sentinels?.look();
    const replies = await Promise.all(allShards().map(shard => this.#wake(shard, wanted)));
    const woken = replies.flatMap(reply => (reply.kind === 'done' ? [reply.value] : []));
    const [first] = replies;
    if (woken.length === 0 && first && first.kind !== 'done') return first;
    const waiting = woken.flat();
    const chosen = wanted.flatMap(({ lane, limit }) =>
      waiting
        .filter(each => each.lane === lane)
        .sort((a, b) => a.at - b.at)
        .slice(0, limit),
    );
    const found = await Promise.all(chosen.sort((a, b) => a.at - b.at).map(each => this.#find(each)));
    return done(found.flatMap(each => each ?? []));
  }

  async owed(): Promise<Reply<OwedSummary>> {
    const sums = new Map<string, bigint>();
    let oldestAgeMs = 0;
    const replies = await Promise.all(
      allShards().map(({ owed, sums }) => this.#run(SCRIPTS.owed, [owed, sums], [], this.#background)),
    );
    for (const reply of replies) {
      // A sum without one shard would look like good news.
      if (reply.kind !== 'done') return reply;
      const [now, since, pairs = []] = listOf(reply.value);
      if (since !== '') oldestAgeMs = Math.max(oldestAgeMs, numberOf(now) - numberOf(since));
      addSums(sums, textsOf(pairs));
    }
    return done(summaryOf(sums, oldestAgeMs));
  }

  async needs(): Promise<Reply<Needs>> {
    if (this.#isClosed) return AWAY;
    const needs = new NeedsOfRecords();
    try {
      const places = allShards().flatMap(shard => [shard.owed, shard.lane(RECOVERY)].map(filed => ({ shard, filed })));
      // Nearly all are empty, and they are many: which ones are not is asked at once, what is there bit by bit.
      const counts = await Promise.all(places.map(({ filed }) => this.#background.zcard(filed)));
      for (const [index, { shard, filed }] of places.entries()) {
        if (counts[index] !== 0) await addNeeds(this.#background, shard, filed, needs);
      }
    } catch {
      return { kind: 'unsure' };
    }
    return done(needs);
  }

  async once(name: string, span: Span): Promise<Reply<'first' | 'again'>> {
    // Fail closed, as with claims: a name that was thrown away could be taken twice.
    if (!this.#guard.isSafe) return AWAY;
    const [clock, amnesia] = [this.#clock, this.#amnesia];
    return takeOnce({ run: (...call) => this.#run(...call), clock, amnesia }, name, span);
  }

  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    if (!this.#guard.isSafe) return AWAY;
    return addRevocation((...call) => this.#run(...call), this.#clock, { kind, id, untilMs });
  }

  async revoked(): Promise<Reply<readonly Revocation[]>> {
    return readRevocations((...call) => this.#run(...call, this.#background), this.#clock);
  }

  async setStandby(location: string | null, ifUnsaid = false): Promise<Reply<void>> {
    if (!this.#guard.isSafe) return AWAY;
    return writeStandby((...call) => this.#run(...call), location, ifUnsaid);
  }

  async standby(): Promise<Reply<Standby | null>> {
    return readStandby((...call) => this.#run(...call, this.#background));
  }

  isUp(): boolean {
    return !this.#isClosed && this.#guard.isReachable && this.#guard.isSafe && this.#leads(this.#hot);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#guard.stop();
    this.#sentinels?.close();
    const clients = [this.#hot, this.#background, this.#confirming];
    // Replies come in order: with this one, all that was asked before has been answered, or has timed out.
    await Promise.allSettled(clients.flatMap(primariesOf).map(server => server.ping()));
    clients.forEach(close);
  }

  #run(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    client: RedisClient = this.#hot,
  ): Promise<Reply<ScriptReply>> {
    if (this.#isClosed || !this.#leads(client)) return Promise.resolve(AWAY);
    return runScript({ client, servers: this.#servers }, script, keys, args);
  }

  /** What is written elsewhere than to the primary is lost. */
  #leads(client: RedisClient): boolean {
    return this.#sentinels === undefined || this.#sentinels.trusts(client);
  }

  async #read(client: RedisClient, key: EntryKey): Promise<Reply<{ entry: Entry | null; now: number }>> {
    const keys = [keysOfShard(shardOf(key)).entry(keyText(key))];
    const reply = await this.#run(SCRIPTS.read, keys, [], client);
    if (reply.kind !== 'done') return reply;
    const [now, ...rest] = listOf(reply.value);
    return done({ entry: rest.length > 0 ? entryOf(key, rest) : null, now: numberOf(now) });
  }

  async #wake(shard: ShardKeys, lanes: readonly LaneLimit[]): Promise<Reply<readonly Waiting[]>> {
    const keys = [shard.claims, shard.epoch, ...lanes.map(({ lane }) => shard.lane(lane))];
    const limits = lanes.map(({ limit }) => String(limit));
    const before = this.#amnesia.seen(shard.number);
    const reply = await this.#run(SCRIPTS.wake, keys, limits, this.#background);
    if (reply.kind !== 'done') return reply;
    const [state = [], ...found] = listOf(reply.value);
    await this.#amnesia.noteState(shard.number, before, state);
    const [, , , , held] = listOf(state);
    return done(
      lanes.flatMap(({ lane }, i) => {
        // A claim is taken over only by who can be sure that its owner does not go on elsewhere.
        if (lane === RECOVERY && held !== '') return [];
        const pairs = textsOf(found[i] ?? []);
        return pairs.flatMap((name, at) => (at % 2 === 0 ? [{ shard, lane, name, at: Number(pairs[at + 1]) }] : []));
      }),
    );
  }

  /** The entry behind a name in a lane; undefined where it is elsewhere by now, or cannot be read. */
  async #find({ shard, lane, name }: Waiting): Promise<Found | undefined> {
    try {
      const reply = await this.#read(this.#background, keyOfName(name));
      if (reply.kind !== 'done') return undefined;
      const { entry, now } = reply.value;
      if (!entry) {
        await this.#run(SCRIPTS.drop, [shard.entry(name), shard.lane(lane), shard.owed], [name], this.#background);
        return undefined;
      }
      const { wake } = filingOf(entry);
      return wake?.lane === lane && wake.at <= now ? { entry, now } : undefined;
    } catch (error) {
      // One entry that cannot be read must not keep the others from being found.
      this.#broken.report(name, error);
      return undefined;
    }
  }
}
