/**
 * An answer that came after the deadline is written into the entry of its transaction, where it ends a doubt, makes an
 * undo due again, or is kept for the operator. What it means for an entry is `domain/duty`'s business.
 */
import { isUndone } from '../domain/duty.ts';
import { apply, type Entry, type StoredAnswer } from '../domain/entry.ts';
import type { Held, Steps } from '../journal/steps.ts';
import type { Clock } from '../runtime/clock.ts';
import { Deadline } from '../runtime/deadline.ts';

/** What came of a late answer: it ended a doubt, an undo goes out once more, or it was only noted. A closed list. */
export type LateEffect = 'ended' | 'undoneAgain' | 'noted';

export type LateDeps = { readonly steps: Steps; readonly clock: Clock };

/** How long a journal step goes on trying. */
const STEP_BUDGET_MS = 1000;
/** How often an entry is looked at again while its claim has not ended, or while the journal does not answer. */
const AGAIN_MS = 250;
/** After its lease a claim is taken over within moments; a journal that is away for longer than this ends the waiting. */
const AFTER_LEASE_MS = 60_000;

/**
 * Writes the answer into the entry, once its claim has ended. Resolves to the entry and what the answer did to it;
 * undefined where it is gone, was told this before, or did not come free in time.
 *
 * @param held the claim under which the original was sent.
 */
export async function takeInLate(
  { steps, clock }: LateDeps,
  held: Held,
  answer: StoredAnswer,
  stop: AbortSignal,
): Promise<{ readonly held: Held; readonly effect: LateEffect } | undefined> {
  const at = steps.nowOf(held);
  const until = Deadline.in(clock, leaseLeftMs(held.entry, at) + AFTER_LEASE_MS);
  while (!stop.aborted && until.leftMs() > 0) {
    const present = await steps.read(held.entry.key, Deadline.in(clock, STEP_BUDGET_MS));
    if (present === null) return undefined;
    if (present) {
      const late = (entry: Entry, now: number) => apply(entry, { type: 'late', answer, at, now });
      // A claim that has not ended stays as it is.
      const moved = await steps.move(present, late, Deadline.in(clock, STEP_BUDGET_MS));
      if (moved.kind === 'gone') return undefined;
      if (moved.kind === 'done' && moved.held.entry.standing.at !== 'claimed') {
        return { held: moved.held, effect: effectOn(moved.held.entry, answer) };
      }
    }
    await clock.sleep(AGAIN_MS, stop);
  }
  return undefined;
}

const leaseLeftMs = ({ standing }: Entry, now: number): number =>
  standing.at === 'claimed' ? Math.max(0, standing.leaseUntil - now) : 0;

function effectOn(entry: Entry, answer: StoredAnswer): LateEffect {
  const { standing } = entry;
  if (isUndone(entry)) return answer.code === '00' ? 'undoneAgain' : 'noted';
  return standing.at === 'settled' && standing.answer === answer ? 'ended' : 'noted';
}
