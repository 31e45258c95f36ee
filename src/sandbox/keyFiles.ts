/**
 * Files that are made once and never changed: keys and tokens of the sandbox. Each appears whole or not at all, readable
 * by its owner only, and of two processes that start at once both end up with the same one.
 */
import { link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Random } from '../runtime/random.ts';

const OWNER_ONLY = 0o600;

/** Makes the directory and its parents where they are missing, for the owner only. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * The line in the file; it is made and written first where the file is not there.
 *
 * @param form what the line must look like
 * @throws Error naming the file when it is there and holds something else
 */
export async function keepOnce(path: string, form: RegExp, make: () => string, random: Random): Promise<string> {
  const text = (await readIfThere(path)) ?? (await writeOnce(path, `${make()}\n`, random));
  const line = text.trimEnd();
  // The content is not quoted: it may be most of a secret.
  if (!form.test(line)) throw new Error(`${path} is damaged; delete it, and a new one is made at the next start`);
  return line;
}

/** Puts the text in the place of whatever the file held, all at once. */
export async function replaceFile(path: string, text: string, random: Random): Promise<void> {
  await rename(await writeAside(path, text, random), path);
  await syncDirectory(path);
}

async function writeOnce(path: string, text: string, random: Random): Promise<string> {
  const aside = await writeAside(path, text, random);
  try {
    // A link, unlike a rename, does not replace what another process may have put there meanwhile.
    await link(aside, path);
    return text;
  } catch (error) {
    const there = await readIfThere(path);
    if (there !== undefined) return there;
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    await rename(aside, path);
    return text;
  } finally {
    await rm(aside, { force: true });
    await syncDirectory(path);
  }
}

/** How file systems without hard links say so. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

async function writeAside(path: string, text: string, random: Random): Promise<string> {
  const aside = `${dirname(path)}/.${basename(path)}.${random.id()}`;
  await writeFile(aside, text, { mode: OWNER_ONLY, flag: 'wx', flush: true });
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

/** The file's text; undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
