/**
 * A bulkhead that is shared out by key: so many at a time, so many of them for one key, and a short queue in which whoever
 * has least goes first. One who asks without end fills its own share and waits; the others hardly notice. A few together may
 * fill it all: then they give up places in the queue to those who have fewer.
 */
import type { Clock } from './clock.ts';

type Leave = () => void;

export type Shares = {
  /**
   * Waits for a place. What it gives leaves again; leaving twice is leaving once. Undefined where the queue is full, where
   * the place in it went to somebody with fewer, or where the time is over.
   */
  readonly enter: (key: string) => Promise<Leave | undefined>;
  /** How many keys somebody is inside or waiting for. */
  readonly keys: number;
};

export type SharesOptions = {
  /** How many are inside at a time, all together and of one key. */
  readonly limit: number;
  readonly limitOfKey: number;
  /** How many wait at a time, all together and of one key, and for how many milliseconds. */
  readonly waiting: number;
  readonly waitingOfKey: number;
  readonly waitMs: number;
  readonly clock: Clock;
};

type Use = { inside: number; waiting: number };
type Waiter = { readonly use: Use; readonly letIn: () => void; readonly turnAway: () => void };

export function createShares(options: SharesOptions): Shares {
  const { limit, limitOfKey, clock, waitMs } = options;
  let inside = 0;
  /** Keys that somebody is inside or waiting for. */
  const uses = new Map<string, Use>();
  /** Oldest first. */
  const queue = new Set<Waiter>();

  const useOf = (key: string): Use => {
    const use = uses.get(key) ?? { inside: 0, waiting: 0 };
    uses.set(key, use);
    return use;
  };

  const admit = (key: string, use: Use): Leave => {
    inside += 1;
    use.inside += 1;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      inside -= 1;
      use.inside -= 1;
      forget(key, use);
      if (inside < limit) nextOf(queue, limitOfKey)?.letIn();
    };
  };

  const forget = (key: string, use: Use): void => {
    if (use.inside + use.waiting === 0) uses.delete(key);
  };

  const wait = (key: string, use: Use): Promise<Leave | undefined> =>
    new Promise(resolve => {
      const end = (leave: Leave | undefined) => {
        cancel();
        queue.delete(waiter);
        use.waiting -= 1;
        forget(key, use);
        resolve(leave);
      };
      const waiter = { use, letIn: () => end(admit(key, use)), turnAway: () => end(undefined) };
      const cancel = clock.after(waitMs, waiter.turnAway);
      use.waiting += 1;
      queue.add(waiter);
    });

  return {
    get keys() {
      return uses.size;
    },
    enter: async key => {
      const use = useOf(key);
      // Nobody waits whom these two do not keep out: whoever leaves lets the next one in.
      if (inside < limit && use.inside < limitOfKey) return admit(key, use);
      if (use.waiting < options.waitingOfKey) {
        if (queue.size >= options.waiting) greediestOf(queue, use.waiting + 1)?.turnAway();
        if (queue.size < options.waiting) return wait(key, use);
      }
      forget(key, use);
      return undefined;
    },
  };
}

/** The one of whose key the fewest are inside; of several, the one that has waited longest. */
const nextOf = (queue: Iterable<Waiter>, limitOfKey: number): Waiter | undefined => {
  let next: Waiter | undefined;
  for (const waiter of queue) {
    if (waiter.use.inside < (next?.use.inside ?? limitOfKey)) next = waiter;
  }
  return next;
};

/** Of the key that waits most often, the one that came last; nobody where none waits more often than that. */
const greediestOf = (queue: Iterable<Waiter>, moreThan: number): Waiter | undefined => {
  let greediest: Waiter | undefined;
  for (const waiter of queue) {
    if (waiter.use.waiting > moreThan && waiter.use.waiting >= (greediest?.use.waiting ?? 0)) greediest = waiter;
  }
  return greediest;
};
