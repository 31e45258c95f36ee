/**
 * A bulkhead: so many calls at a time and no more, and nobody waits. It is entered before anything is claimed and left
 * when the work has really ended, so that one slow issuer cannot use up the whole process.
 */
export type Bulkhead = {
  readonly limit: number;
  /** How many are inside now. */
  readonly inUse: number;
  /** Enters at once, or not at all: undefined when it is full. What it gives leaves again; leaving twice is leaving once. */
  tryEnter(): (() => void) | undefined;
};

/** A bulkhead for `limit` calls at a time, at least one. Throws a `RangeError` where the limit is not such a number. */
export function createBulkhead(limit: number): Bulkhead {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`a bulkhead needs a limit of 1 or more`);
  let inUse = 0;
  return {
    limit,
    get inUse() {
      return inUse;
    },
    tryEnter: () => {
      if (inUse >= limit) return undefined;
      inUse += 1;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        inUse -= 1;
      };
    },
  };
}
