/**
 * Reads small text files for the configuration: bounded in size, regular files only, valid UTF-8 only. What is wrong is
 * told without the path, since a path may have come from the environment and be a secret in the wrong place.
 */
import { open, stat } from 'node:fs/promises';

export type TextFile =
  | { readonly ok: true; readonly text: string; readonly mode: number }
  | { readonly ok: false; readonly why: string };

/** How files are read; `readTextFile`, unless what was read before is to be read again. */
export type ReadText = (path: string, bytesMax: number) => Promise<TextFile>;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
};

const codeOf = (error: unknown): string => {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown error';
};

const KIB = 1024;

/** Reads the file, or says why not in words that continue "the file ...". Never throws. */
export const readTextFile: ReadText = async (path, bytesMax) => {
  try {
    // Looked at before it is opened: opening a FIFO would wait for a writer for ever.
    const about = await stat(path);
    if (!about.isFile()) return { ok: false, why: 'is not a regular file' };
    const bytes = await readAtMost(path, bytesMax);
    if (bytes === undefined) return { ok: false, why: `is larger than ${bytesMax / KIB} KiB` };
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), mode: about.mode & 0o777 };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { ok: false, why: 'is not UTF-8 text' };
    return { ok: false, why: REASONS[code] ?? `cannot be read (${code})` };
  }
};

/** The content, or undefined when it is longer: the size that `stat` gave may be out of date, or 0 as in /proc. */
const readAtMost = async (path: string, bytesMax: number): Promise<Uint8Array | undefined> => {
  const handle = await open(path, 'r');
  try {
    const buffer = new Uint8Array(bytesMax + 1);
    let length = 0;
    while (length <= bytesMax) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
    }
    return undefined;
  } finally {
    await handle.close();
  }
};
