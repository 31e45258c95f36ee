/**
 * Dates and times in the digits of the wire: days `YYYYMMDD`, times `HHMMSS`, expiry dates `YYMM`. They carry no zone;
 * where a day is placed on the clock it is the UTC day.
 */
const DAY = /^\d{8}$/;
const TIME = /^([01]\d|2[0-3])[0-5]\d[0-5]\d$/;
const EXPIRY = /^\d{2}(0[1-9]|1[0-2])$/;

/** Anything before is a mistake: no transaction and no card is older. */
const YEAR_MIN = 1900;

const DATE_DIGITS = 8;
const MONTHS = 12;
const MONTH_DAYS_MIN = 28;

/** The day that was asked for last: nearly all messages of a day name the same one, each twice. */
let latest = { text: '19700101', startMs: 0 };

/** The first millisecond, since 1970 UTC, of a day `YYYYMMDD` that the calendar knows; undefined for any other text. */
export const dayStartMs = (text: string): number | undefined => {
  if (text === latest.text) return latest.startMs;
  const startMs = startOf(text);
  if (startMs !== undefined) latest = { text, startMs };
  return startMs;
};

const startOf = (text: string): number | undefined => {
  if (!DAY.test(text)) return undefined;
  const digits = Number(text);
  const [year, month, day] = [Math.floor(digits / 10_000), Math.floor(digits / 100) % 100, digits % 100];
  if (year < YEAR_MIN || month < 1 || month > MONTHS || day < 1) return undefined;
  const ms = Date.UTC(year, month - 1, day);
  // `Date.UTC` rolls 31 February over into March; all months have the first days.
  return day <= MONTH_DAYS_MIN || new Date(ms).getUTCDate() === day ? ms : undefined;
};

/** Whether the text is a time of day `HHMMSS`. Leap seconds are refused. */
export const isTimeOfDay = (text: string): boolean => TIME.test(text);

/** Whether the text is a day and a time, `YYYYMMDDHHMMSS`. */
export const isDayAndTime = (text: string): boolean =>
  dayStartMs(text.slice(0, DATE_DIGITS)) !== undefined && isTimeOfDay(text.slice(DATE_DIGITS));

/** Whether the text is an expiry date `YYMM` with a month from 01 to 12. */
export const isExpiry = (text: string): boolean => EXPIRY.test(text);
