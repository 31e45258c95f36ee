/**
 * What each API that moves money does to the demo issuer's ledger, seen over HTTP and checked in the ledger itself: the
 * plain cases, what is declined and why, and that nothing moves twice or beyond its cap.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fields, freshId, money, NUMBER, OTHER_NUMBER, type Sandbox, startSandbox } from './support.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const code = (api: string, fields?: Fields): Promise<string> => sandbox.code(api, fields);
const available = async (card = 'card'): Promise<string> => (await sandbox.ledger(card)).availableBalance;
const held = async (card = 'card'): Promise<string> => (await sandbox.ledger(card)).blockedAmount;

/** Does it, which must be approved, and gives its tranId. */
async function done(api: string, fields: Fields): Promise<string> {
  const tranId = fields.tranId ?? freshId();
  expect(await code(api, { ...fields, tranId })).toBe('00');
  return tranId;
}

describe('money in and out', () => {
  it.each([
    ['LoadFund', '1012.34'],
    ['CreditAdjustment', '1012.34'],
    ['Withdraw', '987.66'],
    ['Purchase', '987.66'],
    ['ServiceCharge', '987.66'],
    ['DebitAdjustment', '987.66'],
  ])('%s moves the balance once, and says the balances after it', async (api, after) => {
    const memo: Fields = api.endsWith('Adjustment') ? { memo: 'correction' } : {};
    const tranId = freshId();
    const { status, body } = await sandbox.call(api, { ...money('12.34'), ...memo, tranId });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      participantId: '100000',
      tranBranch: '000001',
      tranChnl: '08',
      tranDate: '20260105',
      tranTime: '101500',
      tranId,
      responseCode: '00',
      responseDesc: 'approved',
      tranAmount: '12.34',
      tranCurrency: '840',
      availableBalance: after,
      ledgerBalance: after,
      balanceCurrency: '840',
    });
    expect(body.authCode).toMatch(/^\d{6}$/);
    const ledger = await sandbox.ledger();
    expect(ledger.availableBalance).toBe(after);
    expect(ledger.effects.map(effect => effect.tranId)).toEqual([tranId]);
  });

  it('finds the card by its number too, and takes amounts in the decimals of the currency', async () => {
    expect(await code('Purchase', { cardNumber: NUMBER, ...money('1') })).toBe('00');
    expect(await available()).toBe('999.00');
    expect(await code('Purchase', { cardToken: 'yen', ...money('100', '392') })).toBe('00');
    expect(await available('yen')).toBe('99900');
    expect(await code('Purchase', { cardToken: 'dinar', ...money('1.500', '414') })).toBe('00');
    expect(await available('dinar')).toBe('98.500');
  });

  it('books billAmount where the transaction is in another currency, and undoes it by the transaction amount', async () => {
    const bill = { billAmount: '22.00', billCurrency: '840' };
    const tranId = await done('Purchase', { ...money('20.00', '978'), ...bill });
    expect(await available()).toBe('978.00');
    expect(await code('Reversal', { ...money('22.00'), originalTranId: tranId })).toBe('00');
    expect(await available()).toBe('1000.00');
    const hold = await done('BlockFund', { ...money('20.00', '978'), ...bill });
    expect(await held()).toBe('22.00');
    expect(await code('UnblockFund', { ...money('19.00', '978'), originalTranId: hold })).toBe('57');
    expect(await code('UnblockFund', { ...money('20.00', '978'), originalTranId: hold })).toBe('00');
    expect(await held()).toBe('0.00');
  });

  it('moves money between two cards, and tells the sender only its own balance', async () => {
    const { body } = await sandbox.call('TransferFund', { ...money('100.00'), toCardNumber: OTHER_NUMBER });
    expect(body).toMatchObject({ responseCode: '00', availableBalance: '900.00' });
    expect([await available(), await available('other')]).toEqual(['900.00', '1100.00']);
  });

  it.each<[string, Fields, string]>([
    ['an unknown token', { cardToken: 'nobody', ...money('1.00') }, '04'],
    ['an unknown number', { cardNumber: '4220000000000071', ...money('1.00') }, '02'],
    ["another participant's card (I16)", { cardToken: 'stranger', ...money('1.00') }, '04'],
    ['another currency', money('1.00', '978'), '57'],
    ['more than there is', money('1000.01'), '51'],
    ['more than anybody has', money('9999999999999999'), '51'],
    ['a card past its month', { cardToken: 'expired', ...money('1.00') }, '54'],
    ['a frozen card', { cardToken: 'frozen', ...money('1.00') }, '03'],
    ['a card that is not normal', { cardToken: 'lost', ...money('1.00') }, '03'],
    ['a wrong expiry date', { ...money('1.00'), expiryDate: '9911' }, '54'],
    ['a wrong CVV2', { ...money('1.00'), CVV2: '0000' }, '82'],
  ])('declines a Purchase with %s', async (_, fields, expected) => {
    const { status, body } = await sandbox.call('Purchase', fields);
    expect([status, body.responseCode]).toEqual([200, expected]);
    expect(body).not.toHaveProperty('availableBalance');
    expect(await available()).toBe('1000.00');
  });

  it.each<[string, Fields, string]>([
    ['to itself', { toCardToken: 'card' }, '12'],
    ['to an unknown token', { toCardToken: 'nobody' }, '04'],
    ['to an unknown number', { toCardNumber: '4220000000000071' }, '02'],
    ["to another participant's card", { toCardToken: 'stranger' }, '04'],
    ['to a card in another currency', { toCardToken: 'yen' }, '57'],
    ['to a frozen card', { toCardToken: 'frozen' }, '03'],
    ['of more than there is', { toCardToken: 'other', tranAmount: '1000.01' }, '51'],
  ])('declines a transfer %s', async (_, fields, expected) => {
    expect(await code('TransferFund', { ...money('1.00'), ...fields })).toBe(expected);
    expect(await available()).toBe('1000.00');
  });

  it('takes no credit beyond what a balance can be told in', async () => {
    expect(await code('LoadFund', money('1000000000000'))).toBe('61');
    expect(await code('LoadFund', money('999999999000'))).toBe('00');
    expect(await code('LoadFund', money('0.01'))).toBe('61');
  });

  it('lets the institution book on a frozen card what the cardholder could not', async () => {
    expect(await code('ServiceCharge', { cardToken: 'frozen', ...money('1.00') })).toBe('00');
    expect(await code('LoadFund', { cardToken: 'frozen', ...money('1.00') })).toBe('03');
  });

  it('approves a part where that is allowed and there is something', async () => {
    const asked = { ...money('1500.00'), partialAllowed: 'Y' };
    expect(await code('Purchase', { ...asked, partialAllowed: 'N' })).toBe('51');
    const { body } = await sandbox.call('Purchase', asked);
    expect(body).toMatchObject({ responseCode: '00', tranAmount: '1500.00', approvedAmount: '1000.00' });
    expect(await available()).toBe('0.00');
    expect(await code('Purchase', { ...asked, tranId: 'empty' })).toBe('51');
    const full = await sandbox.call('Purchase', { ...money('5.00'), partialAllowed: 'Y', cardToken: 'other' });
    expect(full.body).not.toHaveProperty('approvedAmount');
  });
});

