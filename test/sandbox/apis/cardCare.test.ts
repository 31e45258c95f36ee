/**
 * What is set on a card: its statuses, its limits by amount and by count, where it may be used, and the two lists.
 */
import { describe, expect, it } from 'vitest';
import type { WireFields } from '../../../src/domain/message.ts';
import type { ApiName } from '../../support/apiPaths.ts';
import { freshId } from '../support.ts';
import { apply, approved, dollars, handClock, issue, openStage } from './issuing.ts';

const clock = handClock();
const { send, code } = openStage(clock);
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Response codes of the calls, in their order. */
async function codes(calls: readonly (readonly [ApiName, WireFields])[]): Promise<string[]> {
  const all: string[] = [];
  for (const [api, fields] of calls) all.push(await code(api, fields));
  return all;
}

describe('CardStatusUpdate', () => {
  it.each<[string, string, string]>([
    ['B', 'O', 'N'],
    ['BB', 'O', 'N'],
    ['BC', 'N', 'N'],
    ['C', 'N', 'N'],
    ['D', 'N', 'B'],
    ['DB', 'O', 'B'],
    ['DE', 'N', 'N'],
    ['BDC', 'N', 'B'],
    ['GH', 'N', 'N'],
  ])('%s makes an active card %s and %s, and only a card that is both normal pays', async (flags, status, block) => {
    const { cardToken } = await issue(send);
    for (const cardOptFlag of flags) {
      expect(await code('CardStatusUpdate', { cardToken, cardOptFlag })).toBe('00');
    }
    const info = await send('CardInfoInquiry', { cardToken });
    expect([info.cardStatus, info.blockStatus]).toEqual([status, block]);
    const pays = status === 'N' && block === 'N' ? '00' : '03';
    const paying = { cardToken, ...dollars('1.00') };
    const two = await codes([
      ['Purchase', paying],
      ['Verification', { cardToken }],
    ]);
    expect(two).toEqual([pays, pays]);
  });

  it('does not block or unblock a card that is not active, but freezes it', async () => {
    const { cardToken } = await apply(send);
    const set = (cardOptFlag: string) => code('CardStatusUpdate', { cardToken, cardOptFlag });
    expect([await set('B'), await set('C'), await set('D')]).toEqual(['03', '03', '00']);
    expect(await send('CardInfoInquiry', { cardToken })).toMatchObject({ cardStatus: 'U', blockStatus: 'B' });
  });
});

/** The APIs that a limit of each kind counts. */
const SPENDING: readonly [string, ApiName][] = [
  ['P', 'Purchase'],
  ['P', 'BlockFund'],
  ['W', 'Withdraw'],
  ['T', 'TransferFund'],
];

