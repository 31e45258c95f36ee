/**
 * A journal that grows from one size to the next, as long as there is room for what comes. What an entry takes up is
 * measured on the first of them, not assumed.
 */
import type { Texts } from './entries.ts';
import { fillSettled } from './fill.ts';
import type { OpenJournal, Taken } from './journals.ts';
import { keepRoom, lackOf, RoomGone, roomFor } from './room.ts';
import { grouped } from './tables.ts';

/** So many entries tell what one takes up; quick to write, and of a size that fits everywhere. */
const SAMPLE = 100_000;
const STEPS = 20;
/** Some ten megabytes. */
const LOOK_EVERY = 20_000;

export type Say = (line: string) => void;

export type GrowingOptions = {
  /** For what is said. */
  readonly name: string;
  /** On the disk that the journal is on. */
  readonly dir: string;
  readonly texts: Texts;
  readonly say: Say;
};

export class Growing {
  readonly #open: OpenJournal;
  readonly #options: GrowingOptions;
  #filled = 0;
  /** By what was filled, without what was measured in between. */
  #grown: Taken = { memoryBytes: undefined, diskBytes: 0 };
  #whyEnded: string | undefined;

  constructor(open: OpenJournal, options: GrowingOptions) {
    this.#open = open;
    this.#options = options;
  }

  /** What an entry takes up; nothing is known before the first. */
  get perEntry(): Taken {
    const { memoryBytes, diskBytes } = this.#grown;
    const each = (bytes: number) => bytes / Math.max(1, this.#filled);
    return { memoryBytes: memoryBytes === undefined ? undefined : each(memoryBytes), diskBytes: each(diskBytes) };
  }

  /** Fills it up to so many entries; tells why it cannot, where it cannot. */
  async growTo(entries: number): Promise<string | undefined> {
    if (this.#whyEnded !== undefined) return this.#whyEnded;
    try {
      if (this.#filled < SAMPLE) await this.#fill(Math.min(SAMPLE, entries));
      const { memoryBytes = 0, diskBytes } = this.perEntry;
      const lack = lackOf(entries - this.#filled, { memoryBytes, diskBytes }, roomFor(this.#options.dir));
      if (lack === undefined) await this.#fill(entries);
      return lack;
    } catch (error) {
      if (!(error instanceof RoomGone)) throw error;
      // How far it got is of no use: the sizes that follow are larger.
      this.#whyEnded = error.message;
      return error.message;
    }
  }

  async #fill(until: number): Promise<void> {
    const from = this.#filled;
    if (until <= from) return;
    const { name, dir, texts, say } = this.#options;
    const step = Math.max(1, Math.floor((until - from) / STEPS));
    let [next, lookAt] = [from + step, from];
    const before = await this.#open.taken();
    await fillSettled(this.#open, { from, until }, texts, done => {
      if (done >= lookAt) {
        lookAt = done + LOOK_EVERY;
        keepRoom(done, roomFor(dir));
      }
      if (done < next) return;
      next += step;
      say(`${name}: ${grouped(done)} of ${grouped(until)} entries`);
    });
    const after = await this.#open.taken();
    const grownBy = (kind: keyof Taken) => (this.#grown[kind] ?? 0) + (after[kind] ?? 0) - (before[kind] ?? 0);
    const memoryBytes = after.memoryBytes === undefined ? undefined : grownBy('memoryBytes');
    this.#grown = { memoryBytes, diskBytes: grownBy('diskBytes') };
    this.#filled = until;
  }
}
