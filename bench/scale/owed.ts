/**
 * A great outage: so many Reversals are due at an issuer that is away while calls for another issuer go on, and then it is
 * back. How long until nothing is owed any more, and what the calls of the other issuer feel of it.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../../src/journal/journal.ts';
import { OWNER_ONLY } from '../../src/keys/keyFiles.ts';
import { removeDir } from '../../test/support/places.ts';
import { putLoad } from '../engine/loaders.ts';
import { latencyFigures } from '../engine/statistics.ts';
import type { Surroundings } from '../engine/surroundings.ts';
import { usageOf } from '../engine/usage.ts';
import { checkLoad } from '../peers/check.ts';
import { gatewayConfig } from '../peers/gateway.ts';
import { LOADS } from '../peers/loads.ts';
import { newPlace, ownDir, ROOT, type Started, startProgram } from '../peers/process.ts';
import type { Load, Peer, World } from '../peers/types.ts';
import { dueEntry, filledId, keyOf, vaultOf } from './entries.ts';
import { fill } from './fill.ts';
import type { Say } from './growing.ts';
import { redisJournal } from './journals.ts';
import type { ScaleOptions } from './options.ts';
import { grouped, inMs, type Table } from './tables.ts';

const AWAY_ISSUER = 'away-bank';
const AWAY_PARTICIPANT = '200000';
const RATE_PER_SECOND = 300;
const CONNECTIONS = 40;
const LOOK_MS = 500;
/** A process that has just started compiles while it works: until it does no more, all rows would be about that. */
const FIRST_WARM_UP_SECONDS = 10;
const WARM_UP_SECONDS = 1;
const MS = 1_000;
const US = 1e6;
/** Ids of one stretch of load. */
const STRETCH = 1e9;

/** The configuration of the bench with one more issuer, which has a participant of its own. */
export function withAwayIssuer(config: object, baseUrl: string): object {
  const { issuers, routes } = config as { issuers: readonly object[]; routes: readonly object[] };
  return {
    ...config,
    issuers: [...issuers, ...issuers.slice(0, 1).map(first => ({ ...first, id: AWAY_ISSUER, baseUrl }))],
    routes: [...routes, { participant: AWAY_PARTICIPANT, issuer: AWAY_ISSUER }],
  };
}

type Stage = {
  readonly around: Surroundings;
  readonly world: World;
  readonly peer: Peer;
  readonly journal: Journal;
  readonly load: Load;
  readonly seconds: number;
  /** What the gateway has logged so far. */
  readonly log: () => string;
};

export async function owedTables(options: ScaleOptions, around: Surroundings, say: Say): Promise<Table[]> {
  const dir = mkdtempSync(join(around.dir, 'owed-'));
  const redis = await around.redis(dir);
  const world = {
    ...{ redisUrl: redis.url, dir, pin: around.cores.measured, credentials: around.credentials },
    issuerUrl: await around.issuerUrl('after5ms'),
  };
  const away = await newPlace();
  const { peer, log } = await startTwoIssuers(world, away.url);
  const journal = await redisJournal(redis.url, dir);
  try {
    const load = await LOADS.bearer.build(world);
    const problem = await checkLoad(peer, load, world.credentials);
    if (problem !== undefined) throw new Error(`the first answer: ${problem}`);
    return await outage({ around, world, peer, journal, load, seconds: options.seconds, log }, away.port, options, say);
  } finally {
    await journal.close();
    await peer.stop();
    await redis.stop();
    removeDir(dir);
  }
}

async function startTwoIssuers(
  world: World,
  awayUrl: string,
): Promise<{ readonly peer: Peer; readonly log: () => string }> {
  const [main, admin] = [await newPlace(), await newPlace()];
  const dir = ownDir(world.dir, 'gateway');
  const { credentials, issuerUrl, redisUrl: journalUrl } = world;
  const config = gatewayConfig({ port: main.port, adminPort: admin.port, issuerUrl, journalUrl, credentials });
  const file = join(dir, 'gateway.yaml');
  writeFileSync(file, JSON.stringify(withAwayIssuer(config, awayUrl)), { mode: OWNER_ONLY });
  const command = [process.execPath, join(ROOT, 'src/main.ts'), '--config', file];
  const started = await startProgram({ name: 'gateway', command, pin: world.pin, dir, port: main.port });
  const { pid, startMs, stop } = started;
  return {
    peer: { url: main.url, pids: [pid], startMs, stop },
    log: () => readFileSync(join(dir, 'gateway.log'), 'utf8'),
  };
}

