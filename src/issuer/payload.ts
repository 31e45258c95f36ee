/**
 * The body of a message on its way to an issuer and back: as it is, or sealed for the issuer as a compact JWE and opened
 * with our own keys. What an encrypting issuer answers with 200 counts only if it was sealed for us; by the contract every
 * other answer is plain, and a JWE where the sender liked to seal that, too.
 */
import { createPayloadCipher, jweBytesMax } from '../edge/jwe.ts';
import type { JweEngine, Recipient } from '../edge/jweEngine.ts';
import type { OpeningKey } from '../edge/keys.ts';

export type IssuerPayload = {
  /** Media type of what `seal` gives. */
  readonly contentType: string;
  /** What a reply may have at most, as it comes over the wire. */
  readonly responseBytesMost: number;
  /** The body to send. Rejects where it cannot be sealed: then nothing may be sent. */
  seal(body: string): Promise<string> | string;
  /** The plain body of a reply. Rejects, or throws, where it cannot be opened. */
  open(status: 200 | 400, body: Uint8Array): Promise<Uint8Array> | Uint8Array;
};

/** A page of 100 history records, each field at its longest and every character escaped, is about 250 KiB. */
const PLAIN_BYTES = 512 * 1024;

/** Bodies as they are; TLS alone protects them. */
export const plainPayload: IssuerPayload = {
  contentType: 'application/json',
  responseBytesMost: PLAIN_BYTES,
  seal: body => body,
  open: (_status, body) => body,
};

export type EncryptedPayloadOptions = {
  /** The issuer's current RSA key. */
  readonly to: Recipient;
  /** Our RSA keys; a reply names the one that it was sealed for. Never empty. */
  readonly openWith: readonly OpeningKey[];
  /** Sends at a time, at most: so many replies may be opened at once. One that is not opened is a doubt to undo. */
  readonly inFlightMost: number;
  readonly engine: JweEngine;
};

/** Bodies sealed with RSA-OAEP-256 and A128GCM, both ways. */
export const encryptedPayload = ({ to, openWith, inFlightMost, engine }: EncryptedPayloadOptions): IssuerPayload => {
  const cipher = createPayloadCipher(engine, inFlightMost, PLAIN_BYTES);
  return {
    contentType: 'application/jose',
    responseBytesMost: jweBytesMax(PLAIN_BYTES),
    seal: body => cipher.seal(Buffer.from(body), to),
    open: (status, body) => (status !== 200 && isJsonObject(body) ? body : cipher.open(body, openWith, 'issuer')),
  };
};

const OPENING_BRACE = 0x7b;
const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Whether it begins like a JSON object; a compact JWE never does. */
const isJsonObject = (body: Uint8Array): boolean => body.find(byte => !SPACES.has(byte)) === OPENING_BRACE;
