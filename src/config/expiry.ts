/**
 * What of a configuration ends by itself: certificates, each with its moment, so that an operator is warned while there
 * is time to replace one, in the check of the configuration, in the log and in the metrics.
 */
import { dayOf } from './certificates.ts';
import type { Config } from './config.ts';
import type { Findings, Path } from './findings.ts';
import { pathText } from './findings.ts';

export type Expiry = {
  /** What ends, in words made of the configuration: `certificate of client demo-bank`. */
  readonly what: string;
  /** The key of the configuration that names it. */
  readonly path: string;
  /** In milliseconds since 1970. */
  readonly atMs: number;
};

const DAY_MS = 86_400_000;
/** Time enough to have a certificate issued and exchanged with the other side. */
export const EXPIRY_WARNING_MS = 30 * DAY_MS;

/** Everything in the configuration that ends, the soonest first. */
export const expiries = (config: Config): readonly Expiry[] =>
  config.expiries.toSorted((one, other) => one.atMs - other.atMs);

/** Collects what ends while the configuration is read, and warns of what ends soon; whatever has ended is told elsewhere. */
export class Expiries {
  readonly #findings: Findings;
  readonly #wallMs: number;
  readonly #all: Expiry[] = [];

  constructor(findings: Findings, wallMs: number) {
    this.#findings = findings;
    this.#wallMs = wallMs;
  }

  add(what: string, path: Path, atMs: number | undefined): void {
    if (atMs === undefined) return;
    this.#all.push({ what, path: pathText(path), atMs });
    if (atMs <= this.#wallMs || atMs - this.#wallMs >= EXPIRY_WARNING_MS) return;
    const days = Math.floor((atMs - this.#wallMs) / DAY_MS);
    this.#findings.warning(path, `the ${what} expires on ${dayOf(atMs)}, in ${days} days`, 'replace it before that');
  }

  get all(): readonly Expiry[] {
    return this.#all;
  }
}