describe('Reversal', () => {
  it.each<[string, Fields]>([
    ['Purchase', {}],
    ['Withdraw', {}],
    ['LoadFund', {}],
    ['TransferFund', { toCardToken: 'other' }],
  ])('undoes a %s in full, once, whoever asks how often (F36, I8)', async (api, fields) => {
    const originalTranId = await done(api, { ...money('70.00'), ...fields });
    const { body } = await sandbox.call('Reversal', { ...money('70'), originalTranId });
    expect(body).toMatchObject({ responseCode: '00', availableBalance: '1000.00' });
    const again = Array.from({ length: 10 }, () => code('Reversal', { ...money('70.00'), originalTranId }));
    expect(new Set(await Promise.all(again))).toEqual(new Set(['00']));
    expect([await available(), await available('other')]).toEqual(['1000.00', '1000.00']);
  });

  it('leaves the debt visible when loaded money was spent already', async () => {
    const load = await done('LoadFund', { ...money('500.00') });
    await done('Purchase', money('1400.00'));
    const { body } = await sandbox.call('Reversal', { ...money('500.00'), originalTranId: load });
    expect(body).toMatchObject({ responseCode: '00', availableBalance: '0.00' });
    expect(body).not.toHaveProperty('ledgerBalance');
    expect(await available()).toBe('-400.00');
    expect(await code('Purchase', { ...money('0.01'), partialAllowed: 'Y' })).toBe('51');
    expect((await sandbox.call('BalanceInquiry')).body).toMatchObject({ responseCode: '00', availableBalance: '0.00' });
  });

  it('answers 25 for an original that is not there, for ever under that tranId, and the late original counts (F34)', async () => {
    const early = { ...money('10.00'), originalTranId: 'late', tranId: 'early' };
    expect(await code('Reversal', early)).toBe('25');
    await done('Purchase', { ...money('10.00'), tranId: 'late' });
    expect(await code('Reversal', early)).toBe('25');
    expect(await available()).toBe('990.00');
    expect(await code('Reversal', { ...early, tranId: 'second' })).toBe('00');
    expect(await available()).toBe('1000.00');
  });

  it('approves without an effect when the original was declined, unknown card or not (F39)', async () => {
    expect(await code('Purchase', { ...money('9000.00'), tranId: 'poor' })).toBe('51');
    expect(await code('Reversal', { ...money('9000.00'), originalTranId: 'poor' })).toBe('00');
    const nobody = { ...money('1.00'), cardToken: 'nobody' };
    expect(await code('Purchase', { ...nobody, tranId: 'nocard' })).toBe('04');
    expect(await code('Reversal', { ...nobody, originalTranId: 'nocard' })).toBe('00');
    expect(await available()).toBe('1000.00');
  });

  it.each<[string, Fields, string]>([
    ['another amount (F38)', { tranAmount: '69.99' }, '13'],
    ['another currency', { tranCurrency: '978' }, '13'],
    ['another card', { cardToken: 'other' }, '04'],
    ['another card by its number', { cardNumber: OTHER_NUMBER }, '02'],
  ])('declines %s than the original', async (_, fields, expected) => {
    const originalTranId = await done('Purchase', money('70.00'));
    expect(await code('Reversal', { ...money('70.00'), originalTranId, ...fields })).toBe(expected);
    expect(await available()).toBe('930.00');
  });

  it('declines what is not reversible, a Reversal among it (F40), and what was refunded', async () => {
    const hold = await done('BlockFund', money('10.00'));
    const charge = await done('ServiceCharge', money('10.00'));
    const purchase = await done('Purchase', money('10.00'));
    const undo = await done('Reversal', { ...money('10.00'), originalTranId: purchase });
    for (const originalTranId of [hold, charge, undo]) {
      expect(await code('Reversal', { ...money('10.00'), originalTranId })).toBe('12');
    }
    const refunded = await done('Purchase', money('10.00'));
    await done('Refund', { ...money('4.00'), originalTranId: refunded });
    expect(await code('Reversal', { ...money('10.00'), originalTranId: refunded })).toBe('12');
  });

  it('takes back a partial approval by what was asked or by what was approved', async () => {
    for (const amount of ['1500.00', '1000.00']) {
      const originalTranId = await done('Purchase', { ...money('1500.00'), partialAllowed: 'Y' });
      expect(await code('Reversal', { ...money(amount), originalTranId })).toBe('00');
      expect(await available()).toBe('1000.00');
    }
  });
});

