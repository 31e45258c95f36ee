/**
 * Collects what is wrong with a configuration while it is being read, so that everything is reported at once. A finding
 * is named by its path; the line is that of the nearest key that the file really has.
 */
import type { Problem } from './config.ts';

export type Path = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]{0,59}$/;
const KEY_SHOWN_MAX = 40;

const keyText = (key: string): string => {
  if (PLAIN_KEY.test(key)) return `.${key}`;
  return `[${JSON.stringify(key.slice(0, KEY_SHOWN_MAX))}]`;
};

/** A path as operators read it: `clients[0].bearer.tokenSha256`. */
export const pathText = (path: Path): string =>
  path
    .map(part => (typeof part === 'number' ? `[${part}]` : keyText(part)))
    .join('')
    .replace(/^\./, '');

const ordered = (found: ReadonlyMap<string, Problem>): readonly Problem[] =>
  [...found.values()].sort((a, b) => a.line - b.line || a.path.localeCompare(b.path));

export class Findings {
  readonly #file: string;
  readonly #lines: ReadonlyMap<string, number>;
  readonly #problems = new Map<string, Problem>();
  readonly #warnings = new Map<string, Problem>();
  readonly #disabled = new Map<string, Problem>();

  /** `lines` may still grow while findings are added; it is read when one is. */
  constructor(file: string, lines: ReadonlyMap<string, number>) {
    this.#file = file;
    this.#lines = lines;
  }

  /** The gateway does not start with this. */
  problem(path: Path, what: string, mend: string): void {
    this.#add(this.#problems, this.lineOf(path), path, what, mend);
  }

  /**
   * The gateway starts, without what this names: time alone has made it useless, and the others must not suffer for it.
   * To whoever checks the file it is a problem.
   */
  disabled(path: Path, what: string, mend: string): void {
    this.#add(this.#disabled, this.lineOf(path), path, what, mend);
  }

  /** The gateway starts, but an operator should know. */
  warning(path: Path, what: string, mend: string): void {
    this.#add(this.#warnings, this.lineOf(path), path, what, mend);
  }

  /** A problem of the text itself, before there are any paths. */
  problemAtLine(line: number, what: string, mend: string): void {
    this.#add(this.#problems, line, [], what, mend);
  }

  /** The line of the path, or of the nearest thing around it that is in the file. */
  lineOf(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(pathText(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  /** Whether a problem was found at this path or below it, so that nothing may be concluded from what is left there. */
  isFaulty(path: Path): boolean {
    const at = pathText(path);
    return [...this.#problems.values()].some(
      ({ path: other }) => other === at || other.startsWith(`${at}.`) || other.startsWith(`${at}[`),
    );
  }

  get problems(): readonly Problem[] {
    return ordered(this.#problems);
  }

  /** What the gateway would start without. */
  get disabledParts(): readonly Problem[] {
    return ordered(this.#disabled);
  }

  get warnings(): readonly Problem[] {
    return ordered(this.#warnings);
  }

  #add(to: Map<string, Problem>, line: number, path: Path, what: string, mend: string): void {
    const problem = { file: this.#file, line, path: pathText(path), what, mend };
    to.set(`${line}\n${problem.path}\n${what}`, problem);
  }
}
