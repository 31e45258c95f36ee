/**
 * CPU time and memory of process trees: the lines of Linux and of ps as they come, and the tree that they make.
 */
import { describe, expect, it } from 'vitest';
import { parsePs, parseStat, treeOf, usageOf } from '../../../bench/engine/usage.ts';

describe('a line of /proc/PID/stat', () => {
  const after = (name: string) =>
    `4711 (${name}) S 12 4711 4711 0 -1 4194560 44335 0 0 0 150 50 20 5 20 0 11 0 900 1000000 25600 18446744073709551615 1 1`;

  it.each(['node', 'a name) S 9 (', 'nginx: worker'])('is read whatever the name: %s', name => {
    expect(parseStat(after(name))).toEqual({ pid: 4711, parent: 12, cpuSeconds: 2.25, ownCpuSeconds: 2, rssMiB: 100 });
  });

  it.each(['', 'nothing', '12 (cut off) S 1'])('is not made up from %j', line => {
    expect(parseStat(line)).toBeUndefined();
  });
});

describe('a line of ps', () => {
  it.each([
    ['  4711    12 102400     0:02.25', 2.25],
    ['4711 12 102400 00:01:02', 62],
    ['4711 12 102400 2-03:00:01', 183_601],
  ])('%s', (line, cpuSeconds) => {
    expect(parsePs(line)).toEqual({ pid: 4711, parent: 12, cpuSeconds, ownCpuSeconds: cpuSeconds, rssMiB: 100 });
  });

  it('is not made up from its header', () => expect(parsePs('PID PPID RSS TIME')).toBeUndefined());
});

describe('a tree of processes', () => {
  const row = (pid: number, parent: number) => ({ pid, parent, cpuSeconds: 1, ownCpuSeconds: 1, rssMiB: 1 });

  it('has the roots and all below them, each once, in whatever order they are listed', () => {
    const rows = [row(4, 3), row(3, 2), row(2, 1), row(9, 8), row(1, 0)];
    expect(treeOf([2, 3], rows).map(({ pid }) => pid)).toEqual([4, 3, 2]);
  });

  it('of nothing uses nothing', () => expect(usageOf([])).toEqual({ cpuSeconds: 0, rssMiB: 0 }));

  it('of this process uses CPU and memory', () => {
    const { cpuSeconds, rssMiB } = usageOf([process.pid]);
    expect(cpuSeconds).toBeGreaterThan(0);
    expect(rssMiB).toBeGreaterThan(10);
  });
});
