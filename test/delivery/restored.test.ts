/**
 * A store that has lost the mark on an original, but not the Reversal that set it: the gateway that told the Reversal's
 * caller `00` marks the original again, before anything else is done about it.
 */
import { expect, it, type TestContext } from 'vitest';
import { rowOf } from '../../src/catalogue/apis.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import { Deliveries } from '../../src/delivery/deliveries.ts';
import { apply, type Draft, type Policy } from '../../src/domain/entry.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import type { Header } from '../../src/domain/message.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { Steps } from '../../src/journal/steps.ts';
import { createVault } from '../../src/journal/vault.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom as random } from '../../src/runtime/random.ts';
import { claimOf } from '../journal/entries.ts';
import { DAY_MS, usd } from '../journal/journalSteps.ts';
import { replaced } from '../support/replacedJournal.ts';
import { waitFor } from '../support/waitFor.ts';

const vault = createVault([new Secret(new Uint8Array(32))]);
const soon = () => Deadline.in(clock, 5000);

/** A claim of an API, as the journey makes it. */
function draftOf(tranId: string, api: string, policy: Policy, more: Record<string, string> = {}): Draft {
  const draft = claimOf(tranId, { api: api as ApiName, policy, amount: usd(500n) });
  const fields = { cardToken: 'card', tranAmount: '5.00', tranCurrency: '840', ...more };
  const message = messageOf(rowOf(draft.api), { ...draft.key } as Header, fields);
  return { ...draft, message: vault.sealMessage(draft.key, message) };
}

async function stage(test: TestContext) {
  const kept = await createSqliteJournal({ path: ':memory:', retentionMs: DAY_MS, onNotice: () => {}, clock });
  let losses = 0;
  const journal = replaced(kept, { amnesia: () => ({ losses, shards: 0, unconfirmed: 0 }) });
  const steps = new Steps(journal, clock, random);
  const nothing = () => undefined;
  const failed = (error: unknown) => expect.fail(String(error));
  const observer = { attempted: nothing, takenOver: nothing, late: nothing, parked: nothing, failed };
  const issuers = { get: nothing, all: () => [] };
  const deliveries = new Deliveries({ journal, steps, vault, issuers, clock, random, observer });
  test.onTestFinished(async () => {
    await deliveries.stop();
    await kept.close();
  });
  const claimed = async (draft: Draft) => {
    const claim = await steps.claim(draft, soon());
    return claim.kind === 'fresh' ? claim.held : expect.fail(claim.kind);
  };
  const lose = () => {
    losses += 1;
  };
  return { deliveries, steps, claimed, lose };
}

it.for([
  ['00', true],
  ['25', false],
] as const)('F51 I5 I13 the mark of a Reversal that was told %s: set again %s', async ([code, isMarked], test) => {
  const { deliveries, steps, claimed, lose } = await stage(test);
  const original = await claimed(draftOf('ORIGINAL', 'Purchase', 'reverse'));
  const reversal = await claimed(draftOf('REVERSAL', 'Reversal', 'undo', { originalTranId: 'ORIGINAL' }));
  const answer = { code, sealed: null };
  await steps.move(
    reversal,
    (entry, now) => apply(entry, { type: 'settle', fence: 1, outcome: { kind: 'answered', answer }, now }),
    soon(),
  );
  const doubt = await claimed(draftOf('DOUBT', 'Purchase', 'reverse'));
  lose();
  deliveries.start();
  // The owner of this one ends it, which a look after the loss finds: by then all else has been restored.
  await steps.move(
    doubt,
    (entry, now) => apply(entry, { type: 'settle', fence: 1, outcome: { kind: 'unknown' }, now }),
    soon(),
  );
  const marked = async () => {
    const present = await steps.read(original.entry.key, soon());
    return present?.entry.standing.at === 'claimed' && present.entry.standing.marked;
  };
  if (isMarked) await waitFor('the mark', marked);
  else {
    await waitFor('the restoring', async () => (await steps.restoreLost(async () => true)) === 'nothing');
    expect(await marked()).toBe(false);
  }
});
