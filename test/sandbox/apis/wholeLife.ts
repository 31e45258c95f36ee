/**
 * The whole life of a card as an integrator rehearses it, in chapters: the same calls straight to the demo issuer and
 * through a gateway. Each chapter takes the card as the one before it left it.
 */
import { expect } from 'vitest';
import { APIS } from '../../../src/catalogue/apis.ts';
import type { WireFields } from '../../../src/domain/message.ts';
import type { ApiName } from '../../support/apiPaths.ts';
import { newTranId } from '../../support/client.ts';
import { approved, type Card, dollars, freshCustomer, IDENTITY, issue, pinBlock, type Send } from './issuing.ts';

/** The demo issuer's own endpoints, below `/_sandbox/`. */
export type Control = (method: 'GET' | 'POST', what: string, body?: unknown) => Promise<Record<string, unknown>>;

export type Stage = { readonly send: Send; readonly control: Control };

const codeOf = async ({ send }: Stage, api: ApiName, fields: WireFields): Promise<string> =>
  (await send(api, fields)).responseCode;

/** Sends a line of calls and holds their response codes against what is expected. */
async function expectCodes(stage: Stage, calls: readonly (readonly [ApiName, WireFields, string])[]): Promise<void> {
  for (const [api, fields, expected] of calls) {
    expect([api, fields, await codeOf(stage, api, fields)]).toEqual([api, fields, expected]);
  }
}

const records = (body: Record<string, unknown>): Record<string, string>[] =>
  Array.isArray(body.recordList) ? body.recordList : [];

export async function applyAndActivate(stage: Stage): Promise<Card> {
  const products = records(await stage.send('DropDownListInquiry', { dropDownName: 'CardProd' }));
  expect(products.map(({ dropDownCode }) => dropDownCode)).toContain('PREPAID01');
  const customerId = freshCustomer();
  const application = { cardFlag: 'V', cardProdCode: 'PREPAID01', customerId, ...IDENTITY, custMobile: '+12025550123' };
  const {
    cardToken = '',
    cardNumber = '',
    expiryDate = '',
    CVV2 = '',
  } = await approved(stage.send, 'CardApplication', application);
  const proof = { cardToken, expiryDate, CVV2, customerId, ...IDENTITY };
  const buy = { cardToken, ...dollars('1.00') };
  await expectCodes(stage, [
    ['Purchase', buy, '03'],
    ['CardActivation', { ...proof, CVV2: '0000' }, '82'],
    ['CardActivation', proof, '00'],
    ['CardActivation', proof, '03'],
    ['Purchase', buy, '51'],
    ['LoadFund', { cardToken, ...dollars('1000.00') }, '00'],
  ]);
  return { cardToken, cardNumber, expiryDate, CVV2, customerId };
}

export async function inquire(stage: Stage, { cardToken, cardNumber, customerId }: Card): Promise<void> {
  const info = await stage.send('CardInfoInquiry', { cardNumber });
  expect(info).toMatchObject({ cardToken, cardStatus: 'N', blockStatus: 'N', cardProdType: 'P' });
  const cards = records(await stage.send('CustomerCardInfoInquiry', { customerId }));
  expect(cards.map(card => card.cardToken)).toEqual([cardToken]);
  await approved(stage.send, 'CustomerInfoUpdate', { customerId, custName: 'Alex Example' });
  const accounts = records(await stage.send('CustomerAccountInfoInquiry', { customerId }));
  expect(accounts).toMatchObject([{ accountStatus: 'N', balanceCurrency: '840', availableBalance: '1000.00' }]);
}

