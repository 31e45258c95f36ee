/**
 * The timestamp header: its shape always, its freshness where the client's entry asks for it (S105, F69).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/domain/refusal.ts';
import { checkTimestamp } from '../../src/edge/timestamp.ts';

const NOW_S = 1_780_000_000;
const NOW_MS = NOW_S * 1_000 + 250;

const refusalOf = (value: string | undefined, toleranceSeconds: number): Refusal | undefined => {
  try {
    checkTimestamp(value, NOW_MS, toleranceSeconds);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};

describe('checkTimestamp', () => {
  it.each([
    undefined,
    '',
    ' ',
    '1234567890123456',
    '-1780000000',
    '+1780000000',
    '1780000000.5',
    '1.78e9',
    '0x6a18',
    'now',
    ' 1780000000',
    '1780000000 ',
    '1780000000\n',
    '1780000000, 1780000000',
    '１７８０００００００',
    '2026-06-15T12:00:00Z',
  ])('S105 refuses %j whatever the tolerance', value => {
    for (const tolerance of [0, 300]) {
      const refusal = refusalOf(value, tolerance);
      expect(refusal?.reason).toBe('format');
      expect(refusal?.errors.map(error => error.field)).toEqual(['timestamp']);
      if (value !== undefined && value.trim() !== '') expect(JSON.stringify(refusal?.errors)).not.toContain(value);
    }
  });

  it('takes any shape that is right where the tolerance is 0, the published example too', () => {
    for (const value of ['10567867', '0', '99999999999', '999999999999999', String(NOW_MS)]) {
      expect(refusalOf(value, 0)).toBeUndefined();
    }
  });

  it('S105 F69 takes seconds and milliseconds within the tolerance, and nothing beyond it on either side', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 1_000 }), fc.integer({ min: 1, max: 900 }), (offset, tolerance) => {
        const seconds = refusalOf(String(NOW_S + offset), tolerance);
        const ms = refusalOf(String(NOW_MS + offset * 1_000), tolerance);
        expect(seconds === undefined).toBe(Math.abs(NOW_MS - (NOW_S + offset) * 1_000) <= tolerance * 1_000);
        expect(ms === undefined).toBe(Math.abs(offset) <= tolerance);
      }),
    );
  });

  it('S105 refuses the published example where freshness is asked for', () => {
    expect(refusalOf('10567867', 300)?.errors).toEqual([
      { field: 'timestamp', reason: 'must be within 300 seconds of now' },
    ]);
  });
});
