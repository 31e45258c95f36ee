/**
 * A card's life, decline by decline: what an application, an activation, a replacement and a closing ask for, and what of
 * the old card goes on in the new one.
 */
import { describe, expect, it } from 'vitest';
import { isPan } from '../../../src/domain/card.ts';
import { freshId } from '../support.ts';
import {
  apply,
  approved,
  type Card,
  dollars,
  freshCustomer,
  handClock,
  IDENTITY,
  issue,
  openStage,
} from './issuing.ts';

const clock = handClock();
const { sandbox, send, code } = openStage(clock);
const buy = (cardToken: string) => ({ cardToken, ...dollars('1.00') });
const application = (more = {}) => ({
  cardFlag: 'V',
  cardProdCode: 'PREPAID01',
  customerId: freshCustomer(),
  ...IDENTITY,
  ...more,
});
const statusOf = async (cardToken: string): Promise<unknown> =>
  (await send('CardInfoInquiry', { cardToken })).cardStatus;
const balanceOf = async (cardToken: string): Promise<unknown> =>
  (await send('BalanceInquiry', { cardToken })).availableBalance;

/** The card number that begins with these digits and has a good check digit. */
const numbered = (body: string): string => [...'0123456789'].map(digit => body + digit).find(isPan) ?? '';

describe('CardApplication', () => {
  it('issues an inactive, empty card in the currency of its product, with a CVV2', async () => {
    const sent = application({
      cardProdCode: 'PREPAID02',
      cardFlag: 'P',
      cardPicCode: 'PIC7',
      deliveryAddress: '1 Road',
    });
    const told = await approved(send, 'CardApplication', { ...sent, cardEmbossName: 'ALEX' });
    expect(told).toMatchObject({ customerId: sent.customerId, cardNumber: expect.stringMatching(/^4220\d{12}$/) });
    expect(told).toMatchObject({ CVV2: expect.stringMatching(/^\d{3}$/), expiryDate: '3001' });
    const { cardToken = '' } = told;
    expect(await send('CardInfoInquiry', { cardToken })).toMatchObject({
      ...{ cardStatus: 'U', cardFlag: 'P', cardPicCode: 'PIC7', openDate: '20260105' },
    });
    expect(await send('BalanceInquiry', { cardToken })).toMatchObject({
      availableBalance: '0',
      balanceCurrency: '392',
    });
  });

  it('asked again under its tranId tells the same card, CVV2 and all, and issues no second one (I1)', async () => {
    const sent = application();
    const tranId = freshId();
    const first = await send('CardApplication', sent, tranId);
    expect(first.CVV2).toMatch(/^\d{3}$/);
    expect(await send('CardApplication', sent, tranId)).toEqual(first);
    expect(await send('CustomerCardInfoInquiry', { customerId: sent.customerId })).toMatchObject({ recordNum: '1' });
  });

  it('issues a named number once, and only of its own range', async () => {
    const cardNumber = numbered('422012341234123');
    expect((await apply(send, { cardNumber })).cardNumber).toBe(cardNumber);
    expect(await code('CardApplication', application({ cardNumber }))).toBe('02');
    expect(await code('CardApplication', application({ cardNumber: '4111111111111111' }))).toBe('02');
  });

  it('declines an unknown product, and a customer under another document', async () => {
    expect(await code('CardApplication', application({ cardProdCode: 'GOLD' }))).toBe('12');
    const { customerId } = await apply(send);
    expect(await code('CardApplication', application({ customerId }))).toBe('00');
    expect(await code('CardApplication', application({ customerId, custIdNo: 'Y' }))).toBe('05');
    expect(await code('CardApplication', application({ customerId, custIdType: 'D' }))).toBe('05');
  });
});

