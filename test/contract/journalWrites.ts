/**
 * The first half of the journal contract: claims, moves, and that what was written is read back exactly.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply, born, type Draft, type Entry, type Sealed } from '../../src/domain/entry.ts';
import { tallyOf } from '../../src/domain/filing.ts';
import type { ApiName } from '../../src/domain/ids.ts';
import type { Reply } from '../../src/journal/journal.ts';
import { claimOf, drafts, eventOf, keyNamed, minorUnits, type Step, steps, tombstoneOf } from '../journal/entries.ts';
import {
  claimAgain,
  claimFresh,
  claimOnce,
  DAY_MS,
  happen,
  insist,
  LANES,
  presentOf,
  settled,
  unknown,
  usd,
  writeId,
} from '../journal/journalSteps.ts';
import type { JournalUnderTest } from './journal.ts';

export function contractOfWrites(store: JournalUnderTest): void {
  describe('claim', () => {
    it('I6 writes the first version, armed, and what it returns is what a later read gives', async () => {
      const draft = claimOf('C1', { amount: usd(1050n), leaseMs: 5000 });
      const { entry, now, claims } = await claimFresh(store.journal, draft);
      expect(entry).toEqual(born(draft, now));
      expect(claims).toBeGreaterThan(0);
      const found = await insist(() => store.journal.read(draft.key));
      expect(found.entry).toEqual(entry);
      expect(found.now).toBeGreaterThanOrEqual(now);
    });

    it('I1 gives the entry that is there, and leaves it alone', async () => {
      const first = await claimFresh(store.journal, claimOf('C2'));
      const second = await claimOnce(store.journal, claimOf('C2', { api: 'Refund' as ApiName }));
      expect(second).toMatchObject({ kind: 'exists', entry: first.entry });
      expect(await presentOf(store.journal, first.entry)).toEqual(first.entry);
    });

    it('I1 F4 lets exactly one of 50 through that come at once, and shows the others its entry', async () => {
      const claimed = await Promise.all(
        Array.from({ length: 50 }, (_, i) => claimOnce(store.journal, claimOf('C3', { leaseMs: 1000 + i }))),
      );
      const fresh = claimed.filter(({ kind }) => kind === 'fresh');
      expect(fresh).toHaveLength(1);
      for (const { entry } of claimed) expect(entry).toEqual(fresh[0]?.entry);
    });

    it('F62 is fresh again for the writeId that wrote it, with the same entry', async () => {
      const draft = claimOf('C4', { amount: usd(7n) });
      const id = writeId();
      const first = await claimOnce(store.journal, draft, id);
      const again = await claimOnce(store.journal, draft, id);
      expect(again).toMatchObject({ kind: 'fresh', entry: first.entry });
      if (first.kind !== 'fresh' || again.kind !== 'fresh') throw new Error('not fresh');
      expect(again.claims).toBeGreaterThanOrEqual(first.claims);
      expect((await claimOnce(store.journal, draft)).kind).toBe('exists');
    });

    it('F62 is no longer fresh once the entry has been moved', async () => {
      const id = writeId();
      const { entry, now } = await claimOnce(store.journal, claimOf('C5'), id);
      const after = await happen(store.journal, entry, settled(1, '00', now));
      expect(await claimOnce(store.journal, claimOf('C5'), id)).toMatchObject({
        kind: 'exists',
        entry: after,
      });
    });

    it('F62 is fresh only for the claim, not for a later move under the same writeId', async () => {
      const { entry, now } = await claimOnce(store.journal, claimOf('C8'), 'one-id');
      expect((await insist(() => store.journal.move(entry, apply(entry, settled(1, '00', now)), 'one-id'))).kind).toBe(
        'moved',
      );
      expect((await claimOnce(store.journal, claimOf('C8'), 'one-id')).kind).toBe('exists');
    });

    it('F9 tells participants apart that use the same tranId', async () => {
      await claimFresh(store.journal, claimOf('C6', { key: keyNamed('C6', '100000') }));
      await claimFresh(store.journal, claimOf('C6', { key: keyNamed('C6', '200000') }));
      await claimFresh(store.journal, claimOf('C6', { key: keyNamed('c6', '100000') }));
    });

    it('F35 writes a tombstone that is due at once', async () => {
      const { entry, now } = await claimFresh(store.journal, tombstoneOf('C7', { amount: usd(900n) }));
      expect(entry).toMatchObject({ standing: { at: 'tombstone' }, duty: { is: 'due', since: now, nextAt: now } });
      expect((await insist(() => store.journal.due(LANES))).map(found => found.entry)).toEqual([entry]);
      expect(await claimOnce(store.journal, claimOf('C7'))).toMatchObject({ kind: 'exists', entry });
    });
  });

  describe('move', () => {
    it('writes one version over the one before, and a read gives exactly that', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M1'));
      const sealed = 'v1.keyB.YW5zd2Vy' as Sealed;
      const after = await happen(store.journal, entry, settled(1, '00', now, sealed));
      expect(await presentOf(store.journal, entry)).toEqual(after);
      expect(after.version).toBe(2);
    });

    it('F62 is moved again for the writeId that wrote the version', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M2', { amount: usd(5n) }));
      const to = apply(entry, unknown(1, now));
      const id = writeId();
      for (let i = 0; i < 3; i += 1)
        expect(await insist(() => store.journal.move(entry, to, id))).toEqual({ kind: 'moved' });
      expect(await insist(() => store.journal.owed())).toMatchObject({ due: 1, money: new Map([['840', 5n]]) });
    });

    it('I18 is lost where somebody else was first, and shows what is there', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M3'));
      const after = await happen(store.journal, entry, settled(1, '51', now));
      const late = await insist(id => store.journal.move(entry, apply(entry, unknown(1, now)), id));
      expect(late).toMatchObject({ kind: 'lost', entry: after });
      expect(await presentOf(store.journal, entry)).toEqual(after);
      expect(await insist(() => store.journal.owed())).toMatchObject({ doubts: 0, due: 0 });
    });

    it('is lost without an entry where there is none', async () => {
      const entry = born(claimOf('M4'), Date.now());
      const lost = await insist(id => store.journal.move(entry, apply(entry, settled(1, '00', 0)), id));
      expect(lost).toMatchObject({ kind: 'lost', entry: null });
    });

    it('I18 lets exactly one of 20 through that come at once', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M5', { amount: usd(11n) }));
      const to = apply(entry, unknown(1, now));
      const moves = await Promise.all(
        Array.from({ length: 20 }, () => insist(id => store.journal.move(entry, to, id))),
      );
      const kinds = moves.map(({ kind }) => kind);
      expect(kinds.filter(kind => kind === 'moved')).toHaveLength(1);
      expect(await insist(() => store.journal.owed())).toMatchObject({ due: 1, money: new Map([['840', 11n]]) });
    });

    it('I18 throws where the move is in no row of the table, and writes nothing', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M6'));
      const done = apply(entry, settled(1, '00', now));
      const illegal: readonly Entry[] = [
        { ...done, version: 3 },
        { ...done, version: 1 },
        { ...done, fence: 0 },
        { ...done, duty: { is: 'armed' } },
        { ...entry, version: 2, standing: { at: 'tombstone' } },
      ];
      for (const to of illegal) await expect(store.journal.move(entry, to, writeId())).rejects.toThrow('no such move');
      expect(await presentOf(store.journal, entry)).toEqual(entry);
    });

    it('I18 lets exactly one of 20 claim a command again, and none of them what moves money', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M9', { policy: 'resend' }));
      const approved = await happen(store.journal, entry, settled(1, '00', now, 'v1.keyB.YW5zd2Vy' as Sealed));
      const again = apply(approved, claimAgain(now, { askAgain: true }));
      const moves = await Promise.all(
        Array.from({ length: 20 }, () => insist(id => store.journal.move(approved, again, id))),
      );
      expect(moves.filter(({ kind }) => kind === 'moved')).toHaveLength(1);
      for (const lost of moves.filter(move => move.kind === 'lost')) expect(lost.entry).toEqual(again);
      expect(await presentOf(store.journal, entry)).toEqual(again);

      const other = await claimFresh(store.journal, claimOf('M10'));
      const paid = await happen(store.journal, other.entry, settled(1, '00', now));
      const anew: Entry = { ...paid, version: 3, fence: 2, standing: again.standing, duty: again.duty };
      await expect(store.journal.move(paid, anew, writeId())).rejects.toThrow('no such move');
    });

    it('takes back an answer that no longer holds: what is undone replays 68', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M7', { policy: 'repeat' }));
      const doubt = await happen(store.journal, entry, unknown(1, now));
      const undone = await happen(store.journal, doubt, { type: 'mark', now });
      expect(await presentOf(store.journal, entry)).toEqual(undone);
      expect(undone.standing).toEqual({ at: 'doubt', answer: { code: '68', sealed: null } });
    });

    it('leaves nothing behind of an answer that the next version does not have', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('M8'));
      const done = await happen(store.journal, entry, settled(1, '00', now, 'v1.keyB.YW5zd2Vy' as Sealed));
      const marked = apply(done, { type: 'mark', now });
      const bare: Entry = { ...marked, standing: { at: 'settled', answer: { code: '00', sealed: null } } };
      expect(await insist(id => store.journal.move(done, bare, id))).toEqual({ kind: 'moved' });
      expect(await presentOf(store.journal, entry)).toEqual(bare);
    });
  });

  describe('any life', () => {
    /** Lives the story in the journal, and checks every read on the way. */
    const liveIn = async (draft: Draft, story: readonly Step[]): Promise<Entry> => {
      const claimed = await claimOnce(store.journal, draft);
      let { entry, now } = claimed;
      for (const step of story) {
        now += step.wait;
        const event = eventOf(entry, step, now);
        const after = event ? apply(entry, event) : entry;
        if (after === entry) continue;
        expect(await insist(id => store.journal.move(entry, after, id))).toEqual({ kind: 'moved' });
        entry = after;
      }
      return entry;
    };

    it('F73 is read back exactly as it was written, whatever happened', async () => {
      await fc.assert(
        fc.asyncProperty(drafts, fc.array(steps, { maxLength: 12, size: 'max' }), async (draft, story) => {
          const entry = await liveIn(draft, story);
          expect(await presentOf(store.journal, draft)).toEqual(entry);
        }),
        { numRuns: store.runs() },
      );
    });

    it('F58 adds up: the sums are those of all entries together', async () => {
      const sums = new Map<string, bigint>();
      const lives = fc.tuple(drafts, minorUnits, fc.array(steps, { maxLength: 8, size: 'max' }));
      for (const [draft, minor, story] of fc.sample(lives, store.runs())) {
        const entry = await liveIn({ ...draft, amount: usd(minor) }, story);
        for (const [name, amount] of tallyOf(entry)) sums.set(name, (sums.get(name) ?? 0n) + amount);
      }
      const owed = await insist(() => store.journal.owed());
      const counted = [owed.doubts, owed.due, owed.parked, owed.money.get('840') ?? 0n].map(BigInt);
      const expected = ['doubts', 'due', 'parked', 'money:840'].map(name => sums.get(name) ?? 0n);
      expect(counted).toEqual(expected);
    });

    it('I16 keeps texts of any size and any characters in keys apart', async () => {
      const names = ['{00}', '}{', 'a/b', 'a:b', '*', "'; --", 'é€𝄞', ' ', '\u0000', 'recovery'];
      const message = `v1.keyA.${'x'.repeat(200_000)}` as Sealed;
      for (const participant of names) {
        await claimFresh(store.journal, claimOf('A1', { key: keyNamed('A1', participant), message }));
      }
      for (const participant of names) {
        const { key } = claimOf('A1', { key: keyNamed('A1', participant) });
        expect(await presentOf(store.journal, { key })).toMatchObject({ key, message });
      }
    });
  });

  describe('up and down', () => {
    it('is up', () => {
      expect(store.journal.isUp()).toBe(true);
    });

    it('I12 is away once it is closed, for every call, and closing twice is harmless', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('U1'));
      await store.journal.close();
      await store.journal.close();
      expect(store.journal.isUp()).toBe(false);
      const calls: readonly Promise<Reply<unknown>>[] = [
        store.journal.claim(claimOf('U2'), writeId()),
        store.journal.read(entry.key),
        store.journal.move(entry, apply(entry, settled(1, '00', now)), writeId()),
        store.journal.due(LANES),
        store.journal.owed(),
        store.journal.needs(),
      ];
      for (const reply of await Promise.all(calls)) expect(reply).toEqual({ kind: 'away' });
    });

    it('F65 finishes what was asked of it before it was closed', async () => {
      const claims = Array.from({ length: 20 }, (_, i) => store.journal.claim(claimOf(`U4-${i}`), writeId()));
      await store.journal.close();
      const replies = await Promise.all(claims);
      const next = await store.reopen(DAY_MS);
      for (const reply of replies) {
        expect(reply.kind).not.toBe('away');
        const entry = reply.kind === 'done' && reply.value.kind === 'fresh' && reply.value.entry;
        if (entry) expect(await presentOf(next, entry)).toEqual(entry);
      }
    });

    it('I17 finds everything again that was there when it was closed', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('U3', { amount: usd(3n) }));
      const due = await happen(store.journal, entry, unknown(1, now));
      await store.journal.close();
      const next = await store.reopen(DAY_MS);
      expect(await presentOf(next, entry)).toEqual(due);
      expect((await insist(() => next.due(LANES))).map(each => each.entry)).toEqual([due]);
      expect(await insist(() => next.owed())).toMatchObject({ doubts: 1, due: 1, money: new Map([['840', 3n]]) });
    });
  });
}