export async function limitAndBuy(stage: Stage, { cardToken }: Card): Promise<void> {
  const buy = (amount: string, more = {}) => ({ cardToken, ...dollars(amount), ...more });
  const limit = (...recordList: Record<string, string>[]) => ({ cardToken, recordList });
  await expectCodes(stage, [
    ['CardLimitSetting', limit({ cardLimitType: 'PT', limitAmount: '100.00' }), '00'],
    ['CardLimitSetting', limit({ cardLimitType: 'PD', limitAmount: '150.00', limitCount: '3' }), '00'],
    ['CardLimitSetting', { cardToken, overseaFlag: 'N', ecommerceFlag: 'N' }, '00'],
    ['Purchase', buy('100.01'), '61'],
    ['Purchase', buy('100.00'), '00'],
    ['Purchase', buy('50.01'), '61'],
    ['Purchase', buy('1.00', { merchantCountry: 'FRA' }), '57'],
    ['Purchase', buy('1.00', { msgChannel: 'ECOM' }), '57'],
    ['Purchase', buy('1.00', { msgChannel: 'POS', merchantCountry: 'USA' }), '00'],
    ['BlockFund', buy('1.00'), '00'],
    ['Purchase', buy('1.00'), '65'],
    ['CardLimitSetting', limit({ cardLimitType: 'PT' }, { cardLimitType: 'PD' }), '00'],
    ['Purchase', buy('101.00'), '00'],
  ]);
  const balance = await stage.send('BalanceInquiry', { cardToken });
  expect(balance).toMatchObject({ availableBalance: '797.00', blockedAmount: '1.00' });
}

export async function usePinAndCodes(stage: Stage, card: Card): Promise<void> {
  const { cardToken } = card;
  const verify = (pin: string) => ({ cardToken, pinBlock: pinBlock(pin) });
  await expectCodes(stage, [
    ['PINReset', { cardToken, newPinBlock: pinBlock('1234') }, '00'],
    ['PINVerify', verify('1234'), '00'],
    ['PINChange', { ...verify('1234'), newPinBlock: pinBlock('98765') }, '00'],
    ['PINVerify', verify('1234'), '55'],
    ['Withdraw', { ...verify('98765'), ...dollars('97.00') }, '00'],
    ['CardCVV2Verify', { cardToken, CVV2: card.CVV2 }, '00'],
  ]);
  expect(await stage.send('CardCVV2Inquiry', { cardToken })).toMatchObject({ CVV2: card.CVV2 });
  const { DCVV = '', validTime } = await approved(stage.send, 'GenerateDCVV', { cardToken });
  expect(Number(validTime)).toBeGreaterThan(0);
  expect(await codeOf(stage, 'CardCVV2Verify', { cardToken, CVV2: DCVV })).toBe('00');
}

export async function authenticate(stage: Stage, { cardToken }: Card): Promise<void> {
  const otpType = 'S';
  expect(await codeOf(stage, 'SendOTP', { cardToken, otpType })).toBe('57');
  await approved(stage.send, 'CardSecureRegist', { cardToken, registFlag: 'R', otpType });
  const { otpRefNo = '' } = await approved(stage.send, 'SendOTP', { cardToken, otpType });
  const { otp } = await stage.control('GET', `otp/${otpRefNo}`);
  const right = { cardToken, otpRefNo, otp: String(otp) };
  await expectCodes(stage, [
    ['VerifyOTP', { ...right, otp: '12345678' }, '55'],
    ['VerifyOTP', right, '00'],
    ['VerifyOTP', right, '12'],
  ]);
  const asked = { cardToken, acsTransId: 'acs-1', merchantName: 'Example Store' };
  const { oobRefNo = '' } = await approved(stage.send, 'StartOOBAuthen', asked);
  expect(await stage.send('OOBResultInquiry', { oobRefNo })).toMatchObject({ oobResult: 'P' });
  await stage.control('POST', `oob/${oobRefNo}`, { oobResult: 'Y' });
  expect(await stage.send('OOBResultInquiry', { oobRefNo })).toMatchObject({ oobResult: 'Y' });
}

