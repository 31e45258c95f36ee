/**
 * Where the lines of the log go: a file descriptor, written in batches and in the background. A destination that is
 * full, closed or slow costs lines and never the work (F72): nothing here waits for it without a bound. The sink that
 * comes with the logger is not used because its last flush retries a full disk or a stopped reader for ever.
 */
import { fstatSync, openSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Clock } from './clock.ts';

/** About a hundred lines in one write, which costs as much for one line; less than a pipe holds, so that none waits there. */
const BATCH_LENGTH = 32 * 1024;
/** Lines of a quiet gateway appear within this. */
const BATCH_MS = 250;
/** What a reader that has stopped reading may cost us, beside the batch being written; past it lines are dropped. */
const BACKLOG_LENGTH_MAX = 8 * 1024 * 1024;
/** How long the end of the process waits for the last lines. */
const FLUSH_MS = 500;
const FLUSH_POLL_MS = 5;
/** A process that ends at once gives a slow reader this often, and this long each time, to take the last lines. */
const LAST_TRIES = 100;
const LAST_PAUSE_MS = 2;

type Put = (bytes: Buffer, from: number, done: (error: Error | null, written: number) => void) => void;

const ignore = (): void => undefined;

/**
 * How bytes are written to `fd`. Files go through the thread pool. A pipe must not: a reader that stops would hold a
 * thread in a write that never ends, and a process with such a thread cannot exit.
 */
const putOf = (fd: number): Put => {
  const stat = fstatSync(fd);
  if (!stat.isFIFO() && !stat.isSocket()) {
    return (bytes, from, done) => write(fd, bytes, from, bytes.length - from, null, done);
  }
  // Other parts of the process may write to the standard streams: each descriptor has one owner.
  const standard = fd === 1 ? process.stdout : fd === 2 ? process.stderr : undefined;
  const stream = standard ?? new Socket({ fd, readable: false });
  stream.on('error', ignore);
  return (bytes, from, done) => {
    const rest = bytes.subarray(from);
    stream.write(rest, error => done(error ?? null, rest.length));
  };
};

export type LogSink = { readonly write: (line: string) => void };

export type BatchSinkOptions = {
  /** A file descriptor, or a file to append to. */
  readonly destination: number | string;
  readonly clock: Clock;
  /** Told how many lines were lost, once lines arrive again. */
  readonly onDropped: (lines: number) => void;
  /** Characters; 8 Mi by default. */
  readonly backlogLengthMax?: number;
};

export class BatchSink implements LogSink {
  readonly #fd: number;
  readonly #put: Put;
  readonly #clock: Clock;
  readonly #onDropped: (lines: number) => void;
  readonly #backlogLengthMax: number;
  #pending: string[] = [];
  #pendingLength = 0;
  #writing = false;
  #scheduled = false;
  #dropped = 0;

  constructor(options: BatchSinkOptions) {
    const { destination } = options;
    this.#fd = typeof destination === 'number' ? destination : openSync(destination, 'a');
    this.#put = putOf(this.#fd);
    this.#clock = options.clock;
    this.#onDropped = options.onDropped;
    this.#backlogLengthMax = options.backlogLengthMax ?? BACKLOG_LENGTH_MAX;
    process.once('exit', () => this.#writeLast());
  }

  /** Takes one line. Never waits, never throws. */
  write(line: string): void {
    if (this.#pendingLength + line.length > this.#backlogLengthMax) {
      this.#dropped += 1;
      return;
    }
    this.#pending.push(line);
    this.#pendingLength += line.length;
    if (this.#pendingLength >= BATCH_LENGTH) this.begin();
    else this.#schedule();
  }

  /** Begins to write what there is, without waiting for more. */
  begin(): void {
    if (this.#writing || this.#pendingLength === 0) return;
    this.#writing = true;
    this.#continue(this.#takeAll(), 0);
  }

  /** Resolves when everything has been written, or half a second later. */
  async flush(): Promise<void> {
    const until = this.#clock.monotonicMs() + FLUSH_MS;
    this.begin();
    while ((this.#writing || this.#pendingLength > 0) && this.#clock.monotonicMs() < until) {
      await this.#clock.sleep(FLUSH_POLL_MS);
      this.begin();
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    this.#clock.after(BATCH_MS, () => {
      this.#scheduled = false;
      this.begin();
    });
  }

  #takeAll(): { readonly bytes: Buffer; readonly lines: number } {
    const batch = { bytes: Buffer.from(this.#pending.join('')), lines: this.#pending.length };
    this.#pending = [];
    this.#pendingLength = 0;
    return batch;
  }

  #continue(batch: { readonly bytes: Buffer; readonly lines: number }, from: number): void {
    this.#put(batch.bytes, from, (error, written) => {
      if (!error && from + written < batch.bytes.length) {
        this.#continue(batch, from + written);
        return;
      }
      this.#writing = false;
      if (error) this.#dropped += batch.lines;
      else this.#tellDropped();
      if (this.#pendingLength >= BATCH_LENGTH) this.begin();
      else if (this.#pendingLength > 0) this.#schedule();
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#onDropped(lines);
  }

  /** The process is ending without having flushed: what led to it is in the lines that have not begun to be written. */
  #writeLast(): void {
    const { bytes } = this.#takeAll();
    let from = 0;
    for (let tries = 0; from < bytes.length && tries < LAST_TRIES; tries += 1) from += this.#writeNow(bytes, from);
  }

  /** How much could be written at once; a full pipe is given a moment, anything else is not tried again. */
  #writeNow(bytes: Buffer, from: number): number {
    try {
      return writeSync(this.#fd, bytes, from);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return bytes.length;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_PAUSE_MS);
      return 0;
    }
  }
}
