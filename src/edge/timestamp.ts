/**
 * The header `timestamp`: UNIX time in seconds or milliseconds. Its shape is always checked; whether it must be fresh is
 * the client's setting, because the published example lies in 1970.
 */
import type { WireFields } from '../domain/message.ts';
import { Refusal } from '../domain/refusal.ts';

/** Up to 11 digits are seconds, which lasts until the year 5138; 12 to 15 are milliseconds. */
const DIGITS = /^[0-9]{1,15}$/;
const SECONDS_DIGITS_MAX = 11;
const MS = 1_000;

/**
 * Refuses, by throwing, a header that is absent, not 1 to 15 digits, or further than the tolerance from `wallMs`
 * (milliseconds since 1970, UTC). A tolerance of 0 seconds checks the shape alone. `echo` gives the header fields of the
 * message for the answer, and is only asked where there is one to give.
 */
export function checkTimestamp(
  value: string | undefined,
  wallMs: number,
  toleranceSeconds: number,
  echo: () => WireFields = () => ({}),
): void {
  const refusal = (reason: string): Refusal => new Refusal('format', [{ field: 'timestamp', reason }], echo());
  if (value === undefined) throw refusal('is required');
  if (!DIGITS.test(value)) throw refusal('must be UNIX time in seconds or milliseconds, 1 to 15 digits');
  if (toleranceSeconds === 0) return;
  const sentMs = Number(value) * (value.length <= SECONDS_DIGITS_MAX ? MS : 1);
  if (Math.abs(wallMs - sentMs) > toleranceSeconds * MS) {
    throw refusal(`must be within ${toleranceSeconds} seconds of now`);
  }
}
