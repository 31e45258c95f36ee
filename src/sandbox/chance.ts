/**
 * What the demo issuer makes by chance: digits, and card numbers with a good check digit in the range of its cards.
 */
import { isPan } from '../domain/card.ts';

/** Where the demo cards begin: the prefix that the sandbox's routes know. */
export const CARD_PREFIX = '4220';

const PAN_LENGTH = 16;

type Fractions = { fraction(): number };

export const digits = (random: Fractions, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random.fraction() * 10)).join('');

/** A card number with the demo prefix and a good check digit (Luhn). */
export function newPan(newDigits: (count: number) => string): string {
  const body = CARD_PREFIX + newDigits(PAN_LENGTH - CARD_PREFIX.length - 1);
  const check = [...'0123456789'].find(digit => isPan(body + digit));
  if (check === undefined) throw new TypeError('one of ten digits is always the check digit');
  return body + check;
}
