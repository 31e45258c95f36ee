/**
 * Whether the site stands by, in the memory of this process, so that every call can be decided without asking the
 * journal; read anew several times a second, so that what an operator tells one gateway holds in all of them soon.
 */
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';
import type { Journal, Reply, Standby } from './journal.ts';
import type { NoticeSink } from './notice.ts';

/** How long another gateway may still take calls; one small question costs little. */
const POLL_MS = 250;

export type StandbyWatchDeps = {
  readonly journal: Pick<Journal, 'setStandby' | 'standby'>;
  readonly clock: Clock;
  readonly onNotice: NoticeSink;
  /** Told of each change, whoever made it; must not throw. */
  readonly onChange: (location: string | null) => void;
};

export class StandbyWatch {
  readonly #deps: StandbyWatchDeps;
  /** As the journal last told it. It stays while the journal is away. */
  #said: Standby | null = null;
  /** Counts our own writes, before and after each: what was read meanwhile may be older than they are. */
  #writes = 0;
  #polling: Promise<unknown> | undefined;
  #cancel: (() => void) | undefined;
  #isFailing = false;

  constructor(deps: StandbyWatchDeps) {
    this.#deps = deps;
  }

  /** Where callers are sent; null while the site works. */
  get location(): string | null {
    return this.#said?.location ?? null;
  }

  /** What was last said of the site, for an operator. */
  get said(): Standby | null {
    return this.#said;
  }

  /**
   * Asks the journal, and from then on asks it again and again. False where it did not tell within that time, in
   * milliseconds: then nobody knows whether calls may be taken here.
   */
  async start(withinMs: number): Promise<boolean> {
    const { clock } = this.#deps;
    const until = Deadline.in(clock, withinMs);
    let isTold = await this.#refresh();
    while (!isTold && until.leftMs() > 0) {
      await clock.sleep(POLL_MS);
      isTold = await this.#refresh();
    }
    this.#pollLater();
    return isTold;
  }

  /** Ends the asking; resolves when nothing of it is under way. What is known stays. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#polling;
  }

  /** Puts the site on standby, or with null back to work: here at once, elsewhere within moments, once it is `done`. */
  async set(location: string | null): Promise<Reply<void>> {
    this.#writes += 1;
    const reply = await this.#deps.journal.setStandby(location);
    this.#writes += 1;
    if (reply.kind === 'done') this.#take({ location, sinceMs: this.#deps.clock.wallMs() });
    return reply;
  }

  #pollLater(): void {
    this.#cancel = this.#deps.clock.after(POLL_MS, () => {
      this.#polling = this.#refresh().then(() => {
        if (this.#cancel) this.#pollLater();
      });
    });
  }

  /** Whether the journal told. Never rejects. What does not pass by itself is noted once, and once more when it has. */
  async #refresh(): Promise<boolean> {
    const writes = this.#writes;
    try {
      const reply = await this.#deps.journal.standby();
      if (reply.kind !== 'done') return false;
      if (reply.value === null && this.#said !== null) await this.#writeBack(this.#said);
      else if (writes === this.#writes) this.#take(reply.value);
      this.#note(undefined);
      return true;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  /** What was said is never unsaid: the journal has lost it, as after a failover. It holds here, and is said again. */
  async #writeBack({ location }: Standby): Promise<void> {
    const reply = await this.#deps.journal.setStandby(location, true);
    if (reply.kind !== 'done' || location === null) return;
    const text = 'the journal has lost that the site stands by: it holds here, and is written back';
    this.#deps.onNotice({ level: 'alarm', about: 'storage', text });
  }

  #take(said: Standby | null): void {
    const before = this.location;
    this.#said = said;
    if (this.location !== before) this.#deps.onChange(this.location);
  }

  #note(error: unknown): void {
    if ((error !== undefined) === this.#isFailing) return;
    this.#isFailing = error !== undefined;
    const why = error instanceof Error ? error.message : 'unknown error';
    const { onNotice } = this.#deps;
    if (this.#isFailing) onNotice({ level: 'alarm', about: 'storage', text: `standby cannot be kept in step: ${why}` });
    else onNotice({ level: 'info', about: 'storage', text: 'standby is in step again' });
  }
}
