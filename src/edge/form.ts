/**
 * Bytes of `application/x-www-form-urlencoded` to parameters, strictly: a name at most once (RFC 6749, 3.2), percent
 * signs that mean something, and UTF-8. A parameter without a value counts as not sent.
 */
export type Form = ReadonlyMap<string, string>;

/** A token request has six parameters at most; what more there is may be ignored, but not without end. */
const PARAMETERS_MAX = 32;
/** Printable ASCII, and percent signs that are followed by two digits. Everything else has to be escaped. */
const ENCODED = /^(?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*$/;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The parameters, or undefined where the text is not of the form or has a name twice. */
export const readForm = (body: Uint8Array): Form | undefined => {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const seen = new Set<string>();
  const form = new Map<string, string>();
  const pairs = text.split('&', PARAMETERS_MAX + 1).filter(pair => pair !== '');
  if (pairs.length > PARAMETERS_MAX) return undefined;
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === undefined || value === undefined || seen.has(name)) return undefined;
    seen.add(name);
    if (value !== '') form.set(name, value);
  }
  return form;
};

const decode = (text: string): string | undefined => {
  if (!ENCODED.test(text)) return undefined;
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  const bytes = Buffer.from(
    spaced.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
};
