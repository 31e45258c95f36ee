/**
 * The loops that the journey and the deliveries share: nothing is begun for a caller whose time is up, and what the store
 * has lost is written again until all of it is, and then what it did to others.
 */
import { expect, it, onTestFinished } from 'vitest';
import { apply, type Entry, type Event } from '../../src/domain/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { JournalDefect } from '../../src/journal/notice.ts';
import { createSqliteJournal } from '../../src/journal/sqlite.ts';
import { Steps } from '../../src/journal/steps.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { replaced } from '../support/replacedJournal.ts';
import { claimOf } from './entries.ts';
import { DAY_MS, settled, unknown } from './journalSteps.ts';
import { HandClock } from './revocationKit.ts';

const soon = () => Deadline.in(clock, 5000);

/** Steps on a journal in memory, where some of its calls are others. */
async function stepsOn(other: Partial<Journal>): Promise<Steps> {
  const kept = await createSqliteJournal({ path: ':memory:', retentionMs: DAY_MS, onNotice: () => {}, clock });
  onTestFinished(() => kept.close());
  return new Steps(replaced(kept, other), clock, systemRandom);
}

async function claimed(steps: Steps, tranId: string) {
  const claim = await steps.claim(claimOf(tranId), soon());
  return claim.kind === 'fresh' ? claim.held : expect.fail(claim.kind);
}

it('I9 for a caller whose time is up nothing is begun: no claim, no look-up, no move', async () => {
  const held = await claimed(await stepsOn({}), 'BEFORE');
  const calls: string[] = [];
  const asked = (name: string) => async () => {
    calls.push(name);
    return { kind: 'away' } as const;
  };
  const steps = await stepsOn({ claim: asked('claim'), read: asked('read'), move: asked('move') });
  const over = Deadline.in(clock, 0);
  const settle = (entry: Entry) => apply(entry, unknown(1, held.now));
  expect(await steps.claim(claimOf('LATE'), over)).toEqual({ kind: 'away' });
  expect(await steps.read(held.entry.key, over)).toBeUndefined();
  expect(await steps.move(held, settle, over)).toEqual({ kind: 'unsure' });
  expect(await steps.move(held, entry => entry, over)).toMatchObject({ kind: 'done', moved: false });
  expect(calls).toEqual([]);
  await steps.move(held, settle, Deadline.in(clock, 50));
  expect(calls).not.toEqual([]);
});

/** Steps that have settled `ENDED` and left `DOUBT` in doubt, on a store that may lose that, and restores what is not `refused`. */
async function losing() {
  let losses = 0;
  const refused = new Set<string>();
  const broken = new Set<string>();
  const restored: string[] = [];
  const steps = await stepsOn({
    amnesia: () => ({ losses, shards: 0, unconfirmed: 0 }),
    restore: async ({ key }) => {
      if (broken.has(key.tranId)) throw new JournalDefect(`cannot read ${key.tranId}`);
      if (refused.has(key.tranId)) return { kind: 'away' };
      restored.push(key.tranId);
      return { kind: 'done', value: 'restored' };
    },
  });
  const happens = async (tranId: string, event: Event) => {
    await steps.move(await claimed(steps, tranId), entry => apply(entry, event), soon());
  };
  await happens('ENDED', settled(1, '00', 0));
  await happens('DOUBT', unknown(1, 0));
  const lose = () => {
    losses += 1;
  };
  return { steps, restored, refused, broken, lose };
}

it('F51 I5 what was lost is written again, the rest when it is asked again, and then followed to others', async () => {
  const { steps, restored, refused, lose } = await losing();
  const followed: string[] = [];
  let follows = false;
  const follow = async ({ key }: Entry) => {
    followed.push(key.tranId);
    return follows;
  };
  const [first, both] = [['ENDED'], ['ENDED', 'DOUBT']];
  expect(await steps.restoreLost(follow)).toBe('nothing');
  lose();
  refused.add('DOUBT');
  expect([await steps.restoreLost(follow), restored, followed]).toEqual(['incomplete', first, []]);
  refused.clear();
  expect([await steps.restoreLost(follow), restored, followed]).toEqual(['incomplete', both, both]);
  follows = true;
  expect([await steps.restoreLost(follow), restored, followed]).toEqual(['restored', both, [...both, ...both]]);
  expect(await steps.restoreLost(follow)).toBe('nothing');
});

it('F51 I17 I19 what cannot be restored at all is told once, and keeps nothing else from being restored', async () => {
  const { steps, restored, broken, lose } = await losing();
  const followed: string[] = [];
  const follow = async ({ key }: Entry) => {
    if (key.tranId === 'ENDED') throw new Error('cannot open ENDED');
    followed.push(key.tranId);
    return true;
  };
  lose();
  broken.add('DOUBT');
  await expect(steps.restoreLost(follow)).rejects.toThrow('cannot read DOUBT');
  await expect(steps.restoreLost(follow)).rejects.toThrow('cannot open ENDED');
  expect([restored, followed]).toEqual([['ENDED'], ['DOUBT']]);
  expect(await steps.restoreLost(follow)).toBe('nothing');
});

it('F51 I5 what was written before a long outage is written again after it, and nothing that is older', async () => {
  const hand = new HandClock();
  const kept = await createSqliteJournal({ path: ':memory:', retentionMs: DAY_MS, onNotice: () => {}, clock });
  onTestFinished(() => kept.close());
  const state = { losses: 0, isUp: true };
  const restored: string[] = [];
  const journal = replaced(kept, {
    isUp: () => state.isUp,
    amnesia: () => ({ losses: state.losses, shards: 0, unconfirmed: 0 }),
    restore: async ({ key }) => {
      restored.push(key.tranId);
      return { kind: 'done', value: 'restored' };
    },
  });
  const steps = new Steps(journal, hand.clock, systemRandom, 1000);
  const look = () => steps.restoreLost(async () => true);
  const ends = async (tranId: string) => {
    await steps.move(await claimed(steps, tranId), entry => apply(entry, settled(1, '00', 0)), soon());
    await hand.pass(600);
    await look();
  };
  for (const tranId of ['OLD', 'LAST']) await ends(tranId);
  state.isUp = false;
  for (let i = 0; i < 20; i += 1) {
    await hand.pass(250);
    expect(await look()).toBe('nothing');
  }
  state.isUp = true;
  state.losses += 1;
  expect([await look(), restored]).toEqual(['restored', ['LAST']]);
});
