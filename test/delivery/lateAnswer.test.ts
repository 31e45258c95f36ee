/**
 * A late answer and the claim that it belongs to: it waits for the end of the claim, also where that is a takeover, and
 * not for ever.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { takeInLate } from '../../src/delivery/lateAnswer.ts';
import { apply, type Entry, type Policy } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { type Held, Steps } from '../../src/journal/steps.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { claimOf } from '../journal/entries.ts';
import { claimFresh, DAY_MS, happen, presentOf, unknown } from '../journal/journalSteps.ts';
import { waitFor, within } from '../support/waitFor.ts';

const journals: Journal[] = [];
afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close();
});

const APPROVED = { code: '00', sealed: null } as const;
const NOT_STOPPED = new AbortController().signal;

async function claimed(policy: Policy, leaseMs = 60_000, clock: Clock = systemClock) {
  const journal = await createSqliteJournal({ path: ':memory:', retentionMs: DAY_MS, onNotice: () => {}, clock });
  journals.push(journal);
  const { entry, now } = await claimFresh(journal, claimOf('LATE', { policy, leaseMs }));
  const steps = new Steps(journal, clock, systemRandom);
  const held: Held = steps.hold({ entry, now });
  return { journal, held, deps: { steps, clock } };
}

/** A clock that tells when somebody waits by it. */
function watchedClock() {
  const seen = { sleeps: 0 };
  const sleep: Clock['sleep'] = (ms, signal) => {
    seen.sleeps += 1;
    return systemClock.sleep(ms, signal);
  };
  return { seen, clock: { ...systemClock, sleep } };
}

describe('F25 an answer that comes while its claim has not ended', () => {
  it('is written once the claim has ended in doubt', async () => {
    const { seen, clock } = watchedClock();
    const { journal, held, deps } = await claimed('repeat', 60_000, clock);
    const taking = takeInLate(deps, held, APPROVED, NOT_STOPPED);
    await waitFor('a look at the claim', () => seen.sleeps > 0);
    expect(await presentOf(journal, held.entry)).toEqual(held.entry);
    await happen(journal, held.entry, unknown(1, held.now));
    const taken = await within('the late answer', taking);
    expect(taken?.effect).toBe('ended');
    expect((await presentOf(journal, held.entry))?.standing).toEqual({ at: 'settled', answer: APPROVED });
  });

  it('I5 is written after a takeover, too: the owner could not settle, and what it sent is undone once more', async () => {
    const { journal, held, deps } = await claimed('reverse', 1);
    const taking = takeInLate(deps, held, APPROVED, NOT_STOPPED);
    const takeOver = (entry: Entry, now: number) => apply(entry, { type: 'takeOver', now });
    await waitFor('the lease to end', () => deps.steps.nowOf(held) > held.now + 1);
    expect(await deps.steps.move(held, takeOver, Deadline.in(systemClock, 5000))).toMatchObject({
      kind: 'done',
      moved: true,
    });
    expect((await within('the late answer', taking))?.effect).toBe('undoneAgain');
    expect(await presentOf(journal, held.entry)).toMatchObject({
      undoNo: 1,
      duty: { is: 'due' },
      late: { code: '00' },
    });
  });

  it('is given up when the gateway ends', async () => {
    const { held, deps } = await claimed('reverse');
    const stop = new AbortController();
    const taking = takeInLate(deps, held, APPROVED, stop.signal);
    stop.abort();
    expect(await within('the end', taking)).toBeUndefined();
  });
});
