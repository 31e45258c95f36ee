/**
 * What is known about card numbers (PAN, ISO/IEC 7812-1): their check digit, and the one way in which they may be shown.
 */
import type { Message } from './message.ts';

const PAN = /^\d{12,19}$/;
const SHOWN_FIRST = 6;
const SHOWN_LAST = 4;

/** The digit sum of a digit that is doubled, by Luhn's rule: 5 becomes 10, which counts as 1. */
const DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9] as const;

/** Whether the text is 12 to 19 digits whose last is the check digit by Luhn (ISO/IEC 7812-1, annex B). */
export const isPan = (text: string): boolean => {
  if (!PAN.test(text)) return false;
  let sum = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = Number(text.charAt(text.length - 1 - at));
    sum += at % 2 === 0 ? digit : (DOUBLED[digit] ?? 0);
  }
  return sum % 10 === 0;
};

/**
 * The number as it may be shown and logged: first 6 and last 4 (PCI DSS 3.4.1). What is not a number of 12 to 19 digits
 * is hidden whole: it may be a longer text with a number in it.
 */
export const maskPan = (text: string): string => {
  if (!PAN.test(text)) return '*'.repeat(SHOWN_FIRST);
  const hidden = text.length - SHOWN_FIRST - SHOWN_LAST;
  // Added up it would be a text in pieces, which costs the line of the log twice the time.
  return [text.slice(0, SHOWN_FIRST), text.slice(-SHOWN_LAST)].join('*'.repeat(hidden));
};

/** The masked number of the message's card; undefined where it names its card by token, which is never shown. */
export const maskedCardOf = (message: Message): string | undefined => {
  const { cardNumber } = message.fields.reveal();
  return typeof cardNumber === 'string' ? maskPan(cardNumber) : undefined;
};
