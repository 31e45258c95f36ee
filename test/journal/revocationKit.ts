/**
 * What the tests of the list of revocations share: a clock that is moved by hand, and a journal that can be away, late or
 * full, or forget.
 */
import type { Reply, Revocation } from '../../src/journal/journal.ts';
import type { JournalNotice } from '../../src/journal/notice.ts';
import { RevocationList } from '../../src/journal/revocations.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { systemRandom } from '../../src/runtime/random.ts';

export const START_MS = 1_700_000_000_000;
export const POLL_MS = 250;
/** Within what is not counted as lost, for it may have ended in the journal. */
export const UNTIL_MS = START_MS + 60_000;
export const LATE_MS = START_MS + 3_600_000;
export const START_WITHIN_MS = 10_000;

/** Time goes on when it is told to; what was due by then has run when `pass` resolves. */
export class HandClock {
  nowMs = START_MS;
  timers: { at: number; run: () => void }[] = [];
  readonly clock: Clock = {
    ...systemClock,
    wallMs: () => this.nowMs,
    monotonicMs: () => this.nowMs,
    sleep: ms => this.pass(ms),
    after: (ms, run) => {
      const timer = { at: this.nowMs + ms, run };
      this.timers.push(timer);
      return () => {
        this.timers = this.timers.filter(each => each !== timer);
      };
    },
  };
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.timers.filter(({ at }) => at <= this.nowMs);
    this.timers = this.timers.filter(timer => !due.includes(timer));
    for (const { run } of due) run();
    await settle();
  }
}
export const started = async (each: RevocationList): Promise<void> => {
  if (!(await each.start(START_WITHIN_MS))) throw new Error('it did not start');
};
/** Lets everything run that waits for no timer. */
export const settle = () => new Promise<void>(resolve => setImmediate(resolve));

export class StandIn {
  readonly kept = new Map<string, Revocation>();
  /** What writes and reads say instead of being done; an error is thrown. */
  writing: 'away' | 'unsure' | Error | undefined;
  reading: 'away' | 'unsure' | Error | undefined;
  /** Reads wait for this after they have seen the list. */
  late: Promise<void> | undefined;
  writes = 0;
  reads = 0;
  readonly #time: HandClock;

  constructor(time: HandClock) {
    this.#time = time;
  }

  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    this.writes += 1;
    if (this.writing instanceof Error) throw this.writing;
    if (this.writing) return { kind: this.writing };
    this.kept.set(`${kind}/${id}`, { kind, id, untilMs });
    return { kind: 'done', value: undefined };
  }

  async revoked(): Promise<Reply<readonly Revocation[]>> {
    this.reads += 1;
    if (this.reading instanceof Error) throw this.reading;
    if (this.reading) return { kind: this.reading };
    const value = [...this.kept.values()].filter(({ untilMs }) => untilMs > this.#time.nowMs);
    await this.late;
    return { kind: 'done', value };
  }
}

/** A process on that journal, and what it has told the operator. */
export function listOn(journal: StandIn, time: HandClock): { list: RevocationList; notices: JournalNotice[] } {
  const notices: JournalNotice[] = [];
  const onNotice = (notice: JournalNotice) => void notices.push(notice);
  return { list: new RevocationList({ journal, clock: time.clock, random: systemRandom, onNotice }), notices };
}
