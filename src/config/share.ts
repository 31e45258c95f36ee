/**
 * What of a configuration one worker gets. Limits that protect somebody outside, an issuer or what a client was promised,
 * hold for the whole gateway and are shared out; the shares add up to the limit exactly. Limits that protect the memory
 * and the descriptors of a process hold for each worker.
 */
import type { Config } from './config.ts';

/** One of `workers` workers; `worker` counts from 1. */
export type Share = { readonly worker: number; readonly workers: number };

/** The configuration of that worker. */
export const shareOf = (config: Config, share: Share): Config => ({
  ...config,
  // A rate need not be whole: a bucket fills as slowly as it must.
  clients: config.clients.map(client => ({ ...client, ratePerSecond: client.ratePerSecond / share.workers })),
  issuers: config.issuers.map(issuer => ({
    ...issuer,
    maxInFlight: partOf(issuer.maxInFlight, share),
    maxDeliveries: partOf(issuer.maxDeliveries, share),
  })),
});

/** A whole part of a whole number; the first workers take what is left over. */
const partOf = (total: number, { worker, workers }: Share): number =>
  Math.floor(total / workers) + (worker <= total % workers ? 1 : 0);
