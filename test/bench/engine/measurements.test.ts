/**
 * Profiles of the real gateway: that they say where the time of a request and of a start goes, with our own parts by name.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profileOf, profileOfStart } from '../../../bench/engine/measurements.ts';
import { makeSurroundings, type Surroundings } from '../../../bench/engine/surroundings.ts';
import type { CpuPart } from '../../../bench/results.ts';
import { SUBJECTS } from '../../../bench/subjects.ts';

let around: Surroundings;
beforeAll(async () => {
  around = await makeSurroundings(false);
});
afterAll(() => around.end());

const sum = (parts: readonly CpuPart[], of: 'share' | 'usPerRequest') => parts.reduce((all, part) => all + part[of], 0);

describe('a profile of the gateway', () => {
  it('of a request has its parts and packages, which add up to what a request costs', async () => {
    const options = { profileSeconds: 1, warmUpSeconds: 0, usPerRequest: 500 };
    const parts = await profileOf(around, SUBJECTS.sqlite, options);
    expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(['gateway: journal', 'undici']));
    // But for a rest that is too small to be shown.
    expect(sum(parts, 'share')).toBeCloseTo(1, 2);
    expect(sum(parts, 'usPerRequest')).toBeCloseTo(500, -1);
  });

  it('of a start adds up to the CPU time of one start', async () => {
    const parts = await profileOfStart(around, { kind: 'start', peer: 'gatewaySqlite', what: 'Gateway, start' });
    expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(['Node itself']));
    expect(sum(parts, 'share')).toBeCloseTo(1, 2);
    // Nothing that starts in a hundredth of a second is the gateway.
    expect(sum(parts, 'usPerRequest')).toBeGreaterThan(10_000);
  });
});
