/**
 * A process that puts load on one URL by autocannon: as an open loop at a fixed rate, or as a closed loop where wrk is not
 * installed. Given a rate itself, autocannon would send each second's share at its beginning, all at once, and correct
 * latencies by a millisecond whatever the rate; so here it only speaks HTTP, and `Pacer` says when.
 *
 * `node bench/engine/loader.ts ORDER.json` prints when the measured time begins and ends, and then one line as wrk's script does.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { readLines, requestAt } from '../peers/loads.ts';
import type { Load, LoadRequest, Slice } from '../peers/types.ts';
import { Pacer } from './pacer.ts';
import { Tally } from './tally.ts';
import { type LoadReport, REPORT_MARK } from './wrkReport.ts';

export type LoaderOrder = {
  readonly url: string;
  readonly load: Load;
  readonly slice: Slice;
  readonly connections: number;
  /** 0: a closed loop. */
  readonly ratePerSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
};

/** Printed when the measured time begins, and when it ends. */
export const MEASURING_MARK = 'MEASURING';
export const MEASURED_MARK = 'MEASURED';
const TICK_MS = 1;
/** What was due in time may still be sent and answered for so long. */
const GRACE_MS = 1_000;

/** The method of autocannon's client by which it begins its next request; no part of its interface, hence looked for. */
type Inner = autocannon.Client & { _doRequest: () => void };
const hasInner = (client: autocannon.Client): client is Inner =>
  '_doRequest' in client && typeof client._doRequest === 'function';

class Run {
  readonly #order: LoaderOrder;
  readonly #lines: readonly string[];
  readonly #tally: Tally;
  readonly #pacer: Pacer | undefined;
  /** When each request that has no answer yet was due, by its connection. */
  readonly #inFlight = new Map<autocannon.Client, number>();
  #sent = 0;
  #ended = false;

  constructor(order: LoaderOrder) {
    this.#order = order;
    this.#lines = readLines(order.load);
    const now = performance.now();
    const fromMs = now + order.warmUpSeconds * 1000;
    this.#tally = new Tally(fromMs, fromMs + order.seconds * 1000);
    this.#pacer = order.ratePerSecond > 0 ? new Pacer(order.ratePerSecond, now) : undefined;
  }

  async report(say: (mark: string) => void): Promise<LoadReport> {
    const load = this.#start();
    const ticks = setInterval(() => this.#pacer?.tick(performance.now()), TICK_MS);
    await sleep(this.#tally.fromMs - performance.now());
    say(MEASURING_MARK);
    await sleep(this.#tally.untilMs - performance.now());
    say(MEASURED_MARK);
    this.#ended = true;
    clearInterval(ticks);
    // What was due since the last tick, and still belongs to the measured time.
    this.#pacer?.tick(this.#tally.untilMs - TICK_MS / 10);
    const graceEnds = performance.now() + GRACE_MS;
    while (this.#hasUnanswered() && performance.now() < graceEnds) await sleep(TICK_MS);
    for (const dueAt of [...(this.#pacer?.waiting ?? []), ...this.#inFlight.values()]) {
      this.#tally.lost(dueAt, performance.now());
    }
    load.stop();
    return { ...this.#tally.report(), usedUp: Math.max(0, this.#sent - this.#order.slice.count) };
  }

  #hasUnanswered(): boolean {
    return this.#inFlight.size > 0 || (this.#pacer?.waiting.length ?? 0) > 0;
  }

  #start(): autocannon.Instance {
    const { url, connections, warmUpSeconds, seconds } = this.#order;
    const lifetime = Math.ceil(warmUpSeconds + seconds + (2 * GRACE_MS) / 1000);
    return autocannon(
      {
        url: new URL(url).origin,
        connections,
        duration: lifetime,
        // A connection may well be idle all the time at a low rate. What is not answered is found by `report`.
        timeout: lifetime,
        setupClient: client => this.#setUp(client),
        verifyBody: body => this.#tally.body(String(body ?? '')),
        requests: [{ setupRequest: request => ({ ...request, ...this.#next() }) }],
      },
      () => undefined,
    );
  }

  #next(): LoadRequest {
    const { load, slice, url } = this.#order;
    const request = requestAt(load, slice.from + (this.#sent % slice.count), this.#lines, Date.now());
    this.#sent += 1;
    return { ...request, path: new URL(url).pathname + request.path };
  }

  /** Takes over when the client sends: it asks to whenever its connection has nothing to do. */
  #setUp(client: autocannon.Client): void {
    if (!hasInner(client)) throw new Error('this version of autocannon cannot be told when to send');
    const begin = client._doRequest.bind(client);
    let idle = false;
    const send = (dueAt: number) => {
      idle = false;
      this.#inFlight.set(client, dueAt);
      begin();
    };
    client.on('response', (status: number) => {
      this.#tally.answered(this.#inFlight.get(client) ?? 0, status, performance.now());
      this.#inFlight.delete(client);
    });
    client._doRequest = () => {
      const unanswered = this.#inFlight.get(client);
      // It asks again with a new connection, and what was on the old one will not be answered.
      if (unanswered !== undefined) this.#tally.lost(unanswered, performance.now());
      this.#inFlight.delete(client);
      if (idle) return;
      // Of an open loop, what was due in time is still sent when its turn comes: else a short pause at the end would count
      // as failures, which it would not have been a moment before.
      if (this.#pacer === undefined) return this.#ended ? undefined : send(performance.now());
      idle = true;
      this.#pacer.free({ send });
    };
  }
}

if (import.meta.main) {
  const order: LoaderOrder = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
  const report = await new Run(order).report(mark => console.log(mark));
  console.log(REPORT_MARK + JSON.stringify(report));
  process.exit(0);
}
