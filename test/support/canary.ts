/**
 * Values that must never be seen where they do not belong, and the search for them in logs, metrics, errors and
 * journals: in clear, and in the encodings in which they could slip through.
 */

export type Canary = {
  readonly name: string;
  readonly value: string;
  /** Found only where it stands alone: for values so short that chance writes them, too. */
  readonly alone?: true;
};

export type Sighting = { readonly name: string; readonly encoding: string; readonly at: number };

/** The Luhn check digit (ISO/IEC 7812-1, annex B) that completes a number. */
export function luhnDigit(digits: string): string {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits.charAt(digits.length - 1 - i)) * (i % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

const withLuhn = (digits: string): string => digits + luhnDigit(digits);

/** A card number of 16 digits that passes the Luhn check. */
export const CANARY_PAN = withLuhn('422086753090317');
/** Another one, for messages with two cards. */
export const CANARY_PAN_2 = withLuhn('422071904438256');
export const CANARY_CVV2 = '8391';
export const CANARY_PIN_BLOCK = '7F3A9C55E0B1D264';
export const CANARY_CARD_TOKEN = 'canary-card-token-7Qx2';
export const CANARY_CUSTOMER_NAME = 'Wilhelmina Canaria';
/** For whatever takes a bearer token in a test. */
export const CANARY_TOKEN = 'canary-bearer-token-9Zk4Lw7Tq1';

export const CANARIES: readonly Canary[] = [
  { name: 'card number', value: CANARY_PAN },
  { name: 'second card number', value: CANARY_PAN_2 },
  { name: 'CVV2', value: CANARY_CVV2, alone: true },
  { name: 'PIN block', value: CANARY_PIN_BLOCK },
  { name: 'card token', value: CANARY_CARD_TOKEN },
  { name: 'customer name', value: CANARY_CUSTOMER_NAME },
  { name: 'bearer token', value: CANARY_TOKEN },
];

/**
 * Every canary in a text or in bytes: in clear in either case, as UTF-16, hex and base64 (of any alignment), URL-encoded,
 * and for digits also in groups of four. An empty list is what tests want to see.
 */
export function findCanaries(haystack: string | Uint8Array, canaries: readonly Canary[] = CANARIES): Sighting[] {
  const bytes = typeof haystack === 'string' ? Buffer.from(haystack, 'utf8') : Buffer.from(haystack);
  const lower = bytes.toString('latin1').toLowerCase();
  const exact = bytes.toString('latin1');
  return canaries.flatMap(canary =>
    formsOf(canary).flatMap(({ encoding, form, anyCase }) => {
      const at = canary.alone ? alone(exact, form) : anyCase ? lower.indexOf(form.toLowerCase()) : exact.indexOf(form);
      return at < 0 ? [] : [{ name: canary.name, encoding, at }];
    }),
  );
}

type Form = { readonly encoding: string; readonly form: string; readonly anyCase: boolean };

function formsOf({ value, alone: short }: Canary): Form[] {
  const clear = { encoding: 'clear', form: value, anyCase: true };
  if (short) return [clear];
  const forms = [
    clear,
    { encoding: 'hex', form: Buffer.from(value).toString('hex'), anyCase: true },
    { encoding: 'utf-16', form: Buffer.from(value, 'utf16le').toString('latin1'), anyCase: false },
    ...[0, 1, 2].flatMap(shift => base64Forms(value, shift)),
  ];
  if (encodeURIComponent(value) !== value) {
    forms.push({ encoding: 'url', form: encodeURIComponent(value), anyCase: true });
  }
  if (/^\d{12,}$/.test(value)) {
    for (const separator of [' ', '-']) {
      const form = value.match(/.{1,4}/g)?.join(separator) ?? value;
      forms.push({ encoding: 'grouped', form, anyCase: false });
    }
  }
  return forms;
}

/** What the value looks like inside base64 when it starts `shift` bytes after a multiple of three. */
function base64Forms(value: string, shift: number): Form[] {
  const padded = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const whole = padded.subarray(0, padded.length - (padded.length % 3)).toString('base64');
  // The first group mixes with what stands before the value.
  const form = shift === 0 ? whole : whole.slice(4);
  return [
    { encoding: 'base64', form, anyCase: false },
    { encoding: 'base64url', form: form.replaceAll('+', '-').replaceAll('/', '_'), anyCase: false },
  ];
}

const alone = (text: string, digits: string): number =>
  text.search(new RegExp(`(?<![0-9A-Za-z.+/=_-])${digits}(?![0-9A-Za-z.+/=_-])`));
