/**
 * The measurements that are not rounds of load: operations by themselves, the start of a process and what it needs when
 * idle, and profiles of the CPU time of one request and of a start.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeDir } from '../../test/support/places.ts';
import { peerRow } from '../peers/peers.ts';
import type { Pin, World } from '../peers/types.ts';
import { primitiveRow } from '../primitives/primitives.ts';
import type { CpuPart, Figures, Sample } from '../results.ts';
import type { ClosedRow, OperationRow, StartRow } from '../subjects.ts';
import { flawsOf, watchOthers } from './others.ts';
import { busyTimes, type CpuProfile, partsOf, readProfiles } from './profile.ts';
import { startStand } from './stand.ts';
import type { Surroundings } from './surroundings.ts';
import { threadTimes } from './threads.ts';
import { usageOf } from './usage.ts';

type WorldOptions = { readonly pin: Pin; readonly needsIssuer: boolean };

/** Runs `use` in a world of its own, which is gone afterwards. */
async function inWorld<T>(around: Surroundings, options: WorldOptions, use: (world: World) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(around.dir, 'world-'));
  const redis = await around.redis(dir);
  const issuerUrl = options.needsIssuer ? await around.issuerUrl('steady') : '';
  try {
    return await use({ issuerUrl, redisUrl: redis.url, dir, pin: options.pin, credentials: around.credentials });
  } finally {
    await redis.stop();
    removeDir(dir);
  }
}

export const measureOperation = (
  around: Surroundings,
  { primitive }: OperationRow,
  round: number,
  seconds: number,
): Promise<Sample> =>
  inWorld(around, { pin: around.cores.measured, needsIssuer: false }, async world => {
    const others = watchOthers(undefined);
    const { perSecond, perCpuSecond } = await primitiveRow(primitive).measure(world, seconds);
    const figures: Figures = { perSecond, ...(perCpuSecond === undefined ? {} : { perCpuSecond }) };
    const flaws = Number.isFinite(perSecond) && perSecond > 0 ? flawsOf(others()) : ['it gave no rate'];
    return { round, figures, count: Math.round(perSecond * seconds), failed: 0, flaws };
  });

/** A process that was just started is left alone for a while: what it frees by itself does not count as needed. */
export const measureStart = (
  around: Surroundings,
  { peer }: StartRow,
  round: number,
  idleSeconds: number,
): Promise<Sample> =>
  inWorld(around, { pin: around.cores.everywhere, needsIssuer: true }, async world => {
    const others = watchOthers(undefined);
    const { startMs, pids, stop } = await peerRow(peer).start(world);
    const flaws = flawsOf(others());
    await sleep(idleSeconds * 1000);
    const idleMiB = usageOf(pids).rssMiB;
    await stop();
    return {
      round,
      figures: { ...(startMs === undefined ? {} : { startMs }), idleMiB },
      count: 1,
      failed: 0,
      flaws,
    };
  });

export type ProfileOptions = {
  readonly profileSeconds: number;
  readonly warmUpSeconds: number;
  /** Without the profiler: its own cost is not part of the picture. */
  readonly usPerRequest: number;
};

/**
 * One more measurement with the profiler on.
 *
 * @throws Error where the process has written no profile.
 */
export async function profileOf(around: Surroundings, row: ClosedRow, options: ProfileOptions): Promise<CpuPart[]> {
  const { profileSeconds: seconds, warmUpSeconds, usPerRequest } = options;
  const dir = mkdtempSync(join(around.dir, 'profile-'));
  const pin = profiled(around.cores.measured, dir);
  const stand = await startStand(around, row, { pin, core: around.cores.core, loadSeconds: warmUpSeconds + seconds });
  const threads = () => stand.pids.map(pid => threadTimes(pid));
  let [before, after] = [threads(), threads()];
  let stretch = { fromUs: 0, untilUs: 0 };
  try {
    await stand.measure({ warmUpSeconds: 0, seconds: Math.max(1, Math.ceil(warmUpSeconds)), ratePerSecond: 0 });
    before = threads();
    stretch = await stand.measure({ warmUpSeconds: 0, seconds, ratePerSecond: 0 });
    after = threads();
  } finally {
    await stand.end();
  }
  const times = takeProfiles(dir).map(profile => busyTimes(profile, stretch));
  const beside = after.map((each, index) => since(each, before[index]));
  return partsOf(addUp([...times, ...beside]), usPerRequest);
}

/** Where the CPU time of a start goes, from the process's first JavaScript until about when its port accepts. */
export async function profileOfStart(around: Surroundings, { peer }: StartRow): Promise<CpuPart[]> {
  const dir = mkdtempSync(join(around.dir, 'profile-'));
  const pin = profiled(around.cores.everywhere, dir);
  const startMs = await inWorld(around, { pin, needsIssuer: true }, async world => {
    const started = await peerRow(peer).start(world);
    await started.stop();
    return started.startMs ?? 0;
  });
  const times = addUp(
    takeProfiles(dir).map(profile =>
      busyTimes(profile, { fromUs: 0, untilUs: profile.startTime + startMs * (MICROSECONDS / 1000) }),
    ),
  );
  return partsOf(
    times,
    [...times.values()].reduce((sum, us) => sum + us, 0),
  );
}

/** The profiles that were written, whose folder goes. @throws Error where there are none. */
function takeProfiles(dir: string): CpuProfile[] {
  const profiles = readProfiles(dir);
  removeDir(dir);
  if (profiles.length === 0) throw new Error('it wrote no profile');
  return profiles;
}

/** Has Node write a profile when it ends. What is no program of Node runs as it is. */
const profiled =
  (pin: Pin, dir: string): Pin =>
  command => {
    const [program = '', ...rest] = command;
    return pin(program === process.execPath ? [program, '--cpu-prof', `--cpu-prof-dir=${dir}`, ...rest] : command);
  };

const MICROSECONDS = 1e6;

const since = (after: ReadonlyMap<string, number>, before?: ReadonlyMap<string, number>): Map<string, number> =>
  new Map([...after].map(([name, seconds]) => [name, (seconds - (before?.get(name) ?? 0)) * MICROSECONDS]));

function addUp(each: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, us] of each.flatMap(map => [...map])) sums.set(name, (sums.get(name) ?? 0) + us);
  return sums;
}
