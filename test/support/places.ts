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
const TRIES = 200;

const given = new Set<number>();

/** A free TCP port on the loopback interface, never given twice by this process. */
export async function freePort(): Promise<number> {
  for (let i = 0; i < TRIES; i += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port in ${TRIES} tries from ${FIRST_PORT} to ${FIRST_PORT + PORT_COUNT}`);
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
