/**
 * The loader of the overload bench: callers that go on calling when they are turned away, which the usual loaders cannot
 * count. It tells answers that are of use (`00`, within the caller's budget) from refusals and from silence, and runs in a
 * process of its own: `node bench/overload/loader.ts '<LoaderOrder as JSON>'` prints one `LoaderReport` as JSON.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { idOf } from '../peers/ids.ts';

export type LoaderOrder = {
  readonly host: string;
  readonly port: number;
  /** Heads of the requests, in turn, up to the `timestamp`, which the loader adds with the empty line. */
  readonly heads: readonly string[];
  /** The body around its id. */
  readonly before: string;
  readonly after: string;
  /** The number of the first id; no two loads of one gateway share any. */
  readonly firstId: number;
  /** Connections at most. A caller that finds none free gives up at once. */
  readonly connections: number;
  /** Calls a second at even distances, whatever becomes of them; 0: every connection calls again when it has its answer. */
  readonly ratePerSecond: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** An answer that comes later than this is of no use to anybody. */
  readonly budgetMs: number;
  /** Processes whose CPU is read at both ends of the measured time. */
  readonly pids: readonly number[];
};

export type LoaderReport = {
  /** Calls that were due while it was measured. */
  readonly offered: number;
  /** Answered `00` within the budget. */
  readonly good: number;
  /** 503: turned away before anything was claimed. */
  readonly shed: number;
  /** Any other answer. */
  readonly other: number;
  /** `00`, but after the budget. */
  readonly late: number;
  /** Broken connections, and callers that found no connection free. */
  readonly broken: number;
  readonly noConnection: number;
  /** Of the good ones, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Measured time, and the CPU that the processes used in it. */
  readonly seconds: number;
  readonly cpuSeconds: number;
};

type Tally = { -readonly [Name in 'offered' | 'good' | 'shed' | 'other' | 'late' | 'broken' | 'noConnection']: number };

const APPROVED = '"responseCode":"00"';
const TICK_MS = 1;
/** Calls that share a `timestamp`, which may be minutes old. */
const STAMPED_EVERY = 1000;
/** The connections are made in batches, so that the backlog of the gateway is not what is measured. */
const OPENED_AT_ONCE = 100;

class Line {
  readonly #run: Run;
  readonly #socket: Socket;
  #dueAt = 0;
  #text = '';

