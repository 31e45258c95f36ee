/**
 * Where each API is found on the wire: the public list once more, on purpose not taken from `src/catalogue`, so that a
 * wrong path there is seen from here.
 */
export const API_PATHS = {
  CardApplication: '/cardmgr/cardApply',
  CustomerCardInfoInquiry: '/custmgr/inquiryCardListByCIF',
  CustomerAccountInfoInquiry: '/custmgr/inquiryAcctListByCIF',
  CustomerInfoUpdate: '/custmgr/updateCustInfo',
  AccountLinkage: '/acctmgr/acctLinkage',
  AccountStatusUpdate: '/acctmgr/acctStatusUpdate',
  CardInfoInquiry: '/cardmgr/inquiryCardInfoByToken',
  CardActivation: '/cardmgr/cardActivate',
  CardReplacement: '/cardmgr/cardReplace',
  CardCancellation: '/cardmgr/cardClose',
  CardStatusUpdate: '/cardmgr/cardStatusUpdate',
  CardLimitSetting: '/cardmgr/cardLimitSetting',
  CardCVV2Inquiry: '/cardmgr/inquiryCVV2ByToken',
  CardCVV2Verify: '/cardmgr/verifyCVV2',
  GenerateDCVV: '/cardmgr/generateDCVV',
  CardExpiryDateUpdate: '/cardmgr/cardExpiryDateUpdate',
  CardSecureRegist: '/cardmgr/cardSecureRegist',
  BlacklistUpdate: '/cardmgr/blacklistUpdate',
  PINReset: '/cardmgr/pinReset',
  PINChange: '/cardmgr/pinChange',
  PINVerify: '/cardmgr/pinVerify',
  BalanceInquiry: '/tranmgr/balanceInquiry',
  LoadFund: '/tranmgr/loadFund',
  Withdraw: '/tranmgr/withdraw',
  TransferFund: '/tranmgr/transferFund',
  Purchase: '/tranmgr/purchase',
  Refund: '/tranmgr/refund',
  Reversal: '/tranmgr/reversal',
  BlockFund: '/tranmgr/blockFund',
  UnblockFund: '/tranmgr/unblockFund',
  ServiceCharge: '/tranmgr/serviceCharge',
  Verification: '/tranmgr/verification',
  DebitAdjustment: '/tranmgr/debitAdjustment',
  CreditAdjustment: '/tranmgr/creditAdjustment',
  TransactionHistory: '/tranmgr/transactionHistory',
  AuthorizationHistory: '/tranmgr/authorizationHistory',
  TokenInquiry: '/tokenmgr/tokenInquiry',
  TokenRequest: '/tokenmgr/tokenRequest',
  TokenStateUpdate: '/tokenmgr/tokenStateUpdate',
  TokenStateNotification: '/tokenmgr/tokenStateNotification',
  TokenMetadataUpdate: '/tokenmgr/tokenMetadataUpdate',
  ReplenishTokenLUK: '/tokenmgr/replenishTokenLUK',
  SendOTP: '/authmgr/sendOTP',
  VerifyOTP: '/authmgr/verifyOTP',
  StartOOBAuthen: '/authmgr/startOOBAuthen',
  OOBResultInquiry: '/authmgr/oobResultInquiry',
  DropDownListInquiry: '/paramgr/inquiryDropDownList',
} as const satisfies Record<string, `/${string}/${string}`>;

export type ApiName = keyof typeof API_PATHS;

const NAMES = new Map<string, ApiName>(Object.entries(API_PATHS).map(([name, path]) => [path, name as ApiName]));

/** The API at a path below the base path. */
export const apiAt = (path: string): ApiName | undefined => NAMES.get(path);

/** APIs that change nothing: they are not journalled, and a caller may send the same `tranId` again. */
export const INQUIRIES: ReadonlySet<ApiName> = new Set<ApiName>([
  'CustomerCardInfoInquiry',
  'CustomerAccountInfoInquiry',
  'CardInfoInquiry',
  'CardCVV2Inquiry',
  'CardCVV2Verify',
  'PINVerify',
  'BalanceInquiry',
  'Verification',
  'TransactionHistory',
  'AuthorizationHistory',
  'TokenInquiry',
  'OOBResultInquiry',
  'DropDownListInquiry',
]);
