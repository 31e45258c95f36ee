/**
 * The third part of the journal contract: names that are taken once, and what is revoked.
 */
import { describe, expect, it } from 'vitest';
import {
  type Journal,
  REVOCATIONS_MOST,
  type Reply,
  type Revocation,
  RevocationsFull,
} from '../../src/journal/journal.ts';
import { DAY_MS, insist, spanTo } from '../journal/journalSteps.ts';
import { waitFor } from '../support/waitFor.ts';
import type { JournalUnderTest } from './journal.ts';

const SHORT_MS = 150;
/** The journal's clock and ours are of one machine; its own runs evenly where the wall clock is being adjusted. */
const DRIFT_MS = 20;
const TRIES_MOST = 10;
const BATCH = 200;

const soon = () => Date.now() + DAY_MS;

class Unsure extends Error {}
const sure = <T>(reply: Reply<T>): T => {
  if (reply.kind !== 'done') throw new Unsure(`the journal answered ${reply.kind}`);
  return reply.value;
};

let names = 0;
/** Tells a story with a new name, and from the start with another one where a busy machine left a call without answer. */
async function withName(story: (name: string) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    names += 1;
    try {
      return await story(`test/${names}`);
    } catch (error) {
      if (!(error instanceof Unsure) || tries === TRIES_MOST) throw error;
    }
  }
}

const take = async (journal: Journal, name: string, untilMs: number) => sure(await journal.once(name, spanTo(untilMs)));
const revoke = (journal: Journal, { kind, id, untilMs }: Revocation) => insist(() => journal.revoke(kind, id, untilMs));
const revokedIn = async (journal: Journal) =>
  (await insist(() => journal.revoked())).map(({ kind, id }) => `${kind} ${id}`).sort();

