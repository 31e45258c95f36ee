/**
 * Reads the sections of a configuration from its tree. A section with a mistake still gives the keys that are right, so
 * that what spans keys and sections is checked, and reported, in the same run.
 */
import type { z } from 'zod';
import { Substituted, type Tree, Unresolved } from './document.ts';
import type { Findings, Path } from './findings.ts';
import type { Drafts, Section, Sections } from './schema.ts';
import { didYouMean } from './suggest.ts';

/** All sections, each read without a problem. */
export type Complete = {
  readonly server: Section<'server'>;
  readonly admin: Section<'admin'>;
  readonly journal: Section<'journal'>;
  readonly oauth: Section<'oauth'> | undefined;
  readonly clients: readonly Section<'client'>[];
  readonly issuers: readonly Section<'issuer'>[];
  readonly routes: readonly Section<'route'>[];
};

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };
type Reading<T> = { readonly whole: T | undefined; readonly draft: Loose<T> };
/** A section, and the same with every key optional. */
type Pair<T> = {
  readonly shape: Readonly<Record<string, unknown>>;
  safeParse(given: unknown): z.ZodSafeParseResult<T>;
  partial(): { safeParse(given: unknown): z.ZodSafeParseResult<Loose<T>> };
};
type Map = Readonly<Record<string, Tree>>;

const SECTION_NAMES = ['server', 'admin', 'journal', 'oauth', 'clients', 'issuers', 'routes'];

/** Reads all sections and reports what is wrong with them; `complete` is undefined when anything was. */
export const readSections = (
  tree: Tree,
  schema: Sections,
  findings: Findings,
): { readonly drafts: Drafts; readonly complete: Complete | undefined } => {
  const root = sectionsOf(tree, findings);
  const server = readOne<Section<'server'>>(schema.server, root.server, ['server'], findings);
  const admin = readOne<Section<'admin'>>(schema.admin, root.admin, ['admin'], findings);
  const journal = readOne<Section<'journal'>>(schema.journal, root.journal, ['journal'], findings);
  const oauth =
    root.oauth === undefined ? undefined : readOne<Section<'oauth'>>(schema.oauth, root.oauth, ['oauth'], findings);
  const clients = readList<Section<'client'>>(schema.client, root.clients, 'clients', findings);
  const issuers = readList<Section<'issuer'>>(schema.issuer, root.issuers, 'issuers', findings);
  const routes = readList<Section<'route'>>(schema.route, root.routes, 'routes', findings);
  const drafts = {
    server: server.draft,
    admin: admin.draft,
    journal: journal.draft,
    oauth: oauth?.draft,
    clients: clients?.map(entry => entry.draft),
    issuers: issuers?.map(entry => entry.draft),
    routes: routes?.map(entry => entry.draft),
  };
  const lists = { clients: wholes(clients), issuers: wholes(issuers), routes: wholes(routes) };
  const complete =
    server.whole && admin.whole && journal.whole && lists.clients && lists.issuers && lists.routes
      ? {
          server: server.whole,
          admin: admin.whole,
          journal: journal.whole,
          oauth: oauth?.whole,
          clients: lists.clients,
          issuers: lists.issuers,
          routes: lists.routes,
        }
      : undefined;
  return { drafts, complete };
};

const wholes = <T>(entries: readonly Reading<T>[] | undefined): readonly T[] | undefined => {
  const whole = entries?.flatMap(entry => (entry.whole === undefined ? [] : [entry.whole]));
  return whole?.length === entries?.length ? whole : undefined;
};

const sectionsOf = (tree: Tree, findings: Findings): Map => {
  if (!isMap(tree)) {
    findings.problem([], 'the file is not a map of sections', `write the sections ${SECTION_NAMES.join(', ')}`);
    return {};
  }
  for (const name of Object.keys(tree)) {
    if (!SECTION_NAMES.includes(name)) unknownKey([name], SECTION_NAMES, findings);
  }
  return tree;
};

