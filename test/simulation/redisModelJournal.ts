/**
 * The journal of one gateway on modelled Redis servers: what it asks of them, and what it remembers of their answers,
 * through a line that may lose both. It passes the contract of the journal while nothing is lost.
 */
import { type Draft, type Entry, isLegal } from '../../src/domain/entry.ts';
import { filingOf, type Lane, RECOVERY } from '../../src/domain/filing.ts';
import { type EntryKey, keyText } from '../../src/domain/ids.ts';
import {
  type Amnesia,
  type Claimed,
  type Found,
  type Journal,
  type Moved,
  type Needs,
  type OwedSummary,
  REVOCATIONS_MOST,
  type Reply,
  type Revocation,
  RevocationsFull,
  type Standby,
} from '../../src/journal/journal.ts';
import { keepingOf, revocationOf, revokedText } from '../../src/journal/marks.ts';
import { JournalDefect } from '../../src/journal/notice.ts';
import { answerOf, headOf, NeedsOfRecords } from '../../src/journal/record.ts';
import { RedisAmnesia } from '../../src/journal/redisAmnesia.ts';
import { SHARD_COUNT, shardOf } from '../../src/journal/redisKeys.ts';
import { summaryOf, tallyChange } from '../../src/journal/tally.ts';
import type { Clock, Span } from '../../src/runtime/clock.ts';
import type { Random } from '../../src/runtime/random.ts';
import type { Line, StoreObserver } from './line.ts';
import type { RedisModel, ScriptClaimed } from './redisModel.ts';

export type ModelledRedisOptions = {
  readonly server: RedisModel;
  readonly line: Line;
  readonly observer: StoreObserver;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a shard that has lost data takes no money. */
  readonly amnesiaMs: number;
};

const AWAY = { kind: 'away' } as const;
const done = <T>(value: T): Reply<T> => ({ kind: 'done', value });
const SHARDS = Array.from({ length: SHARD_COUNT }, (_, number) => number);
/** Where a name is marked, the number of its shard. */
const SHARD_IN_KEY = /\{(\d+)\}/;

export class ModelledRedisJournal implements Journal {
  readonly #server: RedisModel;
  readonly #line: Line;
  readonly #observer: StoreObserver;
  readonly #clock: Clock;
  readonly #amnesia: RedisAmnesia;
  #isClosed = false;

  constructor({ server, line, observer, clock, random, amnesiaMs: forMs }: ModelledRedisOptions) {
    this.#server = server;
    this.#line = line;
    this.#observer = observer;
    this.#clock = clock;
    const run: ConstructorParameters<typeof RedisAmnesia>[0]['run'] = (_script, keys, args) =>
      this.#ask('amnesia', () => this.#amnesiaScript(keys, args));
    this.#amnesia = new RedisAmnesia({ run, clock, random, forMs, place: 'modelled redis', onNotice: () => {} });
  }

  claim(draft: Draft, writeId: string): Promise<Reply<Claimed>> {
    return this.#amnesia.claiming(shardOf(draft.key), () => this.#claim(draft, writeId));
  }

