/**
 * CPU time of the threads of a process, by name: a profile sees the main thread alone, and cryptography and the garbage
 * collector work beside it. Linux only; elsewhere there is nothing to tell.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseStat } from './usage.ts';

/** What a thread that Node names does, for the report. The profiler's own is left out: it is not there otherwise. */
const WORK: readonly (readonly [name: RegExp, what: string])[] = [
  [/^libuv-worker/, 'thread pool (RSA, files)'],
  [/V8Worker/, 'garbage collector, beside'],
];

/** CPU seconds by what the threads do, of those that live now; the main thread is left out. */
export function threadTimes(pid: number): Map<string, number> {
  const times = new Map<string, number>();
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return times;
  for (const id of readdirSync(folder)) {
    const [name, seconds] = threadOf(`${folder}/${id}/stat`);
    const what = WORK.find(([pattern]) => pattern.test(name))?.[1];
    if (what !== undefined) times.set(what, (times.get(what) ?? 0) + seconds);
  }
  return times;
}

function threadOf(file: string): readonly [name: string, seconds: number] {
  try {
    const line = readFileSync(file, 'latin1');
    const name = line.slice(line.indexOf('(') + 1, line.lastIndexOf(')'));
    return [name, parseStat(line)?.ownCpuSeconds ?? 0];
  } catch {
    // It has ended since it was listed.
    return ['', 0];
  }
}
