/**
 * Writes DER (ITU-T X.690, 10), as much of it as a certificate request and a self-signed certificate need.
 */

/** Tags of X.680, 8.6, in the form that each has in a certificate. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const LONG_FORM = 0x80;
/** `[n]` with something constructed in it. */
const CONTEXT = 0xa0;

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(length: number): readonly number[] {
  if (length < LONG_FORM) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [LONG_FORM + bytes.length, ...bytes];
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(TAG.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => element(TAG.set, ...parts);
export const tagged = (number: number, ...parts: readonly Uint8Array[]): Buffer => element(CONTEXT + number, ...parts);
export const octets = (content: Uint8Array): Buffer => element(TAG.octets, content);
export const TRUE = element(TAG.boolean, Buffer.from([0xff]));
export const NULL = element(TAG.null);

/** A non-negative integer, by its bytes; they have no leading zeros. */
export const integer = (bytes: Uint8Array): Buffer =>
  element(TAG.integer, Buffer.from((bytes[0] ?? 0) >= LONG_FORM ? [0] : []), bytes);

/** Bits, of which `unused` at the end of the last byte do not count. */
export const bits = (content: Uint8Array, unused = 0): Buffer => element(TAG.bits, Buffer.from([unused]), content);

/** An object identifier such as `2.5.4.3`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): readonly number[] {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128);
  return digits;
}

export const utf8 = (text: string): Buffer => element(TAG.utf8, Buffer.from(text, 'utf8'));
export const printable = (text: string): Buffer => element(TAG.printable, Buffer.from(text, 'latin1'));

/** A time in whole seconds, in the form that RFC 5280, 4.1.2.5 wants for its year. */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  if (digits < '2050') return element(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'));
  return element(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

const PEM_LINE = /.{1,64}/g;

/** The bytes in PEM (RFC 7468). */
export const pem = (label: string, der: Uint8Array): string => {
  const lines = Buffer.from(der).toString('base64').match(PEM_LINE) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};