  async #claim(draft: Draft, writeId: string): Promise<Reply<Claimed> | 'missed'> {
    const shard = shardOf(draft.key);
    const [seen, epoch] = [this.#amnesia.seen(shard), this.#amnesia.epochToBegin()];
    const reply = await this.#ask<ScriptClaimed>(`claim ${draft.key.tranId}`, () => {
      const claimed = this.#server.claim(draft, writeId, seen, epoch);
      if (claimed.kind === 'calm') this.#observer.refused('claim');
      else this.#observer.claimed(draft.key, claimed.kind, 'entry' in claimed ? claimed.entry : undefined);
      return claimed;
    });
    if (reply.kind !== 'done') return reply;
    const { value } = reply;
    if (value.kind === 'exists') return done(value);
    if (value.kind === 'amnesia') {
      return value.until === 0 ? 'missed' : done({ kind: 'amnesia', now: value.now, untilMs: value.until });
    }
    if (value.kind === 'calm') return AWAY;
    this.#amnesia.noteWritten(shard, value.writes, value.epoch);
    return done({ kind: 'fresh', entry: value.entry, now: value.now, claims: value.writes });
  }

  read(key: EntryKey): ReturnType<Journal['read']> {
    return this.#ask(`read ${key.tranId}`, () => ({
      entry: this.#server.find(keyText(key))?.entry ?? null,
      now: this.#server.now,
    }));
  }

  async move(from: Entry, to: Entry, writeId: string): Promise<Reply<Moved>> {
    if (!isLegal(from, to)) throw new JournalDefect(`no such move of entry ${keyText(from.key)}`);
    const shard = shardOf(from.key);
    const before = this.#amnesia.seen(shard);
    const reply = await this.#ask(this.#line.nameOf(from, to), () => {
      const moved = this.#server.move(from, to, writeId, before.epoch);
      if (moved.kind === 'held') this.#observer.refused('takeover');
      else this.#observer.moved(from, to, moved);
      return moved;
    });
    if (reply.kind !== 'done') return reply;
    if (reply.value.kind === 'held') return AWAY;
    const { writes, epoch, ...moved } = reply.value;
    if (moved.kind === 'moved') this.#amnesia.noteMoved(shard, before, writes, epoch);
    return done(moved);
  }

  restore(entry: Entry): Promise<Reply<'restored' | 'there'>> {
    const writeId = this.#amnesia.epochToBegin();
    return this.#ask(`restore ${entry.key.tranId}`, () => {
      const kind = this.#server.restore(entry, writeId);
      if (kind === 'restored') this.#observer.restored(entry);
      return kind;
    });
  }

  amnesia(): Amnesia {
    return { ...this.#amnesia.state, unconfirmed: 0 };
  }

  async due(lanes: readonly { readonly lane: Lane; readonly limit: number }[]): Promise<Reply<readonly Found[]>> {
    const before = SHARDS.map(shard => this.#amnesia.seen(shard));
    const isHeld = (entry: Entry) => filingOf(entry).wake?.lane === RECOVERY && this.#server.isHeld(shardOf(entry.key));
    const reply = await this.#ask('due', () => ({
      found: this.#server.due(lanes).filter(entry => !isHeld(entry)),
      now: this.#server.now,
      shards: SHARDS.map(shard => this.#server.shard(shard)),
    }));
    if (reply.kind !== 'done') return reply;
    const { found, now, shards } = reply.value;
    for (const [number, { writes, epoch, until }] of shards.entries()) {
      const seen = before[number] ?? { writes: 0, epoch: '' };
      // Most shards have nothing new to say; one that was written to and has no epoch is asked for it.
      const isNews = writes !== seen.writes || epoch !== seen.epoch || until !== 0;
      if (!isNews && (epoch !== '' || writes === 0)) continue;
      const state = [String(now), String(writes), epoch, until === 0 ? '' : String(until)];
      await this.#amnesia.noteState(number, seen, state);
    }
    return done(found.map(entry => ({ entry, now })));
  }

  owed(): Promise<Reply<OwedSummary>> {
    return this.#ask('owed', () => {
      const sums = new Map<string, bigint>();
      let oldestAgeMs = 0;
      for (const entry of this.#server.entries()) {
        for (const [name, amount] of tallyChange(null, entry)) sums.set(name, (sums.get(name) ?? 0n) + amount);
        const { owedSince } = filingOf(entry);
        if (owedSince !== null) oldestAgeMs = Math.max(oldestAgeMs, this.#server.now - owedSince);
      }
      return summaryOf(sums, oldestAgeMs);
    });
  }

  async once(name: string, { untilMs }: Span): Promise<Reply<'first' | 'again'>> {
    const { untilMs: until, leastMs } = keepingOf(untilMs, this.#clock.wallMs());
    return this.#ask('once', () => {
      if ((this.#server.marks('once').get(name) ?? 0) > 0) return 'again';
      this.#server.mark('once', name, Math.max(until, this.#server.now + leastMs));
      return 'first';
    });
  }

  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    const { untilMs: until, leastMs } = keepingOf(untilMs, this.#clock.wallMs());
    const name = revokedText(kind, id);
    return this.#ask('revoke', () => {
      const marks = this.#server.marks('revoked');
      const before = marks.get(name);
      if (before === undefined && marks.size >= REVOCATIONS_MOST) throw new RevocationsFull();
      this.#server.mark('revoked', name, Math.max(before ?? 0, until, this.#server.now + leastMs));
    });
  }

  revoked(): Promise<Reply<readonly Revocation[]>> {
    return this.#ask('revoked', () =>
      [...this.#server.marks('revoked')].map(([name, untilMs]) => revocationOf(name, untilMs)),
    );
  }

  setStandby(location: string | null, ifUnsaid = false): Promise<Reply<void>> {
    return this.#ask('setStandby', () => {
      if (!ifUnsaid || this.#server.standby === null) this.#server.say(location);
    });
  }

  standby(): Promise<Reply<Standby | null>> {
    return this.#ask('standby', () => this.#server.standby);
  }

  needs(): Promise<Reply<Needs>> {
    return this.#ask('needs', () => {
      const needs = new NeedsOfRecords();
      for (const entry of this.#server.entries()) {
        const { wake, owedSince } = filingOf(entry);
        if (wake || owedSince !== null) needs.add(headOf(entry), entry.message, answerOf(entry));
      }
      return needs;
    });
  }

  isUp(): boolean {
    return !this.#isClosed && this.#line.isUp();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #ask<T>(what: string, script: () => T): Promise<Reply<T>> {
    return this.#isClosed ? AWAY : this.#line.ask(what, async () => done(script()));
  }

  /** As the script of the same name answers. */
  #amnesiaScript(keys: readonly string[], args: readonly string[]): string[] {
    const shard = Number(SHARD_IN_KEY.exec(keys[0] ?? '')?.[1]);
    const [writes = '0', epoch = '', toBegin = '', forMs = '0'] = args;
    const kind = this.#server.amnesia(shard, { writes: Number(writes), epoch }, toBegin, Number(forMs));
    this.#observer.amnesia(kind);
    const { writes: counted, epoch: present, until } = this.#server.shard(shard);
    return [kind, String(this.#server.now), String(counted), present, until === 0 ? '' : String(until)];
  }
}
