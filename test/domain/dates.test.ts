/**
 * Dates and times of the wire: only days that the calendar knows (S102).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayStartMs, isDayAndTime, isExpiry, isTimeOfDay } from '../../src/domain/dates.ts';

describe('days', () => {
  it.each(['20260228', '20240229', '20000229', '19000101', '99991231'])('accepts %s', text => {
    expect(dayStartMs(text)).toBe(Date.parse(`${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}T00:00:00Z`));
  });

  it.each([
    '20260229',
    '19000229',
    '20260431',
    '20261301',
    '20260001',
    '20260100',
    '20260132',
    '00000101',
    '18991231',
    '2026-01-01',
    '2026010',
    '202601011',
    ' 20260101',
    '20260101\n',
    '２０２６０１０１',
    '',
  ])('S102 refuses %j', text => {
    expect(dayStartMs(text)).toBeUndefined();
  });

  it('tells the same day again as often as it is asked, whatever is asked in between', () => {
    const asked = ['20260228', '20260228', '20260229', '20260228', '20260301', '20260228'];
    const [last, first] = [Date.UTC(2026, 1, 28), Date.UTC(2026, 2, 1)];
    expect(asked.map(dayStartMs)).toEqual([last, last, undefined, last, first, last]);
  });

  it('S102 agrees with the calendar for every eight digits', () => {
    const two = (max: number) => fc.integer({ min: 0, max }).map(value => String(value).padStart(2, '0'));
    fc.assert(
      fc.property(fc.integer({ min: 1900, max: 9999 }), two(14), two(33), (year, month, day) => {
        const iso = new Date(`${year}-${month}-${day}T00:00:00Z`);
        // A roll-over, such as 31 April, comes back as another text.
        const real = !Number.isNaN(iso.getTime()) && iso.toISOString().startsWith(`${year}-${month}-${day}`);
        expect(dayStartMs(`${year}${month}${day}`)).toBe(real ? iso.getTime() : undefined);
      }),
    );
  });
});

describe('times', () => {
  it('accepts 000000 to 235959', () => {
    expect(['000000', '235959', '120000'].every(isTimeOfDay)).toBe(true);
  });

  it('S102 refuses every other text', () => {
    const bad = ['240000', '006000', '000060', '235960', '12000', '1200000', '12:00:00', '12000a', ' 20000', ''];
    expect(bad.filter(isTimeOfDay)).toEqual([]);
  });

  it('S102 takes a day and a time together', () => {
    expect(isDayAndTime('20260131235959')).toBe(true);
    expect(['20260230000000', '20260131', '20260131240000', '202601312359590'].filter(isDayAndTime)).toEqual([]);
  });

  it('S102 takes expiry months 01 to 12 only', () => {
    expect(['2601', '9912', '0012'].every(isExpiry)).toBe(true);
    expect(['2600', '2613', '260', '26011', '26-1', '１２12', ''].filter(isExpiry)).toEqual([]);
  });
});
