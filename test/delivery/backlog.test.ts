/**
 * What waits for a lane: every place takes the next one when it is free, a probe goes alone, and what is not begun is
 * never asked for again meanwhile.
 */
import { expect, it } from 'vitest';
import { Backlog } from '../../src/delivery/backlog.ts';
import { type Lane, RECOVERY } from '../../src/domain/filing.ts';
import type { IssuerId } from '../../src/domain/ids.ts';

const BANK = 'bank' as IssuerId;
const OTHER = 'other' as IssuerId;

/** Lanes with places that are taken until the work is ended by hand. */
function stage(places: Readonly<Record<string, number>>) {
  const taken = new Map<Lane, number>();
  const probing = new Set<Lane>();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const inUse = (lane: Lane) => taken.get(lane) ?? 0;
  const laneOf = (name: string) => name.split(':')[0] as Lane;
  const backlog = new Backlog<string>(
    {
      lanes: () => Object.keys(places) as Lane[],
      free: lane => Math.max(0, (probing.has(lane) ? 1 : (places[lane] ?? 0)) - inUse(lane)),
      isProbing: lane => probing.has(lane),
    },
    async name => {
      const lane = laneOf(name);
      begun.push(name);
      taken.set(lane, inUse(lane) + 1);
      await new Promise<void>(resolve => ends.set(name, resolve));
      taken.set(lane, inUse(lane) - 1);
    },
  );
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(resolve => setImmediate(resolve));
  };
  const names = (lane: Lane, count: number) => Array.from({ length: count }, (_, no) => `${lane}:${no}`);
  return { backlog, begun, taken, probing, end, names };
}

it('fills the places of a lane, and each of them takes the next one in order', async () => {
  const { backlog, begun, end, names } = stage({ [BANK]: 2, [RECOVERY]: 3 });
  backlog.put(BANK, names(BANK, 4));
  backlog.put(RECOVERY, names(RECOVERY, 2));
  const ends = backlog.begin();
  expect(begun).toEqual(['bank:0', 'bank:1', `${RECOVERY}:0`, `${RECOVERY}:1`]);
  expect(ends).toHaveLength(4);
  await end('bank:1');
  expect(begun.slice(4)).toEqual(['bank:2']);
  await end('bank:2');
  await end('bank:3');
  expect(begun.slice(5)).toEqual(['bank:3']);
  expect(backlog.isEmpty).toBe(true);
});

it('asks for lanes that have a place and nothing waiting, and for more than there are places', async () => {
  const { backlog, begun, end, names } = stage({ [BANK]: 1, [OTHER]: 0, [RECOVERY]: 8 });
  expect(backlog.wanted()).toEqual([
    { lane: BANK, limit: 64 },
    { lane: RECOVERY, limit: 64 },
  ]);
  backlog.put(BANK, names(BANK, 3));
  expect(backlog.wanted()).toEqual([{ lane: RECOVERY, limit: 64 }]);
  void backlog.begin();
  expect(backlog.begin()).toEqual([]);
  await end('bank:0');
  await end('bank:1');
  expect(begun).toEqual(['bank:0', 'bank:1', 'bank:2']);
  // Nothing waits, but its place is taken.
  expect(backlog.wanted()).toEqual([{ lane: RECOVERY, limit: 64 }]);
});

it('F31 begins one at a time while the breaker probes, and the next one only when it is told to', async () => {
  const { backlog, begun, probing, end, names } = stage({ [BANK]: 16 });
  probing.add(BANK);
  expect(backlog.wanted()).toEqual([{ lane: BANK, limit: 1 }]);
  backlog.put(BANK, names(BANK, 3));
  void backlog.begin();
  await end('bank:0');
  expect(begun).toEqual(['bank:0']);
  expect(backlog.isEmpty).toBe(false);
  probing.delete(BANK);
  void backlog.begin();
  expect(begun).toEqual(['bank:0', 'bank:1', 'bank:2']);
});

it('leaves the rest where somebody else has taken the places, for the next time', async () => {
  const { backlog, begun, taken, end, names } = stage({ [BANK]: 1 });
  backlog.put(BANK, names(BANK, 2));
  void backlog.begin();
  taken.set(BANK, 2);
  await end('bank:0');
  expect(begun).toEqual(['bank:0']);
  expect(backlog.wanted()).toEqual([]);
  taken.set(BANK, 0);
  void backlog.begin();
  expect(begun).toEqual(['bank:0', 'bank:1']);
});

it('F54 begins nothing of what is not to be relied on any more', async () => {
  const { backlog, begun, end, names } = stage({ [BANK]: 1 });
  backlog.put(BANK, names(BANK, 5));
  void backlog.begin();
  backlog.drop();
  await end('bank:0');
  expect(begun).toEqual(['bank:0']);
  expect(backlog.wanted()).toEqual([{ lane: BANK, limit: 64 }]);
});
