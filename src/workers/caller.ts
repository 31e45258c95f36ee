/**
 * The supervisor's end of the channel to one worker: asks it something and waits for the answer, for so long and no
 * longer, and not beyond the worker's end.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Answered, Ask, Asked, CallName, Told } from './calls.ts';

/** Why there is no answer: it did not come in time, the worker ended, or it failed, of which its log tells. */
export class NoAnswer extends Error {
  readonly why: 'late' | 'ended' | 'failed';

  constructor(why: NoAnswer['why']) {
    super(`a worker gave no answer: ${why}`);
    this.name = 'NoAnswer';
    this.why = why;
  }
}

type Waiting = { readonly give: (value: unknown) => void; readonly fail: (why: NoAnswer['why']) => void };

export class Caller {
  readonly #send: (message: Ask) => void;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #isOver = false;

  constructor(send: (message: Ask) => void, clock: Clock) {
    this.#send = send;
    this.#clock = clock;
  }

  /** @throws NoAnswer */
  ask<Name extends CallName>(call: Name, given: Asked<Name>, withinMs: number): Promise<Answered<Name>> {
    if (this.#isOver) return Promise.reject(new NoAnswer('ended'));
    this.#asked += 1;
    const ask = this.#asked;
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel();
        this.#waiting.delete(ask);
      };
      const fail = (why: NoAnswer['why']) => {
        end();
        reject(new NoAnswer(why));
      };
      const give = (value: unknown) => {
        end();
        // Both ends are the same program.
        resolve(value as Answered<Name>);
      };
      const cancel = this.#clock.after(withinMs, () => fail('late'));
      this.#waiting.set(ask, { give, fail });
      this.#send({ ask, call, given });
    });
  }

  /** Takes an answer in; one that nobody waits for any more is dropped. */
  take(told: Exclude<Told, { readonly last: unknown }>): void {
    const waiting = this.#waiting.get(told.to);
    if ('failed' in told) waiting?.fail('failed');
    else waiting?.give(told.value);
  }

  /** The worker has ended: nothing is answered any more. */
  end(): void {
    this.#isOver = true;
    for (const waiting of [...this.#waiting.values()]) waiting.fail('ended');
  }
}
