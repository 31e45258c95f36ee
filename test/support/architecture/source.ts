/**
 * A source file as the architecture rules see it: its path, its syntax tree, its imports. TypeScript 7 has no compiler
 * API in JavaScript, so a parser of its own reads the files.
 */
import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One node of the tree (ESTree with TypeScript); what else is in it depends on its type. */
export type Node = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

export type Import = {
  /** As written: `../domain/ids.ts`, `node:crypto`, `hono`. */
  readonly specifier: string;
  /** Path from the root for a relative import, otherwise undefined. */
  readonly path: string | undefined;
  /** Erased before it runs: `import type`, or only names marked `type`. */
  readonly typeOnly: boolean;
  /** Names that are imported, as the exporting module calls them; `*` for all of it, as a default import gives. */
  readonly names: readonly string[];
  readonly line: number;
};

export type Source = {
  /** From the root, with slashes: `src/domain/ids.ts`. */
  readonly path: string;
  readonly text: string;
  readonly body: readonly Node[];
  readonly imports: readonly Import[];
  /** Comments with their lines. */
  readonly comments: readonly { readonly text: string; readonly line: number }[];
  lineOf(offset: number): number;
  /** Calls back for every node, with the nodes around it, the nearest last. */
  walk(visit: (node: Node, around: readonly Node[]) => void): void;
};

/**
 * Reads one file.
 *
 * @throws Error when it cannot be parsed.
 */
export function parseSource(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  const [failure] = parsed.errors;
  if (failure) throw new Error(`${path}: ${failure.message}`);
  const lineOf = lineFinder(text);
  const body = parsed.program.body as unknown as readonly Node[];
  return {
    path,
    text,
    body,
    lineOf,
    imports: importsOf(path, body, lineOf),
    comments: parsed.comments.map(({ value, start }) => ({ text: value, line: lineOf(start) })),
    walk: visit => {
      for (const node of body) walk(node, [], visit);
    },
  };
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return offset => starts.findLastIndex(start => start <= offset) + 1;
}

type Visit = (node: Node, around: readonly Node[]) => void;

function walk(node: Node, around: readonly Node[], visit: Visit): void {
  visit(node, around);
  const inside = [...around, node];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'type' || key === 'start' || key === 'end') continue;
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, inside, visit);
  }
}

export const isNode = (value: unknown): value is Node =>
  value !== null && typeof value === 'object' && 'type' in value && typeof value.type === 'string' && 'start' in value;

/** Every import and re-export, static, dynamic (`import('x')`) and in types (`typeof import('x')`). */
function importsOf(path: string, body: readonly Node[], lineOf: (offset: number) => number): Import[] {
  const found: Import[] = [];
  const add = (node: Node, source: unknown, typeOnly: boolean, names: readonly string[]) => {
    if (!isNode(source) || typeof source.value !== 'string') return;
    const specifier = source.value;
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    found.push({ specifier, path: target, typeOnly, names, line: lineOf(node.start) });
  };
  const visit = (node: Node) => {
    if (node.type === 'ImportDeclaration')
      add(node, node.source, isTypeOnly(node, 'importKind'), namesOf(node, 'imported'));
    if (node.type === 'ExportNamedDeclaration')
      add(node, node.source, isTypeOnly(node, 'exportKind'), namesOf(node, 'local'));
    if (node.type === 'ExportAllDeclaration') add(node, node.source, node.exportKind === 'type', ['*']);
    if (node.type === 'ImportExpression') add(node, node.source, false, ['*']);
    if (node.type === 'TSImportType') add(node, node.source, true, ['*']);
  };
  for (const node of body) walk(node, [], visit);
  return found;
}

const specifiersOf = (node: Node): Node[] => (Array.isArray(node.specifiers) ? node.specifiers.filter(isNode) : []);

function isTypeOnly(node: Node, kind: 'importKind' | 'exportKind'): boolean {
  const specifiers = specifiersOf(node);
  return node[kind] === 'type' || (specifiers.length > 0 && specifiers.every(specifier => specifier[kind] === 'type'));
}

function namesOf(node: Node, which: 'imported' | 'local'): string[] {
  return specifiersOf(node).map(specifier => {
    const name = specifier[which];
    const text = isNode(name) && typeof name.name === 'string' ? name.name : '*';
    return text === 'default' ? '*' : text;
  });
}
