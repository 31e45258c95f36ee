/**
 * PINs: the two forms of a block, the counting of wrong ones over every call that carries a PIN, locking, and that nothing
 * of a PIN is kept but a hash.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pinOf } from '../../../src/sandbox/pin.ts';
import { freshId } from '../support.ts';
import { apply, approved, type Card, dollars, issue, openStage, pinBlock } from './issuing.ts';

const { sandbox, send, code } = openStage();

/** A PIN block of ISO 9564-1 format 0, made digit by digit. */
function boundBlock(pin: string, number: string): string {
  const plain = `0${pin.length.toString(16)}${pin}`.padEnd(16, 'F');
  const account = `0000${number.slice(-13, -1)}`;
  return [...plain].map((digit, at) => (Number.parseInt(digit, 16) ^ Number(account[at])).toString(16)).join('');
}

async function withPin(pin = '1234'): Promise<Card> {
  const card = await issue(send);
  await approved(send, 'PINReset', { cardToken: card.cardToken, newPinBlock: pinBlock(pin) });
  return card;
}

const verify = (cardToken: string, pin: string) => code('PINVerify', { cardToken, pinBlock: pinBlock(pin) });

describe('a PIN block', () => {
  it('of format 0 is the published example of ISO 9564-1', () => {
    expect(pinOf('0412AC89ABCDEF67', '43219876543210987')).toBe('1234');
  });

  it('gives its PIN back, bound to a card number or to none', () => {
    const digits = (min: number, max: number) =>
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map(all => all.join(''));
    fc.assert(
      fc.property(digits(4, 12), digits(13, 19), (pin, number) => {
        expect(pinOf(boundBlock(pin, number), number)).toBe(pin);
        expect(pinOf(pinBlock(pin).toLowerCase(), number)).toBe(pin);
      }),
    );
  });

  it.each([
    ['a length of 3', '23123FFFFFFFFFFF'],
    ['a length of 13', '2D1234567890123F'],
    ['a length that is not that of the digits', '251234FFFFFFFFFF'],
    ['letters in the PIN', '2412A4FFFFFFFFFF'],
    ['another filler', '241234FFFFFFFFF0'],
    ['format 1', '141234FFFFFFFFFF'],
    ['format 3', '341234FFFFFFFFFF'],
    ['15 digits', '241234FFFFFFFFF'],
    ['17 digits', '241234FFFFFFFFFFF'],
    ['format 4, which is 32 digits', '4'.padEnd(32, 'A')],
    ['another card’s number in it', boundBlock('1234', '4220000099999990')],
  ])('with %s is 24, and costs no try', async (_, block) => {
    const { cardToken } = await withPin();
    for (let tries = 0; tries < 4; tries++) {
      expect(await code('PINVerify', { cardToken, pinBlock: block })).toBe('24');
    }
    const change = { cardToken, pinBlock: pinBlock('9999'), newPinBlock: block };
    expect(await code('PINChange', change)).toBe('24');
    expect(await code('PINReset', { cardToken, newPinBlock: block })).toBe('24');
    for (const pin of ['0000', '0000', '1234']) await verify(cardToken, pin);
    expect(await verify(cardToken, '1234')).toBe('00');
  });

  it('bound to the card’s own number is taken', async () => {
    const { cardToken, cardNumber } = await withPin();
    expect(await code('PINVerify', { cardToken, pinBlock: boundBlock('1234', cardNumber) })).toBe('00');
  });
});

