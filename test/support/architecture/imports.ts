/**
 * The rules about who may import what: layers, adapters, vendors, cycles. `import type` counts for all of them but the
 * cycles, which only exist between modules that are loaded.
 */
import { fileRule, inSrc, type Rule, type Violation } from './rule.ts';
import type { Import, Source } from './source.ts';

/** The ports that live in the folder of their adapter. They are no part of it: types, and values made of nothing else. */
const PORTS: ReadonlySet<string> = new Set(['src/http/journey.ts', 'src/issuer/issuer.ts']);
/** Adapters: what is behind a port. */
const ADAPTERS: readonly { readonly name: string; readonly has: (path: string) => boolean }[] = [
  { name: 'http', has: path => path.startsWith('src/http/') },
  { name: 'journal/redis', has: path => /^src\/journal\/(redis|lua)/.test(path) },
  { name: 'journal/sqlite', has: path => path.startsWith('src/journal/sqlite') },
  { name: 'issuer', has: path => path.startsWith('src/issuer/') },
  { name: 'sandbox', has: path => path.startsWith('src/sandbox/') },
];

/** The homes of each vendor, as beginnings of paths. A package that is not here has no home, and so may not be used. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  hono: ['src/http/'],
  '@hono/node-server': ['src/http/'],
  // The client is used where nothing else of the gateway is, so it has its own hands for keys.
  jose: ['src/edge/', 'src/issuer/credentials', 'src/client/crypto'],
  undici: ['src/issuer/'],
  opossum: ['src/issuer/'],
  ioredis: ['src/journal/redis'],
  'prom-client': ['src/runtime/metrics'],
  pino: ['src/runtime/log'],
  yaml: ['src/config/'],
  zod: ['src/config/'],
  'node:sqlite': ['src/journal/sqlite', 'src/sandbox/'],
  'node:http': ['src/http/', 'src/sandbox/'],
  'node:https': ['src/http/', 'src/sandbox/'],
  'node:http2': ['src/http/'],
};

const adapterOf = (path: string | undefined): string | undefined =>
  path === undefined || PORTS.has(path) ? undefined : ADAPTERS.find(({ has }) => has(path))?.name;

/** `hono` of `hono/utils/x`, `@hono/node-server` of `@hono/node-server/y`. */
function packageOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return specifier.startsWith('@') ? `${first}/${second}` : first;
}

const domainRule = fileRule(
  'domain imports only domain',
  path => path.startsWith('src/domain/'),
  ({ imports }, found) => {
    for (const { specifier, path, line } of imports) {
      if (path?.startsWith('src/domain/')) continue;
      found(line, `domain imports ${specifier}`, 'pass the value in, or move this code out of src/domain');
    }
  },
);

const portsRule = fileRule(
  'authorize and delivery import ports, never adapters',
  path => path === 'src/authorize.ts' || path.startsWith('src/authorize/') || path.startsWith('src/delivery/'),
  ({ imports }, found) => {
    for (const { specifier, path, line } of imports) {
      if (adapterOf(path) === undefined) continue;
      found(
        line,
        `imports the adapter ${specifier}`,
        'import its port (http/journey.ts, journal/journal.ts, issuer/issuer.ts)',
      );
    }
  },
);

const adaptersRule = fileRule('adapters never import each other', inSrc, ({ path, imports }, found) => {
  const own = adapterOf(path);
  if (own === undefined) return;
  for (const imported of imports) {
    const other = adapterOf(imported.path);
    if (other === undefined || other === own) continue;
    found(imported.line, `${own} imports ${other}`, 'have src/gateway.ts bring the two together through a port');
  }
});

const compositionRule = fileRule(
  'only gateway builds adapters',
  path => inSrc(path) && adapterOf(path) === undefined && !/^src\/(gateway|parts|main|cli)(\.ts$|\/)/.test(path),
  ({ imports }, found) => {
    for (const { specifier, path, line, typeOnly } of imports) {
      if (typeOnly || adapterOf(path) === undefined) continue;
      found(line, `takes code from the adapter ${specifier}`, 'take it as an argument; src/gateway.ts builds adapters');
    }
  },
);

