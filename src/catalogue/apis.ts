/**
 * The 47 APIs of the catalogue, one row each, in the order of the published list. Adding an API is adding a row to the
 * file of its module; routes, scopes, validation and doubt policies follow from it.
 */
import type { ApiName } from '../domain/ids.ts';
import type { WireFields, WireValue } from '../domain/message.ts';
import { CARD_APIS } from './apisCard.ts';
import { CUSTOMER_APIS } from './apisCustomer.ts';
import { TOKEN_APIS } from './apisToken.ts';
import { TRANSACTION_APIS } from './apisTransaction.ts';
import { FIELDS, fieldRow, isFieldName } from './fields.ts';
import type { NamedRow } from './parts.ts';
import type { ApiRow, OnUnknown } from './row.ts';

const ROWS = [...CUSTOMER_APIS, ...CARD_APIS, ...TRANSACTION_APIS, ...TOKEN_APIS];

export const APIS: readonly ApiRow[] = ROWS;

type TextOf<R> = R extends NamedRow<infer N> ? N : never;

/** The names of the APIs as the compiler knows them: a table over them is complete, or does not compile. */
export type ApiText = TextOf<(typeof ROWS)[number]>;

const BY_NAME: ReadonlyMap<string, ApiRow> = new Map(APIS.map(row => [row.name, row]));

/** The row of an API. A `Map` look-up, so that no name reaches a prototype. */
export const apiByName = (name: string): ApiRow | undefined => BY_NAME.get(name);

/** The row of a name that is proved to be one. */
export const rowOf = (name: ApiName): ApiRow => {
  const row = BY_NAME.get(name);
  if (row === undefined) throw new TypeError('an API name that was not proved');
  return row;
};

/** The two APIs by which the gateway itself undoes: a debit is reversed, a hold is released. */
export const REVERSAL: ApiRow = rowOf('Reversal' as ApiName);
export const UNBLOCK: ApiRow = rowOf('UnblockFund' as ApiName);

/** What is owed when the outcome of this API's message is unknown; some messages differ where they name an original. */
export const policyOf = (row: ApiRow, hasOriginal: boolean): OnUnknown =>
  hasOriginal ? (row.onUnknownWithOriginal ?? row.onUnknown) : row.onUnknown;

/** Whether calls of this API are claimed in the journal; the others are inquiries, which change nothing. */
export const isJournalled = (row: ApiRow): boolean => row.onUnknown !== 'none';

const SAD: ReadonlySet<string> = new Set(
  Object.keys(FIELDS).filter(name => isFieldName(name) && fieldRow(name).data === 'sad'),
);

const isSad = (name: string): boolean => SAD.has(name);

/** False where it is certain that there is none: only such names, or lists and records, can bring it in. */
const mayHoldSad = (fields: WireFields): boolean => {
  for (const name in fields) if (typeof fields[name] !== 'string' || SAD.has(name)) return true;
  return false;
};

const valueWithoutSad = (value: WireValue): WireValue => {
  if (typeof value === 'string') return value;
  return isList(value) ? value.map(valueWithoutSad) : withoutSad(value);
};

/** `Array.isArray` does not narrow a read-only list. */
const isList = (value: WireValue): value is readonly WireValue[] => Array.isArray(value);

/** The fields less sensitive authentication data, at any depth: what may be stored (PCI DSS 3.3.1). */
export const withoutSad = (fields: WireFields): WireFields => {
  // Nearly every message: nothing to leave out, nothing to build anew.
  if (!mayHoldSad(fields)) return fields;
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !isSad(name))
      .map(([name, value]) => [name, valueWithoutSad(value)]),
  );
};

/** The values of that data, at any depth: no text that is stored may quote them. */
export const sadValuesOf = (fields: WireFields): readonly string[] => {
  if (!mayHoldSad(fields)) return [];
  return Object.entries(fields).flatMap(([name, value]) => {
    if (typeof value === 'string') return isSad(name) ? [value] : [];
    if (!isList(value)) return sadValuesOf(value);
    return value.flatMap(item => (typeof item === 'string' || isList(item) ? [] : sadValuesOf(item)));
  });
};
