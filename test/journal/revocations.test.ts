/**
 * The list of what is revoked, in the memory of a process: at once where it was said, soon elsewhere, and never shorter
 * for an outage. The journal is a stand-in that can be away, late or full.
 */
import { beforeEach, expect, it } from 'vitest';
import { RevocationsFull } from '../../src/journal/journal.ts';
import { JournalDefect, type JournalNotice } from '../../src/journal/notice.ts';
import { onceOf, type RevocationList } from '../../src/journal/revocations.ts';
import {
  HandClock,
  listOn,
  POLL_MS,
  START_MS,
  START_WITHIN_MS,
  StandIn,
  settle,
  started,
  UNTIL_MS,
} from './revocationKit.ts';

let time: HandClock;
let journal: StandIn;
let notices: JournalNotice[];
let list: RevocationList;

beforeEach(() => {
  time = new HandClock();
  journal = new StandIn(time);
  ({ list, notices } = listOn(journal, time));
});

it('F80 knows after its start what was revoked before, by kind', async () => {
  await journal.revoke('client', 'wallet', UNTIL_MS);
  await started(list);
  expect(list.isRevoked('client', 'wallet')).toBe(true);
  expect(list.isRevoked('jti', 'wallet')).toBe(false);
  expect(list.isRevoked('client', 'bank')).toBe(false);
});

