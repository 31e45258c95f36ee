/**
 * Scopes of OAuth are names of the catalogue: of a module, which stands for its APIs, or of one API. What a client is
 * granted is what it was assigned, narrowed by what it asks for, and never more.
 */
import { APIS, apiByName } from '../catalogue/apis.ts';
import { MODULES, rowsOfScope } from '../catalogue/scopes.ts';
import type { ApiName } from '../domain/ids.ts';

/** What a client was assigned. */
export type Assigned = {
  readonly product: 'prepaid' | 'debit';
  readonly scopes: ReadonlySet<ApiName>;
};

/** Every name that can be a scope, less what is retired. */
export const SCOPES_SUPPORTED: readonly string[] = [
  ...MODULES,
  ...APIS.filter(row => !row.retired).map(row => row.name),
];

/** `scope-token`s with one space between them (RFC 6749, 3.3). */
const SCOPE_LIST = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/** The names of a `scope` value, each once, in their order; undefined where it is not of its form. */
export const scopeNames = (scope: string): readonly string[] | undefined =>
  SCOPE_LIST.test(scope) ? [...new Set(scope.split(' '))] : undefined;

/** The APIs that the names stand for. Names that the catalogue does not have stand for nothing. */
export const apisOf = (names: readonly string[]): ReadonlySet<ApiName> =>
  new Set(names.flatMap(name => rowsOfScope(name).map(row => row.name)));

/**
 * The names to grant, or undefined where the client asked for one that is unknown or more than it was assigned. Asked
 * for nothing, the whole of what was assigned is granted, in as few names as say it.
 */
export const grantedScope = (assigned: Assigned, asked: string | undefined): readonly string[] | undefined => {
  if (asked === undefined) return allOf(assigned);
  const names = scopeNames(asked);
  return names?.every(name => isAssigned(assigned, name)) ? names : undefined;
};

/**
 * A module is assigned where all of its APIs are that a programme like this may have at all: where the processor holds
 * the balance, the configuration leaves the others out of a module (catalogue columns `prepaid` and `debit`).
 */
const isAssigned = ({ product, scopes }: Assigned, name: string): boolean => {
  const row = apiByName(name);
  if (row) return scopes.has(row.name);
  const rows = rowsOfScope(name);
  return rows.some(api => scopes.has(api.name)) && rows.every(api => scopes.has(api.name) || api[product] === 'NA');
};

const allOf = (assigned: Assigned): readonly string[] => {
  const modules = MODULES.filter(module => isAssigned(assigned, module));
  const covered = apisOf(modules);
  const single = APIS.filter(row => assigned.scopes.has(row.name) && !covered.has(row.name));
  return [...modules, ...single.map(row => row.name)];
};
