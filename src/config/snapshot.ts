/**
 * A configuration as it was read: the file, and every file that it names. A gateway of several processes reads them once, so
 * that all of its processes have the same, and one that is started later has what the others run with, whatever was
 * edited meanwhile.
 */
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { LoadResult } from './config.ts';
import { loadConfig } from './load.ts';
import type { Env } from './substitute.ts';
import { readTextFile, type TextFile } from './textFile.ts';

/** It holds keys and tokens in the clear: it goes from process to process, and is never printed or written. */
export type Snapshot = {
  /** The configuration file, as it was named to us. */
  readonly path: string;
  readonly env: Env;
  /** What each path held, or why it could not be read. */
  readonly files: Readonly<Record<string, TextFile>>;
};

/** Loads a configuration as `loadConfig` does, and keeps what it was made of. */
export const loadAndKeep = async (
  path: string,
  env: Env,
): Promise<{ readonly result: LoadResult; readonly snapshot: Snapshot }> => {
  const files: Record<string, TextFile> = {};
  const result = await loadConfig(path, env, systemClock, async (file, bytesMax) => {
    const read = await readTextFile(file, bytesMax);
    files[file] = read;
    return read;
  });
  return { result, snapshot: { path, env, files } };
};

/** Loads what was kept. */
export const loadKept = (
  { path, env, files }: Snapshot,
  clock: Pick<Clock, 'wallMs'> = systemClock,
): Promise<LoadResult> =>
  loadConfig(path, env, clock, async file => files[file] ?? { ok: false, why: 'was not read before' });
