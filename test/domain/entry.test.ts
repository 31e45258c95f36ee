/**
 * The pure table of an entry's life, by properties over arbitrary lives: what never happens whatever happens, and that
 * every row of the table is reached, so that it holds neither too little nor too much.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNDONE } from '../../src/domain/duty.ts';
import {
  apply,
  born,
  type Draft,
  type Duty,
  type Entry,
  type Event,
  isLegal,
  MOVES,
  originalStanding,
  type Place,
  placeOf,
  type StoredAnswer,
} from '../../src/domain/entry.ts';
import { filingOf, RECOVERY, tallyOf } from '../../src/domain/filing.ts';
import {
  claimOf,
  drafts,
  live,
  MAX_PROCESSING_MS,
  REMEMBERS_MS,
  type Step,
  steps,
  type Turn,
  tombstoneOf,
} from '../journal/entries.ts';

const BIRTH = 1_700_000_000_000;
// Long ones: some moves need half a dozen others before them.
const stories = fc.array(steps, { maxLength: 40, size: 'max' });

/** Checks something of every turn of arbitrary lives. */
const everyTurn = (check: (turn: Turn) => void, numRuns = 400) =>
  fc.assert(
    fc.property(drafts, stories, (draft, story) => {
      for (const turn of live(born(draft, BIRTH), story)) check(turn);
    }),
    { numRuns },
  );

const kindOf = (duty: Duty) => (duty.is === 'none' || duty.is === 'armed' ? undefined : duty.kind);
const rowsOf = (type: Event['type'], from: Place): readonly Place[] => MOVES[type][from] ?? [];
const isUndo = ({ duty }: Entry) => kindOf(duty) === 'undo';
/** What callers hear of the entry; undefined while it is 09. */
const heard = ({ standing }: Entry) =>
  standing.at === 'settled' || standing.at === 'doubt' ? (standing.answer ?? undefined) : undefined;

describe('the table of moves', () => {
  it('I18 every event on every entry stays in a row of its own', () => {
    everyTurn(({ before, event, after }) => {
      if (after === before) return;
      expect(rowsOf(event.type, placeOf(before)), `${event.type} from ${placeOf(before)}`).toContain(placeOf(after));
      expect(isLegal(before, after)).toBe(true);
    });
  });

  it('every row is reached: the table holds nothing that cannot happen', () => {
    const reached = new Set<string>();
    const lives = fc.sample(fc.tuple(drafts, stories), { numRuns: 4000, seed: 20_260_101 });
    for (const [draft, story] of lives) {
      for (const { before, event, after } of live(born(draft, BIRTH), story)) {
        if (after !== before) reached.add(`${event.type}: ${placeOf(before)} > ${placeOf(after)}`);
      }
    }
    const rows = Object.entries(MOVES).flatMap(([type, places]) =>
      Object.entries(places).flatMap(([from, to]) => to.map(place => `${type}: ${from} > ${place}`)),
    );
    expect([...reached].sort()).toEqual(rows.sort());
  });

  it('I18 a move raises the version by exactly one, and the same entry is given back where nothing changes', () => {
    everyTurn(({ before, after }) => {
      if (after === before) return;
      expect(after.version).toBe(before.version + 1);
      // One exception: a try that brought nothing, put off to the time that stood there anyway.
      if (after.duty.is === 'due') return;
      expect({ ...after, version: before.version }).not.toEqual(before);
    });
  });

  it('I18 the fence never goes back, and rises by one exactly where ownership ends or begins anew', () => {
    everyTurn(({ before, event, after }) => {
      const raises = event.type === 'takeOver' || event.type === 'claimAgain';
      expect(after.fence - before.fence).toBe(after !== before && raises ? 1 : 0);
    });
  });

  it('isLegal refuses a version or fence that does not follow, and a move that is in no row', () => {
    const before = born(claimOf('T1'), BIRTH);
    const after = apply(before, { type: 'settle', fence: 1, outcome: { kind: 'unknown' }, now: BIRTH });
    expect(isLegal(before, after)).toBe(true);
    expect(isLegal(before, { ...after, version: 3 })).toBe(false);
    expect(isLegal(before, { ...after, version: 1 })).toBe(false);
    expect(isLegal(before, { ...after, fence: 0 })).toBe(false);
    expect(isLegal(after, { ...before, version: 3 })).toBe(false);
  });
});

