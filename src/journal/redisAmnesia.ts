/**
 * Whether Redis still has what this process has seen there. Every shard counts its writes and names its epoch, which ends
 * with the life of its server (lua/epoch.lua); a count that goes back, an epoch that had fewer writes than were seen in
 * it, or one that is gone is data that was lost: a flush, a backup put back, a failover that lost what it had
 * acknowledged. A new process has seen nothing, so that an empty server is no loss to it; from its start on it knows an
 * epoch of every shard.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Amnesia, Reply } from './journal.ts';
import type { NoticeSink } from './notice.ts';
import { allShards, keysOfShard, SHARD_COUNT } from './redisKeys.ts';
import { listOf, numberOf, SCRIPTS, type Script, type ScriptReply, textOf } from './redisScripts.ts';
import { CALM_MS } from './redisServers.ts';

/** What was last seen of a shard; the epoch is empty before the first. */
export type Seen = { readonly writes: number; readonly epoch: string };

/** What is told of a shard: data was lost, somebody else has noticed that before, or another server holds it now. */
type Told = 'lost' | 'known' | 'switched';

export type RedisAmnesiaOptions = {
  readonly run: (script: Script, keys: readonly string[], args: readonly string[]) => Promise<Reply<ScriptReply>>;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a shard that has lost data takes no money. */
  readonly forMs: number;
  readonly place: string;
  readonly onNotice: NoticeSink;
};

/** A busy server may be late with one answer. */
const BEGIN_TRIES = 3;
/** A claim may cost its caller the time of one call past its budget, not that of three: a slow server ends it early. */
const CLAIM_AGAIN_WITHIN_MS = 40;
/** A loss is noticed shard by shard within moments, and told in one line. */
const TELL_AFTER_MS = 300;

export class RedisAmnesia {
  readonly #options: RedisAmnesiaOptions;
  readonly #seen: Seen[] = Array.from({ length: SHARD_COUNT }, () => ({ writes: 0, epoch: '' }));
  /** Until when shards take no money, on the monotonic clock. */
  readonly #until: number[] = Array.from({ length: SHARD_COUNT }, () => Number.NEGATIVE_INFINITY);
  readonly #asking = new Map<string, Promise<boolean>>();
  /** What was seen in other epochs than the known one, by shard and epoch, until that is answered. */
  readonly #late = new Map<string, Seen>();
  /** The epochs that it has asked to begin after a loss, and was not answered. */
  readonly #proposed = new Map<number, string>();
  readonly #toTell = new Map<Told, Set<number>>();
  #losses = 0;

  constructor(options: RedisAmnesiaOptions) {
    this.#options = options;
  }

  get state(): Omit<Amnesia, 'unconfirmed'> {
    const now = this.#options.clock.monotonicMs();
    return { losses: this.#losses, shards: this.#until.filter(until => until > now).length };
  }

  /** To be taken before a question is sent: its answer must not show less than this. */
  seen(shard: number): Seen {
    return this.#seen[shard] ?? { writes: 0, epoch: '' };
  }

  epochToBegin(): string {
    return this.#options.random.id();
  }

  /** Takes in what a write to the shard showed. */
  noteWritten(shard: number, writes: number, epoch: string): void {
    const { writes: before, epoch: known } = this.seen(shard);
    if (known === '' || known === epoch) this.#seen[shard] = { writes: Math.max(before, writes), epoch };
    else this.#noteLate(shard, { writes, epoch });
  }

  /** From a server before, or after, the one that is known: was all of it there in the end? */
  #noteLate(shard: number, seen: Seen): void {
    const name = `${shard} ${seen.epoch}`;
    const before = this.#late.get(name);
    if (before && before.writes >= seen.writes) return;
    this.#late.set(name, seen);
    if (!before) this.#settleLate(shard, name).catch(() => {});
  }

  async #settleLate(shard: number, name: string): Promise<void> {
    for (let late = this.#late.get(name); late; late = this.#late.get(name)) {
      // Without an answer it is asked again at the next look.
      if (!(await this.ask(shard, late))) return;
      if (this.#late.get(name) === late) this.#late.delete(name);
    }
  }

  /** A move raises the count, so that it shows a loss as well as a claim does. */
  noteMoved(shard: number, before: Seen, writes: number, epoch: string): void {
    // Where it fails the next look asks.
    if (epoch === before.epoch && writes <= before.writes) this.ask(shard).catch(() => {});
    else this.noteWritten(shard, writes, epoch);
  }

  /** Takes in what a look at the shard showed: now, writes, epoch, and until when it takes no money. */
  async noteState(shard: number, before: Seen, state: ScriptReply): Promise<void> {
    const [now, writes, epoch, until] = listOf(state);
    for (const name of this.#late.keys()) {
      if (name.startsWith(`${shard} `)) await this.#settleLate(shard, name);
    }
    if (numberOf(writes) < before.writes || (before.epoch !== '' && textOf(epoch) !== before.epoch)) {
      await this.ask(shard);
      return;
    }
    // The start may have found the server away.
    if (textOf(epoch) === '') await this.ask(shard);
    else this.noteWritten(shard, numberOf(writes), textOf(epoch));
    this.#noteUntil(shard, textOf(until), numberOf(now));
  }

