/**
 * Security codes: the CVV2, and the dynamic one with its time, which is told again under its `tranId` as it is good now.
 */
import { describe, expect, it } from 'vitest';
import { freshId } from '../support.ts';
import { apply, approved, dollars, handClock, issue, openStage } from './issuing.ts';

const clock = handClock();
const { send, code } = openStage(clock);
const MINUTE_MS = 60_000;

describe('CardCVV2Verify', () => {
  it('approves the CVV2 that CardCVV2Inquiry tells, and declines another with 82', async () => {
    const { cardToken, CVV2, expiryDate } = await issue(send);
    expect(await send('CardCVV2Inquiry', { cardToken })).toMatchObject({ CVV2, expiryDate });
    expect(await code('CardCVV2Verify', { cardToken, CVV2, expiryDate })).toBe('00');
    expect(await code('CardCVV2Verify', { cardToken, CVV2: '0000' })).toBe('82');
    expect(await code('CardCVV2Verify', { cardToken, CVV2, expiryDate: '2912' })).toBe('54');
  });

  it('declines a card that may not pay', async () => {
    const { cardToken, CVV2 } = await apply(send);
    expect(await code('CardCVV2Verify', { cardToken, CVV2 })).toBe('03');
    expect(await code('CardCVV2Inquiry', { cardToken })).toBe('00');
  });
});

describe('GenerateDCVV', () => {
  const generate = (cardToken: string, tranId?: string) => send('GenerateDCVV', { cardToken }, tranId);

  it('makes a code that pays for five minutes, beside the CVV2', async () => {
    const { cardToken, CVV2 } = await issue(send);
    const { DCVV, validTime } = await generate(cardToken);
    expect([DCVV, validTime]).toEqual([expect.stringMatching(/^\d{3}$/), String(5 * MINUTE_MS)]);
    const paying = { cardToken, ...dollars('1.00') };
    clock.pass(5 * MINUTE_MS - 1);
    expect(await code('Purchase', { ...paying, CVV2: String(DCVV) })).toBe('00');
    expect(await code('Purchase', { ...paying, CVV2 })).toBe('00');
    clock.pass(1);
    // One dynamic code in a thousand is the CVV2.
    expect(await code('Purchase', { ...paying, CVV2: String(DCVV) })).toBe(DCVV === CVV2 ? '00' : '82');
  });

  it('asked again under its tranId tells the same code with the time that is left, and a fresh one when that is over', async () => {
    const { cardToken } = await issue(send);
    const tranId = freshId();
    const first = await generate(cardToken, tranId);
    clock.pass(MINUTE_MS);
    expect(await generate(cardToken, tranId)).toEqual({ ...first, validTime: String(4 * MINUTE_MS) });
    clock.pass(4 * MINUTE_MS);
    const fresh = await generate(cardToken, tranId);
    expect(fresh).toMatchObject({ responseCode: '00', validTime: String(5 * MINUTE_MS) });
    expect(await code('CardCVV2Verify', { cardToken, CVV2: String(fresh.DCVV) })).toBe('00');
  });

  it('under another tranId ends the one before', async () => {
    const { cardToken } = await issue(send);
    const all = new Set<unknown>();
    let last: unknown;
    for (let made = 0; made < 5; made++) {
      last = (await generate(cardToken)).DCVV;
      all.add(last);
    }
    expect(all.size).toBeGreaterThan(1);
    expect(await code('CardCVV2Verify', { cardToken, CVV2: String(last) })).toBe('00');
  });

  it('stays declined under its tranId, and an approved one is no more when the card is closed', async () => {
    const { cardToken } = await issue(send);
    const [approvedId, declinedId] = [freshId(), freshId()];
    await generate(cardToken, approvedId);
    await approved(send, 'CardStatusUpdate', { cardToken, cardOptFlag: 'D' });
    expect((await generate(cardToken, declinedId)).responseCode).toBe('03');
    expect(await generate(cardToken, approvedId)).toMatchObject({ responseCode: '03' });
    await approved(send, 'CardStatusUpdate', { cardToken, cardOptFlag: 'E' });
    expect((await generate(cardToken, declinedId)).responseCode).toBe('03');
    expect((await generate(cardToken, approvedId)).responseCode).toBe('00');
  });

  it('is over when the card gets another date', async () => {
    const { cardToken } = await issue(send);
    const { DCVV } = await generate(cardToken);
    await approved(send, 'CardExpiryDateUpdate', { cardToken, expiryDate: '3105' });
    const { CVV2 } = await send('CardCVV2Inquiry', { cardToken });
    expect(await code('CardCVV2Verify', { cardToken, CVV2: String(DCVV) })).toBe(DCVV === CVV2 ? '00' : '82');
  });
});
