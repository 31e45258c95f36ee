/**
 * How a supervisor keeps its workers, with processes that are none and a clock that stands still: replacing, giving up,
 * reloading all or none, and the orderly end.
 */
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/config/snapshot.ts';
import type { Log } from '../../src/runtime/log.ts';
import type { MetricsSum, WorkerEnd } from '../../src/runtime/metricsSum.ts';
import { Supervisor } from '../../src/workers/supervisor.ts';
import { FakeProcess, HeldClock, type Manner, NO_LOG, READY, settled } from './processesKit.ts';

const SNAPSHOT: Snapshot = { path: 'gateway.yaml', env: {}, files: {} };
const NEXT: Snapshot = { ...SNAPSHOT, env: { NEXT: '1' } };
const PROBLEM = { file: 'gateway.yaml', line: 3, path: 'issuers', what: 'lacks one', mend: 'put it back' };
const REFUSED: Manner = { start: { kind: 'refused', problems: [PROBLEM] } };

/** A supervisor of so many; `manners` are those of the processes in the order in which they are started. */
function stage(manners: readonly Manner[] = [], otherwise: Manner = {}, workers = 2) {
  const clock = new HeldClock();
  const processes: FakeProcess[] = [];
  const ends: WorkerEnd[] = [];
  const kept: unknown[] = [];
  const lines: object[] = [];
  const write = (event: string, fields = {}) => void lines.push({ event, ...fields });
  const log: Pick<Log, 'info' | 'error'> = { info: write, error: write };
  const metrics: Pick<MetricsSum, 'keep' | 'ended'> = {
    keep: last => void kept.push(last),
    ended: how => void ends.push(how),
  };
  const fork = () => {
    const process = new FakeProcess(100 + processes.length, manners[processes.length] ?? otherwise);
    processes.push(process);
    return process;
  };
  const supervisor = new Supervisor({
    ...{ workers, fork, snapshot: SNAPSHOT, clock },
    log: { ...NO_LOG, ...log },
    metrics: { text: async () => '', contentType: '', ...metrics },
  });
  let failure: string | undefined;
  void supervisor.failure.then(why => {
    failure = why;
  });
  const at = (index: number): FakeProcess => {
    const process = processes[index];
    if (!process) throw new Error(`no process ${index} was started`);
    return process;
  };
  return { supervisor, clock, processes, at, ends, kept, lines, failure: () => failure };
}

describe('the start', () => {
  it('gives each worker its share, and is over when all of them listen', async () => {
    const { supervisor, at } = stage();
    expect(await supervisor.start()).toEqual({ kind: 'listening', port: 4711 });
    expect(supervisor.isUp).toBe(true);
    expect(supervisor.serving).toHaveLength(2);
    expect([0, 1].map(index => at(index).asked[0]?.given)).toEqual([
      { snapshot: SNAPSHOT, share: { worker: 1, workers: 2 } },
      { snapshot: SNAPSHOT, share: { worker: 2, workers: 2 } },
    ]);
  });

  it('leaves none where one cannot, and tells why', async () => {
    const { supervisor, processes } = stage([{}, REFUSED]);
    expect(await supervisor.start()).toEqual({ kind: 'refused', problems: [PROBLEM] });
    expect([supervisor.isUp, supervisor.serving.length, processes.length]).toEqual([false, 0, 2]);
  });

  it('F65: where one cannot, those that listen already end in good order: they may have taken calls on', async () => {
    const { supervisor, at, ends } = stage([{}, { start: undefined }, { start: undefined }], {}, 3);
    const started = supervisor.start();
    await settled();
    at(1).exit(1);
    expect(await started).toMatchObject({ kind: 'failed' });
    expect([at(0).calls, at(2).calls]).toEqual([['start', 'drain'], ['start']]);
    expect(ends.toSorted()).toEqual(['drained', 'exit', 'signal']);
  });

  it('waits a minute for it, and no longer', async () => {
    const { supervisor, clock } = stage([{}, { start: undefined }]);
    const started = supervisor.start();
    await clock.pass(60_000);
    expect(await started).toEqual({ kind: 'failed', why: 'worker 2 did not start within 60 s' });
  });
});

