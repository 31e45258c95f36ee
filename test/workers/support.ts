/**
 * What tests of a gateway with several workers ask: which processes it is made of, and what came of calls that were made
 * while something happened to those.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { payment } from '../journey/rig.ts';
import { netOf } from '../journey/support.ts';
import { type Answer, call, newTranId } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';

/** A start is all computing, on a machine that has other things to do. */
export const STARTED = { timeoutMs: 60_000 } as const;

/** The workers that were ever said to serve, in order: their numbers and processes. */
export const workersOf = (gateway: Gateway): readonly { readonly worker: unknown; readonly pid: number }[] =>
  gateway
    .logLines()
    .filter(({ event, state }) => event === 'worker' && state === 'serving')
    .map(({ worker, pid }) => ({ worker, pid: Number(pid) }));

/** The processes of so many workers, once the log has told of them. */
export const untilServing = async (gateway: Gateway, count: number): Promise<readonly number[]> => {
  await waitFor(`${count} workers`, () => workersOf(gateway).length >= count, STARTED);
  return workersOf(gateway).map(({ pid }) => pid);
};

/** SIGKILL to one process; the pid 0 would be everybody here. */
export const kill9 = (pid: number | undefined): void => {
  if (!pid) throw new Error('there is no process to kill');
  process.kill(pid, 'SIGKILL');
};

export const runs = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** Which workers have logged a finished request. */
export const servedBy = (gateway: Gateway): ReadonlySet<unknown> =>
  new Set(gateway.logLines().flatMap(({ event, worker }) => (event === 'request' ? [worker] : [])));

/** So many calls at once, each on a connection of its own. */
export const atOnce = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** Between two calls of a caller. */
const PACE_MS = 10;

type Told = { readonly tranId: string; readonly code: string };

/** Purchases, one after the other from each of several callers, who repeat what they were not told, until it is ended. */
export class Traffic {
  readonly told: Told[] = [];
  /** Connections that broke, and answers that told nothing. */
  untold = 0;
  readonly #gateway: Gateway;
  readonly #callers: Promise<unknown>;
  #isOver = false;

  constructor(gateway: Gateway, callers: number) {
    this.#gateway = gateway;
    this.#callers = atOnce(callers, index => this.#run(`traffic-${index}`));
  }

  /** Until so many more were told. */
  async more(count: number): Promise<void> {
    const enough = this.told.length + count;
    await waitFor('more calls', () => this.told.length >= enough);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#callers;
  }

  /** What of all this was done otherwise than it was told. */
  wrong(issuer: ScriptedIssuer): readonly string[] {
    return this.told.flatMap(({ tranId, code }) => {
      const { available } = netOf(issuer, tranId);
      const right = code === '00' ? -100n : 0n;
      return available === right ? [] : [`${tranId}: told ${code}, done ${available}`];
    });
  }

  async #run(card: string): Promise<void> {
    while (!this.#isOver) {
      const tranId = newTranId();
      const answer = await waitFor(`the outcome of ${tranId}`, () => this.#try(card, tranId));
      this.told.push({ tranId, code: String(answer.body.responseCode) });
      // As dense as the test needs it, and no denser.
      await sleep(PACE_MS);
    }
  }

  async #try(card: string, tranId: string): Promise<Answer | undefined> {
    try {
      const answer = await call(this.#gateway, 'Purchase', payment(card, '1.00'), { tranId });
      if (answer.status !== 503 && answer.body.responseCode !== '09') return answer;
    } catch {
      // Its worker is gone.
    }
    this.untold += 1;
    return undefined;
  }
}
