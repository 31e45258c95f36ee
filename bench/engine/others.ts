/**
 * How much of the machine others had while something was measured: all that its cores did, less what the bench and its
 * descendants did. A number from a machine that was busy with something else says little.
 */
import { readFileSync } from 'node:fs';
import { workOf } from './cores.ts';
import { usageOf } from './usage.ts';

/** A core that was another's for more than this share of the time measures that other one, too. */
const OTHERS_MOST = 0.1;
const MICROSECONDS = 1e6;

/** What of a core's time, or of all cores' time, others had; undefined where the machine does not tell. */
export type Share = number | undefined;

/** @param core all cores where there is none. @param pids whose work is not that of others. */
export function watchOthers(core: number | undefined, pids: readonly number[] = [process.pid]): () => Share {
  const look = () => ({
    work: workHere(core),
    own: usageOf(pids).cpuSeconds,
    us: Number(process.hrtime.bigint() / 1000n),
  });
  const before = look();
  return () => {
    const after = look();
    if (before.work === undefined || after.work === undefined) return undefined;
    const seconds = ((after.us - before.us) / MICROSECONDS) * after.work.cores;
    return Math.max(0, (after.work.seconds - before.work.seconds - (after.own - before.own)) / seconds);
  };
}

/** Why a number is not to be believed for it; none where it may be. */
export const flawsOf = (share: Share): string[] =>
  share !== undefined && share > OTHERS_MOST ? [`something else had ${Math.round(share * 100)} % of its core`] : [];

function workHere(core: number | undefined): { readonly seconds: number; readonly cores: number } | undefined {
  try {
    const stat = readFileSync('/proc/stat', 'utf8');
    const seconds = workOf(core, stat);
    const cores = core === undefined ? (stat.match(/^cpu\d/gm)?.length ?? 1) : 1;
    return seconds === undefined ? undefined : { seconds, cores };
  } catch {
    return undefined;
  }
}
