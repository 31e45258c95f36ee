/**
 * What the demo issuer does for each API of the catalogue, one row each. The table has a row for every name there is: an
 * API that is added to the catalogue does not compile until it is here.
 */
import type { ApiText } from '../catalogue/apis.ts';
import type { WireFields } from '../domain/message.ts';
import { cardLimitSetting, cardSecureRegist, cardStatusUpdate, updateBlacklist } from './apis/cardCare.ts';
import {
  cardActivation,
  cardApplication,
  cardCancellation,
  cardExpiryDateUpdate,
  cardReplacement,
} from './apis/cardLife.ts';
import { cardCvv2Inquiry, cardCvv2Verify, dcvvSecrets, generateDcvv, issuedSecrets } from './apis/codes.ts';
import {
  accountLinkage,
  accountStatusUpdate,
  cardInfoInquiry,
  customerAccountInfoInquiry,
  customerCardInfoInquiry,
  customerInfoUpdate,
} from './apis/customers.ts';
import { blockFund, unblockFund } from './apis/holds.ts';
import { authorizationHistory, balanceInquiry, transactionHistory, verification } from './apis/inquiries.ts';
import { oobResultInquiry, startOobAuthen } from './apis/outOfBand.ts';
import { dropDownListInquiry } from './apis/parameters.ts';
import { sendOtp, verifyOtp } from './apis/passwords.ts';
import {
  creditAdjustment,
  institutionDebit,
  loadFund,
  purchase,
  refund,
  reversal,
  transferFund,
  withdraw,
} from './apis/payments.ts';
import { pinChange, pinReset, pinVerify } from './apis/pins.ts';
import {
  lukSecrets,
  replenishTokenLuk,
  tokenInquiry,
  tokenMetadataUpdate,
  tokenRequest,
  tokenSecrets,
  updateTokenState,
} from './apis/tokens.ts';
import type { Done, Fields, Turn } from './turn.ts';

/** Moves money: decided once, and told with the card's balances. */
export type MoneyApi = { readonly kind: 'money'; readonly run: (turn: Turn) => Done };

/** Changes something that is not money: decided once. */
export type Command = {
  readonly kind: 'command';
  /** What is kept of the answer and told again: nothing secret. */
  readonly run: (turn: Turn) => WireFields;
  /** What is told beside it, each time anew, since it may not be kept. */
  readonly secrets?: (turn: Turn, told: WireFields) => Fields;
};

/** Only asks: not kept, and answered afresh each time. */
export type Inquiry = { readonly kind: 'inquiry'; readonly run: (turn: Turn) => WireFields };

export type Handler = MoneyApi | Command | Inquiry;

const money = (run: MoneyApi['run']): Handler => ({ kind: 'money', run });
const inquiry = (run: Inquiry['run']): Handler => ({ kind: 'inquiry', run });
const command = (run: Command['run'], secrets?: Command['secrets']): Handler => ({
  kind: 'command',
  run,
  ...(secrets && { secrets }),
});

const HANDLERS: Readonly<Record<ApiText, Handler>> = {
  CardApplication: command(cardApplication, issuedSecrets),
  CustomerCardInfoInquiry: inquiry(customerCardInfoInquiry),
  CustomerAccountInfoInquiry: inquiry(customerAccountInfoInquiry),
  CustomerInfoUpdate: command(customerInfoUpdate),
  AccountLinkage: command(accountLinkage),
  AccountStatusUpdate: command(accountStatusUpdate),
  CardInfoInquiry: inquiry(cardInfoInquiry),
  CardActivation: command(cardActivation),
  CardReplacement: command(cardReplacement),
  CardCancellation: command(cardCancellation),
  CardStatusUpdate: command(cardStatusUpdate),
  CardLimitSetting: command(cardLimitSetting),
  CardCVV2Inquiry: inquiry(cardCvv2Inquiry),
  CardCVV2Verify: inquiry(cardCvv2Verify),
  GenerateDCVV: command(generateDcvv, dcvvSecrets),
  CardExpiryDateUpdate: command(cardExpiryDateUpdate),
  CardSecureRegist: command(cardSecureRegist),
  BlacklistUpdate: command(updateBlacklist),
  PINReset: command(pinReset),
  PINChange: command(pinChange),
  PINVerify: inquiry(pinVerify),
  BalanceInquiry: inquiry(balanceInquiry),
  LoadFund: money(loadFund),
  Withdraw: money(withdraw),
  TransferFund: money(transferFund),
  Purchase: money(purchase),
  Refund: money(refund),
  Reversal: money(reversal),
  BlockFund: money(blockFund),
  UnblockFund: money(unblockFund),
  ServiceCharge: money(institutionDebit),
  Verification: inquiry(verification),
  DebitAdjustment: money(institutionDebit),
  CreditAdjustment: money(creditAdjustment),
  TransactionHistory: inquiry(transactionHistory),
  AuthorizationHistory: inquiry(authorizationHistory),
  TokenInquiry: inquiry(tokenInquiry),
  TokenRequest: command(tokenRequest, tokenSecrets),
  TokenStateUpdate: command(updateTokenState),
  TokenStateNotification: command(turn => {
    updateTokenState(turn);
    return {};
  }),
  TokenMetadataUpdate: command(tokenMetadataUpdate),
  ReplenishTokenLUK: command(replenishTokenLuk, lukSecrets),
  SendOTP: command(sendOtp),
  VerifyOTP: command(verifyOtp),
  StartOOBAuthen: command(startOobAuthen),
  OOBResultInquiry: inquiry(oobResultInquiry),
  DropDownListInquiry: inquiry(dropDownListInquiry),
};

const BY_NAME: ReadonlyMap<string, Handler> = new Map(Object.entries(HANDLERS));

/** What the issuer does for the API. A `Map` look-up, so that no name reaches a prototype. */
export const handlerOf = (api: string): Handler | undefined => BY_NAME.get(api);