describe('what is owed', () => {
  it('I6 a claim is armed from its first version, and nothing else is', () => {
    everyTurn(({ before, after }) => {
      for (const { standing, duty } of [before, after]) expect(duty.is === 'armed').toBe(standing.at === 'claimed');
    });
  });

  it('I6 a claim that ends without a definite answer owes something, resend alone excepted', () => {
    everyTurn(({ before, after }) => {
      if (before.standing.at !== 'claimed' || after.standing.at !== 'doubt') return;
      expect(after.duty.is).toBe(before.policy === 'resend' ? 'none' : 'due');
    });
  });

  it('I8 an undo stays an undo: no other duty ever takes its place', () => {
    everyTurn(({ before, after }) => {
      if (isUndo(before)) expect(kindOf(after.duty)).toBe('undo');
    });
  });

  it('I17 what is due ends only as delivered or parked, and what is parked never vanishes unanswered', () => {
    everyTurn(({ before, event, after }) => {
      if (before.duty.is === 'due') expect(after.duty.is).toMatch(/^(due|delivered|parked)$/);
      if (before.duty.is !== 'parked') return;
      if (event.type !== 'late' || kindOf(before.duty) !== 'repeat') expect(after.duty.is).toMatch(/^(due|parked)$/);
    });
  });

  it('I8 a delivered undo comes back only for a late settle or approval, under an id that was not answered yet', () => {
    everyTurn(({ before, event, after }) => {
      if (before.duty.is !== 'delivered' || after.duty === before.duty) return;
      if (before.duty.kind !== 'undo') return void expect(event.type).toBe('mark');
      const isLateSettle = event.type === 'settle' && event.fence < before.fence;
      expect(isLateSettle || (event.type === 'late' && event.answer.code === '00')).toBe(true);
      expect(after.undoNo).toBe(before.undoNo + 1);
    });
  });

  it('I8 the id of the undo only ever moves on, one by one', () => {
    everyTurn(({ before, after }) => {
      expect([0, 1]).toContain(after.undoNo - before.undoNo);
    });
  });

  it('F34 "original not found" ends an undo only when given again, later than anything could still arrive', () => {
    everyTurn(({ before, event, after }) => {
      if (event.type !== 'attempted' || event.result.kind !== 'absent' || before.duty.is !== 'due') return;
      const isLate = before.duty.triedAt > before.sentUntil + MAX_PROCESSING_MS;
      // Under an id that was sent before it may be what the issuer found then.
      const isNew = before.duty.triesOfId === 1;
      if (before.duty.absentSeen && isLate && isNew) {
        expect(after.duty.is).toBe('delivered');
      } else {
        expect(after.duty).toMatchObject({ is: 'due', absentSeen: true, triesOfId: 0 });
        expect(after.undoNo).toBe(before.undoNo + 1);
      }
    }, 1000);
  });

  it('F34 no send of the original can begin after sentUntil, which only moves on', () => {
    everyTurn(({ before, event, after, now }) => {
      expect(after.sentUntil).toBeGreaterThanOrEqual(before.sentUntil);
      if (after.standing.at === 'claimed') expect(after.sentUntil).toBeGreaterThanOrEqual(after.standing.leaseUntil);
      const isRepeat = event.type === 'lease' && after.duty.is === 'due' && after.duty.kind === 'repeat';
      if (isRepeat && after !== before) expect(after.sentUntil).toBeGreaterThanOrEqual(now + event.leaseMs);
    });
  });

  it('I1 a repeat is never under way when the issuer may have forgotten its tranId', () => {
    everyTurn(({ before, event, after }) => {
      if (event.type !== 'lease' || after === before || kindOf(before.duty) !== 'repeat') return;
      if (after.duty.is === 'due') expect(after.duty.nextAt).toBeLessThan(after.claimedAt + REMEMBERS_MS);
      else expect(after.duty.is).toBe('parked');
    });
  });

  it('I17 what was never tried is not parked for its age: it is tried first', () => {
    everyTurn(({ before, event, after }) => {
      if (event.type !== 'lease' || before.duty.is !== 'due' || before.duty.tries > 0) return;
      expect(after.duty).not.toMatchObject({ is: 'parked', why: 'exhausted' });
    });
  });

  it('a lease is never given before its time, nor twice for the same time', () => {
    everyTurn(({ before, event, after, now }) => {
      if (event.type !== 'lease' || after === before || after.duty.is !== 'due') return;
      expect(before.duty.is === 'due' && before.duty.nextAt <= now).toBe(true);
      expect(apply(after, event)).toBe(after);
    });
  });

  it('tries are counted: in all, and under the present id', () => {
    everyTurn(({ before, event, after }) => {
      if (event.type !== 'lease' || before.duty.is !== 'due' || after.duty.is !== 'due' || after === before) return;
      expect(after.duty.tries).toBe(before.duty.tries + 1);
      expect(after.duty.triesOfId).toBe(before.duty.triesOfId + 1);
      expect(after.duty.triesOfId).toBeLessThanOrEqual(after.duty.tries);
    });
  });
});

