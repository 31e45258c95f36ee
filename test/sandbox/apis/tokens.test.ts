/**
 * Network tokens: asked for with the card in hand, moved between their states by the rules, given keys, and ended with
 * their card.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshId } from '../support.ts';
import { approved, type Card, handClock, issue, openStage } from './issuing.ts';

const clock = handClock();
const { sandbox, send, code } = openStage(clock);
const HOUR_MS = 60 * 60 * 1_000;

const asked = ({ cardToken, expiryDate, CVV2 }: Card, more = {}) => ({
  ...{
    cardToken,
    expiryDate,
    CVV2,
    useCaseIndicator: ['HCE', 'QRC'],
    cvm: ['cvn2'],
    deviceId: 'phone',
    appUserId: 'alex',
  },
  ...more,
});

async function withToken(): Promise<Card & { tokenId: string }> {
  const card = await issue(send);
  const { tokenId = '' } = await approved(send, 'TokenRequest', asked(card));
  return { ...card, tokenId };
}

const move = (tokenId: string, cardTokenState: string) => code('TokenStateUpdate', { tokenId, cardTokenState });

describe('TokenRequest', () => {
  it('makes an active token, good as long as its card, with something for the device only where it emulates a card', async () => {
    const card = await issue(send);
    const hce = await send('TokenRequest', asked(card));
    expect(hce).toMatchObject({ cardTokenState: 'ACTIVE', cardTokenExpiryDate: '20300131235959' });
    expect(hce.hceCardInfo).toMatch(/^[\w-]{43}$/);
    const { cardToken, expiryDate, CVV2 } = card;
    const onFile = { cardToken, expiryDate, CVV2, useCaseIndicator: ['COF'], cvm: ['cvn2'] };
    expect(await send('TokenRequest', onFile)).not.toHaveProperty('hceCardInfo');
    const { recordList } = await send('TokenInquiry', { cardNumber: card.cardNumber });
    const cardMaskNumber = `${card.cardNumber.slice(0, 6)}******${card.cardNumber.slice(-4)}`;
    expect(recordList).toMatchObject([
      { cardMaskNumber, cardToken, deviceId: 'none', appUserId: card.customerId },
      { cardMaskNumber, cardToken, deviceId: 'phone', appUserId: 'alex' },
    ]);
  });

  it('asked again under its tranId tells the same token and makes no second one (I1)', async () => {
    const card = await issue(send);
    const tranId = freshId();
    const first = await send('TokenRequest', asked(card), tranId);
    expect(await send('TokenRequest', asked(card), tranId)).toEqual(first);
    expect(await send('TokenInquiry', { cardToken: card.cardToken })).toMatchObject({ recordNum: '1' });
  });

  it('declines a wrong date, a wrong CVV2, a card that may not pay, and too many', async () => {
    const card = await issue(send);
    expect(await code('TokenRequest', asked(card, { expiryDate: '3012' }))).toBe('54');
    expect(await code('TokenRequest', asked(card, { CVV2: '0000' }))).toBe('82');
    for (let made = 0; made < 50; made++) await send('TokenRequest', asked(card));
    expect(await code('TokenRequest', asked(card))).toBe('65');
    await approved(send, 'CardStatusUpdate', { cardToken: card.cardToken, cardOptFlag: 'B' });
    expect(await code('TokenRequest', asked(card))).toBe('03');
  });
});

describe('the state of a token', () => {
  const STATES = ['ACTIVE', 'SUSPENDED', 'DELETED'] as const;

  it('goes to and fro between active and suspended, and is never anything again once deleted', async () => {
    const { tokenId, cardToken } = await withToken();
    let state = 'ACTIVE';
    const steps = fc.sample(fc.constantFrom('ACTIVE', 'SUSPENDED', 'ACTIVE', 'SUSPENDED'), 20);
    for (const next of [...steps, ...STATES, ...STATES]) {
      const legal = state !== 'DELETED' || next === 'DELETED';
      expect([state, next, await move(tokenId, next)]).toEqual([state, next, legal ? '00' : '12']);
      if (legal) state = next;
      const { recordList } = await send('TokenInquiry', { cardToken });
      expect(recordList).toMatchObject([{ cardTokenState: state }]);
    }
  });

  it('is told by a notification too, with the device that it is on', async () => {
    const { tokenId, cardToken } = await withToken();
    const told = { tokenId, cardTokenState: 'SUSPENDED', deviceId: 'new phone', appUserId: 'sam' };
    const answer = await approved(send, 'TokenStateNotification', told);
    expect(answer).not.toHaveProperty('tokenId');
    expect(await send('TokenInquiry', { cardToken })).toMatchObject({
      recordList: [{ cardTokenState: 'SUSPENDED', deviceId: 'new phone', appUserId: 'sam' }],
    });
    await move(tokenId, 'DELETED');
    expect(await code('TokenStateNotification', told)).toBe('12');
  });

  it('is nobody’s who does not have the token', async () => {
    const { tokenId } = await withToken();
    expect(await move('unknown', 'ACTIVE')).toBe('04');
    const theirs = { tokenId, cardTokenState: 'DELETED', participantId: '200000' };
    expect((await sandbox().call('TokenStateUpdate', theirs, { noCard: true })).body.responseCode).toBe('04');
    expect(await move(tokenId, 'SUSPENDED')).toBe('00');
  });

  it('is deleted when its card is closed', async () => {
    const { tokenId, cardToken } = await withToken();
    await approved(send, 'CardCancellation', { cardToken, reasonCode: '001' });
    expect(await send('TokenInquiry', { cardToken })).toMatchObject({ recordList: [{ cardTokenState: 'DELETED' }] });
    expect(await move(tokenId, 'ACTIVE')).toBe('12');
  });
});

describe('ReplenishTokenLUK', () => {
  const replenish = (tokenId: string, tranId?: string) => send('ReplenishTokenLUK', { tokenId }, tranId);

  it('gives another key for each tranId, and under one the same while it is good, then a fresh one', async () => {
    const { tokenId } = await withToken();
    const tranId = freshId();
    const first = await replenish(tokenId, tranId);
    expect(first).toMatchObject({
      tokenId,
      validTime: String(24 * HOUR_MS),
      lukInfo: expect.stringMatching(/^[\w-]{43}$/),
    });
    clock.pass(HOUR_MS);
    expect(await replenish(tokenId, tranId)).toEqual({ ...first, validTime: String(23 * HOUR_MS) });
    const second = await replenish(tokenId);
    expect(second.lukInfo).not.toBe(first.lukInfo);
    expect((await replenish(tokenId, tranId)).lukInfo).toBe(second.lukInfo);
    clock.pass(24 * HOUR_MS);
    const third = await replenish(tokenId, tranId);
    expect([third.responseCode, third.validTime]).toEqual(['00', String(24 * HOUR_MS)]);
    expect(third.lukInfo).not.toBe(second.lukInfo);
  });

  it('declines a token that is not active, another device, and a card that may not pay', async () => {
    const { tokenId, cardToken } = await withToken();
    expect(await code('ReplenishTokenLUK', { tokenId, deviceId: 'phone' })).toBe('00');
    expect(await code('ReplenishTokenLUK', { tokenId, deviceId: 'other' })).toBe('10');
    expect(await code('ReplenishTokenLUK', { tokenId: 'unknown' })).toBe('04');
    await approved(send, 'CardStatusUpdate', { cardToken, cardOptFlag: 'D' });
    expect(await code('ReplenishTokenLUK', { tokenId })).toBe('03');
    await approved(send, 'CardStatusUpdate', { cardToken, cardOptFlag: 'E' });
    await move(tokenId, 'SUSPENDED');
    expect(await code('ReplenishTokenLUK', { tokenId })).toBe('12');
  });
});

describe('TokenMetadataUpdate', () => {
  it('takes the token over to the card’s new date', async () => {
    const { tokenId, cardToken } = await withToken();
    await approved(send, 'CardExpiryDateUpdate', { cardToken, expiryDate: '3106' });
    expect(await code('TokenMetadataUpdate', { tokenId, expiryDate: '3001' })).toBe('54');
    const told = await send('TokenMetadataUpdate', { tokenId, expiryDate: '3106' });
    expect(told).toMatchObject({ tokenId, cardTokenExpiryDate: '20310630235959' });
    const own = { tokenId, expiryDate: '3106', cardTokenExpiryDate: '20260301000000' };
    expect(await send('TokenMetadataUpdate', own)).toMatchObject({ cardTokenExpiryDate: '20260301000000' });
    const past = { ...own, cardTokenExpiryDate: '20250101000000' };
    expect(await code('TokenMetadataUpdate', past)).toBe('54');
    clock.pass(60 * 24 * HOUR_MS);
    expect(await code('ReplenishTokenLUK', { tokenId })).toBe('54');
    clock.pass(-60 * 24 * HOUR_MS);
  });

  it('takes it to no card of another line, and does nothing for a deleted token', async () => {
    const { tokenId, cardToken, expiryDate } = await withToken();
    const other = await issue(send);
    expect(await code('TokenMetadataUpdate', { tokenId, expiryDate, cardToken: other.cardToken })).toBe('04');
    expect(await code('TokenMetadataUpdate', { tokenId, expiryDate, cardToken })).toBe('00');
    await move(tokenId, 'DELETED');
    expect(await code('TokenMetadataUpdate', { tokenId, expiryDate, cardToken })).toBe('12');
  });
});
