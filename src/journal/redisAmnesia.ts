/**
 * Whether Redis still has what this process has seen there. Every shard counts its writes and names its epoch; a count
 * that goes back or an epoch that is gone is data that was lost: a flush, a backup put back, a failover that lost what
 * it had acknowledged. A new process has seen nothing, so that an empty server is no loss to it; from its start on it
 * knows an epoch of every shard.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import type { Amnesia, Reply } from './journal.ts';
import type { NoticeSink } from './notice.ts';
import { allShards, keysOfShard, SHARD_COUNT } from './redisKeys.ts';
import { listOf, numberOf, SCRIPTS, type Script, type ScriptReply, textOf } from './redisScripts.ts';

/** What was last seen of a shard; the epoch is empty before the first. */
export type Seen = { readonly writes: number; readonly epoch: string };

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
/** A flush is noticed shard by shard within moments, and told in one line. */
const TELL_AFTER_MS = 300;

export class RedisAmnesia {
  readonly #options: RedisAmnesiaOptions;
  readonly #seen: Seen[] = Array.from({ length: SHARD_COUNT }, () => ({ writes: 0, epoch: '' }));
  /** Until when shards take no money, on the monotonic clock. */
  readonly #until: number[] = Array.from({ length: SHARD_COUNT }, () => Number.NEGATIVE_INFINITY);
  readonly #asking = new Map<number, Promise<boolean>>();
  readonly #toTell = new Map<'lost' | 'known', number[]>();
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

  noteClaimed(shard: number, writes: number, epoch: string): void {
    const { writes: before, epoch: known } = this.seen(shard);
    if (known === '' || known === epoch) this.#seen[shard] = { writes: Math.max(before, writes), epoch };
  }

  /** A move raises the count, so that it shows a loss as well as a claim does. */
  noteMoved(shard: number, before: Seen, writes: number): void {
    const { writes: now, epoch } = this.seen(shard);
    if (epoch !== before.epoch) return;
    if (writes > before.writes) this.#seen[shard] = { writes: Math.max(now, writes), epoch };
    else void this.ask(shard);
  }

  /** Takes in what a look at the shard showed: now, writes, epoch, and until when it takes no money. */
  async noteState(shard: number, before: Seen, state: ScriptReply): Promise<void> {
    const [now, writes, epoch, until] = listOf(state);
    if (numberOf(writes) < before.writes || (before.epoch !== '' && textOf(epoch) !== before.epoch)) {
      await this.ask(shard);
      return;
    }
    // The start may have found the server away.
    if (textOf(epoch) === '') await this.ask(shard);
    else this.noteClaimed(shard, numberOf(writes), textOf(epoch));
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

  /** Has the shard say whether data was lost. False where it does not say: then nothing is known, and nothing changes. */
  ask(shard: number): Promise<boolean> {
    const present = this.#asking.get(shard);
    if (present !== undefined) return present;
    const asking = this.#ask(shard).finally(() => this.#asking.delete(shard));
    this.#asking.set(shard, asking);
    return asking;
  }

  async #ask(shard: number): Promise<boolean> {
    const { run, forMs } = this.#options;
    const keys = keysOfShard(shard);
    const { writes, epoch } = this.seen(shard);
    const args = [String(writes), epoch, this.epochToBegin(), String(forMs)];
    const reply = await run(SCRIPTS.amnesia, [keys.epoch, keys.claims], args);
    if (reply.kind !== 'done') return false;
    const [kind, now, counted, present, until] = listOf(reply.value);
    this.#noteUntil(shard, textOf(until), numberOf(now));
    if (kind === 'lost' || kind === 'known') {
      this.#seen[shard] = { writes: numberOf(counted), epoch: textOf(present) };
      this.#losses += 1;
      this.#tell(kind, shard);
    } else this.noteClaimed(shard, numberOf(counted), textOf(present));
    return true;
  }

  #noteUntil(shard: number, until: string, now: number): void {
    if (until === '') return;
    this.#until[shard] = this.#options.clock.monotonicMs() + numberOf(until) - now;
  }

  #tell(kind: 'lost' | 'known', shard: number): void {
    const { clock, onNotice, place, forMs } = this.#options;
    const waiting = this.#toTell.get(kind);
    if (waiting) return void waiting.push(shard);
    const shards = [shard];
    this.#toTell.set(kind, shards);
    clock.after(TELL_AFTER_MS, () => {
      this.#toTell.delete(kind);
      const what = `${place} has lost data that it had acknowledged, in ${shards.length} of ${SHARD_COUNT} shards (${shards.sort((a, b) => a - b).join(' ')})`;
      if (kind === 'known') {
        onNotice({ level: 'warning', about: 'lostClaims', text: `${what}, as another gateway has noticed before` });
      } else {
        const text = `${what}: for ${forMs / 60_000} minutes they take no money, undos aside; compare with the issuers' records`;
        onNotice({ level: 'alarm', about: 'lostClaims', text });
      }
    });
  }
}
