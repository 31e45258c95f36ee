/**
 * What a journal has to tell the operator beyond its answers: things that are wrong with the store itself, which no
 * single call could report.
 */
export type JournalNotice = {
  /** An `alarm` means that promises may be broken; a `warning` that they are weaker than they could be. */
  readonly level: 'alarm' | 'warning' | 'info';
  /** A closed list: it labels metrics and log lines. */
  readonly about:
    | 'connection'
    | 'eviction'
    | 'persistence'
    | 'replicas'
    | 'lostClaims'
    | 'lostRevocations'
    | 'unchecked'
    | 'storage';
  /** One sentence for people: what, where, and how to mend it. Never holds content of an entry. */
  readonly text: string;
};

/** Takes notices; may not throw. */
export type NoticeSink = (notice: JournalNotice) => void;

/**
 * The journal holds something that no gateway of this version wrote, or a defect of ours shows. Unlike an outage it
 * does not pass by itself, so it is thrown. Names keys and fields, never content.
 */
export class JournalDefect extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'JournalDefect';
  }
}

/** Broken entries are reported once each, up to so many: past that the store as a whole is broken. */
const REPORTED_MOST = 1000;

/** Reports entries that cannot be read, each of them once, while the others go on. */
export class BrokenEntries {
  readonly #onNotice: NoticeSink;
  readonly #reported = new Set<string>();

  constructor(onNotice: NoticeSink) {
    this.#onNotice = onNotice;
  }

  /** What `read` gives; undefined where the entry of that name is broken, which is reported. */
  skip<T>(name: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.report(name, error);
      return undefined;
    }
  }

  /** Reports a broken entry. Throws again whatever is not about one entry. */
  report(name: string, error: unknown): void {
    if (!(error instanceof JournalDefect)) throw error;
    if (this.#reported.has(name) || this.#reported.size >= REPORTED_MOST) return;
    this.#reported.add(name);
    this.#onNotice({ level: 'alarm', about: 'storage', text: error.message });
  }
}
