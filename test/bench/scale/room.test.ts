/**
 * Whether so many entries fit on a machine, and what is said where they do not.
 */
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { keepRoom, lackOf, RoomGone, roomFor } from '../../../bench/scale/room.ts';

const GIB = 1024 ** 3;
const PER_ENTRY = { memoryBytes: 1_000, diskBytes: 2_000 };

describe('a machine', () => {
  it('that is large enough is no obstacle', () => {
    expect(lackOf(1_000_000, PER_ENTRY, { memory: 3 * GIB, disk: 4 * GIB })).toBeUndefined();
  });

  it('that is too small is named with what it lacks', () => {
    expect(lackOf(1_000_000, PER_ENTRY, { memory: 2 * GIB, disk: 4 * GIB })).toBe(
      '2,073 MiB of memory are needed and 2,048 MiB are free',
    );
    expect(lackOf(1_000_000, PER_ENTRY, { memory: 3 * GIB, disk: 3 * GIB })).toBe(
      '3,122 MiB of disk are needed and 3,072 MiB are free',
    );
  });

  it('keeps something for everybody else while a journal is filled', () => {
    expect(() => keepRoom(5, { memory: GIB, disk: GIB })).not.toThrow();
    expect(() => keepRoom(5_000, { memory: GIB / 2, disk: GIB })).toThrow(
      new RoomGone('ended at 5,000: 1,024 MiB of memory are needed and 512 MiB are free'),
    );
    expect(() => keepRoom(5, { memory: GIB, disk: 0 })).toThrow(/of disk/);
  });

  it('says how much there is', () => {
    const { memory, disk } = roomFor(tmpdir());
    expect([memory > 0, disk > 0]).toEqual([true, true]);
  });
});
