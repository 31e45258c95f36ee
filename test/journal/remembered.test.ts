/**
 * What a process remembers of what it wrote: bounded in number and time, the latest version of each, and however much is
 * settled, what is owed stays.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { apply, born, type Entry } from '../../src/domain/entry.ts';
import { Remembered } from '../../src/journal/remembered.ts';
import { claimOf } from './entries.ts';
import { DONE, lease, settled, unknown } from './journalSteps.ts';
import { HandClock } from './revocationKit.ts';

const claimed = (tranId: string) => born(claimOf(tranId), 1000);
const ended = (tranId: string) => apply(claimed(tranId), settled(1, '00', 2000));
const doubt = (tranId: string) => apply(claimed(tranId), unknown(1, 2000));
const namesOf = (entries: readonly Entry[]) => entries.map(({ key }) => key.tranId);

describe('I10 what is remembered', () => {
  it('is the latest of each entry, what has ended before what is owed, and no claim', () => {
    const remembered = new Remembered(new HandClock().clock, 1000);
    const open = doubt('OWED');
    for (const entry of [open, claimed('CLAIM'), ended('ENDED'), apply(open, lease(3000))]) remembered.note(entry);
    expect(remembered.recent()).toEqual([ended('ENDED'), apply(open, lease(3000))]);
    remembered.note(apply(apply(open, lease(3000)), DONE));
    expect(remembered.recent().map(({ duty }) => duty.is)).toEqual(['none', 'delivered']);
  });

  it('is at most so many, the oldest given up first; what has ended pushes out nothing that is owed', () => {
    const remembered = new Remembered(new HandClock().clock, 1000, 3);
    remembered.note(doubt('OWED'));
    for (let i = 0; i < 10; i += 1) remembered.note(ended(`E${i}`));
    expect(namesOf(remembered.recent())).toEqual(['E7', 'E8', 'E9', 'OWED']);
    for (let i = 0; i < 10; i += 1) remembered.note(doubt(`D${i}`));
    expect(namesOf(remembered.recent())).toEqual(['E7', 'E8', 'E9', 'D7', 'D8', 'D9']);
  });

  it('holds what was read and told, and forgets nothing over a store that shows what was before', () => {
    const remembered = new Remembered(new HandClock().clock, 1000);
    const told = ended('TOLD');
    remembered.learn(told);
    expect(remembered.recent()).toEqual([told]);
    const reversed = apply(told, { type: 'mark', now: 3000 });
    remembered.learn(reversed);
    expect(remembered.recent()).toEqual([reversed]);
    for (const older of [claimed('TOLD'), told, { ...reversed, version: 9, claimedAt: 5000 }]) remembered.learn(older);
    expect(remembered.recent()).toEqual([reversed]);
  });

  it('is nothing where the store cannot lose anything', () => {
    const remembered = new Remembered(new HandClock().clock, 0);
    remembered.note(doubt('OWED'));
    remembered.learn(ended('TOLD'));
    expect(remembered.recent()).toEqual([]);
  });

  it('costs no more memory, however much comes and goes behind one that stays', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const remembered = new Remembered(new HandClock().clock, 1000);
    remembered.note(doubt('OWED'));
    const others = Array.from({ length: 50 }, (_, i) => [doubt(`D${i}`), apply(doubt(`D${i}`), DONE)] as const);
    const pass = (rounds: number) => {
      for (let i = 0; i < rounds; i += 1) {
        for (const [open, over] of others) {
          remembered.note(open);
          remembered.note(over);
        }
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = pass(100);
    expect(pass(4000) - before).toBeLessThan(4_000_000);
    expect(namesOf(remembered.recent())).toContain('OWED');
  });

  it('is forgotten after its time', async () => {
    const clock = new HandClock();
    const remembered = new Remembered(clock.clock, 1000);
    remembered.note(doubt('OLD'));
    await clock.pass(600);
    remembered.note(doubt('NEW'));
    await clock.pass(600);
    expect(namesOf(remembered.recent())).toEqual(['NEW']);
    await clock.pass(600);
    expect(remembered.recent()).toEqual([]);
  });
});
