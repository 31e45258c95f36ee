/**
 * Tells in the log what of the configuration ends soon, at the start, after a reload and once a day, and how long it all
 * has left for the metrics: a certificate that ends unnoticed is an outage on a date that everybody knew.
 */
import type { Config } from './config/config.ts';
import { EXPIRY_WARNING_MS, expiries } from './config/expiry.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';

const DAY_MS = 86_400_000;

export class ExpiryWatch {
  readonly #clock: Clock;
  readonly #log: Pick<Log, 'warn'>;
  readonly #config: () => Config;
  #cancel: () => void = () => undefined;

  /** `config` gives the configuration as it is now. */
  constructor(clock: Clock, log: Pick<Log, 'warn'>, config: () => Config) {
    this.#clock = clock;
    this.#log = log;
    this.#config = config;
  }

  /** Warns now, and from now on once a day. */
  tell(): void {
    this.#cancel();
    const now = this.#clock.wallMs();
    for (const { what, path, atMs } of expiries(this.#config())) {
      const days = Math.floor((atMs - now) / DAY_MS);
      if (atMs - now < EXPIRY_WARNING_MS) this.#log.warn('expiry', { what, path, count: days });
    }
    this.#cancel = this.#clock.after(DAY_MS, () => this.tell());
  }

  /** Milliseconds left, below 0 where it has ended; of several things with the same words the one that ends first. */
  left(): ReadonlyMap<string, number> {
    const now = this.#clock.wallMs();
    return new Map(
      expiries(this.#config())
        .toReversed()
        .map(({ what, atMs }) => [what, atMs - now]),
    );
  }

  stop(): void {
    this.#cancel();
  }
}