/** Tells the token's id. */
export async function useTokens(stage: Stage, { cardToken, expiryDate, CVV2 }: Card): Promise<string> {
  const wallet = { deviceId: 'phone', appUserId: 'alex' };
  const asked = { cardToken, expiryDate, CVV2, useCaseIndicator: ['HCE'], cvm: ['cvn2'], ...wallet };
  const { tokenId = '', hceCardInfo } = await approved(stage.send, 'TokenRequest', asked);
  expect(hceCardInfo).toMatch(/^[\w-]+$/);
  expect(records(await stage.send('TokenInquiry', { cardToken }))).toMatchObject([
    { ...wallet, cardTokenState: 'ACTIVE' },
  ]);
  const replenish = { tokenId, deviceId: 'phone' };
  await expectCodes(stage, [
    ['ReplenishTokenLUK', replenish, '00'],
    ['TokenStateUpdate', { tokenId, cardTokenState: 'SUSPENDED' }, '00'],
    ['ReplenishTokenLUK', replenish, '12'],
    ['TokenStateNotification', { tokenId, cardTokenState: 'ACTIVE' }, '00'],
    ['ReplenishTokenLUK', { tokenId, deviceId: 'another' }, '10'],
  ]);
  return tokenId;
}

/** Everything else that moves money, on a card of its own that gives some to this one. */
export async function payOtherwise(stage: Stage, card: Card): Promise<void> {
  const { cardToken } = await issue(stage.send);
  const [bought, drawn, held] = [newTranId(), newTranId(), newTranId()];
  const ten = { cardToken, ...dollars('10.00') };
  for (const [api, tranId] of [
    ['Purchase', bought],
    ['Withdraw', drawn],
    ['BlockFund', held],
  ] as const) {
    expect([api, (await stage.send(api, ten, tranId)).responseCode]).toEqual([api, '00']);
  }
  await expectCodes(stage, [
    ['Verification', { cardToken }, '00'],
    ['Refund', { ...ten, originalTranId: bought }, '00'],
    ['Refund', { ...ten, originalTranId: bought }, '61'],
    ['Reversal', { ...ten, originalTranId: drawn }, '00'],
    ['UnblockFund', { cardToken, originalTranId: held }, '00'],
    ['ServiceCharge', ten, '00'],
    ['DebitAdjustment', { ...ten, memo: 'fee' }, '00'],
    ['CreditAdjustment', { ...ten, memo: 'fee given back' }, '00'],
    ['TransferFund', { ...ten, toCardToken: card.cardToken }, '00'],
  ]);
  expect(await stage.send('BalanceInquiry', { cardToken })).toMatchObject({ availableBalance: '980.00' });
  const decisions = records(await stage.send('AuthorizationHistory', { cardToken }));
  expect(decisions.filter(({ responseCode }) => responseCode === '61')).toHaveLength(1);
  expect(decisions.filter(({ reversed }) => reversed === 'Y').map(({ tranId }) => tranId)).toEqual([drawn]);
}

/** Blocks the card and replaces it in every way there is. Tells the card that is left, active. */
export async function blockAndReplace(stage: Stage, card: Card, tokenId: string): Promise<Card> {
  const { cardToken } = card;
  const buy = { cardToken, ...dollars('1.00') };
  await expectCodes(stage, [
    ['CardStatusUpdate', { cardToken, cardOptFlag: 'D' }, '00'],
    ['Purchase', buy, '03'],
    ['CardStatusUpdate', { cardToken, cardOptFlag: 'E' }, '00'],
    ['CardStatusUpdate', { cardToken, cardOptFlag: 'B' }, '00'],
    ['Purchase', buy, '03'],
  ]);
  const lost = await replaced(stage, card, { replaceType: 'R', reasonCode: '001' });
  expect(lost.cardNumber).not.toBe(card.cardNumber);
  expect(await stage.send('CardInfoInquiry', { cardToken })).toMatchObject({ cardStatus: 'L' });
  expect(await codeOf(stage, 'ReplenishTokenLUK', { tokenId })).toBe('03');
  const moved = { tokenId, cardToken: lost.cardToken, expiryDate: lost.expiryDate };
  await approved(stage.send, 'TokenMetadataUpdate', moved);
  await approved(stage.send, 'ReplenishTokenLUK', { tokenId });
  await expectCodes(stage, [
    ['PINVerify', { cardToken: lost.cardToken, pinBlock: pinBlock('98765') }, '00'],
    ['Purchase', { cardToken: lost.cardToken, ...dollars('1.00') }, '00'],
  ]);
  const renewed = await replaced(stage, lost, { replaceType: 'S', reasonCode: '003' });
  expect([renewed.cardToken, renewed.cardNumber]).toEqual([lost.cardToken, lost.cardNumber]);
  const plastic = { cardToken: renewed.cardToken, replaceType: 'P', reasonCode: '005', deliveryAddress: '1 Road' };
  await approved(stage.send, 'CardReplacement', plastic);
  expect(await stage.send('CardInfoInquiry', { cardToken: renewed.cardToken })).toMatchObject({
    cardFlag: 'P',
    cardStatus: 'N',
  });
  return renewed;
}

