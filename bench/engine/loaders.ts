/**
 * Runs a loader beside the measured process and tells what it saw: wrk for a closed loop where it is installed, and our
 * process around autocannon for everything else. Whoever wants to look at the measured process when the measured time begins
 * and ends is called then.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findNeed, type Need } from '../../test/support/programs.ts';
import { unwatchProcess, watchProcess } from '../../test/support/watcher.ts';
import { ID_LENGTH } from '../peers/ids.ts';
import { readLines } from '../peers/loads.ts';
import { ROOT } from '../peers/process.ts';
import type { Pin } from '../peers/types.ts';
import { type LoaderOrder, MEASURED_MARK, MEASURING_MARK } from './loader.ts';
import { type LoadReport, parseWrkReport, REPORT_MARK } from './wrkReport.ts';
import { wrkScript } from './wrkScript.ts';

const WRK: Need = {
  what: 'wrk',
  names: ['wrk'],
  packages: { 'apt-get': 'wrk', apk: 'wrk', dnf: 'wrk', brew: 'wrk' },
};
/** Longer than anything that is measured may take to answer. */
const ANSWER_SECONDS = 10;

/** The path of wrk; undefined where it is not installed. */
export const findWrk = (): string | undefined => findNeed(WRK);

export type LoadWatch = { readonly onBegin: () => void; readonly onEnd: () => void };

export type LoaderPlace = {
  /** Keeps the loader off the measured core. */
  readonly pin: Pin;
  /** For its files. */
  readonly dir: string;
};

/**
 * Puts the load on: closed loops of whole seconds by wrk, all others by autocannon, and all of them where there is no wrk.
 *
 * @throws RangeError before anything is sent, where the order asks for messages that the pool does not have.
 * @throws Error with what the loader printed, where it fails.
 */
export async function putLoad(
  order: LoaderOrder,
  place: LoaderPlace,
  watch: LoadWatch,
  find = findWrk,
): Promise<LoadReport> {
  refuseBeyondPool(order);
  const wrk = order.ratePerSecond === 0 && Number.isInteger(order.seconds) ? find() : undefined;
  if (wrk === undefined) return byAutocannon(order, place, watch);
  // Warming up is a stretch of its own: wrk does not tell one part of its time from another.
  if (warmUpCount(order) > 0) await byWrk(wrk, warmUpOf(order), place, { onBegin: () => {}, onEnd: () => {} });
  return byWrk(wrk, measuredOf(order), place, watch);
}

/** A message that is not there cannot be sent, and one that was sent before would be a replay. */
function refuseBeyondPool({ load, slice: { from, count } }: LoaderOrder): void {
  if (load.body.kind !== 'pool') return;
  const there = readLines(load).length;
  if (count >= 1 && from >= 0 && from + count <= there) return;
  throw new RangeError(
    `the load ${load.name} has ${there} prepared messages, and ${count} from number ${from} on were asked for`,
  );
}

/** A quarter of the messages, or what its share of the time is, goes into the warm-up. */
const warmUpCount = ({ slice, warmUpSeconds, seconds }: LoaderOrder): number =>
  warmUpSeconds === 0 ? 0 : Math.floor((slice.count * warmUpSeconds) / (warmUpSeconds + seconds));

const warmUpOf = (order: LoaderOrder): LoaderOrder => ({
  ...order,
  slice: { from: order.slice.from, count: warmUpCount(order) },
  seconds: Math.ceil(order.warmUpSeconds),
});

const measuredOf = (order: LoaderOrder): LoaderOrder => ({
  ...order,
  slice: { from: order.slice.from + warmUpCount(order), count: order.slice.count - warmUpCount(order) },
});

async function byWrk(
  wrk: string,
  order: LoaderOrder,
  { pin, dir }: LoaderPlace,
  watch: LoadWatch,
): Promise<LoadReport> {
  const { url, load, slice, connections, seconds } = order;
  const { origin, host, pathname } = new URL(url);
  const script = join(dir, 'load.lua');
  writeFileSync(script, wrkScript({ load, slice, host, path: pathname + load.path, idLength: ID_LENGTH }), {
    mode: 0o600,
  });
  const sizes = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', `${ANSWER_SECONDS}s`];
  watch.onBegin();
  const lines = await linesOf(pin([wrk, ...sizes, '-s', script, origin]), {});
  watch.onEnd();
  return parseWrkReport(lines);
}

async function byAutocannon(order: LoaderOrder, { pin, dir }: LoaderPlace, watch: LoadWatch): Promise<LoadReport> {
  const file = join(dir, 'order.json');
  writeFileSync(file, JSON.stringify(order), { mode: 0o600 });
  const command = [process.execPath, join(ROOT, 'bench/engine/loader.ts'), file];
  return parseWrkReport(await linesOf(pin(command), { [MEASURING_MARK]: watch.onBegin, [MEASURED_MARK]: watch.onEnd }));
}

/** What a program prints, once it has ended well. Lines that are marks are told at once. */
async function linesOf(command: readonly string[], marks: Readonly<Record<string, () => void>>): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid !== undefined) watchProcess(pid);
  const ended = endOf(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line);
    marks[line]?.();
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', line => errors.push(line));
  const code = await ended;
  if (pid !== undefined) unwatchProcess(pid);
  const said = lines.some(line => line.startsWith(REPORT_MARK));
  if (code !== 0 || !said)
    throw new Error(`the loader ended with ${code}:\n${[...lines, ...errors].join('\n').slice(-2_000)}`);
  return lines.join('\n');
}

const endOf = (child: ChildProcessByStdio<null, Readable, Readable>): Promise<number | string | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    // 'close' rather than 'exit': by then everything that it printed has been read.
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
