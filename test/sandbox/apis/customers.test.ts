/**
 * Customers and accounts: what is told of them, what may be changed, and which account a card draws on.
 */
import { describe, expect, it } from 'vitest';
import { freshId } from '../support.ts';
import { apply, approved, dollars, issue, openStage } from './issuing.ts';

const { sandbox, send, code } = openStage();

async function records(api: 'CustomerCardInfoInquiry' | 'CustomerAccountInfoInquiry', customerId: string) {
  const { recordNum, recordList } = await send(api, { customerId });
  const list: Record<string, string>[] = Array.isArray(recordList) ? recordList : [];
  expect(recordNum).toBe(String(list.length));
  return list;
}
const accountOf = async (customerId: string): Promise<string> =>
  (await records('CustomerAccountInfoInquiry', customerId))[0]?.accountNo ?? '';
const balanceOf = async (cardToken: string): Promise<unknown> =>
  (await send('BalanceInquiry', { cardToken })).availableBalance;
const link = (cardToken: string, accountNo: string, linkFlag: string, more = {}) =>
  code('AccountLinkage', { cardToken, accountNo, linkFlag, ...more });

describe('a customer', () => {
  it('has the cards and accounts that were applied for, the newest first', async () => {
    const one = await issue(send);
    const two = await apply(send, { customerId: one.customerId });
    const cards = await records('CustomerCardInfoInquiry', one.customerId);
    expect(cards.map(({ cardToken, cardStatus }) => [cardToken, cardStatus])).toEqual([
      [two.cardToken, 'U'],
      [one.cardToken, 'N'],
    ]);
    const accounts = await records('CustomerAccountInfoInquiry', one.customerId);
    expect(accounts.map(({ availableBalance }) => availableBalance)).toEqual(['0.00', '1000.00']);
  });

  it('is told more of, and is not known to another participant', async () => {
    const { customerId } = await apply(send);
    expect(await send('CustomerInfoUpdate', { customerId, custEmail: 'new@example.com' })).toMatchObject({
      customerId,
    });
    for (const api of ['CustomerCardInfoInquiry', 'CustomerAccountInfoInquiry'] as const) {
      expect(await code(api, { customerId: 'nobody' })).toBe('12');
      const theirs = await sandbox().call(api, { customerId, participantId: '200000' }, { noCard: true });
      expect(theirs.body.responseCode).toBe('12');
    }
    expect(await code('CustomerInfoUpdate', { customerId: 'nobody', custName: 'A' })).toBe('12');
  });
});

describe('AccountStatusUpdate', () => {
  it('blocks what its cards pay and receive, and opens it again', async () => {
    const { cardToken, customerId } = await issue(send);
    const accountNo = await accountOf(customerId);
    const set = (acctOptFlag: string) => send('AccountStatusUpdate', { accountNo, acctOptFlag });
    expect(await set('B')).toMatchObject({ accountNo, accountStatus: 'B' });
    const paying = { cardToken, ...dollars('1.00') };
    for (const api of ['Purchase', 'Withdraw', 'BlockFund', 'LoadFund'] as const) {
      expect([api, await code(api, paying)]).toEqual([api, '57']);
    }
    expect(await code('TransferFund', { cardToken: 'card', ...dollars('1.00'), toCardToken: cardToken })).toBe('57');
    expect(await code('ServiceCharge', paying)).toBe('00');
    expect(await set('C')).toMatchObject({ accountStatus: 'N' });
    expect(await code('Purchase', paying)).toBe('00');
  });

  it('closes an empty account for good', async () => {
    const { cardToken, customerId } = await issue(send);
    const accountNo = await accountOf(customerId);
    const set = (acctOptFlag: string) => code('AccountStatusUpdate', { accountNo, acctOptFlag });
    expect(await set('X')).toBe('12');
    await approved(send, 'Withdraw', { cardToken, ...dollars('1000.00') });
    expect([await set('X'), await set('X'), await set('C')]).toEqual(['00', '00', '12']);
    expect(await link(cardToken, accountNo, 'L')).toBe('57');
    expect(await code('AccountStatusUpdate', { accountNo: 'none', acctOptFlag: 'B' })).toBe('12');
  });
});

