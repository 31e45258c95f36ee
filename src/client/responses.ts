/**
 * What each API gives with `00`. Generated from src/catalogue by `npm run client-types`: change the catalogue, not
 * this file.
 */
// biome-ignore-all format: lines are filled, so that a message can be read at a glance
import type { CountedRecords, May, Must } from './shapes.ts';

export interface Responses {
  /** No. 1, Application. */
  readonly CardApplication: May<'cardApplyNo' | 'customerId' | 'cardNumber' | 'cardToken' | 'expiryDate' | 'CVV2'>;
  /** No. 2, Customer. */
  readonly CustomerCardInfoInquiry: CountedRecords<Must<'cardToken' | 'expiryDate' | 'cardFlag' | 'cardProdCode' |
    'cardProdType' | 'openDate' | 'cardStatus' | 'blockStatus'> & May<'cardNumber' | 'cardPicCode'>>;
  /** No. 3, Customer. */
  readonly CustomerAccountInfoInquiry: CountedRecords<Must<'accountNo' | 'accountStatus'> & May<'accountType' |
    'balanceCurrency' | 'availableBalance' | 'ledgerBalance'>>;
  /** No. 4, Customer. */
  readonly CustomerInfoUpdate: Must<'customerId'>;
  /** No. 5, Account. */
  readonly AccountLinkage: May<'cardToken' | 'accountNo'>;
  /** No. 6, Account. */
  readonly AccountStatusUpdate: May<'accountNo' | 'accountStatus'>;
  /** No. 7, Card. */
  readonly CardInfoInquiry: Must<'cardToken' | 'expiryDate' | 'cardFlag' | 'cardProdCode' | 'cardProdType' |
    'openDate' | 'cardStatus' | 'blockStatus'> & May<'cardNumber' | 'cardPicCode'>;
  /** No. 8, Card. */
  readonly CardActivation: May<'cardToken' | 'cardStatus'>;
  /** No. 10, Card. */
  readonly CardReplacement: May<'cardToken' | 'cardNumber' | 'expiryDate'>;
  /** No. 11, Card. */
  readonly CardCancellation: May<'cardToken' | 'cardStatus'>;
  /** No. 12, Card. */
  readonly CardStatusUpdate: May<'cardToken' | 'cardStatus' | 'blockStatus'>;
  /** No. 13, Card. */
  readonly CardLimitSetting: May<'cardToken'>;
  /** No. 14, Card. */
  readonly CardCVV2Inquiry: Must<'cardNumber' | 'expiryDate' | 'CVV2'>;
  /** No. 15, Card. */
  readonly CardCVV2Verify: object;
  /** No. 16, Card. */
  readonly GenerateDCVV: Must<'DCVV'> & May<'validTime'>;
  /** No. 17, Card. */
  readonly CardExpiryDateUpdate: May<'cardToken' | 'expiryDate'>;
  /** No. 18, Card. */
  readonly CardSecureRegist: May<'cardToken'>;
  /** No. 19, Card. */
  readonly BlacklistUpdate: May<'cardToken'>;
  /** No. 20, Card. */
  readonly PINReset: object;
  /** No. 21, Card. */
  readonly PINChange: object;
  /** No. 22, Card. */
  readonly PINVerify: object;
  /** No. 23, Transaction. */
  readonly BalanceInquiry: Must<'availableBalance' | 'balanceCurrency'> & May<'ledgerBalance' | 'blockedAmount'>;
  /** No. 24, Transaction. */
  readonly LoadFund: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 25, Transaction. */
  readonly Withdraw: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 26, Transaction. */
  readonly TransferFund: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 27, Transaction. */
  readonly Purchase: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 28, Transaction. */
  readonly Refund: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 29, Transaction. */
  readonly Reversal: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 30, Transaction. */
  readonly BlockFund: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency' | 'blockedAmount'>;
  /** No. 31, Transaction. */
  readonly UnblockFund: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency' | 'blockedAmount'>;
  /** No. 32, Transaction. */
  readonly ServiceCharge: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 33, Transaction. */
  readonly Verification: May<'cardStatus' | 'authCode'>;
  /** No. 34, Transaction. */
  readonly DebitAdjustment: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 35, Transaction. */
  readonly CreditAdjustment: May<'authCode' | 'tranAmount' | 'tranCurrency' | 'approvedAmount' | 'availableBalance' |
    'ledgerBalance' | 'balanceCurrency'>;
  /** No. 36, Transaction. */
  readonly TransactionHistory: CountedRecords<Must<'tranId' | 'tranDate' | 'tranTime' | 'tranType' | 'tranAmount' |
    'tranCurrency'> & May<'billAmount' | 'billCurrency' | 'merchantName' | 'merchantCategoryCode' | 'originalTranId' |
    'authCode' | 'memo'>>;
  /** No. 37, Transaction. */
  readonly AuthorizationHistory: CountedRecords<Must<'tranId' | 'tranDate' | 'tranTime' | 'tranType' | 'tranAmount' |
    'tranCurrency' | 'responseCode'> & May<'authCode' | 'merchantName' | 'originalTranId' | 'reversed'>>;
  /** No. 38, Token. */
  readonly TokenInquiry: CountedRecords<Must<'appUserId' | 'deviceId' | 'cardMaskNumber' | 'cardToken' |
    'cardTokenState' | 'cardTokenExpiryDate'> & May<'hceCardInfo'>>;
  /** No. 39, Token. */
  readonly TokenRequest: May<'tokenId' | 'cardTokenState' | 'cardTokenExpiryDate' | 'hceCardInfo'>;
  /** No. 40, Token. */
  readonly TokenStateUpdate: May<'tokenId' | 'cardTokenState'>;
  /** No. 41, Token. */
  readonly TokenStateNotification: object;
  /** No. 42, Token. */
  readonly TokenMetadataUpdate: May<'tokenId' | 'cardTokenExpiryDate'>;
  /** No. 43, Token. */
  readonly ReplenishTokenLUK: Must<'tokenId' | 'lukInfo'> & May<'validTime'>;
  /** No. 44, Authentication. */
  readonly SendOTP: Must<'otpRefNo'> & May<'validTime'>;
  /** No. 45, Authentication. */
  readonly VerifyOTP: object;
  /** No. 46, Authentication. */
  readonly StartOOBAuthen: Must<'oobRefNo'>;
  /** No. 47, Authentication. */
  readonly OOBResultInquiry: Must<'oobResult'>;
  /** No. 48, Parameter. */
  readonly DropDownListInquiry: CountedRecords<Must<'dropDownCode' | 'dropDownValue'>>;
}
