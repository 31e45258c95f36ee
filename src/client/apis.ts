/**
 * What the client has to know of the contract while it runs. Generated from src/catalogue by `npm run client-types`:
 * change the catalogue, not this file.
 */
// biome-ignore-all format: lines are filled, so that a message can be read at a glance
import type { Requests } from './requests.ts';

/** The header fields that every message has, and those that it may have. */
export type HeaderName = 'participantId' | 'tranBranch' | 'tranChnl' | 'tranDate' | 'tranTime' | 'tranId';
export type HeaderMayName = 'tranCode' | 'tellerNo' | 'terminalNo';

/** Every response code. */
export const CODES = ['00', '01', '02', '03', '04', '05', '09', '10', '12', '13', '24', '25', '30', '51', '54', '55',
  '57', '61', '65', '68', '75', '82', '91', '94', '96', '99'] as const;

export type ApiFacts = {
  /** Below the base URL. */
  readonly path: string;
  /**
   * Fields that count a try wherever they arrive, in an API that nobody remembers: a call with one of them is not sent
   * again when it may have arrived.
   */
  readonly once?: readonly string[];
  /** What an approval has for certain. */
  readonly gives?: readonly string[];
  /** What each of its records has for certain. */
  readonly each?: readonly string[];
};

export const APIS: Readonly<Record<keyof Requests, ApiFacts>> = {
  CardApplication: { path: '/cardmgr/cardApply' },
  CustomerCardInfoInquiry: { path: '/custmgr/inquiryCardListByCIF', gives: ['recordNum', 'recordList'],
    each: ['cardToken', 'expiryDate', 'cardFlag', 'cardProdCode', 'cardProdType', 'openDate', 'cardStatus',
    'blockStatus'] },
  CustomerAccountInfoInquiry: { path: '/custmgr/inquiryAcctListByCIF', gives: ['recordNum', 'recordList'],
    each: ['accountNo', 'accountStatus'] },
  CustomerInfoUpdate: { path: '/custmgr/updateCustInfo', gives: ['customerId'] },
  AccountLinkage: { path: '/acctmgr/acctLinkage' },
  AccountStatusUpdate: { path: '/acctmgr/acctStatusUpdate' },
  CardInfoInquiry: { path: '/cardmgr/inquiryCardInfoByToken',
    gives: ['cardToken', 'expiryDate', 'cardFlag', 'cardProdCode', 'cardProdType', 'openDate', 'cardStatus',
    'blockStatus'] },
  CardActivation: { path: '/cardmgr/cardActivate' },
  CardReplacement: { path: '/cardmgr/cardReplace' },
  CardCancellation: { path: '/cardmgr/cardClose' },
  CardStatusUpdate: { path: '/cardmgr/cardStatusUpdate' },
  CardLimitSetting: { path: '/cardmgr/cardLimitSetting' },
  CardCVV2Inquiry: { path: '/cardmgr/inquiryCVV2ByToken', gives: ['cardNumber', 'expiryDate', 'CVV2'] },
  CardCVV2Verify: { path: '/cardmgr/verifyCVV2', once: ['CVV2'] },
  GenerateDCVV: { path: '/cardmgr/generateDCVV', gives: ['DCVV'] },
  CardExpiryDateUpdate: { path: '/cardmgr/cardExpiryDateUpdate' },
  CardSecureRegist: { path: '/cardmgr/cardSecureRegist' },
  BlacklistUpdate: { path: '/cardmgr/blacklistUpdate' },
  PINReset: { path: '/cardmgr/pinReset' },
  PINChange: { path: '/cardmgr/pinChange' },
  PINVerify: { path: '/cardmgr/pinVerify', once: ['pinBlock'] },
  BalanceInquiry: { path: '/tranmgr/balanceInquiry', gives: ['availableBalance', 'balanceCurrency'] },
  LoadFund: { path: '/tranmgr/loadFund' },
  Withdraw: { path: '/tranmgr/withdraw' },
  TransferFund: { path: '/tranmgr/transferFund' },
  Purchase: { path: '/tranmgr/purchase' },
  Refund: { path: '/tranmgr/refund' },
  Reversal: { path: '/tranmgr/reversal' },
  BlockFund: { path: '/tranmgr/blockFund' },
  UnblockFund: { path: '/tranmgr/unblockFund' },
  ServiceCharge: { path: '/tranmgr/serviceCharge' },
  Verification: { path: '/tranmgr/verification', once: ['CVV2'] },
  DebitAdjustment: { path: '/tranmgr/debitAdjustment' },
  CreditAdjustment: { path: '/tranmgr/creditAdjustment' },
  TransactionHistory: { path: '/tranmgr/transactionHistory', gives: ['recordNum', 'recordList'],
    each: ['tranId', 'tranDate', 'tranTime', 'tranType', 'tranAmount', 'tranCurrency'] },
  AuthorizationHistory: { path: '/tranmgr/authorizationHistory', gives: ['recordNum', 'recordList'],
    each: ['tranId', 'tranDate', 'tranTime', 'tranType', 'tranAmount', 'tranCurrency', 'responseCode'] },
  TokenInquiry: { path: '/tokenmgr/tokenInquiry', gives: ['recordNum', 'recordList'],
    each: ['appUserId', 'deviceId', 'cardMaskNumber', 'cardToken', 'cardTokenState', 'cardTokenExpiryDate'] },
  TokenRequest: { path: '/tokenmgr/tokenRequest' },
  TokenStateUpdate: { path: '/tokenmgr/tokenStateUpdate' },
  TokenStateNotification: { path: '/tokenmgr/tokenStateNotification' },
  TokenMetadataUpdate: { path: '/tokenmgr/tokenMetadataUpdate' },
  ReplenishTokenLUK: { path: '/tokenmgr/replenishTokenLUK', gives: ['tokenId', 'lukInfo'] },
  SendOTP: { path: '/authmgr/sendOTP', gives: ['otpRefNo'] },
  VerifyOTP: { path: '/authmgr/verifyOTP' },
  StartOOBAuthen: { path: '/authmgr/startOOBAuthen', gives: ['oobRefNo'] },
  OOBResultInquiry: { path: '/authmgr/oobResultInquiry', gives: ['oobResult'] },
  DropDownListInquiry: { path: '/paramgr/inquiryDropDownList', gives: ['recordNum', 'recordList'],
    each: ['dropDownCode', 'dropDownValue'] },
};