describe('takeover and late settles', () => {
  it('F59 F68 a claim is taken over when its lease is over, and not a millisecond before', () => {
    everyTurn(({ before, event, after, now }) => {
      if (event.type !== 'takeOver') return;
      const isOver = before.standing.at === 'claimed' && before.standing.leaseUntil <= now;
      expect(after !== before).toBe(isOver);
    });
  });

  it('I18 an old owner never settles anything: it changes at most an undo that it may have outrun', () => {
    everyTurn(({ before, event, after }) => {
      if (event.type !== 'settle' || event.fence === before.fence) return;
      expect(after.standing).toEqual(before.standing);
      if (!isUndo(before) || event.outcome.kind === 'notSent') return void expect(after).toBe(before);
      expect(after.duty).toMatchObject({ is: 'due', kind: 'undo', triesOfId: 0, absentSeen: false });
      expect(after.undoNo).toBe(before.undoNo + 1);
    });
  });

  it('F68 notSent from an old owner changes nothing: no byte left', () => {
    everyTurn(({ before, event, after }) => {
      const isLate = event.type === 'settle' && event.fence !== before.fence && event.outcome.kind === 'notSent';
      if (isLate) expect(after).toBe(before);
    });
  });

  it('F62 a settle told twice by the same owner is written once', () => {
    everyTurn(({ before, event, after }) => {
      if (event.type === 'settle' && event.fence === before.fence) expect(apply(after, event)).toBe(after);
    });
  });
});

