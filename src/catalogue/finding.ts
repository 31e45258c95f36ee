/**
 * What the validator finds wrong with one field, and how a field is named in an answer: by its catalogue name, never by
 * anything that could carry a value.
 */
import type { FieldError, RefusalReason } from '../domain/refusal.ts';

/** `refusal` is set where nothing but the value is wrong and the contract has a response code for such a field. */
export type Finding = FieldError & { readonly refusal?: RefusalReason };

/** The name under which the message as a whole is blamed. */
export const BODY = 'body';

/**
 * A name that somebody may have meant as a field: a word, perhaps with two digits at its end. Whatever else a caller put
 * in the place of a name is not repeated, because it may be a card number.
 */
const WORD = /^[A-Za-z][A-Za-z_-]{0,39}\d{0,2}$/;

/** The name itself where it is harmless, otherwise `body`. */
export const nameable = (name: string): string => (WORD.test(name) ? name : BODY);
