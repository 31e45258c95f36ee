/**
 * How many files and sockets the system lets this process have open. Node has raised the soft limit to the hard one by
 * the time that anything of ours runs.
 */
import { readFileSync } from 'node:fs';

/** Descriptors at most; undefined where the system does not tell, or sets no limit. */
export function openFilesMost(limits: string = readLimits()): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** At least this share of all descriptors is for callers, whatever else might need them at the same time. */
const CALLERS_SHARE = 0.25;

/**
 * Connections of callers at most, up to `wanted`, so that `needed` descriptors stay for what their calls need: refused at
 * the door a caller costs nothing, and without a socket to an issuer every call fails (F71).
 */
export const connectionsMost = (wanted: number, needed: number, files = openFilesMost()): number =>
  files === undefined ? wanted : Math.min(wanted, Math.max(files - needed, Math.floor(files * CALLERS_SHARE)));

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}