describe('wrong PINs', () => {
  it('are 55 three times and then 75, for the right one too, until PINReset', async () => {
    const { cardToken } = await withPin();
    for (const expected of ['55', '55', '55', '75']) expect(await verify(cardToken, '0000')).toBe(expected);
    expect(await verify(cardToken, '1234')).toBe('75');
    const change = { cardToken, pinBlock: pinBlock('1234'), newPinBlock: pinBlock('5678') };
    expect(await code('PINChange', change)).toBe('75');
    await approved(send, 'PINReset', { cardToken, newPinBlock: pinBlock('4321') });
    expect(await verify(cardToken, '4321')).toBe('00');
  });

  it('are forgotten after a right one, and counted over every call that carries a PIN', async () => {
    const { cardToken } = await withPin();
    for (const pin of ['0000', '0000', '1234', '0000', '0000']) await verify(cardToken, pin);
    expect(await verify(cardToken, '1234')).toBe('00');
    const wrong = { cardToken, ...dollars('1.00'), pinBlock: pinBlock('0000') };
    expect(await code('Withdraw', wrong)).toBe('55');
    expect(await code('Purchase', wrong)).toBe('55');
    const change = { cardToken, pinBlock: pinBlock('0000'), newPinBlock: pinBlock('5678') };
    expect(await code('PINChange', change)).toBe('55');
    expect(await code('Withdraw', { ...wrong, pinBlock: pinBlock('1234') })).toBe('75');
    expect(await code('Withdraw', { cardToken, ...dollars('1.00') })).toBe('00');
  });

  it('sent again under their tranId cost no second try, but an inquiry asked twice is two', async () => {
    const { cardToken } = await withPin();
    const wrong = { cardToken, ...dollars('1.00'), pinBlock: pinBlock('0000') };
    const tranId = freshId();
    for (let tries = 0; tries < 5; tries++) expect(await code('Withdraw', wrong, tranId)).toBe('55');
    expect(await verify(cardToken, '1234')).toBe('00');
    const asked = { cardToken, pinBlock: pinBlock('0000') };
    const again = freshId();
    for (const expected of ['55', '55', '55', '75']) expect(await code('PINVerify', asked, again)).toBe(expected);
  });

  it('are no matter of chance where a card has no PIN', async () => {
    const { cardToken } = await issue(send);
    for (let tries = 0; tries < 5; tries++) expect(await verify(cardToken, '1234')).toBe('55');
    await approved(send, 'PINReset', { cardToken, newPinBlock: pinBlock('1234') });
    expect(await verify(cardToken, '1234')).toBe('00');
  });
});

describe('a locked PIN', () => {
  it('is 75 whatever the PIN, a reset does not open it, unlocking does, wrong tries forgotten', async () => {
    const { cardToken } = await withPin();
    const set = (cardOptFlag: string) => approved(send, 'CardStatusUpdate', { cardToken, cardOptFlag });
    await set('G');
    expect(await verify(cardToken, '1234')).toBe('75');
    await approved(send, 'PINReset', { cardToken, newPinBlock: pinBlock('5678') });
    expect(await verify(cardToken, '5678')).toBe('75');
    await set('H');
    for (const expected of ['55', '55', '55', '75']) expect(await verify(cardToken, '0000')).toBe(expected);
    await set('H');
    expect(await verify(cardToken, '5678')).toBe('00');
  });
});

describe('what is kept of a PIN', () => {
  it('is a salted hash: no PIN, no block, and two cards with one PIN have two hashes (I14)', async () => {
    const [one, two] = [await withPin('734905821664'), await withPin('734905821664')];
    await verify(one.cardToken, '734905821664');
    const { ledgerFile } = sandbox().credentials;
    const bytes = readFileSync(ledgerFile, 'latin1') + readFileSync(`${ledgerFile}-wal`, 'latin1');
    for (const secret of ['734905821664', pinBlock('734905821664')]) expect(bytes).not.toContain(secret);
    expect(bytes).toContain(two.cardToken);
    const hashes = bytes.match(/[\w-]{22}\.[\w-]{43}/g) ?? [];
    expect(new Set(hashes).size).toBeGreaterThanOrEqual(2);
  });

  it('can be set before the card is activated, and not after it is closed', async () => {
    const { cardToken } = await apply(send);
    const reset = () => code('PINReset', { cardToken, newPinBlock: pinBlock('1234') });
    expect(await reset()).toBe('00');
    expect(await verify(cardToken, '1234')).toBe('03');
    await approved(send, 'CardCancellation', { cardToken, reasonCode: '001' });
    expect(await reset()).toBe('03');
  });

  it('changes once: the repeat of a PINChange says again what the first one said (I1)', async () => {
    const { cardToken } = await withPin();
    const change = { cardToken, pinBlock: pinBlock('1234'), newPinBlock: pinBlock('5678') };
    const tranId = freshId();
    expect([await code('PINChange', change, tranId), await code('PINChange', change, tranId)]).toEqual(['00', '00']);
    expect([await verify(cardToken, '1234'), await verify(cardToken, '5678')]).toEqual(['55', '00']);
  });
});
