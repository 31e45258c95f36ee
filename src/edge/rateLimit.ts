/**
 * Each client's own rate limit: a token bucket that fills at the configured rate and holds one second's worth, so that
 * a client may be as uneven as that but not faster over time. Only clients that have a limit have a bucket.
 */
import type { ClientConfig } from '../config/config.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Clock } from '../runtime/clock.ts';

export type RateLimiter = {
  /** Counts one call of the client. Throws `Refusal('rate')` (429) where it is one too many. */
  readonly take: (client: ClientConfig) => void;
};

type Bucket = { readonly perSecond: number; tokens: number; filledAt: number };

/** Limits these clients; a client that is not among them, or has the rate 0, is not limited. */
export const createRateLimiter = (clients: readonly ClientConfig[], clock: Clock): RateLimiter => {
  const limited = clients.filter(client => client.ratePerSecond > 0);
  const buckets = new Map(limited.map(client => [client.id, fullBucket(client.ratePerSecond, clock)]));
  return {
    take: client => {
      const bucket = buckets.get(client.id);
      if (bucket && !takeFrom(bucket, clock.monotonicMs())) throw new Refusal('rate');
    },
  };
};

/** A rate below one a second still lets a single call through at once. */
const capacityOf = (perSecond: number): number => Math.max(1, perSecond);

const fullBucket = (perSecond: number, clock: Clock): Bucket => ({
  perSecond,
  tokens: capacityOf(perSecond),
  filledAt: clock.monotonicMs(),
});

const takeFrom = (bucket: Bucket, now: number): boolean => {
  const filled = bucket.tokens + ((now - bucket.filledAt) / 1000) * bucket.perSecond;
  bucket.tokens = Math.min(capacityOf(bucket.perSecond), filled);
  bucket.filledAt = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
};