it('F80 learns within a poll what another gateway revokes, and forgets it when its time is over', async () => {
  await started(list);
  await journal.revoke('jti', 'a', UNTIL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(false);
  await time.pass(POLL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(true);
  await time.pass(60_000);
  expect(list.isRevoked('jti', 'a')).toBe(false);
  expect(notices).toEqual([]);
});

it('F80 what it revokes itself holds before the journal has answered, and is written', async () => {
  await started(list);
  const revoking = list.revoke('jti', 'a', UNTIL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(true);
  expect(await revoking).toEqual({ kind: 'done', value: undefined });
  expect(journal.kept.get('jti/a')).toEqual({ kind: 'jti', id: 'a', untilMs: UNTIL_MS });
});

it('is not undone by a list that was on its way when something was revoked', async () => {
  await started(list);
  let arrive = () => {};
  journal.late = new Promise<void>(resolve => {
    arrive = resolve;
  });
  await time.pass(POLL_MS);
  await list.revoke('jti', 'a', UNTIL_MS);
  arrive();
  await settle();
  expect(list.isRevoked('jti', 'a')).toBe(true);
});

it.each(['away', 'unsure'] as const)(
  'F47 the last list stays while the journal is %s, and is read again after',
  async kind => {
    await journal.revoke('jti', 'a', UNTIL_MS);
    await started(list);
    journal.reading = kind;
    journal.kept.clear();
    for (let i = 0; i < 20; i += 1) await time.pass(POLL_MS);
    expect(list.isRevoked('jti', 'a')).toBe(true);
    journal.reading = undefined;
    await journal.revoke('jti', 'b', UNTIL_MS);
    await time.pass(POLL_MS);
    expect(list.isRevoked('jti', 'b')).toBe(true);
  },
);

it.each(['away', 'unsure'] as const)(
  'F47 what could not be written (%s) holds here, and is written later, once',
  async kind => {
    await started(list);
    journal.writing = kind;
    expect(await list.revoke('client', 'wallet', UNTIL_MS)).toEqual({ kind });
    await time.pass(POLL_MS);
    expect(list.isRevoked('client', 'wallet')).toBe(true);
    expect(journal.kept.size).toBe(0);
    journal.writing = undefined;
    await time.pass(POLL_MS);
    expect([...journal.kept.keys()]).toEqual([expect.stringMatching(/^client\/wallet\//)]);
    const { writes } = journal;
    for (let i = 0; i < 5; i += 1) await time.pass(POLL_MS);
    expect(journal.writes).toBe(writes);
  },
);

it('what could not be written ends with its time', async () => {
  await started(list);
  journal.writing = 'away';
  await list.revoke('jti', 'a', UNTIL_MS);
  journal.reading = 'away';
  await time.pass(60_000);
  expect(list.isRevoked('jti', 'a')).toBe(false);
  [journal.reading, journal.writing] = [undefined, undefined];
  const { writes } = journal;
  await time.pass(POLL_MS);
  expect(journal.writes).toBe(writes);
});

it('is not shortened by being said again', async () => {
  await started(list);
  await list.revoke('jti', 'a', UNTIL_MS);
  await list.revoke('jti', 'a', START_MS + 1);
  expect(journal.kept.get('jti/a')?.untilMs).toBe(UNTIL_MS);
});

it('F47 is prolonged by little as well, though the journal says the old time until it is written', async () => {
  await started(list);
  await list.revoke('jti', 'a', UNTIL_MS);
  journal.writing = 'away';
  await list.revoke('jti', 'a', UNTIL_MS + 30_000);
  await time.pass(POLL_MS);
  journal.writing = undefined;
  await time.pass(POLL_MS);
  expect(journal.kept.get('jti/a')?.untilMs).toBe(UNTIL_MS + 30_000);
});

it('where there are too many, says so, and nothing has changed', async () => {
  await started(list);
  await list.revoke('jti', 'a', UNTIL_MS);
  journal.writing = new RevocationsFull();
  await expect(list.revoke('jti', 'b', UNTIL_MS)).rejects.toThrow('10000 revocations already');
  expect(list.isRevoked('jti', 'b')).toBe(false);
  await expect(list.revoke('jti', 'a', UNTIL_MS + 1)).rejects.toThrow(RevocationsFull);
  expect(list.isRevoked('jti', 'a')).toBe(true);
});

it('keeps no more than so many itself, however long the journal is away', async () => {
  journal.writing = 'away';
  for (let i = 0; i < 10_000; i += 1) await list.revoke('jti', `t${i}`, UNTIL_MS);
  await expect(list.revoke('jti', 'more', UNTIL_MS)).rejects.toThrow(RevocationsFull);
  await list.revoke('jti', 't1', UNTIL_MS + 1);
  time.nowMs = UNTIL_MS + 2;
  await list.revoke('jti', 'more', UNTIL_MS + 60_000);
});

it('refuses what is no time', async () => {
  await expect(list.revoke('jti', 'a', Number.NaN)).rejects.toThrow(JournalDefect);
  expect(list.isRevoked('jti', 'a')).toBe(false);
});

it('F73 tells once of what does not pass by itself, goes on, and tells when it has passed', async () => {
  await journal.revoke('jti', 'a', UNTIL_MS);
  await started(list);
  journal.reading = new JournalDefect('the journal has a revocation of unknown kind');
  for (let i = 0; i < 5; i += 1) await time.pass(POLL_MS);
  expect(notices).toMatchObject([{ level: 'alarm', about: 'storage', text: expect.stringContaining('unknown kind') }]);
  expect(list.isRevoked('jti', 'a')).toBe(true);
  journal.reading = undefined;
  for (let i = 0; i < 5; i += 1) await time.pass(POLL_MS);
  expect(notices.map(({ level }) => level)).toEqual(['alarm', 'info']);
});

it('reads no more after its end, which waits for what is under way, and knows what it knew', async () => {
  await journal.revoke('jti', 'a', UNTIL_MS);
  await started(list);
  let arrive = () => {};
  journal.late = new Promise<void>(resolve => {
    arrive = resolve;
  });
  await time.pass(POLL_MS);
  let hasStopped = false;
  const stopping = list.stop().then(() => {
    hasStopped = true;
  });
  await settle();
  expect(hasStopped).toBe(false);
  arrive();
  await stopping;
  expect(time.timers).toEqual([]);
  expect(list.isRevoked('jti', 'a')).toBe(true);
});

it('polls once at a time, however often it is started', async () => {
  await Promise.all([started(list), started(list)]);
  expect(journal.reads).toBe(1);
  expect(time.timers).toHaveLength(1);
  await list.stop();
  expect(time.timers).toEqual([]);
});

it.each([
  [{ kind: 'done', value: 'first' }, 'first'],
  [{ kind: 'done', value: 'again' }, 'again'],
  [{ kind: 'away' }, 'unavailable'],
  [{ kind: 'unsure' }, 'unavailable'],
] as const)('an assertion of which the journal says %o is %s', async (reply, expected) => {
  expect(await onceOf({ once: async () => reply }).take('test/a', { sinceMs: 0, untilMs: UNTIL_MS })).toBe(expected);
});

it.each(['away', 'unsure'] as const)('S12 does not start before it has read the list: %s', async kind => {
  journal.reading = kind;
  const starting = list.start(START_WITHIN_MS);
  expect(await starting).toBe(false);
  expect(time.nowMs).toBeGreaterThanOrEqual(START_MS + START_WITHIN_MS);
  await list.stop();
  expect(time.timers).toEqual([]);
});

it('S12 starts as soon as the list could be read', async () => {
  await journal.revoke('jti', 'a', UNTIL_MS);
  journal.reading = 'unsure';
  const sleep = time.clock.sleep;
  let sleeps = 0;
  Object.assign(time.clock, {
    sleep: async (ms: number) => {
      sleeps += 1;
      if (sleeps === 3) journal.reading = undefined;
      await sleep(ms);
    },
  });
  expect(await list.start(START_WITHIN_MS)).toBe(true);
  expect([sleeps, list.isRevoked('jti', 'a')]).toEqual([3, true]);
  expect(notices).toEqual([]);
});

it.each([
  ['away', 'warning'],
  ['unsure', 'alarm'],
] as const)(
  'F47 tells once that the list could not be read for long (%s), and once that it can again',
  async (kind, level) => {
    await started(list);
    journal.reading = kind;
    await time.pass(9_000);
    expect(notices).toEqual([]);
    for (let i = 0; i < 20; i += 1) await time.pass(1000);
    expect(notices).toMatchObject([
      { level, about: 'storage', text: expect.stringContaining('could not be read for 10 s') },
    ]);
    journal.reading = undefined;
    await time.pass(1000);
    expect(notices.map(notice => notice.level)).toEqual([level, 'info']);
  },
);

it('S12 does not start, and does not wait, where the list means nothing to it', async () => {
  journal.kept.set('x', { kind: 'tokens', id: 'bank/soon', untilMs: UNTIL_MS });
  expect(await list.start(START_WITHIN_MS)).toBe(false);
  expect(time.nowMs).toBe(START_MS);
  expect(notices).toMatchObject([{ level: 'alarm', text: expect.stringContaining('broken revocation') }]);
  expect(list.validFrom('bank')).toBe(0);
});
