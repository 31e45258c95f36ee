/**
 * What `scopes` of a client stand for. Where the processor holds the balance, the programme's column of the catalogue
 * decides: a module then means those of its APIs that the programme may have, and an API that it may not have is refused
 * where it is named by itself.
 */
import type { ApiRow } from '../catalogue/row.ts';
import { isModule, MODULES, rowsOfScope, SCOPES } from '../catalogue/scopes.ts';
import type { ApiName } from '../domain/ids.ts';
import { didYouMean } from './suggest.ts';

export type Programme = {
  readonly product: 'prepaid' | 'debit';
  /** Whether any of the client's routes leads to a ledger of the processor. */
  readonly byProcessor: boolean;
};

export type ScopeNote = {
  readonly level: 'problem' | 'warning';
  /** Which of the scopes. */
  readonly index: number;
  readonly what: string;
  readonly mend: string;
};

/** The APIs that the scopes stand for, with what is to be said about single scopes. Blank columns read as optional. */
export const resolveScopes = (
  scopes: readonly string[],
  programme: Programme,
): { readonly names: ReadonlySet<ApiName>; readonly notes: readonly ScopeNote[] } => {
  const names = new Set<ApiName>();
  const notes: ScopeNote[] = [];
  const allowed = (row: ApiRow) => !programme.byProcessor || row[programme.product] !== 'NA';
  for (const [index, scope] of scopes.entries()) {
    const rows = rowsOfScope(scope);
    for (const row of rows.filter(allowed)) names.add(row.name);
    const note = noteOn(scope, rows, rows.some(allowed), programme);
    if (note !== undefined) notes.push({ index, ...note });
  }
  return { names, notes };
};

const noteOn = (
  scope: string,
  rows: readonly ApiRow[],
  any: boolean,
  { product }: Programme,
): Omit<ScopeNote, 'index'> | undefined => {
  if (rows.length === 0) return unknown(scope);
  if (any) return undefined;
  const where = 'where the processor holds the balance';
  // What is in neither column is not mended by the other product.
  const mend = rows.every(row => row.prepaid === row.debit) ? 'remove it' : 'remove it, or correct product';
  return isModule(scope)
    ? { level: 'warning', what: `a ${product} programme may have none of the APIs of ${scope} ${where}`, mend }
    : { level: 'problem', what: `a ${product} programme may not have ${scope} ${where}`, mend };
};

const unknown = (scope: string): Omit<ScopeNote, 'index'> => {
  const mend = didYouMean(scope, SCOPES, `write a module (${MODULES.join(', ')}) or an API`);
  return { level: 'problem', what: 'is neither a module nor an API', mend };
};
