/**
 * How many calls an issuer is sent at a time after an outage: few at first, doubling with every round trip, and calls of
 * before the outage neither take places nor give any.
 */
import { expect, it } from 'vitest';
import { CALLS_AFTER_OUTAGE } from '../../src/config/limits.ts';
import { SlowStart } from '../../src/issuer/slowStart.ts';

/** Lets out as many as there is room for, up to `most`. */
function letOut(start: SlowStart, most = 10_000) {
  const out: ((isGood: boolean) => void)[] = [];
  for (let ended = start.tryEnter(); ended; ended = out.length < most ? start.tryEnter() : undefined) out.push(ended);
  return out;
}

it('sets no limit before the first outage', () => {
  expect(letOut(new SlowStart())).toHaveLength(10_000);
});

it('F10 I10: after an outage a few at a time, and with each round of good answers twice as many', () => {
  const start = new SlowStart();
  start.restart();
  for (const round of [1, 2, 4, 8]) {
    const out = letOut(start);
    expect(out).toHaveLength(round * CALLS_AFTER_OUTAGE);
    for (const ended of out) ended(true);
  }
});

it('F31: failures give their place back and no other', () => {
  const start = new SlowStart();
  start.restart();
  for (let round = 0; round < 3; round += 1) {
    const out = letOut(start);
    expect(out).toHaveLength(CALLS_AFTER_OUTAGE);
    for (const ended of out) ended(false);
  }
});

it('I19: calls that still hang from before take no place, and their late good end gives none', () => {
  const start = new SlowStart();
  const before = letOut(start, 1000);
  start.restart();
  for (const ended of before) ended(true);
  expect(letOut(start)).toHaveLength(CALLS_AFTER_OUTAGE);
});
