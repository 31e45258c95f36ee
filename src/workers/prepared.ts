/**
 * The configuration that a worker has proved it can take over, until it is told to. A proof may be so late that nobody waits
 * for it any more and another one has begun; then what was asked for last stands, whichever of them ends last.
 */
import type { Problem } from '../config/config.ts';

/** What keeps a configuration from being taken over, or what takes it over. */
export type Proof = readonly Problem[] | (() => void);

export class Prepared {
  #takeOver: (() => void) | undefined;
  /** How often something was asked for or let go. */
  #turn = 0;

  /** Holds ready what the proof gives, in place of anything before; gives what is wrong with it. */
  async hold(prove: () => Promise<Proof>): Promise<readonly Problem[]> {
    this.letGo();
    const turn = this.#turn;
    const proof = await prove();
    if (typeof proof !== 'function') return proof;
    if (turn === this.#turn) this.#takeOver = proof;
    return [];
  }

  letGo(): void {
    this.#turn += 1;
    this.#takeOver = undefined;
  }

  /** Takes it over, once. @throws Error where nothing is ready. */
  commit(): void {
    const takeOver = this.#takeOver;
    if (!takeOver) throw new Error('nothing is prepared');
    this.letGo();
    takeOver();
  }
}
