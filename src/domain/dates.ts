/**
 * Dates and times in the digits of the wire: days `YYYYMMDD`, times `HHMMSS`, expiry dates `YYMM`. They carry no zone;
 * where a day is placed on the clock it is the UTC day.
 */
const DAY = /^(\d{4})(\d{2})(\d{2})$/;
const TIME = /^([01]\d|2[0-3])[0-5]\d[0-5]\d$/;
const EXPIRY = /^\d{2}(0[1-9]|1[0-2])$/;

/** Anything before is a mistake: no transaction and no card is older. */
const YEAR_MIN = 1900;

const DATE_DIGITS = 8;

/** The first millisecond, since 1970 UTC, of a day `YYYYMMDD` that the calendar knows; undefined for any other text. */
export const dayStartMs = (text: string): number | undefined => {
  const match = DAY.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  // `Date.UTC` rolls 31 February over into March: what comes back must be what went in.
  const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return real && year >= YEAR_MIN ? ms : undefined;
};

/** Whether the text is a time of day `HHMMSS`. Leap seconds are refused. */
export const isTimeOfDay = (text: string): boolean => TIME.test(text);

/** Whether the text is a day and a time, `YYYYMMDDHHMMSS`. */
export const isDayAndTime = (text: string): boolean =>
  dayStartMs(text.slice(0, DATE_DIGITS)) !== undefined && isTimeOfDay(text.slice(DATE_DIGITS));

/** Whether the text is an expiry date `YYMM` with a month from 01 to 12. */
export const isExpiry = (text: string): boolean => EXPIRY.test(text);
