/**
 * What every case of this folder does: traffic, a fault under it, the end of the fault, and then the question whether
 * everything ended and the issuer's books agree with what the callers were told.
 */
import { expect } from 'vitest';
import { approved, metric, payment, untilNothingOwed } from '../journey/rig.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { type Circumstances, disagreements } from './books.ts';
import { Traffic, type Transaction, toldOf } from './traffic.ts';

/** Time enough for a lease to end within seconds, and for the breaker to close again. */
export const SETTING = {
  client: { budgetMs: 1200, scopes: ['Transaction', 'Card'] },
  issuer: { timeoutMs: 800, maxProcessingMs: 800, breaker: { windowMs: 2000, openMs: 500 } },
} as const;

/** Where data was lost callers may be refused for minutes; all else ends in this time: leases, and their takeover after a switch. */
const LEASES_MS = 10_000;
const ISSUER_MS = 50;
/** Calls of every caller before a fault, and while it lasts. */
const BEFORE = 8;
const DURING = 3;

export type Fault = {
  readonly begin: () => Promise<unknown>;
  /** What else goes on while it lasts. */
  readonly during?: () => Promise<unknown>;
  readonly heal: () => Promise<unknown>;
};

export type Scene = { readonly issuer: ScriptedIssuer; readonly gateways: readonly Gateway[] };

/** What was seen while a fault lasted. */
export type Seen = {
  readonly traffic: Traffic;
  /** Of the calls that were begun under it. */
  readonly heard: ReadonlySet<string>;
  /** By calls that were begun before it and ended under it. */
  readonly interrupted: ReadonlySet<string>;
  /** Transactions that the issuer saw for the first time when all calls from before had ended. */
  readonly forwarded: readonly string[];
};

let played = 0;

/** Plays a fault under traffic, to the end of the traffic. */
export async function play({ issuer, gateways }: Scene, fault: Fault, { isLost }: Circumstances = {}): Promise<Seen> {
  played += 1;
  // At any time most calls are at the issuer, so that the fault meets them before their answers are stored.
  issuer.script('*', { kind: 'late', ms: ISSUER_MS });
  const traffic = new Traffic(`card-${played}`, gateways);
  await traffic.rounds(BEFORE);
  await fault.begin();
  const since = performance.now();
  // The second call of each was begun under the fault, so that all from before have ended.
  await traffic.rounds(2);
  const mark = issuer.requests.length;
  await fault.during?.();
  await traffic.rounds(DURING);
  const forwarded = newIds(issuer, mark, traffic.transactions);
  const heard = traffic.heard(({ begun }) => begun >= since);
  const interrupted = traffic.heard(({ begun, ended }) => begun < since && ended > since);
  await fault.heal();
  await traffic.rounds(DURING);
  issuer.heal();
  await (isLost ? traffic.stop(LEASES_MS) : traffic.stop());
  return { traffic, heard, interrupted, forwarded };
}

/** Transactions of callers, whose first message came after so many others. */
function newIds(issuer: ScriptedIssuer, mark: number, transactions: readonly Transaction[]): string[] {
  const known = new Set(issuer.requests.slice(0, mark).map(({ tranId }) => tranId));
  const own = new Set(transactions.map(({ tranId }) => tranId));
  const later = issuer.requests.slice(mark).map(({ tranId }) => tranId);
  return [...new Set(later)].filter(tranId => own.has(tranId) && !known.has(tranId));
}

/** I5 I17 I19: nothing is owed, nothing is parked, and the next payment goes through. */
export async function untilQuiet({ gateways }: Scene): Promise<void> {
  for (const gateway of gateways) {
    await approved(gateway, payment('after'));
    await untilNothingOwed(gateway);
    await waitFor('nothing to be parked', async () => (await metric(gateway, 'gateway_obligations_parked')) === 0);
  }
}

/** I1 I2 I3 I5 I8 I9 I13 I17 I18: nobody was told anything that the issuer's books, or a second answer, deny. */
export async function judge({ issuer, gateways }: Scene, traffic: Traffic, circumstances: Circumstances = {}) {
  for (const gateway of gateways) {
    const alarms = (await metric(gateway, 'gateway_alarms_total', { kind: 'amnesia' })) ?? 0;
    // Nobody cries that data was lost where none was.
    if (!circumstances.isLost) expect(alarms).toBe(0);
  }
  // One that was never told is not asked for again: that would begin it.
  await traffic.repeatAll(traffic.transactions.filter(transaction => toldOf(transaction) !== undefined));
  expect(disagreements(issuer, traffic, circumstances)).toEqual([]);
}
