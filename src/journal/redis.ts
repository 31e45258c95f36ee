/**
 * The journal in Redis: single, behind sentinels, or a Cluster. Each transition is one Lua script that compares and
 * writes in one step; which transitions there are is `domain/entry`'s business. Calls of the journey and the search for
 * due work have connections of their own, so that neither waits behind the other.
 */
import { born, type Draft, type Entry, isLegal } from '../domain/entry.ts';
import { filingOf, type Lane, RECOVERY } from '../domain/filing.ts';
import { type EntryKey, keyText } from '../domain/ids.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import type { Claimed, Found, Journal, Moved, Needs, OwedSummary, Reply, Revocation } from './journal.ts';
import { BrokenEntries, JournalDefect, type NoticeSink } from './notice.ts';
import { answerOf, decode, headOf, keyOfName, NeedsOfRecords } from './record.ts';
import { inspectServer, type ServerFindings } from './redisChecks.ts';
import { clientOf, connected, placeOf, primariesOf, type RedisClient, type RedisTarget } from './redisConnect.ts';
import { RedisGuard } from './redisGuard.ts';
import { addSums, allShards, keysOfShard, type ShardKeys, shardOf, sumArguments } from './redisKeys.ts';
import { addRevocation, readRevocations, takeOnce } from './redisMarks.ts';
import {
  listOf,
  numberOf,
  runScript,
  SCRIPTS,
  type Script,
  type ScriptReply,
  textOf,
  textsOf,
} from './redisScripts.ts';
import { summaryOf, tallyChange } from './tally.ts';

export type RedisJournalOptions = {
  readonly target: RedisTarget;
  /** How long entries live after their last move; they never expire while something is owed. */
  readonly retentionMs: number;
  readonly onNotice: NoticeSink;
  readonly clock?: Clock;
  /** How long to wait at start for Redis to answer. */
  readonly startWithinMs?: number;
};

/** A gateway that starts together with its Redis gives it this long; then its supervisor should see that it failed. */
const START_WITHIN_MS = 10_000;
const INSPECT_AGAIN_MS = 100;
/** Names of one page when all open entries are gone through: some pages for an outage, little memory each. */
const SCAN_PAGE = 250;

const AWAY = { kind: 'away' } as const;
const done = <T>(value: T): Reply<T> => ({ kind: 'done', value });

/**
 * Connects to Redis, checks that it can be trusted with a journal, and gives the journal.
 *
 * @throws Error that says what, where and how to mend it: unreachable, evicting, a replica, or too old.
 */
export async function createRedisJournal(options: RedisJournalOptions): Promise<Journal> {
  const { target, onNotice, clock = systemClock, startWithinMs = START_WITHIN_MS } = options;
  const place = placeOf(target);
  const hot = clientOf(target, 'journey');
  const background = clientOf(target, 'background');
  try {
    await Promise.all([hot, background].map(client => connected(client, place, clock, startWithinMs)));
    for (const server of primariesOf(background)) {
      const { refusal, warnings } = await inspected(server, clock, startWithinMs);
      if (refusal !== undefined) throw new Error(refusal);
      for (const warning of warnings) onNotice(warning);
    }
  } catch (error) {
    hot.disconnect();
    background.disconnect();
    throw error;
  }
  return new RedisJournal(hot, background, new RedisGuard(hot, background, place, onNotice), { ...options, clock });
}

/** A busy server may be late with a single answer; that is no reason not to start. */
async function inspected(
  server: Parameters<typeof inspectServer>[0],
  clock: Clock,
  withinMs: number,
): Promise<ServerFindings> {
  const until = Deadline.in(clock, withinMs);
  for (;;) {
    try {
      return await inspectServer(server);
    } catch (error) {
      if (until.leftMs() === 0) throw error;
      await clock.sleep(INSPECT_AGAIN_MS);
    }
  }
}

type LaneLimit = { readonly lane: Lane; readonly limit: number };
type Waiting = { readonly shard: ShardKeys; readonly lane: Lane; readonly name: string; readonly at: number };

class RedisJournal implements Journal {
  readonly #hot: RedisClient;
  readonly #background: RedisClient;
  readonly #guard: RedisGuard;
  readonly #retention: string;
  readonly #clock: Clock;
  readonly #broken: BrokenEntries;
  #isClosed = false;

  constructor(
    hot: RedisClient,
    background: RedisClient,
    guard: RedisGuard,
    { retentionMs, onNotice, clock }: RedisJournalOptions & { readonly clock: Clock },
  ) {
    this.#hot = hot;
    this.#background = background;
    this.#guard = guard;
    this.#retention = String(retentionMs);
    this.#clock = clock;
    this.#broken = new BrokenEntries(onNotice);
  }

  async claim(draft: Draft, writeId: string): Promise<Reply<Claimed>> {
    // Fail closed: a server that throws entries away would let the same transaction through twice.
    if (!this.#guard.isSafe) return AWAY;
    const { key } = draft;
    const shard = shardOf(key);
    const keys = keysOfShard(shard);
    const name = keyText(key);
    // Born at 0: times in the head count from the claim, and the script adds its own clock.
    const unborn = born(draft, 0);
    const { wake, owedSince } = filingOf(unborn);
    if (!wake) throw new JournalDefect('an entry is born with something to wait for');
    const reply = await this.#run(
      SCRIPTS.claim,
      [keys.entry(name), keys.claims, keys.lane(wake.lane), keys.owed, keys.sums],
      [
        writeId,
        headOf(unborn),
        draft.message,
        name,
        String(wake.at),
        owedSince === null ? '0' : '1',
        ...sumArguments(tallyChange(null, unborn)),
      ],
    );
    if (reply.kind !== 'done') return reply;
    const [kind, now, ...rest] = listOf(reply.value);
    if (kind === 'exists') return done({ kind, entry: entryOf(key, rest), now: numberOf(now) });
    const claims = numberOf(rest[1]);
    this.#guard.noteClaims(shard, claims);
    return done({ kind: 'fresh', entry: born(draft, numberOf(rest[0])), now: numberOf(now), claims });
  }

