/**
 * The line that shows how a load goes: written over again on a terminal, now and then a new one elsewhere.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { OpenLoop } from './openLoop.ts';
import type { Tally } from './tally.ts';

export interface Screen {
  /** A line that stays. */
  say(line: string): void;
  /** A line that the next one takes the place of. */
  show(line: string): void;
  /** How often to show one. */
  readonly everyMs: number;
}

type Stream = { readonly isTTY?: boolean; write(text: string): unknown };

const TERMINAL_MS = 500;
/** A log file needs no more. */
const FILE_MS = 5000;
const CLEAR_LINE = '\r\u001b[K';

export function screenOf(stream: Stream): Screen {
  if (!stream.isTTY) {
    const say = (line: string): void => void stream.write(`${line}\n`);
    return { say, show: say, everyMs: FILE_MS };
  }
  let isShown = false;
  return {
    say: line => {
      // What was shown last stays above.
      stream.write(`${isShown ? '\n' : ''}${line}\n`);
      isShown = false;
    },
    show: line => {
      stream.write(`${CLEAR_LINE}${line}`);
      isShown = true;
    },
    everyMs: TERMINAL_MS,
  };
}

export type ProgressParts = {
  readonly loop: OpenLoop;
  readonly tally: Tally;
  readonly lengthMs: number;
  readonly clock: Clock;
  readonly screen: Screen;
};

export class Progress {
  readonly #parts: ProgressParts;
  readonly #stopping = new AbortController();

  constructor(parts: ProgressParts) {
    this.#parts = parts;
  }

  /** Shows the line until it is stopped, and once more then. */
  async run(): Promise<void> {
    const { clock, screen } = this.#parts;
    const startMs = clock.monotonicMs();
    let before = { atMs: startMs, done: 0 };
    while (!this.#stopping.signal.aborted) {
      await clock.sleep(screen.everyMs, this.#stopping.signal);
      const { done } = this.#parts.tally.totals;
      const atMs = clock.monotonicMs();
      const seconds = Math.max(0.001, (atMs - before.atMs) / 1000);
      screen.show(this.#line((atMs - startMs) / 1000, (done - before.done) / seconds));
      before = { atMs, done };
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  #line(seconds: number, perSecond: number): string {
    const { loop, tally, lengthMs } = this.#parts;
    const { made, outstanding, heldBack } = loop.progress;
    const { failed, repeats } = tally.totals;
    const { p50Ms, p99Ms } = tally.takeRecent();
    return [
      `${seconds.toFixed(0)}/${(lengthMs / 1000).toFixed(0)} s`,
      `${perSecond.toFixed(0)}/s`,
      `${made} made`,
      `${outstanding} outstanding`,
      `p50 ${p50Ms.toFixed(1)} ms`,
      `p99 ${p99Ms.toFixed(1)} ms`,
      `${repeats} repeats`,
      `${failed} without final answer`,
      ...(heldBack > 0 ? [`${heldBack} held back`] : []),
    ].join('  ');
  }
}
