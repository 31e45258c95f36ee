/**
 * A small strict reader of DER (ITU-T X.690, 10): definite lengths in their shortest form and nothing behind the end.
 * It serves what Node does not tell about certificates; it builds nothing and follows nothing.
 */

/** One element: its tag octet, its content, and its encoding as a whole. */
export type Der = { readonly tag: number; readonly content: Uint8Array; readonly whole: Uint8Array };

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  sequence: 0x30,
  /** `[0]`, `[3]`: explicit tags of a certificate. */
  version: 0xa0,
  extensions: 0xa3,
} as const;

const LONG_FORM = 0x80;
/** 4 GiB: no file that gets here is longer than a few kilobytes. */
const LENGTH_BYTES_MAX = 4;

/** The elements that the bytes are made of, one after the other; undefined where they are not DER. */
export const readAll = (bytes: Uint8Array): readonly Der[] | undefined => {
  const elements: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = readAt(bytes, at);
    if (!element) return undefined;
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
};

/** The elements inside one of this tag; undefined where it has another one or is not DER inside. */
export const inside = (element: Der | undefined, tag: number): readonly Der[] | undefined =>
  element?.tag === tag ? readAll(element.content) : undefined;

const readAt = (bytes: Uint8Array, at: number): Der | undefined => {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < LONG_FORM ? 0 : first - LONG_FORM;
  if (first === LONG_FORM || lengthBytes > LENGTH_BYTES_MAX) return undefined;
  const start = at + 2 + lengthBytes;
  const long = bytes.subarray(at + 2, start);
  const length = lengthBytes === 0 ? first : long.reduce((sum, byte) => sum * 256 + byte, 0);
  const shortest = lengthBytes === 0 || (long[0] !== 0 && length >= LONG_FORM);
  if (long.length !== lengthBytes || !shortest || start + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
};

/** An object identifier with dots; undefined where the bytes are none. */
export const oidText = (element: Der | undefined): string | undefined => {
  if (element?.tag !== TAG.oid || element.content.length === 0 || (element.content.at(-1) ?? 0) >= LONG_FORM) {
    return undefined;
  }
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of element.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) return undefined;
    if (byte >= LONG_FORM) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [head = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(head / 40));
  return [root, head - root * 40, ...rest].join('.');
};

/** A small non-negative integer; undefined where it is anything else. */
export const smallInteger = (element: Der | undefined): number | undefined => {
  const content = element?.tag === TAG.integer ? element.content : undefined;
  if (!content || content.length === 0 || content.length > LENGTH_BYTES_MAX || (content[0] ?? 0) >= LONG_FORM) {
    return undefined;
  }
  return content.reduce((sum, byte) => sum * 256 + byte, 0);
};
