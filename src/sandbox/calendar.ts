/**
 * The demo issuer's calendar, in UTC and in the digits of the wire.
 */
const stamp = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:T]/g, '');

const DAY_MS = 24 * 60 * 60 * 1_000;

/** The UTC day, YYYYMMDD. */
export const dayOf = (ms: number): string => stamp(ms).slice(0, 8);
/** The UTC time of day, HHMMSS. */
export const timeOf = (ms: number): string => stamp(ms).slice(8, 14);
/** Day and time, YYYYMMDDHHMMSS. */
export const momentOf = (ms: number): string => stamp(ms).slice(0, 14);

/** The first millisecond of the UTC day. */
export const dayStart = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;
/** The first millisecond of the UTC month. */
export const monthStart = (ms: number): number => {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
};

/** The expiry date YYMM so many years from now. */
export function expiryIn(nowMs: number, years: number): string {
  const day = dayOf(nowMs);
  return String(Number(day.slice(2, 4)) + years).padStart(2, '0') + day.slice(4, 6);
}

/** The first millisecond after an expiry date YYMM: a card is good through the last day of its month. */
export const endOf = (expiry: string): number =>
  // The month counts from 0 in Date.UTC, so the number of this month is the beginning of the next.
  Date.UTC(2000 + Number(expiry.slice(0, 2)), Number(expiry.slice(2)), 1);

/** Whether a card with this expiry date is good no more. */
export const hasEnded = (expiry: string, nowMs: number): boolean => nowMs >= endOf(expiry);
