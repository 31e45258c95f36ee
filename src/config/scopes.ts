/**
 * What `scopes` of a client stand for. Where the processor holds the balance, the programme's column of the catalogue
 * decides: a module then means those of its APIs that the programme may have, and one that it may not have is refused
 * where it is named by itself.
 */
import type { ApiRow } from '../catalogue/row.ts';
import type { ApiName } from '../domain/ids.ts';
import { PUBLISHED, PUBLISHED_SCOPES } from './published.ts';
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

type Row = Pick<ApiRow, 'name' | 'module' | 'prepaid' | 'debit'>;

/** The APIs that the scopes stand for, with what is to be said about single scopes. Blank columns read as optional. */
export const resolveScopes = (
  scopes: readonly string[],
  programme: Programme,
  apis: readonly Row[],
): { readonly names: ReadonlySet<ApiName>; readonly notes: readonly ScopeNote[] } => {
  const names = new Set<ApiName>();
  const notes: ScopeNote[] = [];
  const allowed = (row: Row) => !programme.byProcessor || row[programme.product] !== 'NA';
  for (const [index, scope] of scopes.entries()) {
    const rows = apis.filter(row => row.module === scope || row.name === scope);
    for (const row of rows.filter(allowed)) names.add(row.name);
    const note = noteOn(scope, rows, rows.some(allowed), programme);
    if (note !== undefined) notes.push({ index, ...note });
  }
  return { names, notes };
};

const noteOn = (
  scope: string,
  rows: readonly Row[],
  any: boolean,
  { product }: Programme,
): Omit<ScopeNote, 'index'> | undefined => {
  const isModule = Object.hasOwn(PUBLISHED, scope);
  if (rows.length === 0) {
    if (!PUBLISHED_SCOPES.includes(scope)) return unknown(scope);
    const what = `this version does not have ${scope} yet; the client cannot call it`;
    return { level: 'warning', what, mend: 'leave it for a later version, or remove it' };
  }
  if (any) return undefined;
  if (isModule) {
    const what = `a ${product} programme may have none of the APIs of ${scope} where the processor holds the balance`;
    return { level: 'warning', what, mend: 'remove it, or correct product' };
  }
  const what = `a ${product} programme may not have ${scope} where the processor holds the balance`;
  return { level: 'problem', what, mend: 'remove it, or correct product' };
};

const unknown = (scope: string): Omit<ScopeNote, 'index'> => {
  const mend = didYouMean(scope, PUBLISHED_SCOPES, `write a module (${Object.keys(PUBLISHED).join(', ')}) or an API`);
  return { level: 'problem', what: 'is neither a module nor an API', mend };
};
