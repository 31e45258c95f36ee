/**
 * How the gateway names itself to an issuer: header fields that are put on every send. They are asked for each time and
 * asynchronously, so that credentials that run out, such as OAuth access tokens, fit behind the same interface.
 */
import { Secret } from '../domain/secret.ts';
import type { Deadline } from '../runtime/deadline.ts';

/** Header fields, by lower-case name and value in turn. */
export type CredentialHeaders = Secret<readonly string[]>;

export interface Credentials {
  /**
   * The header fields for one send. Undefined where none could be had before the deadline: then nothing may be sent.
   * Never rejects.
   */
  headers(deadline: Deadline): Promise<CredentialHeaders | undefined>;
  /** The issuer did not let these in (401, 403). Absent where nothing better can be had. Never throws. */
  refused?(headers: CredentialHeaders): void;
  /** Ends what is still being fetched; nothing can be had from then on. */
  close?(): void;
}

/** The characters of a bearer token (RFC 6750, 2.1). Anything else could end the header and begin another. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
/** Servers take 8 to 16 KiB of headers at most; a token that alone is half of that is none. */
const BEARER_TOKEN_LENGTH_MAX = 4096;

/** Whether the text can be sent as a bearer token. */
export const isBearerToken = (text: string): boolean =>
  text.length <= BEARER_TOKEN_LENGTH_MAX && BEARER_TOKEN.test(text);

/** The header field of a bearer token. */
export const bearerHeaders = (token: string): CredentialHeaders => new Secret(['authorization', `Bearer ${token}`]);

const constant = (headers: CredentialHeaders): Credentials => {
  const answer = Promise.resolve(headers);
  return { headers: () => answer };
};

/** For an issuer that knows us by the network alone. */
export const noCredentials: Credentials = constant(new Secret([]));

/** `authorization: Bearer <token>` on every send. Throws where the token has a character that no bearer token has. */
export function bearerCredentials(token: Secret<string>): Credentials {
  const text = token.reveal();
  if (!isBearerToken(text)) throw new Error('a bearer token is letters, digits and ._~+/- with = at the end');
  return constant(bearerHeaders(text));
}
