/**
 * What a scope can be: the name of a module, which stands for its APIs, or the name of one API. The configuration writes
 * them and tokens carry them; both read them here.
 */
import { APIS, apiByName } from './apis.ts';
import type { ApiRow, Module } from './row.ts';

export const MODULES: readonly Module[] = [...new Set(APIS.map(row => row.module))];

/** Whether the name is that of a module. */
export const isModule = (name: string): name is Module => MODULES.some(module => module === name);

/** Every name that can be a scope. */
export const SCOPES: readonly string[] = [...MODULES, ...APIS.map(row => row.name)];

/**
 * The rows that the scope stands for; none where it is no name of the catalogue. A module does not stand for what is
 * retired: that has to be named by itself.
 */
export const rowsOfScope = (scope: string): readonly ApiRow[] => {
  const row = apiByName(scope);
  return row === undefined ? APIS.filter(api => api.module === scope && !api.retired) : [row];
};
