/**
 * `${NAME}`, `${NAME:-default}` and `${file:path}` in the values of the configuration. A value is taken apart once, before
 * anything is put in, and what is put in is never looked at again, so that no environment variable and no file can
 * bring in further substitutions. Paths and defaults may themselves hold substitutions: `${file:${DIR:-keys}/token}`.
 */
import { resolve } from 'node:path';
import { Fault } from './fault.ts';
import { CONFIG_PART_BYTES_MAX } from './limits.ts';
import { type ReadText, readTextFile } from './textFile.ts';

export type Env = Readonly<Record<string, string | undefined>>;

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'env'; readonly name: string; readonly fallback: readonly Part[] | undefined }
  | { readonly kind: 'file'; readonly path: readonly Part[] };

export type Expanded = {
  readonly text: string;
  /** The value is one substitution and nothing else. */
  readonly whole: boolean;
};

/** A default inside a path inside a substitution is as deep as anyone needs. */
const NESTING_MAX = 4;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;

const MALFORMED = new Fault(
  `holds a \${...} that is not a substitution`,
  `write \${NAME}, \${NAME:-default} or \${file:path}; to use such text as it is, keep it in a file and name that`,
);

/** Whether the value has to be expanded. */
export const hasSubstitution = (value: string): boolean => value.includes('${');

class Template {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Everything up to the end, or up to the brace that closes the substitution around it. */
  parts(depth: number): readonly Part[] | Fault {
    const parts: Part[] = [];
    while (this.#at < this.#source.length) {
      if (this.#source.startsWith('${', this.#at)) {
        const part = this.#substitution(depth + 1);
        if (part instanceof Fault) return part;
        parts.push(part);
      } else if (depth > 0 && this.#source[this.#at] === '}') return parts;
      else parts.push({ kind: 'text', text: this.#plainText(depth) });
    }
    return depth === 0 ? parts : MALFORMED;
  }

  #plainText(depth: number): string {
    const end = depth === 0 ? /\$\{|$/g : /\$\{|\}|$/g;
    end.lastIndex = this.#at;
    const until = end.exec(this.#source)?.index ?? this.#source.length;
    const text = this.#source.slice(this.#at, until);
    this.#at = until;
    return text;
  }

  #substitution(depth: number): Part | Fault {
    if (depth > NESTING_MAX) return new Fault('nests substitutions too deep', 'set the variable to the value itself');
    this.#at += 2;
    const part = this.#take('file:') ? this.#filePart(depth) : this.#envPart(depth);
    if (part instanceof Fault) return part;
    return this.#take('}') ? part : MALFORMED;
  }

  #filePart(depth: number): Part | Fault {
    const path = this.parts(depth);
    return path instanceof Fault ? path : { kind: 'file', path };
  }

  #envPart(depth: number): Part | Fault {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#source)?.[0];
    if (name === undefined) return MALFORMED;
    this.#at += name.length;
    if (!this.#take(':-')) return { kind: 'env', name, fallback: undefined };
    const fallback = this.parts(depth);
    return fallback instanceof Fault ? fallback : { kind: 'env', name, fallback };
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
}

/** What substitutions are filled in from. Relative paths are relative to `directory`. */
type Supply = { readonly env: Env; readonly directory: string; readonly read: ReadText };

/** Fills the substitutions of one value in. Relative paths are relative to `directory`. Never throws. */
export const expand = async (
  value: string,
  env: Env,
  directory: string,
  read: ReadText = readTextFile,
): Promise<Expanded | Fault> => {
  const parts = new Template(value).parts(0);
  if (parts instanceof Fault) return parts;
  const text = await fill(parts, { env, directory, read });
  if (text instanceof Fault) return text;
  return { text, whole: parts.length === 1 && parts[0]?.kind !== 'text' };
};

const fill = async (parts: readonly Part[], supply: Supply): Promise<string | Fault> => {
  let filled = '';
  for (const part of parts) {
    const text = await fillPart(part, supply);
    if (text instanceof Fault) return text;
    filled += text;
  }
  return filled;
};

const fillPart = (part: Part, supply: Supply): Promise<string | Fault> | string | Fault => {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'env':
      return fillEnv(part.name, part.fallback, supply);
    case 'file':
      return fillFile(part.path, supply);
  }
};

/** As in a shell, `:-` stands in for a variable that is empty, too. */
const fillEnv = (name: string, fallback: readonly Part[] | undefined, supply: Supply) => {
  const { env } = supply;
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined && (value === undefined || value === '')) return fill(fallback, supply);
  if (value !== undefined) return value;
  return new Fault(
    `needs the environment variable ${name}, which is not set`,
    `set ${name}, or write \${${name}:-default}`,
  );
};

const fillFile = async (path: readonly Part[], supply: Supply): Promise<string | Fault> => {
  const name = await fill(path, supply);
  if (name instanceof Fault) return name;
  const file = await supply.read(resolve(supply.directory, name), CONFIG_PART_BYTES_MAX);
  if (file.ok) return file.text.replace(/\r?\n$/, '');
  return new Fault(
    `names a file in \${file:...} that ${file.why}`,
    'create it, or correct the path, which is relative to this configuration file',
  );
};
