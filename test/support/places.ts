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
/** Test files run in at most so many processes at a time, each with a slice of the ports. */
const SLICES = 9;
const SLICE_PORTS = PORT_COUNT / SLICES;

const sliceStart = FIRST_PORT + (Number(process.env.VITEST_POOL_ID ?? 0) % SLICES) * SLICE_PORTS;
/** A run beside this one begins elsewhere in its slice. */
let next = Math.floor(Math.random() * SLICE_PORTS);

/** A free TCP port on the loopback interface, not given again by this process before all others were. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < SLICE_PORTS; tries += 1) {
    const port = sliceStart + (next % SLICE_PORTS);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${sliceStart} to ${sliceStart + SLICE_PORTS}`);
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
