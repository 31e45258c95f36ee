/**
 * The fourth part of the journal contract: whether the site stands by.
 */
import { describe, expect, it } from 'vitest';
import { DAY_MS, insist } from '../journal/journalSteps.ts';
import type { JournalUnderTest } from './journal.ts';

const SITE = 'https://other.example:8443';

export function contractOfStandby(store: JournalUnderTest): void {
  const say = (location: string | null, ifUnsaid?: boolean) =>
    insist(() => store.journal.setStandby(location, ifUnsaid));
  const said = () => insist(() => store.journal.standby());

  describe('standby', () => {
    it('is nothing at first, and then what was said last, with the time at which that was', async () => {
      expect(await said()).toBeNull();
      await say(SITE);
      const first = await said();
      expect(first).toEqual({ location: SITE, sinceMs: expect.any(Number) });
      expect(Math.abs((first?.sinceMs ?? 0) - Date.now())).toBeLessThan(DAY_MS);
      await say('https://third.example');
      const second = await said();
      expect(second?.location).toBe('https://third.example');
      expect(second?.sinceMs).toBeGreaterThanOrEqual(first?.sinceMs ?? 0);
      await say(null);
      expect(await said()).toMatchObject({ location: null });
    });

    it('that the site works is said, too: it is not as if nothing ever was', async () => {
      await say(null);
      expect(await said()).toMatchObject({ location: null });
      await say(SITE, true);
      expect(await said()).toMatchObject({ location: null });
    });

    it('is written back only where nothing was said', async () => {
      await say(SITE, true);
      await say('https://third.example', true);
      await say(null, true);
      expect(await said()).toMatchObject({ location: SITE });
    });

    it('is remembered over a restart, for as long as nobody says otherwise', async () => {
      await say(SITE);
      const before = await said();
      const next = await store.reopen(1);
      expect(await insist(() => next.standby())).toEqual(before);
    });

    it('is away where the journal is', async () => {
      await store.journal.close();
      expect(await store.journal.setStandby(SITE)).toEqual({ kind: 'away' });
      expect(await store.journal.standby()).toEqual({ kind: 'away' });
    });
  });
}
