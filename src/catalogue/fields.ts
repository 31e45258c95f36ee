/**
 * Every field of the wire contract, one row each: its form, how it is protected, and what it means. The nine public
 * header fields and the fields of the response envelope are here too, because history records carry them.
 */
import { RESPONSE_CODES } from '../domain/responseCode.ts';
import type { FieldRow } from './row.ts';

const listed = (...values: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(values.map(value => [value, value]));

const YES_NO = { Y: 'yes', N: 'no' };
const PAN = { type: { kind: 'N', min: 12, max: 19, luhn: true }, data: 'pan', refusal: 'invalidCardNumber' } as const;
const TOKEN = { type: { kind: 'id', max: 27 }, data: 'pii', refusal: 'invalidCardToken' } as const;
const CURRENCY = { kind: 'N3' } as const;
const DATE = { kind: 'date' } as const;
const TRAN_MONEY = { type: { kind: 'money', currency: 'tranCurrency' }, refusal: 'invalidAmount' } as const;
const BALANCE = { type: { kind: 'money', currency: 'balanceCurrency' }, refusal: 'invalidAmount' } as const;

const HEADER_FIELDS = {
  participantId: { type: { kind: 'AN', max: 15 }, meaning: 'the institution that owns the account' },
  tranBranch: { type: { kind: 'AN', max: 9 }, meaning: 'transaction branch' },
  tranChnl: {
    type: { kind: 'enum', values: { '06': 'CMS', '07': 'WEB', '08': 'APP', '09': 'ACS', '10': 'UMPS' } },
    meaning: 'transaction channel',
  },
  tranCode: { type: { kind: 'AN', max: 30 }, meaning: 'transaction code' },
  tranDate: { type: DATE, meaning: 'date of the transaction at the sender' },
  tranTime: { type: { kind: 'time' }, meaning: 'time of the transaction at the sender' },
  tranId: {
    type: { kind: 'id', max: 32 },
    meaning: "the sender's unique id of this transaction; the idempotency key within participantId",
  },
  tellerNo: { type: { kind: 'AN', max: 32 }, meaning: 'teller number' },
  terminalNo: { type: { kind: 'AN', max: 15 }, meaning: 'terminal number' },
} as const satisfies Record<string, FieldRow>;

const ENVELOPE_FIELDS = {
  responseCode: {
    type: {
      kind: 'enum',
      values: Object.fromEntries(Object.entries(RESPONSE_CODES).map(([code, row]) => [code, row.meaning])),
    },
    meaning: 'outcome of the call',
  },
  responseDesc: { type: { kind: 'AN', max: 120 }, meaning: 'text of the response code' },
  recordNum: { type: { kind: 'N', max: 6 }, meaning: 'records in this page' },
} as const satisfies Record<string, FieldRow>;

const CARD_FIELDS = {
  cardToken: { ...TOKEN, meaning: 'handle of the card' },
  cardNumber: { ...PAN, meaning: 'card number (PAN)' },
  cardMaskNumber: { type: { kind: 'AN', max: 19 }, meaning: 'masked card number' },
  cardApplyNo: { type: { kind: 'AN', max: 32 }, meaning: 'number of the card application' },
  openDate: { type: DATE, meaning: 'date on which the card was opened' },
  reversed: { type: { kind: 'enum', values: YES_NO }, meaning: 'whether the transaction has been reversed' },
  dropDownCode: { type: { kind: 'AN', max: 20 }, meaning: 'code of a drop-down value' },
  dropDownValue: { type: { kind: 'AN', max: 50 }, meaning: 'text of a drop-down value' },
  cardFlag: { type: { kind: 'enum', values: { V: 'virtual', P: 'physical' } }, meaning: 'virtual or physical card' },
  cardProdCode: { type: { kind: 'AN', max: 10 }, meaning: 'card product' },
  cardProdType: {
    type: {
      kind: 'enum',
      values: { C: 'credit', D: 'debit', G: 'gift', P: 'prepaid', B: 'business', R: 'corporate' },
    },
    meaning: 'kind of card product',
  },
  cardPicCode: { type: { kind: 'AN', max: 16 }, meaning: 'picture on the card' },
  cardEmbossName: { type: { kind: 'AN', max: 26 }, data: 'pii', meaning: 'name embossed on the card' },
  cardStatus: { type: { kind: 'AN', max: 1 }, meaning: "the issuer's card status, passed through" },
  blockStatus: { type: { kind: 'enum', values: { N: 'normal', B: 'frozen' } }, meaning: 'whether the card is frozen' },
  cardOptFlag: {
    type: {
      kind: 'enum',
      values: { B: 'block', C: 'unblock', D: 'freeze', E: 'unfreeze', G: 'PIN lock', H: 'PIN unlock' },
    },
    meaning: 'what to do with the card',
  },
  expiryDate: { type: { kind: 'YYMM' }, meaning: 'expiry date of the card' },
  CVV2: { type: { kind: 'N', min: 3, max: 4 }, data: 'sad', meaning: 'card verification value' },
  DCVV: { type: { kind: 'N', min: 3, max: 4 }, data: 'sad', meaning: 'dynamic card verification value' },
  replaceType: {
    type: {
      kind: 'enum',
      values: { S: 'same number', N: 'named number', R: 'random number', P: 'virtual to physical' },
    },
    meaning: 'how the card is replaced',
  },
  newCardNumber: { ...PAN, meaning: 'number of the new card' },
  pinBlock: { type: { kind: 'hex', max: 512 }, data: 'sad', meaning: 'encrypted PIN block' },
  newPinBlock: { type: { kind: 'hex', max: 512 }, data: 'sad', meaning: 'encrypted PIN block of the new PIN' },
  registFlag: { type: { kind: 'enum', values: { R: 'register', U: 'unregister' } }, meaning: 'register or unregister' },
  listFlag: { type: { kind: 'enum', values: { B: 'blacklist', W: 'whitelist' } }, meaning: 'which list' },
  cardLimitType: { type: { kind: 'AN', max: 3 }, meaning: 'which limit' },
  limitAmount: { type: { kind: 'money' }, refusal: 'invalidAmount', meaning: 'limit by amount' },
  limitCount: { type: { kind: 'N', max: 6 }, meaning: 'limit by count' },
  domesticFlag: { type: { kind: 'enum', values: YES_NO }, meaning: 'domestic use allowed' },
  overseaFlag: { type: { kind: 'enum', values: YES_NO }, meaning: 'use abroad allowed' },
  ecommerceFlag: { type: { kind: 'enum', values: YES_NO }, meaning: 'use on the Internet allowed' },
  posFlag: { type: { kind: 'enum', values: YES_NO }, meaning: 'use at the point of sale allowed' },
} as const satisfies Record<string, FieldRow>;

const CUSTOMER_FIELDS = {
  customerId: { type: { kind: 'AN', max: 32 }, meaning: 'customer' },
  custIdType: {
    type: { kind: 'enum', values: listed('D', 'P', 'I', 'U', 'Z', 'V', 'S', 'T', 'O') },
    meaning: 'kind of identity document',
  },
  custIdNo: { type: { kind: 'AN', max: 32 }, data: 'pii', meaning: 'number of the identity document' },
  custIssIdType: { type: { kind: 'AN', max: 1 }, meaning: 'kind of the second identity document' },
  custIssIdNo: { type: { kind: 'AN', max: 32 }, data: 'pii', meaning: 'number of the second identity document' },
  custName: { type: { kind: 'AN', max: 60 }, data: 'pii', meaning: 'name' },
  custMobile: { type: { kind: 'AN', max: 20 }, data: 'pii', meaning: 'mobile number' },
  custEmail: { type: { kind: 'email', max: 80 }, data: 'pii', meaning: 'e-mail address' },
  custAddress: { type: { kind: 'AN', max: 200 }, data: 'pii', meaning: 'address' },
  deliveryAddress: { type: { kind: 'AN', max: 200 }, data: 'pii', meaning: 'where the card is sent' },
  deliveryPostCode: { type: { kind: 'AN', max: 10 }, data: 'pii', meaning: 'post code of the delivery' },
  deliveryCountry: { type: { kind: 'A', max: 3 }, meaning: 'country of the delivery, ISO 3166 alpha-3' },
  accountNo: { type: { kind: 'AN', max: 32 }, data: 'pii', meaning: 'account number' },
  accountType: { type: { kind: 'AN', max: 2 }, meaning: 'kind of account' },
  accountStatus: { type: { kind: 'AN', max: 1 }, meaning: "the issuer's account status, passed through" },
  acctOptFlag: {
    type: { kind: 'enum', values: { B: 'block', C: 'unblock', X: 'close' } },
    meaning: 'what to do with the account',
  },
  linkFlag: { type: { kind: 'enum', values: { L: 'link', U: 'unlink' } }, meaning: 'link or unlink' },
  reasonCode: { type: { kind: 'AN', max: 3 }, meaning: 'reason' },
  memo: { type: { kind: 'AN', max: 120 }, meaning: 'note' },
} as const satisfies Record<string, FieldRow>;

const MONEY_FIELDS = {
  tranAmount: {
    type: { kind: 'money', currency: 'tranCurrency', positive: true },
    refusal: 'invalidAmount',
    meaning: 'transaction amount, more than zero',
  },
  tranCurrency: { type: CURRENCY, meaning: 'currency of the transaction, ISO 4217 numeric' },
  billAmount: {
    type: { kind: 'money', currency: 'billCurrency' },
    refusal: 'invalidAmount',
    meaning: "amount in the cardholder's billing currency",
  },
  billCurrency: { type: CURRENCY, meaning: 'billing currency, ISO 4217 numeric' },
  feeAmount: { ...TRAN_MONEY, meaning: 'fee, in the currency of the transaction' },
  approvedAmount: { ...TRAN_MONEY, meaning: 'what the issuer approved where it approved less' },
  availableBalance: { ...BALANCE, meaning: 'available balance' },
  ledgerBalance: { ...BALANCE, meaning: 'ledger balance' },
  blockedAmount: { ...BALANCE, meaning: 'what is still held after the call' },
  balanceCurrency: { type: CURRENCY, meaning: 'currency of the balances, ISO 4217 numeric' },
  authCode: { type: { kind: 'AN', max: 6 }, meaning: 'authorization code' },
  originalTranId: {
    type: { kind: 'id', max: 32 },
    meaning: 'tranId of the transaction that this one completes, reverses, refunds or releases',
  },
  partialAllowed: { type: { kind: 'enum', values: YES_NO }, meaning: 'whether less may be approved' },
  refundType: {
    type: {
      kind: 'enum',
      values: { R: 'refund, in part or in full', V: 'void, the whole original before it is settled' },
    },
    default: 'R',
    meaning: 'refund or void',
  },
  toCardToken: { ...TOKEN, meaning: 'handle of the receiving card' },
  toCardNumber: { ...PAN, meaning: 'number of the receiving card' },
} as const satisfies Record<string, FieldRow>;

const MERCHANT_FIELDS = {
  merchantId: { type: { kind: 'AN', max: 15 }, meaning: 'merchant' },
  merchantName: { type: { kind: 'AN', max: 40 }, meaning: 'name of the merchant' },
  merchantCategoryCode: { type: { kind: 'N', max: 4 }, meaning: 'merchant category, ISO 18245' },
  merchantCountry: { type: { kind: 'A', max: 3 }, meaning: 'country of the merchant, ISO 3166 alpha-3' },
  acquirerCode: { type: { kind: 'AN', max: 11 }, meaning: 'acquirer' },
  forwarderCode: { type: { kind: 'AN', max: 11 }, meaning: 'forwarding institution' },
  retrievalRefNo: { type: { kind: 'AN', max: 12 }, meaning: 'retrieval reference number' },
  systemTraceNo: { type: { kind: 'N', max: 6 }, meaning: 'system trace audit number' },
  schemeTranId: { type: { kind: 'AN', max: 66 }, meaning: "the card scheme's id of the transaction" },
  posEntryMode: { type: { kind: 'N', max: 3 }, meaning: 'how the card was read' },
  msgChannel: { type: { kind: 'AN', max: 10 }, meaning: 'POS, ECOM, ATM ...' },
  tranType: { type: { kind: 'AN', max: 30 }, meaning: 'name of the API that the history row came from' },
  startDate: { type: DATE, meaning: 'first day of the history' },
  endDate: { type: DATE, meaning: 'last day of the history' },
  pageNum: { type: { kind: 'N', max: 4 }, default: '1', meaning: 'page, counted from 1' },
  pageSize: { type: { kind: 'N', max: 3, most: 100 }, default: '20', meaning: 'records in a page' },
} as const satisfies Record<string, FieldRow>;

const AUTHENTICATION_FIELDS = {
  otpType: { type: { kind: 'enum', values: { S: 'SMS', E: 'e-mail' } }, meaning: 'how the one-time password is sent' },
  otp: { type: { kind: 'N', min: 4, max: 8 }, data: 'sad', meaning: 'one-time password' },
  otpRefNo: { type: { kind: 'AN', max: 36 }, meaning: 'reference of the one-time password' },
  validTime: { type: { kind: 'N', max: 10 }, meaning: 'how long it is valid, in milliseconds' },
  acsTransId: { type: { kind: 'AN', max: 36 }, meaning: 'transaction id of the access control server (3-D Secure)' },
  oobRefNo: { type: { kind: 'AN', max: 36 }, meaning: 'reference of the out-of-band authentication' },
  oobResult: {
    type: { kind: 'enum', values: { Y: 'authenticated', N: 'refused', P: 'pending', E: 'expired' } },
    meaning: 'result of the out-of-band authentication',
  },
} as const satisfies Record<string, FieldRow>;

const TOKEN_FIELDS = {
  tokenId: { type: { kind: 'AN', max: 64 }, meaning: 'id of the network token' },
  cardTokenState: {
    type: { kind: 'enum', values: listed('ACTIVE', 'SUSPENDED', 'DELETED') },
    meaning: 'state of the network token',
  },
  cardTokenExpiryDate: { type: { kind: 'datetime' }, meaning: 'when the network token expires' },
  deviceId: { type: { kind: 'AN', max: 64 }, meaning: 'device' },
  appUserId: { type: { kind: 'AN', max: 32 }, meaning: 'user of the application' },
  useCaseIndicator: {
    type: { kind: 'enums', values: listed('QRC', 'HCE', 'SE', 'COF') },
    meaning: 'uses of the token',
  },
  cvm: {
    type: { kind: 'enums', values: listed('expiryDate', 'cvn2', 'name', 'idType', 'idNo', 'mobileNo', 'otp') },
    meaning: 'how the cardholder was verified',
  },
  hceCardInfo: { type: { kind: 'AN', max: 4096 }, data: 'sad', meaning: 'card data for host card emulation' },
  lukInfo: { type: { kind: 'AN', max: 4096 }, data: 'sad', meaning: 'limited-use key' },
  dropDownName: {
    type: {
      kind: 'enum',
      values: listed('CardProd', 'CardStatus', 'ReplReasonCode', 'CloseReasonCode', 'CardLimitType'),
    },
    meaning: 'which drop-down list',
  },
} as const satisfies Record<string, FieldRow>;

/** Every field by its name on the wire. */
export const FIELDS = {
  ...HEADER_FIELDS,
  ...ENVELOPE_FIELDS,
  ...CARD_FIELDS,
  ...CUSTOMER_FIELDS,
  ...MONEY_FIELDS,
  ...MERCHANT_FIELDS,
  ...AUTHENTICATION_FIELDS,
  ...TOKEN_FIELDS,
} as const satisfies Record<string, FieldRow>;

export type FieldName = keyof typeof FIELDS;

/** Whether the text is the name of a field of the contract. */
export const isFieldName = (text: string): text is FieldName => Object.hasOwn(FIELDS, text);

/** The row of a field. */
export const fieldRow = (name: FieldName): FieldRow => FIELDS[name];
