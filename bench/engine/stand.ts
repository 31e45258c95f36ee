/**
 * A peer with everything around it, ready to be measured: an issuer of the kind that the row asks for, Redis, the peer on
 * its core and the load for it. A stand is measured once, or, in a quick run, kept for all rounds.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { removeDir } from '../../test/support/places.ts';
import { checkLoad } from '../peers/check.ts';
import { loadRow } from '../peers/loads.ts';
import { peerRow } from '../peers/peers.ts';
import type { Load, Peer, Pin } from '../peers/types.ts';
import type { ClosedRow, RatesRow } from '../subjects.ts';
import { putLoad } from './loaders.ts';
import { type Share, watchOthers } from './others.ts';
import type { Surroundings } from './surroundings.ts';
import { type Usage, usageOf } from './usage.ts';
import type { LoadReport } from './wrkReport.ts';

/** Ids for one stretch of load: far more than are sent in one. */
const STRETCH = 1_000_000_000;
/** Messages that must be made beforehand are made for so many a second: twice what a core opens. */
const PREPARED_PER_SECOND = 6_000;

/** How long, and how fast; 0: as fast as it goes. */
export type Stretch = { readonly warmUpSeconds: number; readonly seconds: number; readonly ratePerSecond: number };

export type Measured = {
  readonly report: LoadReport;
  readonly before: Usage;
  readonly after: Usage;
  /** What others had of the peer's core, or of all cores where it has none to itself. */
  readonly othersShare: Share;
  /** By `process.hrtime`, for a profile. */
  readonly fromUs: number;
  readonly untilUs: number;
};

export type LoadedRow = ClosedRow | RatesRow;

type Parts = {
  readonly row: LoadedRow;
  readonly peer: Peer;
  readonly load: Load;
  /** Of the loader. */
  readonly pin: Pin;
  readonly core: number | undefined;
  readonly dir: string;
  readonly end: () => Promise<void>;
};

export class Stand {
  readonly #parts: Parts;
  /** Messages that were meant for earlier stretches. */
  #taken = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get pids(): readonly number[] {
    return this.#parts.peer.pids;
  }

  /** Puts the load on for a while, and looks at the peer when the measured time begins and ends. */
  async measure(stretch: Stretch): Promise<Measured> {
    const { row, peer, load, pin, core, dir } = this.#parts;
    const seconds = stretch.warmUpSeconds + stretch.seconds;
    const count = load.body.kind === 'pool' ? preparedFor(seconds) : STRETCH;
    const slice = { from: this.#taken, count };
    this.#taken += count;
    // On a core of its own, all but the peer are others; elsewhere, all but the bench and what it has started.
    const watch = () => (core === undefined ? watchOthers(undefined) : watchOthers(core, peer.pids));
    const began = look(peer.pids);
    let [before, after, others, othersShare] = [began, began, watch(), undefined as Share];
    const report = await putLoad(
      { url: peer.url, load, slice, connections: row.connections, ...stretch },
      { pin, dir },
      {
        onBegin: () => {
          before = look(peer.pids);
          others = watch();
        },
        onEnd: () => {
          after = look(peer.pids);
          othersShare = others();
        },
      },
    );
    return { report, before: before.usage, after: after.usage, othersShare, fromUs: before.us, untilUs: after.us };
  }

  end(): Promise<void> {
    return this.#parts.end();
  }
}

const look = (pids: readonly number[]) => ({ usage: usageOf(pids), us: Number(process.hrtime.bigint() / 1000n) });
const preparedFor = (seconds: number): number => Math.ceil(seconds * PREPARED_PER_SECOND);

export type StandOptions = {
  /** Where the peer runs, and the core that it then has to itself. */
  readonly pin: Pin;
  readonly core: number | undefined;
  /** For how long it will be loaded in its whole life. */
  readonly loadSeconds: number;
};

/**
 * Starts everything, and looks at one answer in full.
 *
 * @throws Error where something does not start, or the answer is not the one that was asked for.
 */
export async function startStand(around: Surroundings, row: LoadedRow, options: StandOptions): Promise<Stand> {
  const dir = mkdtempSync(join(around.dir, 'stand-'));
  const redis = await around.redis(dir);
  const issuerUrl = await around.issuerUrl(row.issuer);
  const world = { issuerUrl, redisUrl: redis.url, dir, pin: options.pin, credentials: around.credentials };
  let peer: Peer | undefined;
  const end = async () => {
    await peer?.stop();
    await redis.stop();
    removeDir(dir);
  };
  try {
    peer = await peerRow(row.peer).start(world);
    // Prepared messages are in the folder of the run: all stands share them. One more is for the check.
    const load = await loadRow(row.load).build(
      { ...world, dir: around.dir },
      peer,
      preparedFor(options.loadSeconds) + 1,
    );
    const problem = await checkLoad(peer, load, around.credentials);
    if (problem !== undefined && !('mayFail' in row)) throw new Error(`the first answer: ${problem}`);
    return new Stand({ row, peer, load, pin: around.cores.around, core: options.core, dir, end });
  } catch (error) {
    await end();
    throw error;
  }
}