/** Replaces the card and activates what comes. */
async function replaced(stage: Stage, card: Card, how: Record<string, string>): Promise<Card> {
  const told = await approved(stage.send, 'CardReplacement', { cardToken: card.cardToken, ...how });
  const { cardToken = '', cardNumber = '', expiryDate = '' } = told;
  const { CVV2 = '' } = await approved(stage.send, 'CardCVV2Inquiry', { cardToken });
  const { customerId } = card;
  await expectCodes(stage, [
    ['Purchase', { cardToken, ...dollars('1.00') }, '03'],
    ['CardActivation', { cardToken, expiryDate, CVV2, customerId, ...IDENTITY }, '00'],
  ]);
  return { cardToken, cardNumber, expiryDate, CVV2, customerId };
}

export async function close(stage: Stage, { cardToken, customerId }: Card, tokenId: string): Promise<void> {
  const [account] = records(await stage.send('CustomerAccountInfoInquiry', { customerId }));
  const { accountNo = '', availableBalance = '0' } = account ?? {};
  const buy = { cardToken, ...dollars('1.00') };
  await expectCodes(stage, [
    ['CardExpiryDateUpdate', { cardToken, expiryDate: '4912' }, '00'],
    ['AccountStatusUpdate', { accountNo, acctOptFlag: 'B' }, '00'],
    ['Purchase', buy, '57'],
    ['AccountStatusUpdate', { accountNo, acctOptFlag: 'C' }, '00'],
    ['AccountLinkage', { cardToken, accountNo, linkFlag: 'U' }, '00'],
    ['Purchase', buy, '57'],
    ['AccountLinkage', { cardToken, accountNo, linkFlag: 'L' }, '00'],
    ['Purchase', { cardToken, ...dollars(availableBalance) }, '00'],
    ['CardCancellation', { cardToken, reasonCode: '001' }, '00'],
    ['Purchase', buy, '03'],
    ['TokenStateUpdate', { tokenId, cardTokenState: 'ACTIVE' }, '12'],
  ]);
  const history = records(await stage.send('TransactionHistory', { cardToken, pageSize: '100' }));
  expect(history.map(({ tranType }) => tranType)).toEqual([
    ...['Purchase', 'Purchase', 'TransferFund', 'Withdraw', 'Purchase', 'Purchase', 'Purchase', 'LoadFund'],
  ]);
}

/** All chapters; every API that is not retired is approved in one of them. */
export async function wholeLife(stage: Stage): Promise<void> {
  const card = await applyAndActivate(stage);
  await inquire(stage, card);
  await limitAndBuy(stage, card);
  await usePinAndCodes(stage, card);
  await authenticate(stage, card);
  const tokenId = await useTokens(stage, card);
  await payOtherwise(stage, card);
  await close(stage, await blockAndReplace(stage, card, tokenId), tokenId);
  const { requests } = await stage.control('GET', 'requests');
  const seen: readonly Record<string, unknown>[] = Array.isArray(requests) ? requests : [];
  const done = new Set(seen.flatMap(({ api, responseCode }) => (responseCode === '00' ? [api] : [])));
  expect(APIS.filter(({ name, retired }) => !retired && !done.has(name)).map(({ name }) => name)).toEqual([]);
}
