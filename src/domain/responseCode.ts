/**
 * The closed list of response codes of the wire contract, and which of them leave the outcome open when an issuer
 * gives them. ISO 8583 field 39 (DE39) and the vendor's list collide at 01-04 and 10; here the vendor's meaning holds.
 */
type Row = {
  /** Text of `responseDesc`. */
  readonly meaning: string;
  /** Whether the code, given by an issuer, says for certain what became of the message. */
  readonly definite: boolean;
};

export const RESPONSE_CODES = {
  '00': { meaning: 'approved', definite: true },
  '01': { meaning: 'invalid participant', definite: true },
  '02': { meaning: 'invalid card number', definite: true },
  '03': { meaning: 'invalid card status', definite: true },
  '04': { meaning: 'invalid card token', definite: true },
  '05': { meaning: 'do not honour', definite: true },
  '09': { meaning: 'in progress; repeat the same tranId to learn the outcome', definite: false },
  '10': { meaning: 'restricted access', definite: true },
  '12': { meaning: 'invalid transaction', definite: true },
  '13': { meaning: 'invalid amount', definite: true },
  '24': { meaning: 'PIN block format error', definite: true },
  '25': { meaning: 'original transaction not found', definite: true },
  '30': { meaning: 'format error', definite: true },
  '51': { meaning: 'insufficient funds', definite: true },
  '54': { meaning: 'expired card', definite: true },
  '55': { meaning: 'PIN verification failed', definite: true },
  '57': { meaning: 'transaction not permitted to cardholder', definite: true },
  '61': { meaning: 'exceeds amount limit', definite: true },
  '65': { meaning: 'exceeds frequency limit', definite: true },
  '68': { meaning: 'no usable answer from the issuer in time; being undone', definite: false },
  '75': { meaning: 'PIN tries exceeded', definite: true },
  '82': { meaning: 'CVV2 verification failed', definite: true },
  '91': { meaning: 'issuer unavailable; nothing was sent', definite: false },
  '94': { meaning: 'tranId used before with other content', definite: false },
  '96': { meaning: 'system malfunction', definite: false },
  '99': { meaning: 'unexpected error', definite: false },
} as const satisfies Record<string, Row>;

export type ResponseCode = keyof typeof RESPONSE_CODES;

export const isResponseCode = (text: string): text is ResponseCode => Object.hasOwn(RESPONSE_CODES, text);

/** `responseDesc` of a code. */
export const meaningOf = (code: ResponseCode): string => RESPONSE_CODES[code].meaning;

/** Whether an issuer that answers this code has told for certain what became of the message. */
export const isDefinite = (code: ResponseCode): boolean => RESPONSE_CODES[code].definite;
