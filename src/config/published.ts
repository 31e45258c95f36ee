/**
 * The names of all published APIs by module, so that a scope that this version does not have yet is told from a slip of
 * the pen. It goes when the catalogue has a row for each.
 */
import type { Module } from '../catalogue/row.ts';

export const PUBLISHED: Readonly<Record<Module, readonly string[]>> = {
  Application: ['CardApplication'],
  Customer: ['CustomerCardInfoInquiry', 'CustomerAccountInfoInquiry', 'CustomerInfoUpdate'],
  Account: ['AccountLinkage', 'AccountStatusUpdate'],
  Card: [
    'CardInfoInquiry',
    'CardActivation',
    'CardReplacement',
    'CardCancellation',
    'CardStatusUpdate',
    'CardLimitSetting',
    'CardCVV2Inquiry',
    'CardCVV2Verify',
    'GenerateDCVV',
    'CardExpiryDateUpdate',
    'CardSecureRegist',
    'BlacklistUpdate',
    'PINReset',
    'PINChange',
    'PINVerify',
  ],
  Transaction: [
    'BalanceInquiry',
    'LoadFund',
    'Withdraw',
    'TransferFund',
    'Purchase',
    'Refund',
    'Reversal',
    'BlockFund',
    'UnblockFund',
    'ServiceCharge',
    'Verification',
    'DebitAdjustment',
    'CreditAdjustment',
    'TransactionHistory',
    'AuthorizationHistory',
  ],
  Token: [
    'TokenInquiry',
    'TokenRequest',
    'TokenStateUpdate',
    'TokenStateNotification',
    'TokenMetadataUpdate',
    'ReplenishTokenLUK',
  ],
  Authentication: ['SendOTP', 'VerifyOTP', 'StartOOBAuthen', 'OOBResultInquiry'],
  Parameter: ['DropDownListInquiry'],
};

/** All published names of modules and APIs: what may stand in `scopes`. */
export const PUBLISHED_SCOPES: readonly string[] = [...Object.keys(PUBLISHED), ...Object.values(PUBLISHED).flat()];
