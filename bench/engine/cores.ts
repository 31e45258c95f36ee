/**
 * Which core does what while something is measured. The measured process has a core of its own, so that what it costs is
 * not mixed with what the loader, the issuer and Redis cost; where there is but one core, or no taskset, all share.
 */
import { availableParallelism } from 'node:os';
import type { Pin } from '../peers/types.ts';
import { TICKS_PER_SECOND } from './usage.ts';

export type Cores = {
  /** Puts the measured process on its core. */
  readonly measured: Pin;
  /** Keeps everything around it off that core. */
  readonly around: Pin;
  /** Leaves the measured process all cores. */
  readonly everywhere: Pin;
  /** The number of that core, where there is one. */
  readonly core: number | undefined;
  /** For the method's text. */
  readonly what: string;
};

const leave: Pin = command => command;

/** `0,2-3` as `[0, 2, 3]`, the way Linux writes sets of cores. */
export const parseCoreList = (text: string): number[] =>
  text
    .trim()
    .split(',')
    .filter(part => part !== '')
    .flatMap(part => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });

/**
 * The last core that this process may use is the measured one, the others are for everything around it.
 *
 * @param allowed what `Cpus_allowed_list` of `/proc/self/status` says; undefined where there is no such file.
 */
export function chooseCores(allowed: string | undefined, hasTaskset: boolean): Cores {
  const cores = parseCoreList(allowed ?? '');
  const own = cores.at(-1);
  if (!hasTaskset || own === undefined || cores.length < 2) {
    const why = hasTaskset ? `${availableParallelism()} core` : 'no taskset';
    return {
      measured: leave,
      around: leave,
      everywhere: leave,
      core: undefined,
      what: `Nothing is pinned (${why}): all share the machine.`,
    };
  }
  const others = cores.slice(0, -1);
  return {
    measured: pinTo([own]),
    around: pinTo(others),
    everywhere: leave,
    core: own,
    what: `What is measured runs alone on core ${own}; loader, issuer stub and Redis on core ${others.join(', ')}.`,
  };
}

const pinTo =
  (cores: readonly number[]): Pin =>
  command => ['taskset', '-c', cores.join(','), ...command];

/**
 * Seconds that a core, or all of them together, have worked for processes, or were kept by the host, since the machine started, from `/proc/stat`
 * (proc_stat(5)). Interrupts are left out: nobody is charged for them. Undefined where it does not say.
 */
export function workOf(core: number | undefined, stat: string): number | undefined {
  const line = stat.split('\n').find(each => each.startsWith(`cpu${core ?? ''} `));
  const [user, nice, system, , , , , steal] = line?.split(/\s+/).slice(1).map(Number) ?? [];
  if (user === undefined || nice === undefined || system === undefined) return undefined;
  return (user + nice + system + (steal ?? 0)) / TICKS_PER_SECOND;
}