describe('CardLimitSetting', () => {
  const limit = (cardToken: string, ...recordList: Record<string, string>[]) =>
    code('CardLimitSetting', { cardToken, recordList });
  const spend = (api: ApiName, cardToken: string, amount: string) =>
    code(api, { cardToken, ...dollars(amount), ...(api === 'TransferFund' && { toCardToken: 'card' }) });

  it.each(SPENDING)('%s limits hold %s to the amount of one, and no other', async (kind, api) => {
    const { cardToken } = await issue(send);
    expect(await limit(cardToken, { cardLimitType: `${kind}T`, limitAmount: '10.00' })).toBe('00');
    expect([await spend(api, cardToken, '10.01'), await spend(api, cardToken, '10.00')]).toEqual(['61', '00']);
    for (const [otherKind, other] of SPENDING) {
      if (otherKind !== kind) expect([other, await spend(other, cardToken, '11.00')]).toEqual([other, '00']);
    }
  });

  it.each<[string, number]>([
    ['D', DAY_MS],
    ['M', 31 * DAY_MS],
  ])('%s limits add up over their time and then begin anew', async (period, later) => {
    const { cardToken } = await issue(send);
    await limit(cardToken, { cardLimitType: `P${period}`, limitAmount: '20.00', limitCount: '3' });
    const buy = (amount: string) => spend('Purchase', cardToken, amount);
    expect([await buy('15.00'), await buy('5.01'), await buy('4.00')]).toEqual(['00', '61', '00']);
    expect([await buy('1.00'), await buy('0.01')]).toEqual(['00', '61']);
    clock.pass(later);
    expect(await buy('20.00')).toBe('00');
    expect(await buy('0.01')).toBe('61');
  });

  it('counts attempts that were approved and stand, and says 65 where they are too many', async () => {
    const { cardToken } = await issue(send);
    await limit(cardToken, { cardLimitType: 'PD', limitCount: '2' });
    const [first, held] = [freshId(), freshId()];
    const paying = { cardToken, ...dollars('1.00') };
    await send('Purchase', paying, first);
    await send('BlockFund', paying, held);
    expect(await code('Purchase', paying)).toBe('65');
    expect(await code('Purchase', { ...paying, originalTranId: held })).toBe('00');
    expect(await code('Purchase', paying)).toBe('65');
    await approved(send, 'Reversal', { ...paying, originalTranId: first });
    expect([await code('Purchase', paying), await code('Purchase', paying)]).toEqual(['00', '65']);
    const freed = freshId();
    await limit(cardToken, { cardLimitType: 'PD', limitCount: '3' });
    await send('BlockFund', paying, freed);
    await approved(send, 'UnblockFund', { cardToken, originalTranId: freed });
    expect(await code('Purchase', paying)).toBe('00');
  });

  it('holds a partial approval to what is approved', async () => {
    const { cardToken } = await issue(send);
    await limit(cardToken, { cardLimitType: 'PT', limitAmount: '1000.00' });
    const asked = { cardToken, ...dollars('1200.00'), partialAllowed: 'Y' };
    expect(await send('Purchase', asked)).toMatchObject({ responseCode: '00', approvedAmount: '1000.00' });
  });

  it('changes the limits that are named, takes one off by a record without values, and does not bind the institution', async () => {
    const { cardToken } = await issue(send);
    await limit(cardToken, { cardLimitType: 'PT', limitAmount: '1.00' }, { cardLimitType: 'WT', limitAmount: '1.00' });
    await limit(cardToken, { cardLimitType: 'PT' });
    expect(await spend('Purchase', cardToken, '2.00')).toBe('00');
    expect(await spend('Withdraw', cardToken, '2.00')).toBe('61');
    const charge = await codes([
      ['ServiceCharge', { cardToken, ...dollars('2.00') }],
      ['DebitAdjustment', { cardToken, ...dollars('2.00'), memo: 'test' }],
    ]);
    expect(charge).toEqual(['00', '00']);
  });

  it('declines an unknown limit, and more decimals than the currency of the card has; nothing is set then', async () => {
    expect(await limit('yen', { cardLimitType: 'PT', limitAmount: '1.5' })).toBe('13');
    const known = { cardLimitType: 'PT', limitAmount: '1' };
    expect(await limit('yen', known, { cardLimitType: 'ZZ', limitAmount: '1' })).toBe('12');
    expect(await code('Purchase', { cardToken: 'yen', tranAmount: '5', tranCurrency: '392' })).toBe('00');
    expect(await limit('yen', known)).toBe('00');
    expect(await code('Purchase', { cardToken: 'yen', tranAmount: '5', tranCurrency: '392' })).toBe('61');
  });

  it.each<[string, Record<string, string>]>([
    ['domesticFlag', {}],
    ['domesticFlag', { merchantCountry: 'USA' }],
    ['overseaFlag', { merchantCountry: 'FRA' }],
    ['ecommerceFlag', { msgChannel: 'ECOM' }],
    ['posFlag', { msgChannel: 'POS' }],
  ])('%s closes and opens %j', async (flag, where) => {
    const { cardToken } = await issue(send);
    const paying = { cardToken, ...dollars('1.00'), ...where };
    const tries: [ApiName, WireFields][] = [
      ['Purchase', paying],
      ['Withdraw', paying],
      ['BlockFund', paying],
      ['Verification', { cardToken, ...where }],
    ];
    await approved(send, 'CardLimitSetting', { cardToken, [flag]: 'N' });
    expect(await codes(tries)).toEqual(['57', '57', '57', '57']);
    expect(await code('LoadFund', { cardToken, ...dollars('1.00') })).toBe('00');
    await approved(send, 'CardLimitSetting', { cardToken, [flag]: 'Y' });
    expect(await codes(tries)).toEqual(['00', '00', '00', '00']);
  });
});

describe('BlacklistUpdate', () => {
  it('keeps a blacklisted card from paying, and a whitelisted one from its limits', async () => {
    const { cardToken, cardNumber } = await issue(send);
    const paying = { cardToken, ...dollars('2.00') };
    const list = (listFlag: string, linkFlag: string) =>
      approved(send, 'BlacklistUpdate', { cardNumber, listFlag, linkFlag });
    await list('B', 'L');
    expect(await code('Purchase', paying)).toBe('05');
    expect(await code('TransferFund', { cardToken: 'card', ...dollars('1.00'), toCardToken: cardToken })).toBe('05');
    await list('B', 'U');
    const recordList = [{ cardLimitType: 'PT', limitAmount: '1.00' }];
    await approved(send, 'CardLimitSetting', { cardToken, recordList });
    expect(await code('Purchase', paying)).toBe('61');
    await list('W', 'L');
    expect(await code('Purchase', paying)).toBe('00');
    await list('W', 'U');
    expect(await code('Purchase', paying)).toBe('61');
  });
});