  /**
   * To be done before anything else: asks every shard, and so gives an epoch to those that have none. Whatever does not tell
   * by then is asked when it is next looked at.
   */
  async begin(): Promise<void> {
    for (let tries = 0; tries < BEGIN_TRIES; tries += 1) {
      const silent = allShards().filter(({ number }) => this.seen(number).epoch === '');
      await Promise.all(silent.map(({ number }) => this.ask(number)));
    }
  }

  /**
   * Claims in a shard. Where something that was seen there is gone, that is noticed, and the claim made once more: money is
   * refused then, and the rest goes on. Nothing is written where it is `away`.
   */
  async claiming<T>(shard: number, claim: () => Promise<Reply<T> | 'missed'>): Promise<Reply<T>> {
    const { clock } = this.#options;
    const began = clock.monotonicMs();
    const isLate = () => clock.monotonicMs() - began > CLAIM_AGAIN_WITHIN_MS;
    const first = await claim();
    if (first !== 'missed') return first;
    const asked = this.ask(shard);
    if (isLate() || !(await asked) || isLate()) return { kind: 'away' };
    const second = await claim();
    return second === 'missed' ? { kind: 'away' } : second;
  }

  /**
   * Has the shard say whether anything of what was seen is lost. False where it does not say: then nothing is known, and
   * nothing changes.
   */
  ask(shard: number, seen = this.seen(shard)): Promise<boolean> {
    const name = `${shard} ${seen.writes} ${seen.epoch}`;
    const present = this.#asking.get(name);
    if (present !== undefined) return present;
    const asking = this.#ask(shard, seen).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  async #ask(shard: number, { writes, epoch }: Seen): Promise<boolean> {
    const { run, forMs } = this.#options;
    const keys = keysOfShard(shard);
    // The same until there is an answer: whoever was first is to say so, also where the first answer was lost.
    const proposed = this.#proposed.get(shard) ?? this.epochToBegin();
    this.#proposed.set(shard, proposed);
    const args = [String(writes), epoch, proposed, String(forMs)];
    const reply = await run(SCRIPTS.amnesia, [keys.epoch, keys.claims], args);
    if (reply.kind !== 'done') return false;
    this.#proposed.delete(shard);
    const [kind, now, counted, id, until] = listOf(reply.value);
    const isOurs = textOf(id) === proposed || textOf(id).startsWith(`${proposed}.`);
    const answer = kind === 'known' && isOurs ? 'lost' : kind;
    this.#noteUntil(shard, textOf(until), numberOf(now));
    const present = { writes: numberOf(counted), epoch: textOf(id) };
    const known = this.seen(shard).epoch;
    if (answer === 'lost' || answer === 'known') this.#begin(shard, present, answer);
    else if (known === epoch && known !== '' && known !== present.epoch) this.#begin(shard, present, 'switched');
    else if (known === '' || known === present.epoch) this.noteWritten(shard, present.writes, present.epoch);
    else this.ask(shard).catch(() => {});
    return true;
  }

  /**
   * Another epoch than was known. Nothing that was seen may be lost with it, and all the same something that was read and
   * told: so what is remembered is written again in any case.
   */
  #begin(shard: number, present: Seen, why: Told): void {
    this.#seen[shard] = present;
    this.#losses += 1;
    this.#tell(why, shard);
  }

  #noteUntil(shard: number, until: string, now: number): void {
    if (until === '') return;
    this.#until[shard] = this.#options.clock.monotonicMs() + numberOf(until) - now;
  }

  #tell(kind: Told, shard: number): void {
    const { clock, onNotice, place, forMs } = this.#options;
    const waiting = this.#toTell.get(kind);
    if (waiting) return void waiting.add(shard);
    const shards = new Set([shard]);
    this.#toTell.set(kind, shards);
    clock.after(TELL_AFTER_MS, () => {
      this.#toTell.delete(kind);
      const where = `in ${shards.size} of ${SHARD_COUNT} shards (${[...shards].sort((a, b) => a - b).join(' ')})`;
      const lost = `${place} has lost data that it had acknowledged, ${where}`;
      switch (kind) {
        case 'lost': {
          const text = `${lost}: for ${forMs / 60_000} minutes they take no money, undos aside; compare with the issuers' records`;
          return onNotice({ level: 'alarm', about: 'lostClaims', text });
        }
        case 'known':
          return onNotice({
            level: 'warning',
            about: 'lostClaims',
            text: `${lost}, as another gateway has noticed before`,
          });
        case 'switched': {
          const text = `${place} is another server than before, or was restarted, ${where}: they begin no money for ${CALM_MS / 1000} s`;
          return onNotice({ level: 'info', about: 'connection', text });
        }
      }
    });
  }
}