describe('CardActivation', () => {
  it.each<[Partial<Card> & { custIdNo?: string }, string]>([
    [{ expiryDate: '3012' }, '54'],
    [{ CVV2: '0000' }, '82'],
    [{ customerId: 'somebody' }, '05'],
    [{ custIdNo: 'Y' }, '05'],
    [{ cardToken: 'nobody' }, '04'],
  ])('with %j is declined, and the card stays inactive', async (wrong, expected) => {
    const { cardNumber: _, ...card } = await apply(send);
    expect(await code('CardActivation', { ...card, ...IDENTITY, ...wrong })).toBe(expected);
    expect(await statusOf(card.cardToken)).toBe('U');
  });

  it('comes too late for a card that is past its date', async () => {
    const { cardNumber: _, ...card } = await apply(send);
    const late = handClock('2030-02-01T00:00:00.000Z');
    clock.pass(late.wallMs() - clock.wallMs());
    expect(await code('CardActivation', { ...card, ...IDENTITY })).toBe('54');
    clock.pass(Date.parse('2026-01-05T10:00:00.000Z') - clock.wallMs());
    expect(await code('CardActivation', { ...card, ...IDENTITY })).toBe('00');
  });
});

describe('CardReplacement', () => {
  const replace = (cardToken: string, how: Record<string, string>) =>
    send('CardReplacement', { cardToken, reasonCode: '001', ...how });

  it.each([
    ['001', 'L'],
    ['002', 'P'],
    ['003', 'D'],
    ['005', 'X'],
  ])('by another number for reason %s leaves the old card %s for good', async (reasonCode, left) => {
    const { cardToken } = await issue(send);
    const next = await replace(cardToken, { replaceType: 'R', reasonCode });
    expect(next).toMatchObject({ responseCode: '00', expiryDate: '3001' });
    expect([await statusOf(cardToken), await statusOf(String(next.cardToken))]).toEqual([left, 'U']);
    expect(await code('Purchase', buy(cardToken))).toBe('03');
    expect((await replace(cardToken, { replaceType: 'R' })).responseCode).toBe('03');
    for (const cardOptFlag of ['B', 'C', 'D', 'E', 'H']) {
      expect(await code('CardStatusUpdate', { cardToken, cardOptFlag })).toBe('03');
    }
  });

  it('keeps the money, the history, and the limits; refunds and reversals of before go on', async () => {
    const old = await issue(send);
    const [bought, held] = [freshId(), freshId()];
    await send('Purchase', { cardToken: old.cardToken, ...dollars('100.00') }, bought);
    await send('BlockFund', { cardToken: old.cardToken, ...dollars('50.00') }, held);
    const recordList = [{ cardLimitType: 'PT', limitAmount: '5.00' }];
    await approved(send, 'CardLimitSetting', { cardToken: old.cardToken, recordList, overseaFlag: 'N' });
    const { cardToken = '', expiryDate = '' } = await approved(send, 'CardReplacement', {
      ...{ cardToken: old.cardToken, replaceType: 'R', reasonCode: '002' },
    });
    const { CVV2 = '' } = await approved(send, 'CardCVV2Inquiry', { cardToken });
    await approved(send, 'CardActivation', { cardToken, expiryDate, CVV2, customerId: old.customerId, ...IDENTITY });
    expect(await balanceOf(cardToken)).toBe('850.00');
    expect(await code('Purchase', { cardToken, ...dollars('5.01') })).toBe('61');
    expect(await code('Purchase', { ...buy(cardToken), merchantCountry: 'FRA' })).toBe('57');
    expect(await code('Refund', { cardToken, ...dollars('30.00'), originalTranId: bought })).toBe('00');
    expect(await code('Purchase', { cardToken, ...dollars('50.00'), originalTranId: held })).toBe('00');
    expect(await balanceOf(cardToken)).toBe('880.00');
    expect(await send('TransactionHistory', { cardToken })).toMatchObject({ recordNum: '4' });
    // The undo names the card as the original did.
    const late = freshId();
    await send('Purchase', buy(cardToken), late);
    expect(await code('Reversal', { ...buy(old.cardToken), originalTranId: late })).toBe('00');
    expect(await balanceOf(old.cardToken)).toBe('880.00');
    expect(await sandbox().ledger(cardToken)).toMatchObject({ availableBalance: '880.00', effectsTotal: 7 });
  });

  it('by a named number takes a free one of its own range', async () => {
    const card = await issue(send);
    const named = (newCardNumber: string) => replace(card.cardToken, { replaceType: 'N', newCardNumber });
    expect((await named('4111111111111111')).responseCode).toBe('02');
    expect((await named(card.cardNumber)).responseCode).toBe('02');
    expect(await named(numbered('422099998888777'))).toMatchObject({
      responseCode: '00',
    });
  });

  it('by the same number gives a new date and CVV2 to the same token', async () => {
    const card = await issue(send);
    await approved(send, 'CardExpiryDateUpdate', { cardToken: card.cardToken, expiryDate: '2606' });
    const next = await replace(card.cardToken, { replaceType: 'S' });
    expect(next).toMatchObject({ cardToken: card.cardToken, cardNumber: card.cardNumber, expiryDate: '3001' });
    expect(await statusOf(card.cardToken)).toBe('U');
  });

  it('of a virtual card by a physical one changes nothing else, and is done once', async () => {
    const { cardToken } = await issue(send);
    const plastic = { replaceType: 'P', deliveryAddress: '1 Road' };
    expect((await replace(cardToken, plastic)).responseCode).toBe('00');
    expect(await code('Purchase', buy(cardToken))).toBe('00');
    expect((await replace(cardToken, plastic)).responseCode).toBe('12');
  });

  it('declines a reason that is not in the list', async () => {
    const { cardToken } = await issue(send);
    expect((await replace(cardToken, { replaceType: 'R', reasonCode: 'abc' })).responseCode).toBe('12');
    expect(await statusOf(cardToken)).toBe('N');
  });
});