describe('a worker that ends', () => {
  it('F66: is replaced at once, in its place, with a line and in the numbers; what it had counted is kept', async () => {
    const { supervisor, clock, at, ends, kept, lines } = stage([{ metrics: ['counted'] }]);
    await supervisor.start();
    await clock.pass(5000);
    at(0).kill();
    await settled();
    expect(at(2).asked[0]?.given).toMatchObject({ share: { worker: 1, workers: 2 } });
    expect([ends, kept]).toEqual([['signal'], [['counted']]]);
    expect(lines).toContainEqual(expect.objectContaining({ state: 'ended', worker: 1, pid: 100, signal: 'SIGKILL' }));
    expect(supervisor.serving.map(({ pid }) => pid)).toEqual([102, 101]);
  });

  it('again and again at its start ends the gateway, with growing pauses and the reason', async () => {
    const { supervisor, clock, processes, at, failure } = stage([{}, {}], REFUSED);
    await supervisor.start();
    at(0).exit(1);
    await settled();
    const starts: number[] = [];
    for (let ms = 0; ms < 5000 && failure() === undefined; ms += 100) {
      starts.push(processes.length - 2);
      await clock.pass(100);
    }
    // After the end of the first: at once, 200, 400 and 800 ms later.
    expect([starts[0], starts[1], starts[2], starts[5], starts[6], starts.length]).toEqual([1, 1, 2, 2, 3, 14]);
    expect(processes).toHaveLength(6);
    expect(failure()).toMatch(/gateway\.yaml:3: issuers: lacks one; put it back, 5 times in a row$/);
    await clock.pass(60_000);
    expect(processes).toHaveLength(6);
    expect(await supervisor.drain()).toBe(false);
  });

  it('F66: cannot start while the journal is away: that ends nobody who serves, and is tried until it is back', async () => {
    const { supervisor, clock, processes, at, failure } = stage(
      [{}, { readiness: { ...READY, journal: false } }],
      REFUSED,
    );
    await supervisor.start();
    at(0).exit(1);
    await clock.pass(60_000);
    expect([failure(), supervisor.serving.map(({ pid }) => pid)]).toEqual([undefined, [101]]);
    // No more than one a second.
    expect(processes.length).toBeGreaterThan(50);
    expect(processes.length).toBeLessThan(70);
  });

  it('now and then does not, however often', async () => {
    const { supervisor, clock, processes, failure } = stage();
    await supervisor.start();
    for (let times = 0; times < 12; times += 1) {
      await clock.pass(10_000);
      processes.at(-1)?.kill();
      await settled();
    }
    expect([processes.length, failure()]).toEqual([14, undefined]);
  });

  it('was told to by an operator: the next one comes, and nobody is alarmed', async () => {
    const { supervisor, at, processes, ends, lines } = stage();
    await supervisor.start();
    at(1).exit(0);
    await settled();
    expect([processes.length, ends]).toEqual([3, ['drained']]);
    expect(lines).not.toContainEqual(expect.objectContaining({ kind: 'worker' }));
  });

  it('does not answer for 20 s: it is killed and replaced', async () => {
    const { supervisor, clock, processes, ends } = stage([{ metrics: undefined }]);
    await supervisor.start();
    await clock.pass(24_900);
    expect(processes).toHaveLength(2);
    await clock.pass(200);
    expect([processes.length, ends]).toEqual([3, ['hung']]);
  });
});

describe('a reload', () => {
  it('is proved by all before any takes it over; later ones start with it', async () => {
    const { supervisor, at } = stage();
    await supervisor.start();
    expect(await supervisor.reload(NEXT)).toEqual([]);
    for (const index of [0, 1]) expect(at(index).calls).toEqual(['start', 'prepare', 'commit']);
    at(0).kill();
    await settled();
    expect(at(2).asked[0]?.given).toMatchObject({ snapshot: NEXT });
  });

  it.each([
    ['cannot', { prepare: [PROBLEM] }, /lacks one/],
    ['does not say', { prepare: undefined }, /worker 2 did not say/],
  ] as const)('is none where one %s', async (_, manner, what) => {
    const { supervisor, clock, at } = stage([{}, manner]);
    await supervisor.start();
    const reloading = supervisor.reload(NEXT);
    await clock.pass(15_000);
    expect(await reloading).toEqual([expect.objectContaining({ what: expect.stringMatching(what) })]);
    await settled();
    for (const index of [0, 1]) {
      const since = at(index).asked.filter(({ call }) => call === 'prepare' || call === 'commit');
      // What was prepared is let go.
      expect(since.map(({ call, given }) => [call, given])).toEqual([
        ['prepare', NEXT],
        ['prepare', null],
      ]);
    }
    at(0).kill();
    await settled();
    expect(at(2).asked[0]?.given).toMatchObject({ snapshot: SNAPSHOT });
  });

  it('ends with the new one in all: who fails to take it over, or was starting, starts anew with it', async () => {
    const { supervisor, clock, at, processes, ends } = stage([{ commit: undefined }, {}, { start: undefined }]);
    await supervisor.start();
    at(1).kill();
    await settled();
    const reloading = supervisor.reload(NEXT);
    await clock.pass(5000);
    expect(await reloading).toEqual([]);
    await settled();
    expect(ends).toEqual(['signal', 'replaced', 'replaced']);
    expect(processes).toHaveLength(5);
    for (const index of [3, 4]) expect(at(index).asked[0]?.given).toMatchObject({ snapshot: NEXT });
  });
});

describe('the end', () => {
  it('is clean where all of them end in good order, whatever happened before', async () => {
    const { supervisor, at } = stage();
    await supervisor.start();
    at(0).kill();
    await settled();
    expect(await supervisor.drain()).toBe(true);
    expect([supervisor.isEnding, supervisor.serving]).toEqual([true, []]);
  });

  it('is not where one does not; it waits a minute and a half for it', async () => {
    const { supervisor, clock, processes } = stage([{}, { drain: undefined }]);
    await supervisor.start();
    const ended = supervisor.drain();
    await clock.pass(90_000);
    expect(await ended).toBe(false);
    expect(processes).toHaveLength(2);
  });
});
