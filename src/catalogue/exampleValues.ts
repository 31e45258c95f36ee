/**
 * One value of every field, for the examples of the documentation and for tests: well formed, made up, and nobody's.
 * The card numbers are the card schemes' public test numbers; the other secrets are visibly none.
 */
import type { WireValue } from '../domain/message.ts';
import type { FieldName } from './fields.ts';

const CARD_NUMBER = '4111111111111111';
const AMOUNT = '12.50';
const CURRENCY = '840';
const YES = 'Y';

const HEADER_VALUES = {
  participantId: '100000',
  tranBranch: '000001',
  tranChnl: '08',
  tranCode: 'EXAMPLE',
  tranDate: '20260615',
  tranTime: '120000',
  tranId: 'example-0001',
  tellerNo: 'T0001',
  terminalNo: 'TERM0001',
} as const;

const ENVELOPE_VALUES = { responseCode: '00', responseDesc: 'approved', recordNum: '1' } as const;

const CARD_VALUES = {
  cardToken: '4111-example-card',
  cardNumber: CARD_NUMBER,
  cardMaskNumber: '411111******1111',
  cardApplyNo: 'APPLY-0001',
  openDate: '20260101',
  reversed: 'N',
  dropDownCode: 'V01',
  dropDownValue: 'Virtual prepaid card',
  cardFlag: 'P',
  cardProdCode: 'PREPAID01',
  cardProdType: 'P',
  cardPicCode: 'PIC001',
  cardEmbossName: 'A EXAMPLE',
  cardStatus: 'N',
  blockStatus: 'N',
  cardOptFlag: 'B',
  expiryDate: '3012',
  CVV2: '123',
  DCVV: '321',
  replaceType: 'N',
  newCardNumber: '4012888888881881',
  pinBlock: '0412AC89ABCDEF67',
  newPinBlock: '0412FEDCBA987654',
  registFlag: 'R',
  listFlag: 'B',
  cardLimitType: 'POS',
  limitAmount: '500.00',
  limitCount: '10',
  domesticFlag: YES,
  overseaFlag: 'N',
  ecommerceFlag: YES,
  posFlag: YES,
} as const;

const CUSTOMER_VALUES = {
  customerId: 'C0000001',
  custIdType: 'P',
  custIdNo: 'X0000001',
  custIssIdType: 'D',
  custIssIdNo: 'D0000001',
  custName: 'Alex Example',
  custMobile: '+12025550100',
  custEmail: 'alex@example.com',
  custAddress: '1 Example Street, Springfield',
  deliveryAddress: '1 Example Street, Springfield',
  deliveryPostCode: '00001',
  deliveryCountry: 'USA',
  accountNo: 'ACC-0000001',
  accountType: '10',
  accountStatus: 'N',
  acctOptFlag: 'B',
  linkFlag: 'L',
  reasonCode: '001',
  memo: 'example',
} as const;

const MONEY_VALUES = {
  tranAmount: AMOUNT,
  tranCurrency: CURRENCY,
  billAmount: '11.50',
  billCurrency: '978',
  feeAmount: '0.25',
  approvedAmount: AMOUNT,
  availableBalance: '987.50',
  ledgerBalance: '1000.00',
  blockedAmount: AMOUNT,
  balanceCurrency: CURRENCY,
  authCode: '123456',
  originalTranId: 'example-0000',
  partialAllowed: 'N',
  refundType: 'R',
  toCardToken: '5555-example-card',
  toCardNumber: '5555555555554444',
} as const;

const MERCHANT_VALUES = {
  merchantId: 'MERCHANT0001',
  merchantName: 'Example Store',
  merchantCategoryCode: '5411',
  merchantCountry: 'USA',
  acquirerCode: '00000000001',
  forwarderCode: '00000000002',
  retrievalRefNo: '616612000001',
  systemTraceNo: '000001',
  schemeTranId: '306166000000001',
  posEntryMode: '051',
  msgChannel: 'POS',
  tranType: 'Purchase',
  startDate: '20260601',
  endDate: '20260615',
  pageNum: '1',
  pageSize: '20',
} as const;

const AUTHENTICATION_VALUES = {
  otpType: 'S',
  otp: '123456',
  otpRefNo: 'OTP-0001',
  validTime: '300000',
  acsTransId: '00000000-0000-4000-8000-000000000001',
  oobRefNo: 'OOB-0001',
  oobResult: YES,
} as const;

const TOKEN_VALUES = {
  tokenId: 'NETWORK-TOKEN-0001',
  cardTokenState: 'ACTIVE',
  cardTokenExpiryDate: '20301231235959',
  deviceId: 'DEVICE-0001',
  appUserId: 'USER-0001',
  useCaseIndicator: ['HCE'],
  cvm: ['expiryDate', 'cvn2'],
  hceCardInfo: 'example-card-data',
  lukInfo: 'example-limited-use-data',
  dropDownName: 'CardProd',
} as const;

/** A value for each field of the contract; one that is added to the contract does not compile without one here. */
export const EXAMPLE_VALUES: Readonly<Record<FieldName, WireValue>> = {
  ...HEADER_VALUES,
  ...ENVELOPE_VALUES,
  ...CARD_VALUES,
  ...CUSTOMER_VALUES,
  ...MONEY_VALUES,
  ...MERCHANT_VALUES,
  ...AUTHENTICATION_VALUES,
  ...TOKEN_VALUES,
};
