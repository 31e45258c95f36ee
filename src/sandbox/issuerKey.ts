/**
 * The demo issuer's one key, as a card issuer has them in its security module: security codes, one-time passwords and the
 * keys of network tokens are derived from it whenever they are needed and kept nowhere. Who has the database can derive
 * them all; the cards are nobody's.
 */
import { createHmac } from 'node:crypto';
import type { Card, NetworkToken } from './store/records.ts';

const CVV_DIGITS = 3;
const OTP_DIGITS = 6;

export class IssuerKey {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  /** The value printed on the card. A new number or a new expiry date means a new one. */
  cvv2(number: string, expiry: string): string {
    return this.#digits(CVV_DIGITS, 'CVV2', number, expiry);
  }

  /** The dynamic value that was issued last for the card. */
  dcvv(card: Card): string {
    return this.#digits(CVV_DIGITS, 'DCVV', card.number.reveal(), card.expiry, String(card.dcvvCount));
  }

  otp(refNo: string): string {
    return this.#digits(OTP_DIGITS, 'OTP', refNo);
  }

  /** What a device needs to pay with the token. Opaque, as it would be for whoever passes it on. */
  hceCardInfo(tokenId: string): string {
    return this.#mac('HCE', tokenId).toString('base64url');
  }

  /** The limited-use key that was issued last for the token. */
  luk(token: NetworkToken): string {
    return this.#mac('LUK', token.tokenId, String(token.lukCount)).toString('base64url');
  }

  #digits(count: number, ...parts: readonly string[]): string {
    const bound = 10n ** BigInt(count);
    return String(BigInt(`0x${this.#mac(...parts).toString('hex')}`) % bound).padStart(count, '0');
  }

  #mac(...parts: readonly string[]): Buffer {
    // As JSON, so that no two lists of parts are one text.
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest();
  }
}
