/**
 * PINs in the sandbox. A PIN block is ISO 9564-1 format 0 or format 2 in 16 hexadecimal digits, not encrypted: a real
 * issuer gives its partners a key for that, the sandbox has none to give. What is kept of a PIN is a salted, slow hash.
 */
import { scryptSync, timingSafeEqual } from 'node:crypto';
import { Secret } from '../domain/secret.ts';

const BLOCK = /^[0-9A-F]{16}$/;
const BLOCK_DIGITS = 16;
/** ISO 9564-1: control digit, length of the PIN, 4 to 12 digits, filled up with F. */
const PLAIN = /^[02]([4-9A-C])(\d{4,12})(F*)$/;
const PAN_DIGITS = 12;
/** About ten milliseconds: enough to see that it is slow, little enough for a sandbox's one thread. */
const COST = 4_096;
const HASH_BYTES = 32;

/**
 * The PIN in a block; undefined where it is no block of format 0 (bound to the card number) or 2 (bound to nothing).
 *
 * @param number of the card: twelve digits of it, without the check digit, are mixed into format 0
 */
export function pinOf(block: string, number: string): string | undefined {
  const text = block.toUpperCase();
  if (!BLOCK.test(text)) return undefined;
  const plain = text.startsWith('0') ? mix(text, number) : text;
  const [, length = '', pin, filler] = PLAIN.exec(plain) ?? [];
  if (pin === undefined || filler === undefined) return undefined;
  return pin.length === Number.parseInt(length, 16) && filler.length === BLOCK_DIGITS - 2 - pin.length
    ? pin
    : undefined;
}

/** Format 0 is the PIN field exclusive-or the account number field: four zeros and the card number's twelve digits. */
function mix(block: string, number: string): string {
  const account = number.slice(0, -1).slice(-PAN_DIGITS).padStart(BLOCK_DIGITS, '0');
  return (BigInt(`0x${block}`) ^ BigInt(`0x${account}`)).toString(16).padStart(BLOCK_DIGITS, '0').toUpperCase();
}

/** What is kept of a PIN: the salt, a dot, and the hash. */
export const hashPin = (pin: string, salt: string): Secret<string> =>
  new Secret(`${salt}.${slowHash(pin, salt).toString('base64url')}`);

/** Whether this is the PIN whose hash was kept. */
export function isPin(pin: string, kept: Secret<string>): boolean {
  const [salt = '', hash = ''] = kept.reveal().split('.');
  const expected = Buffer.from(hash, 'base64url');
  return expected.length === HASH_BYTES && timingSafeEqual(expected, slowHash(pin, salt));
}

const slowHash = (pin: string, salt: string): Buffer => scryptSync(pin, salt, HASH_BYTES, { N: COST });
