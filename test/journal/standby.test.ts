/**
 * Whether the site stands by, in the memory of a process: at once where it was said, soon elsewhere, and never unsaid by a
 * journal that is away, late, or has lost it. The journal is a stand-in that can be all of that.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Reply, Standby } from '../../src/journal/journal.ts';
import { JournalDefect, type JournalNotice } from '../../src/journal/notice.ts';
import { StandbyWatch } from '../../src/journal/standby.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { waitFor } from '../support/waitFor.ts';

const SITE = 'https://other.example';
const LONG_MS = 10_000;

class StandIn {
  kept: Standby | null = null;
  /** What calls say instead of being done; an error is thrown. */
  state: 'away' | 'unsure' | Error | undefined;
  /** Reads wait for this after they have looked. */
  late: Promise<void> | undefined;
  reads = 0;

  async setStandby(location: string | null, ifUnsaid = false): Promise<Reply<void>> {
    return this.#answer(() => {
      if (!ifUnsaid || this.kept === null) this.kept = { location, sinceMs: 1 };
    });
  }

  async standby(): Promise<Reply<Standby | null>> {
    this.reads += 1;
    const seen = this.kept;
    await this.late;
    return this.#answer(() => seen);
  }

  #answer<T>(work: () => T): Reply<T> {
    if (this.state instanceof Error) throw this.state;
    return this.state ? { kind: this.state } : { kind: 'done', value: work() };
  }

  /** Until it was read anew from the beginning. */
  async readAgain(): Promise<void> {
    const enough = this.reads + 2;
    await waitFor('another look', () => this.reads >= enough);
  }
}

let journal: StandIn;
let notices: JournalNotice[];
let changes: (string | null)[];
let watch: StandbyWatch;

beforeEach(() => {
  journal = new StandIn();
  [notices, changes] = [[], []];
  watch = new StandbyWatch({
    journal,
    clock,
    onNotice: notice => notices.push(notice),
    onChange: location => changes.push(location),
  });
});
afterEach(() => {
  journal.late = undefined;
  return watch.stop();
});

it('knows after its start what was said before, and is told of each change once', async () => {
  journal.kept = { location: SITE, sinceMs: 7 };
  expect(await watch.start(LONG_MS)).toBe(true);
  expect([watch.location, watch.said]).toEqual([SITE, { location: SITE, sinceMs: 7 }]);
  await journal.readAgain();
  expect(changes).toEqual([SITE]);
});

it.each(['away', 'unsure', new JournalDefect('broken')] as const)(
  'does not start where the journal does not tell, for then nobody knows: %s',
  async state => {
    journal.state = state;
    expect(await watch.start(1)).toBe(false);
  },
);

it('waits at its start for a journal that is late', async () => {
  journal.state = 'unsure';
  const started = watch.start(LONG_MS);
  await journal.readAgain();
  journal.kept = { location: SITE, sinceMs: 7 };
  journal.state = undefined;
  expect(await started).toBe(true);
  expect(watch.location).toBe(SITE);
});

it('learns soon what another gateway was told, and that the site works again', async () => {
  await watch.start(LONG_MS);
  for (const location of [SITE, null]) {
    journal.kept = { location, sinceMs: 1 };
    await waitFor('the news', () => watch.location === location);
  }
  expect(changes).toEqual([SITE, null]);
});

it('holds at once what it was told itself, whatever a look that was under way has seen', async () => {
  await watch.start(LONG_MS);
  journal.kept = { location: 'https://before.example', sinceMs: 1 };
  let arrive = () => {};
  journal.late = new Promise(resolve => {
    arrive = resolve;
  });
  const { reads } = journal;
  await waitFor('a look', () => journal.reads > reads);
  expect(await watch.set(SITE)).toEqual({ kind: 'done', value: undefined });
  expect(watch.location).toBe(SITE);
  journal.late = undefined;
  arrive();
  await journal.readAgain();
  expect(changes).toEqual([SITE]);
});

it.each(['away', 'unsure'] as const)(
  'changes nothing here where the journal is %s, and keeps what it knew',
  async state => {
    await watch.start(LONG_MS);
    await watch.set(SITE);
    journal.state = state;
    expect(await watch.set(null)).toEqual({ kind: state });
    await journal.readAgain();
    expect(watch.location).toBe(SITE);
  },
);

it('F66 writes back what the journal has lost, and raises an alarm: nobody said that the site works', async () => {
  await watch.start(LONG_MS);
  await watch.set(SITE);
  journal.kept = null;
  await waitFor('the writing back', () => journal.kept !== null);
  expect([watch.location, journal.kept]).toMatchObject([SITE, { location: SITE }]);
  await waitFor('the alarm', () => notices.length > 0);
  expect(notices).toMatchObject([{ level: 'alarm', about: 'storage' }]);
});

it('tells once that it cannot be kept in step, and once that it can again', async () => {
  await watch.start(LONG_MS);
  journal.state = new JournalDefect('broken');
  await waitFor('the alarm', () => notices.length > 0);
  await journal.readAgain();
  journal.state = undefined;
  await waitFor('the end of it', () => notices.length > 1);
  expect(notices.map(({ level }) => level)).toEqual(['alarm', 'info']);
});

it('asks no more once it was stopped', async () => {
  await watch.start(LONG_MS);
  await journal.readAgain();
  await watch.stop();
  const { reads } = journal;
  await clock.sleep(600);
  expect(journal.reads).toBe(reads);
});
