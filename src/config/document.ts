/**
 * The configuration file as a tree of plain values with a line for every path. The text is parsed as YAML first and
 * substitutions are filled into single values afterwards, so that what is filled in can never add or close a key.
 */

import type { Document, Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { Secret } from '../domain/secret.ts';
import { Fault } from './fault.ts';
import { type Findings, type Path, pathText } from './findings.ts';
import { type Env, expand, hasSubstitution } from './substitute.ts';
import type { ReadText } from './textFile.ts';

/** A value that was filled in. It prints as a secret, since it may be one; what kind it is, its reader decides. */
export class Substituted extends Secret<string> {
  /** The value in the file was one substitution and nothing else: it is then read as YAML where text is not wanted. */
  readonly whole: boolean;

  constructor(text: string, whole: boolean) {
    super(text);
    this.whole = whole;
  }
}

/** Stands where a value could not be had; that has been reported, so nothing else is said about it. */
export class Unresolved {
  readonly unresolved = true;
}

export type Tree =
  | string
  | number
  | boolean
  | null
  | Substituted
  | Unresolved
  | readonly Tree[]
  | { readonly [key: string]: Tree };

/** The configuration itself is five deep. */
const DEPTH_MAX = 16;
/** Aliases can multiply a small file; this is a hundred times what a large configuration has. */
const NODES_MAX = 100_000;
/** One slip in YAML often gives a chain of errors; the first few name the place. */
const SYNTAX_ERRORS_MAX = 10;

const YAML_OPTIONS = { schema: 'core', resolveKnownTags: false, stringKeys: true, prettyErrors: false } as const;

/** The library's own messages can quote the file, and with it a secret. These do not. */
const SYNTAX: Readonly<Record<string, readonly [what: string, mend: string]>> = {
  DUPLICATE_KEY: ['this key is here twice', 'remove one of the two'],
  TAB_AS_INDENT: ['a tab is used to indent', 'use spaces'],
  BAD_INDENT: [
    'the indentation does not fit, or a bracket is not closed',
    'line it up with its neighbours, close what is open',
  ],
  MULTIPLE_DOCS: ['a second document begins here', 'keep everything in one document'],
  TAG_RESOLVE_FAILED: ['a tag (!...) is used', 'remove it'],
  BAD_DQ_ESCAPE: ['an escape in double quotes is not known', 'write \\\\ for a backslash, or use single quotes'],
  BAD_SCALAR_START: ['a value begins with a character that YAML reserves', 'put the value in quotes'],
  NON_STRING_KEY: ['a key is not plain text', 'write the key as text'],
  RESOURCE_EXHAUSTION: ['it is nested too deep', 'flatten it'],
};
const SYNTAX_OTHER: readonly [string, string] = [
  'this is not valid YAML',
  `check quotes, brackets and colons; a \${...} inside { } or [ ] has to be in quotes`,
];

type Reader = {
  readonly document: Document;
  readonly lineAt: (offset: number) => number;
  readonly lines: Map<string, number>;
  readonly anchors: Map<string, Node>;
  readonly findings: Findings;
  readonly env: Env;
  readonly directory: string;
  readonly readText: ReadText;
  nodes: number;
};

/**
 * Reads the text of a configuration file. Fills `lines`, reports to `findings`; undefined when it is not YAML.
 * `directory` is what relative paths are relative to.
 */
export const readDocument = async (
  text: string,
  lines: Map<string, number>,
  findings: Findings,
  env: Env,
  directory: string,
  readText: ReadText,
): Promise<Tree | undefined> => {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...YAML_OPTIONS, lineCounter });
  const lineAt = (offset: number) => Math.max(1, lineCounter.linePos(offset).line);
  if (!reportSyntax(document, lineAt, findings)) return undefined;
  if (document.contents === null) {
    findings.problemAtLine(1, 'the file is empty', 'start from config/gateway.example.yaml');
    return undefined;
  }
  const anchors = new Map<string, Node>();
  const reader = { document, lineAt, lines, anchors, findings, env, directory, readText, nodes: 0 };
  return read(document.contents, [], reader);
};

