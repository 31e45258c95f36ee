/**
 * A try of a delivery and its lease, on a clock that jumps as the machine's does for a process that was frozen: what comes
 * after the lease must not be sent, and what was sent and ends after it may have reached the issuer last.
 */
import { expect, it, type TestContext } from 'vitest';
import { rowOf } from '../../src/catalogue/apis.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import { Deliveries } from '../../src/delivery/deliveries.ts';
import { apply, type Event } from '../../src/domain/entry.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import type { Header } from '../../src/domain/message.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { type Held, Steps } from '../../src/journal/steps.ts';
import { createVault } from '../../src/journal/vault.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom as random } from '../../src/runtime/random.ts';
import { claimOf } from '../journal/entries.ts';
import { DAY_MS } from '../journal/journalSteps.ts';
import { replaced } from '../support/replacedJournal.ts';
import { waitFor } from '../support/waitFor.ts';
import { type Deliver, lineOf } from './lines.ts';

/** Longer than the lease of a try, which is the time-out and two seconds. */
const FROZEN_MS = 60_000;
const LIMITS = { remembersMs: DAY_MS, parkAfterMs: DAY_MS };

/** A LoadFund in doubt, whose repeat is due, and what carries it out. */
async function stage(test: TestContext, deliver: Deliver, wrap = (journal: Journal) => journal) {
  let frozenMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + frozenMs };
  const options = { path: ':memory:', retentionMs: DAY_MS, onNotice: () => {}, clock };
  const journal = wrap(await createSqliteJournal(options));
  const steps = new Steps(journal, clock, random);
  const vault = createVault([new Secret(new Uint8Array(32))]);
  const line = lineOf(deliver);
  const parked: string[] = [];
  const observer = {
    attempted: () => undefined,
    takenOver: () => undefined,
    late: () => undefined,
    parked: (_key: unknown, _issuer: unknown, kind: string, why: string) => void parked.push(`${kind} ${why}`),
    failed: (error: unknown) => expect.fail(String(error)),
  };
  const issuers = { get: () => line, all: () => [line] };
  const deliveries = new Deliveries({ journal, steps, vault, issuers, clock, random, observer });
  test.onTestFinished(async () => {
    await deliveries.stop();
    await journal.close();
  });

  const draft = claimOf('LEASED', { policy: 'repeat', api: 'LoadFund' as ApiName });
  const header = { ...draft.key } as Header;
  const sealed = vault.sealMessage(draft.key, messageOf(rowOf(draft.api), header, { cardToken: 'card' }));
  const soon = () => Deadline.in(clock, 5000);
  const claimed = await steps.claim({ ...draft, message: sealed }, soon());
  if (claimed.kind !== 'fresh') throw new Error(`the claim is ${claimed.kind}`);
  /** Moves the entry as any gateway could. */
  const happens = async (held: Held, event: (now: number) => Event): Promise<Held> => {
    const moved = await steps.move(held, (entry, now) => apply(entry, event(now)), soon());
    return moved.kind === 'done' ? moved.held : expect.fail(moved.kind);
  };
  const doubt = await happens(claimed.held, now => ({ type: 'settle', fence: 1, outcome: { kind: 'unknown' }, now }));
  const present = async (): Promise<Held> => (await steps.read(draft.key, soon())) ?? expect.fail('it is gone');
  const freeze = () => {
    frozenMs += FROZEN_MS;
  };
  return { deliveries, doubt, happens, present, freeze, parked };
}

it('F68 I11 a gateway that is frozen between the lease of a try and its send has no time left to send it in', async test => {
  const left: number[] = [];
  let freeze = (): void => undefined;
  const staged = await stage(
    test,
    async ({ deadline }) => {
      left.push(deadline.leftMs());
      return { kind: 'notSent', reason: 'noBudget' };
    },
    journal =>
      replaced(journal, {
        move: async (from, to, writeId) => {
          const reply = await journal.move(from, to, writeId);
          if (to.duty.is === 'due' && to.duty.tries === 1) freeze();
          return reply;
        },
      }),
  );
  freeze = staged.freeze;
  await staged.deliveries.work(staged.doubt);
  expect(left).toEqual([0]);
});

it('F68 I5 a repeat that ends after its lease, and after the undo that replaced it, is undone once more', async test => {
  const staged = await stage(test, async () => {
    // Meanwhile somebody else: the caller's Reversal, and its undo to the end.
    staged.freeze();
    const marked = await staged.happens(await staged.present(), now => ({ type: 'mark', now }));
    const leased = await staged.happens(marked, now => ({ type: 'lease', now, leaseMs: 3000, limits: LIMITS }));
    const done = { kind: 'done', answer: null } as const;
    const { entry } = await staged.happens(leased, now => ({
      type: 'attempted',
      result: done,
      nextAt: now,
      maxProcessingMs: 0,
    }));
    expect(entry.duty).toEqual({ is: 'delivered', kind: 'undo' });
    return { kind: 'unknown', reason: 'timeout' };
  });
  await staged.deliveries.work(staged.doubt);
  const { entry } = await staged.present();
  expect(entry).toMatchObject({ undoNo: 1, duty: { is: 'due', kind: 'undo', triesOfId: 0 } });
});

it('F46 F62 I17 what was parked is told to the operator, though the reply to that write was lost', async test => {
  const answer = { code: '12', desc: '', fields: new Secret({}) } as const;
  const staged = await stage(
    test,
    async () => ({ kind: 'answered', status: 200, answer }),
    journal =>
      replaced(journal, {
        move: async (from, to, writeId) => {
          const reply = await journal.move(from, to, writeId);
          return to.duty.is === 'parked' ? { kind: 'unsure' } : reply;
        },
      }),
  );
  await staged.deliveries.work(await staged.happens(staged.doubt, now => ({ type: 'mark', now })));
  await waitFor('the alarm', () => staged.parked.length > 0);
  expect(staged.parked).toEqual(['undo declined']);
  expect((await staged.present()).entry.duty).toMatchObject({ is: 'parked', why: 'declined' });
});
