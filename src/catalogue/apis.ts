/**
 * The APIs of the catalogue, one row each: the 15 of the Transaction module. Adding an API is adding a row; routes,
 * scopes, validation and doubt policies follow from it.
 */
import type { ApiName } from '../domain/ids.ts';
import type { WireFields, WireValue } from '../domain/message.ts';
import { type FieldName, fieldRow, isFieldName } from './fields.ts';
import type { ApiRow, OnUnknown, Part } from './row.ts';

const must = (...names: readonly FieldName[]): readonly Part[] =>
  names.map(field => ({ field, need: 'required' as const }));
const may = (...names: readonly FieldName[]): readonly Part[] =>
  names.map(field => ({ field, need: 'optional' as const }));
/** An amount cannot be read without its currency, so the one asks for the other. */
const needs = (field: FieldName, present: FieldName): Part => ({ field, need: 'required', when: { present } });
const records = (...of: readonly (readonly Part[])[]): readonly Part[] => [
  { list: 'recordList', need: 'required', of: of.flat() },
];

const CARD: readonly Part[] = [{ oneOf: ['cardToken', 'cardNumber'] }];
const AMOUNT: readonly Part[] = [
  ...must('tranAmount', 'tranCurrency'),
  ...may('billAmount'),
  needs('billCurrency', 'billAmount'),
  ...may('feeAmount'),
];
const MERCHANT = may(
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
const DECISION = may(
  'authCode',
  'tranAmount',
  'tranCurrency',
  'approvedAmount',
  'availableBalance',
  'ledgerBalance',
  'balanceCurrency',
);
const PAGE = [...must('cardToken'), ...may('startDate', 'endDate', 'pageNum', 'pageSize')];

/** The names are minted here: whatever is an `ApiName` is the name of a row. */
type RowText = Omit<ApiRow, 'name' | 'module' | 'debit' | 'source'> & { readonly name: string };
const transaction = (row: RowText): ApiRow => ({
  ...row,
  name: row.name as ApiName,
  module: 'Transaction',
  debit: 'NA',
  source: 'designed',
});

export const APIS: readonly ApiRow[] = [
  transaction({
    no: 23,
    name: 'BalanceInquiry',
    path: '/tranmgr/balanceInquiry',
    prepaid: 'O',
    class: 'inquiry',
    onUnknown: 'none',
    request: [...CARD, ...MERCHANT],
    response: [...must('availableBalance'), ...may('ledgerBalance', 'blockedAmount'), ...must('balanceCurrency')],
  }),
  transaction({
    no: 24,
    name: 'LoadFund',
    path: '/tranmgr/loadFund',
    prepaid: 'O',
    class: 'credit',
    onUnknown: 'repeat',
    reversible: true,
    request: [...CARD, ...AMOUNT, ...MERCHANT, ...may('memo')],
    response: DECISION,
  }),
  transaction({
    no: 25,
    name: 'Withdraw',
    path: '/tranmgr/withdraw',
    prepaid: 'C',
    class: 'debit',
    onUnknown: 'reverse',
    reversible: true,
    request: [...CARD, ...AMOUNT, ...MERCHANT, ...may('pinBlock')],
    response: DECISION,
  }),
  transaction({
    no: 26,
    name: 'TransferFund',
    path: '/tranmgr/transferFund',
    prepaid: 'O',
    class: 'debit',
    onUnknown: 'repeat',
    reversible: true,
    request: [...CARD, { oneOf: ['toCardToken', 'toCardNumber'] }, ...AMOUNT, ...may('memo')],
    response: DECISION,
  }),
  transaction({
    no: 27,
    name: 'Purchase',
    path: '/tranmgr/purchase',
    prepaid: 'C',
    class: 'debit',
    onUnknown: 'reverse',
    // It completes a BlockFund then: money that was promised is not clawed back, and a repeat may hold no sad field.
    onUnknownWithOriginal: 'repeat',
    original: 'required',
    reversible: true,
    request: [
      ...CARD,
      ...AMOUNT,
      ...MERCHANT,
      ...may('partialAllowed', 'originalTranId'),
      { field: 'pinBlock', need: 'forbidden', when: { present: 'originalTranId' } },
      { field: 'CVV2', need: 'forbidden', when: { present: 'originalTranId' } },
      ...may('expiryDate'),
    ],
    response: DECISION,
  }),
  transaction({
    no: 28,
    name: 'Refund',
    path: '/tranmgr/refund',
    prepaid: 'C',
    class: 'credit',
    onUnknown: 'repeat',
    original: 'required',
    request: [...CARD, ...AMOUNT, ...must('originalTranId'), ...may('refundType'), ...MERCHANT, ...may('memo')],
    response: DECISION,
  }),
  transaction({
    no: 29,
    name: 'Reversal',
    path: '/tranmgr/reversal',
    prepaid: 'M',
    class: 'reversal',
    onUnknown: 'undo',
    original: 'reversed',
    request: [...CARD, ...AMOUNT, ...must('originalTranId'), ...MERCHANT, ...may('reasonCode')],
    response: DECISION,
  }),
  transaction({
    no: 30,
    name: 'BlockFund',
    path: '/tranmgr/blockFund',
    prepaid: 'C',
    class: 'hold',
    onUnknown: 'release',
    original: 'required',
    request: [...CARD, ...AMOUNT, ...MERCHANT, ...may('originalTranId', 'expiryDate', 'CVV2')],
    response: [...DECISION, ...may('blockedAmount')],
  }),
  transaction({
    no: 31,
    name: 'UnblockFund',
    path: '/tranmgr/unblockFund',
    prepaid: 'C',
    class: 'release',
    onUnknown: 'repeat',
    original: 'required',
    // Without an amount all that is left is released.
    request: [
      ...CARD,
      ...must('originalTranId'),
      needs('tranAmount', 'tranCurrency'),
      needs('tranCurrency', 'tranAmount'),
      ...MERCHANT,
    ],
    response: [...DECISION, ...may('blockedAmount')],
  }),
  transaction({
    no: 32,
    name: 'ServiceCharge',
    path: '/tranmgr/serviceCharge',
    prepaid: 'O',
    class: 'debit',
    onUnknown: 'repeat',
    request: [...CARD, ...AMOUNT, ...may('reasonCode', 'memo')],
    response: DECISION,
  }),
  transaction({
    no: 33,
    name: 'Verification',
    path: '/tranmgr/verification',
    prepaid: 'O',
    class: 'inquiry',
    onUnknown: 'none',
    request: [...CARD, ...may('expiryDate', 'CVV2'), ...MERCHANT],
    response: may('cardStatus', 'authCode'),
  }),
  transaction({
    no: 34,
    name: 'DebitAdjustment',
    path: '/tranmgr/debitAdjustment',
    prepaid: 'O',
    class: 'debit',
    onUnknown: 'repeat',
    original: 'mentioned',
    request: [...CARD, ...AMOUNT, ...must('memo'), ...may('originalTranId', 'reasonCode')],
    response: DECISION,
  }),
  transaction({
    no: 35,
    name: 'CreditAdjustment',
    path: '/tranmgr/creditAdjustment',
    prepaid: 'O',
    class: 'credit',
    onUnknown: 'repeat',
    original: 'mentioned',
    request: [...CARD, ...AMOUNT, ...must('memo'), ...may('originalTranId', 'reasonCode')],
    response: DECISION,
  }),
  transaction({
    no: 36,
    name: 'TransactionHistory',
    path: '/tranmgr/transactionHistory',
    prepaid: 'M',
    class: 'inquiry',
    onUnknown: 'none',
    request: PAGE,
    response: records(
      must('tranId', 'tranDate', 'tranTime', 'tranType', 'tranAmount', 'tranCurrency'),
      may('billAmount', 'billCurrency', 'merchantName', 'merchantCategoryCode', 'originalTranId', 'authCode', 'memo'),
    ),
  }),
  transaction({
    no: 37,
    name: 'AuthorizationHistory',
    path: '/tranmgr/authorizationHistory',
    prepaid: 'O',
    class: 'inquiry',
    onUnknown: 'none',
    request: PAGE,
    response: records(
      must('tranId', 'tranDate', 'tranTime', 'tranType', 'tranAmount', 'tranCurrency', 'responseCode'),
      may('authCode', 'merchantName', 'originalTranId', 'reversed'),
    ),
  }),
];

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

const isSad = (name: string): boolean => isFieldName(name) && fieldRow(name).data === 'sad';

const valueWithoutSad = (value: WireValue): WireValue => {
  if (typeof value === 'string') return value;
  return isList(value) ? value.map(valueWithoutSad) : withoutSad(value);
};

/** `Array.isArray` does not narrow a read-only list. */
const isList = (value: WireValue): value is readonly WireValue[] => Array.isArray(value);

/** The fields less sensitive authentication data, at any depth: what may be stored (PCI DSS 3.3.1). */
export const withoutSad = (fields: WireFields): WireFields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !isSad(name))
      .map(([name, value]) => [name, valueWithoutSad(value)]),
  );
