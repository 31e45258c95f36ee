/**
 * How much memory a gateway holds on to, as told by the probe that it was started with.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gateway } from './gatewayProcess.ts';
import { removeDir, tempDir } from './places.ts';
import { waitFor } from './waitFor.ts';

const folder = tempDir('heap');
const file = join(folder, 'heap.json');

/** The environment that a gateway has to be started with. One gateway of a test process at a time. */
export const HEAP_PROBE = {
  NODE_OPTIONS: `--import ${new URL('./heapProbe.ts', import.meta.url).href}`,
  HEAP_PROBE_FILE: file,
} as const;

/** Bytes that are still in use after garbage was collected: of the heap, and of buffers outside of it. */
export async function heldBytes({ pid }: Pick<Gateway, 'pid'>): Promise<number> {
  removeDir(file);
  process.kill(pid, 'SIGUSR2');
  const text = await waitFor('the heap', () => readFileSync(file, 'utf8'));
  const { heapUsed, external }: { heapUsed: number; external: number } = JSON.parse(text);
  return heapUsed + external;
}
