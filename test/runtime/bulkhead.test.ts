/**
 * The bulkhead: never more inside than its limit, and leaving twice is leaving once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBulkhead } from '../../src/runtime/bulkhead.ts';

describe('bulkhead', () => {
  it('I10: takes as many as its limit, and the next when one has left', () => {
    const bulkhead = createBulkhead(2);
    const first = bulkhead.tryEnter();
    expect(bulkhead.tryEnter()).toBeDefined();
    expect(bulkhead.tryEnter()).toBeUndefined();
    expect(bulkhead.inUse).toBe(2);
    first?.();
    expect(bulkhead.tryEnter()).toBeDefined();
    expect([bulkhead.inUse, bulkhead.limit]).toEqual([2, 2]);
  });

  it('leaving twice is leaving once', () => {
    const bulkhead = createBulkhead(1);
    const leave = bulkhead.tryEnter();
    leave?.();
    leave?.();
    expect(bulkhead.inUse).toBe(0);
    expect(bulkhead.tryEnter()).toBeDefined();
    leave?.();
    expect(bulkhead.inUse).toBe(1);
  });

  it('any order of entering and leaving keeps the count between none and the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat({ max: 9 })), (limit, steps) => {
        const bulkhead = createBulkhead(limit);
        const inside = new Set<() => void>();
        for (const step of steps) {
          const leave = step < 5 ? bulkhead.tryEnter() : [...inside][step - 5];
          if (step < 5) {
            expect(leave === undefined).toBe(inside.size === limit);
            if (leave) inside.add(leave);
          } else if (leave) {
            leave();
            inside.delete(leave);
          }
          expect(bulkhead.inUse).toBe(inside.size);
        }
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('a limit of %d is refused', limit => {
    expect(() => createBulkhead(limit)).toThrow(RangeError);
  });
});