  async read(key: EntryKey): Promise<Reply<{ readonly entry: Entry | null; readonly now: number }>> {
    return this.#read(this.#hot, key);
  }

  async move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>> {
    if (!isLegal(from, to)) throw new JournalDefect(`no such move of entry ${keyText(from.key)}`);
    const keys = keysOfShard(shardOf(from.key));
    const name = keyText(from.key);
    const [before, after] = [filingOf(from), filingOf(to)];
    const left = before.wake?.lane ?? RECOVERY;
    const entered = after.wake?.lane ?? left;
    const reply = await this.#run(
      SCRIPTS.move,
      [keys.entry(name), keys.lane(left), keys.lane(entered), keys.owed, keys.sums],
      [
        String(from.version),
        String(to.version),
        writeId,
        headOf(to),
        name,
        changeOf(answerOf(from), answerOf(to)),
        after.wake ? String(after.wake.at) : '',
        changeOf(before.owedSince, after.owedSince),
        after.expires ? this.#retention : keptOf(before.expires),
        ...sumArguments(tallyChange(from, to)),
      ],
    );
    if (reply.kind !== 'done') return reply;
    const [kind, now, ...rest] = listOf(reply.value);
    if (kind === 'moved') return done({ kind });
    return done({ kind: 'lost', entry: rest.length > 0 ? entryOf(from.key, rest) : null, now: numberOf(now) });
  }

  /** Looks through all shards; where some are out of reach, the work of the others still goes on. */
  async due(lanes: readonly LaneLimit[]): Promise<Reply<readonly Found[]>> {
    const wanted = lanes.filter(({ limit }) => limit > 0);
    if (wanted.length === 0) return done([]);
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
      for (const shard of allShards()) {
        for (const filed of [shard.owed, shard.lane(RECOVERY)]) await this.#addNeeds(shard, filed, needs);
      }
    } catch {
      return { kind: 'unsure' };
    }
    return done(needs);
  }

  async once(name: string, untilMs: number): Promise<Reply<'first' | 'again'>> {
    // Fail closed, as with claims: a name that was thrown away could be taken twice.
    if (!this.#guard.isSafe) return AWAY;
    return takeOnce((...call) => this.#run(...call), this.#clock, name, untilMs);
  }

  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    if (!this.#guard.isSafe) return AWAY;
    return addRevocation((...call) => this.#run(...call), this.#clock, { kind, id, untilMs });
  }

  async revoked(): Promise<Reply<readonly Revocation[]>> {
    return readRevocations((...call) => this.#run(...call, this.#background));
  }

  isUp(): boolean {
    return !this.#isClosed && this.#guard.isReachable && this.#guard.isSafe;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#guard.stop();
    const clients = [this.#hot, this.#background];
    // Replies come in order: with this one, all that was asked before has been answered, or has timed out.
    await Promise.allSettled(clients.flatMap(primariesOf).map(server => server.ping()));
    for (const client of clients) client.disconnect();
  }

  async #run(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    client: RedisClient = this.#hot,
  ): Promise<Reply<ScriptReply>> {
    return this.#isClosed ? AWAY : runScript(client, script, keys, args);
  }

  async #read(client: RedisClient, key: EntryKey): Promise<Reply<{ entry: Entry | null; now: number }>> {
    const keys = [keysOfShard(shardOf(key)).entry(keyText(key))];
    const reply = await this.#run(SCRIPTS.read, keys, [], client);
    if (reply.kind !== 'done') return reply;
    const [now, ...rest] = listOf(reply.value);
    return done({ entry: rest.length > 0 ? entryOf(key, rest) : null, now: numberOf(now) });
  }

  async #wake(shard: ShardKeys, lanes: readonly LaneLimit[]): Promise<Reply<readonly Waiting[]>> {
    const keys = lanes.map(({ lane }) => shard.lane(lane));
    const limits = lanes.map(({ limit }) => String(limit));
    const reply = await this.#run(SCRIPTS.wake, keys, limits, this.#background);
    if (reply.kind !== 'done') return reply;
    const found = listOf(reply.value);
    return done(
      lanes.flatMap(({ lane }, i) => {
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

  async #addNeeds(shard: ShardKeys, filed: string, needs: NeedsOfRecords): Promise<void> {
    let cursor = '0';
    do {
      const [next, pairs] = await this.#background.zscan(filed, cursor, 'COUNT', SCAN_PAGE);
      const members = pairs.filter((_, i) => i % 2 === 0);
      const records = await Promise.all(
        members.map(name => this.#background.hmget(shard.entry(name), 'head', 'message', 'answer')),
      );
      for (const [head, ...sealed] of records) needs.add(head, ...sealed);
      cursor = next;
    } while (cursor !== '0');
  }
}

/** How the script is told of a change: '=' none, '' gone, else the new value. */
const changeOf = (before: string | number | null, after: string | number | null): string =>
  before === after ? '=' : String(after ?? '');

/** How the script is told that an entry does not expire: '' where it would have until now. */
const keptOf = (expiredBefore: boolean): string => (expiredBefore ? '' : '=');

/** The entry of what a script returned: version, claimedAt, head, message, answer. */
function entryOf(key: EntryKey, [version, at, head, message, answer]: readonly ScriptReply[]): Entry {
  return decode(key, {
    version: numberOf(version),
    at: numberOf(at),
    head: textOf(head),
    message: textOf(message),
    answer: answer === null ? null : textOf(answer),
  });
}
