/**
 * From the response codes of an issuer to ours. Both lists are closed: a code that is not listed says nothing, and so
 * the outcome stays unknown. Another dialect of codes is another table here, and no change anywhere else.
 */
import { isResponseCode, type ResponseCode } from '../domain/responseCode.ts';

/**
 * Our code for what the issuer gave as `responseCode`; undefined where it is not a code of the contract. ISO 8583 values
 * that are not in the list are never copied through: at 01-04 and 10 the two lists mean different things.
 */
export const codeFromIssuer = (given: unknown): ResponseCode | undefined =>
  typeof given === 'string' && isResponseCode(given) ? given : undefined;
