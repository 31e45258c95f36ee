/**
 * The contract between the engine of the bench and the primitives: operations that are measured by themselves, without HTTP
 * around them, each in a process of its own.
 */
import type { World } from '../peers/types.ts';

/** What a primitive did in its measured time, after a warm-up of its own. */
export type Operations = {
  /** By the wall. */
  readonly perSecond: number;
  /**
   * By user and system time of the process, which a busy machine does not change; undefined where it cannot be told. A
   * target compares it with requests per CPU-second.
   */
  readonly perCpuSecond?: number;
};

export type PrimitiveRow = {
  readonly name: string;
  readonly what: string;
  /** How many cores it may use: 1 runs pinned like a peer, `all` on every core. */
  readonly cores: 1 | 'all';
  /** Why it cannot be measured here; undefined where it can. */
  readonly isAvailable: () => Promise<string | undefined>;
  /** Measures for about `seconds`, after a warm-up of its own. */
  readonly measure: (world: World, seconds: number) => Promise<Operations>;
};
