/**
 * Loaded into a process under test before its own program (`--import`): on SIGUSR2 it collects garbage and writes what is
 * left, so that a test can tell a leak from memory that was only not collected yet.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
const file = process.env.HEAP_PROBE_FILE;

process.on('SIGUSR2', () => {
  if (typeof collect !== 'function' || file === undefined) return;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  // Nobody reads half of it.
  writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, external }));
  renameSync(`${file}.new`, file);
});