describe('what callers hear', () => {
  it('I3 nobody ever hears two different final answers, unless it was asked for again', () => {
    fc.assert(
      fc.property(drafts, stories, (draft, story) => {
        let told: StoredAnswer | undefined;
        for (const { before, event, after } of live(born(draft, BIRTH), story)) {
          const isAskedAgain = event.type === 'claimAgain' && event.askAgain && after !== before;
          const answer = heard(after);
          if (told && answer) expect(answer).toEqual(told);
          told = isAskedAgain ? undefined : (told ?? answer);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('I2 00 is heard only where the issuer answered 00', () => {
    everyTurn(({ before, event, after }) => {
      if (heard(before) !== undefined || heard(after)?.code !== '00') return;
      const answered = event.type === 'settle' && event.outcome.kind === 'answered' && event.outcome.answer;
      const acknowledged = event.type === 'attempted' && event.result.kind === 'done' && event.result.answer;
      const late = event.type === 'late' && event.answer;
      expect(heard(after)).toEqual(answered || acknowledged || late || undefined);
    });
  });

  it('I5 whoever hears 68 is owed an undo, or has had it', () => {
    everyTurn(({ after }) => {
      if (heard(after)?.code === UNDONE.code) expect(kindOf(after.duty)).toBe('undo');
    });
  });

  it('F37 an approval that comes after a mark is not told, and is undone', () => {
    const marked = apply(born(claimOf('T2'), BIRTH), { type: 'mark', now: BIRTH });
    const answer = { code: '00', sealed: null } as const;
    const settled = apply(marked, { type: 'settle', fence: 1, outcome: { kind: 'answered', answer }, now: BIRTH + 1 });
    expect(heard(settled)).toEqual(UNDONE);
    expect(settled.duty).toMatchObject({ is: 'due', kind: 'undo' });
    expect(originalStanding(settled)).toBe('open');
  });

  it('F39 a decline that comes after a mark is told, and owes nothing', () => {
    const marked = apply(born(claimOf('T3'), BIRTH), { type: 'mark', now: BIRTH });
    const answer = { code: '51', sealed: null } as const;
    const settled = apply(marked, { type: 'settle', fence: 1, outcome: { kind: 'answered', answer }, now: BIRTH + 1 });
    expect(heard(settled)).toEqual(answer);
    expect(placeOf(settled)).toBe('settled+none');
  });

  it('F35 a tombstone owes the undo from birth and answers nobody', () => {
    const tombstone = born(tombstoneOf('T4'), BIRTH);
    expect(placeOf(tombstone)).toBe('tombstone+due');
    expect(heard(tombstone)).toBeUndefined();
    expect(originalStanding(tombstone)).toBe('gone');
  });
});

describe('marks', () => {
  it('F36 a mark is idempotent, whenever it comes', () => {
    everyTurn(({ after, now }) => {
      const once = apply(after, { type: 'mark', now });
      expect(apply(once, { type: 'mark', now: now + 1 })).toBe(once);
    });
  });

  it('I8 after a mark an approval no longer stands, once the claim has ended', () => {
    everyTurn(({ after, now }) => {
      if (after.policy === 'undo' || after.policy === 'resend') return;
      const once = apply(after, { type: 'mark', now });
      if (once.standing.at !== 'claimed') expect(originalStanding(once)).not.toBe('stands');
    });
  });

  it('F39 a mark on what was declined, or never sent, owes nothing', () => {
    everyTurn(({ after, now }) => {
      const { standing, duty } = after;
      if (standing.at !== 'settled' || duty.is !== 'none' || standing.answer.code === '00') return;
      expect(apply(after, { type: 'mark', now })).toBe(after);
    });
  });

  it('I8 a marked claim that ends in doubt is undone, also where it would have been repeated', () => {
    everyTurn(({ before, after }) => {
      const wasMarked = before.standing.at === 'claimed' && before.standing.marked;
      if (wasMarked && after.standing.at === 'doubt') expect(isUndo(after)).toBe(true);
    });
  });

  it('F40 Reversals and commands are not marked', () => {
    everyTurn(({ after, now }) => {
      if (after.policy === 'undo' || after.policy === 'resend') expect(apply(after, { type: 'mark', now })).toBe(after);
    });
  });
});

describe('filing', () => {
  it('F60 an entry expires only when it is neither claimed nor owed', () => {
    everyTurn(({ after }) => {
      const { wake, owedSince, expires } = filingOf(after);
      const isOpen = after.standing.at === 'claimed' || after.duty.is === 'due' || after.duty.is === 'parked';
      expect(expires).toBe(!isOpen);
      expect(wake !== null).toBe(after.standing.at === 'claimed' || after.duty.is === 'due');
      expect(owedSince !== null).toBe(after.duty.is === 'due' || after.duty.is === 'parked');
    });
  });

  it('F64 what waits for its time is found in a lane: leases and Reversals in recovery, deliveries at their issuer', () => {
    everyTurn(({ after }) => {
      const { wake } = filingOf(after);
      if (!wake) return;
      const isDelivery = after.duty.is === 'due' && after.duty.kind !== 'follow';
      expect(wake.lane).toBe(isDelivery ? after.issuer : RECOVERY);
    });
  });

  it('F58 the sums count each open obligation once, and its money exactly', () => {
    everyTurn(({ after }) => {
      const tally = tallyOf(after);
      const isOwed = after.duty.is === 'due' || after.duty.is === 'parked';
      // What may expire is never in a sum: nobody would take it out again.
      expect(tally.get('doubts') ?? 0n).toBe(after.standing.at === 'doubt' && isOwed ? 1n : 0n);
      expect(tally.get(`issuer:${after.issuer}`) ?? 0n).toBe(isOwed ? 1n : 0n);
      const money = isOwed && kindOf(after.duty) !== 'follow' ? after.amount : null;
      expect([...tally].filter(([name]) => name.startsWith('money:'))).toEqual(
        money ? [[`money:${money.currency}`, money.minor]] : [],
      );
    });
  });
});

describe('whole lives', () => {
  /** A life that goes well from here: leases end, and the issuer acknowledges whatever is asked of it, late enough. */
  const HEALED: readonly Step[] = (['takeOver', 'lease', 'attempted'] as const).map(type => ({
    type,
    wait: 20_000,
    outcome: { kind: 'unknown' },
    owner: 0,
    result: 'done',
    answer: { code: '00', sealed: null },
    leaseMs: 1,
    askAgain: false,
  }));

  it('I17 I19 from wherever it got, an entry comes to rest once the issuer answers', () => {
    fc.assert(
      fc.property(drafts, fc.array(steps, { maxLength: 12 }), (draft: Draft, story) => {
        const last = live(born(draft, BIRTH), [...story, ...HEALED, ...HEALED]).at(-1)?.after;
        expect(last?.duty.is).toMatch(/^(none|delivered|parked)$/);
      }),
    );
  });
});
