/**
 * Files of keys, tokens and what is made of them. Each appears whole or not at all, private ones readable by their owner
 * only, and none takes the place of another unless that is asked for.
 */
import { link, lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Random } from '../runtime/random.ts';

export const OWNER_ONLY = 0o600;
export const FOR_ALL_TO_READ = 0o644;

export type FileOptions = {
  readonly random: Random;
  /** Default: the owner alone may read it. */
  readonly mode?: number;
};

/** Makes the directory and its parents where they are missing, for the owner only. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** What the text of a file must look like; a regular expression is one. */
export type Form = { test(text: string): boolean };

/**
 * The text in the file, without the blanks at its end; it is made and written first where the file is not there. Of two
 * processes that start at once both end up with the same one.
 *
 * @throws Error naming the file when it is there and holds something else
 */
export async function keepOnce(
  path: string,
  form: Form,
  make: () => string | Promise<string>,
  random: Random,
): Promise<string> {
  const text = (await readIfThere(path)) ?? (await writeOnce(path, `${await make()}\n`, random));
  const kept = text.trimEnd();
  // The content is not quoted: it may be most of a secret.
  if (!form.test(kept)) throw new Error(`${path} is damaged; delete it, and a new one is made at the next start`);
  return kept;
}

const writeOnce = async (path: string, text: string, random: Random): Promise<string> =>
  (await writeNew(path, text, { random })) ? text : readFile(path, 'utf8');

/** Puts the text there unless something is there already; tells whether it did. */
export async function writeNew(path: string, text: string, options: FileOptions): Promise<boolean> {
  const aside = await writeAside(path, text, options);
  try {
    // A link, unlike a rename, does not replace what another process may have put there meanwhile.
    await link(aside, path);
    return true;
  } catch (error) {
    if (await isThere(path)) return false;
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    await rename(aside, path);
    return true;
  } finally {
    await rm(aside, { force: true });
    await syncDirectory(path);
  }
}

/** Puts the text in the place of whatever the file held, all at once. */
export async function replaceFile(path: string, text: string, options: FileOptions): Promise<void> {
  const aside = await writeAside(path, text, options);
  try {
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await syncDirectory(path);
}

/** How file systems without hard links say so. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

async function writeAside(path: string, text: string, { random, mode = OWNER_ONLY }: FileOptions): Promise<string> {
  const aside = `${dirname(path)}/.${basename(path)}.${random.id()}`;
  await writeFile(aside, text, { mode, flag: 'wx', flush: true });
  return aside;
}

/** A new name lasts through a power cut only once its directory is on disk. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The file's text; undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The system's code of an error, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