describe('Refund', () => {
  it('gives back no more, over all refunds, than was approved, however they race (F44)', async () => {
    const originalTranId = await done('Purchase', money('100.00'));
    const refunds = Array.from({ length: 10 }, () => code('Refund', { ...money('30.00'), originalTranId }));
    const codes = await Promise.all(refunds);
    expect(codes.filter(each => each === '00')).toHaveLength(3);
    expect(codes.filter(each => each === '61')).toHaveLength(7);
    expect(await code('Refund', { ...money('10.00'), originalTranId })).toBe('00');
    expect(await code('Refund', { ...money('0.01'), originalTranId })).toBe('61');
    expect(await available()).toBe('1000.00');
  });

  it('voids the whole, once', async () => {
    const originalTranId = await done('Purchase', money('100.00'));
    expect(await code('Refund', { ...money('99.00'), originalTranId, refundType: 'V' })).toBe('13');
    expect(await code('Refund', { ...money('100.00'), originalTranId, refundType: 'V' })).toBe('00');
    expect(await code('Refund', { ...money('100.00'), originalTranId, refundType: 'V' })).toBe('12');
    expect(await code('Refund', { ...money('1.00'), originalTranId })).toBe('61');
    expect(await available()).toBe('1000.00');
  });

  it('declines an original that was reversed, declined, not a payment, not there, or of another card', async () => {
    const reversed = await done('Purchase', money('10.00'));
    await done('Reversal', { ...money('10.00'), originalTranId: reversed });
    expect(await code('Purchase', { ...money('9000.00'), tranId: 'poor' })).toBe('51');
    const load = await done('LoadFund', money('10.00'));
    const good = await done('Purchase', money('10.00'));
    const refund = (originalTranId: string, more: Fields = {}) =>
      code('Refund', { ...money('10.00'), originalTranId, ...more });
    expect(await refund(reversed)).toBe('12');
    expect(await refund('poor')).toBe('12');
    expect(await refund(load)).toBe('12');
    expect(await refund('nothing')).toBe('25');
    expect(await refund(good, { cardToken: 'other' })).toBe('04');
    expect(await refund(good, { tranCurrency: '978' })).toBe('57');
    expect(await available()).toBe('1000.00');
  });

  it('caps the refunds of a partial approval at what was approved', async () => {
    const originalTranId = await done('Purchase', { ...money('1500.00'), partialAllowed: 'Y' });
    expect(await code('Refund', { ...money('1000.01'), originalTranId })).toBe('61');
    expect(await code('Refund', { ...money('1000.00'), originalTranId })).toBe('00');
  });
});

