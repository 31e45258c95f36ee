/**
 * Reads the files with keys and certificates that a configuration names, and reports what is wrong with one at the key
 * that names it. What is read is small, whole and text; what it means is proved by whoever asks for it.
 */
import { isKeyFault, type KeyFault } from '../edge/jwk.ts';
import { Fault } from './fault.ts';
import type { Findings, Path } from './findings.ts';
import { CONFIG_PART_BYTES_MAX } from './limits.ts';
import type { ReadText } from './textFile.ts';

/** Public: anyone may read it. Secret: others than its owner should not. */
export type Secrecy = 'public' | 'secret';

/** Makes of a text what it holds, or says what is wrong with it. */
export type Parse<T> = (text: string) => T | KeyFault | Fault | Promise<T | KeyFault>;

const FILE_MEND = 'create it, or correct the path, which is relative to this configuration file';
const GROUP_OR_OTHERS_READ = 0o044;

export class KeyFiles {
  readonly #findings: Findings;
  readonly #readText: ReadText;

  constructor(findings: Findings, readText: ReadText) {
    this.#findings = findings;
    this.#readText = readText;
  }

  /** The text of the file that is named at `path`; undefined where it cannot be had, which has then been reported. */
  async text(path: Path, file: string | undefined, secrecy: Secrecy): Promise<string | undefined> {
    if (file === undefined) return undefined;
    const content = await this.#readText(file, CONFIG_PART_BYTES_MAX);
    if (!content.ok) {
      this.#findings.problem(path, `names a file that ${content.why}`, FILE_MEND);
      return undefined;
    }
    if (secrecy === 'secret' && (content.mode & GROUP_OR_OTHERS_READ) !== 0) {
      this.#findings.warning(path, 'names a file that others than its owner can read', 'chmod 600 it');
    }
    return content.text;
  }

  /** What the file holds; undefined where it is no good, which has then been reported. */
  async read<T extends object>(
    path: Path,
    file: string | undefined,
    secrecy: Secrecy,
    parse: Parse<T>,
  ): Promise<T | undefined> {
    const text = await this.text(path, file, secrecy);
    return text === undefined ? undefined : this.proved(path, await parse(text));
  }

  /** What was read, unless it is a fault, which is then reported. */
  proved<T extends object>(path: Path, read: T | KeyFault | Fault): T | undefined {
    if (!(read instanceof Fault) && !isKeyFault(read)) return read;
    this.#findings.problem(path, aboutFile(read.what), read.mend);
    return undefined;
  }

  /** Reports that what the file holds has ended by itself, and that the gateway does without it. */
  disabled(path: Path, { what, mend }: KeyFault | Fault): void {
    this.#findings.disabled(path, aboutFile(what), mend);
  }
}

/** Faults of keys are about the whole file (`is PEM`), or name what in it they are about (`keys[0] is PEM`). */
const aboutFile = (what: string): string =>
  /^(is|has|holds|does|makes|may) /.test(what) ? `names a file that ${what}` : `names a file in which ${what}`;