describe('CardExpiryDateUpdate', () => {
  it('changes the CVV2 with the date, and declines a date that is over', async () => {
    const { cardToken } = await issue(send);
    const cvv2 = async () => (await approved(send, 'CardCVV2Inquiry', { cardToken })).CVV2;
    const seen = new Set([await cvv2()]);
    // One date in a thousand has the CVV2 of another.
    for (const expiryDate of ['3101', '3102', '3103']) {
      await approved(send, 'CardExpiryDateUpdate', { cardToken, expiryDate });
      seen.add(await cvv2());
    }
    expect(seen.size).toBeGreaterThan(1);
    expect(await code('CardExpiryDateUpdate', { cardToken, expiryDate: '2512' })).toBe('54');
    expect(await code('CardExpiryDateUpdate', { cardToken, expiryDate: '2601' })).toBe('00');
    clock.pass(31 * 24 * 60 * 60 * 1_000);
    expect(await code('Purchase', buy(cardToken))).toBe('54');
    expect(await code('CardExpiryDateUpdate', { cardToken, expiryDate: '3101' })).toBe('00');
    expect(await code('Purchase', buy(cardToken))).toBe('00');
  });
});

describe('CardCancellation', () => {
  it('is final, leaves the money on the account, and asks for a reason of the list', async () => {
    const { cardToken, customerId } = await issue(send);
    const close = (reasonCode: string) => code('CardCancellation', { cardToken, reasonCode });
    expect([await close('9'), await close('001'), await close('001')]).toEqual(['12', '00', '03']);
    expect(await statusOf(cardToken)).toBe('X');
    expect(await send('CustomerAccountInfoInquiry', { customerId })).toMatchObject({
      recordList: [{ availableBalance: '1000.00', accountStatus: 'N' }],
    });
    expect(await code('CardCVV2Inquiry', { cardToken })).toBe('03');
  });
});

describe('the cards of another participant', () => {
  it('are not there, whatever is asked of them (I16)', async () => {
    const cardToken = 'stranger';
    const asked = [
      ['CardInfoInquiry', {}],
      ['CardCVV2Inquiry', {}],
      ['CardCancellation', { reasonCode: '001' }],
      ['CardReplacement', { replaceType: 'R', reasonCode: '001' }],
      ['GenerateDCVV', {}],
      ['SendOTP', { otpType: 'S' }],
      ['TokenInquiry', {}],
      ['CardStatusUpdate', { cardOptFlag: 'D' }],
    ] as const;
    for (const [api, own] of asked) expect([api, await code(api, { cardToken, ...own })]).toEqual([api, '04']);
  });
});
