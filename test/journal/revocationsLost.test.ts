/**
 * What a journal forgets before its time, as after a failover or a flush: whoever has seen a revocation holds on to it,
 * writes it back, and says so. Two processes share a journal that is a stand-in.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { REVOCATIONS_MOST } from '../../src/journal/journal.ts';
import { HandClock, LATE_MS, listOn, POLL_MS, START_MS, StandIn, settle, started, UNTIL_MS } from './revocationKit.ts';

let time: HandClock;
let journal: StandIn;
let one: ReturnType<typeof listOn>;
let other: ReturnType<typeof listOn>;

beforeEach(async () => {
  time = new HandClock();
  journal = new StandIn(time);
  [one, other] = [listOn(journal, time), listOn(journal, time)];
  for (const { list } of [one, other]) await started(list);
});

const LOST = [{ level: 'alarm', about: 'lostRevocations', text: expect.stringContaining('lost 1 of') }];

describe('a journal that forgets', () => {
  it('F52 S37: every process that has seen it holds on to it, tells, and writes it back for the others', async () => {
    await one.list.revoke('jti', 'a', LATE_MS);
    await time.pass(POLL_MS);
    journal.kept.clear();
    await time.pass(POLL_MS);
    expect([one, other].map(({ list }) => list.isRevoked('jti', 'a'))).toEqual([true, true]);
    expect(journal.kept.get('jti/a')).toEqual({ kind: 'jti', id: 'a', untilMs: LATE_MS });
    const late = listOn(journal, time);
    await started(late.list);
    expect(late.list.isRevoked('jti', 'a')).toBe(true);
    // The second to ask may find it back already.
    expect([...one.notices, ...other.notices]).toContainEqual(LOST[0]);
    for (let i = 0; i < 5; i += 1) await time.pass(POLL_MS);
    expect(one.notices.length + other.notices.length).toBeLessThanOrEqual(2);
  });

  it('F52 S37: one that only read it does the same when the one that wrote it is gone', async () => {
    await one.list.revoke('client', 'bank', LATE_MS);
    await one.list.revokeTokens('shop', START_MS / 1000, LATE_MS);
    await time.pass(POLL_MS);
    await one.list.stop();
    journal.kept.clear();
    await time.pass(POLL_MS);
    expect([...journal.kept.values()].map(({ kind, untilMs }) => `${kind} ${untilMs}`)).toEqual([
      `client ${LATE_MS}`,
      `tokens ${LATE_MS}`,
    ]);
    expect(other.notices).toMatchObject([{ level: 'alarm', text: expect.stringContaining('lost 2 of') }]);
    expect(other.list.isRevoked('client', 'bank')).toBe(true);
    expect(other.list.validFrom('shop')).toBe(START_MS / 1000);
  });

  it('F52: a longer time that was lost is asked for again', async () => {
    await one.list.revoke('jti', 'a', LATE_MS);
    await time.pass(POLL_MS);
    journal.kept.set('jti/a', { kind: 'jti', id: 'a', untilMs: LATE_MS - 600_000 });
    await time.pass(POLL_MS);
    expect(journal.kept.get('jti/a')?.untilMs).toBe(LATE_MS);
    expect(one.notices.length + other.notices.length).toBeGreaterThan(0);
  });

  it('writes back when it can, and tells once', async () => {
    await one.list.revoke('jti', 'a', LATE_MS);
    await time.pass(POLL_MS);
    journal.kept.clear();
    journal.writing = 'away';
    for (let i = 0; i < 8; i += 1) await time.pass(POLL_MS);
    expect(other.notices).toMatchObject(LOST);
    expect(other.list.isRevoked('jti', 'a')).toBe(true);
    journal.writing = undefined;
    await time.pass(POLL_MS);
    expect(journal.kept.has('jti/a')).toBe(true);
  });

  it('F69: what ends within a minute is not lost, but ended by another clock', async () => {
    await one.list.revoke('jti', 'a', UNTIL_MS);
    await time.pass(POLL_MS);
    journal.kept.clear();
    await time.pass(POLL_MS);
    expect([...one.notices, ...other.notices, ...journal.kept]).toEqual([]);
    expect(one.list.isRevoked('jti', 'a')).toBe(true);
  });

  it('F69: a wall clock that jumps brings nothing back', async () => {
    await one.list.revoke('jti', 'a', LATE_MS);
    journal.reading = 'away';
    const { wallMs } = time.clock;
    Object.assign(time.clock, { wallMs: () => wallMs() + 86_400_000 });
    await time.pass(POLL_MS);
    expect(one.list.isRevoked('jti', 'a')).toBe(true);
  });

  it('is not blamed for what was written after it was asked', async () => {
    let arrive = () => {};
    journal.late = new Promise<void>(resolve => {
      arrive = resolve;
    });
    await time.pass(POLL_MS);
    await one.list.revoke('jti', 'a', LATE_MS);
    arrive();
    journal.late = undefined;
    await settle();
    for (let i = 0; i < 3; i += 1) await time.pass(POLL_MS);
    expect([...one.notices, ...other.notices]).toEqual([]);
  });

  it('is filled up again as far as there is room, and no memory grows past that', async () => {
    for (let no = 0; no < REVOCATIONS_MOST; no += 1) {
      journal.kept.set(`jti/old-${no}`, { kind: 'jti', id: `old-${no}`, untilMs: LATE_MS });
    }
    await time.pass(POLL_MS);
    journal.kept.clear();
    journal.writing = 'away';
    await time.pass(POLL_MS);
    for (let no = 0; no < REVOCATIONS_MOST; no += 1) {
      journal.kept.set(`jti/new-${no}`, { kind: 'jti', id: `new-${no}`, untilMs: LATE_MS });
    }
    await time.pass(POLL_MS);
    journal.kept.clear();
    await time.pass(POLL_MS);
    expect(other.list.isRevoked('jti', 'old-7')).toBe(true);
    const held = Array.from({ length: REVOCATIONS_MOST }, (_, no) => other.list.isRevoked('jti', `new-${no}`));
    expect(held.filter(isHeld => isHeld)).toHaveLength(0);
  });
});

describe('a client that is given back', () => {
  const all = (client: string) => [one, other].map(({ list }) => list.isRevoked('client', client));

  it('S12: is lifted everywhere, its tokens of before are not, and no process brings it back', async () => {
    await one.list.revoke('client', 'bank', LATE_MS);
    await time.pass(POLL_MS);
    expect(all('bank')).toEqual([true, true]);
    expect(await other.list.lift('bank', LATE_MS)).toEqual({ kind: 'done', value: 'lifted' });
    await time.pass(POLL_MS);
    expect(all('bank')).toEqual([false, false]);
    expect(one.list.validFrom('bank')).toBe(Math.ceil((time.nowMs - POLL_MS) / 1000));
    journal.kept.clear();
    await time.pass(POLL_MS);
    const late = listOn(journal, time);
    await started(late.list);
    expect(late.list.isRevoked('client', 'bank')).toBe(false);
    expect(late.list.validFrom('bank')).toBeGreaterThan(0);
  });

  it('S12: can be revoked again, as often as need be, and one that was revoked meanwhile stays so', async () => {
    for (let round = 0; round < 3; round += 1) {
      await one.list.revoke('client', 'bank', LATE_MS);
      await time.pass(POLL_MS);
      expect(all('bank')).toEqual([true, true]);
      expect(await one.list.lift('bank', LATE_MS)).toMatchObject({ value: 'lifted' });
      await time.pass(POLL_MS);
      expect(all('bank')).toEqual([false, false]);
    }
    await one.list.revoke('client', 'bank', LATE_MS);
    // Said while the journal was away, and so not known to who lifts.
    journal.writing = 'away';
    await other.list.revoke('client', 'bank', LATE_MS);
    journal.writing = undefined;
    expect(await one.list.lift('bank', LATE_MS)).toMatchObject({ value: 'lifted' });
    await time.pass(POLL_MS);
    await time.pass(POLL_MS);
    expect(all('bank')).toEqual([true, true]);
  });

  it('says so where there is nothing to lift: tokens never are', async () => {
    await one.list.revoke('jti', 'bank', LATE_MS);
    await one.list.revokeTokens('bank', 1000, LATE_MS);
    expect(await one.list.lift('bank', LATE_MS)).toEqual({ kind: 'done', value: 'nothing' });
    expect(await one.list.lift('nobody', LATE_MS)).toEqual({ kind: 'done', value: 'nothing' });
    expect([one.list.isRevoked('jti', 'bank'), one.list.validFrom('bank')]).toEqual([true, 1000]);
  });

  it.each(['reading', 'writing'] as const)('F47: stays revoked while the journal is away (%s)', async which => {
    await one.list.revoke('client', 'bank', LATE_MS);
    journal[which] = 'away';
    expect(await one.list.lift('bank', LATE_MS)).toEqual({ kind: 'away' });
    expect(one.list.isRevoked('client', 'bank')).toBe(true);
  });

  it('is revoked in few lines, however often that is asked for, and comes back with one lifting', async () => {
    for (let no = 0; no < 50; no += 1) await one.list.revoke('client', 'bank', LATE_MS + no);
    expect(journal.kept.size).toBe(8);
    await one.list.lift('bank', LATE_MS);
    expect(one.list.isRevoked('client', 'bank')).toBe(false);
    expect(await one.list.shown()).toMatchObject({
      kind: 'done',
      value: {
        revoked: [{ kind: 'client', id: 'bank', issuedBeforeMs: START_MS }],
        lifted: [{ id: 'bank', atMs: START_MS }],
      },
    });
  });
});
