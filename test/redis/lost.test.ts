/**
 * Redis loses what it had acknowledged, under traffic and with doubts open: the end of its append-only file, all of it,
 * or what a replica had not heard when it was promoted. The gateways notice, take no new money there, write again what
 * they remember, and end what they owed; with an issuer that knows its ids nothing is doubled, lost or made up.
 */
import { describe, expect, it } from 'vitest';
import { metric, Rig, untilNothingOwed } from '../journey/rig.ts';
import { call, get } from '../support/client.ts';
import type { Gateway } from '../support/gatewayProcess.ts';
import type { ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { waitFor } from '../support/waitFor.ts';
import { judge, SETTING } from './stage.ts';
import { clusterFailedOver, cutAof, failedOver, flushed, type LossyStore, lenientIssuer } from './stores.ts';
import { Traffic, type Transaction, toldOf } from './traffic.ts';

type Row = readonly [name: string, open: (rig: Rig) => Promise<LossyStore>];

const ONE_SERVER: readonly Row[] = [
  ['F57 F51: the end of the append-only file is cut off', cutAof],
  ['F76: flushed', flushed],
];
const WITH_REPLICAS: readonly Row[] = [
  ['F50 F51: sentinels promote a replica that had fallen behind', failedOver],
  ['F50 F61: a Cluster promotes a replica that had fallen behind', clusterFailedOver],
];

/** One after the other: starts and elections are work enough for a small machine. */
const IN_TURN = { concurrent: false, timeout: 150_000 };

/** Every third purchase is done and its answer lost, and nobody can undo it for now: doubts that stay open. */
function leaveDoubts(issuer: ScriptedIssuer): void {
  let purchases = 0;
  const isThird = () => {
    purchases += 1;
    return purchases % 3 === 0;
  };
  issuer.script('Purchase', { kind: 'resetAfterEffect' }, { where: isThird });
  issuer.script('Reversal', { kind: 'status', status: 503, effect: false });
}

async function loses(rig: Rig, store: LossyStore): Promise<void> {
  const issuer = await lenientIssuer(rig);
  const options = { ...SETTING, issuer: { ...SETTING.issuer, breaker: { minimumCalls: 100_000 } } };
  const start = () => rig.gateway(issuer, { journalUrl: store.url, ...options });
  const gateways = await Promise.all([start(), start()]);
  const traffic = new Traffic('card', gateways);
  await traffic.rounds(10);
  leaveDoubts(issuer);
  await store.begin();
  const begun = traffic.transactions.length;
  await traffic.rounds(8);
  const isDoubt = (transaction: Transaction) => toldOf(transaction) === '68';
  await waitFor('a doubt', () => traffic.transactions.slice(begun).some(isDoubt));
  await store.lose();

  const isNotReady = async ({ adminUrl }: Gateway) => (await get(`${adminUrl}/readyz`)).status === 503;
  const noticed = async () => (await Promise.all(gateways.map(isNotReady))).every(Boolean);
  await waitFor('the gateways to notice', noticed, { everyMs: 50 });
  const since = performance.now();
  await waitFor('somebody to be refused', () => traffic.heard(({ begun }) => begun >= since).has('503'));
  const alarmOf = async (gateway: Gateway) => (await metric(gateway, 'gateway_alarms_total', { kind: 'amnesia' })) ?? 0;
  // Who was first says so, and the others need not.
  await waitFor('an alarm', async () => Math.max(...(await Promise.all(gateways.map(alarmOf)))));
  issuer.heal();
  await traffic.stop(2000);
  for (const gateway of gateways) {
    await untilNothingOwed(gateway);
    await waitFor('nothing to be parked', async () => (await metric(gateway, 'gateway_obligations_parked')) === 0);
    // What moves no money goes on.
    const command = await call(gateway, 'CardStatusUpdate', { cardToken: 'command', cardOptFlag: 'B' });
    expect(command.body.responseCode).toBe('00');
  }
  await judge({ issuer, gateways }, traffic, { isLost: true });
}

describe.concurrent.each([
  ['one server', ONE_SERVER],
  ['a primary with a replica', WITH_REPLICAS],
] as const)('I1 I2 I3 I5 I8 I9 I12 I13 I17 I18 acknowledged writes are lost: %s', (_, rows) => {
  it.for(rows)('%s', IN_TURN, async ([, open], test) => {
    const rig = new Rig(test);
    await loses(rig, await open(rig));
  });
});
