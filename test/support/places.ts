/**
 * Ports and folders for what a test starts. Ports lie below the range that systems give to outgoing connections, so
 * that a server which is stopped and started again finds its own port still free.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FOLDER_MARK, watchFolder } from './watcher.ts';

const FIRST_PORT = 20_000;
/** Ports end here because a Redis Cluster node also takes its port plus 10 000, and 32 768 is where Linux begins to give out. */
const PORT_COUNT = 2_700;
/** Each process that tests has a slice of the ports to itself: several runs beside each other have a few such processes each. */
const SLICES = 18;
const SLICE_PORTS = PORT_COUNT / SLICES;

let start: Promise<number> | undefined;
let next = 0;

/**
 * A free TCP port on the loopback interface, not given again by this process before all others were, nor by any other
 * while this one lives: the port of a server that was stopped stays this test's own, so that nobody else's server is ever
 * found behind it.
 */
export async function freePort(): Promise<number> {
  start ??= ownSlice();
  const first = await start;
  for (let tries = 1; tries < SLICE_PORTS; tries += 1) {
    const port = first + (next % (SLICE_PORTS - 1));
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${first} to ${first + SLICE_PORTS}`);
}

/** The first of this process's ports. The one before it is held until the process ends, and says that the slice is taken. */
async function ownSlice(): Promise<number> {
  for (let slice = 0; slice < SLICES; slice += 1) {
    const mark = FIRST_PORT + slice * SLICE_PORTS;
    const holder = createServer().unref();
    const isOurs = await new Promise(resolve => {
      holder.once('error', () => resolve(false));
      holder.listen({ port: mark, host: '127.0.0.1' }, () => resolve(true));
    });
    if (isOurs) return mark + 1;
  }
  throw new Error(`all ${SLICES} slices of ports from ${FIRST_PORT} on are taken by other processes that test`);
}

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
  });

/** A new folder that is removed when this process ends. */
export function tempDir(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER_MARK}${name}-`));
  watchFolder(folder);
  return folder;
}

/** Removes a folder and all that is in it. */
export const removeDir = (folder: string): void => rmSync(folder, { recursive: true, force: true });
