/**
 * CPU profiles: who is charged for a sample, for which stretch of time, and what is left out.
 */
import { describe, expect, it } from 'vitest';
import { busyTimes, type CpuProfile, ownerOf, partsOf } from '../../../bench/engine/profile.ts';

describe('the owner of a frame', () => {
  it.each([
    ['file:///app/node_modules/undici/lib/core/request.js', 'undici'],
    ['file:///app/node_modules/@hono/node-server/dist/index.mjs', '@hono/node-server'],
    ['file:///app/node_modules/a/node_modules/b/index.js', 'b'],
    ['file:///app/src/journal/redis/scripts.ts', 'gateway: journal'],
    ['file:///app/src/authorize.ts', 'gateway: authorize'],
    ['file:///app/bench/peers/bareNode.ts', 'the proxy itself'],
    ['node:net', undefined],
    ['', undefined],
  ])('%s: %s', (url, expected) => expect(ownerOf(url)).toBe(expected));
});

const node = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});
const PROFILE: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 5, 6, 7, 8]),
    node(2, 'handle', 'file:///app/src/http/server.ts', [3]),
    node(3, 'send', 'file:///app/node_modules/undici/index.js', [4]),
    node(4, 'write', 'node:net'),
    node(5, '(idle)', ''),
    node(6, '(garbage collector)', ''),
    // A name that every object has.
    node(7, 'constructor', 'node:events'),
    node(8, '(program)', ''),
  ],
  startTime: 1_000,
  samples: [2, 3, 4, 5, 6, 7, 8],
  // The first sample is at 1100; each stands for the time until the next.
  timeDeltas: [100, 10, 20, 30, 1000, 40, 50],
};

describe('busy time', () => {
  it('is charged to the nearest package or part up the stack, and idle time to nobody', () => {
    expect(Object.fromEntries(busyTimes(PROFILE, { fromUs: 0, untilUs: 1e9 }))).toEqual({
      'gateway: http': 10,
      // 20 in its own frame, 30 in what it calls of Node.
      undici: 50,
      'garbage collector': 40,
      'Node itself': 50,
      'outside JavaScript': 0,
    });
  });

  it('counts only what was sampled in the stretch', () => {
    expect(Object.fromEntries(busyTimes(PROFILE, { fromUs: 1105, untilUs: 1120 }))).toEqual({ undici: 20 });
  });
});

describe('parts', () => {
  it('are shares of the busy time, the largest first, and small ones are added up', () => {
    const times = new Map([
      ['small', 4],
      ['a', 595],
      ['tiny', 1],
      ['b', 400],
    ]);
    expect(partsOf(times, 50)).toEqual([
      { name: 'a', share: 0.595, usPerRequest: 29.75 },
      { name: 'b', share: 0.4, usPerRequest: 20 },
      { name: 'everything else', share: expect.closeTo(0.005), usPerRequest: expect.closeTo(0.25) },
    ]);
  });
});
