/**
 * Base64url without padding (RFC 4648, section 5; RFC 7515, section 2) in its one canonical spelling. Libraries read
 * several spellings of the same bytes, blanks and padding among them; here a text has one reading or none.
 */

/** The bytes, or undefined where the text is not what `toBase64url` writes for them. */
export const fromBase64url = (text: string): Buffer<ArrayBuffer> | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  return toBase64url(bytes) === text ? bytes : undefined;
};

export const toBase64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
