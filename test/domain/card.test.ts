/**
 * Card numbers: the check digit (S99) and the mask (I14).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPan, maskedCardOf, maskPan } from '../../src/domain/card.ts';
import type { ApiName, ParticipantId, TranId } from '../../src/domain/ids.ts';
import type { Message, WireFields } from '../../src/domain/message.ts';
import { Secret } from '../../src/domain/secret.ts';

const digit = fc.integer({ min: 0, max: 9 });
const digits = (min: number, max: number) =>
  fc.array(digit, { minLength: min, maxLength: max }).map(list => list.join(''));

/** Luhn by its definition, from the right, written apart from the code under test. */
const checkDigit = (body: string): string => {
  const sum = [...body]
    .reverse()
    .map((text, index) => (index % 2 === 0 ? Number(text) * 2 : Number(text)))
    .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
  return String((10 - (sum % 10)) % 10);
};

describe('isPan', () => {
  it.each(['4111111111111111', '5500005555555559', '340000000000009', '6304000000000000', '630400000000'])(
    'accepts %s',
    text => {
      expect(isPan(text.slice(0, -1) + checkDigit(text.slice(0, -1)))).toBe(true);
    },
  );

  it.each([
    '4111111111111112',
    '41111111111',
    '41111111111111111110',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    ' 4111111111111111',
    '4111111111111111\n',
    '４１１１１１１１１１１１１１１１',
    'card_4111111111111111',
    '',
  ])('S99 refuses %j', text => {
    expect(isPan(text)).toBe(false);
  });

  it('S99 accepts the right check digit and refuses every other one', () => {
    fc.assert(
      fc.property(digits(11, 18), digit, (body, wrong) => {
        const right = checkDigit(body);
        expect(isPan(body + right)).toBe(true);
        if (String(wrong) !== right) expect(isPan(body + wrong)).toBe(false);
      }),
    );
  });
});

describe('maskPan', () => {
  it('I14 shows the first six and the last four, and no other digit', () => {
    expect(maskPan('4111111111111111')).toBe('411111******1111');
    fc.assert(
      fc.property(digits(12, 19), pan => {
        const mask = maskPan(pan);
        expect(mask).toHaveLength(pan.length);
        expect(mask.slice(6, -4)).toBe('*'.repeat(pan.length - 10));
        expect([mask.slice(0, 6), mask.slice(-4)]).toEqual([pan.slice(0, 6), pan.slice(-4)]);
      }),
    );
  });

  it('I14 hides whole what is not a card number', () => {
    fc.assert(
      fc.property(
        fc.string().filter(text => !/^\d{12,19}$/.test(text)),
        text => {
          expect(maskPan(text)).toBe('******');
        },
      ),
    );
  });
});

describe('maskedCardOf', () => {
  const message = (fields: WireFields): Message => ({
    api: 'Purchase' as ApiName,
    header: {
      participantId: '100000' as ParticipantId,
      tranBranch: '1',
      tranChnl: '07',
      tranDate: '20260101',
      tranTime: '000000',
      tranId: 't' as TranId,
    },
    fields: new Secret(fields),
    amount: undefined,
    originalTranId: undefined,
  });

  it('I14 masks the number and never shows a token', () => {
    expect(maskedCardOf(message({ cardNumber: '4111111111111111' }))).toBe('411111******1111');
    expect(maskedCardOf(message({ cardToken: 'tok' }))).toBeUndefined();
  });
});
