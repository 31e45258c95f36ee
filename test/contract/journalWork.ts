/**
 * The second half of the journal contract: how open work is found, counted and kept, and what is forgotten.
 */
import { describe, expect, it } from 'vitest';
import { apply, type Entry, type Sealed } from '../../src/domain/entry.ts';
import { filingOf, RECOVERY } from '../../src/domain/filing.ts';
import type { IssuerId } from '../../src/domain/ids.ts';
import type { Money } from '../../src/domain/money.ts';
import { claimOf, tombstoneOf } from '../journal/entries.ts';
import {
  attempted,
  claimAgain,
  claimFresh,
  DAY_MS,
  DONE,
  happen,
  ISSUER_A,
  ISSUER_B,
  insist,
  LANES,
  lease,
  presentOf,
  settled,
  unknown,
  usd,
} from '../journal/journalSteps.ts';
import { waitFor } from '../support/waitFor.ts';
import type { JournalUnderTest } from './journal.ts';

export function contractOfWork(store: JournalUnderTest): void {
  describe('due', () => {
    it('F60 finds nothing before its time', async () => {
      await claimFresh(store.journal, claimOf('D1', { leaseMs: 3_600_000 }));
      expect(await insist(() => store.journal.due(LANES))).toEqual([]);
    });

    it('F64 finds a claim once its lease is over, with the time at which it was found', async () => {
      const { entry } = await claimFresh(store.journal, claimOf('D2', { leaseMs: 30 }));
      const [found] = await waitFor('the lease to end', async () => {
        const due = await insist(() => store.journal.due(LANES));
        return due.length > 0 ? due : undefined;
      });
      expect(found?.entry).toEqual(entry);
      expect(found?.now).toBeGreaterThanOrEqual(entry.claimedAt + 30);
      const taken = apply(entry, { type: 'takeOver', now: found?.now ?? 0 });
      expect(await insist(id => store.journal.move(entry, taken, id))).toEqual({ kind: 'moved' });
      expect(await insist(() => store.journal.due([{ lane: RECOVERY, limit: 9 }]))).toEqual([]);
      expect((await insist(() => store.journal.due(LANES))).map(each => each.entry)).toEqual([taken]);
    });

    it('looks only into the lanes that it is asked for', async () => {
      const claims = [ISSUER_A, ISSUER_B].map(issuer => claimOf(`D3-${issuer}`, { issuer }));
      for (const draft of claims) {
        const { entry, now } = await claimFresh(store.journal, draft);
        await happen(store.journal, entry, unknown(1, now));
      }
      const found = await insist(() => store.journal.due([{ lane: ISSUER_B, limit: 9 }]));
      expect(found.map(each => each.entry.issuer)).toEqual([ISSUER_B]);
      expect(await insist(() => store.journal.due([{ lane: RECOVERY, limit: 9 }]))).toEqual([]);
      expect(await insist(() => store.journal.due([]))).toEqual([]);
    });

    it('gives the oldest first, and at most the limit for each lane', async () => {
      const made: Entry[] = [];
      for (let i = 0; i < 12; i += 1) {
        const issuer = i % 2 === 0 ? ISSUER_A : ISSUER_B;
        const { entry, now } = await claimFresh(store.journal, claimOf(`D4-${i}`, { issuer }));
        // Spread over two minutes, in an order of its own.
        made.push(await happen(store.journal, entry, unknown(1, now - ((i * 7) % 12) * 10_000)));
      }
      const wakes = (entry: Entry) => filingOf(entry).wake?.at ?? 0;
      const oldest = (issuer: IssuerId, limit: number) =>
        made
          .filter(entry => entry.issuer === issuer)
          .sort((a, b) => wakes(a) - wakes(b))
          .slice(0, limit);
      const limits = [
        { lane: ISSUER_A, limit: 2 },
        { lane: ISSUER_B, limit: 4 },
      ];
      const found = await insist(() => store.journal.due(limits));
      const expected = [...oldest(ISSUER_A, 2), ...oldest(ISSUER_B, 4)].sort((a, b) => wakes(a) - wakes(b));
      expect(found.map(each => each.entry)).toEqual(expected);
    });

    it('F74 takes nothing: an entry is found until it is moved, and not while a try is leased', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('D5'));
      const due = await happen(store.journal, entry, unknown(1, now));
      for (let i = 0; i < 3; i += 1) {
        expect((await insist(() => store.journal.due(LANES))).map(each => each.entry)).toEqual([due]);
      }
      const leased = await happen(store.journal, due, lease(now));
      expect(await insist(() => store.journal.due(LANES))).toEqual([]);
      const open = await happen(store.journal, leased, attempted({ kind: 'open' }, now));
      expect((await insist(() => store.journal.due(LANES))).map(each => each.entry)).toEqual([open]);
      await happen(store.journal, await happen(store.journal, open, lease(now)), DONE);
      expect(await insist(() => store.journal.due(LANES))).toEqual([]);
    });

    it('finds Reversals to follow in the lane of recovery', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('D6', { policy: 'undo' }));
      const due = await happen(store.journal, entry, unknown(1, now));
      const found = await insist(() => store.journal.due([{ lane: RECOVERY, limit: 9 }]));
      expect(found.map(each => each.entry)).toEqual([due]);
    });
  });

  describe('expiry', () => {
    const SHORT_MS = 150;

    it('F60 keeps what is claimed, owed or parked, and forgets what is settled after the retention', async () => {
      const short = await store.reopen(SHORT_MS);
      const claims = await Promise.all(
        ['claimed', 'owed', 'parked', 'settled'].map(each => claimFresh(short, claimOf(`E1-${each}`))),
      );
      const [claimed, owed, parked, done] = claims.map(({ entry }) => entry);
      if (!claimed || !owed || !parked || !done) throw new Error('not claimed');
      const now = claimed.claimedAt;
      await happen(short, owed, unknown(1, now));
      const due = await happen(short, parked, unknown(1, now));
      await happen(short, await happen(short, due, lease(now)), attempted({ kind: 'refused' }));
      await happen(short, done, settled(1, '00', now));
      await waitFor('the settled entry to expire', async () => (await presentOf(short, done)) === null);
      for (const entry of [claimed, owed, parked]) expect(await presentOf(short, entry)).not.toBeNull();
      expect(await insist(() => short.owed())).toMatchObject({ due: 1, parked: 1 });
    });

    it('I1 lets a key be claimed anew only after it has expired', async () => {
      const short = await store.reopen(SHORT_MS);
      const { entry, now } = await claimFresh(short, claimOf('E2'));
      await happen(short, entry, settled(1, '00', now));
      const again = await waitFor('the key to be free', async () => {
        const claimed = await insist(id => short.claim(claimOf('E2'), id));
        return claimed.kind === 'fresh' ? claimed : undefined;
      });
      expect(again.entry.claimedAt - entry.claimedAt).toBeGreaterThanOrEqual(SHORT_MS);
    });

    it('I18 takes no move that was decided on an entry of before, though the version is the same', async () => {
      const short = await store.reopen(SHORT_MS);
      const { entry, now } = await claimFresh(short, claimOf('E4'));
      const before = await happen(short, entry, settled(1, '00', now));
      const marked = apply(before, { type: 'mark', now });
      const again = await waitFor('the key to be free', async () => {
        const claimed = await insist(id => short.claim(claimOf('E4'), id));
        return claimed.kind === 'fresh' ? claimed : undefined;
      });
      const present = await happen(short, again.entry, settled(1, '00', again.now));
      expect(present.version).toBe(before.version);
      const lost = await insist(id => short.move(before, marked, id));
      expect(lost).toMatchObject({ kind: 'lost', entry: { claimedAt: again.entry.claimedAt } });
    });

    it('F60 stops the expiry of an entry that is claimed or owed again', async () => {
      // Longer than a busy machine stands still: both must be moved before they expire.
      const short = await store.reopen(20 * SHORT_MS);
      const [resend, marked, witness] = await Promise.all(
        [claimOf('E3-resend', { policy: 'resend' }), claimOf('E3-marked'), claimOf('E3-witness')].map(draft =>
          claimFresh(short, draft),
        ),
      );
      if (!resend || !marked || !witness) throw new Error('not claimed');
      const { now } = resend;
      const doubt = await happen(short, resend.entry, unknown(1, now));
      const again = await happen(short, doubt, claimAgain(now));
      const done = await happen(short, marked.entry, settled(1, '00', now));
      const due = await happen(short, done, { type: 'mark', now });
      await happen(short, witness.entry, settled(1, '00', now));
      await waitFor('the last one settled to expire', async () => (await presentOf(short, witness.entry)) === null);
      expect(await presentOf(short, again)).toEqual(again);
      expect(await presentOf(short, due)).toEqual(due);
    });
  });

  describe('sums', () => {
    it('counts doubts that something is owed for, what is due and what is parked, by issuer, with the age of the oldest', async () => {
      const empty = { doubts: 0, due: 0, parked: 0, oldestAgeMs: 0, money: new Map(), byIssuer: new Map() };
      expect(await insist(() => store.journal.owed())).toEqual(empty);
      const drafts = [claimOf('S1'), claimOf('S2', { issuer: ISSUER_B }), claimOf('S3', { policy: 'resend' })];
      const [first, second, third] = await Promise.all(drafts.map(draft => claimFresh(store.journal, draft)));
      if (!first || !second || !third) throw new Error('not claimed');
      const { now } = first;
      const due = await happen(store.journal, first.entry, unknown(1, now - 70_000));
      const other = await happen(store.journal, second.entry, unknown(1, now));
      await happen(store.journal, third.entry, unknown(1, now));
      const refused = attempted({ kind: 'refused' });
      const parked = await happen(store.journal, await happen(store.journal, due, lease(now)), refused);
      const owed = await insist(() => store.journal.owed());
      expect(owed).toMatchObject({ doubts: 2, due: 1, parked: 1 });
      expect(owed.byIssuer).toEqual(
        new Map([
          [ISSUER_A, 1],
          [ISSUER_B, 1],
        ]),
      );
      expect(owed.oldestAgeMs).toBeGreaterThanOrEqual(70_000);
      expect(owed.oldestAgeMs).toBeLessThan(DAY_MS);
      await happen(store.journal, await happen(store.journal, other, lease(now)), DONE);
      expect(parked.duty.is).toBe('parked');
      expect(await insist(() => store.journal.owed())).toMatchObject({ doubts: 1, due: 0, parked: 1 });
    });

    it('F58 sums money exactly, past 2^53, by currency, and back to nothing', async () => {
      const most = 9_999_999_999_999_999n;
      const amounts = [usd(most), usd(9_007_199_254_740_993n), usd(1n), { ...usd(7n), currency: '392' } as Money];
      const open: { entry: Entry; now: number }[] = [];
      for (const [i, amount] of amounts.entries()) {
        const { entry, now } = await claimFresh(store.journal, claimOf(`S4-${i}`, { amount }));
        open.push({ entry: await happen(store.journal, entry, unknown(1, now)), now });
      }
      expect((await insist(() => store.journal.owed())).money).toEqual(
        new Map([
          ['840', most + 9_007_199_254_740_994n],
          ['392', 7n],
        ]),
      );
      for (const { entry, now } of open)
        await happen(store.journal, await happen(store.journal, entry, lease(now)), DONE);
      expect(await insist(() => store.journal.owed())).toMatchObject({
        doubts: 0,
        due: 0,
        oldestAgeMs: 0,
        money: new Map(),
        byIssuer: new Map(),
      });
    });

    it('F58 sums more money than 64 bits hold', async () => {
      // Far beyond the wire's 16 digits, so that two entries do it.
      const minor = 2n ** 63n - 1n;
      for (const i of [1, 2]) {
        const { entry, now } = await claimFresh(store.journal, claimOf(`S5-${i}`, { amount: usd(minor) }));
        await happen(store.journal, entry, unknown(1, now));
      }
      expect((await insist(() => store.journal.owed())).money).toEqual(new Map([['840', 2n * minor]]));
    });
  });

  describe('keys in use', () => {
    it('F77 names the keys of what is claimed, owed or parked, and no others', async () => {
      const sealedWith = (key: string) => `v2.${key}.c2VhbGVk` as Sealed;
      const messages = ['claimed', 'owed', 'parked', 'settled', 'inDoubt'].map(sealedWith);
      const claims = await Promise.all(
        messages.map((message, i) =>
          claimFresh(store.journal, claimOf(`K${i}`, { message, policy: i === 4 ? 'resend' : 'repeat' })),
        ),
      );
      const [, owed, parked, done, resend] = claims.map(({ entry }) => entry);
      if (!owed || !parked || !done || !resend) throw new Error('not claimed');
      const now = owed.claimedAt;
      await happen(store.journal, owed, unknown(1, now));
      const due = await happen(store.journal, parked, unknown(1, now));
      await happen(store.journal, await happen(store.journal, due, lease(now)), attempted({ kind: 'refused' }));
      await happen(store.journal, done, settled(1, '00', now, sealedWith('answer')));
      await happen(store.journal, resend, unknown(1, now));
      expect((await insist(() => store.journal.needs())).keys).toEqual(new Set(['claimed', 'owed', 'parked']));
    });

    it('F77 names the key of a tombstone, which is owed from birth', async () => {
      await claimFresh(store.journal, tombstoneOf('K8', { message: 'v2.keyOfTombstone.YQ' as Sealed }));
      expect((await insist(() => store.journal.needs())).keys).toEqual(new Set(['keyOfTombstone']));
      expect((await insist(() => store.journal.needs())).issuers).toEqual(new Set([ISSUER_A]));
    });

    it('F77 names the key of an answer that is owed, too', async () => {
      const { entry, now } = await claimFresh(store.journal, claimOf('K9'));
      const done = await happen(store.journal, entry, settled(1, '00', now, 'v2.keyOfAnswer.YQ' as Sealed));
      await happen(store.journal, done, { type: 'mark', now });
      expect((await insist(() => store.journal.needs())).keys).toEqual(new Set(['keyA', 'keyOfAnswer']));
    });
  });
}
