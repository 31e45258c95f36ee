/**
 * What was found due before the store lost data: it may have ended in what was lost, so that nothing more of it is begun
 * until that is written again.
 */
import { expect, it } from 'vitest';
import { rowOf } from '../../src/catalogue/apis.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import { Deliveries } from '../../src/delivery/deliveries.ts';
import { apply } from '../../src/domain/entry.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import type { Header } from '../../src/domain/message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { Steps } from '../../src/journal/steps.ts';
import { createVault } from '../../src/journal/vault.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom as random } from '../../src/runtime/random.ts';
import { claimOf } from '../journal/entries.ts';
import { DAY_MS } from '../journal/journalSteps.ts';
import { replaced } from '../support/replacedJournal.ts';
import { waitFor } from '../support/waitFor.ts';
import { lineOf } from './lines.ts';

const vault = createVault([new Secret(new Uint8Array(32))]);
const soon = () => Deadline.in(clock, 5000);

/** A LoadFund in doubt, whose repeat is due. */
async function doubt(steps: Steps, tranId: string): Promise<void> {
  const draft = claimOf(tranId, { policy: 'repeat', api: 'LoadFund' as ApiName });
  const message = messageOf(rowOf(draft.api), { ...draft.key } as Header, { cardToken: 'card' });
  const claimed = await steps.claim({ ...draft, message: vault.sealMessage(draft.key, message) }, soon());
  if (claimed.kind !== 'fresh') expect.fail(claimed.kind);
  await steps.move(
    claimed.held,
    (entry, now) => apply(entry, { type: 'settle', fence: 1, outcome: { kind: 'unknown' }, now }),
    soon(),
  );
}

it('F76 I1: nothing that was found before a loss is sent before what was lost is written again', async test => {
  const kept = await createSqliteJournal({ path: ':memory:', retentionMs: DAY_MS, onNotice: () => {}, clock });
  const restoring = Promise.withResolvers<void>();
  let losses = 0;
  let restored = 0;
  const journal = replaced(kept, {
    amnesia: () => ({ losses, shards: 0, unconfirmed: 0 }),
    restore: async entry => {
      restored += 1;
      await restoring.promise;
      return kept.restore(entry);
    },
  });
  const steps = new Steps(journal, clock, random);
  const sent: PromiseWithResolvers<Outcome>[] = [];
  const line = lineOf(() => {
    const outcome = Promise.withResolvers<Outcome>();
    sent.push(outcome);
    return outcome.promise;
  });
  const nothing = () => undefined;
  const failed = (error: unknown) => expect.fail(String(error));
  const observer = { attempted: nothing, takenOver: nothing, late: nothing, parked: nothing, failed };
  const issuers = { get: () => line, all: () => [line] };
  const deliveries = new Deliveries({ journal, steps, vault, issuers, clock, random, observer });
  test.onTestFinished(async () => {
    for (const { resolve } of sent) resolve({ kind: 'unknown', reason: 'timeout' });
    await deliveries.stop();
    await kept.close();
  });

  for (const tranId of ['FIRST', 'SECOND', 'THIRD']) await doubt(steps, tranId);
  deliveries.start();
  // One at a time: the others were found with it, and wait for its place.
  await waitFor('the first of them', () => sent.length === 1);
  losses += 1;
  sent[0]?.resolve({ kind: 'unknown', reason: 'timeout' });
  await waitFor('the restoring to begin', () => restored > 0);
  expect(sent).toHaveLength(1);
  restoring.resolve();
  await waitFor('the next one', () => sent.length === 2);
});
