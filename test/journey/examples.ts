/**
 * A good message and a good answer of every API, without the fields that every message has: from the examples of the
 * documentation, so that a new API is played without a line here.
 */
import { APIS } from '../../src/catalogue/apis.ts';
import { exampleRequest, exampleResponse } from '../../src/catalogue/example.ts';
import { HEADER_NAMES } from '../../src/catalogue/header.ts';
import type { ApiRow, OnUnknown } from '../../src/catalogue/row.ts';
import type { ApiName } from '../support/apiPaths.ts';
import type { Fields } from '../support/client.ts';

const OUTER: ReadonlySet<string> = new Set([...HEADER_NAMES, 'responseCode', 'responseDesc']);
const inner = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !OUTER.has(name)));

export type Example = { readonly api: ApiName; readonly fields: Fields; readonly answer: Fields; readonly row: ApiRow };

const exampleOf = (row: ApiRow): Example => ({
  row,
  // The public list, which the tests keep once more, has the same names.
  api: row.name as string as ApiName,
  fields: inner(exampleRequest(row)),
  answer: inner(exampleResponse(row)),
});

/** Every API for whose doubts that is owed. */
export const examplesOf = (onUnknown: OnUnknown): readonly Example[] =>
  APIS.filter(row => row.onUnknown === onUnknown).map(exampleOf);

export const exampleNamed = (api: ApiName): Example => {
  const row = APIS.find(({ name }) => (name as string) === api);
  if (!row) throw new Error(`no row ${api}`);
  return exampleOf(row);
};

/** Every scope that a client can have. */
export const ALL_SCOPES: readonly string[] = [...new Set(APIS.map(row => row.module)), 'BlacklistUpdate'];
