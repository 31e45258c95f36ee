/**
 * What each of several workers gets of the limits that hold for the whole gateway: never more together than was configured,
 * and never nothing.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { WORKERS_MOST } from '../../src/config/limits.ts';
import { shareOf } from '../../src/config/share.ts';
import { loadGood, SAMPLE } from './sample.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

it('shares add up to the limit exactly, and each worker has at least one of each', async () => {
  const { config } = await loadGood(SAMPLE);
  const [issuer] = config.issuers;
  const [client] = config.clients;
  if (!issuer || !client) throw new Error('the sample has none');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: WORKERS_MOST }), fc.nat(4000), fc.nat(1000), (workers, more, rate) => {
      const maxInFlight = workers + more;
      const whole: Config = {
        ...config,
        clients: [{ ...client, ratePerSecond: rate }],
        issuers: [{ ...issuer, maxInFlight }],
      };
      const shares = Array.from({ length: workers }, (_, index) => shareOf(whole, { worker: index + 1, workers }));
      const ofIssuers = shares.flatMap(({ issuers }) => issuers);
      expect(sum(ofIssuers.map(each => each.maxInFlight))).toBe(maxInFlight);
      expect(sum(ofIssuers.map(each => each.maxDeliveries))).toBe(issuer.maxDeliveries);
      expect(sum(shares.flatMap(({ clients }) => clients.map(each => each.ratePerSecond)))).toBeCloseTo(rate, 6);
      for (const each of ofIssuers) expect(Math.min(each.maxInFlight, each.maxDeliveries)).toBeGreaterThan(0);
    }),
  );
});

it('one worker has all of it', async () => {
  const { config } = await loadGood(SAMPLE);
  expect(shareOf(config, { worker: 1, workers: 1 })).toEqual(config);
});
