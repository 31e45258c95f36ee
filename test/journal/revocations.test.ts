/**
 * The list of what is revoked, in the memory of a process: at once where it was said, soon elsewhere, and never shorter
 * for an outage. The journal is a stand-in that can be away, late or full.
 */
import { beforeEach, expect, it } from 'vitest';
import { type Reply, type Revocation, RevocationsFull } from '../../src/journal/journal.ts';
import { JournalDefect, type JournalNotice } from '../../src/journal/notice.ts';
import { onceOf, RevocationList } from '../../src/journal/revocations.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';

const START_MS = 1_700_000_000_000;
const POLL_MS = 250;
const UNTIL_MS = START_MS + 60_000;

/** Time goes on when it is told to; what was due by then has run when `pass` resolves. */
class HandClock {
  nowMs = START_MS;
  timers: { at: number; run: () => void }[] = [];
  readonly clock: Clock = {
    ...systemClock,
    wallMs: () => this.nowMs,
    monotonicMs: () => this.nowMs,
    after: (ms, run) => {
      const timer = { at: this.nowMs + ms, run };
      this.timers.push(timer);
      return () => {
        this.timers = this.timers.filter(each => each !== timer);
      };
    },
  };
  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.timers.filter(({ at }) => at <= this.nowMs);
    this.timers = this.timers.filter(timer => !due.includes(timer));
    for (const { run } of due) run();
    await settle();
  }
}
/** Lets everything run that waits for no timer. */
const settle = () => new Promise<void>(resolve => setImmediate(resolve));

class StandIn {
  readonly kept = new Map<string, Revocation>();
  /** What writes and reads say instead of being done; an error is thrown. */
  writing: 'away' | 'unsure' | Error | undefined;
  reading: 'away' | 'unsure' | Error | undefined;
  /** Reads wait for this after they have seen the list. */
  late: Promise<void> | undefined;
  writes = 0;
  reads = 0;

  async revoke(kind: Revocation['kind'], id: string, untilMs: number): Promise<Reply<void>> {
    this.writes += 1;
    if (this.writing instanceof Error) throw this.writing;
    if (this.writing) return { kind: this.writing };
    this.kept.set(`${kind}/${id}`, { kind, id, untilMs });
    return { kind: 'done', value: undefined };
  }

  async revoked(): Promise<Reply<readonly Revocation[]>> {
    this.reads += 1;
    if (this.reading instanceof Error) throw this.reading;
    if (this.reading) return { kind: this.reading };
    const value = [...this.kept.values()];
    await this.late;
    return { kind: 'done', value };
  }
}

let time: HandClock;
let journal: StandIn;
let notices: JournalNotice[];
let list: RevocationList;

beforeEach(() => {
  time = new HandClock();
  journal = new StandIn();
  notices = [];
  list = new RevocationList({ journal, clock: time.clock, onNotice: notice => notices.push(notice) });
});

it('F80 knows after its start what was revoked before, by kind', async () => {
  await journal.revoke('client', 'wallet', UNTIL_MS);
  await list.start();
  expect(list.isRevoked('client', 'wallet')).toBe(true);
  expect(list.isRevoked('jti', 'wallet')).toBe(false);
  expect(list.isRevoked('client', 'bank')).toBe(false);
});

it('F80 learns within a poll what another gateway revokes, and forgets what the journal forgets', async () => {
  await list.start();
  await journal.revoke('jti', 'a', UNTIL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(false);
  await time.pass(POLL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(true);
  journal.kept.clear();
  await time.pass(POLL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(false);
});

it('F80 what it revokes itself holds before the journal has answered, and is written', async () => {
  await list.start();
  const revoking = list.revoke('jti', 'a', UNTIL_MS);
  expect(list.isRevoked('jti', 'a')).toBe(true);
  expect(await revoking).toEqual({ kind: 'done', value: undefined });
  expect(journal.kept.get('jti/a')).toEqual({ kind: 'jti', id: 'a', untilMs: UNTIL_MS });
});

it('is not undone by a list that was on its way when something was revoked', async () => {
  await list.start();
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
    await list.start();
    journal.reading = kind;
    journal.kept.clear();
    for (let i = 0; i < 20; i += 1) await time.pass(POLL_MS);
    expect(list.isRevoked('jti', 'a')).toBe(true);
    journal.reading = undefined;
    await journal.revoke('jti', 'b', UNTIL_MS);
    await time.pass(POLL_MS);
    expect(list.isRevoked('jti', 'b')).toBe(true);
    expect(list.isRevoked('jti', 'a')).toBe(false);
  },
);

it.each(['away', 'unsure'] as const)(
  'F47 what could not be written (%s) holds here, and is written later, once',
  async kind => {
    await list.start();
    journal.writing = kind;
    expect(await list.revoke('client', 'wallet', UNTIL_MS)).toEqual({ kind });
    await time.pass(POLL_MS);
    expect(list.isRevoked('client', 'wallet')).toBe(true);
    expect(journal.kept.size).toBe(0);
    journal.writing = undefined;
    await time.pass(POLL_MS);
    expect(journal.kept.has('client/wallet')).toBe(true);
    const { writes } = journal;
    for (let i = 0; i < 5; i += 1) await time.pass(POLL_MS);
    expect(journal.writes).toBe(writes);
  },
);

it('what could not be written ends with its time', async () => {
  await list.start();
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
  await list.start();
  await list.revoke('jti', 'a', UNTIL_MS);
  await list.revoke('jti', 'a', START_MS + 1);
  expect(journal.kept.get('jti/a')?.untilMs).toBe(UNTIL_MS);
});

it('where there are too many, says so, and nothing has changed', async () => {
  await list.start();
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
  await list.start();
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
  await list.start();
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
  await Promise.all([list.start(), list.start()]);
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
  expect(await onceOf({ once: async () => reply }).take('test/a', UNTIL_MS)).toBe(expected);
});