export function contractOfOnce(store: JournalUnderTest): void {
  describe('once', () => {
    it('gives a name to the first who asks, and to nobody else', () =>
      withName(async name => {
        const untilMs = soon();
        const takes = [name, name, `${name}x`, name].map(each => () => take(store.journal, each, untilMs));
        const told: string[] = [];
        for (const each of takes) told.push(await each());
        expect(told).toEqual(['first', 'again', 'first', 'again']);
      }));

    it('I13 gives a name to exactly one of 50 who ask at once', () =>
      withName(async name => {
        const told = await Promise.all(
          Array.from({ length: 50 }, (_, i) => store.journal.once(name, spanTo(Date.now() + DAY_MS + i))),
        );
        const kinds = told.map(sure);
        expect(kinds.filter(kind => kind === 'first')).toHaveLength(1);
        expect(kinds.filter(kind => kind === 'again')).toHaveLength(49);
      }));

    it('tells names apart, whatever is in them', () =>
      withName(async name => {
        const strange = ['{07}', '}{', "a'b", 'a/b', 'a:b*', 'é€𝄞', '"\\', 'a b', 'A', 'a', '%', ''];
        for (const expected of ['first', 'again']) {
          for (const each of strange) expect(await take(store.journal, `${name}/${each}`, soon())).toBe(expected);
        }
      }));

    it('remembers over a restart', () =>
      withName(async name => {
        const untilMs = soon();
        expect(await take(store.journal, name, untilMs)).toBe('first');
        const next = await store.reopen(DAY_MS);
        expect(await take(next, name, untilMs)).toBe('again');
      }));

    it('gives a name away anew when its time is over, and not before', () =>
      withName(async name => {
        const untilMs = Date.now() + SHORT_MS;
        expect(await take(store.journal, name, untilMs)).toBe('first');
        // Asking again does not make it last longer.
        await waitFor('the name to be free', async () => (await take(store.journal, name, soon())) === 'first');
        expect(Date.now()).toBeGreaterThanOrEqual(untilMs - DRIFT_MS);
        expect(await take(store.journal, name, soon())).toBe('again');
      }));

    it('remembers until a part of a millisecond, and refuses what is no time', () =>
      withName(async name => {
        expect(await take(store.journal, name, soon() + 0.5)).toBe('first');
        expect(await take(store.journal, name, soon())).toBe('again');
        for (const untilMs of [Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 60]) {
          await expect(store.journal.once(name, spanTo(untilMs))).rejects.toThrow('a time until which');
          await expect(store.journal.revoke('jti', name, untilMs)).rejects.toThrow('a time until which');
        }
      }));
  });

  describe('revocations', () => {
    it('F80 are none at first, and then those that were asked for, until at least then', async () => {
      expect(await revokedIn(store.journal)).toEqual([]);
      const untilMs = soon();
      await revoke(store.journal, { kind: 'client', id: 'wallet', untilMs });
      await revoke(store.journal, { kind: 'jti', id: 'wallet', untilMs });
      await revoke(store.journal, { kind: 'jti', id: 'a/b {7} é', untilMs: untilMs + 1000 });
      expect(await revokedIn(store.journal)).toEqual(['client wallet', 'jti a/b {7} é', 'jti wallet']);
      await revoke(store.journal, { kind: 'tokens', id: 'wallet/1800000000', untilMs });
      await revoke(store.journal, { kind: 'lifted', id: 'wallet/mark/1800000000000', untilMs });
      const kinds = (await insist(() => store.journal.revoked())).map(({ kind }) => kind);
      expect(kinds.sort()).toEqual(['client', 'jti', 'jti', 'lifted', 'tokens']);
      const [client] = (await insist(() => store.journal.revoked())).filter(({ kind }) => kind === 'client');
      expect(client?.untilMs).toBeGreaterThanOrEqual(untilMs);
      expect(client?.untilMs).toBeLessThan(untilMs + 60_000);
    });

    it('hold until the latest time that was asked for', async () => {
      const id = 'token';
      const untils = [soon(), soon() + 60_000, soon() - 60_000];
      for (const untilMs of untils) await revoke(store.journal, { kind: 'jti', id, untilMs });
      const revoked = await insist(() => store.journal.revoked());
      expect(revoked).toMatchObject([{ kind: 'jti', id }]);
      expect(revoked[0]?.untilMs).toBeGreaterThanOrEqual(Math.max(...untils));
    });

    it('are remembered over a restart, and forgotten when their time is over', async () => {
      const untilMs = Date.now() + 10 * SHORT_MS;
      await revoke(store.journal, { kind: 'jti', id: 'short', untilMs });
      await revoke(store.journal, { kind: 'jti', id: 'long', untilMs: soon() });
      const next = await store.reopen(DAY_MS);
      expect(await revokedIn(next)).toContain('jti long');
      await waitFor('the short one to end', async () => !(await revokedIn(next)).includes('jti short'));
      expect(Date.now()).toBeGreaterThanOrEqual(untilMs - DRIFT_MS);
      expect(await revokedIn(next)).toEqual(['jti long']);
    });

    it('are bounded: one too many is refused with a clear error, and what is there can still be prolonged', async () => {
      const untilMs = soon();
      const shortMs = Date.now() + SHORT_MS;
      const ids = Array.from({ length: REVOCATIONS_MOST - 1 }, (_, i) => `token-${i}`);
      await revoke(store.journal, { kind: 'jti', id: 'short', untilMs: shortMs });
      for (let i = 0; i < ids.length; i += BATCH) {
        await Promise.all(ids.slice(i, i + BATCH).map(id => revoke(store.journal, { kind: 'jti', id, untilMs })));
      }
      // The short one has made room for this one.
      await waitFor('the short one to end', async () => !(await revokedIn(store.journal)).includes('jti short'));
      await revoke(store.journal, { kind: 'client', id: 'last', untilMs });
      await expect(revoke(store.journal, { kind: 'client', id: 'more', untilMs })).rejects.toThrow(RevocationsFull);
      await revoke(store.journal, { kind: 'client', id: 'last', untilMs: untilMs + 1000 });
      const revoked = await insist(() => store.journal.revoked());
      expect(revoked).toHaveLength(REVOCATIONS_MOST);
      expect(revoked.some(({ id }) => id === 'more')).toBe(false);
    });
  });
}