const readList = <T extends object>(
  schema: Pair<T>,
  tree: Tree | undefined,
  name: string,
  findings: Findings,
): readonly Reading<T>[] | undefined => {
  if (Array.isArray(tree)) {
    return tree.map((entry: Tree, index) => readOne(schema, entry, [name, index], findings));
  }
  const what = tree === undefined ? 'is missing' : 'is not a list';
  if (!(tree instanceof Unresolved)) findings.problem([name], what, `write a list of ${name}, each after a dash`);
  return undefined;
};

const readOne = <T extends object>(
  schema: Pair<T>,
  tree: Tree | undefined,
  path: Path,
  findings: Findings,
): Reading<T> => {
  if (tree !== undefined && !isMap(tree)) {
    if (!(tree instanceof Unresolved)) findings.problem(path, 'is not a map of keys', 'write its keys below it');
    return { whole: undefined, draft: {} };
  }
  const parsed = schema.safeParse(tree);
  if (parsed.success) return { whole: parsed.data, draft: parsed.data };
  for (const issue of parsed.error.issues) report(issue, schema, tree, path, findings);
  const faulty = new Set(parsed.error.issues.map(issue => String(issue.path[0])));
  return { whole: undefined, draft: draftOf(schema, tree ?? {}, faulty) };
};

/** The keys without a fault. A faulty key does not get its default either: nothing may be concluded from it. */
const draftOf = <T extends object>(schema: Pair<T>, tree: Map, faulty: ReadonlySet<string>): Loose<T> => {
  const sound = Object.entries(tree).filter(([key]) => Object.hasOwn(schema.shape, key) && !faulty.has(key));
  const parsed = schema.partial().safeParse(Object.fromEntries(sound));
  if (!parsed.success) return {};
  for (const key of faulty) Reflect.deleteProperty(parsed.data, key);
  return parsed.data;
};

const report = (
  issue: z.core.$ZodIssue,
  schema: { readonly shape: Readonly<Record<string, unknown>> },
  tree: Tree | undefined,
  path: Path,
  findings: Findings,
): void => {
  const inside = issue.path.filter(part => typeof part !== 'symbol');
  const at = [...path, ...inside];
  const given = valueAt(tree, inside);
  if (given instanceof Unresolved) return;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, inside);
    for (const key of issue.keys) unknownKey([...at, key], known, findings);
  } else if (issue.code === 'custom') {
    findings.problem(at, issue.message, String(issue.params?.mend));
  } else if (issue.code === 'invalid_type') {
    const kind = issue.expected === 'array' ? 'a list' : 'a map of keys';
    const what = given === undefined ? 'is missing' : `is not ${kind}`;
    const hint = given instanceof Substituted ? '; a substitution can stand for a list of single values at most' : '';
    findings.problem(at, what, `write ${kind}${hint}`);
  } else findings.problem(at, 'is not valid', 'see config/gateway.example.yaml');
};

const unknownKey = (path: Path, known: readonly string[], findings: Findings): void => {
  const mend = didYouMean(String(path.at(-1)), known, `known here are ${known.join(', ')}`);
  findings.problem(path, 'is not a key of the configuration', mend);
};

/** The keys that the schema knows at a path inside a section. */
const knownKeys = (schema: { readonly shape: Readonly<Record<string, unknown>> }, inside: Path): readonly string[] => {
  let shape: Readonly<Record<string, unknown>> = schema.shape;
  for (const part of inside) {
    if (typeof part === 'number') continue;
    shape = shapeOf(shape[part]) ?? {};
  }
  return Object.keys(shape);
};

/** The keys of a map below wrappers such as optional, default and preprocess. */
const shapeOf = (type: unknown): Readonly<Record<string, unknown>> | undefined => {
  if (!isRecord(type) || !isRecord(type.def)) return undefined;
  if (isRecord(type.shape)) return type.shape;
  return shapeOf(type.def.innerType ?? type.def.out ?? type.def.element);
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isMap = (tree: Tree | undefined): tree is Map =>
  isRecord(tree) && !Array.isArray(tree) && !(tree instanceof Substituted) && !(tree instanceof Unresolved);

const valueAt = (tree: Tree | undefined, path: Path): unknown => {
  let found: unknown = tree;
  for (const part of path) found = isRecord(found) && Object.hasOwn(found, part) ? found[part] : undefined;
  return found;
};