/** Whether what was parsed can be looked at in spite of its errors: a key that is there twice leaves a usable tree. */
const reportSyntax = (document: Document, lineAt: (offset: number) => number, findings: Findings): boolean => {
  const seen = new Set<number>();
  for (const error of [...document.errors, ...document.warnings]) {
    const line = lineAt(error.pos[0]);
    if (seen.has(line) || seen.size >= SYNTAX_ERRORS_MAX) continue;
    seen.add(line);
    const [what, mend] = SYNTAX[error.code] ?? SYNTAX_OTHER;
    findings.problemAtLine(line, what, mend);
  }
  return document.errors.every(error => error.code === 'DUPLICATE_KEY');
};

const read = async (node: unknown, path: Path, reader: Reader): Promise<Tree> => {
  reader.nodes++;
  if (path.length > DEPTH_MAX || reader.nodes > NODES_MAX) {
    reader.findings.problem(path.slice(0, DEPTH_MAX), 'is nested too deep or too large', 'flatten it');
    return new Unresolved();
  }
  if (isAlias(node)) return readAlias(node.source, path, reader);
  if (isMap(node) || isSeq(node) || isScalar(node))
    if (node.anchor !== undefined) reader.anchors.set(node.anchor, node);
  if (isMap(node)) return readMap(node.items, path, reader);
  if (isSeq(node)) return readList(node.items, path, reader);
  return isScalar(node) ? readScalar(node.value, path, reader) : null;
};

const readAlias = (name: string, path: Path, reader: Reader): Promise<Tree> | Tree => {
  const node = reader.anchors.get(name);
  if (node !== undefined) return read(node, path, reader);
  reader.findings.problem(path, 'refers to an anchor (&...) that is not set above', 'write the value itself');
  return new Unresolved();
};

type Pairs = readonly { readonly key: unknown; readonly value: unknown }[];

const readMap = async (items: Pairs, path: Path, reader: Reader): Promise<Tree> => {
  const map: Record<string, Tree> = {};
  for (const { key, value } of items) {
    const name = isScalar(key) ? String(key.value) : '__proto__';
    const at = [...path, name];
    if (isScalar(key)) setLine(at, key.range?.[0], reader);
    // An object takes this one for its prototype, so that nobody would see it again.
    if (name === '__proto__') reader.findings.problem(at, 'is not a key of the configuration', 'remove it');
    else map[name] = await read(value, at, reader);
  }
  return map;
};

const readList = async (items: readonly unknown[], path: Path, reader: Reader): Promise<Tree> => {
  const list: Tree[] = [];
  for (const [index, item] of items.entries()) {
    const at = [...path, index];
    setLine(at, rangeStart(item), reader);
    list.push(await read(item, at, reader));
  }
  return list;
};

const rangeStart = (node: unknown): number | undefined => {
  if (isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)) return node.range?.[0];
  return undefined;
};

const setLine = (path: Path, offset: number | undefined, reader: Reader): void => {
  if (offset !== undefined) reader.lines.set(pathText(path), reader.lineAt(offset));
};

const readScalar = async (value: unknown, path: Path, reader: Reader): Promise<Tree> => {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'string') return null;
  if (!hasSubstitution(value)) return value;
  const expanded = await expand(value, reader.env, reader.directory, reader.readText);
  if (!(expanded instanceof Fault)) return new Substituted(expanded.text, expanded.whole);
  reader.findings.problem(path, expanded.what, expanded.mend);
  return new Unresolved();
};

/** Reads filled-in text as one YAML scalar: a number, `true`, text. Undefined when it is anything else. */
export const scalarOf = (text: string): string | number | boolean | null | undefined => {
  const contents = contentsOf(text);
  if (!isScalar(contents)) return undefined;
  const { value } = contents;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return value === null ? null : undefined;
};

/**
 * Reads filled-in text as a YAML list of single values, each of which is again a filled-in one. Undefined when it is
 * anything else: lists of lists and maps are structure, and structure is written in the file.
 */
export const listOf = (text: string): readonly Substituted[] | undefined => {
  const contents = contentsOf(text);
  if (!isSeq(contents)) return undefined;
  const list: Substituted[] = [];
  for (const item of contents.items) {
    if (!isScalar(item)) return undefined;
    // Numbers keep their spelling: a participant 007 is not 7.
    list.push(new Substituted(typeof item.value === 'string' ? item.value : (item.source ?? ''), true));
  }
  return list;
};

const contentsOf = (text: string): unknown => {
  const document = parseDocument(text, YAML_OPTIONS);
  return document.errors.length + document.warnings.length === 0 ? document.contents : undefined;
};