describe('Verification and BalanceInquiry', () => {
  it('verifies the card, its expiry date and its CVV2, and changes nothing', async () => {
    expect((await sandbox.call('Verification', { expiryDate: '9912', CVV2: sandbox.cvv2 })).body).toMatchObject({
      responseCode: '00',
      cardStatus: 'N',
    });
    expect(await code('Verification', { expiryDate: '9911', CVV2: sandbox.cvv2 })).toBe('54');
    expect(await code('Verification', { expiryDate: '9912', CVV2: '0000' })).toBe('82');
    expect(await code('Verification', { cardToken: 'expired' })).toBe('54');
    expect(await code('Verification', { cardToken: 'frozen' })).toBe('03');
    expect(await code('Verification', { cardToken: 'nobody' })).toBe('04');
    expect((await sandbox.ledger()).effectsTotal).toBe(0);
  });

  it('tells the balances and what is blocked, and tells them anew under the same tranId', async () => {
    await done('BlockFund', money('50.00'));
    const ask = { tranId: 'ask' };
    expect((await sandbox.call('BalanceInquiry', ask)).body).toMatchObject({
      responseCode: '00',
      availableBalance: '950.00',
      ledgerBalance: '1000.00',
      blockedAmount: '50.00',
      balanceCurrency: '840',
    });
    await done('Purchase', money('50.00'));
    expect((await sandbox.call('BalanceInquiry', ask)).body.availableBalance).toBe('900.00');
  });
});
