/**
 * What is left of the gateway's work when five times as much is asked of it as it can do: `npm run overload`.
 * Capacity is what it answers in a closed loop; then calls come at even distances at 1, 2, 3 and 5 times that rate, and
 * once as a crowd that calls again as soon as it is told no. Goodput counts approvals within the caller's budget.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BUDGET_MS_DEFAULT } from '../../src/config/limits.ts';
import { optionsOrCode } from '../engine/command.ts';
import { occasionHere } from '../engine/machine.ts';
import { leaveOther } from '../engine/other.ts';
import { median } from '../engine/statistics.ts';
import { makeSurroundings, type Surroundings } from '../engine/surroundings.ts';
import { idOf } from '../peers/ids.ts';
import { loadRow } from '../peers/loads.ts';
import { peerRow } from '../peers/peers.ts';
import { ROOT } from '../peers/process.ts';
import type { Load, Peer, World } from '../peers/types.ts';
import type { LoaderOrder, LoaderReport } from './loader.ts';
import { readOptions, USAGE } from './options.ts';

export type Times = 1 | 2 | 3 | 5;

export type Goodput = {
  readonly times: Times;
  /** Approved within the budget, per second of the wall and per CPU-second of the gateway. */
  readonly perSecond: number;
  readonly perCpuSecond: number;
  /** Of those. */
  readonly p99Ms: number;
  /** Refused with 503, and callers that found no connection free, per second. */
  readonly shed: number;
  readonly unconnected: number;
};

export type GoodputReport = {
  readonly capacityPerSecond: number;
  readonly capacityPerCpuSecond: number;
  readonly goodput: readonly Goodput[];
  /** A closed loop of twenty times as many callers, who call again at once when they are refused. */
  readonly crowd: Omit<Goodput, 'times'>;
};

export type GoodputOptions = { readonly warmUpSeconds: number; readonly seconds: number };

/** Always enough under way to fill a core. */
const CAPACITY_CONNECTIONS = 64;
const CROWD_CONNECTIONS = 20 * CAPACITY_CONNECTIONS;
/** As many as a large caller or a balancer opens; who finds none free has failed without us. */
const OPEN_CONNECTIONS = 2000;
const TIMES: readonly Times[] = [1, 2, 3, 5];
/** Ids between two loads of one gateway. */
const IDS_APART = 1e9;

const run = promisify(execFile);

/** One round on a gateway of its own. */
export async function measureGoodput(around: Surroundings, options: GoodputOptions): Promise<GoodputReport> {
  const redis = await around.redis(around.dir);
  const issuerUrl = await around.issuerUrl('after5ms');
  const { dir, cores, credentials } = around;
  const world: World = { issuerUrl, redisUrl: redis.url, dir, pin: cores.measured, credentials };
  const peer = await peerRow('gatewayRedis').start(world);
  try {
    return await goodputOf(around, world, peer, options);
  } finally {
    await peer.stop();
    await redis.stop();
  }
}

type Loading = Pick<LoaderOrder, 'connections' | 'ratePerSecond'>;

async function goodputOf(
  around: Surroundings,
  world: World,
  peer: Peer,
  { warmUpSeconds, seconds }: GoodputOptions,
): Promise<GoodputReport> {
  const load = await loadRow('bearer').build(world, peer, 0);
  let loads = 0;
  const put = async (loading: Loading, warmUpMs: number): Promise<LoaderReport> => {
    loads += 1;
    const order = { ...orderOf(load, peer), ...loading, firstId: loads * IDS_APART, warmUpMs };
    return loaderIn(around, { ...order, measuredMs: seconds * 1000 });
  };
  const closed = { connections: CAPACITY_CONNECTIONS, ratePerSecond: 0 };
  const capacity = figuresOf(await put(closed, warmUpSeconds * 1000));
  const goodput: Goodput[] = [];
  for (const times of TIMES) {
    const open = { connections: OPEN_CONNECTIONS, ratePerSecond: Math.round(times * capacity.perSecond) };
    goodput.push({ times, ...figuresOf(await put(open, SETTLE_MS)) });
  }
  const crowd = figuresOf(await put({ connections: CROWD_CONNECTIONS, ratePerSecond: 0 }, SETTLE_MS));
  return { capacityPerSecond: capacity.perSecond, capacityPerCpuSecond: capacity.perCpuSecond, goodput, crowd };
}

