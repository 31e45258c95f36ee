/**
 * The words in which rows are written: short forms for parts of a message, the groups of fields that many messages
 * share, and the two policies that most APIs have. They hold no API; the rows are in the files named after the modules.
 */
import type { ApiName } from '../domain/ids.ts';
import type { FieldName } from './fields.ts';
import type { ApiRow, Module, Part } from './row.ts';

export const must = (...names: readonly FieldName[]): readonly Part[] =>
  names.map(field => ({ field, need: 'required' as const }));
export const may = (...names: readonly FieldName[]): readonly Part[] =>
  names.map(field => ({ field, need: 'optional' as const }));
/** An optional field whose presence means something here. */
export const noted = (field: FieldName, note: string): Part => ({ field, need: 'optional', note });
/** Required where the other field is there: an amount cannot be read without its currency. */
export const needs = (field: FieldName, present: FieldName, note?: string): Part => ({
  field,
  need: 'required',
  when: { present },
  ...(note === undefined ? {} : { note }),
});
/** Required where the other field has this value. */
export const mustWhen = (field: FieldName, other: FieldName, is: string): Part => ({
  field,
  need: 'required',
  when: { field: other, is },
});
export const records = (...of: readonly (readonly Part[])[]): readonly Part[] => [
  { list: 'recordList', need: 'required', of: of.flat() },
];

export const CARD: readonly Part[] = [{ oneOf: ['cardToken', 'cardNumber'] }];
export const AMOUNT: readonly Part[] = [
  ...must('tranAmount', 'tranCurrency'),
  ...may('billAmount'),
  needs('billCurrency', 'billAmount'),
  ...may('feeAmount'),
];
export const MERCHANT = may(
  'merchantId',
  'merchantName',
  'merchantCategoryCode',
  'merchantCountry',
  'acquirerCode',
  'forwarderCode',
  'retrievalRefNo',
  'systemTraceNo',
  'schemeTranId',
  'posEntryMode',
  'msgChannel',
);
export const DECISION = may(
  'authCode',
  'tranAmount',
  'tranCurrency',
  'approvedAmount',
  'availableBalance',
  'ledgerBalance',
  'balanceCurrency',
);

/** Changes nothing: not journalled, sent once. */
export const INQUIRY = { class: 'inquiry', onUnknown: 'none' } as const;
/** Changes something that is not money: forwarded again when the caller retries after a doubt. */
export const COMMAND = { class: 'command', onUnknown: 'resend' } as const;

/** What is to be written of a row: the columns are blank, and the row designed here, where nothing else is said. */
type RowText<N extends string> = Omit<ApiRow, 'name' | 'module' | 'prepaid' | 'debit' | 'source'> &
  Partial<Pick<ApiRow, 'prepaid' | 'debit' | 'source'>> & { readonly name: N };

/** A row whose name the compiler knows letter by letter, so that a table over all names can be proved complete. */
export type NamedRow<N extends string> = ApiRow & { readonly name: ApiName & N };

/** The rows of a module. The names are minted here: whatever is an `ApiName` is the name of a row. */
export const inModule = <N extends string>(module: Module, rows: readonly RowText<N>[]): readonly NamedRow<N>[] =>
  rows.map(row => ({
    prepaid: '',
    debit: '',
    source: 'designed',
    ...row,
    name: row.name as ApiName & N,
    module,
  }));