/** What the calls that were not approved got, by code and reason, from lines of a gateway's log; '' where all were. */
export function refusalsIn(log: string): string {
  const counts = new Map<string, number>();
  for (const line of log.split('\n').filter(each => each.includes('"event":"request"'))) {
    const { code, outcome, refusal, detail } = JSON.parse(line);
    const what = [code ?? 'no code', outcome, refusal, detail].filter(word => word !== undefined).join(' ');
    if (code !== '00') counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${grouped(count)} × ${what}`).join(', ');
}

/** Waits until nothing is owed; how long it took, and how much was still owed where it took too long. */
async function drained(
  journal: Journal,
  say: Say,
  minutes: number,
): Promise<{ readonly ms: number; readonly left: number }> {
  const begun = performance.now();
  for (;;) {
    const reply = await journal.owed();
    const ms = performance.now() - begun;
    const isLate = ms > minutes * 60 * MS;
    // A busy machine may be late with an answer; the next look has it.
    if (reply.kind === 'done') {
      const { due } = reply.value;
      if (due === 0 || isLate) return { ms, left: due };
      say(`owed: ${grouped(due)} after ${(ms / MS).toFixed(0)} s`);
    } else if (isLate) throw new Error(`the journal does not say what is owed: ${reply.kind}`);
    await sleep(LOOK_MS);
  }
}

async function outage(stage: Stage, awayPort: number, options: ScaleOptions, say: Say): Promise<Table[]> {
  const { journal, around, world } = stage;
  const { owed, awaySeconds, drainMinutes } = options;
  const rows = [['before', ...(await feltBy(stage, 0, FIRST_WARM_UP_SECONDS))]];
  const vault = vaultOf(world.credentials.sealKeyFile);
  const begun = performance.now();
  const entryOf = (index: number) => dueEntry(keyOf(filledId(index), AWAY_PARTICIPANT), vault, AWAY_ISSUER, Date.now());
  await fill(journal, { from: 0, until: owed }, entryOf, done => say(`owed: ${grouped(done)} written`));
  rows.push([`${grouped(owed)} due, issuer away`, ...(await feltBy(stage, 1))]);
  await sleep(Math.max(0, awaySeconds * MS - (performance.now() - begun)));
  const issuer = await startIssuerAt(awayPort, world.dir, around);
  const [{ ms, left }, felt] = await Promise.all([drained(journal, say, drainMinutes), feltBy(stage, 2)]);
  rows.push(['issuer back, delivering', ...felt], ['after', ...(await feltBy(stage, 3))]);
  await issuer.stop();
  const rate = ((owed - left) * MS) / ms;
  const result =
    left === 0
      ? `nothing was owed after ${(ms / MS).toFixed(1)} s`
      : `${grouped(left)} were still owed after ${drainMinutes} min`;
  const notes = [
    `Once the issuer was back, which answers at once, ${result}: ${grouped(rate)} a second.`,
    `Beside it ${RATE_PER_SECOND} calls a second for another issuer, which answers after 5 ms, at even distances.`,
    'Unanswered is what had no answer one second after the measured time, most of it still waiting for one of the 40 connections; refused is any other answer than an approval.',
  ];
  const refusals = refusalsIn(stage.log());
  if (refusals !== '') notes.push(`All refusals of the run by the gateway's log: ${refusals}.`);
  return [{ title: `Obligations due: ${grouped(owed)}`, notes, head: HEAD, rows }];
}

const HEAD = ['', 'calls answered', 'refused', 'unanswered', 'p50 ms', 'p99 ms', 'gateway CPU %', 'memory MiB'];

const startIssuerAt = (port: number, dir: string, { cores }: Surroundings): Promise<Started> =>
  startProgram({
    ...{ name: 'issuer', port, pin: cores.around, dir: ownDir(dir, 'issuer') },
    command: [process.execPath, 'bench/peers/issuerStub.ts', '--port', String(port)],
  });

/** What calls for the other issuer feel meanwhile: the cells of a row. */
async function feltBy(stage: Stage, stretch: number, warmUpSeconds = WARM_UP_SECONDS): Promise<string[]> {
  const { around, world, peer, load, seconds } = stage;
  let [before, after] = [usageOf(peer.pids), usageOf(peer.pids)];
  const slice = { from: stretch * STRETCH, count: STRETCH };
  const order = { url: peer.url, load, slice, connections: CONNECTIONS, ratePerSecond: RATE_PER_SECOND };
  const report = await putLoad(
    { ...order, warmUpSeconds, seconds },
    { pin: around.cores.around, dir: world.dir },
    {
      onBegin: () => {
        before = usageOf(peer.pids);
      },
      onEnd: () => {
        after = usageOf(peer.pids);
      },
    },
  );
  const { p50Us = 0, p99Us = 0 } = latencyFigures(report.histogram);
  const cpu = ((after.cpuSeconds - before.cpuSeconds) * US) / (report.seconds * US);
  return [
    grouped(report.answered),
    grouped(report.bad),
    grouped(report.lost),
    inMs(p50Us),
    inMs(p99Us),
    (cpu * 100).toFixed(0),
    grouped(after.rssMiB),
  ];
}