describe('AccountLinkage', () => {
  it('makes a card draw on another account, while what it held and paid before stays where it was', async () => {
    const one = await issue(send);
    const two = await apply(send, { customerId: one.customerId });
    const [second = '', first = ''] = (await records('CustomerAccountInfoInquiry', one.customerId)).map(
      ({ accountNo }) => accountNo ?? '',
    );
    const { cardToken } = one;
    const [bought, held] = [freshId(), freshId()];
    await send('Purchase', { cardToken, ...dollars('100.00') }, bought);
    await send('BlockFund', { cardToken, ...dollars('50.00') }, held);
    expect(await link(cardToken, second, 'L')).toBe('00');
    expect(await balanceOf(cardToken)).toBe('0.00');
    expect(await code('Purchase', { cardToken, ...dollars('1.00') })).toBe('51');
    await approved(send, 'LoadFund', { cardToken, ...dollars('5.00') });
    expect(await code('BlockFund', { cardToken, ...dollars('1.00'), originalTranId: held })).toBe('12');
    expect(await code('Purchase', { cardToken, ...dollars('20.00'), originalTranId: held })).toBe('00');
    expect(await code('Reversal', { cardToken, ...dollars('100.00'), originalTranId: bought })).toBe('00');
    expect(await balanceOf(cardToken)).toBe('5.00');
    // The other card has been drawing on that account from its first day.
    expect(await balanceOf(two.cardToken)).toBe('5.00');
    expect(await code('TransferFund', { cardToken, ...dollars('1.00'), toCardToken: two.cardToken })).toBe('03');
    expect(await link(cardToken, first, 'L')).toBe('00');
    expect(await balanceOf(cardToken)).toBe('980.00');
    expect(await sandbox().ledger(cardToken)).toMatchObject({ availableBalance: '980.00', blockedAmount: '0.00' });
  });

  it('ends with U, and a card without an account neither pays nor tells a balance', async () => {
    const { cardToken, customerId } = await issue(send);
    const accountNo = await accountOf(customerId);
    expect([await link(cardToken, accountNo, 'U'), await link(cardToken, accountNo, 'U')]).toEqual(['00', '12']);
    for (const api of ['Purchase', 'LoadFund', 'ServiceCharge', 'BlockFund'] as const) {
      expect([api, await code(api, { cardToken, ...dollars('1.00') })]).toEqual([api, '57']);
    }
    expect(await code('BalanceInquiry', { cardToken })).toBe('57');
    expect(await sandbox().ledger(cardToken)).toMatchObject({ availableBalance: '0.00', effectsTotal: 1 });
  });

  it('declines an account of another customer, currency or type, and one that is not there', async () => {
    const { cardToken, customerId } = await issue(send);
    const other = await issue(send);
    await apply(send, { customerId, cardProdCode: 'PREPAID02' });
    const [yen = ''] = (await records('CustomerAccountInfoInquiry', customerId)).map(
      ({ accountNo }) => accountNo ?? '',
    );
    expect(await link(cardToken, await accountOf(other.customerId), 'L')).toBe('57');
    expect(await link(cardToken, yen, 'L')).toBe('57');
    expect(await link(cardToken, 'none', 'L')).toBe('12');
    const own = await accountOf(other.customerId);
    expect(await link(other.cardToken, own, 'L', { accountType: '99' })).toBe('12');
    expect(await link(other.cardToken, own, 'L', { accountType: '10' })).toBe('00');
  });

  it('does not let a transfer go from an account to itself', async () => {
    const one = await issue(send);
    const two = await issue(send, { customerId: one.customerId });
    const accountNo = (await sandbox().ledger(two.cardToken)) as unknown as { accountNo: string };
    await link(one.cardToken, accountNo.accountNo, 'L');
    const transfer = { cardToken: one.cardToken, ...dollars('1.00'), toCardToken: two.cardToken };
    expect(await code('TransferFund', transfer)).toBe('12');
  });
});
