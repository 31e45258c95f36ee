/**
 * What each API takes, beside the header. Generated from src/catalogue by `npm run client-types`: change the
 * catalogue, not this file.
 */
// biome-ignore-all format: lines are filled, so that a message can be read at a glance
import type { AtLeastOne, May, Must, NotWith, OneOf, Records, When, With } from './shapes.ts';

export interface Requests {
  /** Issues a virtual or physical card to a customer. No. 1, Application. */
  readonly CardApplication: Must<'cardFlag' | 'cardProdCode' | 'customerId' | 'custIdType' | 'custIdNo'> &
    When<'cardFlag', 'P', 'cardEmbossName'> & When<'cardFlag', 'P', 'deliveryAddress'> &
    May<'cardNumber' | 'cardPicCode' | 'custIssIdType' | 'custIssIdNo' | 'custName' | 'custMobile' | 'custEmail' |
    'deliveryPostCode' | 'deliveryCountry'>;
  /** Lists the cards of a customer. No. 2, Customer. */
  readonly CustomerCardInfoInquiry: Must<'customerId'>;
  /** Lists the accounts of a customer with their balances. No. 3, Customer. */
  readonly CustomerAccountInfoInquiry: Must<'customerId'>;
  /** Changes the name, the contact data or the addresses of a customer. No. 4, Customer. */
  readonly CustomerInfoUpdate: Must<'customerId'> &
    AtLeastOne<May<'custName' | 'custMobile' | 'custEmail' | 'custAddress' | 'deliveryAddress' | 'deliveryPostCode' |
    'deliveryCountry'>>;
  /** Links an account to a card, or unlinks it. No. 5, Account. */
  readonly AccountLinkage: OneOf<'cardToken' | 'cardNumber'> & Must<'accountNo' | 'linkFlag'> & May<'accountType'>;
  /** Blocks, unblocks or closes an account. No. 6, Account. */
  readonly AccountStatusUpdate: Must<'accountNo' | 'acctOptFlag'> & May<'reasonCode' | 'memo'>;
  /** Tells product, expiry and status of a card. No. 7, Card. */
  readonly CardInfoInquiry: OneOf<'cardToken' | 'cardNumber'>;
  /** Activates a card that its holder has received. No. 8, Card. */
  readonly CardActivation: Must<'cardToken' | 'expiryDate' | 'CVV2' | 'customerId' | 'custIdType' | 'custIdNo'>;
  /** Replaces a card, with the same number or another one, or a virtual card by a physical one. No. 10, Card. */
  readonly CardReplacement: Must<'cardToken' | 'replaceType' | 'reasonCode'> &
    When<'replaceType', 'N', 'newCardNumber'> & When<'replaceType', 'P', 'deliveryAddress'> &
    May<'deliveryPostCode' | 'deliveryCountry'>;
  /** Closes a card for good. No. 11, Card. */
  readonly CardCancellation: Must<'cardToken' | 'reasonCode'> & May<'memo'>;
  /** Blocks, unblocks, freezes or unfreezes a card, or locks or unlocks its PIN. No. 12, Card. */
  readonly CardStatusUpdate: Must<'cardToken' | 'cardOptFlag'> & May<'memo'>;
  /** Sets limits of a card, and where it may be used. No. 13, Card. */
  readonly CardLimitSetting: Must<'cardToken'> &
    AtLeastOne<May<'domesticFlag' | 'overseaFlag' | 'ecommerceFlag' | 'posFlag'> &
    Partial<Records<Must<'cardLimitType'> & May<'limitAmount' | 'limitCount'>>>>;
  /** Tells number, expiry and CVV2 of a card, to show them to its holder. No. 14, Card. */
  readonly CardCVV2Inquiry: Must<'cardToken'>;
  /** Verifies the CVV2 of a card; a wrong one counts as a try. No. 15, Card. */
  readonly CardCVV2Verify: Must<'cardToken' | 'CVV2'> & May<'expiryDate'>;
  /** Makes a dynamic card verification value that is valid for a short time. No. 16, Card. */
  readonly GenerateDCVV: Must<'cardToken'>;
  /** Changes the expiry date of a card. No. 17, Card. */
  readonly CardExpiryDateUpdate: Must<'cardToken' | 'expiryDate'>;
  /** Registers a card for 3-D Secure, or takes it out. No. 18, Card. */
  readonly CardSecureRegist: Must<'cardToken' | 'registFlag'> & May<'otpType' | 'custMobile' | 'custEmail'>;
  /** Puts a card on the black list or the white list, or takes it off. No. 19, Card. */
  readonly BlacklistUpdate: OneOf<'cardToken' | 'cardNumber'> & Must<'listFlag' | 'linkFlag'> & May<'memo'>;
  /** Sets a new PIN without the old one. No. 20, Card. */
  readonly PINReset: Must<'cardToken' | 'newPinBlock'>;
  /** Changes the PIN from the old one to a new one. No. 21, Card. */
  readonly PINChange: Must<'cardToken' | 'pinBlock' | 'newPinBlock'>;
  /** Verifies the PIN of a card; a wrong one counts as a try. No. 22, Card. */
  readonly PINVerify: Must<'cardToken' | 'pinBlock'>;
  /** Tells the balances of a card. No. 23, Transaction. */
  readonly BalanceInquiry: OneOf<'cardToken' | 'cardNumber'> &
    May<'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' | 'acquirerCode' | 'forwarderCode'
    | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' | 'msgChannel'>;
  /** Puts money on a card. No. 24, Transaction. */
  readonly LoadFund: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency'> &
    With<'billAmount', 'billCurrency'> &
    May<'billAmount' | 'feeAmount' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' |
    'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' |
    'msgChannel' | 'memo'>;
  /** Takes cash from a card. No. 25, Transaction. */
  readonly Withdraw: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency'> &
    With<'billAmount', 'billCurrency'> &
    May<'billAmount' | 'feeAmount' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' |
    'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' |
    'msgChannel' | 'pinBlock'>;
  /** Moves money from a card to another one. No. 26, Transaction. */
  readonly TransferFund: OneOf<'cardToken' | 'cardNumber'> & OneOf<'toCardToken' | 'toCardNumber'> &
    Must<'tranAmount' | 'tranCurrency'> & With<'billAmount', 'billCurrency'> &
    May<'billAmount' | 'feeAmount' | 'memo'>;
  /**
   * Takes a payment from a card, or completes a hold. No. 27, Transaction.
   * `originalTranId`: set when it completes a BlockFund; then no pinBlock and no CVV2.
   */
  readonly Purchase: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency'> &
    With<'billAmount', 'billCurrency'> & NotWith<'originalTranId', 'pinBlock'> & NotWith<'originalTranId', 'CVV2'> &
    May<'billAmount' | 'feeAmount' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' |
    'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' |
    'msgChannel' | 'partialAllowed' | 'originalTranId' | 'expiryDate'>;
  /** Gives back a payment in part or in full, or voids it. No. 28, Transaction. */
  readonly Refund: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency' | 'originalTranId'> &
    With<'billAmount', 'billCurrency'> &
    May<'billAmount' | 'feeAmount' | 'refundType' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' |
    'merchantCountry' | 'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' |
    'posEntryMode' | 'msgChannel' | 'memo'>;
  /** Undoes a whole transaction. No. 29, Transaction. */
  readonly Reversal: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency' | 'originalTranId'> &
    With<'billAmount', 'billCurrency'> &
    May<'billAmount' | 'feeAmount' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' |
    'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' |
    'msgChannel' | 'reasonCode'>;
  /**
   * Holds money on a card, or adds to a hold. No. 30, Transaction.
   * `originalTranId`: set when it adds to an earlier BlockFund.
   */
  readonly BlockFund: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency'> &
    With<'billAmount', 'billCurrency'> &
    May<'billAmount' | 'feeAmount' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' |
    'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' |
    'msgChannel' | 'originalTranId' | 'expiryDate' | 'CVV2'>;
  /**
   * Releases a hold in part or in full. No. 31, Transaction.
   * `tranAmount`: absent: release all that is left.
   */
  readonly UnblockFund: OneOf<'cardToken' | 'cardNumber'> & Must<'originalTranId'> &
    With<'tranCurrency', 'tranAmount'> & With<'tranAmount', 'tranCurrency'> &
    May<'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' | 'acquirerCode' | 'forwarderCode'
    | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' | 'msgChannel'>;
  /** Charges a fee to a card. No. 32, Transaction. */
  readonly ServiceCharge: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency'> &
    With<'billAmount', 'billCurrency'> & May<'billAmount' | 'feeAmount' | 'reasonCode' | 'memo'>;
  /** Checks that a card is good, without an amount. No. 33, Transaction. */
  readonly Verification: OneOf<'cardToken' | 'cardNumber'> &
    May<'expiryDate' | 'CVV2' | 'merchantId' | 'merchantName' | 'merchantCategoryCode' | 'merchantCountry' |
    'acquirerCode' | 'forwarderCode' | 'retrievalRefNo' | 'systemTraceNo' | 'schemeTranId' | 'posEntryMode' |
    'msgChannel'>;
  /** Corrects a balance downwards. No. 34, Transaction. */
  readonly DebitAdjustment: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency' | 'memo'> &
    With<'billAmount', 'billCurrency'> & May<'billAmount' | 'feeAmount' | 'originalTranId' | 'reasonCode'>;
  /** Corrects a balance upwards. No. 35, Transaction. */
  readonly CreditAdjustment: OneOf<'cardToken' | 'cardNumber'> & Must<'tranAmount' | 'tranCurrency' | 'memo'> &
    With<'billAmount', 'billCurrency'> & May<'billAmount' | 'feeAmount' | 'originalTranId' | 'reasonCode'>;
  /** Lists the transactions of a card, page by page. No. 36, Transaction. */
  readonly TransactionHistory: Must<'cardToken'> & May<'startDate' | 'endDate' | 'pageNum' | 'pageSize'>;
  /** Lists the authorizations of a card, page by page. No. 37, Transaction. */
  readonly AuthorizationHistory: Must<'cardToken'> & May<'startDate' | 'endDate' | 'pageNum' | 'pageSize'>;
  /** Lists the network tokens of a card. No. 38, Token. */
  readonly TokenInquiry: OneOf<'cardToken' | 'cardNumber'>;
  /** Asks for a network token of a card. No. 39, Token. */
  readonly TokenRequest: Must<'cardToken' | 'expiryDate' | 'CVV2' | 'useCaseIndicator' | 'cvm'> &
    May<'deviceId' | 'appUserId'>;
  /** Suspends, resumes or deletes a network token. No. 40, Token. */
  readonly TokenStateUpdate: Must<'tokenId' | 'cardTokenState'> & May<'reasonCode'>;
  /** Tells the issuer that the state of a network token has changed. No. 41, Token. */
  readonly TokenStateNotification: Must<'tokenId' | 'cardTokenState'> & May<'reasonCode' | 'appUserId' | 'deviceId'>;
  /** Tells the network token which card and expiry now stand behind it. No. 42, Token. */
  readonly TokenMetadataUpdate: Must<'tokenId' | 'expiryDate'> & May<'cardToken' | 'cardTokenExpiryDate'>;
  /** Gives a device new limited-use keys for its network token. No. 43, Token. */
  readonly ReplenishTokenLUK: Must<'tokenId'> & May<'deviceId'>;
  /** Sends a one-time password to the cardholder. No. 44, Authentication. */
  readonly SendOTP: Must<'cardToken' | 'otpType'> & With<'tranAmount', 'tranCurrency'> &
    May<'acsTransId' | 'merchantName' | 'tranAmount'>;
  /** Verifies a one-time password; a wrong one counts as a try. No. 45, Authentication. */
  readonly VerifyOTP: Must<'cardToken' | 'otpRefNo' | 'otp'>;
  /** Asks the cardholder to confirm in the application, out of band. No. 46, Authentication. */
  readonly StartOOBAuthen: Must<'cardToken' | 'acsTransId'> & With<'tranAmount', 'tranCurrency'> &
    May<'merchantName' | 'tranAmount' | 'validTime'>;
  /** Tells what the cardholder answered out of band. No. 47, Authentication. */
  readonly OOBResultInquiry: Must<'oobRefNo'>;
  /** Lists the issuer's codes of one kind, with their texts. No. 48, Parameter. */
  readonly DropDownListInquiry: Must<'dropDownName'>;
}