/** Until queues have found their length. */
const SETTLE_MS = 1000;

function orderOf(load: Load, { url, pids }: Peer) {
  const { hostname, port, pathname } = new URL(url);
  if (load.body.kind !== 'template') throw new Error('the load has no body of its own for every call');
  const { before, after } = load.body;
  const length = Buffer.byteLength(before + idOf(0) + after);
  const heads = load.callers.map(({ authorization }) =>
    [
      `POST ${pathname}${load.path} HTTP/1.1`,
      `Host: ${hostname}`,
      `Authorization: ${authorization}`,
      ...Object.entries(load.headers).map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${length}`,
      '',
    ].join('\r\n'),
  );
  return { host: hostname, port: Number(port), heads, before, after, budgetMs: BUDGET_MS_DEFAULT, pids };
}

async function loaderIn({ cores }: Surroundings, order: LoaderOrder): Promise<LoaderReport> {
  const loader = [process.execPath, 'bench/overload/loader.ts', JSON.stringify(order)];
  const [program = '', ...args] = cores.around(loader);
  const { stdout } = await run(program, args, { cwd: ROOT });
  return JSON.parse(stdout);
}

const figuresOf = ({ good, shed, noConnection, p99Ms, seconds, cpuSeconds }: LoaderReport): Omit<Goodput, 'times'> => ({
  perSecond: Math.round(good / seconds),
  perCpuSecond: Math.round(good / cpuSeconds),
  p99Ms,
  shed: Math.round(shed / seconds),
  unconnected: Math.round(noConnection / seconds),
});

const rowOf = (name: string, { perSecond, perCpuSecond, p99Ms, shed, unconnected }: Omit<Goodput, 'times'>): string =>
  [name.padEnd(12), perCpuSecond, perSecond, p99Ms, shed, unconnected].map(each => String(each).padStart(12)).join('');

const HEADER = ['', 'good/CPU-s', 'good/s', 'p99 ms', '503/s', 'unconnected']
  .map(each => each.padStart(12))
  .join('')
  .padStart(72);

function show({ capacityPerSecond, capacityPerCpuSecond, goodput, crowd }: GoodputReport): string {
  const capacity = `${'capacity'.padEnd(12)}${String(capacityPerCpuSecond).padStart(12)}${String(capacityPerSecond).padStart(12)}`;
  const rows = goodput.map(each => rowOf(`${each.times} times`, each));
  return [HEADER, capacity, ...rows, rowOf('crowd', crowd)].join('\n');
}

/** Goodput over capacity, per CPU-second: what else runs on the machine is not what is asked. */
const ratioOf = ({ goodput, capacityPerCpuSecond }: GoodputReport): number =>
  (goodput.find(({ times }) => times === 5)?.perCpuSecond ?? 0) / capacityPerCpuSecond;

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOrCode(readOptions(args), USAGE);
  if (typeof options === 'number') return options;
  const { rounds, seconds, out } = options;
  const occasion = occasionHere();
  const around = await makeSurroundings(true);
  const ratios: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const report = await measureGoodput(around, { warmUpSeconds: 5, seconds });
      ratios.push(ratioOf(report));
      console.log(`${show(report)}\n`);
    }
  } finally {
    await around.end();
  }
  const note = `${rounds} rounds, open loop, per CPU-second of the gateway`;
  leaveOther(out, 'goodput', { rounds: ratios, note, ...occasion });
  console.log(`goodput at 5 times capacity / capacity: ${median(ratios).toFixed(2)}`);
  return 0;
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