  constructor(run: Run, order: LoaderOrder) {
    this.#run = run;
    this.#socket = connect({ host: order.host, port: order.port, noDelay: true }, () => run.idle(this));
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => run.closed(this, this.#dueAt));
  }

  send(request: string, dueAt: number): void {
    this.#dueAt = dueAt;
    this.#socket.write(request, 'latin1');
  }

  end(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    const head = this.#text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = /content-length: (\d+)/i.exec(this.#text.slice(0, head))?.[1];
    if (this.#text.length < head + 4 + Number(length ?? 0)) return;
    const text = this.#text;
    const dueAt = this.#dueAt;
    this.#text = '';
    this.#dueAt = 0;
    this.#run.answered(text, dueAt);
    // Where the gateway ends the connection the next call takes another one.
    if (/^connection: close/im.test(text.slice(0, head))) this.#socket.destroy();
    else this.#run.idle(this);
  }
}

class Run {
  readonly #order: LoaderOrder;
  readonly #tally: Tally = { offered: 0, good: 0, shed: 0, other: 0, late: 0, broken: 0, noConnection: 0 };
  readonly #latencies: number[] = [];
  readonly #idle: Line[] = [];
  readonly #lines = new Set<Line>();
  #calls = 0;
  #timestamp = '';
  #from = Number.POSITIVE_INFINITY;
  #until = Number.POSITIVE_INFINITY;
  #isCalling = false;
  #ended = false;

  constructor(order: LoaderOrder) {
    this.#order = order;
  }

  async report(): Promise<LoaderReport> {
    const { ratePerSecond, budgetMs } = this.#order;
    await this.#open();
    this.#isCalling = true;
    const measured = this.#measured();
    if (ratePerSecond > 0) await this.#openLoop(1000 / ratePerSecond);
    else for (const line of this.#idle.splice(0)) this.#call(line, performance.now());
    const used = await measured;
    // What was due until now may still be answered in time.
    await pause(Math.min(budgetMs, 1000));
    this.#ended = true;
    for (const line of this.#lines) line.end();
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 100) / 100;
    return { ...this.#tally, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), ...used };
  }

  /** Both ends as they really were: on a busy machine this process is late, too. */
  async #measured(): Promise<Pick<LoaderReport, 'seconds' | 'cpuSeconds'>> {
    const { pids, warmUpMs, measuredMs } = this.#order;
    await pause(warmUpMs);
    const [from, cpu] = [performance.now(), cpuSecondsOf(pids)];
    this.#from = from;
    await pause(measuredMs);
    this.#until = performance.now();
    this.#isCalling = false;
    return { seconds: (this.#until - from) / 1000, cpuSeconds: cpuSecondsOf(pids) - cpu };
  }

  idle(line: Line): void {
    if (this.#ended) return;
    if (this.#order.ratePerSecond === 0 && this.#isCalling) this.#call(line, performance.now());
    else this.#idle.push(line);
  }

  closed(line: Line, dueAt: number): void {
    this.#lines.delete(line);
    const at = this.#idle.indexOf(line);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#ended) return;
    if (dueAt > 0 && this.#counts(dueAt)) this.#tally.broken += 1;
    this.#lines.add(new Line(this, this.#order));
  }

  answered(text: string, dueAt: number): void {
    if (!this.#counts(dueAt)) return;
    const ms = performance.now() - dueAt;
    if (text.startsWith('HTTP/1.1 503')) this.#tally.shed += 1;
    else if (!text.includes(APPROVED)) this.#tally.other += 1;
    else if (ms > this.#order.budgetMs) this.#tally.late += 1;
    else {
      this.#tally.good += 1;
      this.#latencies.push(ms);
    }
  }

  async #open(): Promise<void> {
    const { connections } = this.#order;
    while (this.#lines.size < connections) {
      const batch = Math.min(OPENED_AT_ONCE, connections - this.#lines.size);
      for (let n = 0; n < batch; n += 1) this.#lines.add(new Line(this, this.#order));
      await pause(TICK_MS);
      while (this.#idle.length < this.#lines.size) await pause(TICK_MS);
    }
  }

  async #openLoop(everyMs: number): Promise<void> {
    for (let due = performance.now(); this.#isCalling; ) {
      for (const now = performance.now(); due <= now; due += everyMs) {
        const line = this.#idle.pop();
        if (line) this.#call(line, due);
        else if (this.#counts(due)) {
          this.#tally.offered += 1;
          this.#tally.noConnection += 1;
        }
      }
      await pause(TICK_MS);
    }
  }

  #counts(dueAt: number): boolean {
    return dueAt >= this.#from && dueAt < this.#until;
  }

  #call(line: Line, dueAt: number): void {
    if (this.#counts(dueAt)) this.#tally.offered += 1;
    const { heads, before, after, firstId } = this.#order;
    if (this.#calls % STAMPED_EVERY === 0) this.#timestamp = `timestamp: ${Date.now()}\r\n\r\n`;
    const head = heads[this.#calls % heads.length] ?? '';
    const body = before + idOf(firstId + this.#calls) + after;
    this.#calls += 1;
    line.send(head + this.#timestamp + body, dueAt);
  }
}

/** Ticks of `/proc/PID/stat` (proc(5), fields 14 and 15) are hundredths of a second on every Linux of today. */
const cpuSecondsOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

if (import.meta.main) {
  const order: LoaderOrder = JSON.parse(process.argv[2] ?? '');
  process.stdout.write(`${JSON.stringify(await new Run(order).report())}\n`);
  process.exit(0);
}
