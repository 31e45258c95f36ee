/**
 * Reads a V8 CPU profile and charges its busy time to the parts of the process: each sample to the nearest package or
 * part of the project up its stack, so that what Node does for a package is that package's.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuPart } from '../results.ts';

export type ProfileNode = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
};

/** As `node --cpu-prof` writes it; times in microseconds. */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

/** Frames that V8 makes up. What has no name here is charged by its place. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collector'],
  ['(program)', 'outside JavaScript'],
]);
const IDLE = new Set(['(idle)', '(root)']);
const REST = 'Node itself';
/** Parts smaller than this share are added up, for the eye. */
const SMALL = 0.01;
const OTHERS = 'everything else';

/** The package of a module, or the part of the project; undefined for Node's own and for made-up frames. */
export function ownerOf(url: string): string | undefined {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (inPackage !== undefined) return inPackage;
  const part = /\/src\/([^/]+)(\/)?/.exec(url);
  if (part) return `gateway: ${part[2] === undefined ? part[1]?.replace(/\.ts$/, '') : part[1]}`;
  return url.startsWith('file:') ? 'the proxy itself' : undefined;
}

/** A stretch of time on the machine's monotonic clock, in microseconds: `process.hrtime`, which V8 uses too. */
export type Stretch = { readonly fromUs: number; readonly untilUs: number };

/** Busy microseconds by owner, of what was sampled in the stretch. */
export function busyTimes(profile: CpuProfile, { fromUs, untilUs }: Stretch): Map<string, number> {
  const owners = ownersOf(profile);
  const times = new Map<string, number>();
  let at = profile.startTime;
  profile.samples.forEach((id, index) => {
    at += profile.timeDeltas[index] ?? 0;
    const owner = owners.get(id);
    if (at < fromUs || at > untilUs || owner === undefined) return;
    // A sample stands for the time until the next one.
    times.set(owner, (times.get(owner) ?? 0) + Math.max(0, profile.timeDeltas[index + 1] ?? 0));
  });
  return times;
}

/** The owner of each node; none for idle ones. */
function ownersOf({ nodes }: CpuProfile): Map<number, string> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map(child => [child, id] as const)));
  const byId = new Map(nodes.map(node => [node.id, node]));
  const owners = new Map<number, string>();
  for (const node of nodes) {
    const { functionName } = node.callFrame;
    if (IDLE.has(functionName)) continue;
    let owner = SPECIAL.get(functionName) ?? ownerOf(node.callFrame.url);
    for (let id = parents.get(node.id); owner === undefined && id !== undefined; id = parents.get(id)) {
      owner = ownerOf(byId.get(id)?.callFrame.url ?? '');
    }
    owners.set(node.id, owner ?? REST);
  }
  return owners;
}

/** Shares of the busy time, the largest first. @param usPerRequest what a request costs in all. */
export function partsOf(times: ReadonlyMap<string, number>, usPerRequest: number): CpuPart[] {
  const whole = [...times.values()].reduce((sum, us) => sum + us, 0);
  const parts = [...times].map(([name, us]) => ({ name, share: us / whole })).sort((a, b) => b.share - a.share);
  const large = parts.filter(({ share }) => share >= SMALL);
  const rest = 1 - large.reduce((sum, { share }) => sum + share, 0);
  const shown = rest > SMALL / 10 ? [...large, { name: OTHERS, share: rest }] : large;
  return shown.map(({ name, share }) => ({ name, share, usPerRequest: share * usPerRequest }));
}

/** The profiles in a folder, one per process and thread. */
export const readProfiles = (dir: string): CpuProfile[] =>
  readdirSync(dir)
    .filter(name => name.endsWith('.cpuprofile'))
    .map(name => JSON.parse(readFileSync(join(dir, name), 'utf8')));
