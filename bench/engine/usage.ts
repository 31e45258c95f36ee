/**
 * CPU time and memory of a process and all its descendants, from `/proc` where there is one and from `ps` elsewhere. CPU
 * time includes that of children that have ended and were waited for.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

export type ProcessRow = {
  readonly pid: number;
  readonly parent: number;
  /** User and system time, its ended children's too. */
  readonly cpuSeconds: number;
  readonly ownCpuSeconds: number;
  readonly rssMiB: number;
};

export type Usage = { readonly cpuSeconds: number; readonly rssMiB: number };

/** The kernel counts CPU time for `/proc` in hundredths of a second on every Linux that Node runs on. */
export const TICKS_PER_SECOND = 100;
const MIB = 1024 * 1024;
/** Of x86-64 and of most other systems. */
const PAGE_BYTES = 4096;

/** What the process trees under `roots` have used so far. */
export function usageOf(roots: readonly number[]): Usage {
  const rows = treeOf(roots, existsSync('/proc/self/stat') ? fromProc() : fromPs());
  return {
    cpuSeconds: rows.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    rssMiB: rows.reduce((sum, { rssMiB }) => sum + rssMiB, 0),
  };
}

/** The rows of the roots and of everything below them, each once. */
export function treeOf(roots: readonly number[], rows: readonly ProcessRow[]): ProcessRow[] {
  const wanted = new Set(roots);
  // A child may be listed before its parent: look until nothing more is found.
  for (let before = -1; before !== wanted.size; ) {
    before = wanted.size;
    for (const { pid, parent } of rows) if (wanted.has(parent)) wanted.add(pid);
  }
  return rows.filter(({ pid }) => wanted.has(pid));
}

/** One line of `/proc/PID/stat` (proc_pid_stat(5)); undefined for what is not one. */
export function parseStat(line: string): ProcessRow | undefined {
  // The name is in parentheses and may hold anything, parentheses and spaces too.
  const end = line.lastIndexOf(')');
  const fields = line
    .slice(end + 2)
    .split(' ')
    .map(Number);
  // Counted from the state, which is field 3 of the manual page: parent 4, utime to cstime 14 to 17, rss 24.
  const [parent, utime, stime, cutime, cstime, pages] = [1, 11, 12, 13, 14, 21].map(index => fields[index]);
  const own = (utime ?? Number.NaN) + (stime ?? 0);
  if (end < 0 || parent === undefined || Number.isNaN(own) || pages === undefined) return undefined;
  return {
    pid: Number.parseInt(line, 10),
    parent,
    cpuSeconds: (own + (cutime ?? 0) + (cstime ?? 0)) / TICKS_PER_SECOND,
    ownCpuSeconds: own / TICKS_PER_SECOND,
    rssMiB: (pages * PAGE_BYTES) / MIB,
  };
}

const fromProc = (): ProcessRow[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        return parseStat(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? [];
      } catch {
        // It has ended since it was listed.
        return [];
      }
    });

const fromPs = (): ProcessRow[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,time='], { encoding: 'utf8' })
    .split('\n')
    .flatMap(line => parsePs(line) ?? []);

/** One line of `ps -o pid=,ppid=,rss=,time=`; times are `[[days-]hours:]minutes:seconds[.hundredths]`. */
export function parsePs(line: string): ProcessRow | undefined {
  const [pid, parent, kib, time] = line.trim().split(/\s+/);
  const seconds = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(time ?? '');
  if (!seconds) return undefined;
  const [days, hours, minutes, rest] = seconds.slice(1).map(text => Number(text ?? 0));
  const cpuSeconds = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (rest ?? 0);
  return {
    pid: Number(pid),
    parent: Number(parent),
    cpuSeconds,
    ownCpuSeconds: cpuSeconds,
    rssMiB: Number(kib) / 1024,
  };
}
