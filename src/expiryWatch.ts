/**
 * Tells in the log what of the configuration ends soon, at the start, after a reload and once a day, raises the alarm about
 * what has ended, at that very moment too, and says for the metrics how long it all has left: a certificate that ends
 * unnoticed is an outage on a date that everybody knew.
 */
import type { Config } from './config/config.ts';
import { EXPIRY_WARNING_MS, type Expiry, expiries } from './config/expiry.ts';
import type { Clock } from './runtime/clock.ts';
import type { Log } from './runtime/log.ts';
import type { Metrics } from './runtime/metrics.ts';

const DAY_MS = 86_400_000;

export type ExpiryWatchDeps = {
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly metrics: Pick<Metrics, 'alarm'>;
  /** The configuration as it is now. */
  readonly config: () => Config;
  /** False: only `left` is asked for, and another process tells. */
  readonly tells?: boolean | undefined;
};

export class ExpiryWatch {
  readonly #deps: ExpiryWatchDeps;
  #cancel: () => void = () => undefined;

  constructor(deps: ExpiryWatchDeps) {
    this.#deps = deps;
  }

  /** Warns now, and from now on once a day and whenever something ends. */
  tell(): void {
    this.#cancel();
    const { clock, config, tells = true } = this.#deps;
    if (!tells) return;
    const now = clock.wallMs();
    const all = expiries(config());
    for (const expiry of all) this.#tellOf(expiry, now);
    const next = all.find(({ atMs }) => atMs > now);
    this.#cancel = clock.after(Math.min(DAY_MS, next ? next.atMs - now : DAY_MS), () => this.tell());
  }

  #tellOf({ what, path, atMs }: Expiry, now: number): void {
    const { log, metrics } = this.#deps;
    if (atMs <= now) {
      log.warn('alarm', { kind: 'expired', what, path });
      metrics.alarm('expired');
    } else if (atMs - now < EXPIRY_WARNING_MS) {
      log.warn('expiry', { what, path, count: Math.floor((atMs - now) / DAY_MS) });
    }
  }

  /** Milliseconds left, below 0 where it has ended; of several things with the same words the one that ends first. */
  left(): ReadonlyMap<string, number> {
    const { clock, config } = this.#deps;
    const now = clock.wallMs();
    return new Map(
      expiries(config())
        .toReversed()
        .map(({ what, atMs }) => [what, atMs - now]),
    );
  }

  stop(): void {
    this.#cancel();
  }
}
