/**
 * The search for canaries: it must find each of them however it was written, and must not cry wolf. A search that finds
 * nothing would make every secrecy test pass.
 */
import { describe, expect, it } from 'vitest';
import { CANARIES, CANARY_CVV2, CANARY_PAN, CANARY_PIN_BLOCK, findCanaries, luhnDigit } from './canary.ts';

const names = (text: string | Uint8Array): string[] => [...new Set(findCanaries(text).map(({ name }) => name))];

describe('findCanaries', () => {
  it.each(CANARIES.map(canary => [canary.name, canary.value]))('finds the %s in clear', (name, value) => {
    expect(names(`before "${value}" after`)).toEqual([name]);
  });

  it.each([
    ['lower case', CANARY_PIN_BLOCK.toLowerCase()],
    ['hex', Buffer.from(CANARY_PIN_BLOCK).toString('hex')],
    ['base64', Buffer.from(CANARY_PIN_BLOCK).toString('base64')],
    ['base64 one byte later', Buffer.from(`{${CANARY_PIN_BLOCK}}`).toString('base64')],
    ['base64 two bytes later', Buffer.from(`{"${CANARY_PIN_BLOCK}"}`).toString('base64')],
  ])('finds a PIN block in %s', (_, text) => {
    expect(names(text)).toEqual(['PIN block']);
  });

  it('finds a card number in groups of four, and in bytes that are no text', () => {
    expect(names(CANARY_PAN.replaceAll(/(\d{4})(?=\d)/g, '$1 '))).toEqual(['card number']);
    expect(names(Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from(CANARY_PAN)]))).toEqual(['card number']);
    expect(names(Buffer.from(CANARY_PAN, 'utf16le'))).toEqual(['card number']);
  });

  it('leaves masked card numbers and longer numbers with the digits of a CVV2 alone', () => {
    expect(findCanaries(`${CANARY_PAN.slice(0, 6)}******${CANARY_PAN.slice(-4)}`)).toEqual([]);
    expect(findCanaries(`127.0.0.1:1${CANARY_CVV2} took 1.${CANARY_CVV2} ms`)).toEqual([]);
    expect(findCanaries('')).toEqual([]);
  });
});

describe('luhnDigit', () => {
  it.each([
    ['453201511283036', '6'],
    ['7992739871', '3'],
    ['0', '0'],
  ])('completes %s with %s', (digits, digit) => {
    expect(luhnDigit(digits)).toBe(digit);
  });
});
