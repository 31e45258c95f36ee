/**
 * What an answer after the deadline does to an entry, state by state, and what it never does: change what was told, or
 * come twice.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lease as leased, UNDONE } from '../../src/domain/duty.ts';
import { apply, born, type Draft, type Entry, type Event, type Policy, placeOf } from '../../src/domain/entry.ts';
import { claimOf, DEFINITE, drafts, live, steps, tombstoneOf } from '../journal/entries.ts';
import { attempted, lease, settled, unknown } from '../journal/journalSteps.ts';

const BIRTH = 1_700_000_000_000;
const LATER = BIRTH + 5000;
const late = (code: (typeof DEFINITE)[number], at = LATER): Event => ({
  type: 'late',
  answer: { code, sealed: null },
  at,
  now: at + 10,
});

/** The entry of such a claim, in doubt, after some more events. */
const inDoubt = (policy: Policy, ...events: readonly Event[]): Entry =>
  [unknown(1, BIRTH + 1000), ...events].reduce(apply, born(claimOf('L1', { policy }), BIRTH));
const UNDO_DONE = [lease(BIRTH + 1000), attempted({ kind: 'done', answer: null })];
const DECLINED = [lease(BIRTH + 1000), attempted({ kind: 'refused' })];

describe('I1 a repeat', () => {
  it.each([
    [999, { is: 'due', nextAt: BIRTH + 9_999 }],
    [1000, { is: 'parked', why: 'repeatWindowOver' }],
  ])(
    'is sent only where all of its lease fits before the issuer may have forgotten its tranId: %i ms on',
    (ms, duty) => {
      const limits = { remembersMs: 10_000, parkAfterMs: 1_000_000 };
      expect(leased(inDoubt('repeat'), BIRTH + 8000 + ms, 1000, limits).duty).toMatchObject(duty);
    },
  );
});

describe('F25 a late answer', () => {
  it.each<[string, Entry]>([
    ['due', inDoubt('reverse')],
    ['tried', inDoubt('reverse', lease(BIRTH + 1000))],
    ['delivered', inDoubt('release', ...UNDO_DONE)],
    ['parked', inDoubt('reverse', ...DECLINED)],
    ['due for a tombstone', born(tombstoneOf('L2'), BIRTH)],
  ])('that approves what is undone makes the undo due again under the next id: %s', (_, before) => {
    const after = apply(before, late('00'));
    expect(after.standing).toEqual(before.standing);
    expect(after.duty).toMatchObject({ is: 'due', kind: 'undo', nextAt: LATER + 10, triesOfId: 0, absentSeen: false });
    expect(after).toMatchObject({ undoNo: before.undoNo + 1, sentUntil: Math.max(before.sentUntil, LATER + 10) });
    expect(after.late).toEqual({ code: '00', at: LATER });
  });

  it.each<[string, Entry]>([
    ['due', inDoubt('reverse')],
    ['delivered', inDoubt('release', ...UNDO_DONE)],
    ['parked', inDoubt('reverse', ...DECLINED)],
  ])('that declines what is undone is only noted: %s', (_, before) => {
    const after = apply(before, late('51'));
    expect(after).toEqual({ ...before, version: before.version + 1, late: { code: '51', at: LATER } });
  });

  it.each(['00', '51'] as const)('ends what would be repeated as an answered repeat does, and a command: %s', code => {
    for (const [before, place] of [
      [inDoubt('repeat'), 'settled+delivered'],
      [inDoubt('repeat', lease(BIRTH + 1000)), 'settled+delivered'],
      [inDoubt('resend'), 'settled+none'],
    ] as const) {
      const after = apply(before, late(code));
      expect(placeOf(after)).toBe(place);
      expect(after.standing).toEqual({ at: 'settled', answer: { code, sealed: null } });
    }
  });

  it('leaves a claim alone: its end decides first', () => {
    const claimed = born(claimOf('L3'), BIRTH);
    expect(apply(claimed, late('00'))).toBe(claimed);
  });

  it('F25 I3 never changes what was told, and told again changes nothing', () => {
    fc.assert(
      fc.property(
        drafts,
        fc.array(steps, { maxLength: 20 }),
        fc.constantFrom(...DEFINITE),
        (draft: Draft, story, code) => {
          const [first] = [born(draft, BIRTH)];
          const before = live(first, story).at(-1)?.after ?? first;
          const event = late(code, BIRTH + 10_000_000);
          const after = apply(before, event);
          expect(apply(after, event)).toBe(after);
          const { standing } = before;
          if (standing.at === 'settled') expect(after.standing).toEqual(standing);
          if (standing.at === 'doubt' && standing.answer) {
            expect(standing.answer).toEqual(UNDONE);
            expect(after.standing).toEqual(standing);
          }
        },
      ),
    );
  });

  it('I8 of an old owner that settles after all is undone once more: both may have reached the issuer', () => {
    const taken = apply(born(claimOf('L4', { leaseMs: 10 }), BIRTH), { type: 'takeOver', now: LATER });
    const both = apply(apply(taken, settled(1, '00', LATER)), late('00', LATER + 1));
    expect(both.undoNo).toBe(2);
  });
});

it.each(['undo', 'repeat', 'follow'] as const)('F46 I17 a %s that was tried for too long is parked, and kept', kind => {
  const policy = { undo: 'reverse', repeat: 'repeat', follow: 'undo' } as const;
  const [since, forMs] = [BIRTH + 1000, 60_000];
  const limits = { remembersMs: 10 * forMs, parkAfterMs: forMs };
  const at = (now: number): Event => ({ type: 'lease', now, leaseMs: 1000, limits });
  const tried = inDoubt(policy[kind], at(since), attempted({ kind: 'open' }, since + 2000));
  expect(apply(tried, at(since + forMs - 1)).duty).toMatchObject({ is: 'due', kind, tries: 2 });
  const parked = apply(tried, at(since + forMs));
  expect(parked).toMatchObject({ standing: { at: 'doubt' }, duty: { is: 'parked', kind, since, why: 'exhausted' } });
  expect(apply(parked, at(since + 2 * forMs))).toBe(parked);
});

it('F34 I5 a 25 under an id that was sent before ends no undo: the issuer may repeat what it found before the original came', () => {
  const ABSENT = attempted({ kind: 'absent' });
  const after = BIRTH + 120_000;
  const seenOnce = inDoubt('reverse', lease(BIRTH + 1000), ABSENT);
  // Sent in time, found nothing, and that reply was lost; sent again under the same id when the time is over.
  const sentTwice = [lease(BIRTH + 2000), attempted({ kind: 'open' }), lease(after)].reduce(apply, seenOnce);
  const repeated = apply(sentTwice, ABSENT);
  expect(repeated).toMatchObject({ undoNo: 2, standing: { at: 'doubt' }, duty: { is: 'due', triesOfId: 0 } });
  expect(placeOf([lease(after), ABSENT].reduce(apply, repeated))).toBe('settled+delivered');
});
