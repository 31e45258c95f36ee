/**
 * The part of the journal contract about what a store has lost: entries are written again as they were, and never over
 * anything that came later.
 */
import { describe, expect, it } from 'vitest';
import { apply, born, type Entry, type Sealed } from '../../src/domain/entry.ts';
import { claimOf, tombstoneOf } from '../journal/entries.ts';
import {
  attempted,
  claimFresh,
  claimOnce,
  DONE,
  happen,
  insist,
  LANES,
  lease,
  presentOf,
  settled,
  unknown,
  usd,
} from '../journal/journalSteps.ts';
import type { JournalUnderTest } from './journal.ts';

const SEALED = 'v1.keyB.YW5zd2Vy' as Sealed;

export function contractOfRestore(store: JournalUnderTest): void {
  const restore = (entry: Entry) => insist(() => store.journal.restore(entry));
  const owed = () => insist(() => store.journal.owed());

  describe('restore', () => {
    it('F51 writes a doubt that is gone at its version: it is due, counted, and can be moved on', async () => {
      const doubt = apply(
        born(claimOf('R1', { amount: usd(700n) }), Date.now() - 60_000),
        unknown(1, Date.now() - 50_000),
      );
      expect(await restore(doubt)).toBe('restored');
      expect(await presentOf(store.journal, doubt)).toEqual(doubt);
      const [found, ...others] = await insist(() => store.journal.due(LANES));
      expect([found?.entry, others]).toEqual([doubt, []]);
      expect(await owed()).toMatchObject({ doubts: 1, due: 1, money: new Map([['840', 700n]]) });
      const leased = await happen(store.journal, doubt, lease(Date.now()));
      expect(await presentOf(store.journal, doubt)).toEqual(leased);
      expect(await claimOnce(store.journal, claimOf('R1'))).toMatchObject({ kind: 'exists', entry: leased });
    });

    it('writes what has ended, with its answer, and a tombstone', async () => {
      const now = Date.now();
      const ended = apply(born(claimOf('R2'), now), settled(1, '00', now, SEALED));
      const tombstone = born(tombstoneOf('R3'), now);
      for (const entry of [ended, tombstone]) {
        expect(await restore(entry)).toBe('restored');
        expect(await presentOf(store.journal, entry)).toEqual(entry);
      }
      expect(await owed()).toMatchObject({ doubts: 0, due: 1 });
    });

    it('F51 brings an older version of the same claim up to date', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('R4', { amount: usd(9n) }));
      const doubt = apply(entry, unknown(1, now));
      const leased = apply(doubt, lease(now));
      expect(await restore(leased)).toBe('restored');
      expect(await presentOf(store.journal, entry)).toEqual(leased);
      expect(await owed()).toMatchObject({ doubts: 1, due: 1, money: new Map([['840', 9n]]) });
      expect(await insist(id => store.journal.move(entry, doubt, id))).toMatchObject({ kind: 'lost', entry: leased });
    });

    it('I18 leaves alone what is there: the same, a later version, one that was taken over, another claim', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('R5', { leaseMs: 1 }));
      const approved = apply(entry, settled(1, '00', now, SEALED));
      const taken = apply(entry, { type: 'takeOver', now: now + 1000 });
      expect(await insist(id => store.journal.move(entry, taken, id))).toEqual({ kind: 'moved' });
      const other = { ...apply(approved, { type: 'mark', now }), claimedAt: entry.claimedAt - 5 };
      for (const known of [entry, taken, approved, apply(approved, { type: 'mark', now }), other]) {
        expect(await restore(known)).toBe('there');
        expect(await presentOf(store.journal, entry)).toEqual(taken);
      }
      expect(await owed()).toMatchObject({ doubts: 1, due: 1 });
    });

    it('F51 I8 a Reversal that came when the end was lost is not written over, but where nothing is to be undone', async () => {
      for (const [tranId, isOpen] of [['R8', true] as const, ['R9', false] as const]) {
        const { entry, now } = await claimFresh(store.journal, claimOf(tranId, { policy: 'repeat' }));
        const mark = { type: 'mark', now } as const;
        const doubt = apply(entry, unknown(1, now));
        const leased = apply(doubt, lease(now));
        const ended = (code: '00' | '51') =>
          apply(leased, attempted({ kind: 'done', answer: { code, sealed: SEALED } }));
        const before = isOpen ? entry : await happen(store.journal, entry, unknown(1, now));
        const reversed = await happen(store.journal, before, mark);
        expect(await restore(ended('00'))).toBe('there');
        expect(await presentOf(store.journal, entry)).toEqual(reversed);
        expect(await restore(ended('51'))).toBe('restored');
        expect(await presentOf(store.journal, entry)).toEqual(ended('51'));
      }
    });

    it('F51 I8 an undo that is due under a later tranId is not taken for acknowledged', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('RA'));
      const doubt = await happen(store.journal, entry, unknown(1, now));
      const acknowledged = apply(apply(doubt, lease(now)), DONE);
      const answer = { code: '00', sealed: null } as const;
      const again = await happen(store.journal, doubt, { type: 'late', answer, at: now, now });
      expect(await restore(acknowledged)).toBe('there');
      expect(await presentOf(store.journal, entry)).toEqual(again);
    });

    it('F62 asked for again changes nothing', async () => {
      const doubt = apply(born(claimOf('R6', { amount: usd(3n) }), Date.now()), unknown(1, Date.now()));
      expect(await restore(doubt)).toBe('restored');
      expect(await restore(doubt)).toBe('there');
      expect(await owed()).toMatchObject({ doubts: 1, due: 1, money: new Map([['840', 3n]]) });
    });

    it('F76 nothing is lost of a store that was empty when the journal was opened', async () => {
      await claimFresh(store.journal, claimOf('R7'));
      await insist(() => store.journal.due(LANES));
      expect(store.journal.amnesia()).toEqual({ losses: 0, shards: 0, unconfirmed: 0 });
    });
  });
}
