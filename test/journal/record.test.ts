/**
 * Entries as they are stored: exact both ways, and refused with the name of the entry and the field where something else
 * has been at work, never with content.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { born, type Entry } from '../../src/domain/entry.ts';
import { keyText } from '../../src/domain/ids.ts';
import { JournalDefect } from '../../src/journal/notice.ts';
import { answerOf, decode, headOf, keyOfName, type StoredRecord } from '../../src/journal/record.ts';
import { claimOf, drafts, keyNamed, live, participantIds, steps, tranIds } from './entries.ts';

const recordOf = (entry: Entry): StoredRecord => ({
  version: entry.version,
  at: entry.claimedAt,
  head: headOf(entry),
  message: entry.message,
  answer: answerOf(entry),
});

describe('records', () => {
  it('F73 give every entry back exactly, wherever its life got', () => {
    fc.assert(
      fc.property(drafts, fc.array(steps, { maxLength: 20, size: 'max' }), (draft, story) => {
        const first = born(draft, 1_700_000_000_000);
        for (const { after } of live(first, story)) expect(decode(after.key, recordOf(after))).toEqual(after);
      }),
    );
  });

  it('tell times from the claim, so that an entry is the same whatever the clock was when it was written', () => {
    fc.assert(
      fc.property(drafts, fc.integer({ min: 1, max: 2 ** 45 }), (draft, now) => {
        const entry = born(draft, now);
        expect(headOf(entry)).toBe(headOf(born(draft, 0)));
        expect(decode(draft.key, { ...recordOf(born(draft, 0)), at: now })).toEqual(entry);
      }),
    );
  });

  it('find the key in the name', () => {
    fc.assert(
      fc.property(tranIds, participantIds, (tranId, participantId) => {
        const key = keyNamed(tranId, participantId);
        expect(keyOfName(keyText(key))).toEqual(key);
      }),
    );
  });
});

describe('records that something else has been at', () => {
  const good = recordOf(born(claimOf('R1'), 1000));
  const key = keyNamed('R1');
  const withHead = (change: object) => ({ ...good, head: JSON.stringify({ ...JSON.parse(good.head), ...change }) });
  const CANARY = 'canary-4111';

  const broken: readonly (readonly [string, StoredRecord])[] = [
    ['no JSON', { ...good, head: `{"f":1,"${CANARY}` }],
    ['a list', { ...good, head: `["${CANARY}"]` }],
    ['null', { ...good, head: 'null' }],
    ['nothing', { ...good, head: '' }],
    ['no format', withHead({ f: undefined })],
    ['a newer format', withHead({ f: 2 })],
    ['a policy that is none', withHead({ policy: CANARY })],
    ['a fence that is a text', withHead({ fence: '1' })],
    ['a fence below 0', withHead({ fence: -1 })],
    ['a time that is no whole number', withHead({ sentUntil: 1.5 })],
    ['a time that no double holds', withHead({ sentUntil: 2 ** 60 })],
    ['an amount that is a number', withHead({ amount: { minor: 1050, currency: '840' } })],
    ['an amount with a dot', withHead({ amount: { minor: '10.50', currency: '840' } })],
    ['an amount that is endless', withHead({ amount: { minor: '9'.repeat(41), currency: '840' } })],
    ['a currency that is none', withHead({ amount: { minor: '1', currency: CANARY } })],
    ['a standing that is none', withHead({ standing: { at: CANARY } })],
    ['a late answer that is null', withHead({ late: null })],
    ['a late answer with a code that is none', withHead({ late: { code: CANARY, at: 1 } })],
    ['a claim without a lease', withHead({ standing: { at: 'claimed', marked: false } })],
    ['a mark that is a text', withHead({ standing: { at: 'claimed', leaseUntil: 1, marked: 'no' } })],
    ['settled without an answer', withHead({ standing: { at: 'settled', code: null } })],
    ['an answer with a code that is none', withHead({ standing: { at: 'settled', code: CANARY } })],
    ['a duty that is none', withHead({ duty: { is: CANARY } })],
    ['a duty of no kind', withHead({ duty: { is: 'delivered', kind: CANARY } })],
    ['parked for no reason', withHead({ duty: { is: 'parked', kind: 'undo', since: 0, why: CANARY } })],
    ['no duty', withHead({ duty: null })],
    ['__proto__ instead of fields', { ...good, head: `{"__proto__":${good.head}}` }],
  ];

  for (const [what, record] of broken) {
    it(`I14 refuses ${what}, naming the entry and never content`, () => {
      let caught: unknown;
      try {
        decode(key, record);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(JournalDefect);
      expect(String(caught)).toContain('R1/100000');
      expect(String(caught)).not.toContain(CANARY);
    });
  }

  it('F73 leave fields alone that a newer version added to the same format', () => {
    expect(decode(key, withHead({ added: { later: true } }))).toEqual(born(claimOf('R1'), 1000));
  });

  it('F73 are read as they were first written: the format does not change unnoticed', () => {
    const head =
      '{"f":1,"fence":2,"client":"wallet","issuer":"issuer-a","api":"Refund","policy":"repeat","sentUntil":5000,"undoNo":1,' +
      '"amount":{"minor":"1050","currency":"840"},"standing":{"at":"doubt","code":null},"duty":{"is":"due","kind":"repeat",' +
      '"since":5001,"nextAt":9000,"triedAt":7000,"tries":2,"triesOfId":1,"absentSeen":true}}';
    const entry = decode(key, { version: 4, at: 1_700_000_000_000, head, message: 'v2.k.m', answer: null });
    expect(entry).toEqual({
      key,
      version: 4,
      fence: 2,
      client: 'wallet',
      issuer: 'issuer-a',
      api: 'Refund',
      policy: 'repeat',
      claimedAt: 1_700_000_000_000,
      sentUntil: 1_700_000_005_000,
      undoNo: 1,
      amount: { minor: 1050n, currency: '840' },
      message: 'v2.k.m',
      standing: { at: 'doubt', answer: null },
      duty: {
        is: 'due',
        kind: 'repeat',
        since: 1_700_000_005_001,
        nextAt: 1_700_000_009_000,
        triedAt: 1_700_000_007_000,
        tries: 2,
        triesOfId: 1,
        absentSeen: true,
      },
      late: null,
    });
    expect(headOf(entry)).toBe(head);

    const late = head.replace(/}$/, ',"late":{"code":"51","at":4000}}');
    const known = decode(key, { version: 5, at: 1_700_000_000_000, head: late, message: 'v2.k.m', answer: null });
    expect(known).toEqual({ ...entry, version: 5, late: { code: '51', at: 1_700_000_004_000 } });
    expect(headOf(known)).toBe(late);
  });
});