const clientRule = fileRule(
  'the client stands alone',
  path => path.startsWith('src/client/') && !path.startsWith('src/client/generate/'),
  ({ imports }, found) => {
    for (const { specifier, path, line } of imports) {
      if (specifier === 'jose' || (path?.startsWith('src/client/') && !path.startsWith('src/client/generate/')))
        continue;
      found(
        line,
        `the client imports ${specifier}`,
        'it is used where nothing of the gateway and no Node module need be',
      );
    }
  },
);

const vendorsRule = fileRule('one vendor, one home', inSrc, ({ path, imports }, found) => {
  for (const imported of imports) {
    const problem = homeProblem(path, imported);
    if (problem) found(imported.line, ...problem);
  }
});

function homeProblem(from: string, imported: Import): [string, string] | undefined {
  if (imported.path !== undefined) return undefined;
  const name = packageOf(imported.specifier);
  const homes = Object.hasOwn(HOMES, name) ? HOMES[name] : undefined;
  if (homes === undefined) {
    if (name.startsWith('node:')) return undefined;
    return [`${name} has no home`, 'do without it, or give it one in test/support/architecture/imports.ts'];
  }
  if (homes.some(home => from.startsWith(home))) return undefined;
  return [`imports ${name}`, `${name} belongs to ${homes.join(' and ')}: use what is exported there`];
}

const testRule = fileRule('src never imports test', inSrc, ({ imports }, found) => {
  for (const { specifier, path, line } of imports) {
    if (path === undefined || inSrc(path) || path === 'package.json') continue;
    found(line, `imports ${specifier}`, 'move what both need into src');
  }
});

const barrelRule = fileRule('no barrel files', inSrc, ({ body, lineOf }, found) => {
  const forwards = body.filter(
    ({ type, source }) => type === 'ExportAllDeclaration' || (type === 'ExportNamedDeclaration' && source),
  );
  for (const { type, start } of forwards) {
    if (type === 'ExportAllDeclaration') found(lineOf(start), 'export *', 'import from the module that has the code');
  }
  const others = body.filter(node => !forwards.includes(node) && !isImportOrList(node));
  if (body.length > 0 && others.length === 0) {
    found(1, 'only passes exports on', 'remove the file and import from the module that has the code');
  }
});

const isImportOrList = ({ type, declaration }: Source['body'][number]): boolean =>
  type === 'ImportDeclaration' || (type === 'ExportNamedDeclaration' && declaration === null);

const cyclesRule: Rule = {
  name: 'no cycles',
  check: sources => {
    const graph = new Map(sources.filter(({ path }) => inSrc(path)).map(source => [source.path, source]));
    const done = new Set<string>();
    const violations: Violation[] = [];
    for (const path of graph.keys()) visit(path, [], graph, done, violations);
    return violations;
  },
};

function visit(
  path: string,
  trail: readonly string[],
  graph: ReadonlyMap<string, Source>,
  done: Set<string>,
  violations: Violation[],
): void {
  const source = graph.get(path);
  if (!source || done.has(path)) return;
  const inside = [...trail, path];
  for (const { path: next, typeOnly, line } of source.imports) {
    if (typeOnly || next === undefined) continue;
    if (inside.includes(next)) {
      const circle = [...inside.slice(inside.indexOf(next)), next].join(' -> ');
      violations.push({ path, line, what: circle, instead: 'move what both need into a module below them' });
    } else {
      visit(next, inside, graph, done, violations);
    }
  }
  done.add(path);
}

export const IMPORT_RULES: readonly Rule[] = [
  domainRule,
  portsRule,
  adaptersRule,
  compositionRule,
  clientRule,
  vendorsRule,
  testRule,
  barrelRule,
  cyclesRule,
];
