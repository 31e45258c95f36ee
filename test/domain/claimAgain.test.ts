/**
 * A command that is claimed again: out of a doubt at its caller's retry, out of an approval where a new answer is the
 * whole point, one owner at a time, and ended by nothing but a definite answer.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, born, type Entry, type Event, isLegal, type Policy, placeOf } from '../../src/domain/entry.ts';
import type { ResponseCode } from '../../src/domain/responseCode.ts';
import { claimOf, DEFINITE, drafts, live, REMEMBERS_MS, steps, type Turn } from '../journal/entries.ts';

const BIRTH = 1_700_000_000_000;
const LEASE_MS = 3000;
const stories = fc.array(steps, { maxLength: 40, size: 'max' });
const commands = drafts.map(draft => (draft.birth === 'claim' ? { ...draft, policy: 'resend' as const } : draft));

/** Checks something of every turn of the lives of commands. */
const everyTurn = (check: (turn: Turn) => void) =>
  fc.assert(
    fc.property(commands, stories, (draft, story) => {
      for (const turn of live(born(draft, BIRTH), story)) check(turn);
    }),
    { numRuns: 400 },
  );

const claimed = (policy: Policy = 'resend') => born(claimOf('A1', { policy, leaseMs: LEASE_MS }), BIRTH);
const settle = (
  entry: Entry,
  outcome: Extract<Event, { type: 'settle' }>['outcome'],
  { fence = entry.fence, now = BIRTH + 10 } = {},
) => apply(entry, { type: 'settle', fence, outcome, now });
const answered = (code: ResponseCode) => ({ kind: 'answered', answer: { code, sealed: null } }) as const;
const again = (entry: Entry, { now = BIRTH + 20, askAgain = false, leaseMs = LEASE_MS } = {}) =>
  apply(entry, { type: 'claimAgain', now, leaseMs, remembersMs: REMEMBERS_MS, askAgain });
const inDoubt = () => settle(claimed(), { kind: 'unknown' });
const UNKNOWN = [{ kind: 'unknown' }, { kind: 'notSent' }] as const;

describe('a command in doubt', () => {
  it('is claimed by its retry: a new owner, a lease of its own, and armed like any claim', () => {
    const retried = again(inDoubt());
    expect(retried).toMatchObject({
      fence: 2,
      standing: { at: 'claimed', leaseUntil: BIRTH + 20 + LEASE_MS, marked: false },
      duty: { is: 'armed' },
      sentUntil: BIRTH + 20 + LEASE_MS,
    });
    expect(again(retried)).toBe(retried);
  });

  it('is ended by an answer, which is told for ever: declines too', () => {
    for (const code of DEFINITE) {
      const settled = settle(again(inDoubt()), answered(code));
      expect(placeOf(settled)).toBe('settled+none');
      expect(again(settled)).toBe(settled);
    }
  });

  it.each(UNKNOWN)('stays in doubt where its retry was $kind, and the next retry goes out again', outcome => {
    const still = settle(again(inDoubt()), outcome);
    expect(still).toMatchObject({ standing: { at: 'doubt', answer: null }, duty: { is: 'none' } });
    expect(again(still).fence).toBe(3);
  });

  it('F64 is in doubt again when the owner of the retry vanishes', () => {
    const taken = apply(again(inDoubt()), { type: 'takeOver', now: BIRTH + 20 + LEASE_MS });
    expect(taken).toMatchObject({ fence: 3, standing: { at: 'doubt', answer: null }, duty: { is: 'none' } });
    expect(again(taken)).toMatchObject({ fence: 4, standing: { at: 'claimed' } });
  });

  it('I18 is not ended by an old owner that reports after all, whatever it says', () => {
    const retried = again(inDoubt());
    for (const outcome of [...UNKNOWN, answered('00'), answered('55')]) {
      expect(settle(retried, outcome, { fence: 1 })).toBe(retried);
    }
  });

  it('I1 is not sent again when the issuer may have forgotten its tranId, unless only the answer counts', () => {
    const doubt = inDoubt();
    const last = BIRTH + REMEMBERS_MS - LEASE_MS;
    expect(again(doubt, { now: last - 1 }).standing.at).toBe('claimed');
    expect(again(doubt, { now: last })).toBe(doubt);
    expect(again(doubt, { now: last, askAgain: true }).standing.at).toBe('claimed');
  });

  it('never sent at all is 91, and stays 91', () => {
    const never = settle(claimed(), { kind: 'notSent' });
    expect(never.standing).toEqual({ at: 'settled', answer: { code: '91', sealed: null } });
    for (const askAgain of [false, true]) expect(again(never, { askAgain })).toBe(never);
  });
});

describe('what is asked again', () => {
  it('is an approval, and nothing but an approval', () => {
    for (const code of DEFINITE) {
      const settled = settle(claimed(), answered(code));
      const asked = again(settled, { askAgain: true });
      expect(placeOf(asked)).toBe(code === '00' ? 'claimed+armed' : 'settled+none');
    }
  });

  it('is a doubt until the issuer has answered anew, and then what it said last', () => {
    const asked = again(settle(claimed(), answered('00')), { askAgain: true });
    for (const outcome of UNKNOWN) expect(placeOf(settle(asked, outcome))).toBe('doubt+none');
    expect(settle(asked, answered('57')).standing).toMatchObject({ at: 'settled', answer: { code: '57' } });
  });
});

describe('whatever happens to a command', () => {
  it('F40 no delivery ever sends it: it owes nothing but the end of its claim', () => {
    everyTurn(({ after }) => {
      if (after.policy === 'resend') expect(['none', 'armed']).toContain(after.duty.is);
    });
  });

  it('I18 a new claim begins only where none is under way, and only by a retry', () => {
    everyTurn(({ before, event, after }) => {
      if (before.standing.at === 'claimed' || after.standing.at !== 'claimed') return;
      expect(event.type).toBe('claimAgain');
      expect(isLegal(before, after)).toBe(true);
      expect(isLegal({ ...before, policy: 'repeat' }, after)).toBe(false);
      expect(isLegal(before, { ...after, fence: before.fence })).toBe(false);
    });
  });

  it('I3 once it was sent, 91 is never told', () => {
    everyTurn(({ before, after }) => {
      if (before.fence === 1 || after === before || after.standing.at !== 'settled') return;
      if (before.standing.at === 'claimed') expect(after.standing.answer).not.toEqual({ code: '91', sealed: null });
    });
  });

  it.each<Policy>(['reverse', 'release', 'repeat', 'undo'])('nothing else is claimed again: %s', policy => {
    for (const outcome of [...UNKNOWN, answered('00')]) {
      const ended = settle(claimed(policy), outcome);
      for (const askAgain of [false, true]) expect(again(ended, { askAgain })).toBe(ended);
    }
  });
});
